"""Closed answers: scene class, yes/no and VQA by type, several labels at once."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

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
    "average_precision_labels",
    "classification",
    "constant_answer",
    "multi_label",
    "normalise_answer",
    "vqa",
    "yes_no",
]


def normalise_answer(text: str) -> str:
    """Lower case, ``_ -`` and punctuation as spaces, CamelCase split, single spaces, no article."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    words = re.sub(r"[^\w]|_", " ", text.lower()).split()
    return " ".join(w for w in words if w not in ("a", "an", "the"))


def _same(pred: str | None, gold: str) -> bool:
    return pred is not None and normalise_answer(pred) == normalise_answer(gold)


def classification(
    pred: Sequence[str | None], gold: Sequence[str], *, compact: bool = True
) -> dict[str, Measure]:
    """Accuracy and the mean of per-class recall.

    Args:
        pred: The class each answer names; None where it does not parse (counted as wrong).
        gold: The true class.
        compact: Compare without spaces, so that ``tennis court`` is ``tenniscourt``.
    """
    same_length("classification", predictions=pred, answers=gold)

    def key(text: str) -> str:
        words = normalise_answer(text)
        return words.replace(" ", "") if compact else words

    hits = np.array([p is not None and key(p) == key(g) for p, g in zip(pred, gold, strict=True)])
    failed = sum(p is None for p in pred)
    names = sorted(set(gold))
    index = np.array([names.index(g) for g in gold], dtype=np.intp)

    def macro(pick: NDArray[np.intp]) -> float:
        seen = np.bincount(index[pick], minlength=len(names))
        right = np.bincount(index[pick], weights=hits[pick], minlength=len(names))
        return float((right[seen > 0] / seen[seen > 0]).mean())

    recall = {
        n: float(hits[index == i].mean()) for i, n in enumerate(names)
    }  # per class, for the report
    return {
        "accuracy": share_measure(hits, parse_failures=failed),
        "macro_recall": bootstrap_measure(macro, len(gold), parse_failures=failed, recall=recall),
    }


def yes_no(pred: Sequence[bool | None], gold: Sequence[bool]) -> dict[str, Measure]:
    """The five numbers of POPE (yes is positive), and balanced accuracy.

    An answer that is neither counts as wrong on its own side: a missed yes, or a false yes.

    Args:
        pred: What was answered; None where it does not parse.
        gold: What is true.
    """
    same_length("yes/no", predictions=pred, answers=gold)
    truth = np.array(gold, dtype=bool)
    failed = np.array([p is None for p in pred], dtype=bool)
    said = np.array([bool(p) for p in pred], dtype=bool)
    wrong_side = np.where(failed, ~truth, said)
    n_failed = int(failed.sum())
    tp, fp = wrong_side & truth, wrong_side & ~truth
    fn = ~wrong_side & truth
    hits = wrong_side == truth

    def balanced(pick: NDArray[np.intp]) -> float:
        t, h = truth[pick], hits[pick]
        if not t.any() or t.all():
            return math.nan
        return float((h[t].mean() + h[~t].mean()) / 2)

    return {
        "accuracy": share_measure(hits, parse_failures=n_failed),
        "precision": ratio_measure(tp, tp | fp, parse_failures=n_failed),
        "recall": ratio_measure(tp, tp | fn, parse_failures=n_failed),
        "f1": ratio_measure(
            2.0 * tp, 2.0 * tp + 1.0 * fp + 1.0 * fn, parse_failures=n_failed
        ),
        "yes_ratio": share_measure(said & ~failed, parse_failures=n_failed, better="zero"),
        "balanced_accuracy": bootstrap_measure(balanced, len(gold), parse_failures=n_failed),
    }  # fmt: skip


