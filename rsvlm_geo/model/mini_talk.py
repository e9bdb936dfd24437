"""Prompt, score and generate with the small decoder. numpy and ONNX Runtime only."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DIRECTIONS", "Choice", "Spoken", "Talk", "direction_shares", "parse_choices", "tidy"]

GSDS = (0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0)
DIRECTIONS = (
    "right", "bottom right", "bottom", "bottom left", "left", "top left", "top", "top right",
)  # fmt: skip
"""Eight sectors of 45 degrees, clockwise from the right."""
PLACES = (
    "top left", "top", "top right", "left", "center", "right", "bottom left", "bottom",
    "bottom right",
)  # fmt: skip
"""The 3 x 3 grid, row by row."""
_UNKNOWN = re.compile(
    r"(?:what|which|who|when|where|how many|how much)"
    r"(?: (?:is|are|was|were|do|does|did|the|a|an|of|it|this|that|these|those|there))* <unk>"
)
"""What is the <unk> ..., how many <unk> ..., where does it <unk> ...: as tokens."""
REASONS = ("invisible", "panchromatic", "below_gsd", "modality", "out_of_scope")
_CHOICE = re.compile(r"(?:^|\s)\(?([A-F])[:.)]\s*(.+?)(?=\s\(?[A-F][:.)]\s|$)", re.S)
_SORRY = re.compile(r"sorry|invisible|cannot|not visible|none of", re.I)


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a multiple-choice question."""

    letter: str
    text: str
    refusal: bool
    """The option that says that the image cannot answer."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the decoder said to one question about one tile."""

    text: str
    p_unanswerable: float
    reason: str
    """The reason it would give for not answering."""
    probability: float
    """Of the words said, as a whole."""


def parse_choices(text: str) -> tuple[str, tuple[Choice, ...]]:
    """Split ``Where is it? A: left B: right`` into the question and its options."""
    found = list(_CHOICE.finditer(text))
    letters = [m[1] for m in found]
    if len(found) < 2 or letters != [chr(65 + i) for i in range(len(found))]:
        return text, ()
    options = (Choice(m[1], m[2].strip(" .;,"), bool(_SORRY.search(m[2]))) for m in found)
    return text[: found[0].start()].strip(), tuple(options)


_COVER = (
    re.compile(r"^(?P<list>.+?) can be seen around it\.?$", re.I),
    re.compile(r"^Around it there (?:is|are) (?P<list>.+?)\.?$", re.I),
    re.compile(r"^(?P<list>.+?) (?:is|are) visible\.?$", re.I),
)


def keep_sure(caption: str, sure: Collection[str]) -> str:
    """Drop land-cover words that the label head is not sure of from a caption.

    Args:
        caption: Tidied sentences; the land cover stands in one of its own.
        sure: Words that may stay, lower case.
    """
    out = []
    for sentence in re.split(r"(?<=\.)\s+", caption):
        match = next((m for form in _COVER if (m := form.match(sentence))), None)
        if match is None:
            out.append(sentence)
            continue
        words = [w for w in re.split(r",\s*|\s+and\s+", match["list"].lower()) if w in sure]
        words = list(dict.fromkeys(words))
        if words:
            said = words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
            start, end = match.span("list")
            rest = sentence[end:]
            if " visible" in rest:
                one = len(words) == 1 and not words[0].endswith("s")
                rest = f" {'is' if one or words == ['grass'] else 'are'} visible."
            out.append(tidy(sentence[:start] + said + rest))
    return " ".join(out)


_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBER = rf"(?:about \d+|many|some|several|a|{'|'.join(_NUMBERS)})"
_PLACE = rf"(?: (?:in the|at the) (?:{'|'.join(sorted(PLACES, key=len, reverse=True))}))?"


_EMPTY = "open ground with no trees or cars"


def _say(noun: str, n: int, place: str | None) -> str:
    """``two cars at the top``."""
    count = _NUMBERS[n] if n <= 10 else f"about {10 * round(n / 10)}" if n < 50 else "many"
    words = f"{count} {noun}" if n == 1 else f"{count} {noun}s"
    return words if place is None else f"{words} {'in' if place == 'center' else 'at'} the {place}"


