"""The runtime of our own small architecture (``model_type: rsvlm_mini``).

A tile is encoded once; its classes, counts, boxes and presence come from the encoder's heads,
and only captions and free questions go on to the decoder, batched over tiles and questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import ModelError
from rsvlm_geo.model import mini_boxes, mini_relate, mini_talk
from rsvlm_geo.model.mini_boxes import Found
from rsvlm_geo.model.mini_colour import common_colour
from rsvlm_geo.model.mini_find import Encoded, Finder
from rsvlm_geo.model.mini_labels import LabelHead
from rsvlm_geo.model.mini_reply import (
    ABOUT_ONE,
    COLOUR,
    PRESENCE,
    WHERE,
    mentioned,
    plain_key,
    read_rule,
    refusal,
    why,
    yes_no,
)
from rsvlm_geo.model.pack import Pack, load_pack
from rsvlm_geo.model.session import open_session
from rsvlm_geo.tasks import class_phrase
from rsvlm_geo.vlm import GSD_ROUNDING, ModelInfo, Question, Reply

__all__ = ["Encoded", "MiniVlm"]

_CONTRADICTED = 0.9
"""The label head is this sure of a class of which no box was found: then none is no answer."""


class MiniVlm:
    """``rsvlm-mini`` behind the :class:`rsvlm_geo.vlm.Vlm` protocol.

    Args:
        folder: The pack, or a loaded one.
        provider: ``cpu``, ``cuda``, ...; ``auto`` takes the best that runs.
        threads: Threads within an operator; None: all cores.
        variant: ``fp32`` or ``int8``; None: the card's choice.
    """

    def __init__(
        self,
        folder: str | Path | Pack,
        provider: str = "auto",
        threads: int | None = None,
        variant: str | None = None,
    ) -> None:
        from tokenizers import Tokenizer

        pack = folder if isinstance(folder, Pack) else load_pack(folder)
        if pack.model_type != "rsvlm_mini":
            raise ModelError(
                f"{pack.folder} holds a {pack.model_type or 'nameless'} model, not rsvlm_mini; "
                "open it with rsvlm_geo.open_model"
            )
        self.pack = pack
        kind = "cpu" if provider in ("auto", "cpu") else provider
        self.vision = open_session(
            pack.graph("vision_encoder", variant=variant, provider=kind), provider, threads
        )
        has_int8 = "int8" in pack.graphs["decoder_model_merged"]
        decoder_variant = variant if variant != "int8" or has_int8 else None
        decoder = open_session(
            pack.graph("decoder_model_merged", variant=decoder_variant, provider=kind),
            provider,
            threads,
        )
        tokenizer_path = pack.folder / "tokenizer.json"
        pack.check_file(tokenizer_path)
        self.talk = mini_talk.Talk(decoder, Tokenizer.from_file(str(tokenizer_path)))
        own: Mapping[str, Any] = pack.card["mini"]
        self.rules = {row["name"]: read_rule(row) for row in own["objects"]}
        self.labels = LabelHead(own["labels"], own.get("said", {}))
        self.calibration: Mapping[str, Mapping[str, float]] = pack.card["calibration"]
        self._info = replace(pack.info, provider=self.vision.provider)
        self.finder = Finder(self._info, self.rules, self.labels, self.encode)

    @property
    def info(self) -> ModelInfo:
        """What it is and may be asked."""
        return self._info

    def encode(self, images: NDArray[np.uint8]) -> Encoded:
        """Run the encoder: uint8[B, S, S, 3] RGB -> its outputs."""
        size = self._info.image_size
        if images.ndim != 4 or images.shape[1:] != (size, size, 3):
            raise ModelError(
                f"images must be uint8[B, {size}, {size}, 3]; got {images.dtype}{images.shape}"
            )
        x = images.transpose(0, 3, 1, 2).astype(np.float32, order="C")
        x -= 127.0
        x /= 128.0
        names = list(self.vision.outputs)
        arrays = self.vision.run({"pixel_values": x}, names)
        return Encoded(dict(zip(names, arrays, strict=True)), size, images)

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Unit-length image embeddings for search: float32[B, D]."""
        y = self.encode(images).outputs["image_embeds"]
        out: NDArray[np.float32] = y / np.maximum(np.linalg.norm(y, axis=1, keepdims=True), 1e-9)
        return out

    def ask(self, images: NDArray[np.uint8], questions: Sequence[Question]) -> list[list[Reply]]:
        """Answer every question about every image; each image is encoded once."""
        if len(images) == 0:
            return []
        encoded = self.encode(images)
        self.finder.look_closer(encoded, questions)
        replies: list[list[Reply | None]] = [[None] * len(questions) for _ in images]
        spoken: list[tuple[int, Question]] = []
        for j, question in enumerate(questions):
            for i in range(len(images)):
                replies[i][j] = self._by_head(encoded, i, question)
            if any(row[j] is None for row in replies):
                spoken.append((j, question))
        if spoken:
            self._by_words(encoded, spoken, replies)
        return [[r for r in row if r is not None] for row in replies]

    # -- heads ---------------------------------------------------------------------------------

    def _by_head(self, encoded: Encoded, i: int, question: Question) -> Reply | None:
        """The reply of a classifier or the dense head, or None: then the decoder speaks."""
        task, target = question.task, question.target
        if task == "classify":
            return self._classify(encoded, i, question)
        if task == "ask":
            related = self._relate(encoded, i, question)
            if related is not None:
                return related
            match = PRESENCE.match(question.text)
            known = self._info.find_class(match["what"]) if match else None
            if known is None:
                if match is None or self._domain(question) != "fine":
                    return None
                return self._label(encoded, i, match["what"])
            task, target = "presence", known.name
        if task not in ("count", "locate", "presence"):
            return None
        known = self._info.find_class(target or "")
        if known is None or known.name not in self.rules:
            if task == "presence" and (reply := self._label(encoded, i, target or "")):
                return reply
            return refusal("out_of_scope", f"This model has no class {target!r}.")
        if (question.gsd_m or 0.0) > (known.max_gsd_m or float("inf")) * GSD_ROUNDING:
            return refusal("below_gsd", why("below_gsd", question))
        found = self.finder.find(encoded, i, known.name, question.gsd_m)
        if task == "locate":
            return self._locate(found, known.name)
        seen = self.finder.seen(encoded, i, known.name)
        if task == "presence":
            doubted = found.presence < 0.5 and seen > _CONTRADICTED
            return yes_no(seen if doubted else found.presence)
        reply = self._count(found, known.name)
        if reply.value == 0 and seen > _CONTRADICTED:
            return Reply(why("low_confidence", question), p_unanswerable=seen,
                         reason="low_confidence")  # fmt: skip
        return reply

    def _count(self, found: Found, name: str) -> Reply:
        rule = self.rules[name]
        shown = rule.counted(found)
        n = len(shown.boxes)
        chance = mini_boxes.count_distribution(found.probability)
        top = {str(k): float(p) for k, p in enumerate(chance) if p > 1e-4 or k == n}
        return Reply(
            str(n), top, shown.boxes, (name,) * n, shown.probability, 0.0,
            value=float(n), confidence=rule.count_confidence(float(chance[n]), n),
        )  # fmt: skip

    def _locate(self, found: Found, name: str) -> Reply:
        shown = found.above(self.rules[name].locate_above)
        n = len(shown.boxes)
        sure = float(shown.probability.mean()) if n else 1.0 - found.presence
        words = class_phrase(name, plural=n != 1)
        text = f"{n} {words}" if n else f"no {words}"
        return Reply(
            text, None, shown.boxes, (name,) * n, shown.probability, 0.0,
            value=float(n), confidence=sure,
        )  # fmt: skip

    def _relate(self, encoded: Encoded, i: int, question: Question) -> Reply | None:
        """Where one class lies seen from another, from the surest box of each; None: not asked."""
        pair = mini_relate.pair_asked(question.text)
        known = [self._info.find_class(name) for name in pair or ()]
        found = [
            self.finder.find(encoded, i, c.name, question.gsd_m) for c in known if c is not None
        ]
        if pair is None or len(found) != 2 or known[0] == known[1]:
            return None
        return mini_relate.relate(found[0], found[1], pair[1], question)

    def _classify(self, encoded: Encoded, i: int, question: Question) -> Reply:
        domain = self._domain(question)
        names = self._info.scene_classes[domain]
        head = "ucm_logits" if domain == "fine" else "eurosat_logits"
        z = encoded.outputs[head][i].astype(np.float64)
        z = z / self.calibration["classify"].get(f"temperature_{domain}", 1.0)
        p = np.exp(z - z.max())
        p /= p.sum()
        chances = dict(zip(names, map(float, p), strict=True))
        if question.candidates is not None:
            mine = {plain_key(n): v for n, v in chances.items()}
            asked = {c: mine.get(plain_key(c), 0.0) for c in question.candidates}
            total = sum(asked.values())
            if not any(plain_key(c) in mine for c in question.candidates):
                return refusal("out_of_scope", "None of these classes is known to this model.")
            # What the closed set leaves out is the chance that none of it is right.
            chances = {c: v / max(total, 1e-9) for c, v in asked.items()}
            return Reply(max(chances, key=lambda c: chances[c]), chances,
                         p_unanswerable=1.0 - total)  # fmt: skip
        return Reply(max(chances, key=lambda c: chances[c]), chances, p_unanswerable=0.0)

    def _domain(self, question: Question) -> str:
        """Which closed set of classes holds: by the resolution shown, else by the candidates."""
        if question.gsd_m is not None:
            return "fine" if question.gsd_m < 2.0 else "coarse"
        asked = {plain_key(c) for c in question.candidates or ()}
        overlap = {
            d: len(asked & {plain_key(n) for n in names})
            for d, names in self._info.scene_classes.items()
        }
        return "coarse" if overlap.get("coarse", 0) > overlap.get("fine", 0) else "fine"

    def _agree(self, encoded: Encoded, i: int, question: Question, text: str) -> str:
        """A caption with the dense head's numbers and places."""
        if self._domain(question) != "fine":
            return text
        counted = {}
        for name, rule in self.rules.items():
            boxes = rule.counted(self.finder.find(encoded, i, name, question.gsd_m)).boxes
            spots = {mini_talk.place_of(b, encoded.size) for b in boxes}
            counted[class_phrase(name)] = (len(boxes), spots.pop() if len(spots) == 1 else None)
        best = self._classify(encoded, i, replace(question, candidates=None))
        sure = max((best.candidates or {"": 0.0}).values())
        floor = self._info.min_confidence.get("classify", 0.5)
        words = class_phrase(best.text)
        scene = f"{'an' if words[0] in 'aeiou' else 'a'} {words}" if sure >= floor else "the ground"
        if words.endswith("s") or words in ("farmland", "chaparral"):
            scene = words if sure >= floor else "the ground"
        return mini_talk.agree(text, counted, scene)

    def _label(self, encoded: Encoded, i: int, word: str) -> Reply | None:
        """Presence of a land-cover word by the label head, or None when it is not one."""
        p = self.labels.chance(encoded.outputs["label_logits"][i], word)
        return None if p is None else yes_no(p)

    # -- words ---------------------------------------------------------------------------------

    def _by_words(
        self,
        encoded: Encoded,
        spoken: list[tuple[int, Question]],
        replies: list[list[Reply | None]],
    ) -> None:
        """Fill what is still None, all tiles and questions in one batch of the decoder."""
        for j, q in spoken:
            if q.task == "ask" and self.talk.asks_unknown(q.text):
                for row in replies:
                    row[j] = row[j] or refusal("out_of_scope", why("out_of_scope", q))
        where = [(i, j, q) for i in range(len(replies)) for j, q in spoken if replies[i][j] is None]
        if not where:
            return
        stems = [mini_talk.parse_choices(q.text)[0] for _, _, q in where]
        prompts = [
            self.talk.prompt(stem, q.gsd_m) for stem, (_, _, q) in zip(stems, where, strict=True)
        ]
        cross, rows = encoded.outputs["cross.key_values"], np.array([i for i, _, _ in where])
        temperature = self.calibration["ask"].get("temperature", 1.0)
        answers = self.talk.speak(prompts, cross[rows], temperature)
        for (i, j, question), prompt, said in zip(where, prompts, answers, strict=True):
            checked, place = self._cross_check(encoded, i, question, said)
            if question.task == "caption":
                text = said.text
                if self.labels.checks_captions:
                    sure = self.labels.sure_words(encoded.outputs["label_logits"][i])
                    text = mini_talk.keep_sure(text, sure)
                text = self._agree(encoded, i, question, text)
                replies[i][j] = Reply(text, p_unanswerable=0.0)
                continue
            replies[i][j] = self._reply(question, prompt, checked, cross[i], place)

    def _cross_check(
        self, encoded: Encoded, i: int, question: Question, said: mini_talk.Spoken
    ) -> tuple[mini_talk.Spoken, str | None]:
        """Let the dense head decide whether what is asked about is there, and where, and the
        pixels in its boxes which colour it has.

        For a question about the colour or the place of one known class. The decoder keeps the say
        on everything else that can make it unanswerable (grey, too coarse).
        """
        stem, _ = mini_talk.parse_choices(question.text)
        known = mentioned(stem, self._info) if ABOUT_ONE.search(stem) else []
        if len(known) != 1 or question.task != "ask":
            return said, None
        found = self.finder.find(encoded, i, known[0], question.gsd_m)
        absent = 1.0 - found.presence
        invisible = said.reason == "invisible"
        p_no = absent if invisible else max(said.p_unanswerable, absent)
        reason = said.reason
        if absent > 0.5 and reason == "out_of_scope":
            reason = "invisible"
        shown = found.above(self.rules[known[0]].locate_above)
        read = None
        if len(shown.boxes) and WHERE.search(stem):
            read = mini_talk.common_place(shown.boxes, shown.probability, encoded.size)
        elif len(shown.boxes) and COLOUR.search(stem):
            read = common_colour(encoded.images[i], shown.boxes, shown.probability)
        return replace(said, p_unanswerable=float(p_no), reason=reason), read

    def _reply(
        self,
        question: Question,
        prompt: list[int],
        said: mini_talk.Spoken,
        cross: NDArray[np.float32],
        place: str | None = None,
    ) -> Reply:
        _, options = mini_talk.parse_choices(question.text)
        limit = self._info.refuse_above.get("ask", 0.5)
        p_no = said.p_unanswerable
        if options:
            return self._choose(options, prompt, p_no, cross, place)
        reason = said.reason
        if question.candidates:
            scores = self.talk.score(prompt, question.candidates, cross)
            p = np.exp((scores - scores.max()) / self.calibration["ask"].get("score", 1.0))
            chances = dict(zip(question.candidates, map(float, p / p.sum()), strict=True))
            best = max(chances, key=lambda c: chances[c])
            return Reply(best if p_no <= limit else why(reason, question), chances,
                         p_unanswerable=p_no, reason=reason if p_no > limit else None)  # fmt: skip
        if p_no > limit:
            return Reply(why(reason, question), p_unanswerable=p_no, reason=reason)
        text = said.text if place is None else place
        return Reply(text, p_unanswerable=p_no, confidence=said.probability * (1 - p_no))

    def _choose(
        self,
        options: tuple[mini_talk.Choice, ...],
        prompt: list[int],
        p_no: float,
        cross: NDArray[np.float32],
        place: str | None = None,
    ) -> Reply:
        """Multiple choice: likelihood of each option, p(<unans>) for the one that refuses."""
        real = [o for o in options if not o.refusal]
        scores = self.talk.score(prompt, [o.text for o in real], cross)
        p = np.exp(scores - scores.max())
        if place is not None and any(o.text.lower() == place for o in real):
            p = np.array([1.0 if o.text.lower() == place else 0.02 for o in real])
        share = dict(zip((o.letter for o in real), p / p.sum(), strict=True))
        refusing = [o.letter for o in options if o.refusal]
        chances = {
            o.letter: p_no / len(refusing) if o.refusal
            else float(share[o.letter]) * ((1 - p_no) if refusing else 1.0)
            for o in options
        }  # fmt: skip
        best = max(chances, key=lambda c: chances[c])
        return Reply(best, chances, p_unanswerable=0.0 if refusing else p_no)
