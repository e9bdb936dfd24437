"""How people ask: patterns with alternatives, from which each question is drawn anew.

``(a|b)`` stands for either; an empty alternative may be left out. ``{s}`` and ``{p}`` are an object
in singular and plural, ``{q}`` another in plural.
"""

from __future__ import annotations

import re

from numpy.random import Generator

Patterns = tuple[str, ...]

_IMAGE = "(image|picture|photo|tile|scene)"
_HERE = f"(|here |in (the|this) {_IMAGE} |anywhere )"

PRESENCE: Patterns = (
    f"is there (a|any) {{s}} {_HERE}?", f"are there (|any |some ){{p}} {_HERE}?",
    f"(can|do) you (see|find|spot) (a|any) {{s}} {_HERE}?",
    f"(can|do) you (see|find|spot) (|any |some ){{p}} {_HERE}?",
    "(is a|is any) {s} (present|visible|shown) ?", "are (|any ){p} (present|visible|shown) ?",
    f"does (this|the) {_IMAGE} (contain|show|have|include) (|any ){{p}} ?",
    f"does (this|the) {_IMAGE} (contain|show|have|include) a {{s}} ?",
    f"is there a {{s}} in (the|this) {_IMAGE} ? just answer yes or no .",
)  # fmt: skip
SURFACE: Patterns = (
    f"is there (|any |some ){{s}} {_HERE}?", f"(can|do) you see (|any |some |the ){{s}} {_HERE}?",
    "is (|any |some |the ){s} (present|visible|shown) ?",
    f"does (this|the) {_IMAGE} (contain|show|have|include) (|any |some ){{s}} ?",
)  # fmt: skip
"""Presence of what is not counted: water, grass."""
COUNT: Patterns = (
    f"how many {{p}} (are there|are|can you (see|count|find)|do you see|are visible) {_HERE}?",
    "how many {p} are there in the image ? just answer the number .",
    f"what is the (number|amount|total|count) of {{p}} {_HERE}?", "count (the|all) {p} .",
    f"how many {{p}} (|are )in (the|this) {_IMAGE} ?", "(give|tell) me the number of {p} .",
)  # fmt: skip
PLACE: Patterns = (
    "where is the {s} ?", "where are the {p} ?",
    f"where (is the {{s}}|are the {{p}}) located (|in the {_IMAGE} )?",
    f"what is the (location|position) of the ({{s}}|{{p}}) (|in this {_IMAGE} )?",
    f"in which (part|corner|area) of the {_IMAGE} (is the {{s}}|are the {{p}}) ?",
    "which corner (holds|contains|has) the {p} ?", f"where in the {_IMAGE} is the {{s}} ?",
    "on which side (is the {s}|are the {p}) ?",
)  # fmt: skip
COLOUR: Patterns = (
    "what is the (|actual )(color|colour) of the ({s}|{p}) ?",
    "what (color|colour) (is the {s}|are the {p}) ?",
    "which (color|colour) (does the {s}|do the {p}) have ?",
    "what is the actual color of the {s} in the remote sensing image ? if this question is "
    "unanswerable , please provide the reason .",
    f"what (color|colour) (is the {{s}}|are the {{p}}) in (the|this) {_IMAGE} ?",
)  # fmt: skip
COMPARE: Patterns = (
    f"are there more {{p}} than {{q}} {_HERE}?",
    "is the number of {p} (greater|larger|higher) than the number of {q} ?",
    "are there (fewer|less) {q} than {p} ?", "do {p} outnumber {q} ?",
)  # fmt: skip
CLASSIFY: Patterns = (
    "what (kind|sort|type) of (scene|place|area|land use|landscape) is (this|it|shown|here) "
    f"{_HERE}?",
    f"what is the (theme|subject|topic|class|category) of (this|the) {_IMAGE} ?",
    "which (scene |)(class|category|type) (is this|is it|does it belong to) ?",
    f"what (does|do) (the|this) {_IMAGE} (show|depict|display|represent) ?",
    f"classify (the|this) {_IMAGE} .", "what is this (place|scene|area) ?",
    f"what (is|can be) (shown|depicted|seen) (here|in (the|this) {_IMAGE}) ?",
    "name the (scene|place|land use) .",
    f"to which (class|category) does (the|this) {_IMAGE} belong ?",
)  # fmt: skip
DESCRIBE: Patterns = (
    f"(|please )describe (the|this) (|remote sensing |aerial |satellite ){_IMAGE} (|briefly "
    "|in words ).",
    "(|please )(write|give|make) (|me )(a|one|some) (|short |brief "
    ")(caption|description|summary) .",
    "(|please )(write|give) (|me )a (|short )(caption|description|summary) (of|for) "
    f"(the|this) {_IMAGE} .",
    f"what can (you see|be seen) (in (the|this) {_IMAGE}|here) ?",
    "describe what (is visible|you see) .",
    f"(can|could|would) you (please |)(describe|caption|summarise) (the|this) {_IMAGE} ?",
    "tell me what you see .", "caption (|this |it ).", "what do you see ?",
)  # fmt: skip
URBAN_Q: Patterns = (
    "is (it|this|the area|this area|the place|the scene) (a |)(rural or (an |)urban|urban or "
    "(a |)rural) (|area|one) ?",
    "(rural or urban|urban or rural) ?",
    "is the (area|place|scene) (in the |)(city or country|rural or urban) ?",
    f"does (the|this) {_IMAGE} show an urban or a rural area ?",
)  # fmt: skip
MODALITY: Patterns = (
    "what (type|kind) of image is (this|it) (|, color or panchromatic |, grey or in colour )?",
    f"is (this|it) (a |)(color|colour) {_IMAGE} or (a |)(panchromatic|black and white) "
    "(image|one) ?",
    f"is (the|this) {_IMAGE} (in |)(color|colour) or (panchromatic|black and white) ?",
    f"is (this|it) a (panchromatic|black and white) (image |)or (a |)(color|colour) {_IMAGE} ?",
)  # fmt: skip
GREY_Q: Patterns = (
    f"is (this|it) a (grayscale|grey|gray|panchromatic|black and white) {_IMAGE} ?",
    f"is (the|this) {_IMAGE} (grayscale|grey|gray|panchromatic|black and white) ?",
)  # fmt: skip
COLOURED_Q: Patterns = (
    f"is (this|it) a (color|colour|coloured) {_IMAGE} ?",
    f"is (the|this) {_IMAGE} (in (color|colour)|coloured) ?",
    "does it have (color|colour|colours) ?",
)  # fmt: skip
GSD_Q: Patterns = (
    "what is the (|spatial |ground )(resolution|sampling distance) (of (this|the) (remote "
    "sensing |)"
    f"{_IMAGE} |)(in meters per pixel |)?", "what is the gsd ?",
    "how many (meters|metres) (does a|does one|does each) pixel (cover|measure|show) ?",
    "how (large|big|wide) is (a|one|each) pixel (|on the ground |in meters |in metres )?",
    "how many (meters|metres) are there (per|in a|in each) pixel ?", "what is the pixel size ?",
)  # fmt: skip
COVER_Q: Patterns = (
    "what land cover (types |)(are|is) (visible|shown|there) (in this (remote sensing "
    f"|){_IMAGE} |)?",
    f"(which|what) land cover (types |)(is visible|can be seen|are there) {_HERE}?",
    "(list|name) the land cover (types |).",
    f"(what|which materials) (covers|cover) the (ground|land) {_HERE}?",
    "(which|what) surfaces (can you see|are there|are visible) ?",
)  # fmt: skip

