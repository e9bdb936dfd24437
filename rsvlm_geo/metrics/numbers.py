"""Numbers: counting, ground sample distance, lengths and widths."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rsvlm_geo.errors import DataError
from rsvlm_geo.metrics.measure import (
    Measure,
    mean_measure,
    ratio_measure,
    same_length,
    share_measure,
)

__all__ = ["COUNT_RANGES", "best_constant", "counting", "number_errors"]

COUNT_RANGES: tuple[tuple[float, float], ...] = ((-1, 0), (0, 2), (2, 6), (6, 12), (12, math.inf))
"""``(low, high]`` of true counts: VHM's four, and the images where there is nothing."""


def counting(
    pred: Sequence[float | None],
    gold: Sequence[float],
    *,
    ranges: Sequence[tuple[float, float]] = COUNT_RANGES,
) -> dict[str, Measure]:
    """MAE, RMSE, MAPE, bias of the total, and the share exactly right, also by range.

    A count that does not parse is wrong, and its error is the whole true count (at least 1): as if
    nothing had been said. MAPE leaves out images where nothing is to be counted.

    Args:
        pred: Counts, whole or expected; None where the answer does not parse.
        gold: True counts, 0 or more.

    Returns:
        ``mae rmse mape bias exact within_1`` and ``exact/(low, high]``.
    """
    same_length("counting", predictions=pred, answers=gold)
    truth = np.asarray(gold, dtype=np.float64)
    if (truth < 0).any() or not np.isfinite(truth).all():
        raise DataError(f"true counts must be 0 or more; got {truth.min():g} among them")
    failed = np.array([p is None or not math.isfinite(p) for p in pred], dtype=bool)
    said = np.array([0.0 if f else float(p or 0) for p, f in zip(pred, failed, strict=True)])
    error = np.where(failed, np.maximum(truth, 1.0), np.abs(said - truth))
    exact = ~failed & (np.round(said) == truth)
    n_failed = int(failed.sum())
    some = truth > 0
    squares = mean_measure(error**2, better="low")
    out = {
        "mae": mean_measure(error, parse_failures=n_failed, better="low"),
        "rmse": Measure(
            math.sqrt(squares.value), squares.n, math.sqrt(squares.low), math.sqrt(squares.high),
            n_failed, "bootstrap", "low",
        ) if squares.n else squares,
        "mape": mean_measure(
            error[some] / truth[some], parse_failures=int(failed[some].sum()), better="low"
        ),
        "bias": ratio_measure(said - truth, truth, parse_failures=n_failed, better="zero"),
        "exact": share_measure(exact, parse_failures=n_failed),
        "within_1": share_measure(~failed & (error <= 1), parse_failures=n_failed),
    }  # fmt: skip
    for low, high in ranges:
        mask = (truth > low) & (truth <= high)
        if mask.any():
            name = "0" if high == 0 else f"({low:g}, {high:g}]"
            out[f"exact/{name}"] = share_measure(
                exact[mask], parse_failures=int(failed[mask].sum())
            )
    return out


def number_errors(
    pred: Sequence[Sequence[float] | None], gold: Sequence[Sequence[float]]
) -> dict[str, Measure]:
    """MAE and MAPE of one or more numbers an answer (GSD: one; length and width: two).

    An answer with another number of numbers did not parse; it counts as if 0 had been said, so
    that rambling is never better than answering.

    Args:
        pred: Numbers of each answer, in the answer's unit.
        gold: True numbers, in the same unit.
    """
    same_length("numbers", predictions=pred, answers=gold)
    absolute, relative, failed, close = [], [], 0, []
    for p, g in zip(pred, gold, strict=True):
        good = p is not None and len(p) == len(g) and all(math.isfinite(x) for x in p)
        failed += not good
        said = np.asarray(p if good else np.zeros(len(g)), dtype=np.float64)
        truth = np.asarray(g, dtype=np.float64)
        error = np.abs(said - truth)
        absolute.append(float(error.mean()))
        share = error[truth != 0] / np.abs(truth[truth != 0])
        if len(share):
            relative.append(float(share.mean()))
        close.append(good and bool((error <= 0.1 * np.abs(truth)).all()))
    return {
        "mae": mean_measure(absolute, parse_failures=failed, better="low"),
        "mape": mean_measure(relative, parse_failures=min(failed, len(relative)), better="low"),
        "within_10_percent": share_measure(close, parse_failures=failed),
    }


def best_constant(gold: Sequence[float]) -> float:
    """The one number with the least MAE over ``gold``, its median: the baseline of any count."""
    if not len(gold):
        raise DataError("no numbers to take the median of")
    return float(np.median(np.asarray(gold, dtype=np.float64)))
