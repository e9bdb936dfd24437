"""Questions with true answers, and questions that this tile or no tile can answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from rsvlm_geo.training import phrases, splits
from rsvlm_geo.training.captions import say_list, write_caption
from rsvlm_geo.training.facts import Facts
from rsvlm_geo.training.lexicon import (
    ASKS_OUT,
    EUROSAT_SAID,
    LABEL_SAID,
    LABEL_WORDS,
    NOUNS_OUT,
    OBJECT_WORDS,
    PLACE_NOUNS,
    PLACES_OUT,
    RURAL,
    UCM_SAID,
    URBAN,
)

MAX_GSD = {"airplane": 1.0, "storage_tank": 1.0, "tennis_court": 1.0, "baseball_diamond": 1.0,
           "car": 0.5, "tree": 0.5, "ship": 0.6, "mobile_home": 0.6}  # fmt: skip

POPULAR = ("tree", "car", "tennis_court")
"""The most frequent classes of the sets."""
BESIDE = {"tennis_court": "baseball_diamond", "baseball_diamond": "tennis_court",
          "airplane": "car", "storage_tank": "car", "car": "airplane", "tree": "car",
          "ship": "car", "mobile_home": "car"}  # fmt: skip
"""What one would expect beside a class."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and its answer, in lower-case words."""

    kind: str
    """caption, class, presence, count, compare, place, colour, urban, modality, gsd, cover, out."""
    question: str
    answer: str
    """Begins with ``<unans>`` and a reason token when the image cannot answer."""


def train_asks() -> tuple[str, ...]:
    """Out-of-scope templates to train on: 5 of 6; the rest measure generalisation."""
    return tuple(t for t in ASKS_OUT if splits.unit_hash("ask " + t) >= 1 / 6)


def train_nouns() -> tuple[str, ...]:
    """Unknown things to train on: 3 of 4; the rest measure generalisation."""
    return tuple(t for t in NOUNS_OUT if splits.unit_hash("noun " + t) >= 1 / 4)


