"""What is true of one view of an image: the ground the questions and captions are written from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from rsvlm_geo.model.mini_colour import box_colour
from rsvlm_geo.training import augment, data, splits
from rsvlm_geo.training.lexicon import GSDS, PLACES

LABEL_OF = {"car": "cars", "tree": "trees", "ship": "ship", "mobile_home": "mobile-home"}
"""Object class -> UCM's multi-label that says that one is there."""


@dataclass(frozen=True, slots=True)
class Facts:
    """True statements about a 256 px tile."""

    domain: str
    """``fine`` or ``coarse``."""
    scene: str | None
    """UCM or EuroSAT class, or None."""
    labels: frozenset[str] | None
    """UCM multi-labels present; None where they are not known."""
    boxes: NDArray[np.float32]
    """float32[n, 4] in px of the tile."""
    classes: NDArray[np.int64]
    known: NDArray[np.float32]
    """float32[8]: 1 where all objects of the class are in ``boxes``."""
    grey: bool
    gsd_m: float
    colours: tuple[str, ...]
    """Colour name of each box's middle, ``?`` where it is unclear."""

    def count(self, name: str) -> int | None:
        """Number of objects, or None when not known."""
        c = splits.OBJECTS.index(name)
        n = int((self.classes == c).sum())
        return n if self.known[c] > 0 else None

    def present(self, name: str) -> bool | None:
        """Whether any is there, or None when not known."""
        c = splits.OBJECTS.index(name)
        if (self.classes == c).any():
            return True
        return False if self.known[c] > 0 else self._by_label(name)

    def _by_label(self, name: str) -> bool | None:
        label = LABEL_OF.get(name)
        if self.labels is None or label is None:
            return None
        return True if label in self.labels else None

    def place(self, name: str) -> str | None:
        """The ninth all objects of a class lie in; None when there is none or they spread."""
        b = self.boxes[self.classes == splits.OBJECTS.index(name)]
        spots = {place_of((q[0] + q[2]) / 512, (q[1] + q[3]) / 512) for q in b}
        return spots.pop() if len(spots) == 1 else None

    def colour(self, name: str) -> str | None:
        """The colour all objects of a class share, or None."""
        of = {
            c for c, k in zip(self.colours, self.classes, strict=True)
            if k == splits.OBJECTS.index(name)
        }  # fmt: skip
        only = of.pop() if len(of) == 1 else "?"
        return None if only == "?" else only


def place_of(x: float, y: float) -> str:
    """Which ninth a point lies in; x right, y down, both 0..1."""
    return PLACES[3 * min(int(y * 3), 2) + min(int(x * 3), 2)]


def base_gsd(sample: data.Sample) -> float:
    """Metres per pixel of the stored image; for the car sets judged from the cars' length."""
    return {"ucm": 0.3, "eurosat": 10.0, "aerial_cars": 0.13, "rsvqa": 0.15}.get(sample.set, 0.1)


def nearest_gsd(gsd_m: float) -> float:
    """The step of the scale that questions and answers use."""
    return min(GSDS, key=lambda g: abs(np.log(g / gsd_m)))


def make_view(
    sample: data.Sample, rng: Generator, *, plain: bool = False
) -> tuple[NDArray[np.uint8], Facts]:
    """A 256 px view of an image and what is true of it.

    Args:
        sample: An image of any set.
        rng: Draws scale, place, turn and damage.
        plain: No damage and the native scale, as for validation; a random place where the image is
            larger than a tile.
    """
    h, w = sample.image.shape[:2]
    whole = sample.set in ("ucm", "eurosat")
    if whole:
        zoom = 1.0 if plain or rng.random() < 0.4 else float(rng.uniform(0.9, 1.25))
        span = h / zoom
    else:
        zoom = 1.0 if plain else float(rng.uniform(0.55, 1.25))
        span = min(256.0 / zoom, float(min(h, w)))
    x0 = float(rng.uniform(min(0.0, w - span), max(0.0, w - span)))
    y0 = float(rng.uniform(min(0.0, h - span), max(0.0, h - span)))
    image = augment.crop(sample.image, (x0, y0, x0 + span, y0 + span), 256, rng)
    scale = 256 / span
    boxes = ((sample.boxes - np.array([x0, y0, x0, y0])) * scale).astype(np.float32)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    cut = boxes.clip(0, 256)
    seen = (cut[:, 2] - cut[:, 0]).clip(0) * (cut[:, 3] - cut[:, 1]).clip(0)
    keep = seen > area / 3
    k, flip = (0, False) if plain else (int(rng.integers(4)), bool(rng.random() < 0.5))
    image = augment.turn_image(image, k, flip)
    cut = augment.turn_boxes(cut[keep], k, flip, 256)
    grey = bool(rng.random() < 0.12)
    if not plain:
        image = augment.spoil(image, rng, corner=0.03)
    colours = tuple("?" if grey else box_colour(image, b) for b in cut)
    if grey:
        mono = (image @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
        image = np.repeat(mono[:, :, None], 3, 2)
    grey = grey or float((image.max(2) - image.min(2)).mean()) < 1.0
    row = sample.row
    coarse = sample.set == "eurosat"
    labels = frozenset(row["labels"]) if "labels" in row else None
    facts = Facts(
        "coarse" if coarse else "fine", row.get("class"), labels, cut, sample.labels[keep],
        sample.known, grey, nearest_gsd(2.5 if coarse else base_gsd(sample) / scale), colours,
    )  # fmt: skip
    return image, facts


def with_grey(facts: Facts, grey: bool) -> Facts:
    """The same facts of a grey copy."""
    return replace(facts, grey=grey, colours=tuple("?" for _ in facts.colours))
