"""What differs between families of models: their image tokens, positions, and words for a task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.model.formats import ParseError, parse_boxes
from rsvlm_geo.model.preprocess import Prepared
from rsvlm_geo.model.vhm import parse_refusal
from rsvlm_geo.tasks import class_phrase
from rsvlm_geo.vlm import Question

__all__ = ["FAMILIES", "Family", "expand_crops", "mrope_positions", "task_words"]

Ids = NDArray[np.int64]
_TALK = frozenset({"caption", "classify", "count", "presence", "ask"})
_DETECT = frozenset({"caption", "count", "locate", "presence"})


@dataclass(frozen=True, slots=True)
class Family:
    """One architecture."""

    model_type: str
    image_token: str | None
    """The token that stands for image features, as the tokenizer spells it; None where images are
    not among the tokens."""
    tasks: frozenset[str]
    """Product tasks it is asked when the card does not say."""
    answers: str = "talk"
    """A name of :data:`WORDS`: how tasks are put to it."""
    boxes: str | None = None
    """A name of :data:`rsvlm_geo.model.formats.CONVENTIONS`."""
    first_position: int = 0
    both_ways: bool = False
    """Question and image see each other both ways, so no prefix can be shared."""


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.model_type: family
        for family in (
            Family("llava", "<image>", _TALK),
            Family("idefics3", "<image>", _TALK),
            Family("smolvlm", "<image>", _TALK),
            Family("qwen2_vl", "<|image_pad|>", _TALK | {"locate"}, "qwen2", "qwen2"),
            Family("qwen2_5_vl", "<|image_pad|>", _TALK | {"locate"}, "qwen2_5", "qwen2_5"),
            Family("paligemma", "<image>", _TALK | {"locate"}, "paligemma", "paligemma", 1, True),
            Family("florence2", None, _DETECT, "florence", "florence"),
            Family("blip", None, frozenset({"caption"}), "bare"),
            Family("git", None, frozenset({"caption"}), "bare"),
            Family("vision-encoder-decoder", None, frozenset({"caption"}), "bare"),
        )
    }
)


def expand_crops(prepared: Prepared, tokens: int) -> str:
    """Idefics3's text for one image: each crop named by its place, then the whole image.

    Args:
        prepared: How the image was split.
        tokens: Image tokens of each crop.
    """
    rows, columns = prepared.crops
    image = "<image>" * tokens
    whole = f"<fake_token_around_image><global-img>{image}<fake_token_around_image>"
    if rows == 0:
        return whole
    lines = [
        "".join(
            f"<fake_token_around_image><row_{r + 1}_col_{c + 1}>{image}" for c in range(columns)
        )
        for r in range(rows)
    ]
    return "\n".join(lines) + "\n\n" + whole


def mrope_positions(ids: Ids, image_id: int, grids: NDArray[np.int64], merge: int) -> Ids:
    """Qwen-VL's positions: text counts on alike in time, row and column; an image spans a block.

    Args:
        ids: int64[S].
        image_id: The token that stands for image features.
        grids: int64[images, 3], frames, rows and columns of patches.
        merge: Patches merged into a token, per side.

    Returns:
        int64[3, S].
    """
    positions = np.zeros((3, len(ids)), np.int64)
    at, following = 0, 0
    for grid in grids.tolist():
        images = np.flatnonzero(ids[at:] == image_id)
        if not len(images):
            break
        start = at + int(images[0])
        positions[:, at:start] = following + np.arange(start - at)
        following += start - at
        frames, rows, columns = grid[0], grid[1] // merge, grid[2] // merge
        count = frames * rows * columns
        block = np.indices((frames, rows, columns)).reshape(3, -1)
        positions[:, start : start + count] = following + block
        following += max(frames, rows, columns)
        at = start + count
    positions[:, at:] = following + np.arange(len(ids) - at)
    return positions


@dataclass(frozen=True, slots=True)
class Words:
    """How a product task is put to a model."""

    text: Callable[[Question], str]
    boxes: bool = False
    """The answer is boxes in the family's convention, whatever the task."""
    max_new_tokens: int = 128


def _as_asked(question: Question) -> str:
    return question.text


