"""Is a confidence worth its number: ECE, Brier, risk against coverage."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import DataError
from rsvlm_geo.metrics.measure import Measure, bootstrap_measure, mean_measure, same_length

__all__ = ["aurc", "brier", "calibration", "ece", "expected_ece", "risk_coverage"]


def _columns(
    confidence: Sequence[float], correct: Sequence[bool]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    same_length("calibration", confidences=confidence, outcomes=correct)
    p = np.asarray(confidence, dtype=np.float64)
    if len(p) and (np.isnan(p).any() or p.min() < 0 or p.max() > 1):
        raise DataError(f"confidences must lie in 0..1; got {np.nanmin(p):g} .. {np.nanmax(p):g}")
    return p, np.asarray(correct, dtype=bool)


def _ece(p: NDArray[np.float64], hit: NDArray[np.bool_], bins: int) -> float:
    # bin k holds (k/bins, (k+1)/bins]; 0 belongs to the first
    place = np.clip(np.ceil(p * bins).astype(np.intp) - 1, 0, bins - 1)
    seen = np.bincount(place, minlength=bins)
    gap = np.bincount(place, weights=p, minlength=bins) - np.bincount(
        place, weights=hit, minlength=bins
    )
    return float(np.abs(gap).sum() / max(seen.sum(), 1))


def ece(
    confidence: Sequence[float], correct: Sequence[bool], *, bins: int = 15, seed: int = 0
) -> Measure:
    """Expected calibration error over equal-width bins: mean |confidence - accuracy|.

    Args:
        confidence: Probability given to the answer that was given, 0..1.
        correct: Whether it was right.
        bins: 15 as in Guo et al. (2017).
    """
    p, hit = _columns(confidence, correct)
    return bootstrap_measure(
        lambda pick: _ece(p[pick], hit[pick], bins), len(p), seed=seed, better="low"
    )


def expected_ece(
    confidence: Sequence[float], *, bins: int = 15, draws: int = 400, seed: int = 0
) -> Measure:
    """The ECE that a perfectly calibrated model would show with these confidences.

    Outcomes are drawn from the confidences: with few answers the binned ECE of a perfect model is
    far from 0. ``low`` and ``high`` hold 95 % of the draws; a measured ECE within them is no
    sign of miscalibration.
    """
    p, _ = _columns(confidence, [True] * len(confidence))
    if not len(p):
        return Measure(math.nan, 0, math.nan, math.nan, 0, "simulated", "low")
    rng = np.random.default_rng(seed)
    found = np.array([_ece(p, rng.random(len(p)) < p, bins) for _ in range(draws)])
    low, high = np.quantile(found, (0.025, 0.975))
    return Measure(float(found.mean()), len(p), float(low), float(high), 0, "simulated", "low")


def brier(confidence: Sequence[float], correct: Sequence[bool], *, seed: int = 0) -> Measure:
    """Mean squared distance between confidence and outcome."""
    p, hit = _columns(confidence, correct)
    return mean_measure((p - hit) ** 2, seed=seed, better="low")


def risk_coverage(
    confidence: Sequence[float], correct: Sequence[bool]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The curve of a model that answers only the questions it is surest of.

    Returns:
        ``(coverage, risk)``, float64[n] each: share answered, and share wrong among them. Equal
        confidences are answered together, each at the block's average risk, so that the order of
        the file never matters.
    """
    p, hit = _columns(confidence, correct)
    order = np.argsort(-p, kind="stable")
    p, wrong = p[order], (~hit[order]).astype(np.float64)
    n = len(p)
    if n:
        _, block = np.unique(-p, return_inverse=True)
        wrong = (np.bincount(block, weights=wrong) / np.bincount(block))[block]
    answered = np.arange(1, n + 1, dtype=np.float64)
    return answered / max(n, 1), np.cumsum(wrong) / answered


def aurc(confidence: Sequence[float], correct: Sequence[bool], *, seed: int = 0) -> Measure:
    """Area under the risk-coverage curve: the mean risk over all coverages; 0 is best.

    ``extra`` has ``oracle`` (what a perfect order of the same answers reaches) and ``excess``.
    """
    p, hit = _columns(confidence, correct)

    def area(pick: NDArray[np.intp]) -> float:
        return float(risk_coverage(p[pick].tolist(), hit[pick].tolist())[1].mean())

    if not len(p):
        return Measure(math.nan, 0, math.nan, math.nan, 0, "bootstrap", "low")
    best = np.concatenate([np.zeros(int(hit.sum())), np.ones(int((~hit).sum()))])
    oracle = float((np.cumsum(best) / np.arange(1, len(best) + 1)).mean())
    value = area(np.arange(len(p)))
    return bootstrap_measure(
        area, len(p), seed=seed, draws=300, better="low", oracle=oracle, excess=value - oracle
    )


def calibration(
    confidence: Sequence[float], correct: Sequence[bool], *, seed: int = 0
) -> dict[str, Measure]:
    """ECE, Brier and AURC, and the accuracy of the surer half."""
    p, hit = _columns(confidence, correct)
    half = np.argsort(-p, kind="stable")[: (len(p) + 1) // 2]
    return {
        "ece": ece(confidence, correct, seed=seed),
        "brier": brier(confidence, correct, seed=seed),
        "aurc": aurc(confidence, correct, seed=seed),
        "accuracy_at_half_coverage": mean_measure(hit[half], seed=seed),
    }
