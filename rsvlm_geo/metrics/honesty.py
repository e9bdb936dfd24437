"""Does it refuse what cannot be answered, and only that."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.metrics.measure import (
    Measure,
    bootstrap_measure,
    ratio_measure,
    same_length,
    share_measure,
)

__all__ = ["honesty_baselines", "is_refusal_text", "refusals"]

_REFUSAL = re.compile(
    r"<unans>|\bsorry\b|\bunanswerable\b|\b(is|are) (invisible|not visible)\b|\binvisible\b"
    r"|\b(cannot|can't|can not|could not|couldn't|unable to|impossible to|not possible to)\s+"
    r"(?:\w+\s+){0,3}?(tell|say|determine|provide|answer|see|know|judge|identify|be determined|"
    r"be answered|be seen)\b"
    r"|\b(i do not|i don't) know\b|\bno such object\b|\bdifficult to determine\b",
    re.I,
)


def is_refusal_text(text: str) -> bool:
    """Whether free text is an honest no: for models that say it in words and not by status."""
    return _REFUSAL.search(text) is not None


def refusals(refused: Sequence[bool], unanswerable: Sequence[bool]) -> dict[str, Measure]:
    """How well refusals fall on the questions that cannot be answered.

    Args:
        refused: Whether each question was refused. What does not parse is not a refusal.
        unanswerable: Whether it truly cannot be answered from the image.

    Returns:
        ``refusal_recall`` (of the unanswerable), ``false_refusals`` (of the answerable),
        ``refusal_precision``, ``refusal_f1``, ``balanced_accuracy``.
    """
    same_length("refusals", refusals=refused, truths=unanswerable)
    said = np.asarray(refused, dtype=bool)
    truth = np.asarray(unanswerable, dtype=bool)
    tp, fp, fn = said & truth, said & ~truth, ~said & truth

    def balanced(pick: NDArray[np.intp]) -> float:
        s, t = said[pick], truth[pick]
        if not t.any() or t.all():
            return math.nan
        return float((s[t].mean() + (~s[~t]).mean()) / 2)

    return {
        "refusal_recall": share_measure(said[truth]),
        "false_refusals": share_measure(said[~truth], better="low"),
        "refusal_precision": ratio_measure(tp, tp | fp),
        "refusal_f1": ratio_measure(2.0 * tp, 2.0 * tp + 1.0 * fp + 1.0 * fn),
        "balanced_accuracy": bootstrap_measure(balanced, len(said)),
    }


def honesty_baselines(unanswerable: Sequence[bool]) -> dict[str, dict[str, Measure]]:
    """What a model gets that always refuses, and one that never does."""
    n = len(unanswerable)
    return {
        "always_refuse": refusals([True] * n, unanswerable),
        "never_refuse": refusals([False] * n, unanswerable),
    }
