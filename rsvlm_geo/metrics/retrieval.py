"""Retrieval between images and captions: R@k both ways and their mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsvlm_geo.errors import DataError
from rsvlm_geo.metrics.measure import Measure, share_measure

__all__ = ["retrieval"]


def _ranks(similarity: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Rank (0 = first) of the best right column of each row; a tie counts against the model."""
    best = np.where(right, similarity, -np.inf).max(1, keepdims=True)
    ahead: NDArray[np.intp] = ((similarity >= best) & ~right).sum(1)
    return ahead


def retrieval(
    similarity: ArrayLike, owner: Sequence[int], *, ks: Sequence[int] = (1, 5, 10)
) -> dict[str, Measure]:
    """R@k image to text and text to image, and mR, the mean of them all.

    A caption that ties with the right one counts as ahead of it, so that a model that gives every
    pair the same score finds nothing.

    Args:
        similarity: float64[images, captions].
        owner: int[captions], the image each caption belongs to.
        ks: 1, 5 and 10 as published.

    Returns:
        ``i2t_r@k``, ``t2i_r@k`` (shares, 0..1) and ``mr``; ``mr`` has ``chance``.
    """
    table = np.asarray(similarity, dtype=np.float64)
    owners = np.asarray(owner, dtype=np.intp)
    if table.ndim != 2 or table.shape[1] != len(owners):
        raise DataError(
            f"similarity must be float64[images, captions]; got {table.shape} for "
            f"{len(owners)} captions"
        )
    images, captions = table.shape
    if images == 0 or captions == 0:
        raise DataError("retrieval needs at least one image and one caption")
    right = owners[None, :] == np.arange(images)[:, None]
    with_caption = right.any(1)
    to_text = _ranks(table[with_caption], right[with_caption])
    to_image = _ranks(np.ascontiguousarray(table.T), np.ascontiguousarray(right.T))
    out: dict[str, Measure] = {}
    chances = []
    for k in ks:
        out[f"i2t_r@{k}"] = share_measure(to_text < k)
        out[f"t2i_r@{k}"] = share_measure(to_image < k)
        per_image = right[with_caption].sum(1)
        chances += [_chance_any(per_image, captions, k), min(k / images, 1.0)]
    values = [m.value for m in out.values()]
    out["mr"] = Measure(
        float(np.mean(values)), captions, float("nan"), float("nan"), 0, "none", "high",
        {"chance": float(np.mean(chances)), "images": images, "captions": captions},
    )  # fmt: skip
    return out


def _chance_any(right: NDArray[np.intp], total: int, k: int) -> float:
    """Chance that k captions drawn without return hold one of ``right`` of ``total``."""
    miss = np.ones(len(right))
    for i in range(min(k, total)):
        miss *= np.clip(total - right - i, 0, None) / (total - i)
    return float(1 - miss.mean())
