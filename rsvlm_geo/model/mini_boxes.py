"""From the dense head's maps to boxes, counts and their probabilities. numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ClassRule", "Found", "count_distribution", "find_boxes"]

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

    def count_confidence(self, chance: float) -> float:
        """P(the count is exactly right)."""
        return float(logistic(np.array([chance]), self.count_slope, self.count_offset)[0])


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
) -> Found:
    """Boxes of one class in one tile.

    Args:
        peaks: float32[g, g], probability at local maxima, else 0.
        edges: float32[4, g, g], distances left, top, right, bottom in pixels.
        rule: How to read the class.
        size: Side of the tile in pixels.
        floor: Raw score below which peaks are dropped.

    Returns:
        Boxes clipped to the tile, after non-maximum suppression.
    """
    stride = size / peaks.shape[0]
    highest = np.array([float(peaks.max(initial=0.0))])
    there = float(logistic(highest, rule.presence_slope, rule.presence_offset)[0])
    row, col = np.nonzero(peaks >= floor)
    scores = peaks[row, col].astype(np.float64)
    order = np.argsort(-scores, kind="stable")[:300]
    row, col, scores = row[order], col[order], scores[order]
    x, y = (col + 0.5) * stride, (row + 0.5) * stride
    d = edges[:, row, col].astype(np.float64)
    boxes = np.stack([x - d[0], y - d[1], x + d[2], y + d[3]], 1).clip(0, size)
    keep = suppress(boxes, rule.nms_iou)
    scores = scores[keep]
    return Found(boxes[keep], scores, logistic(scores, rule.slope, rule.offset), there)


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
