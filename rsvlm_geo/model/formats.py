"""How models write boxes, and reading them back. Pure.

Every convention goes both ways: pixel edges of the model's square image to the model's text, and
back. What is not exactly a convention's text is a :class:`ParseError`, a value: never a guess.

========== ===================================================== =============== =================
name       text                                                  units           who
========== ===================================================== =============== =================
vhm        ``[[x0, y0, x1, y1], ...]``                           thousandths     VHM
geochat    ``<p>car</p> {<x0><y0><x1><y1>|<angle>}``             hundredths      GeoChat
falcon     ``car<box><x0><y0><x1><y1></box>``                    thousandths     Falcon
florence   ``car<loc_x0><loc_y0><loc_x1><loc_y1>``               1000 bins       Florence-2
paligemma  ``<loc y0><loc x0><loc y1><loc x1> car ; ...``        1024 bins       PaliGemma
qwen2      ``<|object_ref_start|>car<|object_ref_end|>``         thousandths     Qwen2-VL
           ``<|box_start|>(x0,y0),(x1,y1)<|box_end|>``
qwen2_5    ``[{"bbox_2d": [x0, y0, x1, y1], "label": "car"}]``   pixels          Qwen2.5-VL
========== ===================================================== =============== =================
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CONVENTIONS", "Convention", "FoundBoxes", "ParseError", "format_boxes", "parse_boxes"]

Boxes = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ParseError:
    """A text that is not what its task asks for; kept, so that it can be shown."""

    text: str
    why: str


@dataclass(frozen=True, slots=True)
class FoundBoxes:
    """What a text says about places."""

    boxes: Boxes
    """float64[n, 4], ``(x0, y0, x1, y1)`` pixel edges of the model's image."""
    labels: tuple[str, ...]
    """One for each box, empty strings where the text names none."""
    angles: tuple[float, ...] = ()
    """Degrees, one for each box, where the convention has them; empty otherwise."""


@dataclass(frozen=True, slots=True)
class Convention:
    """One way to write boxes."""

    name: str
    scale: float | None
    """The number that stands for the far edge; None: pixels."""
    write: Callable[[NDArray[np.int64], Sequence[str]], str]
    """Quantised boxes and labels to text."""
    read: Callable[[str], _Raw | str]
    """Text to numbers, labels and angles; a string says why not."""
    bins: bool = False
    """Numbers are bins ``0..scale-1``, which stand for their middles."""
    order: tuple[int, int, int, int] = (0, 1, 2, 3)
    """Where x0, y0, x1, y1 stand among a box's four numbers."""


_Raw = tuple[list[tuple[float, ...]], list[str], list[float]]


def format_boxes(
    convention: str, boxes: Boxes, labels: Sequence[str], image_size: int
) -> str:  # fmt: skip
    """Boxes as a model would write them.

    Args:
        convention: A name of :data:`CONVENTIONS`.
        boxes: float64[n, 4], pixel edges of the model's image.
        labels: One for each box; empty strings where there is none.
        image_size: Side of the model's image, pixels.
    """
    rule = CONVENTIONS[convention]
    scale = image_size if rule.scale is None else rule.scale
    units = np.asarray(boxes, np.float64).reshape(-1, 4) / image_size * scale
    whole = np.clip(np.floor(units), 0, scale - 1) if rule.bins else np.rint(units)
    return rule.write(whole.astype(np.int64)[:, list(_inverse(rule.order))], list(labels))


def parse_boxes(convention: str, text: str, image_size: int) -> FoundBoxes | ParseError:
    """The boxes a model wrote, or why they cannot be read.

    Args:
        convention: A name of :data:`CONVENTIONS`.
        text: The model's words.
        image_size: Side of the model's image, pixels.
    """
    rule = CONVENTIONS[convention]
    raw = rule.read(text)
    if isinstance(raw, str):
        return ParseError(text, raw)
    numbers, labels, angles = raw
    scale = image_size if rule.scale is None else rule.scale
    units = np.array(numbers, np.float64).reshape(-1, 4)[:, list(rule.order)]
    limit = scale - 1 if rule.bins else scale
    if not np.isfinite(units).all() or (units < 0).any() or (units > limit).any():
        return ParseError(text, f"a box leaves the image (0..{limit:g})")
    if (units[:, :2] > units[:, 2:]).any():
        return ParseError(text, "a box ends before it begins")
    middle = 0.5 if rule.bins else 0.0
    return FoundBoxes((units + middle) / scale * image_size, tuple(labels), tuple(angles))


