"""Captions by rule: what the scene is, which objects, how many, where, on what ground.

Our own sentences (not UCM's), varied in wording. An object is named only when the labels say it is
there and the tower saw it: a caption then never teaches to say what cannot be seen.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from rsvlm_geo.training import splits
from rsvlm_geo.training.facts import LABEL_OF, Facts
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
        seen: float32[8], the highest peak of each class.
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


OPENERS = {
    (False, "fine"): ("an aerial image of", "an aerial view of", "this aerial image shows"),
    (False, "coarse"): ("a satellite image of", "a satellite view of",
                        "this satellite image shows"),
    (True, "fine"): ("a panchromatic aerial image of", "this panchromatic image shows"),
    (True, "coarse"): ("a panchromatic satellite image of", "this panchromatic image shows"),
}  # fmt: skip
SAME = {"tenniscourt": "tennis_court", "storagetanks": "storage_tank",
        "baseballdiamond": "baseball_diamond"}  # fmt: skip
"""Scenes that are called after their objects: these are then not named twice."""
PLURALS = frozenset({"buildings", "trees", "dock", "ship", "cars", "field", "mobile-home"})
MASS = ("{} can be seen around it", "around it there {be} {}", "{} {be} visible")


def say_cover(cover: list[str], rng: Generator) -> str:
    """A sentence about the land cover, its verb in the right number."""
    words = say_list([LABEL_SAID[w] for w in cover])
    many = len(cover) > 1 or cover[0] in PLURALS
    form = MASS[int(rng.integers(len(MASS)))]
    first_many = cover[0] in PLURALS
    be = ("are" if first_many else "is") if form.startswith("around") else "are" if many else "is"
    return form.replace("{be}", be).format(words)


def write_caption(facts: Facts, seen: NDArray[np.float32], rng: Generator) -> str | None:
    """One caption of a view, from its facts and the peaks the object tower found.

    None where too little is known to say anything true.
    """
    objects = object_phrases(facts, seen, rng)
    said = UCM_SAID if facts.domain == "fine" else EUROSAT_SAID
    openers = OPENERS[facts.grey, facts.domain]
    opener = openers[int(rng.integers(len(openers)))]
    if facts.scene is not None:
        own = SAME.get(facts.scene)
        named = own is not None and any(own.replace("_", " ") in o for o in objects)
        subject = say_list(objects) if named else said[facts.scene]
        if objects and not named:
            subject += " with " + say_list(objects)
    elif objects:
        subject = say_list(objects)
    elif facts.known.all():
        subject = "open ground with no trees or cars"
    else:
        return None
    text = f"{opener} {subject} ."
    skip = NEEDLESS.get(facts.scene or "", set())
    cover = [w for w in COVER if facts.labels and w in facts.labels and w not in skip]
    for name, label in LABEL_OF.items():
        if any(f" {name.replace('_', ' ')}" in o for o in objects):
            cover = [w for w in cover if w != label]
    if cover:
        text += f" {say_cover(cover[:4], rng)} ."
    return text


def place_phrase(index: int) -> str:
    """The words for a ninth of the tile."""
    return PLACES[index]
