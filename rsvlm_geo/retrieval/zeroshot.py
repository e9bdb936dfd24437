"""Classes by words: zero-shot classification with several templates a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import TaskError
from rsvlm_geo.retrieval.embedder import Embedder, unit

__all__ = ["BACKGROUND", "TEMPLATES", "class_vectors", "zero_shot"]

TEMPLATES = (
    "an aerial image of {}.", "a satellite image of {}.", "a remote sensing image of {}.",
    "an overhead view of {}.", "a photo of {} from above.", "an aerial photograph showing {}.",
    "a satellite photo of {}.", "there is {} in the image.", "the scene is {}.",
    "an overhead color image shows {}.", "{} seen from above.", "a view straight down on {}.",
)  # fmt: skip
"""Our own wording of the usual dozens; any sequence with ``{}`` may be given instead."""

BACKGROUND = (
    "a forest", "a river", "open water of a sea or lake", "farmland", "a residential area",
    "a dense residential area", "an industrial area with large buildings",
    "a parking lot with cars",
    "an airport apron with parked aircraft", "a harbor with boats at the docks", "a freeway",
    "a road intersection", "a beach by the sea", "a golf course", "a baseball field",
    "an area with tennis courts", "an area of storage tanks", "a runway", "dry chaparral",
    "bare soil", "natural herbaceous vegetation", "pasture",
)  # fmt: skip
"""Descriptions that the words of a search are measured against."""


def class_vectors(
    embedder: Embedder,
    classes: Sequence[str],
    templates: Sequence[str] = TEMPLATES,
    *,
    average: Literal["open_clip", "rs5m"] = "open_clip",
) -> NDArray[np.float32]:
    """One unit vector a class: float32[classes, D].

    Args:
        embedder: Puts words into the space.
        classes: Names or phrases.
        templates: Each with one ``{}``.
        average: ``open_clip`` normalises each sentence before averaging, ``rs5m`` after: the
            published remote-sensing numbers were made both ways.
    """
    if not classes or any("{}" not in t for t in templates):
        raise TaskError("zero-shot needs at least one class, and templates with {} for its name")
    embed = embedder.embed_texts
    if average == "rs5m":
        raw = getattr(embedder, "embed_texts_raw", None)
        if raw is None:
            raise TaskError("this embedder gives unit vectors only; take average='open_clip'")
        embed = raw
    out = [
        embed([t.format(name.replace("_", " ")) for t in templates]).mean(axis=0)
        for name in classes
    ]
    return unit(np.stack(out))


def zero_shot(
    embedder: Embedder,
    images: NDArray[np.uint8],
    classes: Sequence[str],
    templates: Sequence[str] = TEMPLATES,
    *,
    temperature: float = 0.01,
) -> NDArray[np.float64]:
    """Probabilities of classes: float64[B, classes].

    Args:
        embedder: Puts images and words into one space.
        images: uint8[B, S, S, 3].
        classes: Names or phrases.
        templates: Each with one ``{}``.
        temperature: CLIP's own is 0.01.
    """
    table = embedder.embed_images(images) @ class_vectors(embedder, classes, templates).T
    logits = table.astype(np.float64) / temperature
    logits -= logits.max(axis=1, keepdims=True)
    odds = np.exp(logits)
    out: NDArray[np.float64] = odds / odds.sum(axis=1, keepdims=True)
    return out