def _inverse(order: Sequence[int]) -> tuple[int, ...]:
    return tuple(order.index(place) for place in range(4))


_NUMBER = r"\s*(-?\d+(?:\.\d+)?)\s*"
_LIST = re.compile(rf"\[{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}\]")


def _write_lists(boxes: NDArray[np.int64], labels: Sequence[str]) -> str:
    return "[" + ", ".join("[" + ", ".join(map(str, b)) + "]" for b in boxes.tolist()) + "]"


def _read_lists(text: str) -> _Raw | str:
    body = text.strip().rstrip(".")
    if body in ("[]", "[[]]"):
        return [], [], []
    match = re.fullmatch(r"[^\[\]]*\[(?P<inner>\s*\[.*\]\s*)\][^\[\]\d]*", body, re.S)
    inner = match["inner"] if match else body
    if not match and not _LIST.fullmatch(body):
        return "no list of boxes [[x0, y0, x1, y1]]"
    rest = _LIST.sub("", inner)
    if rest.strip(" ,\n\t"):
        return f"more than boxes in the list: {rest.strip()[:40]!r}"
    numbers = [_floats(m.groups()) for m in _LIST.finditer(inner)]
    return numbers, [""] * len(numbers), []


_GEOCHAT = re.compile(
    r"(?:<p>\s*(?P<label>[^<>{}]*?)\s*</p>\s*)?"
    r"\{<(?P<a>\d+)><(?P<b>\d+)><(?P<c>\d+)><(?P<d>\d+)>(?:\|<(?P<angle>-?\d+)>?)?\}"
)


def _write_geochat(boxes: NDArray[np.int64], labels: Sequence[str]) -> str:
    parts = []
    for box, label in zip(boxes.tolist(), labels, strict=True):
        named = f"<p>{label}</p> " if label else ""
        parts.append(named + "{" + "".join(f"<{v}>" for v in box) + "|<0>}")
    return "<delim>".join(parts)


def _read_geochat(text: str) -> _Raw | str:
    numbers, labels, angles, label = [], [], [], ""
    for match in _GEOCHAT.finditer(text):
        label = match["label"] if match["label"] is not None else label
        numbers.append(_floats(match.group("a", "b", "c", "d")))
        labels.append(label)
        angles.append(float(match["angle"] or 0))
    rest = _GEOCHAT.sub("", text).replace("<delim>", "")
    if not numbers or re.search(r"[{}<>|]", rest):
        return "no boxes {<x0><y0><x1><y1>|<angle>}"
    return numbers, labels, angles


_FALCON = re.compile(r"(?P<label>[^<>]*)((?:<box>(?:<\d+>){4}</box>)+)")
_FALCON_BOX = re.compile(r"<box><(\d+)><(\d+)><(\d+)><(\d+)></box>")


def _write_falcon(boxes: NDArray[np.int64], labels: Sequence[str]) -> str:
    return "".join(
        f"{label}<box>" + "".join(f"<{v}>" for v in box) + "</box>"
        for box, label in zip(boxes.tolist(), labels, strict=True)
    )


_FLORENCE = re.compile(r"(?P<label>[^<>]*)((?:<loc_\d+>){4}(?:(?:<loc_\d+>){4})*)")
_FLORENCE_BOX = re.compile(r"<loc_(\d+)><loc_(\d+)><loc_(\d+)><loc_(\d+)>")


def _write_florence(boxes: NDArray[np.int64], labels: Sequence[str]) -> str:
    return "".join(
        label + "".join(f"<loc_{v}>" for v in box)
        for box, label in zip(boxes.tolist(), labels, strict=True)
    )


def _read_runs(text: str, run: re.Pattern[str], box: re.Pattern[str], form: str) -> _Raw | str:
    body = re.sub(r"</?s>|<pad>", "", text).strip()
    numbers: list[tuple[float, ...]] = []
    labels: list[str] = []
    for match in run.finditer(body):
        for found in box.finditer(match[2]):
            numbers.append(_floats(found.groups()))
            labels.append(match["label"].strip())
    if not numbers or run.sub("", body).strip():
        return f"no boxes {form}, or more than boxes"
    return numbers, labels, []


