"""Where one object lies seen from another, read from their boxes. numpy only."""

from __future__ import annotations

import re

import numpy as np

from rsvlm_geo.model import mini_talk
from rsvlm_geo.model.mini_boxes import Found
from rsvlm_geo.model.mini_reply import why
from rsvlm_geo.vlm import Question, Reply

__all__ = ["pair_asked", "relate"]

_RELATION = re.compile(
    r"^where (?:is|are) (?:the |an? )?(?P<a>[\w \-]+?) in relation to (?:the |an? )?"
    r"(?P<b>[\w \-]+?)\s*[?.]*$",
    re.I,
)


def pair_asked(text: str) -> tuple[str, str] | None:
    """The two things of ``where is the a in relation to the b?``; None: something else is asked."""
    match = _RELATION.match(mini_talk.parse_choices(text)[0])
    return (match["a"], match["b"]) if match else None


def relate(a: Found, b: Found, other: str, question: Question) -> Reply:
    """Where the surest box of ``a`` lies seen from that of ``b``, in words or as a choice.

    Args:
        a, b: Boxes of the two classes in one tile.
        other: What ``b`` is called in the question.
        question: May offer options.
    """
    _, options = mini_talk.parse_choices(question.text)
    both, dx, dy = a.presence * b.presence, 0.0, 0.0
    if len(a.boxes) and len(b.boxes):
        off = a.boxes[0] - b.boxes[0]
        dx, dy = (float(v) for v in (off[:2] + off[2:]) / 2)
    else:
        both = 0.0
    real = [o for o in options if not o.refusal]
    refusing = [o.letter for o in options if o.refusal]
    if real:
        shares = mini_talk.direction_shares(dx, dy, real)
        weight = both if refusing else 1.0
        chances = {o.letter: float(p) * weight for o, p in zip(real, shares, strict=True)}
        chances |= {letter: (1 - both) / len(refusing) for letter in refusing}
        best = max(chances, key=lambda c: chances[c])
        return Reply(best, chances, p_unanswerable=0.0 if refusing else 1 - both)
    if both < 0.5:
        return Reply(why("invisible", question), p_unanswerable=1 - both, reason="invisible")
    sector = int(((np.degrees(np.arctan2(dy, dx)) + 22.5) % 360) // 45)
    said = f"to the {mini_talk.DIRECTIONS[sector]} of the {other}"
    return Reply(said, p_unanswerable=1 - both, confidence=both)
