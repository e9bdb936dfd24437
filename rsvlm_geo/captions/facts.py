"""What annotations say of an image, as facts that can be looked for in a caption."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rsvlm_geo.annotated import PLACES, AnnotatedImage, Box, class_name, relation_of
from rsvlm_geo.captions.lexicon import (
    LABELS,
    SYNONYMS,
    VOCABULARY,
    label_class,
    noun,
    number_word,
    scene_words,
)
from rsvlm_geo.metrics.captions import tokenize

__all__ = ["Fact", "facts_of", "kept", "truth_of"]

_AT = {
    "top left": "at the top left", "top": "at the top", "top right": "at the top right",
    "left": "on the left", "center": "in the center", "right": "on the right",
    "bottom left": "at the bottom left", "bottom": "at the bottom",
    "bottom right": "at the bottom right",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """One true statement."""

    kind: str
    """scene, count, place, relation, extent, label, gsd, platform or modality."""
    subject: str
    """The class it is about; empty for the image."""
    phrase: str
    """How the rules say it."""
    needs: tuple[tuple[str, ...], ...]
    """Groups of alternatives: the fact is kept when one sentence holds one of every group."""
    near: bool = False
    """Whether the second group must follow the first within three words (a number, its noun)."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"kind": self.kind, "subject": self.subject, "phrase": self.phrase}


def truth_of(image: AnnotatedImage) -> frozenset[str]:
    """Everything the annotations allow a caption to name."""
    names = set(image.present)
    for name in image.present:  # a minibus is a bus, if that is the word the captions have
        names.update(VOCABULARY.find(name.replace("_", " ")))
    for label in image.labels or ():
        names.add(label_class(label))
    if image.scene is not None:
        names.update(scene_words(image.scene)[2])
    if names & {"tennis_court", "basketball_court"}:
        names.add("court")
    return frozenset(names)


def _forms(label: str) -> tuple[str, ...]:
    out = []
    for word in (label, *SYNONYMS.get(label, ())):
        out += [noun(word, 1), noun(word, 2)]
    return tuple(dict.fromkeys(out))


def _where(boxes: Sequence[Box], size: tuple[int, int]) -> str | None:
    """The ninth, the half, or the spread of some objects; None when none of them says it."""
    spots = {
        (min(int(b.centre[0] * 3 / size[0]), 2), min(int(b.centre[1] * 3 / size[1]), 2))
        for b in boxes
    }
    if len(spots) == 1:
        x, y = spots.pop()
        return _AT[PLACES[3 * y + x]]
    shares = [(b.centre[0] / size[0], b.centre[1] / size[1]) for b in boxes]
    for i, (low, high) in enumerate((("left", "right"), ("top", "bottom"))):
        if all(s[i] < 0.48 for s in shares):
            return f"in the {low} half"
        if all(s[i] > 0.52 for s in shares):
            return f"in the {high} half"
    return "spread over the image" if len(boxes) >= 4 and len(spots) >= 4 else None


def _place_words(where: str) -> tuple[str, ...]:
    core = where.removeprefix("at the ").removeprefix("in the ").removeprefix("on the ")
    if core == "spread over the image":
        return ("spread", "scattered", "distributed", "throughout", "across the image")
    upper = core.replace("top", "upper").replace("bottom", "lower")
    alike = {core, upper, core.replace("center", "middle"), core.replace("center", "centre")}
    return tuple(sorted(alike))


def _group(boxes: Sequence[Box]) -> Box:
    return Box(
        boxes[0].label,
        (
            min(b.bbox[0] for b in boxes), min(b.bbox[1] for b in boxes),
            max(b.bbox[2] for b in boxes), max(b.bbox[3] for b in boxes),
        ),
    )  # fmt: skip


def metres(value: float) -> str:
    """Two significant digits: ``0.3``, ``12``, ``140``."""
    digits = 1 - math.floor(math.log10(value)) if value > 0 else 0
    return f"{round(value, digits):g}"