def held_out() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Templates and things never trained on."""
    asks, nouns = set(train_asks()), set(train_nouns())
    return tuple(t for t in ASKS_OUT if t not in asks), tuple(
        n for n in NOUNS_OUT if n not in nouns
    )


def _pick(rng: Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]


def _forms(name: str, rng: Generator) -> tuple[str, str]:
    options = OBJECT_WORDS[name]
    return options[0] if rng.random() < 0.5 else options[int(rng.integers(len(options)))]


def unans(reason: str) -> str:
    """The answer of a question that cannot be answered."""
    return f"<unans> <{reason}>"


def presence(facts: Facts, rng: Generator) -> Pair | None:
    """Yes or no about an object class or a land-cover label."""
    if facts.labels is not None and rng.random() < 0.5:
        label = str(rng.choice(splits.UCM_LABELS))
        word = _pick(rng, LABEL_WORDS[label])
        plural = word + "es" if word.endswith(("sh", "ss")) else word + "s"
        if label in ("bare-soil", "chaparral", "grass", "pavement", "sand", "sea", "water"):
            plural = word
        forms = phrases.SURFACE if plural == word else phrases.PRESENCE
        q = phrases.pick(forms, rng).format(s=word, p=plural)
        return Pair("presence", q, "yes" if label in facts.labels else "no")
    name = str(rng.choice(splits.OBJECTS))
    there = [c for c in splits.OBJECTS if facts.present(c)]
    if there and rng.random() < 0.5:
        name = str(rng.choice(there))
    s, p = _forms(name, rng)
    q = phrases.pick(phrases.PRESENCE, rng).format(s=s, p=p)
    if facts.gsd_m > MAX_GSD[name]:
        return Pair("presence", q, unans("below_gsd"))
    known = facts.present(name)
    return None if known is None else Pair("presence", q, "yes" if known else "no")


def count(facts: Facts, rng: Generator) -> Pair | None:
    """A number, or a refusal where the class is too small for the resolution."""
    name = str(rng.choice(splits.OBJECTS))
    there = [c for c in splits.OBJECTS if facts.present(c)]
    if there and rng.random() < 0.7:
        name = str(rng.choice(there))
    s, p = _forms(name, rng)
    q = phrases.pick(phrases.COUNT, rng).format(s=s, p=p)
    if facts.gsd_m > MAX_GSD[name]:
        return Pair("count", q, unans("below_gsd"))
    n = facts.count(name)
    return None if n is None or n > 99 else Pair("count", q, str(n))


def compare(facts: Facts, rng: Generator) -> Pair | None:
    """Which of two classes is more frequent."""
    known = [c for c in splits.OBJECTS if facts.count(c) is not None]
    if len(known) < 2 or facts.domain == "coarse":
        return None
    a, b = (str(c) for c in rng.choice(known, 2, replace=False))
    there = [c for c in known if facts.present(c)]
    if there and a not in there and b not in there:
        a = str(rng.choice(there))
    if rng.random() < 0.5:
        a, b = b, a
    if a == b:
        return None
    q = phrases.pick(phrases.COMPARE, rng).format(p=_forms(a, rng)[1], q=_forms(b, rng)[1])
    more = (facts.count(a) or 0) > (facts.count(b) or 0)
    return Pair("compare", q, "yes" if more else "no")


def negatives(facts: Facts, strategy: str, rng: Generator) -> str | None:
    """A class that is surely absent, by POPE's strategies.

    ``random``: any; ``popular``: the most frequent classes of the sets; ``adversarial``: what most
    often stands beside what is here.
    """
    absent = [c for c in splits.OBJECTS if facts.present(c) is False]
    if not absent:
        return None
    if strategy == "popular":
        absent = sorted(absent, key=lambda c: POPULAR.index(c) if c in POPULAR else 9)[:2]
    if strategy == "adversarial":
        close = [BESIDE[c] for c in splits.OBJECTS if facts.present(c)]
        absent = [c for c in absent if c in close] or absent
    return str(rng.choice(absent))


def place(facts: Facts, rng: Generator) -> Pair | None:
    """Where objects of a class lie; refused when there are none or they are too small."""
    ask = phrases.pick(phrases.PLACE, rng)
    there = [c for c in splits.OBJECTS if facts.place(c) is not None]
    if there and rng.random() < 0.6:
        name = str(rng.choice(there))
        s, p = _forms(name, rng)
        return Pair("place", ask.format(s=s, p=p), str(facts.place(name)))
    return _absent(facts, ask, "place", rng)


def colour(facts: Facts, rng: Generator) -> Pair | None:
    """The colour of a class's objects; refused when grey, absent or too small."""
    ask = phrases.pick(phrases.COLOUR, rng)
    there = [c for c in splits.OBJECTS if facts.present(c)]
    if there and rng.random() < 0.7:
        name = str(rng.choice(there))
        s, p = _forms(name, rng)
        if facts.grey:
            return Pair("colour", ask.format(s=s, p=p), unans("panchromatic"))
        said = facts.colour(name)
        return None if said is None else Pair("colour", ask.format(s=s, p=p), said)
    return _absent(facts, ask, "colour", rng)


def about_one(facts: Facts, name: str, rng: Generator) -> list[Pair]:
    """The questions about colour and place of one class that the facts answer."""
    s, p = _forms(name, rng)
    out = []
    if not facts.grey and (said := facts.colour(name)) is not None:
        out.append(Pair("colour", phrases.pick(phrases.COLOUR, rng).format(s=s, p=p), said))
    if (spot := facts.place(name)) is not None:
        out.append(Pair("place", phrases.pick(phrases.PLACE, rng).format(s=s, p=p), spot))
    return out


def _absent(facts: Facts, ask: str, kind: str, rng: Generator) -> Pair | None:
    name = negatives(facts, _pick(rng, ("random", "popular", "adversarial")), rng)
    if facts.domain == "coarse":
        name = str(rng.choice(splits.OBJECTS))
    if name is None:
        return None
    s, p = _forms(name, rng)
    reason = "below_gsd" if facts.gsd_m > MAX_GSD[name] else "invisible"
    if reason == "invisible" and kind == "colour" and facts.grey:
        reason = "panchromatic"
    return Pair(kind, ask.format(s=s, p=p), unans(reason))


