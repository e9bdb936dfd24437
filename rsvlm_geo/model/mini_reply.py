"""The replies that need no words of the decoder: refusals, yes and no, and how they are put."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rsvlm_geo.model.mini_boxes import ClassRule
from rsvlm_geo.vlm import ModelInfo, Question, Reply

__all__ = [
    "ABOUT_ONE",
    "COLOUR",
    "PRESENCE",
    "WHERE",
    "WHY",
    "mentioned",
    "plain_key",
    "read_rule",
    "refusal",
    "why",
    "yes_no",
]

PRESENCE = re.compile(
    r"^(?:is|are|can you see|do you see|does (?:this|the) (?:picture|image|tile) "
    r"(?:contain|show|have))\s+(?:there\s+)?(?:a|an|any|some|the)?\s*(?P<what>[\w \-]+?)"
    r"(?:\s+(?:in|on|visible|present|here|there|anywhere)\b[\w ]*)?\s*[?.!]*"
    r"(?:\s*just answer yes or no\.?)?\s*$",
    re.I,
)
ABOUT_ONE = re.compile(r"\b(where|colou?r|location|position|part|corner|side)\b", re.I)
WHERE = re.compile(r"\b(where|location|position|part|corner|side)\b", re.I)
COLOUR = re.compile(r"\bcolou?r\b", re.I)

WHY = {
    "invisible": "The {what} is invisible in the provided image, so I cannot provide an answer.",
    "panchromatic": "The image provided is panchromatic, which makes it impossible to determine "
    "the actual colors.",
    "below_gsd": "The resolution of this image is too coarse to answer that.",
    "modality": "This kind of image does not show that.",
    "low_confidence": "There seem to be some, but they cannot be told apart well enough to count.",
    "out_of_scope": "The image cannot answer that question.",
}
"""Reason -> the sentence of a refusal."""


def read_rule(row: Mapping[str, Any]) -> ClassRule:
    """A row of the card's ``mini.objects``."""
    size = row.get("box_m")
    return ClassRule(**{**row, "box_m": None if size is None else (size[0], size[1])})


def refusal(reason: str, text: str) -> Reply:
    """A certain no: the model has no way to know."""
    return Reply(text, p_unanswerable=1.0, reason=reason)


def yes_no(p_yes: float) -> Reply:
    """A yes or no with its calibrated probability."""
    return Reply(
        "yes" if p_yes >= 0.5 else "no", {"yes": p_yes, "no": 1.0 - p_yes}, p_unanswerable=0.0
    )


def why(reason: str, question: Question) -> str:
    """The sentence of a refusal, as the papers word it."""
    match = re.search(
        r"\b(?:the|a|an|any)\s+((?!actual|colou?r|image|location|number)[\w\-]+(?: [\w\-]+)?)"
        r"(?=\s*(?:\?|in\b|located|have|$))",
        question.text, re.I,
    )  # fmt: skip
    return WHY[reason].format(what=match[1] if match else "object")


def plain_key(name: str) -> str:
    """A name without case, spaces and hyphens, to compare with."""
    return re.sub(r"[\s_\-]+", "", name.lower())


def mentioned(text: str, info: ModelInfo) -> list[str]:
    """Known classes named in a text, longest words first."""
    words = re.findall(r"[a-z]+", text.lower())
    names: list[str] = []
    k = 0
    while k < len(words):
        for n in (3, 2, 1):
            found = info.find_class(" ".join(words[k : k + n]))
            if found is not None:
                names.append(found.name)
                k += n - 1
                break
        k += 1
    return list(dict.fromkeys(names))
