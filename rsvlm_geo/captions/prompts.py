"""What models are asked, in our own words; each prompt is known by the hash of its text."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

__all__ = ["CAPTION", "PERSPECTIVE", "merge_prompt", "prompt_hash", "relay_prompt"]

CAPTION = (
    "Write one paragraph that describes this image of the Earth's surface taken from above. Begin "
    "with the kind of image (taken from a satellite or an aircraft, color or panchromatic, fine or "
    "coarse) and the scene as a whole. Then describe the objects you can tell with confidence: "
    "what they are, how many, their color, shape and size, where in the image they lie, and how "
    "they lie to each other. Leave out anything you are not sure of. Do not guess names, places or "
    "dates, do not use lists, and do not say whether it is beautiful."
)
"""For captions from the image alone; keeps the published principles in words of our own."""

PERSPECTIVE = {
    "attributes": (
        "In one or two sentences, say what kind of image this is: taken from a satellite or an "
        "aircraft, color or panchromatic, fine or coarse, and what ground it shows. Only what you "
        "can see."
    ),
    "objects": (
        "In one or two sentences, name the objects in this image seen from above, with their "
        "number, color and size. Only objects you are sure of."
    ),
    "layout": (
        "In one or two sentences, describe where the things in this image lie and how they lie to "
        "each other. Only what you can see."
    ),
    "scene": (
        "In one or two sentences, say what place this image shows from above and what it is used "
        "for. Only what you can see."
    ),
}
"""One caption a perspective (stage 1c)."""


def relay_prompt(rule_text: str) -> str:
    """Stage 1b: the rules' text goes to the model together with the image."""
    return (
        f"These statements about the image are true: {rule_text} Rewrite them as one fluent "
        "description of the image. You may add color, shape and texture that you can see. Keep "
        "every number and every position. Do not add any object that is not in the statements."
    )


def merge_prompt(texts: Sequence[str], facts: Sequence[str]) -> str:
    """Stage 2: several descriptions become one."""
    listed = " ".join(f"({i}) {t}" for i, t in enumerate(texts, 1))
    sure = "; ".join(facts)
    return (
        f"Here are {len(texts)} descriptions of one image: {listed} These facts are certain: "
        f"{sure}. Write one paragraph that joins the descriptions. Keep all certain facts. Where "
        "descriptions disagree, follow the facts; where the facts are silent, leave it out. Do not "
        "add any object. Do not use lists."
    )


def prompt_hash(text: str) -> str:
    """The first twelve digits of its sha256, for provenance."""
    return sha256(text.encode()).hexdigest()[:12]