def _tagged(tag: str) -> Callable[[Question], str]:
    return lambda question: f"{{{tag}}} {question.text}"


def _vhm_classes(question: Question) -> str:
    options = ", ".join(question.candidates or ())
    words = "Classify the image within one of the given classes"
    return f"{{CLS}} {words}: {options}." if options else f"{{CLS}} {question.text}"


def _vhm_ground(question: Question) -> str:
    return f"{{VG}} {class_phrase(question.target or '')}"


def _target(pattern: str, *, plural: bool = False) -> Callable[[Question], str]:
    return lambda question: pattern.format(class_phrase(question.target or "", plural=plural))


_TALK_WORDS = {
    "caption": Words(_as_asked),
    "classify": Words(_as_asked, max_new_tokens=24),
    "count": Words(_as_asked, max_new_tokens=16),
    "presence": Words(_as_asked, max_new_tokens=8),
    "ask": Words(_as_asked),
}
WORDS: Mapping[str, Mapping[str, Words]] = MappingProxyType(
    {
        "talk": _TALK_WORDS,
        "bare": {"caption": Words(lambda question: "")},
        "vhm": {
            "caption": Words(_as_asked, max_new_tokens=512),
            "classify": Words(_vhm_classes, max_new_tokens=24),
            "count": Words(_tagged("IT"), max_new_tokens=16),
            "locate": Words(_vhm_ground, boxes=True),
            "presence": Words(_tagged("IDK"), max_new_tokens=8),
            "ask": Words(_tagged("VQA")),
        },
        "geochat": {
            **_TALK_WORDS,
            "locate": Words(_target("[refer] Give me the location of <p> {} </p>"), boxes=True),
        },
        "qwen2": {
            **_TALK_WORDS,
            "locate": Words(_target("Detect all {} in the image.", plural=True), boxes=True,
                            max_new_tokens=512),
        },
        "qwen2_5": {
            **_TALK_WORDS,
            "locate": Words(
                _target("Locate every {} in the image and report the bbox coordinates in JSON "
                        "format."), boxes=True, max_new_tokens=768),
        },
        "paligemma": {
            "caption": Words(lambda question: "caption en", max_new_tokens=64),
            "classify": Words(lambda q: f"answer en {q.text}", max_new_tokens=24),
            "count": Words(_target("answer en How many {} are there?", plural=True),
                           max_new_tokens=16),
            "presence": Words(_target("answer en Is there a {}?"), max_new_tokens=8),
            "locate": Words(_target("detect {}"), boxes=True),
            "ask": Words(lambda q: f"answer en {q.text}"),
        },
        "florence": {
            "caption": Words(lambda question: "Describe in detail what is shown in the image."),
            "count": Words(_target("Locate {} in the image."), boxes=True, max_new_tokens=512),
            "locate": Words(_target("Locate {} in the image."), boxes=True, max_new_tokens=512),
            "presence": Words(_target("Locate {} in the image."), boxes=True, max_new_tokens=512),
        },
        "falcon": {
            "caption": Words(lambda question: "Describe in detail what is shown in the image."),
            "locate": Words(_target("Detect all {} in the image.", plural=True), boxes=True,
                            max_new_tokens=512),
        },
    }
)  # fmt: skip
"""A card's ``answers`` -> product task -> words."""

CONVENTION_OF: Mapping[str, str] = MappingProxyType(
    {"vhm": "vhm", "geochat": "geochat", "falcon": "falcon"}
)


def task_words(answers: str, question: Question) -> Words | None:
    """How a question is put to models of one kind, or None when they are not asked that."""
    return WORDS.get(answers, _TALK_WORDS).get(question.task)


def read_boxes(
    convention: str, text: str, question: Question, image_size: int
) -> tuple[NDArray[np.float64], tuple[str, ...]] | str | None:
    """Boxes and labels in a text; a reason when it refuses; None when it cannot be read."""
    refusal = parse_refusal(text)
    if refusal is not None:
        return refusal.reason
    found = parse_boxes(convention, text, image_size)
    if isinstance(found, ParseError):
        return None
    name = question.target or "object"
    return found.boxes, tuple(label or name for label in found.labels)
