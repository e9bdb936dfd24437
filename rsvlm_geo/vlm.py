"""The seam between a scene and whatever answers about it. Pure.

Every verb takes ``model=`` anything with the shape of :class:`Vlm`: an ONNX pack, a remote
endpoint, or an oracle in a test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import AnswerError

__all__ = ["GSD_ROUNDING", "ClassInfo", "ModelInfo", "Question", "Reply", "ScaleRule", "Vlm"]

GSD_ROUNDING = 1.02
"""Tiles are whole pixels of the scene, so the GSD shown differs a little from the one asked for:
a class is looked for up to this many times its ``max_gsd_m``, by the rules and by the models."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is put to the model about one image."""

    task: str
    """A name of :data:`rsvlm_geo.tasks.TASKS`."""
    text: str
    """The words of the question, without any model's chat template."""
    target: str | None = None
    """The class asked about, for tasks that have one (count, locate, presence)."""
    candidates: tuple[str, ...] | None = None
    """The closed set of answers, scored by likelihood; None for free text."""
    gsd_m: float | None = None
    """Metres per pixel of the image the model is shown."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model says to one question about one image."""

    text: str
    """The model's own words, unparsed."""
    candidates: Mapping[str, float] | None = None
    """Answer -> calibrated probability over the question's closed set, or None."""
    boxes: NDArray[np.float64] | None = None
    """float64[n, 4], ``(x0, y0, x1, y1)`` pixel edges of the model's image, or None."""
    labels: tuple[str, ...] = ()
    """The class of each box."""
    scores: NDArray[np.float64] | None = None
    """float64[n], probability of each box, or None."""
    p_unanswerable: float | None = None
    """Calibrated probability that the image cannot answer this question, or None."""
    reason: str | None = None
    """Why not, when the model itself knows: a name of :data:`rsvlm_geo.answers.REASONS`."""
    value: float | None = None
    """A number the model computes beside its words (an expected count), or None."""
    confidence: float | None = None
    """Calibrated probability that the reply is right, where ``candidates`` do not say; or None."""

    def __post_init__(self) -> None:
        n = 0 if self.boxes is None else len(self.boxes)
        if self.boxes is not None and self.boxes.shape != (n, 4):
            raise AnswerError(f"boxes must be float64[n, 4]; got shape {self.boxes.shape}")
        if len(self.labels) != n or (self.scores is not None and len(self.scores) != n):
            raise AnswerError(
                f"{n} boxes need {n} labels and scores; got {len(self.labels)} labels and "
                f"{'no' if self.scores is None else len(self.scores)} scores"
            )


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """A class the model can find, and when."""

    name: str
    """Singular, lower case, underscores: ``storage_tank``."""
    max_gsd_m: float | None = None
    """Coarsest metres per pixel at which it was measured to be found; None when unknown."""
    size_m: float | None = None
    """Largest usual extent in metres: the margin that tiles need to see it whole."""
    min_size_m: float | None = None
    """Smallest usual extent in metres: under two pixels it cannot be seen."""
    read_gsd_m: float | None = None
    """Coarsest metres per pixel it is looked for at: a coarser scene is enlarged to it, as in
    training, by whoever lays the tiles, or by the model itself. None: as the scene is."""
    synonyms: tuple[str, ...] = ()
    """Other words a person may use for it."""


@dataclass(frozen=True, slots=True)
class ScaleRule:
    """At which GSD a scene of some native GSD is shown to the model."""

    native_gsd_m: tuple[float, float]
    """``(finest, coarsest)`` native metres per pixel this rule is for."""
    gsd_m: tuple[float, float]
    """``(finest, coarsest)`` metres per pixel of the model's image: the native GSD, clipped."""
    domain: str = "any"
    """Which closed set of scene classes holds at this scale."""
    scene_gsd_m: float | None = None
    """Coarsest metres per pixel wanted when the whole tile is judged (classify, caption): a tile
    must hold a place, not a corner of one. None: no wish."""

    def read_gsd_m(self, native_gsd_m: float, wanted_m: float = 0.0) -> float:
        """Metres per pixel at which to read a scene of this native GSD.

        Args:
            native_gsd_m: Of the scene.
            wanted_m: Read at least this coarse, where the rule allows it.
        """
        return min(max(native_gsd_m, wanted_m, self.gsd_m[0]), self.gsd_m[1])


