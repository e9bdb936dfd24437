"""One honest question, and the geometry its answer comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rsvlm_geo.annotated import DIRECTIONS, PLACES, AnnotatedImage, Box, place_of, relation_of

__all__ = [
    "DIRECTIONS",
    "INVISIBLE",
    "INVISIBLE_PAIR",
    "LETTERS",
    "PLACES",
    "HonestQuestion",
    "a_or_an",
    "place_of",
    "relation_of",
    "words",
]

LETTERS = "ABCDE"
INVISIBLE = "Sorry, the object is invisible"
INVISIBLE_PAIR = "Sorry, at least one object is invisible"


@dataclass(frozen=True, slots=True)
class HonestQuestion:
    """A question with its answer and why it is that."""

    id: str
    image: str
    """File name of the image that is shown: the grey copy for panchromatic questions."""
    source: str
    """Id of the annotated image it was made from."""
    task: str
    """``presence``, ``color``, ``abspos`` or ``relpos``."""
    question: str
    answer: str
    """``yes``/``no``, a colour, a letter, or the refusal's own words."""
    targets: tuple[str, ...]
    """Classes asked about."""
    unanswerable: bool
    strategy: str = ""
    """How an absent class was chosen; empty where all targets are there."""
    reason: str = ""
    """``invisible`` or ``panchromatic`` for what must be refused."""
    options: tuple[str, ...] = ()
    """Of a choice, A to E."""
    size: tuple[int, int] = (0, 0)
    """``(width, height)``, pixels."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> HonestQuestion:
        """The other way round."""
        row = dict(row)
        for name in ("targets", "options", "size"):
            row[name] = tuple(row[name])
        return cls(**row)


def words(label: str) -> str:
    """``storage_tank`` -> ``storage tank``."""
    return label.replace("_", " ")


def a_or_an(noun: str) -> str:
    """``an airplane``, ``a car``."""
    return ("an " if noun[:1] in "aeiou" else "a ") + noun


def only_box(image: AnnotatedImage, label: str) -> Box | None:
    """The one object of a class, when there is exactly one and all of the class are boxed."""
    boxes = image.of(label)
    return boxes[0] if len(boxes) == 1 and label in image.complete else None


def lettered(question: str, options: Sequence[str]) -> str:
    """A question with its options, in the published form."""
    listed = " ".join(f"{letter}: {o}" for letter, o in zip(LETTERS, options, strict=True))
    return f"{question} {listed}"
