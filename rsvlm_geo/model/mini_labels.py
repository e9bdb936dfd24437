"""The land-cover words of ``rsvlm-mini``: which of them hold for a tile, with their probability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.model.mini_boxes import logistic
from rsvlm_geo.model.mini_reply import plain_key

__all__ = ["LabelHead"]


class LabelHead:
    """The multi-label head behind words.

    Args:
        labels: ``mini.labels`` of the card: word -> index of the logit, slope and offset.
        said: ``mini.said``: word -> index, and the score above which a caption may use it.
    """

    def __init__(self, labels: Mapping[str, Any], said: Mapping[str, Any]) -> None:
        self._labels, self._said = labels, said

    @property
    def checks_captions(self) -> bool:
        """Whether the card says which words a caption may use."""
        return bool(self._said)

    def chance(self, logits: NDArray[np.float32], word: str) -> float | None:
        """Calibrated probability that a word holds, or None when it is not one of the head's.

        Args:
            logits: float32[K], of one tile.
            word: In any case, singular or plural.
        """
        row = self._labels.get(plain_key(word)) or self._labels.get(plain_key(word).rstrip("s"))
        if row is None:
            return None
        score = 1 / (1 + np.exp(-logits[row["index"]].astype(float)))
        return float(logistic(np.array([score]), row["slope"], row["offset"])[0])

    def sure_words(self, logits: NDArray[np.float32]) -> set[str]:
        """Words that a caption may use: their probability is high enough."""
        p = 1 / (1 + np.exp(-logits.astype(np.float64)))
        return {word for word, row in self._said.items() if p[row["index"]] >= row["say_above"]}
