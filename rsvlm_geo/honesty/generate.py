"""Boxes to honest questions, seeded: the same boxes and seed give the same set."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from rsvlm_geo.annotated import AnnotatedImage
from rsvlm_geo.errors import DataError
from rsvlm_geo.honesty.colours import COLOURS, colour_of_class, read_rgb
from rsvlm_geo.honesty.negatives import STRATEGIES, ClassStatistics, pick_absent
from rsvlm_geo.honesty.questions import (
    DIRECTIONS,
    INVISIBLE,
    INVISIBLE_PAIR,
    LETTERS,
    PLACES,
    HonestQuestion,
    a_or_an,
    lettered,
    only_box,
    place_of,
    relation_of,
    words,
)

__all__ = ["Settings", "generate_questions"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How much of what to make."""

    seed: int = 0
    tasks: tuple[str, ...] = ("presence", "color", "abspos", "relpos")
    strategies: tuple[str, ...] = STRATEGIES
    per_image: int = 3
    """Positives, and negatives of each strategy, of a task in one image, at most."""
    panchromatic: bool = True
    """Also ask the colours of objects in grey copies."""
    colours: bool = True
    """Read the images' pixels for colour questions; without it only the unanswerable are made."""

    def __post_init__(self) -> None:
        unknown = set(self.tasks) - {"presence", "color", "abspos", "relpos"}
        unknown |= set(self.strategies) - set(STRATEGIES)
        if unknown or self.per_image < 1:
            raise DataError(f"cannot make {', '.join(sorted(unknown)) or 'no'} questions an image")


def generate_questions(
    images: Sequence[AnnotatedImage], settings: Settings | None = None
) -> Iterator[HonestQuestion]:
    """Questions about every image, one after another.

    Each task of each image draws from its own generator, seeded by the settings, the image and
    the task: adding an image or leaving out a task changes no other question.
    """
    settings = settings or Settings()
    statistics = ClassStatistics.of(images)
    seen: set[str] = set()
    for image in images:
        if image.id in seen:
            raise DataError(f"two images are called {image.id!r}; ids must be unique")
        seen.add(image.id)
        for task in settings.tasks:
            key = zlib.crc32(f"{image.dataset}/{image.id}/{task}".encode())
            rng = np.random.default_rng([settings.seed, key])
            yield from _TASKS[task](image, statistics, rng, settings)


def _make(
    image: AnnotatedImage, task: str, number: int, question: str, answer: str,
    targets: tuple[str, ...], *, unanswerable: bool = False, strategy: str = "", reason: str = "",
    options: tuple[str, ...] = (), shown: str | None = None,
) -> HonestQuestion:  # fmt: skip
    kind = f"{task}_{strategy or reason or 'true'}"
    return HonestQuestion(
        f"{image.id}/{kind}/{number}", shown or image.path.name, image.id, task, question, answer,
        targets, unanswerable, strategy, reason, options, image.size,
    )  # fmt: skip


def _order(items: Sequence[str], rng: Generator) -> list[str]:
    return [items[int(i)] for i in rng.permutation(len(items))]


def _negatives(
    image: AnnotatedImage, statistics: ClassStatistics, rng: Generator, settings: Settings
) -> Iterator[tuple[str, int, str]]:
    """``(strategy, number, absent class)``, as many as there are positives, at most."""
    present = _order(sorted(image.present), rng)
    for strategy in settings.strategies:
        asked: list[str] = []
        for number in range(max(1, min(settings.per_image, len(present)))):
            partner = present[number % len(present)] if present else None
            absent = pick_absent(image, strategy, statistics, rng, asked=asked, partner=partner)
            if absent is None:
                break
            asked.append(absent)
            yield strategy, number, absent


def _presence(
    image: AnnotatedImage, statistics: ClassStatistics, rng: Generator, settings: Settings
) -> Iterator[HonestQuestion]:
    def ask(label: str) -> str:
        return f"Is there {a_or_an(words(label))} in the image? Just answer yes or no."

    for number, label in enumerate(_order(sorted(image.present), rng)[: settings.per_image]):
        yield _make(image, "presence", number, ask(label), "yes", (label,))
    for strategy, number, absent in _negatives(image, statistics, rng, settings):
        yield _make(image, "presence", number, ask(absent), "no", (absent,), strategy=strategy)