ABOUT_THING: Patterns = (
    "what is the {a} of (the|this|that) {o} ?", "what (|exact ){a} does the {o} have ?",
    "tell me the {a} of the {o} .", "do you know the {a} of (the|this) {o} ?",
    "(when|why|how often) (was|were) the {o} {v} ?", "who {v} (the|this|that) {o} ?",
    "where (is|are) the {o} (going|heading|coming from|made|from|headed|travelling|driving) "
    "(|to |tomorrow )?",
    "(how|why) did the {o} get here ?", "what is (inside|in|under|on) the {o} ?",
    "how (old|tall|heavy|fast|expensive|safe|deep|noisy|modern) (is|are) the {o} ?",
    "how (much|many) {c} (fit|fits|are|is) (in|inside|on) the {o} ?",
    "is the {o} for (sale|rent) ?",
    "what will the {o} (cost|look like) (next year|in the future|tomorrow) ?",
    "how much (did|does|would|will) (a|the|this) {o} cost (|me |us |per year )?",
    "what are the {p} (called|named|made of|used for|worth) ?",
    "will the {o} (move|leave|stay|open|close) ?",
)  # fmt: skip
"""What an image does not tell of a thing: {a} a property, {v} done by someone, {c} contents."""
PROPERTIES = (
    "name", "owner", "price", "age", "brand", "model", "make", "weight", "height", "depth",
    "speed", "temperature", "serial number", "registration", "license plate",
    "phone number", "address", "operator", "manufacturer", "builder", "destination", "origin",
    "cost", "value", "fuel", "engine", "capacity", "volume", "contents", "pressure", "year",
    "history", "purpose", "nationality", "flag", "insurance", "tax", "species",
    "score", "opening time", "schedule", "captain", "crew", "driver", "pilot", "tenant",
)  # fmt: skip
DONE = ("built", "owned", "bought", "sold", "painted", "planted", "repaired", "cleaned",
        "driven", "rented", "made", "designed", "used", "visited", "damaged",
        "washed", "moved", "owns", "operates", "uses", "runs", "drives", "manages")  # fmt: skip
CONTENTS = ("people", "liters", "money", "oil", "water", "goods",
            "bags", "seats", "rooms", "barrels", "crew members", "containers")  # fmt: skip


def draw(pattern: str, rng: Generator) -> str:
    """One of the sentences that a pattern stands for."""
    inner = re.compile(r"\(([^()]*)\)")
    while (m := inner.search(pattern)) is not None:
        options = m[1].split("|")
        pattern = (
            pattern[: m.start()] + options[int(rng.integers(len(options)))] + pattern[m.end() :]
        )
    return " ".join(pattern.split())


def pick(patterns: Patterns, rng: Generator) -> str:
    """A sentence from one of several patterns."""
    return draw(patterns[int(rng.integers(len(patterns)))], rng)


def every_word() -> str:
    """Every word of every pattern, for the tokenizer."""
    found = [t for k, v in sorted(globals().items()) if k.isupper() and not k.startswith("_")
             for t in v]  # fmt: skip
    return " ".join(re.sub(r"[()|]", " ", t) for t in found)