def agree(caption: str, counted: Mapping[str, tuple[int, str | None]], scene: str) -> str:
    """Make a caption say the numbers and places that were counted.

    Args:
        caption: Tidied sentences.
        counted: Class in words, singular -> how many, and the ninth they all lie in or None.
        scene: What the tile is called when nothing that was named is there.
    """
    if _EMPTY in caption:
        there = [_say(c, *counted[c]) for c in ("tree", "car") if c in counted and counted[c][0]]
        return caption.replace(_EMPTY, " and ".join(there)) if there else caption
    for noun, (n, place) in counted.items():
        form = re.compile(rf"{_NUMBER} {noun}s?{_PLACE}\b(?! park)", re.I)
        match = form.search(caption)
        if match is None:
            continue
        if n:
            caption = caption[: match.start()] + _say(noun, n, place) + caption[match.end() :]
            continue
        before, after = caption[: match.start()], caption[match.end() :]
        if re.match(r"(,| and) ", after) and re.search(r"\b(of|with|shows) $", before):
            caption = before + re.sub(r"^(,| and) ", "", after)
        elif re.search(r"(,| and) $", before):
            caption = re.sub(r"(,| and) $", "", before) + after
        elif before.endswith(" with "):
            caption = before[: -len(" with ")] + after
        else:
            caption = before + scene + after
    return tidy(caption)


def place_of(box: NDArray[np.float64], size: int) -> str:
    """The ninth of a tile that the middle of a box lies in."""
    x, y = (box[0] + box[2]) / 2 / size, (box[1] + box[3]) / 2 / size
    return PLACES[3 * min(int(y * 3), 2) + min(int(x * 3), 2)]


def common_place(boxes: NDArray[np.float64], weight: NDArray[np.float64], size: int) -> str:
    """The ninth of a tile that most of some boxes lie in, by weight."""
    votes: dict[str, float] = {}
    for box, w in zip(boxes, weight, strict=True):
        spot = place_of(box, size)
        votes[spot] = votes.get(spot, 0.0) + float(w)
    return max(votes, key=lambda p: votes[p])


def direction_shares(dx: float, dy: float, options: Sequence[Choice]) -> NDArray[np.float64]:
    """How well each option's direction fits an offset in pixels (y down): sums to one.

    Options that name no direction get nothing; without any, all get the same.
    """
    angle = math.degrees(math.atan2(dy, dx)) % 360
    fit = np.full(len(options), -1e9)
    for i, option in enumerate(options):
        for k, name in enumerate(DIRECTIONS):
            if re.search(rf"\bto the {name} of\b|^{name}$", option.text.lower()):
                off = abs((angle - 45 * k + 180) % 360 - 180)
                fit[i] = -((off / 22.5) ** 2)
    share = np.exp(fit - fit.max())
    out: NDArray[np.float64] = share / share.sum()
    return out


def tidy(text: str) -> str:
    """``an aerial image of a river .`` -> ``An aerial image of a river.``"""
    text = re.sub(r"\s+([.,?!])", r"\1", text.strip())
    text = re.sub(r"\b(\d+)\s*\.\s*(\d+)\b", r"\1.\2", text)
    return re.sub(r"(^|[.?!]\s+)([a-z])", lambda m: m[1] + m[2].upper(), text)