def _color(
    image: AnnotatedImage, statistics: ClassStatistics, rng: Generator, settings: Settings
) -> Iterator[HonestQuestion]:
    def ask(label: str) -> str:
        return (
            f"What is the actual color of the {words(label)} in the remote sensing image? "
            "If this question is unanswerable, please provide the reason."
        )

    present = _order(sorted(image.present), rng)[: settings.per_image]
    if settings.colours and image.modality == "color" and present:
        rgb = read_rgb(image.path)
        for number, label in enumerate(present):
            colour = colour_of_class(image, rgb, label)
            if colour in COLOURS:
                yield _make(image, "color", number, ask(label), str(colour), (label,))
    grey = image.modality == "panchromatic"
    if settings.panchromatic and (grey or image.modality == "color"):
        answer = (
            "The image provided is panchromatic, which makes it impossible to determine the actual "
            "colors."
        )
        shown = None if grey else f"pan/{image.path.stem}.png"
        for number, label in enumerate(present):
            yield _make(
                image, "color", number, ask(label), answer, (label,), unanswerable=True,
                reason="panchromatic", shown=shown,
            )  # fmt: skip
    for strategy, number, absent in _negatives(image, statistics, rng, settings):
        gone = f"The {words(absent)} is invisible in the provided image"
        answer = f"{gone}, so I cannot provide an answer."
        yield _make(
            image, "color", number, ask(absent), answer, (absent,), unanswerable=True,
            strategy=strategy, reason="invisible",
        )  # fmt: skip


def _choice(right: str, others: Sequence[str], refusal: str, rng: Generator) -> tuple[str, ...]:
    """Five options in a uniformly random order; the refusal is one of them, always."""
    wrong = [o for o in others if o != right]
    n = 3 if right != refusal else 4
    picked = [wrong[int(i)] for i in rng.choice(len(wrong), n, replace=False)]
    options = [*dict.fromkeys([right, refusal]), *picked]
    return tuple(_order(options, rng))


def _abspos(
    image: AnnotatedImage, statistics: ClassStatistics, rng: Generator, settings: Settings
) -> Iterator[HonestQuestion]:
    def make(label: str, number: int, right: str, strategy: str) -> HonestQuestion:
        options = _choice(right, PLACES, INVISIBLE, rng)
        ask = f"Where is the {words(label)} located in the image?"
        gone = right == INVISIBLE
        return _make(
            image, "abspos", number, lettered(ask, options), LETTERS[options.index(right)],
            (label,), unanswerable=gone, strategy=strategy, reason="invisible" if gone else "",
            options=options,
        )  # fmt: skip

    number = 0
    for label in _order(sorted(image.present), rng):
        box = only_box(image, label)
        place = place_of(box, image.size) if box is not None else None
        if place is not None and number < settings.per_image:
            yield make(label, number, place, "")
            number += 1
    for strategy, i, absent in _negatives(image, statistics, rng, settings):
        yield make(absent, i, INVISIBLE, strategy)


def _relpos(
    image: AnnotatedImage, statistics: ClassStatistics, rng: Generator, settings: Settings
) -> Iterator[HonestQuestion]:
    def make(a: str, b: str, number: int, right: str | None, strategy: str) -> HonestQuestion:
        said = [f"To the {d} of the {words(b)}" for d in DIRECTIONS]
        gone = right is None
        answer = INVISIBLE_PAIR if right is None else f"To the {right} of the {words(b)}"
        options = _choice(answer, said, INVISIBLE_PAIR, rng)
        ask = f"Where is the {words(a)} in relation to the {words(b)}?"
        return _make(
            image, "relpos", number, lettered(ask, options), LETTERS[options.index(answer)], (a, b),
            unanswerable=gone, strategy=strategy, reason="invisible" if gone else "",
            options=options,
        )  # fmt: skip

    single = [label for label in _order(sorted(image.present), rng) if only_box(image, label)]
    number = 0
    for i, a in enumerate(single):
        for b in single[i + 1 :]:
            one, other = only_box(image, a), only_box(image, b)
            if one is None or other is None or number >= settings.per_image:
                continue
            direction = relation_of(one, other, image.size)
            if direction is not None:
                yield make(a, b, number, direction, "")
                number += 1
    present = sorted(image.present)
    for strategy, i, absent in _negatives(image, statistics, rng, settings):
        if present:
            there = present[int(rng.integers(len(present)))]
            pair = (absent, there) if rng.random() < 0.5 else (there, absent)
            yield make(*pair, i, None, strategy)


_TASKS = {"presence": _presence, "color": _color, "abspos": _abspos, "relpos": _relpos}
