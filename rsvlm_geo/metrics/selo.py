"""Semantic localisation: how well a heat map falls on the regions a sentence means.

References:
    Yuan et al., "Learning to Evaluate Performance of Multi-modal Semantic Localization", IEEE TGRS
    2022: the four indicators, their constants and their window sizes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

from rsvlm_geo.errors import DataError

__all__ = ["Selo", "find_centres", "mask_of", "selo"]

Map = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Selo:
    """The four indicators of one heat map."""

    rsu: float
    """Significant area: how much of the heat lies in the regions, 0..1, high is good."""
    ras: float
    """Attention shift: how far the peaks lie from the regions' centres, 0..1, low is good."""
    rda: float
    """Discrete attention: one peak a region is best, 0..1, high is good."""
    rmi: float
    """``0.4 rsu + 0.35 (1 - ras) + 0.25 rda``."""


def mask_of(regions: Sequence[ArrayLike], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Regions as pixels, borders included.

    Args:
        regions: Rings float64[n, 2], ``(x, y)`` in pixels; coordinates are cut to whole pixels.
        shape: ``(height, width)``.
    """
    canvas = Image.new("1", (shape[1], shape[0]))
    draw = ImageDraw.Draw(canvas)
    for region in regions:
        ring = np.asarray(region, dtype=np.float64).astype(np.int64)
        if ring.ndim != 2 or ring.shape[1] != 2 or len(ring) < 3:
            raise DataError(f"a region is float64[n >= 3, 2]; got shape {ring.shape}")
        draw.polygon([(int(x), int(y)) for x, y in ring], fill=1, outline=1)
    mask: NDArray[np.bool_] = np.array(canvas, dtype=bool)
    return mask


def _circle(region: ArrayLike) -> tuple[int, int, int]:
    """Centre and radius (x 1.5) of a region, whole pixels."""
    ring = np.asarray(region, dtype=np.float64)
    x, y = int(ring[:, 0].sum() / len(ring)), int(ring[:, 1].sum() / len(ring))
    return x, y, int(np.hypot(ring[:, 0] - x, ring[:, 1] - y).mean() * 1.5)


def _box_filter(grey: Map, size: int) -> Map:
    """Mean over ``size`` x ``size`` rounded to whole numbers, borders mirrored without the edge."""
    for axis in (0, 1):
        if grey.shape[axis] == 1:
            continue
        before, after = size // 2, size - 1 - size // 2
        length = grey.shape[axis]
        index = np.arange(-before, length + after)
        period = 2 * (length - 1)
        index = np.abs((index + length - 1) % period - (length - 1))
        padded = np.take(grey, index, axis=axis)
        total = np.cumsum(padded, axis=axis)
        zero = np.zeros_like(np.take(total, [0], axis=axis))
        total = np.concatenate([zero, total], axis=axis)
        top = np.take(total, np.arange(size, size + length), axis=axis)
        grey = (top - np.take(total, np.arange(length), axis=axis)) / size
    return np.rint(grey)


def _max_filter(grey: Map, size: int) -> Map:
    """Largest value over a window ``[-size // 2, size - size // 2)`` cut at the borders."""
    for axis in (0, 1):
        moved = np.moveaxis(grey, axis, -1)
        length = moved.shape[-1]
        before, after = size // 2, size - 1 - size // 2
        pad = np.full((*moved.shape[:-1], length + before + after), -np.inf)
        pad[..., before : before + length] = moved
        width = 1
        best = pad
        while width * 2 <= size:  # windows of a power of two, by doubling
            best = np.maximum(best[..., :-width], best[..., width:])
            width *= 2
        rest = size - width
        if rest:
            best = np.maximum(best[..., : best.shape[-1] - rest], best[..., rest:])
        grey = np.moveaxis(best, -1, axis)
    return grey


def _centroids(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Centroids ``(x, y)``, cut to whole pixels, of the 8-connected parts of a mask."""
    parent: list[int] = []

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    runs: list[tuple[int, int, int]] = []  # row, first, end
    previous: list[int] = []
    for y in np.flatnonzero(mask.any(1)).tolist():
        edges = np.flatnonzero(np.diff(np.concatenate(([0], mask[y].view(np.int8), [0]))))
        current = []
        for first, end in zip(edges[::2], edges[1::2], strict=True):
            me = len(runs)
            runs.append((y, int(first), int(end)))
            parent.append(me)
            for other in previous:
                row, a, b = runs[other]
                if row == y - 1 and a <= end and b >= first:
                    parent[find(me)] = find(other)
            current.append(me)
        previous = current
    sums: dict[int, list[float]] = {}
    for i, (at, first, end) in enumerate(runs):
        total = sums.setdefault(find(i), [0.0, 0.0, 0.0])
        n = end - first
        total[0] += n
        total[1] += n * (first + end - 1) / 2
        total[2] += n * at
    return [(int(x / n), int(y / n)) for n, x, y in sums.values()]


def find_centres(
    prob: ArrayLike, *, soften_px: int = 50, window_px: int = 1000, floor: float = 0.5
) -> list[tuple[int, int]]:
    """Peaks ``(x, y)`` of a heat map, hottest first.

    Args:
        prob: float64[H, W], 0..1.
        soften_px: Side of the mean filter, applied five times.
        window_px: Side of the window in which a peak must be the largest.
        floor: Least heat of a peak.
    """
    heat = np.asarray(prob, dtype=np.float64)
    grey = np.floor(heat * 255.0)
    for _ in range(5):
        grey = _box_filter(grey, soften_px)
    peaks = (_max_filter(grey, window_px) == grey) & (grey > 0)
    found = sorted(_centroids(peaks), key=lambda c: -heat[c[1], c[0]])
    return [c for c in found if heat[c[1], c[0]] >= floor]


def selo(
    prob: ArrayLike,
    regions: Sequence[ArrayLike],
    *,
    soften_px: int = 50,
    window_px: int = 1000,
) -> Selo:
    """Rsu, Ras, Rda and Rmi of a heat map.

    Args:
        prob: float64[H, W], 0..1 (a stored map divided by 255).
        regions: Rings float64[n, 2] in pixels of the map, what the sentence means.
        soften_px, window_px: As published for scenes of some thousand pixels.

    Raises:
        DataError: No region, none inside the map, or heat outside 0..1.
    """
    heat = np.asarray(prob, dtype=np.float64)
    if heat.ndim != 2 or heat.size == 0 or heat.min() < 0 or heat.max() > 1:
        raise DataError("a heat map is float64[H, W] in 0..1; divide a stored one by 255")
    if not regions:
        raise DataError("a heat map is judged against regions; got none")
    mask = mask_of(regions, (heat.shape[0], heat.shape[1]))
    area = float(mask.sum())
    if area == 0:
        raise DataError("none of the regions lies inside the map")
    inside = float(heat[mask].sum())
    left = inside / (float(heat.sum()) - inside + 1e-7)
    rsu = 1 - math.exp(-0.707 * left * (heat.size - area) / area)

    circles = [_circle(r) for r in regions]
    peaks = find_centres(heat, soften_px=soften_px, window_px=window_px)
    near = [[p for p in peaks if math.hypot(p[0] - x, p[1] - y) <= r] for x, y, r in circles]
    shift = []
    if peaks:
        for (x, y, r), own in zip(circles, near, strict=True):
            away = [math.hypot(p[0] - x, p[1] - y) for p in own]
            shift.append((sum(away) / len(away) if away else r) / r if r else 1.0)
    else:
        shift = [1.0]
    ras = (math.exp(3 * sum(shift) / len(shift)) - 1) / (math.exp(3) - 1)
    single = [_discrete(own, r) for (_, _, r), own in zip(circles, near, strict=True)]
    rda = sum(single) / len(single)
    return Selo(rsu, ras, rda, 0.4 * rsu + 0.35 * (1 - ras) + 0.25 * rda)


def _discrete(peaks: list[tuple[int, int]], radius: int) -> float:
    if len(peaks) <= 1:
        return float(len(peaks))
    points = np.array(peaks, dtype=np.float64)
    spread = np.hypot(*(points - points.mean(0)).T).mean() / radius
    return float(0.5 * (1 - spread) + math.exp(-0.5 * (len(peaks) + 2)))