_EMPTY: Mapping[str, float] = MappingProxyType({})
_NO_CLASSES: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a model is, knows, and may be asked."""

    name: str
    image_size: int
    """Side of the square image it is shown, pixels."""
    tasks: frozenset[str]
    """Names of :data:`rsvlm_geo.tasks.TASKS` it answers."""
    classes: tuple[ClassInfo, ...] = ()
    """Objects it can count and locate; empty means an open vocabulary."""
    scene_classes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NO_CLASSES)
    """Domain of a scale rule -> scene classes; empty means an open vocabulary."""
    scales: tuple[ScaleRule, ...] = ()
    """Empty means: any GSD, shown as it is."""
    refuse_above: Mapping[str, float] = field(default_factory=lambda: _EMPTY)
    """Task -> refuse when ``p_unanswerable`` is above; 0.5 where a task is not named."""
    min_confidence: Mapping[str, float] = field(default_factory=lambda: _EMPTY)
    """Task -> refuse as ``low_confidence`` when the best answer is below; never where not named."""
    version: str = "0"
    sha256: str = ""
    """Of the whole pack; empty for a model that is not a pack."""
    licence: str = ""
    provider: str = ""
    """The ONNX Runtime execution provider that is really active, or where it runs."""
    batch: int = 8
    """Images it likes to be shown at once."""

    @property
    def gsd_range_m(self) -> tuple[float, float]:
        """``(finest, coarsest)`` native metres per pixel it may be asked about."""
        if not self.scales:
            return 0.0, float("inf")
        return (
            min(rule.native_gsd_m[0] for rule in self.scales),
            max(rule.native_gsd_m[1] for rule in self.scales),
        )

    def scale_for(self, native_gsd_m: float) -> ScaleRule | None:
        """The rule for a native GSD, or None when the model should not be asked at all."""
        if not self.scales:
            return ScaleRule((0.0, float("inf")), (native_gsd_m, native_gsd_m))
        for rule in self.scales:
            low, high = rule.native_gsd_m
            if low <= native_gsd_m <= high:
                return rule
        return None

    def find_class(self, word: str) -> ClassInfo | None:
        """The class a word means: its name, plural or a synonym; None when it is not known."""
        wanted = _normalise(word)
        for info in self.classes:
            names = {_normalise(info.name), *(_normalise(s) for s in info.synonyms)}
            if wanted in names or any(wanted == _plural(name) for name in names):
                return info
        return None

    def near_class(self, word: str) -> ClassInfo | None:
        """The class that a word nearly spells, for a hint; None when none is near."""
        named = {_normalise(n): info for info in self.classes for n in (info.name, *info.synonyms)}
        found = get_close_matches(_normalise(word), named, n=1, cutoff=0.7)
        return named[found[0]] if found else None


@runtime_checkable
class Vlm(Protocol):
    """Anything that answers questions about images of the Earth."""

    @property
    def info(self) -> ModelInfo:
        """What it is and may be asked."""
        ...

    def ask(self, images: NDArray[np.uint8], questions: Sequence[Question]) -> list[list[Reply]]:
        """Answer every question about every image; each image is encoded once.

        Args:
            images: uint8[B, S, S, 3], RGB, ``S = info.image_size``.
            questions: Asked of every image.

        Returns:
            One list per image, one reply per question, in order.
        """
        ...


def _normalise(word: str) -> str:
    return " ".join(word.lower().replace("_", " ").replace("-", " ").split())


def _plural(word: str) -> str:
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"
