"""How the next token is chosen, and when to stop. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sampling", "choose_token", "is_looping", "log_softmax", "process_logits"]

Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sampling:
    """Decoding of one prompt."""

    max_new_tokens: int = 128
    temperature: float = 0.0
    """0 takes the likeliest token; otherwise sampled."""
    top_k: int = 0
    """Sample among so many of the likeliest; 0 for all."""
    top_p: float = 1.0
    """Sample among the likeliest that together reach this probability."""
    seed: int = 0
    """Two runs with one seed say the same, whatever else is in their batch."""
    num_beams: int = 1
    length_penalty: float = 1.0
    early_stopping: bool = False
    stop: tuple[str, ...] = ()
    """Strings that end the text, and are cut from it."""
    min_new_tokens: int = 0
    repetition_penalty: float = 1.0
    no_repeat_ngram: int = 0
    """No run of so many tokens comes twice; 0 for no such rule."""
    forced_first: int | None = None
    """The first token, whatever the model thinks."""
    suppress: tuple[int, ...] = ()
    """Tokens never said."""
    stop_loops: bool = True
    """Whether to end a text that goes round in circles."""

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1 or self.num_beams < 1:
            raise ValueError("max_new_tokens and num_beams must be at least 1")
        if self.temperature < 0 or not 0 < self.top_p <= 1 or self.top_k < 0:
            raise ValueError("temperature must be >= 0, top_p in (0, 1], top_k >= 0")
        if self.num_beams > 1 and self.temperature > 0:
            raise ValueError("beams are for the likeliest text; take temperature 0 with num_beams")

    @property
    def plain(self) -> bool:
        """Whether the likeliest token is taken as it comes."""
        return (
            self.temperature == 0
            and self.repetition_penalty == 1.0
            and not self.no_repeat_ngram
            and not self.suppress
            and self.forced_first is None
            and not self.min_new_tokens
        )


def log_softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Logarithms of probabilities over the last axis."""
    wide = logits.astype(np.float64)
    wide = wide - wide.max(axis=-1, keepdims=True)
    result: NDArray[np.float64] = wide - np.log(np.exp(wide).sum(axis=-1, keepdims=True))
    return result


def process_logits(
    logits: Logits, prompt: Sequence[int], said: Sequence[int], sampling: Sampling,
    eos: frozenset[int],
) -> Logits:  # fmt: skip
    """Apply what forbids or discourages tokens.

    Args:
        logits: float32[V].
        prompt: Token ids before, for the penalty.
        said: Token ids generated so far.
        sampling: The rules.
        eos: Tokens that end a text.

    Returns:
        float32[V], a copy where anything changed.
    """
    if sampling.forced_first is not None and not said:
        forced = np.full_like(logits, -np.inf)
        forced[sampling.forced_first] = 0
        return forced
    if sampling.plain:
        return logits
    logits = logits.copy()
    if sampling.repetition_penalty != 1.0:
        seen = np.unique(np.fromiter([*prompt, *said], np.int64))
        value = logits[seen]
        factor = sampling.repetition_penalty
        logits[seen] = np.where(value < 0, value * factor, value / factor)
    if sampling.no_repeat_ngram and len(said) >= sampling.no_repeat_ngram - 1:
        logits[_would_repeat([*prompt, *said], sampling.no_repeat_ngram)] = -np.inf
    if len(said) < sampling.min_new_tokens:
        logits[list(eos)] = -np.inf
    if sampling.suppress:
        logits[list(sampling.suppress)] = -np.inf
    return logits


def choose_token(logits: Logits, sampling: Sampling, rng: np.random.Generator) -> int:
    """The next token of one text.

    Args:
        logits: float32[V], processed.
        sampling: How.
        rng: The text's own source of chance.
    """
    if sampling.temperature == 0:
        return int(logits.argmax())
    scaled = logits.astype(np.float64) / sampling.temperature
    order = np.argsort(-scaled, kind="stable")
    if sampling.top_k:
        order = order[: sampling.top_k]
    p = np.exp(log_softmax(scaled[order]))
    if sampling.top_p < 1:
        # keep the token that crosses the limit
        p = p[: int(np.searchsorted(np.cumsum(p), sampling.top_p)) + 1]
        order = order[: len(p)]
    edges = np.cumsum(p / p.sum())
    place = min(int(np.searchsorted(edges, rng.random(), side="right")), len(order) - 1)
    return int(order[place])


def is_looping(said: Sequence[int], *, least: int = 24, times: int = 6) -> bool:
    """Whether the tail of a text is one run of tokens, over and over.

    Args:
        said: Token ids.
        least: Tokens the repetition must fill.
        times: How often the run must come.
    """
    for period in range(1, max(1, len(said) // times) + 1):
        span = max(period * times, -(-least // period) * period)
        if span > len(said) or period > 32:
            continue
        tail = said[-span:]
        if tail[:-period] == tail[period:]:
            return True
    return False


def _would_repeat(ids: Sequence[int], size: int) -> list[int]:
    if size == 1:
        return sorted(set(ids))
    tail = tuple(ids[len(ids) - size + 1 :])
    return [
        ids[i + size - 1]
        for i in range(len(ids) - size + 1)
        if tuple(ids[i : i + size - 1]) == tail
    ]
