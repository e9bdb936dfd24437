"""Scores as the published RSEvalKit gives them, defects and all, for comparing with its tables.

Written from its observed behaviour (commit 5516fcd). Where it stops with an error, so does this,
saying which record did it. What is odd about each score is said at its function; the strict
measures beside this module do not share any of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import DataError

__all__ = ["RSEVAL_SCORES", "rseval"]

Rows = Sequence[Mapping[str, Any]]
_NUMBER = re.compile(r"[-+]?\d*\.?\d+")


def _squeeze(text: object) -> str:
    return str(text).replace(" ", "").lower()


def _mean(flags: Sequence[float]) -> float:
    return sum(flags) / len(flags)


def presence(rows: Rows) -> dict[str, float]:
    """``no`` is looked for before lower-casing, so ``No.`` is unknown; ``yes, not`` is unknown."""
    scores = []
    for row in rows:
        pred = str(row["pred"])
        yes, no = "yes" in pred.lower(), "no" in pred or "false" in pred
        said = "yes" if yes and not no else "no" if no and not yes else "unknown"
        scores.append(float(str(row["answer"]).lower() == said))
    return {"perception": _mean(scores)}


def colour(rows: Rows) -> dict[str, float]:
    """The share of the true answer's comma-separated words that occur in the answer."""
    scores = []
    for row in rows:
        words = _squeeze(row["answer"]).split(",")
        scores.append(sum(w in _squeeze(row["pred"]) for w in words) / len(words))
    return {"perception": _mean(scores)}


def cls_vqa(rows: Rows) -> dict[str, float]:
    """Right when the answer occurs *inside* the truth: the empty answer is always right."""
    return {
        "perception": _mean([float(_squeeze(r["pred"]) in _squeeze(r["answer"])) for r in rows])
    }


def choice(rows: Rows) -> dict[str, float]:
    """The first capital A to E of the answer, so ``The Answer is C`` is A."""
    scores = []
    for i, row in enumerate(rows):
        letter = next((c for c in str(row["pred"]) if c in "ABCDE"), None)
        if letter is None:
            raise _stops(i, "no letter A to E in the answer")
        scores.append(float(letter.lower() in str(row["answer"]).lower()))
    return {"perception": _mean(scores)}


_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {w: i for i, w in enumerate(_ONES)}
_WORDS |= {t: 20 + 10 * i for i, t in enumerate(_TENS)}
_WORDS |= {
    f"{t}-{o}": 20 + 10 * i + j
    for i, t in enumerate(_TENS)
    for j, o in enumerate(_ONES)
    if 0 < j < 10
}


def counting(rows: Rows) -> dict[str, float]:
    """The first digits (``1,024`` is 1) or number word; MAPE divides by the truth."""
    low_ends, names = (2, 6, 12, float("inf")), ("low", "medium", "high", "ultra")
    seen, right = [0] * 4, [0] * 4
    absolute, relative = [], []
    for i, row in enumerate(rows):
        truth = int(row["answer"])
        digits = re.search(r"\d+", str(row["pred"]))
        value: int | None = int(digits[0]) if digits else None
        if value is None:
            words = (w.lower() for w in str(row["pred"]).split())
            value = next((_WORDS[w] for w in words if w in _WORDS), None)
        if value is None:
            raise _stops(i, "no number in the answer")
        if truth == 0:
            raise _stops(i, "a true count of 0 divides the MAPE by 0")
        level = next(k for k, high in enumerate(low_ends) if truth <= high)
        seen[level] += 1
        right[level] += value == truth
        absolute.append(abs(value - truth))
        relative.append(abs((value - truth) / truth))
    out = {"MAE": _mean(absolute), "MAPE": _mean(relative)}
    for k, name in enumerate(names):
        out[f"acc_{name}"] = right[k] / seen[k] * 100.0 if seen[k] else -1.0
    return out


def mae(rows: Rows) -> dict[str, float]:
    """Numbers pair by pair; an answer with another number of numbers is *left out*."""
    absolute, relative, failed = [], [], 0
    for i, row in enumerate(rows):
        truth, said = (_NUMBER.findall(str(row[k])) for k in ("answer", "pred"))
        if len(truth) != len(said):
            failed += 1
            continue
        for t, s in zip(truth, said, strict=True):
            if float(t) == 0:
                raise _stops(i, "a true value of 0 divides the MAPE by 0")
            absolute.append(abs(float(s) - float(t)))
            relative.append(abs((float(s) - float(t)) / float(t)))
    if not absolute:
        raise _stops(len(rows) - 1, "no answer has as many numbers as the truth")
    return {
        "MAE": _mean(absolute), "MAPE": _mean(relative), "Parsing_Failure": float(failed),
        "Parsing_Failure_ratio": failed / len(rows),
    }  # fmt: skip


def _bracketed(text: object) -> list[float] | None:
    said = str(text)
    start, end = said.find("["), said.rfind("]")
    if start == -1 or end == -1:
        return None
    return [float(x) for x in _NUMBER.findall(said[start : end + 1])]


def bbox(rows: Rows) -> dict[str, float]:
    """Accuracy at IoU 0.5; ``size`` is read as (h, w), whatever order it was stored in."""
    levels, names = (32.0**2, 96.0**2, float("inf")), ("S", "M", "L")
    seen, hit = np.zeros(3), np.zeros(3)
    asked = False
    for i, row in enumerate(rows):
        height, width = row["size"]
        truth, said = _bracketed(row["answer"]), _bracketed(row["pred"])
        if not truth:
            raise _stops(i, "the true box does not parse")
        area = (truth[2] - truth[0]) * (truth[3] - truth[1])
        level = next(k for k, high in enumerate(levels) if area <= high)
        seen[level] += 1
        if said:
            if len(said) < 4:
                raise _stops(i, "fewer than four numbers in the brackets")
            asked = True
            box = [said[0] * width / 1000, said[1] * height / 1000,
                   said[2] * width / 1000, said[3] * height / 1000]  # fmt: skip
            hit[level] += _iou(truth[:4], box) >= 0.5
        elif not asked:
            raise _stops(i, "no box in the first answer, before any was seen")
    out = {"precision": float(hit.sum() / seen.sum())}
    for k, name in enumerate(names):
        out[f"precision_{name}"] = float(hit[k] / seen[k]) if seen[k] else float("nan")
    return out


