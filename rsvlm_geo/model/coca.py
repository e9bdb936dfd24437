"""The runtime of contrastive captioners (``model_type: rsvlm_coca``): they caption, and search."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import TaskError
from rsvlm_geo.model.pack import Pack
from rsvlm_geo.model.session import open_session
from rsvlm_geo.vlm import ModelInfo, Question, Reply

__all__ = ["CocaVlm"]


class CocaVlm:
    """A CoCa pack behind the :class:`rsvlm_geo.vlm.Vlm` protocol.

    Args:
        pack: A loaded pack.
        provider: Execution provider.
        threads: CPU threads; None is all.
        beams: Texts kept at a time; 1 is greedy.
        max_tokens: Longest caption.
    """

    def __init__(
        self, pack: Pack, provider: str = "auto", threads: int | None = None, *, beams: int = 1,
        max_tokens: int = 48,
    ) -> None:  # fmt: skip
        from tokenizers import Tokenizer

        self.pack, self.beams = pack, beams
        self.vision = open_session(pack.graph("vision_model"), provider, threads)
        self.decoder = open_session(pack.graph("decoder_model"), provider, threads)
        path = pack.folder / "tokenizer.json"
        pack.check_file(path)
        self.tokenizer = Tokenizer.from_file(str(path))
        config = pack.config
        context = int(config["text_config"]["max_position_embeddings"])
        self.limit = min(max_tokens, context - 1)
        self.begin, self.end = int(config["bos_token_id"]), int(config["eos_token_id"])
        settings = pack.settings.get("preprocessor_config", {})
        self._mean = np.asarray(settings.get("image_mean", (0.5,) * 3), np.float32)
        self._std = np.asarray(settings.get("image_std", (0.5,) * 3), np.float32)
        self._info = replace(pack.info, provider=self.vision.provider)

    @property
    def info(self) -> ModelInfo:
        """What it is and may be asked: captions only."""
        return self._info

    def ask(self, images: NDArray[np.uint8], questions: Sequence[Question]) -> list[list[Reply]]:
        """Caption every image; its confidence is the mean probability of its words."""
        other = next((q.task for q in questions if q.task != "caption"), None)
        if other is not None:
            raise TaskError(f"{self._info.name} captions only; it cannot {other!r}")
        if not len(images) or not questions:
            return [[] for _ in images]
        pixels = (images.astype(np.float32) / 255.0 - self._mean) / self._std
        feeds = {"pixel_values": np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))}
        tokens = self.vision.run(feeds, ["image_tokens"])[0]
        out = []
        for row in tokens:
            ids, score = self._beam(row)
            reply = Reply(self._text(ids), confidence=None if not ids else float(np.exp(score)))
            out.append([reply] * len(questions))
        return out

    def _beam(self, tokens: NDArray[Any]) -> tuple[list[int], float]:
        """Ids without begin and end, and the mean log probability of a token."""
        alive: list[tuple[float, list[int]]] = [(0.0, [self.begin])]
        done: list[tuple[float, list[int]]] = []
        for step in range(self.limit):
            ids = np.array([i for _, i in alive], dtype=np.int64)
            image = np.repeat(tokens[None], len(alive), axis=0)
            feeds = {"input_ids": ids, "image_tokens": image}
            logits = self.decoder.run(feeds, ["logits"])[0].astype(np.float64)
            logits[:, 0] = -np.inf
            if step < 3:
                logits[:, self.end] = -np.inf
            logits -= logits.max(axis=1, keepdims=True)
            logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
            best = np.argsort(-logits, axis=1, kind="stable")[:, : 2 * self.beams]
            grown = [
                (alive[i][0] + float(logits[i, t]), [*alive[i][1], int(t)])
                for i in range(len(alive))
                for t in best[i]
            ]
            grown.sort(key=lambda g: (-g[0], g[1]))
            alive = []
            for total, text in grown:
                if text[-1] == self.end:
                    done.append((total / (len(text) - 1), text[1:-1]))
                elif len(alive) < self.beams:
                    alive.append((total, text))
                if len(alive) == self.beams:
                    break
            finished = max((d[0] for d in done), default=-np.inf)
            if len(done) >= self.beams and finished >= alive[0][0] / (len(alive[0][1]) - 1):
                break
        done += [(total / (len(text) - 1), text[1:]) for total, text in alive]
        score, ids_out = max(done, key=lambda d: d[0])
        return ids_out, score

    def _text(self, ids: Sequence[int]) -> str:
        text = " ".join(self.tokenizer.id_to_token(i) or "" for i in ids if i > 3)
        text = re.sub(r"\s+([.,;:!?])", r"\1", text)
        text = re.sub(r"(\d)\s*\.\s*(\d)", r"\1.\2", text)
        return text[:1].upper() + text[1:]
