"""A scene in a few sentences, each with the tiles it rests on.

Sentences are put together from typed answers, never from a model's prose, so that each can be
checked against rows of the tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rsvlm_geo.answers import Coverage
from rsvlm_geo.layers.style import REASON_WORDS
from rsvlm_geo.pipeline.collect import question_kind, question_title
from rsvlm_geo.pipeline.gates import Gate
from rsvlm_geo.pipeline.totals import Total
from rsvlm_geo.tasks import class_phrase
from rsvlm_geo.vlm import ModelInfo, Question

if TYPE_CHECKING:
    import pandas as pd

    from rsvlm_geo.pipeline.job import Job

__all__ = ["Statement", "join_words", "refusal_words", "scene_summary"]


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence about a scene, and what it rests on."""

    text: str
    tile_ids: tuple[str, ...] = ()
    """Tiles whose answers say so; empty when it is about the whole."""
    question: str = ""
    """The question those tiles answered."""


def scene_summary(
    job: Job,
    answers: pd.DataFrame,
    totals: Sequence[Total],
    coverage: Coverage,
    coverage_words: str = "",
) -> tuple[Statement, ...]:
    """What a run found, in sentences.

    Args:
        job: What was asked.
        answers: The table of answers.
        totals: One per counted class.
        coverage: Of the run.
        coverage_words: The same for people; by default as it prints itself.
    """
    said = [_extent(job)]
    for question, closed in zip(job.questions, job.gates, strict=True):
        mine = answers[answers["question"] == question.text]
        if closed is not None:
            continue
        kind = question_kind(question)
        if kind in ("class", "choice"):
            said += _classes(question, mine)
        elif kind == "yes_no":
            said += _yes_no(question, mine)
        elif kind in ("text", "free", "number"):
            said += _texts(question, mine)
    said += _totals(job, answers, totals)
    said += _refusals(job, answers, {total.label for total in totals if not total.counted})
    if coverage.failed or coverage.pending or coverage.nodata:
        said.append(Statement(f"Coverage: {coverage_words or coverage}."))
    return tuple(said)


def _extent(job: Job) -> Statement:
    scene, plan = job.scene, job.plan
    n = len(plan)
    words = f"{scene.name}: {n} tile{'s' if n != 1 else ''}"
    if scene.gsd_m is not None:
        words += f" at {_metres(scene.gsd_m)} per pixel"
        if plan.gsd_m is not None and abs(plan.gsd_m / scene.gsd_m - 1) > 0.05:
            words += f", shown at {_metres(plan.gsd_m)}"
        area = plan.total_px * scene.gsd_m**2
        words += f", {area / 1e6:,.2f} km²" if area >= 1e6 else f", {area / 1e4:,.1f} ha"
    else:
        words += " at an unknown ground scale, so whether it is fine enough was not checked"
    return Statement(f"{words}.")


def _metres(metres: float) -> str:
    return f"{metres * 100:.2g} cm" if metres < 1 else f"{metres:.3g} m"


def _classes(question: Question, mine: pd.DataFrame) -> list[Statement]:
    answered = mine[mine["status"] == "answered"]
    if not len(answered):
        return []
    found = Counter(answered["answer"]).most_common(4)
    parts = [f"{name.replace('_', ' ')} ({count})" for name, count in found]
    rest = len(answered) - sum(count for _, count in found)
    if rest:
        parts.append(f"other classes ({rest})")
    lead = "Mostly " if found[0][1] > len(answered) / 2 and len(found) > 1 else ""
    words = f"{lead}{join_words(parts)}, of {len(answered)} classified tiles."
    top = answered[answered["answer"] == found[0][0]]
    return [Statement(words[0].upper() + words[1:], tuple(top["tile_id"]), question.text)]


def _yes_no(question: Question, mine: pd.DataFrame) -> list[Statement]:
    answered = mine[mine["status"] == "answered"]
    yes = answered[answered["answer"] == "yes"]
    words = f"{question_title(question)} Yes in {len(yes)} of {len(answered)} tiles that answered."
    return [Statement(words, tuple(yes["tile_id"]), question.text)] if len(answered) else []


def _texts(question: Question, mine: pd.DataFrame) -> list[Statement]:
    """The most certain text stands for the others, and says which tile it is of."""
    answered = mine[mine["status"] == "answered"]
    if not len(answered):
        return []
    sure = answered["confidence"].fillna(-1.0).to_numpy()
    row = answered.iloc[int(sure.argmax())]
    more = f" (1 of {len(answered)} tiles)" if len(answered) > 1 else ""
    text = str(row["answer"]).strip()
    return [
        Statement(f"Tile {row['tile_id']}{more}: “{text}”", (str(row["tile_id"]),), question.text)
    ]


def _totals(job: Job, answers: pd.DataFrame, totals: Sequence[Total]) -> list[Statement]:
    said, none = [], []
    asked = {q.target: (q, g) for q, g in zip(job.questions, job.gates, strict=True) if q.target}
    for total in sorted(totals, key=lambda item: -item.value):
        question, closed = asked[total.label]
        if closed is not None:
            continue
        if total.value == 0 and total.complete and total.counted and len(totals) > 1:
            none.append(class_phrase(total.label, plural=True))
            continue
        mine = answers[answers["question"] == question.text]
        mine = mine[(mine["value"] > 0) if total.counted else (mine["status"] == "refused")]
        words = f"{total}."
        if total.unit == "candidates" and total.value and "count" in job.info.tasks:
            words = f"{total} (candidate boxes, each with its score; for a number, use count)."
        said.append(Statement(words, tuple(mine["tile_id"]), question.text))
    if none:
        said.append(Statement(f"No {join_words(none, 'or')}."))
    return said


def _refusals(job: Job, answers: pd.DataFrame, not_counted: Set[str | None]) -> list[Statement]:
    """What was refused or went wrong, by question; a total that was not counted says it itself."""
    said = []
    for question, closed in zip(job.questions, job.gates, strict=True):
        if closed is not None:
            title = question_title(question)
            why = refusal_words(question, closed, job.info)
            words = f"{title}: refused everywhere, {why}{'' if why.endswith('?') else '.'}"
            said.append(Statement(words, (), question.text))
            continue
        mine = answers[answers["question"] == question.text]
        told = question_kind(question) in ("count", "boxes") and question.target in not_counted
        refused = mine[(mine["status"] == "refused") & (not told)]
        for reason, count in Counter(refused["reason"]).most_common():
            tiles = tuple(refused[refused["reason"] == reason]["tile_id"])
            words = (
                f"{question_title(question)}: refused in {count} of {len(mine)} tiles, "
                f"{REASON_WORDS.get(reason, reason)}."
            )
            said.append(Statement(words, tiles, question.text))
        for status in ("unreadable", "failed"):
            rows = mine[mine["status"] == status]
            if len(rows):
                words = f"{question_title(question)}: {status} in {len(rows)} of {len(mine)} tiles."
                said.append(Statement(words, tuple(rows["tile_id"]), question.text))
    return said


def refusal_words(question: Question, closed: Gate, info: ModelInfo) -> str:
    """Why a question is refused everywhere, and the class that may have been meant."""
    if question.target is None or info.find_class(question.target) is not None:
        return closed.why
    meant = info.near_class(question.target)
    return closed.why + (f"; did you mean {class_phrase(meant.name)!r}?" if meant else "")


def join_words(parts: Sequence[str], last: str = "and") -> str:
    """``a, b and c``."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"
