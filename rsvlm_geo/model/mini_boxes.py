"""From the dense head's maps to boxes, counts and their probabilities. numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ClassRule", "Found", "count_distribution", "find_boxes", "settle"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassRule:
    """How one class is read off the maps; set on the calibration split, kept in the pack."""

    name: str
    channel: int
    locate_above: float
    """Score of a box that is shown."""
    count_above: float
    """Score of a box that is counted: set so that the total is unbiased."""
    slope: float
    """With ``offset``: P(box is right) = logistic(slope * logit(score) + offset)."""
    offset: float
    presence_slope: float
    presence_offset: float
    """The same for "there is one", from the highest score of the tile."""
    nms_iou: float = 0.5
    count_slope: float = 1.0
    """The same for "the count is exactly right", from the chance the boxes' probabilities give."""
    count_offset: float = 0.0
    count_size: float = 0.0
    """Weight of ``log(1 + count)`` in it: large counts are seldom exact."""
    count_scale: float = 0.0
    """Where above 0, the best boxes are counted instead, this often the sum of their probabilities:
    of many unsure boxes the expected number is nearer to the truth than the number above a line."""
    box_m: tuple[float, float] | None = None
    """Smallest and largest believable ``sqrt(width * height)`` in metres on the ground."""

    def counted(self, found: Found) -> Found:
        """The boxes that make the count, best first."""
        if self.count_scale <= 0:
            return found.above(self.count_above)
        return found.best(round(self.count_scale * float(found.probability.sum())))

    def believes(self, boxes: FloatArray, size: int, gsd_m: float | None) -> NDArray[np.bool_]:
        """Which boxes have a size that the class has on the ground: bool[n].

        A box at the border is cut off, and may be small.
        """
        if self.box_m is None or gsd_m is None:
            return np.ones(len(boxes), bool)
        side = np.sqrt((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])) * gsd_m
        cut = (boxes[:, :2].min(1) < 2) | (boxes[:, 2:].max(1) > size - 2)
        ok: NDArray[np.bool_] = (side <= self.box_m[1]) & ((side >= self.box_m[0]) | cut)
        return ok

    def count_confidence(self, chance: float, n: int = 0) -> float:
        """P(a count of ``n`` is exactly right), from the chance its boxes' probabilities give."""
        offset = self.count_offset + self.count_size * float(np.log1p(n))
        return float(logistic(np.array([chance]), self.count_slope, offset)[0])


@dataclass(frozen=True, slots=True)
class Found:
    """Boxes of one class in one tile, best first."""

    boxes: FloatArray
    """float64[n, 4], pixel edges."""
    scores: FloatArray
    """float64[n], raw peak heights."""
    probability: FloatArray
    """float64[n], calibrated."""
    presence: float
    """Calibrated probability that there is at least one."""

    def above(self, threshold: float) -> Found:
        """Those with a raw score of at least ``threshold``."""
        keep = self.scores >= threshold
        return Found(self.boxes[keep], self.scores[keep], self.probability[keep], self.presence)

    def best(self, n: int) -> Found:
        """The ``n`` best, or fewer."""
        return Found(self.boxes[:n], self.scores[:n], self.probability[:n], self.presence)


def logistic(score: FloatArray, slope: float, offset: float) -> FloatArray:
    """Platt scaling of probabilities."""
    clipped = np.clip(score, 1e-6, 1 - 1e-6)
    z = slope * np.log(clipped / (1 - clipped)) + offset
    out: FloatArray = 1 / (1 + np.exp(-z))
    return out


def find_boxes(
    peaks: NDArray[np.float32],
    edges: NDArray[np.float32],
    rule: ClassRule,
    size: int,
    floor: float = 0.05,
    gsd_m: float | None = None,
) -> Found:
    """Boxes of one class in one tile.

    Args:
        peaks: float32[g, g], probability at local maxima, else 0.
        edges: float32[4, g, g], distances left, top, right, bottom in pixels.
        rule: How to read the class.
        size: Side of the tile in pixels.
        floor: Raw score below which peaks are dropped.
        gsd_m: Metres per pixel, to drop boxes of a size the class does not have.

    Returns:
        Boxes clipped to the tile, after non-maximum suppression.
    """
    stride = size / peaks.shape[0]
    row, col = np.nonzero(peaks >= floor)
    scores = peaks[row, col].astype(np.float64)
    order = np.argsort(-scores, kind="stable")[:300]
    row, col, scores = row[order], col[order], scores[order]
    x, y = (col + 0.5) * stride, (row + 0.5) * stride
    d = edges[:, row, col].astype(np.float64)
    boxes = np.stack([x - d[0], y - d[1], x + d[2], y + d[3]], 1).clip(0, size)
    fits = rule.believes(boxes, size, gsd_m)
    boxes, scores = boxes[fits], scores[fits]
    keep = suppress(boxes, rule.nms_iou)
    return make_found(boxes[keep], scores[keep], rule, min(floor, float(peaks.max(initial=0.0))))


def make_found(boxes: FloatArray, scores: FloatArray, rule: ClassRule, rest: float) -> Found:
    """Boxes with their probabilities; ``rest`` is the highest score when there is no box."""
    highest = np.array([scores.max(initial=rest)])
    there = float(logistic(highest, rule.presence_slope, rule.presence_offset)[0])
    return Found(boxes, scores, logistic(scores, rule.slope, rule.offset), there)


def settle(found: Mapping[str, Found], rules: Mapping[str, ClassRule]) -> dict[str, Found]:
    """One thing is one class: of overlapping boxes of two classes the more probable one stays.

    Args:
        found: Class -> its boxes in one tile.
        rules: Class -> how it is read.
    """
    names = [name for name in found if len(found[name].boxes)]
    if len(names) < 2:
        return dict(found)
    boxes = np.concatenate([found[n].boxes for n in names])
    p = np.concatenate([found[n].probability for n in names])
    of = np.concatenate([np.full(len(found[n].boxes), k) for k, n in enumerate(names)])
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    inter = np.clip(high - low, 0, None).prod(2)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    same = inter > 0.5 * np.maximum(area[:, None] + area[None] - inter, 1e-9)
    beaten = (same & (of[:, None] != of[None]) & (p[None] > p[:, None])).any(1)
    out = dict(found)
    for k, name in enumerate(names):
        one, keep = found[name], ~beaten[of == k]
        if not keep.all():
            out[name] = make_found(one.boxes[keep], one.scores[keep], rules[name], 0.05)
    return out


def suppress(boxes: FloatArray, limit: float) -> NDArray[np.int64]:
    """Greedy non-maximum suppression of boxes sorted best first; indices kept."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    alive = np.ones(len(boxes), bool)
    kept = []
    for i in range(len(boxes)):
        if not alive[i]:
            continue
        kept.append(i)
        low = np.maximum(boxes[i, :2], boxes[:, :2])
        high = np.minimum(boxes[i, 2:], boxes[:, 2:])
        inter = np.clip(high - low, 0, None).prod(1)
        alive &= inter <= limit * np.maximum(area + area[i] - inter, 1e-9)
    return np.array(kept, np.int64)


def count_distribution(probability: FloatArray) -> FloatArray:
    """P(number of objects = 0, 1, ...) of independent boxes (Poisson binomial).

    Args:
        probability: float64[n], P(box is right).

    Returns:
        float64[n + 1].
    """
    out = np.ones(1)
    for p in probability:
        out = np.concatenate([out, [0.0]]) * (1 - p) + np.concatenate([[0.0], out]) * p
    return out