class Talk:
    """The decoder's session and tokenizer, and how to hold a conversation with them."""

    def __init__(self, session: Any, tokenizer: Any, *, max_tokens: int = 56) -> None:
        self.session, self.tokenizer, self.max_tokens = session, tokenizer, max_tokens
        vocab = tokenizer.get_vocab()
        self.vocab = vocab
        self.pad, self.answer = vocab["<pad>"], vocab["<answer>"]
        self.eos, self.unans = vocab["<eos>"], vocab["<unans>"]
        self.reasons = np.array([vocab[f"<{r}>"] for r in REASONS])
        self.words = {i: w for w, i in vocab.items()}
        self.past = [n for n in session.inputs if n.startswith("past_key_values.")]
        shape = session.inputs[self.past[0]].shape
        self.heads, self.head_size = int(shape[1]), int(shape[3])
        self.presents = [n for n in session.outputs if n.startswith("present.")]

    def prompt(self, text: str, gsd_m: float | None) -> list[int]:
        """Token ids of a question, with the resolution before it."""
        gsd = "<gsd_unknown>"
        if gsd_m is not None:
            gsd = f"<gsd_{min(GSDS, key=lambda g: abs(math.log(g / gsd_m))):g}>"
        ids: list[int] = self.tokenizer.encode(re.sub(r"<[^>]*>", " ", text)).ids
        return [self.vocab[gsd], *ids[:56], self.answer]

    def asks_unknown(self, text: str) -> bool:
        """Whether the thing a question asks for is a word the model never learnt."""
        return bool(_UNKNOWN.match(" ".join(self.tokenizer.encode(text).tokens)))

    def run(
        self, rows: list[list[int]], cross: NDArray[np.float32], state: Any = None
    ) -> tuple[NDArray[np.float32], Any]:
        """Feed rows of ids (padded left); ``state`` carries the cache and the mask."""
        width = max(map(len, rows))
        ids = np.full((len(rows), width), self.pad, np.int64)
        mask = np.zeros_like(ids)
        for i, row in enumerate(rows):
            ids[i, width - len(row) :] = row
            mask[i, width - len(row) :] = 1
        if state is None:
            empty = np.zeros((len(rows), self.heads, 0, self.head_size), np.float32)
            past = [empty] * len(self.past)
        else:
            past, before = state
            mask = np.concatenate([before, mask], 1)
        where = np.clip(mask.cumsum(1) - 1, 0, None)[:, -width:]
        feeds = {"input_ids": ids, "attention_mask": mask, "position_ids": where}
        feeds |= {"cross.key_values": cross}
        feeds |= dict(zip(self.past, past, strict=True))
        out = self.session.run(feeds, ["logits", *self.presents])
        return out[0], (out[1:], mask)

    def unanswerable(self, first: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
        """p(<unans>) at the first answer position, tempered as a yes/no decision: float64[B]."""
        z = first.astype(np.float64)
        rest = np.delete(z, self.unans, 1)
        top = rest.max(1)
        other = top + np.log(np.exp(rest - top[:, None]).sum(1))
        p: NDArray[np.float64] = 1 / (1 + np.exp(-(z[:, self.unans] - other) / temperature))
        return p

    def speak(
        self,
        prompts: Sequence[list[int]],
        cross: NDArray[np.float32],
        temperature: float,
    ) -> list[Spoken]:
        """Answer greedily; refusal is a probability beside the answer, never the argmax.

        Args:
            prompts: One per row.
            cross: float32[B, 2 L, H, N, D / H], one per row.
            temperature: Of the refusal decision.
        """
        logits, state = self.run(list(prompts), cross)
        first = logits[:, -1]
        p_no = self.unanswerable(first, temperature)
        reasons = self._reasons(cross, state)
        said: list[list[int]] = [[] for _ in prompts]
        log_p = np.zeros(len(prompts))
        done = np.zeros(len(prompts), bool)
        logits_now = first.astype(np.float64)
        for _ in range(self.max_tokens):
            logits_now[:, [self.unans, self.pad, *self.reasons]] = -1e9
            shifted = logits_now - logits_now.max(1, keepdims=True)
            chosen = shifted.argmax(1)
            step = -np.log(np.exp(shifted).sum(1))
            done |= chosen == self.eos
            if done.all():
                break
            for i in np.flatnonzero(~done):
                said[i].append(int(chosen[i]))
                log_p[i] += step[i]
            nexts = [[int(c)] for c in chosen]
            logits, state = self.run(nexts, cross, state)
            logits_now = logits[:, -1].astype(np.float64)
        return [
            Spoken(self.text(ids), float(p), REASONS[r], float(np.exp(lp)))
            for ids, p, r, lp in zip(said, p_no, reasons, log_p, strict=True)
        ]

    def _reasons(self, cross: NDArray[np.float32], state: Any) -> NDArray[np.int64]:
        logits, _ = self.run([[self.unans]] * len(cross), cross, state)
        best: NDArray[np.int64] = logits[:, -1, self.reasons].argmax(1)
        return best

    def score(
        self, prompt: list[int], candidates: Sequence[str], cross: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Log-likelihood of each candidate after one prompt about one tile: float64[C].

        Args:
            prompt: Token ids.
            candidates: Answers, in words.
            cross: float32[2 L, H, N, D / H].
        """
        tails = [[*self.tokenizer.encode(c.lower()).ids, self.eos] for c in candidates]
        rows = [prompt + t for t in tails]
        logits, _ = self.run(rows, np.repeat(cross[None], len(rows), 0))
        out = np.zeros(len(rows))
        for i, tail in enumerate(tails):
            z = logits[i, -len(tail) - 1 : -1].astype(np.float64)
            z[0, self.unans] = -1e9
            z = z - z.max(1, keepdims=True)
            z = z - np.log(np.exp(z).sum(1, keepdims=True))
            out[i] = z[np.arange(len(tail)), tail].sum()
        return out

    def text(self, ids: Sequence[int]) -> str:
        """Token ids as a sentence."""
        words = [self.words[i] for i in ids]
        spelled = [w[5:-1] if w.startswith("<gsd_") else w for w in words]
        return tidy(" ".join(w for w in spelled if not w.startswith("<")))