def simple(facts: Facts, rng: Generator) -> Pair | None:
    """Scene class, rural or urban, modality, resolution, land cover."""
    which = int(rng.integers(6))
    if which <= 1 and facts.scene is not None:
        said = UCM_SAID if facts.domain == "fine" else EUROSAT_SAID
        return Pair("class", phrases.pick(phrases.CLASSIFY, rng), said[facts.scene])
    if which == 2 and facts.scene in URBAN | RURAL:
        return Pair(
            "urban",
            phrases.pick(phrases.URBAN_Q, rng),
            "urban" if facts.scene in URBAN else "rural",
        )
    if which == 3:
        u = rng.random()
        if u < 0.4:
            q = phrases.pick(phrases.GREY_Q if u < 0.2 else phrases.COLOURED_Q, rng)
            return Pair("modality", q, "yes" if facts.grey == (u < 0.2) else "no")
        q = phrases.pick(phrases.MODALITY, rng)
        return Pair("modality", q, "panchromatic image" if facts.grey else "color image")
    if which == 4:
        return Pair("gsd", phrases.pick(phrases.GSD_Q, rng), f"<gsd_{facts.gsd_m:g}>")
    if which == 5 and facts.labels:
        words = [LABEL_SAID[c] for c in splits.UCM_LABELS if c in facts.labels]
        return Pair("cover", phrases.pick(phrases.COVER_Q, rng), say_list(words))
    return None


def about_thing(rng: Generator) -> Pair:
    """What no image tells of a thing that may well be there."""
    s, p = _forms(str(rng.choice(splits.OBJECTS)), rng)
    if rng.random() < 0.3:
        s = str(rng.choice(PLACE_NOUNS))
        p = s + "s"
    text = phrases.pick(phrases.ABOUT_THING, rng).format(
        o=s if rng.random() < 0.7 else p, p=p, a=_pick(rng, phrases.PROPERTIES),
        v=_pick(rng, phrases.DONE), c=_pick(rng, phrases.CONTENTS),
    )  # fmt: skip
    return Pair("out", text, unans("out_of_scope"))


def out_of_scope(
    rng: Generator, asks: tuple[str, ...] | None = None, nouns: tuple[str, ...] | None = None
) -> Pair:
    """A question no tile answers; by default from the templates and things to train on."""
    if asks is None and rng.random() < 0.35:
        return about_thing(rng)
    asks, nouns = asks or train_asks(), nouns or train_nouns()
    words = {
        "n": _pick(rng, nouns), "p": _pick(rng, PLACE_NOUNS), "l": _pick(rng, PLACES_OUT),
    }  # fmt: skip
    text = _pick(rng, asks).format(**words)
    reason = "out_of_scope"
    if any(w in text.split() for w in ("radar", "thermal", "infrared", "backscatter", "ndvi",
                                       "polarisation", "reflectance")):  # fmt: skip
        reason = "modality"
    return Pair("out", text + (" ?" if rng.random() < 0.8 else ""), unans(reason))


def draw_pair(
    facts: Facts, seen: NDArray[np.float32], rng: Generator, **pools: tuple[str, ...]
) -> Pair:
    """One training pair of a view; a fixed mixture of kinds."""
    for _ in range(20):
        u = rng.random()
        pair: Pair | None
        if u < 0.22:
            text = write_caption(facts, seen, rng)
            pair = (
                None if text is None else Pair("caption", phrases.pick(phrases.DESCRIBE, rng), text)
            )
        elif u < 0.36:
            pair = presence(facts, rng)
        elif u < 0.44:
            pair = count(facts, rng)
        elif u < 0.50:
            pair = compare(facts, rng)
        elif u < 0.62:
            pair = place(facts, rng)
        elif u < 0.73:
            pair = colour(facts, rng)
        elif u < 0.84:
            pair = simple(facts, rng)
        else:
            pair = out_of_scope(rng, **pools)
        if pair is not None:
            return pair
    return out_of_scope(rng, **pools)
