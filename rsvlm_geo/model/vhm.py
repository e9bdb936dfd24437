"""VHM's tasks: the words it was trained to be asked with, and its answers read back. Pure.

Each question is preceded by a tag in braces: ``{CLS}`` scene classification, ``{VQA}`` RSVQA,
``{VG}`` grounding, ``{IDK}`` the honest tasks (presence, colour, positions), ``{IT}`` the rest;
captions have none. Coordinates are thousandths of the side of the square image.

References:
    opendatalab/VHM and fitzpchao/RSEvalKit (prompts and answer forms).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from rsvlm_geo.answers import is_degenerate, parse_number
from rsvlm_geo.model.formats import FoundBoxes, ParseError, parse_boxes

__all__ = ["TASKS", "Outline", "Refusal", "VhmTask", "parse_choice", "parse_refusal", "vhm_prompt"]

PERMILLE = 1000
_IMAGE_TYPES = ("Color image", "False color image", "Panchromatic image", "SAR image")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The honest no."""

    reason: str
    """A name of :data:`rsvlm_geo.answers.REASONS`."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A building's outline."""

    points: tuple[tuple[int, int], ...]
    """``(x, y)`` in thousandths, the first point repeated at the end."""


@dataclass(frozen=True, slots=True)
class VhmTask:
    """One task of VHM."""

    name: str
    tag: str
    """Without braces; empty for captions."""
    prompt: str
    """With the names of what it needs in braces."""
    parse: Callable[[str, Sequence[str]], Any]
    """``(text, options)`` to the typed answer, a :class:`Refusal`, or a :class:`ParseError`."""
    format: Callable[[Any], str]
    """The typed answer as the model would write it."""


def vhm_prompt(task: str, **needs: object) -> str:
    """The question of a task, tag included.

    Args:
        task: A name of :data:`TASKS`.
        needs: What its prompt names: ``target``, ``options``, ``question``, ...

    Raises:
        KeyError: Something it needs is not given.
    """
    row = TASKS[task]
    words = row.prompt.format(**needs)
    return f"{{{row.tag}}} {words}" if row.tag else words


def parse_refusal(text: str) -> Refusal | None:
    """The reason a text gives for not answering, or None when it does not refuse."""
    if re.search(r"\bpanchromatic\b.*\b(impossible|cannot|can't|unable)\b", text, re.I | re.S):
        return Refusal("panchromatic")
    if re.search(r"\binvisible\b|\bnot visible\b", text, re.I):
        return Refusal("invisible")
    return None


def parse_choice(text: str, options: Sequence[str]) -> str | Refusal | ParseError:
    """The option a text picks, by its letter or its words.

    Args:
        text: ``D``, ``D.``, ``(D)``, ``D: left``, ``The answer is D``, or an option's own words.
        options: In order of their letters; one that says "invisible" is the refusal.
    """
    said = text.strip()
    letters = "ABCDEFGHIJ"[: len(options)]
    by_words = [o for o in options if o.lower() == said.rstrip(".").lower()]
    match = re.fullmatch(
        rf"(?:(?:the\s+)?(?:correct\s+)?answer(?:\s+is)?\s*:?\s*)?"
        rf"\(?([{letters}])\)?\s*(?:[.:)]\s*(?P<words>.*))?",
        said, re.I | re.S,
    )  # fmt: skip
    chosen: str | None = None
    if by_words:
        chosen = by_words[0]
    elif match and match[1].isupper():
        chosen = options[letters.index(match[1])]
        words = (match["words"] or "").strip().rstrip(".")
        if words and words.lower() != chosen.rstrip(".").lower():
            return ParseError(text, f"says {match[1]} and {words!r}, which is not that option")
    if chosen is None:
        return ParseError(text, f"no option among {', '.join(letters)}")
    return parse_refusal(chosen) or chosen


def _text(text: str, options: Sequence[str]) -> str | ParseError:
    return ParseError(text, "empty or caught in a loop") if is_degenerate(text) else text.strip()


def _class(text: str, options: Sequence[str]) -> str | ParseError:
    said = _bare(text)
    known = {_bare(o): o for o in options}
    if said in known:
        return known[said]
    if options:
        return ParseError(text, "none of the given classes")
    return _text(text, options)


def _answer(text: str, options: Sequence[str]) -> str | ParseError:
    if is_degenerate(text):
        return ParseError(text, "empty or caught in a loop")
    return text.strip().rstrip(".").lower()


def _presence(text: str, options: Sequence[str]) -> bool | ParseError:
    match = re.match(r"\s*(yes|no)\b(?!\s*(?:or|/))", text, re.I)
    if match is None or is_degenerate(text):
        return ParseError(text, "neither yes nor no")
    return match[1].lower() == "yes"


def _count(text: str, options: Sequence[str]) -> int | ParseError:
    value = parse_number(text)
    if value is None or value < 0 or not value.is_integer():
        return ParseError(text, "not one whole number")
    return int(value)


def _gsd(text: str, options: Sequence[str]) -> float | ParseError:
    value = parse_number(text)
    if value is None or value <= 0:
        return ParseError(text, "not one positive number of metres")
    return value


