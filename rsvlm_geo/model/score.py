"""Closed sets by likelihood: how probable each candidate answer is, all in one or two calls.

The probability of an answer is that of its tokens after the prompt, in any of its spellings, over
the candidates asked about. Nothing is parsed, so nothing can be misread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.model.decoder import OutOfMemory
from rsvlm_geo.model.generate import Engine, Job
from rsvlm_geo.model.lanes import Lanes, Piece
from rsvlm_geo.model.sampling import log_softmax

__all__ = ["Scored", "plan_forms", "score_closed"]


@dataclass(frozen=True, slots=True)
class Scored:
    """A prompt and the answers to weigh."""

    job: Job
    forms: Mapping[str, tuple[tuple[int, ...], ...]]
    """Answer -> its spellings as tokens."""
    temperature: float = 1.0
    """Calibration: log-likelihoods are divided by it."""


def plan_forms(
    candidates: Sequence[str], encode: Callable[[str], Sequence[int]], eos: int | None
) -> dict[str, tuple[tuple[int, ...], ...]]:
    """Spellings of each candidate as tokens.

    Each comes as it is and with a capital first letter. Where one spelling starts another (``1``,
    ``12``), all end with the stop token, so that a start is not counted for what it starts.

    Args:
        candidates: Answers, at least one.
        encode: Text as it would follow the prompt, to tokens.
        eos: The token that ends an answer; None when the model has none.
    """
    forms: dict[str, list[tuple[int, ...]]] = {}
    for name in candidates:
        spellings = dict.fromkeys((name, name[:1].upper() + name[1:]))
        ids = dict.fromkeys(tuple(int(i) for i in encode(text)) for text in spellings)
        forms[name] = [form for form in ids if form]
    flat = sorted({form for several in forms.values() for form in several})
    if eos is not None and any(b[: len(a)] == a for a, b in pairwise(flat)):
        forms = {name: [(*form, eos) for form in several] for name, several in forms.items()}
    return {name: tuple(several) for name, several in forms.items()}


def score_closed(engine: Engine, asked: Sequence[Scored]) -> list[dict[str, float]]:
    """Probability of each candidate, for each prompt.

    Args:
        engine: Runs the prompts, as many at once as fit.
        asked: Prompts; those of one image and prefix next to each other share its cache.

    Returns:
        For each prompt, candidate -> probability, summing to one.

    Raises:
        OutOfMemory: Not even one prompt fits.
    """
    results: list[dict[str, float]] = []
    at = 0
    while at < len(asked):
        count = min(engine.max_rows, len(asked) - at)
        if engine.even:
            width = _width(asked[at])
            count = next(
                (i for i in range(1, count) if _width(asked[at + i]) != width), count
            )  # fmt: skip
        try:
            results.extend(_score_batch(engine, asked[at : at + count]))
        except OutOfMemory as error:
            engine._halve(count, error)
            continue
        at += count
    return results


def _score_batch(engine: Engine, asked: Sequence[Scored]) -> list[dict[str, float]]:
    rows = engine._lay_out([(i, scored.job) for i, scored in enumerate(asked)])
    lanes = engine._fork(rows)
    logits = lanes.extend([[engine._piece(row) for row in lane] for lane in rows])
    first: dict[int, NDArray[np.float64]] = {}
    lane_of: dict[int, tuple[int, int, int]] = {}
    for place, lane in enumerate(rows):
        at = logits.shape[1]
        for row in reversed(lane):
            first[row.index] = log_softmax(logits[place, at - 1])
            lane_of[row.index] = (place, row.owner, row.position)
            at -= len(row.job.ids)
    totals = {
        (i, form): float(first[i][form[0]])
        for i, scored in enumerate(asked)
        for forms in scored.forms.values()
        for form in forms
    }
    tails = [key for key in totals if len(key[1]) > 1]
    if engine.decoder.takes_bias:
        _score_tails_together(lanes, tails, lane_of, totals)
    else:
        _score_tails_apart(engine, lanes, tails, lane_of, totals)
    return [_normalise(scored, i, totals) for i, scored in enumerate(asked)]


def _score_tails_together(
    lanes: Lanes,
    tails: Sequence[tuple[int, tuple[int, ...]]],
    lane_of: Mapping[int, tuple[int, int, int]],
    totals: dict[tuple[int, tuple[int, ...]], float],
) -> None:
    """All candidates of a tile as branches of one lane: the prompt's cache is not copied."""
    if not tails:
        return
    pieces: list[list[Piece]] = [[] for _ in range(lanes.batch)]
    where: list[tuple[int, int, tuple[int, tuple[int, ...]]]] = []
    following = [max(o for _, o, _ in lane_of.values())] * lanes.batch
    for key in tails:
        place, parent, position = lane_of[key[0]]
        following[place] += 1
        ids = np.array(key[1][:-1], np.int64)
        pieces[place].append(
            Piece(following[place], ids, position + np.arange(len(ids)), parent=parent)
        )
        where.append((place, len(pieces[place]) - 1, key))
    empty = [place for place, lane in enumerate(pieces) if not lane]
    for place in empty:
        pieces[place].append(
            Piece(following[place] + 1, np.zeros(1, np.int64), np.zeros(1, np.int64))
        )
    logits = lanes.extend(pieces)
    for place, number, key in where:
        after = sum(len(p.ids) for p in pieces[place][number:])
        start = logits.shape[1] - after
        _add_tail(totals, key, logits[place, start : start + len(key[1]) - 1])


def _score_tails_apart(
    engine: Engine,
    lanes: Lanes,
    tails: Sequence[tuple[int, tuple[int, ...]]],
    lane_of: Mapping[int, tuple[int, int, int]],
    totals: dict[tuple[int, tuple[int, ...]], float],
) -> None:
    """A lane for each candidate, the prompt's cache copied; of one length where holes are not."""
    limit = max(engine.max_rows, 1)
    ordered = sorted(tails, key=lambda key: len(key[1]))
    at = 0
    while at < len(ordered):
        part = ordered[at : at + limit]
        if engine.even:
            part = [key for key in part if len(key[1]) == len(part[0][1])]
        forked = lanes.take([lane_of[i][0] for i, _ in part])
        pieces = []
        for i, form in part:
            _, owner, position = lane_of[i]
            ids = np.array(form[:-1], np.int64)
            pieces.append([Piece(owner, ids, position + np.arange(len(ids)))])
        logits = forked.extend(pieces)
        for place, key in enumerate(part):
            _add_tail(totals, key, logits[place, logits.shape[1] - len(key[1]) + 1 :])
        at += len(part)


def _add_tail(
    totals: dict[tuple[int, tuple[int, ...]], float],
    key: tuple[int, tuple[int, ...]],
    logits: NDArray[np.float32],
) -> None:
    steps = log_softmax(logits)
    totals[key] += float(steps[np.arange(len(key[1]) - 1), list(key[1][1:])].sum())


def _normalise(
    scored: Scored, index: int, totals: Mapping[tuple[int, tuple[int, ...]], float]
) -> dict[str, float]:
    names = list(scored.forms)
    logs = np.array(
        [
            np.logaddexp.reduce([totals[index, form] for form in forms]) if forms else -np.inf
            for forms in scored.forms.values()
        ]
    )
    weights = np.exp(log_softmax(logs / scored.temperature))
    return dict(zip(names, weights.tolist(), strict=True))


def _width(scored: Scored) -> tuple[int, int]:
    return scored.job.prefix.lanes.length, len(scored.job.ids)
