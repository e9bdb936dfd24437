"""What the facts of scene and model already answer, before a pixel is shown. Pure.

An honest refusal that needs no model: an object smaller than two pixels, a scene outside the
scale the model knows, a class it was never taught, colour asked of a scene that has none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rsvlm_geo.answers import Reason
from rsvlm_geo.errors import TaskError
from rsvlm_geo.tasks import class_phrase
from rsvlm_geo.vlm import GSD_ROUNDING, ModelInfo, Question

__all__ = ["Gate", "check_tasks", "gate"]

_COLOR = re.compile(
    r"\b(colou?r(?:s|ed|ful)?|hue|red|green|blue|yellow|orange|purple|pink|brown|turquoise|cyan)\b",
    re.I,
)
_COLOR_TASKS = ("ask", "presence")
_NYQUIST_PX = 2.0


@dataclass(frozen=True, slots=True)
class Gate:
    """Why a question is refused everywhere in a scene."""

    reason: Reason
    why: str
    """One sentence with the numbers."""


def check_tasks(questions: Sequence[Question], info: ModelInfo) -> None:
    """Raise TaskError for a task that this model does not do at all."""
    for question in questions:
        if question.task not in info.tasks:
            raise TaskError(
                f"{info.name} does not do {question.task!r}; "
                f"it does {', '.join(sorted(info.tasks))}"
            )


def gate(
    question: Question,
    info: ModelInfo,
    *,
    native_gsd_m: float | None,
    read_gsd_m: float | None,
    panchromatic: bool,
) -> Gate | None:
    """The rule that refuses a question about a whole scene, or None.

    Args:
        question: What is asked.
        info: What the model knows.
        native_gsd_m: Metres per pixel of the scene; None when unknown, then scale is not judged.
        read_gsd_m: Metres per pixel of the image the model is shown.
        panchromatic: Whether the scene has one band.
    """
    if panchromatic and question.task in _COLOR_TASKS and _COLOR.search(question.text):
        return Gate("panchromatic", "the scene has one band, so nothing in it has a colour")
    known = info.find_class(question.target) if question.target else None
    if question.target and known is None and info.classes:
        names = ", ".join(class_phrase(item.name) for item in info.classes)
        return Gate(
            "out_of_scope",
            f"{info.name} was not taught {class_phrase(question.target)!r}; it knows {names}",
        )
    if native_gsd_m is None:
        return None
    if info.scale_for(native_gsd_m) is None:
        finest, coarsest = info.gsd_range_m
        words = (
            f"{native_gsd_m:.3g} m per pixel; {info.name} was measured from "
            f"{finest:g} to {coarsest:g} m"
        )
        return Gate("below_gsd" if native_gsd_m > coarsest else "out_of_scope", words)
    if known is None:
        return None
    shown = max(native_gsd_m, read_gsd_m or native_gsd_m)
    name = class_phrase(known.name)
    if known.min_size_m is not None and known.min_size_m < _NYQUIST_PX * shown:
        return Gate(
            "below_gsd",
            f"a {name} of {known.min_size_m:g} m covers under two pixels of {shown:.3g} m",
        )
    if known.max_gsd_m is not None and shown > known.max_gsd_m * GSD_ROUNDING:
        return Gate(
            "below_gsd",
            f"{info.name} finds a {name} up to {known.max_gsd_m:g} m per pixel; this is "
            f"{shown:.3g} m",
        )
    return None
