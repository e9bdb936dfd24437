"""Check a set of honest questions against the boxes it was made from, question by question."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rsvlm_geo.annotated import AnnotatedImage
from rsvlm_geo.honesty.negatives import STRATEGIES, ClassStatistics
from rsvlm_geo.honesty.questions import (
    INVISIBLE,
    INVISIBLE_PAIR,
    LETTERS,
    HonestQuestion,
    only_box,
    place_of,
    relation_of,
    words,
)

__all__ = ["CheckReport", "check_questions", "letters_p_value"]


@dataclass(slots=True)
class CheckReport:
    """What was counted and what was broken."""

    questions: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    """``task/answerable``, ``task/strategy`` -> questions."""
    letters: dict[str, Counter[str]] = field(default_factory=dict)
    """Choice task and side -> right letters."""
    p_values: dict[str, float] = field(default_factory=dict)
    """Chi-square against uniform letters; under 0.001 is called broken."""
    broken: list[str] = field(default_factory=list)
    """``question id: what does not hold``."""

    @property
    def holds(self) -> bool:
        """Whether nothing was broken."""
        return not self.broken

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "questions": self.questions, "counts": dict(sorted(self.counts.items())),
            "letters": {k: dict(sorted(v.items())) for k, v in self.letters.items()},
            "p_values": self.p_values, "broken": self.broken, "holds": self.holds,
        }  # fmt: skip

    def __str__(self) -> str:
        lines = [f"{self.questions} questions, {len(self.broken)} broken invariants"]
        lines += [f"  {name:<28} {n}" for name, n in sorted(self.counts.items())]
        for name, letters in self.letters.items():
            said = " ".join(f"{k}:{letters[k]}" for k in LETTERS)
            lines.append(f"  letters {name:<20} {said}  (chi-square p = {self.p_values[name]:.3f})")
        return "\n".join([*lines, *(f"  BROKEN {b}" for b in self.broken[:20])])


def letters_p_value(letters: Mapping[str, int]) -> float:
    """Chi-square probability, 4 degrees of freedom, that the five letters are uniform."""
    total = sum(letters.get(k, 0) for k in LETTERS)
    if total == 0:
        return 1.0
    expected = total / 5
    x = sum((letters.get(k, 0) - expected) ** 2 / expected for k in LETTERS)
    return math.exp(-x / 2) * (1 + x / 2)


def check_questions(
    questions: Iterable[HonestQuestion], images: Sequence[AnnotatedImage]
) -> CheckReport:
    """Recompute every answer from the boxes and test what must always hold.

    An object called absent is absent, and known to be; a position is the one the box has; every
    choice holds the refusal exactly once among five different options; popular negatives are the
    most frequent absent class not asked before; right letters are uniform.
    """
    by_id = {image.id: image for image in images}
    statistics = ClassStatistics.of(images)
    report = CheckReport()
    seen: set[str] = set()
    asked: dict[tuple[str, str, str], list[str]] = {}
    for q in questions:
        report.questions += 1
        side = "unanswerable" if q.unanswerable else "answerable"
        report.counts[f"{q.task}/{side}"] += 1
        if q.strategy:
            report.counts[f"{q.task}/{q.strategy}"] += 1
        if q.reason == "panchromatic":
            report.counts[f"{q.task}/panchromatic"] += 1
        why = "its id is used twice" if q.id in seen else None
        seen.add(q.id)
        image = by_id.get(q.source)
        why = why or ("its image is not annotated" if image is None else _broken(q, image))
        if why is None and q.strategy == "popular" and image is not None:
            why = _not_popular(q, image, statistics, asked)
        if why is not None:
            report.broken.append(f"{q.id}: {why}")
        if q.task in ("abspos", "relpos"):
            report.letters.setdefault(f"{q.task}/{side}", Counter())[q.answer] += 1
    for name, letters in report.letters.items():
        report.p_values[name] = letters_p_value(letters)
        if report.p_values[name] < 0.001:
            report.broken.append(f"{name}: right letters are not uniform ({dict(letters)})")
    return report


def _absent_target(q: HonestQuestion, image: AnnotatedImage) -> str | None:
    gone = [t for t in q.targets if t in image.absent]
    return gone[0] if gone else None


def _broken(q: HonestQuestion, image: AnnotatedImage) -> str | None:
    unknown = [t for t in q.targets if t not in image.present and t not in image.absent]
    if unknown:
        return f"it is not known whether {unknown[0]} is there"
    if any(words(t) not in q.question for t in q.targets):
        return "the question does not name its target"
    if q.strategy:
        if q.strategy not in STRATEGIES:
            return f"strategy {q.strategy!r} is not one of POPE's"
        if _absent_target(q, image) is None:
            return "all its targets are there, though one was drawn as absent"
    elif any(t not in image.present for t in q.targets):
        return "a target is not there, though none was drawn as absent"
    check = {"presence": _presence, "color": _color, "abspos": _abspos, "relpos": _relpos}
    return check[q.task](q, image)


def _presence(q: HonestQuestion, image: AnnotatedImage) -> str | None:
    right = "yes" if q.targets[0] in image.present else "no"
    return None if q.answer == right and not q.unanswerable else f"the boxes say {right}"


def _color(q: HonestQuestion, image: AnnotatedImage) -> str | None:
    gone = q.targets[0] not in image.present
    if gone:
        good = q.unanswerable and q.reason == "invisible" and "invisible" in q.answer
        return None if good else "an absent object has no colour to tell"
    if q.unanswerable:
        grey = q.image.startswith("pan/") or image.modality == "panchromatic"
        good = q.reason == "panchromatic" and grey and "panchromatic" in q.answer
        return None if good else "refused without a grey image"
    return "a colour is told of a grey image" if q.image.startswith("pan/") else None


def _options(q: HonestQuestion, refusal: str) -> str | None:
    if len(q.options) != 5 or len(set(q.options)) != 5:
        return "a choice needs five different options"
    if q.options.count(refusal) != 1:
        return "the refusal is not among the options exactly once"
    if q.answer not in LETTERS:
        return f"the answer {q.answer!r} is no letter"
    said = all(f"{k}: {o}" in q.question for k, o in zip(LETTERS, q.options, strict=True))
    return None if said else "the question does not list its options"


def _abspos(q: HonestQuestion, image: AnnotatedImage) -> str | None:
    why = _options(q, INVISIBLE)
    if why:
        return why
    picked = q.options[LETTERS.index(q.answer)]
    if q.targets[0] not in image.present:
        return None if picked == INVISIBLE and q.unanswerable else "an absent object has no place"
    box = only_box(image, q.targets[0])
    right = place_of(box, image.size) if box is not None else None
    return None if picked == right and not q.unanswerable else f"the box lies {right}"


def _relpos(q: HonestQuestion, image: AnnotatedImage) -> str | None:
    why = _options(q, INVISIBLE_PAIR)
    if why:
        return why
    picked = q.options[LETTERS.index(q.answer)]
    if any(t not in image.present for t in q.targets):
        good = picked == INVISIBLE_PAIR and q.unanswerable
        return None if good else "an absent object has no relation"
    a, b = (only_box(image, t) for t in q.targets)
    right = relation_of(a, b, image.size) if a is not None and b is not None else None
    said = f"To the {right} of the {words(q.targets[1])}"
    return None if picked == said and not q.unanswerable else f"the boxes lie {right}"


def _not_popular(
    q: HonestQuestion,
    image: AnnotatedImage,
    statistics: ClassStatistics,
    asked: dict[tuple[str, str, str], list[str]],
) -> str | None:
    before = asked.setdefault((image.id, q.task, q.strategy), [])
    target = _absent_target(q, image)
    free = sorted(image.absent - set(before))
    if target is None or target not in free:
        return "its absent class was asked about before"
    best = min(free, key=lambda c: (-statistics.images[c], c))
    before.append(target)
    return None if target == best else f"{best} is more frequent than {target}"