_MEASURE = re.compile(
    r"length\D*?(?P<length>\d+(?:\.\d+)?)\s*m\b.*?width\D*?(?P<width>\d+(?:\.\d+)?)\s*m\b",
    re.I | re.S,
)


def _measure(text: str, options: Sequence[str]) -> tuple[float, float] | ParseError:
    found = _MEASURE.findall(text)
    if len(found) != 1:
        return ParseError(text, "not one length and one width in metres")
    return float(found[0][0]), float(found[0][1])


def _format_measure(value: tuple[float, float]) -> str:
    return (
        f"The actual length of this object is: {value[0]:g}m, "
        f"and the actual width is: {value[1]:g}m."
    )


_OUTLINE = re.compile(r"<\s*(\d+)\s*>\s*in number.*?\[(?P<points>[^\[\]]*)\]", re.S)
_POINT = re.compile(r"\(\s*(\d+)\s*,\s*(\d+)\s*\)")


def _outline(text: str, options: Sequence[str]) -> Outline | ParseError:
    match = _OUTLINE.search(text)
    if match is None:
        return ParseError(text, "no <n> in number ... [(x, y), ...]")
    points = tuple((int(x), int(y)) for x, y in _POINT.findall(match["points"]))
    if _POINT.sub("", match["points"]).strip(" ,\n"):
        return ParseError(text, "more than points in the list")
    if len(points) != int(match[1]):
        return ParseError(text, f"promises {int(match[1])} points, lists {len(points)}")
    if len(points) < 4 or points[0] != points[-1]:
        return ParseError(text, "not a closed ring")
    if any(value > PERMILLE for point in points for value in point):
        return ParseError(text, f"a point leaves the image (0..{PERMILLE})")
    return Outline(points)


def _format_outline(value: Outline) -> str:
    points = ", ".join(f"({x}, {y})" for x, y in value.points)
    return (
        "The vectorized key points of the outline of this building are "
        f"<{len(value.points):02d}> in number, with specific point coordinates at [{points}]."
    )


def _labels(text: str, options: Sequence[str]) -> tuple[str, ...] | ParseError:
    known = {_bare(o): o for o in options}
    said = [_bare(part) for part in text.split(",")]
    if not text.strip() or any(part not in known for part in said):
        return ParseError(text, "a category that was not given")
    return tuple(dict.fromkeys(known[part] for part in said))


def _colour(text: str, options: Sequence[str]) -> str | Refusal | ParseError:
    return parse_refusal(text) or _answer(text, options)


def _ground(text: str, options: Sequence[str]) -> FoundBoxes | Refusal | ParseError:
    refusal = parse_refusal(text)
    return refusal if refusal is not None else parse_boxes("vhm", text, PERMILLE)


def _format_ground(value: FoundBoxes) -> str:
    from rsvlm_geo.model.formats import format_boxes

    return format_boxes("vhm", value.boxes, value.labels, PERMILLE)


def _image_type(text: str, options: Sequence[str]) -> str | Refusal | ParseError:
    return parse_choice(text, options or _IMAGE_TYPES)


def _bare(text: str) -> str:
    return " ".join(re.sub(r"[_\W]+", " ", text.lower()).split())


_MCQ = "{question} {options}"

TASKS: Mapping[str, VhmTask] = MappingProxyType(
    {
        task.name: task
        for task in (
            VhmTask("caption", "", "Please describe the remote sensing image.", _text, str),
            VhmTask("classify", "CLS",
                    "Classify the image within one of the given classes: {options}.", _class, str),
            VhmTask("vqa", "VQA", "{question}", _answer, str),
            VhmTask("ground", "VG", "{target}", _ground, _format_ground),
            VhmTask("count", "IT", "How many {targets} are there in the image? Just answer the "
                    "number.", _count, str),
            VhmTask("gsd", "IT", "What is the spatial resolution of this remote sensing image in "
                    "meters per pixel?", _gsd, lambda value: f"{value:g}"),
            VhmTask("image_type", "IT", "What type of image is this? A. Color image "
                    "B. False color image C. Panchromatic image D. SAR image", _image_type,
                    lambda value: "ABCD"[_IMAGE_TYPES.index(value)]),
            VhmTask("measure", "IT", "Can you provide the specific measurements for the "
                    "{target}'s length and width?", _measure, _format_measure),
            VhmTask("outline", "IT", "Please output the outlines of buildings in the vicinity of "
                    "[{box}].", _outline, _format_outline),
            VhmTask("land_cover", "IT", "What land cover types are visible in this remote sensing "
                    "image? Answer it using the below category words or phases:{options}.",
                    _labels, ", ".join),
            VhmTask("presence", "IDK", "Is there a {target} in the image? Just answer yes or no.",
                    _presence, lambda value: "yes" if value else "no"),
            VhmTask("colour", "IDK", "What is the actual color of the {target} in the remote "
                    "sensing image? If this question is unanswerable, please provide the reason.",
                    _colour, str),
            VhmTask("position", "IDK", _MCQ, parse_choice, str),
            VhmTask("relation", "IDK", _MCQ, parse_choice, str),
        )
    }
)  # fmt: skip
"""Presence, colour, position and relation are the honest ones: each may be refused."""
