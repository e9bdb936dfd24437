"""One honest question, and the geometry its answer comes from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rsvlm_geo.annotated import AnnotatedImage, Box

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

PLACES = (
    "top left", "top", "top right", "left", "center", "right", "bottom left", "bottom",
    "bottom right",
)  # fmt: skip
"""The 3 x 3 grid, row-major."""
DIRECTIONS = (
    "right", "bottom right", "bottom", "bottom left", "left", "top left", "top", "top right",
)  # fmt: skip
"""Eight sectors of 45 degrees, clockwise from the right (y grows downwards)."""
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


def place_of(box: Box, size: tuple[int, int], *, margin: float = 0.03) -> str | None:
    """The ninth an object's centre lies in; None within ``margin`` of a border between ninths.

    Args:
        box: The object.
        size: ``(width, height)``, pixels.
        margin: Share of the side.
    """
    spot = []
    for value, side in zip(box.centre, size, strict=True):
        share = value / side
        if min(abs(share - 1 / 3), abs(share - 2 / 3)) < margin:
            return None
        spot.append(min(int(share * 3), 2))
    return PLACES[3 * spot[1] + spot[0]]


def relation_of(a: Box, b: Box, size: tuple[int, int], *, margin_deg: float = 6.0) -> str | None:
    """Where ``a`` lies seen from ``b``; None when the boxes overlap or a border is near.

    Args:
        a, b: Two objects.
        size: ``(width, height)``, pixels.
        margin_deg: Least distance to the border between two directions, degrees.
    """
    wide = min(a.bbox[2], b.bbox[2]) - max(a.bbox[0], b.bbox[0])
    high = min(a.bbox[3], b.bbox[3]) - max(a.bbox[1], b.bbox[1])
    if wide > 0 and high > 0:
        return None
    dx, dy = a.centre[0] - b.centre[0], a.centre[1] - b.centre[1]
    if math.hypot(dx, dy) < 0.05 * max(size):
        return None
    angle = math.degrees(math.atan2(dy, dx)) % 360
    off = (angle + 22.5) % 45
    if min(off, 45 - off) < margin_deg:
        return None
    return DIRECTIONS[int(((angle + 22.5) % 360) // 45)]


def only_box(image: AnnotatedImage, label: str) -> Box | None:
    """The one object of a class, when there is exactly one and all of the class are boxed."""
    boxes = image.of(label)
    return boxes[0] if len(boxes) == 1 and label in image.complete else None


def lettered(question: str, options: Sequence[str]) -> str:
    """A question with its options, in the published form."""
    listed = " ".join(f"{letter}: {o}" for letter, o in zip(LETTERS, options, strict=True))
    return f"{question} {listed}"