def vqa(
    pred: Sequence[str | None],
    gold: Sequence[str],
    types: Sequence[str],
    *,
    count_type: str = "count",
) -> dict[str, Measure]:
    """RSVQA's accuracies: per type, average of types, overall; with and without counting.

    Args:
        pred: Answers; None where they do not parse.
        gold: True answers.
        types: The type of each question.
        count_type: The type whose answers are numbers, left out of the ``_no_count`` figures.
    """
    same_length("VQA", predictions=pred, answers=gold, types=types)
    hits = np.array([_same(p, g) for p, g in zip(pred, gold, strict=True)], dtype=bool)
    failed = np.array([p is None for p in pred], dtype=bool)
    kinds = np.array(types)
    out: dict[str, Measure] = {}
    for kind in sorted(set(types)):
        mask = kinds == kind
        out[f"accuracy/{kind}"] = share_measure(hits[mask], parse_failures=int(failed[mask].sum()))

    def average(mask: NDArray[np.bool_], name: str) -> None:
        names = sorted(set(kinds[mask]))
        if not names:
            return
        where = np.flatnonzero(mask)
        index = np.array([names.index(k) for k in kinds[where]], dtype=np.intp)

        def mean_of_types(pick: NDArray[np.intp]) -> float:
            seen = np.bincount(index[pick], minlength=len(names))
            right = np.bincount(index[pick], weights=hits[where][pick], minlength=len(names))
            return float((right[seen > 0] / seen[seen > 0]).mean())

        n_failed = int(failed[where].sum())
        out[f"average{name}"] = bootstrap_measure(
            mean_of_types, len(where), parse_failures=n_failed
        )
        out[f"overall{name}"] = share_measure(hits[where], parse_failures=n_failed)

    average(np.ones(len(hits), dtype=bool), "")
    if count_type in set(types):
        average(kinds != count_type, "_no_count")
    return out


def multi_label(
    pred: Sequence[Collection[str] | None],
    gold: Sequence[Collection[str]],
    labels: Sequence[str] | None = None,
) -> dict[str, Measure]:
    """Micro, macro and per-image precision, recall and F1 over a closed list of labels.

    Args:
        pred: Labels named for each image; None where the answer does not parse.
        gold: True labels.
        labels: The closed list; by default all that occur.

    Raises:
        DataError: A true label is not in the list.
    """
    n = same_length("multi-label", predictions=pred, answers=gold)
    names = sorted(labels if labels is not None else {x for g in gold for x in g})
    place = {normalise_answer(name): i for i, name in enumerate(names)}
    truth = np.zeros((n, len(names)), dtype=bool)
    said = np.zeros((n, len(names)), dtype=bool)
    outside = np.zeros(n)
    for i, (p, g) in enumerate(zip(pred, gold, strict=True)):
        for name in g:
            if normalise_answer(name) not in place:
                raise DataError(f"label {name!r} of item {i} is not in the list of labels")
            truth[i, place[normalise_answer(name)]] = True
        for name in p or ():
            column = place.get(normalise_answer(name))
            if column is None:
                outside[i] += 1
            else:
                said[i, column] = True
    failed = sum(p is None for p in pred)
    tp = (said & truth).sum(1).astype(float)
    named, true = said.sum(1) + outside, truth.sum(1).astype(float)

    def macro(pick: NDArray[np.intp]) -> float:
        hit = (said[pick] & truth[pick]).sum(0)
        total = said[pick].sum(0) + truth[pick].sum(0)
        return float((2 * hit[total > 0] / total[total > 0]).mean()) if total.any() else math.nan

    image_f1 = np.where(named + true > 0, 2 * tp / np.maximum(named + true, 1), 1.0)
    exact = ((said == truth).all(1)) & (outside == 0) & np.array([p is not None for p in pred])
    return {
        "micro_precision": ratio_measure(tp, named, parse_failures=failed),
        "micro_recall": ratio_measure(tp, true, parse_failures=failed),
        "micro_f1": ratio_measure(2 * tp, named + true, parse_failures=failed),
        "macro_f1": bootstrap_measure(macro, n, parse_failures=failed),
        "image_f1": mean_measure(image_f1, parse_failures=failed),
        "exact": share_measure(exact, parse_failures=failed),
    }


def average_precision_labels(
    scores: Mapping[str, Sequence[float]], gold: Sequence[Collection[str]]
) -> Measure:
    """Mean average precision over labels, from a score of every label for every image."""
    values, n = [], len(gold)
    for name, column in scores.items():
        same_length("label scores", scores=column, answers=gold)
        truth = np.array([name in g for g in gold], dtype=bool)
        if not truth.any():
            continue
        order = np.argsort(-np.asarray(column, dtype=np.float64), kind="stable")
        ranked = truth[order]
        precision = np.cumsum(ranked) / np.arange(1, n + 1)
        values.append(float(precision[ranked].mean()))
    value = float(np.mean(values)) if values else math.nan
    return Measure(value, n, math.nan, math.nan, 0, "none", "high", {"labels": len(values)})


def constant_answer(gold: Sequence[str], *, train: Sequence[str] | None = None) -> str:
    """The baseline that always says the commonest answer (of ``train``, else of the answers)."""
    counts = Counter(train if train is not None else gold)
    if not counts:
        raise DataError("no answers to take the commonest of")
    return min(counts, key=lambda a: (-counts[a], a))
