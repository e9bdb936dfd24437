"""From tiles in order of likeness to what is told: the best apart from each other, and how sure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.retrieval.embedder import Embedder
from rsvlm_geo.retrieval.zeroshot import BACKGROUND

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["odds_of", "rank_tiles", "tile_line"]

MIN_VALID = 0.5
"""Tiles with a smaller share of data are not named while there are others: their filling decides
what they look like."""


def rank_tiles(
    embedder: Embedder, text: str, query: NDArray[np.float32], frame: gpd.GeoDataFrame,
    vectors: NDArray[np.float32], order: NDArray[np.intp], k: int,
) -> tuple[gpd.GeoDataFrame, list[str]]:  # fmt: skip
    """The best tiles that are not the same place, with ``rank``, ``similarity`` and ``p``.

    Args:
        embedder: Of the words and the tiles.
        text, query: The words, and float32[D].
        frame, vectors: Tiles of an index, float32[n, D].
        order: The candidates, best first.
        k: At most so many.

    Returns:
        The tiles, best first, and what has to be said of them.
    """
    whole = order[frame["valid_frac"].to_numpy(float)[order] >= MIN_VALID]
    kept = _spread(frame, whole if len(whole) else order, k)
    found = frame.iloc[kept].copy()
    found.insert(0, "rank", range(1, len(kept) + 1))
    found["similarity"] = (vectors[kept] @ query).astype(float)
    p, rival = odds_of(embedder, text, vectors[kept], query)
    found["p"] = p
    notes = []
    if len(p) and p.max() < 0.5:
        notes.append(
            f"no tile fits {text!r} better than everything else: the best looks more like "
            f"{rival!r}; the ranking then only shows where the imagery comes nearest"
        )
    return found.reset_index(drop=True), notes


def tile_line(row: object) -> str:
    """One found tile in words."""
    scale = "" if row.gsd_m is None else f" at {row.gsd_m:.3g} m"  # type: ignore[attr-defined]
    return (
        f"  {row.rank:>3}. tile {row.tile_id}{scale}  "  # type: ignore[attr-defined]
        f"similarity {row.similarity:.3f}  p {row.p:.2f}"  # type: ignore[attr-defined]
    )


def _spread(frame: gpd.GeoDataFrame, order: Sequence[int] | NDArray[np.intp], k: int) -> list[int]:
    """The best ``k`` that overlap each other by less than a third."""
    kept: list[int] = []
    x0, y0 = frame["col_off"].to_numpy(float), frame["row_off"].to_numpy(float)
    x1, y1 = x0 + frame["width"].to_numpy(float), y0 + frame["height"].to_numpy(float)
    area = (x1 - x0) * (y1 - y0)
    names = frame["scene"].to_numpy()
    for i in order:
        if len(kept) == k:
            break
        others = np.array([j for j in kept if names[j] == names[i]], dtype=np.intp)
        wide = np.minimum(x1[others], x1[i]) - np.maximum(x0[others], x0[i])
        high = np.minimum(y1[others], y1[i]) - np.maximum(y0[others], y0[i])
        both = np.clip(wide, 0, None) * np.clip(high, 0, None)
        if not len(others) or (both / np.minimum(area[others], area[i])).max() < 0.34:
            kept.append(int(i))
    return kept


def odds_of(
    embedder: Embedder, text: str, vectors: NDArray[np.float32], query: NDArray[np.float32]
) -> tuple[NDArray[np.float64], str]:
    """How likely the words fit each tile better than other descriptions do.

    A softmax at the temperature the model was trained to.

    Args:
        embedder: Of the words and the tiles.
        text, query: The words, and float32[D].
        vectors: float32[n, D].

    Returns:
        ``(float64[n], what the first tile looks like otherwise)``.
    """
    others = [b for b in BACKGROUND if b.lower() != text.lower()]
    with_others = np.concatenate([query[None], embedder.embed_texts(others)])
    # descriptions that mean the same as the words are no rivals
    alike = with_others[1:] @ query > 0.8
    with_others = with_others[np.concatenate([[True], ~alike])]
    names = [b for b, a in zip(others, alike, strict=True) if not a]
    logits = getattr(embedder, "logit_scale", 100.0) * (vectors @ with_others.T).astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    odds = np.exp(logits)
    p = odds / odds.sum(axis=1, keepdims=True)
    rival = names[int(p[0, 1:].argmax())] if len(p) and names else ""
    return p[:, 0], rival