_PALIGEMMA = re.compile(r"\s*<loc(\d{4})><loc(\d{4})><loc(\d{4})><loc(\d{4})>\s*([^<>;]*?)\s*")


def _write_paligemma(boxes: NDArray[np.int64], labels: Sequence[str]) -> str:
    return " ; ".join(
        "".join(f"<loc{v:04d}>" for v in box) + (f" {label}" if label else "")
        for box, label in zip(boxes.tolist(), labels, strict=True)
    )


def _read_paligemma(text: str) -> _Raw | str:
    numbers, labels = [], []
    for part in text.strip().split(";"):
        match = _PALIGEMMA.fullmatch(part)
        if match is None:
            return "no boxes <locYYYY><locXXXX><locYYYY><locXXXX> label"
        numbers.append(_floats(match.groups()[:4]))
        labels.append(match[5])
    return numbers, labels, []


_QWEN2 = re.compile(
    r"(?:<\|object_ref_start\|>)?(?P<label>[^<>|()]*)(?:<\|object_ref_end\|>)?"
    r"(?:<\|box_start\|>)?"
    r"\((?P<a>\d+),\s*(?P<b>\d+)\),\s*\((?P<c>\d+),\s*(?P<d>\d+)\)"
    r"(?:<\|box_end\|>)?"
)


def _write_qwen2(boxes: NDArray[np.int64], labels: Sequence[str]) -> str:
    return "".join(
        (f"<|object_ref_start|>{label}<|object_ref_end|>" if label else "")
        + f"<|box_start|>({box[0]},{box[1]}),({box[2]},{box[3]})<|box_end|>"
        for box, label in zip(boxes.tolist(), labels, strict=True)
    )


def _read_qwen2(text: str) -> _Raw | str:
    body = text.replace("<|im_end|>", "").strip()
    numbers, labels = [], []
    for match in _QWEN2.finditer(body):
        numbers.append(_floats(match.group("a", "b", "c", "d")))
        labels.append(match["label"].strip(" ,\n"))
    if not numbers or _QWEN2.sub("", body).strip(" ,.\n"):
        return "no boxes (x0,y0),(x1,y1), or more than boxes"
    return numbers, labels, []


def _write_qwen2_5(boxes: NDArray[np.int64], labels: Sequence[str]) -> str:
    rows = [
        {"bbox_2d": box} | ({"label": label} if label else {})
        for box, label in zip(boxes.tolist(), labels, strict=True)
    ]
    return "```json\n" + json.dumps(rows) + "\n```"


def _read_qwen2_5(text: str) -> _Raw | str:
    match = re.fullmatch(r"\s*(?:```(?:json)?)?\s*(?P<body>[\[{].*[\]}])\s*(?:```)?\s*", text, re.S)
    if match is None:
        return "no JSON list of boxes"
    try:
        said: Any = json.loads(match["body"])
    except (ValueError, RecursionError):
        return "not JSON"
    rows = said if isinstance(said, list) else [said]
    numbers, labels = [], []
    for row in rows:
        box = row.get("bbox_2d") if isinstance(row, dict) else None
        if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
            return "an entry without a bbox_2d of four numbers"
        numbers.append(tuple(float(v) for v in box))
        label = row.get("label", "")
        labels.append(label if isinstance(label, str) else "")
    return numbers, labels, []


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _floats(parts: Sequence[str | Any]) -> tuple[float, ...]:
    return tuple(float(part) for part in parts)


CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            Convention("vhm", 1000, _write_lists, _read_lists),
            Convention("geochat", 100, _write_geochat, _read_geochat),
            Convention(
                "falcon", 1000, _write_falcon,
                lambda text: _read_runs(text, _FALCON, _FALCON_BOX, "<box>...</box>"),
            ),
            Convention(
                "florence", 1000, _write_florence,
                lambda text: _read_runs(text, _FLORENCE, _FLORENCE_BOX, "<loc_...>"), bins=True,
            ),
            Convention(
                "paligemma", 1024, _write_paligemma, _read_paligemma, bins=True, order=(1, 0, 3, 2)
            ),
            Convention("qwen2", 1000, _write_qwen2, _read_qwen2),
            Convention("qwen2_5", None, _write_qwen2_5, _read_qwen2_5),
        )
    }
)  # fmt: skip
