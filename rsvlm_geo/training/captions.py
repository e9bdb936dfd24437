"""Captions by rule: what the scene is, which objects, how many, where, on what ground.

Our own sentences (not UCM's), varied in wording. An object is named only when the labels say it is
there and the tower saw it: a caption then never teaches to say what cannot be seen.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from rsvlm_geo.training import splits
from rsvlm_geo.training.facts import Facts
from rsvlm_geo.training.lexicon import (
    EUROSAT_SAID,
    LABEL_SAID,
    NUMBER_WORDS,
    OBJECT_WORDS,
    PLACES,
    UCM_SAID,
)

COVER = ("buildings", "pavement", "grass", "trees", "bare-soil", "water", "sand", "sea", "dock",
         "ship", "cars", "chaparral", "field", "mobile-home")  # fmt: skip
NEEDLESS = {
    "airplane": {"airplane"}, "storagetanks": {"tanks"}, "tenniscourt": {"court"},
    "beach": {"sea", "sand"}, "harbor": {"dock", "ship", "water"}, "forest": {"trees"},
    "chaparral": {"chaparral"}, "agricultural": {"field"}, "river": {"water"},
    "parkinglot": {"cars"}, "mobilehomepark": {"mobile-home"}, "freeway": {"pavement"},
    "runway": {"pavement"}, "intersection": {"pavement"}, "overpass": {"pavement"},
}  # fmt: skip
"""What the name of a scene has already said."""


def say_list(words: list[str]) -> str:
    """``a, b and c``."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def say_number(n: int, noun: tuple[str, str]) -> str:
    """``one car``, ``seven cars``, ``several cars``, ``many trees``."""
    if n == 1:
        return "one " + noun[0]
    if n <= 10:
        return f"{NUMBER_WORDS[n]} {noun[1]}"
    return f"about {10 * round(n / 10)} {noun[1]}" if n < 50 else f"many {noun[1]}"


def object_phrases(facts: Facts, seen: NDArray[np.float32], rng: Generator) -> list[str]:
    """``three airplanes at the top left`` for each class that is there and was seen.

    Args:
        facts: What is true.
        seen: float32[6], the highest peak of each class.
        rng: Draws whether a place is said.
    """
    out = []
    for c, name in enumerate(splits.OBJECTS):
        n = int((facts.classes == c).sum())
        if n == 0 or seen[c] < 0.3:
            continue
        words = OBJECT_WORDS[name][0]
        phrase = say_number(n, words) if facts.known[c] else f"some {words[1]}"
        spot = facts.place(name)
        if spot is not None:
            phrase += (" in the " if spot == "center" else " at the ") + spot
        out.append(phrase)
    return out


def write_caption(facts: Facts, seen: NDArray[np.float32], rng: Generator) -> str:
    """One caption of a view, from :data:`facts` and the peaks the object tower found."""
    objects = object_phrases(facts, seen, rng)
    said = UCM_SAID if facts.domain == "fine" else EUROSAT_SAID
    kind = "a panchromatic image" if facts.grey else ("an aerial image", "a satellite image")[
        facts.domain == "coarse"]  # fmt: skip
    first = ""
    if facts.scene is not None:
        first = f"{kind} of {said[facts.scene]}"
        if objects:
            first += " with " + say_list(objects)
    elif objects:
        first = f"{kind} with {say_list(objects)}"
    else:
        first = f"{kind} of open ground"
    cover = [w for w in COVER if facts.labels and w in facts.labels]
    skip = NEEDLESS.get(facts.scene or "", set())
    cover = [w for w in cover if w not in skip]
    if any(" tree" in o for o in objects):
        cover = [w for w in cover if w != "trees"]
    second = ""
    if cover:
        second = f" . there is {say_list([LABEL_SAID[w] for w in cover[:4]])} around it"
    return first + second + " ."


def place_phrase(index: int) -> str:
    """The words for a ninth of the tile."""
    return PLACES[index]