def facts_of(image: AnnotatedImage) -> tuple[Fact, ...]:
    """The facts of an image, the scene first.

    Counts are stated only of classes all of whose objects are boxed; for the others their being
    there is a label.
    """
    out: list[Fact] = []
    if image.scene is not None:
        phrase = scene_words(image.scene)[0]
        bare = phrase.removeprefix("a ").removeprefix("an ")
        # a longer phrase of the scene is kept when its head is
        out.append(Fact("scene", image.scene, phrase, ((bare, bare.split(" with ")[0]),)))
    groups: dict[str, list[Box]] = {}
    for box in image.boxes:
        groups.setdefault(box.label, []).append(box)
    for label, boxes in groups.items():
        n = len(boxes)
        if label in image.complete:
            words: tuple[str, ...] = (
                (number_word(n), str(n), *(("a", "an", "single") if n == 1 else ()))
                if n <= 10
                else ("many", str(n), "numerous")
            )
            out.append(
                Fact("count", label, f"{number_word(n)} {noun(label, n)}",
                     (words, _forms(label)), near=True)
            )  # fmt: skip
        else:
            out.append(Fact("label", label, noun(label, 2), (_forms(label),)))
        if label not in image.complete:
            continue  # the others of its kind may lie anywhere
        where = _where(boxes, image.size)
        if where is not None:
            out.append(Fact("place", label, where, (_place_words(where), _forms(label))))
        if image.gsd_m:
            long = max(max(b.bbox[2] - b.bbox[0], b.bbox[3] - b.bbox[1]) for b in boxes)
            span = f"{metres(long * image.gsd_m)} m"
            out.append(Fact("extent", label, f"about {span}", ((span,), _forms(label))))
    names = [name for name in groups if name in image.complete]
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            direction = relation_of(_group(groups[a]), _group(groups[b]), image.size)
            if direction is not None and max(len(groups[a]), len(groups[b])) <= 10:
                said = _place_words(direction)
                out.append(Fact("relation", f"{a}/{b}", direction, (said, _forms(a), _forms(b))))
    covered = set(groups)
    named = covered | set(scene_words(image.scene)[2] if image.scene is not None else ())
    if named & {"tennis_court", "basketball_court"}:
        covered.add("court")
    for label in sorted(image.labels or ()):
        name = label_class(label)
        if name not in covered and not (image.scene and name in scene_words(image.scene)[2]):
            read = LABELS.get(class_name(label), noun(name, 2))
            out.append(Fact("label", name, read, ((read, *_forms(name)),)))
    out += _image_facts(image)
    return tuple(out)


def _image_facts(image: AnnotatedImage) -> list[Fact]:
    out = []
    if image.gsd_m:
        said = f"{metres(image.gsd_m)} m"
        out.append(Fact("gsd", "", said, ((said, f"{metres(image.gsd_m)} meter"),)))
    platform = platform_of(image)
    if platform:
        out.append(Fact("platform", "", platform, ((platform,),)))
    if image.modality != "color":
        words = image.modality.replace("_", " ")
        out.append(Fact("modality", "", words, ((words, "grayscale", "greyscale"),)))
    return out


def platform_of(image: AnnotatedImage) -> str | None:
    """``satellite`` or ``aerial``, from the sensor's name or the GSD; None between 0.25 and 5 m."""
    sensor = (image.sensor or "").lower()
    if any(k in sensor for k in ("s2", "sentinel", "landsat", "modis", "worldview", "planet")):
        return "satellite"
    if any(k in sensor for k in ("ultracam", "uav", "drone", "dji", "adc", "naip")):
        return "aerial"
    if image.gsd_m is None:
        return None
    return "aerial" if image.gsd_m < 0.25 else "satellite" if image.gsd_m >= 5 else None


def kept(fact: Fact, sentences: Sequence[Sequence[str]]) -> bool:
    """Whether one sentence of a caption holds a fact.

    Args:
        fact: What to look for.
        sentences: Tokens of each sentence.
    """
    for tokens in sentences:
        line = " " + " ".join(tokens) + " "
        if fact.near:
            if _adjacent(tokens, line, fact.needs[0], fact.needs[1]):
                return True
        elif all(any(f" {_norm(w)} " in line for w in group) for group in fact.needs):
            return True
    return False


_NORMAL: dict[str, str] = {}


def _norm(words: str) -> str:
    known = _NORMAL.get(words)
    if known is None:
        known = _NORMAL[words] = " ".join(tokenize(words))
    return known


def _adjacent(
    tokens: Sequence[str], line: str, numbers: Sequence[str], nouns: Sequence[str]
) -> bool:
    for word in nouns:
        form = _norm(word)
        if f" {form} " not in line:
            continue
        parts = form.split()
        for i in range(len(tokens) - len(parts) + 1):
            if list(tokens[i : i + len(parts)]) == parts and any(
                n in tokens[max(0, i - 3) : i] for n in numbers
            ):
                return True
    return False
