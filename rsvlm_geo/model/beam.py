"""Beam search: the likeliest text among several kept alive at each step."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.model.generate import Engine, Generation, Job
from rsvlm_geo.model.lanes import Lanes
from rsvlm_geo.model.sampling import log_softmax, process_logits

__all__ = ["beam_search"]


@dataclass(slots=True)
class _Beams:
    texts: list[list[int]]
    scores: NDArray[np.float64]
    finished: list[tuple[float, list[int], bool]] = field(default_factory=list)
    """``(score, tokens, whether it stopped by itself)``, best first, at most as many as beams."""


def beam_search(engine: Engine, job: Job) -> Generation:
    """The best of ``job.sampling.num_beams`` texts.

    At each step the best ``(1 + stop tokens) * beams`` continuations are weighed; those that stop,
    among the best ``beams``, are finished texts, scored by mean log-probability to the power of
    the length penalty. It ends when no text alive can still beat the worst finished one.

    Args:
        engine: Runs the steps.
        job: One prompt.

    Raises:
        OutOfMemory: The beams do not fit.
    """
    sampling, count = job.sampling, job.sampling.num_beams
    [[row]] = engine._lay_out([(0, job)])
    lanes = engine._fork([[row]])
    logits = lanes.extend([[engine._piece(row)]])[:, -1]
    beams = _Beams([[]], np.zeros(1))
    prompt = (*job.prefix.ids, *job.ids)
    for length in range(1, sampling.max_new_tokens + 1):
        parents = _grow(engine, beams, logits, prompt, job, length)
        best_alive = beams.scores.max(initial=-np.inf) / length**sampling.length_penalty
        full = len(beams.finished) >= count
        over = full and (sampling.early_stopping or best_alive <= beams.finished[-1][0])
        if over or not len(parents) or length == sampling.max_new_tokens:
            break
        lanes = lanes.take(parents)
        logits = _advance(lanes, beams, row.owner, row.position + length - 1)
    score, tokens, stopped = beams.finished[0]
    text = engine.decode(tokens[:-1] if stopped else tokens)
    return Generation(text, tuple(tokens), "stop" if stopped else "length", score)


def _grow(
    engine: Engine, beams: _Beams, logits: NDArray[np.float32], prompt: tuple[int, ...], job: Job,
    length: int,
) -> NDArray[np.int64]:  # fmt: skip
    """Replace the beams by their best continuations; the lane each of them came from."""
    sampling, count = job.sampling, job.sampling.num_beams
    steps = np.stack(
        [
            process_logits(
                log_softmax(one).astype(np.float32), prompt, beams.texts[i], sampling, engine.eos
            )
            for i, one in enumerate(logits)
        ]
    )
    total = beams.scores[:, None] + steps.astype(np.float64)
    vocabulary = total.shape[1]
    flat = total.ravel()
    keep = min(count * max(2, 1 + len(engine.eos)), flat.size)
    order = np.argpartition(-flat, keep - 1)[:keep]
    order = order[np.argsort(-flat[order], kind="stable")]
    last = length == sampling.max_new_tokens
    texts: list[list[int]] = []
    scores: list[float] = []
    parents: list[int] = []
    for rank, place in enumerate(order):
        parent, token = divmod(int(place), vocabulary)
        if not np.isfinite(flat[place]):
            continue
        text = [*beams.texts[parent], token]
        if token in engine.eos or last:
            if rank < count:
                score = float(flat[place]) / length**sampling.length_penalty
                beams.finished.append((score, text, token in engine.eos))
        elif len(texts) < count:
            texts.append(text)
            scores.append(float(flat[place]))
            parents.append(parent)
    beams.finished = sorted(beams.finished, key=lambda item: -item[0])[:count]
    beams.texts, beams.scores = texts, np.array(scores)
    return np.array(parents, np.int64)


def _advance(lanes: Lanes, beams: _Beams, owner: int, position: int) -> NDArray[np.float32]:
    ids = np.array([[text[-1]] for text in beams.texts], np.int64)
    owners = np.full(ids.shape, owner, np.int32)
    logits: NDArray[np.float32] = lanes.advance(ids, owners, np.full(ids.shape, position))[:, -1]
    return logits
