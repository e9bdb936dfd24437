"""Batches of tiles through the model: every tile comes back answered, refused, or failed."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.answers import Answer, answer_from_reply
from rsvlm_geo.errors import EndpointError, ModelError, ModelWarning
from rsvlm_geo.pipeline.gates import Gate
from rsvlm_geo.vlm import ModelInfo, Question, Reply, Vlm

__all__ = ["Asker", "blank_answers"]

_MEMORY_WORDS = ("out of memory", "bad_alloc", "failed to allocate", "cudaerrormemoryallocation")
_GIVE_UP_AFTER, _GIVE_UP_AT_START = 24, 4


def blank_answers(
    tile_id: str, questions: Sequence[Question], status: str, text: str = ""
) -> tuple[Answer, ...]:
    """The same status for every question: ``nodata``, or ``failed`` with its message."""
    return tuple(
        Answer(tile_id, q.task, q.text, status, text=text)  # type: ignore[arg-type]
        for q in questions
    )


@dataclass(slots=True)
class Asker:
    """Asks one model the same questions of many tiles, and survives what goes wrong."""

    model: Vlm
    questions: tuple[Question, ...]
    gates: tuple[Gate | None, ...]
    batch: int
    """Images shown at once; halved when memory runs out."""
    cancel: Callable[[], bool] = lambda: False
    """Asked between calls of the model."""
    max_call_s: float | None = None
    """Fewer images at once when a call takes longer, so that a cancel is heard; None: never."""
    _asked: tuple[Question, ...] = field(init=False)
    _info: ModelInfo = field(init=False)
    _answered: int = field(init=False, default=0)
    _failed_in_a_row: int = field(init=False, default=0)
    _last_error: Exception | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        pairs = zip(self.questions, self.gates, strict=True)
        self._asked = tuple(question for question, closed in pairs if closed is None)
        self._info = self.model.info

    def ask(
        self, images: NDArray[np.uint8], tile_ids: Sequence[str]
    ) -> tuple[list[tuple[Answer, ...]], float]:
        """Answers per tile, in the order of ``tile_ids``, and milliseconds per tile.

        When cancelled, the tiles after the last call are left out.

        Args:
            images: uint8[B, S, S, 3], RGB.
            tile_ids: One per image.

        Raises:
            ModelError: Nothing works: the first tiles all fail, or far too many in a row.
        """
        if not self._asked:
            return [self._merge(tile_id, []) for tile_id in tile_ids], 0.0
        start = time.perf_counter()
        replies: list[list[Reply] | Exception] = []
        at = 0
        while at < len(images) and not self.cancel():
            began = time.perf_counter()
            got = self._ask_part(images[at : at + self.batch])
            replies += got
            at += len(got)
            self._adapt((time.perf_counter() - began) / len(got))
        elapsed = (time.perf_counter() - start) * 1000.0
        answers = []
        for tile_id, reply in zip(tile_ids, replies, strict=False):
            if isinstance(reply, Exception):
                text = " ".join(f"{type(reply).__name__}: {reply}".split())
                answers.append(self._merge(tile_id, None, text))
            else:
                answers.append(self._merge(tile_id, reply))
        self._judge(replies)
        return answers, elapsed / max(len(replies), 1)

    def _adapt(self, seconds: float) -> None:
        if self.max_call_s is not None and seconds * self.batch > self.max_call_s:
            self.batch = max(1, int(self.max_call_s / seconds))

    def _ask_part(self, images: NDArray[np.uint8]) -> list[list[Reply] | Exception]:
        """Replies for at least the first of the images."""
        try:
            return list(self._call(images))
        except Exception as error:
            if _is_memory(error) and len(images) > 1:
                self.batch = max(1, len(images) // 2)
                warnings.warn(
                    f"the model ran out of memory with {len(images)} images at once; "
                    f"going on with {self.batch}",
                    ModelWarning,
                    stacklevel=4,
                )
                return self._ask_part(images[: self.batch])
            return [self._ask_one(image[None]) for image in images]

    def _ask_one(self, image: NDArray[np.uint8]) -> list[Reply] | Exception:
        for attempt in range(2):
            try:
                return self._call(image)[0]
            except Exception as error:
                if attempt:
                    return error
        raise AssertionError("unreachable")

    def _call(self, images: NDArray[np.uint8]) -> list[list[Reply]]:
        replies = self.model.ask(images, self._asked)
        if len(replies) != len(images) or any(len(r) != len(self._asked) for r in replies):
            raise ModelError(
                f"{self._info.name} gave {len(replies)} lists of replies to {len(images)} images "
                f"and {len(self._asked)} questions; a model must answer each one, in order"
            )
        return replies

    def _judge(self, replies: Sequence[list[Reply] | Exception]) -> None:
        """Stop when the model itself is broken rather than one tile."""
        for reply in replies:
            if isinstance(reply, Exception):
                self._failed_in_a_row += 1
            else:
                self._failed_in_a_row, self._answered = 0, self._answered + 1
                self._last_error = None
        if replies and isinstance(replies[-1], Exception):
            self._last_error = replies[-1]
        limit = _GIVE_UP_AFTER if self._answered else _GIVE_UP_AT_START
        if self._failed_in_a_row >= limit:
            self._give_up()

    def finish(self) -> None:
        """The last tile was asked: a model that answered none of them is broken.

        Raises:
            ModelError: It failed on every tile.
        """
        if not self._answered and self._last_error is not None:
            self._give_up()

    def _give_up(self) -> None:
        last = self._last_error
        assert last is not None
        if isinstance(last, ModelError):
            raise last
        kind = EndpointError if isinstance(last, ConnectionError) else ModelError
        raise kind(
            f"{self._info.name} failed on {self._failed_in_a_row} tiles in a row: "
            f"{type(last).__name__}: {last}; what was done is kept for --resume"
        ) from last

    def _merge(
        self, tile_id: str, replies: Sequence[Reply] | None, error: str = ""
    ) -> tuple[Answer, ...]:
        """Gated questions refused by rule, the others from the model."""
        merged, at = [], 0
        for question, closed in zip(self.questions, self.gates, strict=True):
            if closed is not None:
                merged.append(
                    Answer(tile_id, question.task, question.text, "refused", reason=closed.reason)
                )
                continue
            if replies is None:
                merged.append(Answer(tile_id, question.task, question.text, "failed", text=error))
                continue
            merged.append(answer_from_reply(tile_id, question, replies[at], self._info))
            at += 1
        return tuple(merged)


def _is_memory(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(words in text for words in _MEMORY_WORDS)
