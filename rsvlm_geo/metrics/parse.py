"""A model's words to the value a measure needs; None where they do not say it, never a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rsvlm_geo.answers import parse_number

__all__ = [
    "parse_box",
    "parse_choice",
    "parse_class",
    "parse_count",
    "parse_labels",
    "parse_numbers",
    "parse_outline",
    "parse_yes_no",
]

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[-+]?(?:\d+\.\d+|\.\d+|\d+)")
_YES = frozenset({"yes", "true", "yeah", "yep"})
_NO = frozenset({"no", "not", "false", "none", "nope"})


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def parse_yes_no(text: str) -> bool | None:
    """Yes or no, when the text begins with one of them, or holds only one kind of them."""
    words = _words(text)
    if not words:
        return None
    if words[0] in _YES:
        return True
    if words[0] in _NO:
        return False
    yes = any(w in _YES for w in words)
    no = any(w in _NO or w.endswith("n't") for w in words)
    return yes if yes != no else None


def parse_choice(text: str, options: Mapping[str, str] | None = None) -> str | None:
    """The letter of a choice: ``B``, ``(B)``, ``B: right``, ``The answer is B.``, or its words.

    Args:
        text: The answer.
        options: Letter -> words; without it A to E.
    """
    letters = "".join(options) if options else "ABCDE"
    text = text.strip()
    lead = re.match(rf"^\(?([{letters}])\)?(?:$|[.:)])", text)
    if lead and not re.match(r"^A\s+[a-z]", text):
        return str(lead[1])
    said = re.findall(
        rf"\b(?:answer|option|choice)\s*(?:is|:)?\s*:?\s*\(?([{letters}])\b", text, re.I
    )
    said = [s.upper() for s in said]
    if not said:
        said = re.findall(rf"(?<![A-Za-z])([{letters}])(?![A-Za-z'])", text)
        said = [s for s in said if s != "A"] or said
    if len(set(said)) == 1 and not re.match(r"^A\s+[a-z]", text):
        return str(said[0])
    if options:
        low = " ".join(_words(text))
        hits = [k for k, v in options.items() if " ".join(_words(v)) == low]
        if not hits:
            hits = [k for k, v in options.items() if " ".join(_words(v)) in low and v.strip()]
            # "bottom right" holds "right": the longest wins when it holds the others
            hits.sort(key=lambda k: -len(options[k]))
            longest = hits[:1]
            rest = [k for k in hits[1:] if options[k].lower() not in options[hits[0]].lower()]
            hits = longest if not rest else []
        if len(hits) == 1:
            return hits[0]
    return None


def parse_class(text: str, classes: Sequence[str]) -> str | None:
    """The one class a text names, by whole words, spaces and underscores alike."""
    low = " ".join(_words(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).replace("_", " ")))
    tight = low.replace(" ", "")
    keys = {
        c: " ".join(_words(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", c).replace("_", " ")))
        for c in classes
    }
    exact = [c for c, k in keys.items() if k.replace(" ", "") == tight and tight]
    if len(exact) == 1:
        return exact[0]
    hits = [c for c, k in keys.items() if re.search(rf"\b{re.escape(k)}\b", low)]
    hits = [c for c in hits if not any(keys[c] != keys[d] and keys[c] in keys[d] for d in hits)]
    return hits[0] if len(hits) == 1 else None


def parse_count(text: str) -> float | None:
    """The one whole number 0 or more that a text states, in digits or words."""
    value = parse_number(text)
    return value if value is not None and value >= 0 and float(value).is_integer() else None


def parse_numbers(text: str) -> tuple[float, ...]:
    """All numbers of a text, in order; ``1,024`` is one."""
    return tuple(float(m.replace(",", "")) for m in _NUMBER.findall(text))


def parse_box(
    text: str, size: tuple[int, int] | None = None
) -> tuple[float, float, float, float] | None:
    """One box ``[[x0, y0, x1, y1]]``, scaled from thousandths when ``size`` is given.

    Args:
        text: The answer.
        size: ``(width, height)`` of the image, pixels.

    Returns:
        ``(x0, y0, x1, y1)``, or None when there is not exactly one, or it has no area.
    """
    found = re.findall(r"\[([^\[\]]*)\]", text)
    boxes = [parse_numbers(f.replace(",", " ")) for f in found]
    boxes = [b for b in boxes if len(b) == 4]
    if len(boxes) != 1:
        return None
    x0, y0, x1, y1 = boxes[0]
    if x1 <= x0 or y1 <= y0:
        return None
    sx, sy = (1.0, 1.0) if size is None else (size[0] / 1000, size[1] / 1000)
    return x0 * sx, y0 * sy, x1 * sx, y1 * sy


def parse_outline(
    text: str, size: tuple[int, int] | None = None
) -> list[tuple[float, float]] | None:
    """A ring ``[(x, y), (x, y), ...]``, scaled from thousandths when ``size`` is given."""
    start, end = text.find("["), text.rfind("]")
    pairs = re.findall(r"\(\s*([-+\d.]+)\s*,\s*([-+\d.]+)\s*\)", text[start : end + 1])
    if start < 0 or len(pairs) < 3:
        return None
    sx, sy = (1.0, 1.0) if size is None else (size[0] / 1000, size[1] / 1000)
    try:
        return [(float(x) * sx, float(y) * sy) for x, y in pairs]
    except ValueError:
        return None


def parse_labels(text: str, labels: Sequence[str]) -> frozenset[str] | None:
    """The labels of a comma-separated answer; None when it names none of them."""
    parts = [" ".join(_words(p)) for p in re.split(r"[,;.\n]| and ", text)]
    keys = {" ".join(_words(name.replace("_", " "))): name for name in labels}
    found = frozenset(keys[p] for p in parts if p in keys)
    return found or None