def _iou(a: Sequence[float], b: Sequence[float]) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    both = wide * high
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def coco_mask(points: Sequence[float], height: int, width: int) -> NDArray[np.bool_]:
    """A polygon as pixels exactly as COCO's tools fill it.

    Args:
        points: ``x0, y0, x1, y1, ...`` in pixels.
        height, width: Of the image.

    Returns:
        bool[height, width].

    References:
        The boundary is walked on a grid five times finer, and every crossing of a pixel column
        turns the filling on or off below it.
    """
    scale = 5
    x = [int(scale * v + 0.5) for v in points[::2]]
    y = [int(scale * v + 0.5) for v in points[1::2]]
    u: list[int] = []
    v: list[int] = []
    for j in range(len(x)):
        xs, ys = x[j], y[j]
        xe, ye = x[(j + 1) % len(x)], y[(j + 1) % len(x)]
        dx, dy = abs(xe - xs), abs(ys - ye)
        flip = (dx >= dy and xs > xe) or (dx < dy and ys > ye)
        if flip:
            xs, xe, ys, ye = xe, xs, ye, ys
        long = max(dx, dy)
        slope = 0.0 if long == 0 else ((ye - ys) / dx if dx >= dy else (xe - xs) / dy)
        for d in range(long + 1):
            t = long - d if flip else d
            if dx >= dy:
                u.append(t + xs)
                v.append(int(ys + slope * t + 0.5))
            else:
                v.append(t + ys)
                u.append(int(xs + slope * t + 0.5))
    toggles = np.zeros(height * width + 1, dtype=np.int64)
    for j in range(1, len(u)):
        if u[j] == u[j - 1]:
            continue
        column = ((u[j] if u[j] < u[j - 1] else u[j] - 1) + 0.5) / scale - 0.5
        if column != int(column) or column < 0 or column > width - 1:
            continue
        row = min(max((min(v[j], v[j - 1]) + 0.5) / scale - 0.5, 0.0), float(height))
        toggles[int(column) * height + int(np.ceil(row))] += 1
    filled = np.cumsum(toggles[:-1]) % 2 == 1
    mask: NDArray[np.bool_] = filled.reshape(width, height).T
    return mask


def ciou(rows: Rows) -> dict[str, float]:
    """IoU and C-IoU of outlines; y is scaled by the *width*, and N counts the closing point."""
    ious, cious = [], []
    for i, row in enumerate(rows):
        height, width = row["size"]
        truth, said = _bracketed(row["answer"]), _bracketed(row["pred"])
        if not said or not truth:
            raise _stops(i, "an outline that does not parse")
        a, b = ([p * width / 1000 for p in points] for points in (truth, said))
        true_mask, said_mask = (coco_mask(p, int(height), int(width)) for p in (a, b))
        both = float((true_mask & said_mask).sum())
        union = float((true_mask | said_mask).sum())
        n, m = len(said) // 2, len(truth) // 2
        iou = 1.0 if union == 0 else both / (union + 1e-9)
        ious.append(iou)
        cious.append(iou * (1 - abs(n - m) / (n + m + 1e-9)))
    return {"mean_iou": float(np.mean(ious)), "mean_ciou": float(np.mean(cious))}


def multi_label(rows: Rows) -> dict[str, float]:
    """The mean over classes of precision (its table calls it F1); classes match as substrings."""
    query = str(rows[0]["query"])
    names = [n.strip() for n in query[query.find(":") + 1 : -1].split(",")]
    truth = np.array([[n in str(r["answer"]) for n in names] for r in rows])
    said = np.array([[n in str(r["pred"]) for n in names] for r in rows])
    hits, total = (truth & said).sum(0), said.sum(0)
    precision = np.divide(hits, total, out=np.zeros(len(names)), where=total > 0)
    return {"average CP": float(precision.mean())}


def _stops(i: int, why: str) -> DataError:
    return DataError(
        f"the published toolkit stops with an error at record {i}: {why}; use the strict measures"
    )


RSEVAL_SCORES: Mapping[str, Callable[[Rows], dict[str, float]]] = {
    "presence": presence, "color": colour, "cls": cls_vqa, "vqa": cls_vqa, "imgType": choice,
    "mc": choice, "position": choice, "counting": counting, "mae": mae, "bbox": bbox, "ciou": ciou,
    "ml": multi_label,
}  # fmt: skip
"""The toolkit's metric types; its four ``color_false`` files have none, and are never scored."""


def rseval(kind: str, rows: Rows) -> dict[str, float]:
    """Score recorded predictions as the published toolkit does.

    Args:
        kind: A name of :data:`RSEVAL_SCORES`.
        rows: Its result lines: ``pred``, ``answer``, and ``size`` or ``query`` where it uses them.

    Raises:
        DataError: An unknown kind, or records on which the toolkit itself stops.
    """
    if kind not in RSEVAL_SCORES:
        raise DataError(f"no score {kind!r}; take one of {', '.join(RSEVAL_SCORES)}")
    if not rows:
        raise DataError("no recorded predictions to score")
    return RSEVAL_SCORES[kind](rows)
