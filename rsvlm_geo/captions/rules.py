"""Captions by rule (stage 1a): five perspectives of one image, and the text the relay is given.

Wording varies by the image's name, so that it is varied over a set and the same in every run.
Nothing is said that is not a fact of the annotations.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from rsvlm_geo.annotated import AnnotatedImage
from rsvlm_geo.captions.facts import Fact, platform_of
from rsvlm_geo.captions.lexicon import noun, scene_words

__all__ = ["PERSPECTIVES", "fuse_by_rule", "rule_captions", "rule_text", "say_list"]

PERSPECTIVES = ("attributes", "objects", "layout", "relations", "scene")


def say_list(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _pick(image: AnnotatedImage, slot: str, choices: Sequence[str]) -> str:
    return choices[zlib.crc32(f"{slot}/{image.dataset}/{image.id}".encode()) % len(choices)]


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _by_kind(facts: Sequence[Fact], kind: str) -> list[Fact]:
    return [f for f in facts if f.kind == kind]


def _counted(facts: Sequence[Fact], *, places: bool) -> list[str]:
    """``three cars on the left`` for each counted class, most notable (fewest) first."""
    out = []
    for fact in _by_kind(facts, "count"):
        said = fact.phrase
        where = next(
            (f.phrase for f in facts if f.kind == "place" and f.subject == fact.subject), ""
        )
        out.append(f"{said} {where}".strip() if places else said)
    return out


def _is_are(phrase: str) -> str:
    return "is" if phrase.startswith(("one ", "a ", "an ")) else "are"


def _view(image: AnnotatedImage) -> str:
    """``an aerial color image``."""
    platform = platform_of(image) or "overhead"
    kind = image.modality.replace("_", " ")
    article = "an" if platform[0] in "aeiou" else "a"
    return f"{article} {platform} {kind} image"


def _fine(image: AnnotatedImage) -> str:
    if not image.gsd_m:
        return ""
    return "high" if image.gsd_m <= 1 else "medium" if image.gsd_m < 5 else "low"


def attributes(image: AnnotatedImage, facts: Sequence[Fact]) -> str:
    """What kind of image it is, and of what."""
    gsd = next((f.phrase for f in facts if f.kind == "gsd"), None)
    view, of, scale, comma = _view(image), _subject(image, facts), "", ""
    if gsd is not None:
        scale = _pick(image, "gsd", (
            f" of {_fine(image)} resolution, {gsd} per pixel", f" at {gsd} per pixel",
            f" with a {_fine(image)} resolution of {gsd}",
        ))  # fmt: skip
        comma = f", at {gsd} per pixel"
    return _sentence(_pick(image, "attributes", (
        f"This is {view}{scale}, showing {of}", f"{view} of {of}{comma}",
        f"{view}{scale}; it shows {of}",
    )))  # fmt: skip


def _subject(image: AnnotatedImage, facts: Sequence[Fact]) -> str:
    if image.scene is not None:
        return scene_words(image.scene)[0]
    counted = [f.phrase for f in _by_kind(facts, "count")]
    seen = counted or [f.phrase for f in _by_kind(facts, "label")]
    return say_list(seen) if seen else "the ground from above"


def objects(image: AnnotatedImage, facts: Sequence[Fact]) -> str:
    """Which objects, and how many."""
    counted = _counted(facts, places=False)
    labels = [f.phrase for f in _by_kind(facts, "label")]
    parts = []
    if counted:
        there = "there is" if _is_are(counted[0]) == "is" else "there are"
        parts.append(_pick(image, "objects", (
            f"{there} {say_list(counted)}", f"{say_list(counted)} can be seen",
            f"the image contains {say_list(counted)}", f"one can count {say_list(counted)}",
        )))  # fmt: skip
    if labels:
        parts.append(_pick(image, "labels", (
            f"{say_list(labels)} can be seen", f"the image shows {say_list(labels)}",
            f"visible are {say_list(labels)}",
        )))  # fmt: skip
    if not parts:
        phrase = _subject(image, facts)
        parts.append(_pick(image, "cover", (
            f"{phrase} can be seen", f"the image contains {phrase}", f"what is visible is {phrase}",
        )))  # fmt: skip
    return " ".join(_sentence(p) for p in parts)


def layout(image: AnnotatedImage, facts: Sequence[Fact]) -> str:
    """Where things lie in the image."""
    spots = []
    for fact in _by_kind(facts, "count"):
        where = next(
            (f.phrase for f in facts if f.kind == "place" and f.subject == fact.subject), None
        )
        if where is not None:
            verb = _pick(image, f"verb {fact.subject}", ("lie", "are", "are located"))
            verb = "are" if where.startswith("spread") else verb
            verb = {"lie": "lies", "are": "is", "are located": "is located"}[verb] if _is_are(
                fact.phrase) == "is" else verb  # fmt: skip
            spots.append(f"{fact.phrase} {verb} {where}")
    if spots:
        return _sentence("; ".join(spots))
    phrase = _subject(image, facts)
    return _sentence(_pick(image, "layout", (
        f"seen from above: {phrase}", f"a view straight down on {phrase}",
        f"an overhead view of {phrase}",
    )))  # fmt: skip


def relations(image: AnnotatedImage, facts: Sequence[Fact]) -> str:
    """How objects lie to each other, and how large they are."""
    parts = []
    for fact in _by_kind(facts, "relation")[:4]:
        a, b = fact.subject.split("/")
        one, other = (len(image.of(x)) for x in (a, b))
        verb = "is" if one == 1 else "are"
        parts.append(f"the {noun(a, one)} {verb} to the {fact.phrase} of the {noun(b, other)}")
    for fact in _by_kind(facts, "extent")[:4]:
        n = len(image.of(fact.subject))
        name = noun(fact.subject, 1)
        parts.append(
            f"the {name} spans {fact.phrase}"
            if n == 1
            else f"the largest {name} spans {fact.phrase}"
        )
    if parts:
        return " ".join(_sentence(p) for p in parts)
    phrase, labels = _subject(image, facts), [f.phrase for f in _by_kind(facts, "label")]
    if labels and image.scene is not None:
        return _sentence(_pick(image, "beside", (
            f"apart from {phrase}, {say_list(labels)} can be seen",
            f"{phrase} together with {say_list(labels)}",
            f"{phrase}, and also {say_list(labels)}",
        )))  # fmt: skip
    gsd = next((f.phrase for f in facts if f.kind == "gsd"), None)
    scale = f" at a scale of {gsd} per pixel" if gsd else ""
    return _sentence(_pick(image, "whole", (
        f"taken as a whole, the image shows {phrase}{scale}",
        f"{phrase}, seen as a whole{scale}", f"the tile as a whole shows {phrase}{scale}",
    )))  # fmt: skip


def scene(image: AnnotatedImage, facts: Sequence[Fact]) -> str:
    """What the place is, and what it is for."""
    if image.scene is None:
        phrase = _subject(image, facts)
        return _sentence(_pick(image, "scene", (
            f"the scene is characterized by {phrase}", f"a scene with {phrase}",
            f"what stands out in this scene is {phrase}",
        )))  # fmt: skip
    phrase, use, _ = scene_words(image.scene)
    return _sentence(_pick(image, "scene", (
        f"the scene is {phrase}: {use}", f"{phrase}; {use}",
        f"what the image shows is {phrase}, and {use}",
    )))  # fmt: skip


def rule_captions(image: AnnotatedImage, facts: Sequence[Fact]) -> dict[str, str]:
    """Perspective -> its caption, by rule."""
    makers = (attributes, objects, layout, relations, scene)
    return {name: make(image, facts) for name, make in zip(PERSPECTIVES, makers, strict=True)}


def rule_text(image: AnnotatedImage, facts: Sequence[Fact]) -> str:
    """All facts in plain sentences: what the relay hands to a model with the image."""
    parts = [attributes(image, facts)]
    for text in (objects(image, facts), layout(image, facts), relations(image, facts)):
        parts += [text] if text not in parts else []
    return " ".join(parts)


def fuse_by_rule(image: AnnotatedImage, facts: Sequence[Fact]) -> str:
    """One comprehensive caption that holds every fact and nothing else, by rule.

    Scene first, then objects with number and place, what else is there, how things lie to each
    other and how large they are, and the image's attributes last.
    """
    parts = []
    counted = _counted(facts, places=True)
    labels = [f.phrase for f in _by_kind(facts, "label")]
    view = _view(image)
    if image.scene is not None:
        parts.append(f"{view} shows {scene_words(image.scene)[0]}")
        if counted:
            there = "there is" if _is_are(counted[0]) == "is" else "there are"
            parts.append(f"{there} {say_list(counted)}")
    elif counted:
        parts.append(f"{view} shows {say_list(counted)}")
    elif not labels:
        parts.append(f"{view} shows the ground from above")
    if labels and parts:
        parts.append(f"{say_list(labels)} can also be seen")
    elif labels:
        parts.append(f"{view} shows {say_list(labels)}")
    for fact in _by_kind(facts, "relation"):
        a, b = fact.subject.split("/")
        one, other = (len(image.of(x)) for x in (a, b))
        verb = "lies" if one == 1 else "lie"
        parts.append(f"the {noun(a, one)} {verb} to the {fact.phrase} of the {noun(b, other)}")
    for fact in _by_kind(facts, "extent"):
        n = len(image.of(fact.subject))
        which = "the" if n == 1 else "the largest"
        parts.append(f"{which} {noun(fact.subject, 1)} spans {fact.phrase}")
    gsd = next((f.phrase for f in facts if f.kind == "gsd"), None)
    if gsd is not None:
        parts.append(f"the resolution is {_fine(image)}, {gsd} per pixel")
    return " ".join(_sentence(p) for p in parts)
