"""Which captions of a model are thrown away, and why: every reason is counted."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rsvlm_geo.answers import is_degenerate
from rsvlm_geo.captions.check import check_caption
from rsvlm_geo.captions.facts import Fact
from rsvlm_geo.metrics.captions import tokenize
from rsvlm_geo.metrics.honesty import is_refusal_text

__all__ = ["REASONS", "FilterSettings", "why_rejected"]

REASONS = (
    "empty", "markup", "loop", "refusal", "list", "too short", "too long", "aesthetics",
    "contradicts a count", "invents an object", "loses facts",
)  # fmt: skip

_LIST = re.compile(r"(?m)^\s*(?:[-*\u2022]|\d+[.)])\s+\S.*\n\s*(?:[-*\u2022]|\d+[.)])\s+")
_MARKUP = re.compile(r"<(?:!doctype|html|body|div|head|script|\?xml)\b", re.I)
_TASTE = frozenset(
    {
        "beautiful", "stunning", "breathtaking", "picturesque", "gorgeous", "serene", "charming",
        "mesmerizing", "captivating", "magnificent", "majestic", "idyllic", "enchanting",
        "spectacular", "lovely", "harmonious", "tranquil",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FilterSettings:
    """Limits of what is kept."""

    min_words: int = 5
    max_words: int = 160
    taste_words: int = 0
    """So many words of praise are let pass."""
    min_kept_facts: float = 0.0
    """Least share of facts that must survive; 1 for merged captions by a model."""
    judge_objects: bool = True
    """Reject captions that name classes the annotations do not hold."""


def why_rejected(
    text: str,
    facts: Sequence[Fact],
    truth: Collection[str],
    settings: FilterSettings | None = None,
    *,
    annotated: bool = True,
) -> str | None:
    """The first reason against a caption, or None.

    Args:
        text: A model's caption.
        facts: What is known of the image.
        truth: Classes it may name.
        settings: The limits.
        annotated: Whether the annotations say which objects there are; without them nothing can be
            called invented.
    """
    settings = settings or FilterSettings()
    words = tokenize(text)
    if not words:
        return "empty"
    if _MARKUP.search(text):
        return "markup"
    if is_degenerate(text):
        return "loop"
    if is_refusal_text(text) and len(words) < 30:
        return "refusal"
    if _LIST.search(text):
        return "list"
    if len(words) < settings.min_words:
        return "too short"
    if len(words) > settings.max_words:
        return "too long"
    if sum(w in _TASTE for w in words) > settings.taste_words:
        return "aesthetics"
    if not annotated:
        return None
    if _wrong_count(text, facts):
        return "contradicts a count"
    check = check_caption(text, facts, truth)
    if settings.judge_objects and check.invented:
        return "invents an object"
    if check.facts and check.kept / check.facts < settings.min_kept_facts:
        return "loses facts"
    return None


_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
          "eleven", "twelve")  # fmt: skip
_NUMBER = {word: i for i, word in enumerate(_WORDS)}


def _wrong_count(text: str, facts: Sequence[Fact]) -> bool:
    """Whether a number right before a counted class is another one than the annotations'."""
    tokens = tokenize(text)
    for fact in facts:
        if fact.kind != "count":
            continue
        right = set(fact.needs[0])
        for form in fact.needs[1]:
            parts = form.split()
            for i in range(1, len(tokens) - len(parts) + 1):
                if tokens[i : i + len(parts)] != parts:
                    continue
                before = tokens[i - 1]
                is_number = before in _NUMBER or before.isdigit()
                if is_number and before not in right and str(_NUMBER.get(before)) not in right:
                    return True
    return False
