"""Boxes and outlines: IoU, grounding accuracy, detection F1 and AP, C-IoU."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsvlm_geo.errors import DataError
from rsvlm_geo.metrics.measure import (
    Measure,
    bootstrap_measure,
    mean_measure,
    ratio_measure,
    same_length,
    share_measure,
)

__all__ = [
    "average_precision",
    "box_iou",
    "detection",
    "grounding",
    "match_boxes",
    "outline_iou",
    "outlines",
]

Boxes = NDArray[np.float64]


def _as_boxes(boxes: ArrayLike) -> Boxes:
    array = np.asarray(boxes, dtype=np.float64)
    if array.size == 0:
        return np.zeros((0, 4))
    if array.ndim != 2 or array.shape[1] != 4:
        raise DataError(f"boxes must be float64[n, 4] (x0, y0, x1, y1); got shape {array.shape}")
    return array


def box_iou(a: ArrayLike, b: ArrayLike) -> Boxes:
    """Intersection over union of every box of one list with every box of another.

    Args:
        a: float64[n, 4], ``(x0, y0, x1, y1)`` edges.
        b: float64[m, 4].

    Returns:
        float64[n, m]; 0 where a box has no area.
    """
    p, q = _as_boxes(a), _as_boxes(b)
    wide = np.minimum(p[:, None, 2], q[None, :, 2]) - np.maximum(p[:, None, 0], q[None, :, 0])
    high = np.minimum(p[:, None, 3], q[None, :, 3]) - np.maximum(p[:, None, 1], q[None, :, 1])
    both = np.clip(wide, 0, None) * np.clip(high, 0, None)
    area_p = np.clip(p[:, 2] - p[:, 0], 0, None) * np.clip(p[:, 3] - p[:, 1], 0, None)
    area_q = np.clip(q[:, 2] - q[:, 0], 0, None) * np.clip(q[:, 3] - q[:, 1], 0, None)
    union = area_p[:, None] + area_q[None, :] - both
    out: Boxes = np.divide(both, union, out=np.zeros_like(both), where=union > 0)
    return out


def match_boxes(
    pred: ArrayLike, gold: ArrayLike, iou: float, scores: ArrayLike | None = None
) -> NDArray[np.intp]:
    """Give each predicted box at most one true box, best score first, best IoU among the free.

    Args:
        pred: float64[n, 4].
        gold: float64[m, 4].
        iou: The least overlap of a match.
        scores: float64[n]; without them the order of the list.

    Returns:
        int[n]: index of the true box, or -1.
    """
    overlap = box_iou(pred, gold)
    order = np.arange(len(overlap))
    if scores is not None:
        order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    taken = np.full(len(overlap), -1, dtype=np.intp)
    if overlap.size == 0:
        return taken
    free = np.ones(overlap.shape[1], dtype=bool)
    for i in order:
        row = np.where(free, overlap[i], -1.0)
        # the last of equals, as in COCO's own loop
        best = len(row) - 1 - int(np.argmax(row[::-1]))
        if row[best] >= min(iou, 1 - 1e-10):
            taken[i] = best
            free[best] = False
    return taken


def _off_ignored(pred: Boxes, taken: NDArray[np.intp], ignore: ArrayLike) -> NDArray[np.bool_]:
    """Which predictions count: matched, or not mostly inside an ignored region."""
    zones = _as_boxes(ignore)
    if not len(zones) or not len(pred):
        return np.ones(len(pred), dtype=bool)
    wide = np.minimum(pred[:, None, 2], zones[:, 2]) - np.maximum(pred[:, None, 0], zones[:, 0])
    high = np.minimum(pred[:, None, 3], zones[:, 3]) - np.maximum(pred[:, None, 1], zones[:, 1])
    inside = (np.clip(wide, 0, None) * np.clip(high, 0, None)).sum(1)
    area = np.maximum((pred[:, 2] - pred[:, 0]) * (pred[:, 3] - pred[:, 1]), 1e-12)
    out: NDArray[np.bool_] = (taken >= 0) | (inside / area < 0.5)
    return out


def detection(
    pred: Sequence[ArrayLike | None],
    gold: Sequence[ArrayLike],
    *,
    iou: float = 0.5,
    scores: Sequence[ArrayLike] | None = None,
    ignore: Sequence[ArrayLike] | None = None,
) -> dict[str, Measure]:
    """Precision, recall and F1 of the boxes of one class, images resampled whole.

    Args:
        pred: Boxes found in each image; None where the answer does not parse (nothing found).
        gold: True boxes.
        iou: The least overlap of a match.
        scores: Of the boxes: who chooses first.
        ignore: Regions of each image where an unmatched prediction is not held against anyone.

    Returns:
        ``precision recall f1``; ``extra`` has tp, fp, fn.
    """
    n = same_length("detection", predictions=pred, answers=gold)
    tp, fp, fn = np.zeros(n), np.zeros(n), np.zeros(n)
    for i, (p, g) in enumerate(zip(pred, gold, strict=True)):
        found, true = _as_boxes(() if p is None else p), _as_boxes(g)
        taken = match_boxes(found, true, iou, None if scores is None else scores[i])
        counted = _off_ignored(found, taken, () if ignore is None else ignore[i])
        tp[i] = (taken >= 0).sum()
        fp[i] = counted.sum() - tp[i]
        fn[i] = len(true) - tp[i]
    failed = sum(p is None for p in pred)
    counts: dict[str, Any] = {
        "tp": int(tp.sum()),
        "fp": int(fp.sum()),
        "fn": int(fn.sum()),
        "iou": iou,
    }
    return {
        "precision": ratio_measure(tp, tp + fp, parse_failures=failed, **counts),
        "recall": ratio_measure(tp, tp + fn, parse_failures=failed, **counts),
        "f1": ratio_measure(2 * tp, 2 * tp + fp + fn, parse_failures=failed, **counts),
    }


def _ap(
    hits: list[NDArray[np.bool_]],
    scores: list[NDArray[np.float64]],
    true: NDArray[np.float64],
    pick: NDArray[np.intp],
) -> float:
    total = true[pick].sum()
    if not total:
        return math.nan
    score = np.concatenate([scores[i] for i in pick])
    order = np.argsort(-score, kind="mergesort")
    hit = np.concatenate([hits[i] for i in pick])[order].astype(np.float64)
    if not len(hit):
        return 0.0
    tp = np.cumsum(hit)
    recall = tp / total
    precision = tp / np.arange(1, len(tp) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, np.linspace(0.0, 1.0, 101), side="left")
    return float(np.where(at < len(envelope), envelope[np.minimum(at, len(tp) - 1)], 0.0).mean())


def average_precision(
    pred: Sequence[ArrayLike],
    scores: Sequence[ArrayLike],
    gold: Sequence[ArrayLike],
    *,
    iou: float = 0.5,
    max_boxes: int = 100,
) -> Measure:
    """COCO's average precision of one class at one IoU (101 recall points).

    Args:
        pred: Boxes of each image.
        scores: Their scores.
        gold: True boxes.
        iou: 0.5 for AP50.
        max_boxes: The best-scored boxes of an image that count, 100 as in COCO.
    """
    n = same_length("average precision", predictions=pred, scores=scores, answers=gold)
    hits, kept, true = [], [], np.zeros(n)
    for i in range(n):
        s = np.asarray(scores[i], dtype=np.float64).ravel()
        order = np.argsort(-s, kind="mergesort")[:max_boxes]
        found = _as_boxes(pred[i])[order]
        hits.append(match_boxes(found, gold[i], iou) >= 0)
        kept.append(s[order])
        true[i] = len(_as_boxes(gold[i]))
    return bootstrap_measure(lambda pick: _ap(hits, kept, true, pick), n, draws=200, iou=iou)


def grounding(pred: Sequence[ArrayLike | None], gold: Sequence[ArrayLike]) -> dict[str, Measure]:
    """One sentence, one box (DIOR-RSVG): accuracy at IoU .5 and .7, mean and cumulative IoU.

    Args:
        pred: float64[4] each, same pixels as ``gold``; None where it does not parse.
        gold: float64[4] each.
    """
    same_length("grounding", predictions=pred, answers=gold)
    overlap, both, union = [], [], []
    for p, g in zip(pred, gold, strict=True):
        true = _as_boxes([np.asarray(g, dtype=np.float64)])
        area = float((true[0, 2] - true[0, 0]) * (true[0, 3] - true[0, 1]))
        if p is None:
            overlap.append(0.0)
            both.append(0.0)
            union.append(area)
            continue
        found = _as_boxes([np.asarray(p, dtype=np.float64)])
        value = float(box_iou(found, true)[0, 0])
        total = area + float(max(found[0, 2] - found[0, 0], 0) * max(found[0, 3] - found[0, 1], 0))
        overlap.append(value)
        union.append(total / (1 + value))
        both.append(total * value / (1 + value))
    failed = sum(p is None for p in pred)
    values = np.array(overlap)
    return {
        "acc@0.5": share_measure(values >= 0.5, parse_failures=failed),
        "acc@0.7": share_measure(values >= 0.7, parse_failures=failed),
        "miou": mean_measure(values, parse_failures=failed),
        "ciou": ratio_measure(both, union, parse_failures=failed),
    }  # fmt: skip


def outline_iou(pred: ArrayLike, gold: ArrayLike) -> tuple[float, float]:
    """IoU of two outlines and their C-IoU, which also asks for as many vertices.

    Args:
        pred: float64[n, 2] ring; the closing point may be left out.
        gold: float64[m, 2] ring.

    Returns:
        ``(iou, iou * (1 - |n - m| / (n + m)))``, n and m counting vertices without the closing
        one.

    References:
        CompFormer-style complexity-aware IoU, as VHM reports for buildings.
    """
    from shapely.geometry import Polygon
    from shapely.validation import make_valid

    rings = [_open_ring(np.asarray(r, dtype=np.float64)) for r in (pred, gold)]
    if min(len(r) for r in rings) < 3:
        return 0.0, 0.0
    a, b = (make_valid(Polygon(r)) for r in rings)
    union = a.union(b).area
    iou = float(a.intersection(b).area / union) if union > 0 else 0.0
    n, m = len(rings[0]), len(rings[1])
    return iou, iou * (1 - abs(n - m) / (n + m))


def _open_ring(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    if ring.ndim != 2 or (len(ring) and ring.shape[1] != 2):
        raise DataError(f"an outline is float64[n, 2]; got shape {ring.shape}")
    return ring[:-1] if len(ring) > 1 and np.array_equal(ring[0], ring[-1]) else ring


def outlines(pred: Sequence[ArrayLike | None], gold: Sequence[ArrayLike]) -> dict[str, Measure]:
    """Mean IoU and mean C-IoU of one outline each; an answer that does not parse is 0."""
    same_length("outlines", predictions=pred, answers=gold)
    pairs = [
        (0.0, 0.0) if p is None else outline_iou(p, g) for p, g in zip(pred, gold, strict=True)
    ]
    failed = sum(p is None for p in pred)
    return {
        "iou": mean_measure([p[0] for p in pairs], parse_failures=failed),
        "c_iou": mean_measure([p[1] for p in pairs], parse_failures=failed),
    }
