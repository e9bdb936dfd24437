"""What a tile answered: typed, with a status that says whether to believe it. Pure.

Every tile and question ends as exactly one :class:`Answer`. An honest refusal is an answer with
its own status and reason, never a string and never a "no".
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import AnswerError
from rsvlm_geo.tasks import TASKS
from rsvlm_geo.vlm import ModelInfo, Question, Reply

__all__ = [
    "REASONS",
    "STATUSES",
    "Answer",
    "Coverage",
    "Reason",
    "Status",
    "answer_from_reply",
    "is_degenerate",
    "parse_number",
]

Status = Literal["answered", "refused", "unreadable", "nodata", "failed"]
Reason = Literal[
    "invisible", "panchromatic", "below_gsd", "modality", "low_confidence", "out_of_scope"
]
STATUSES: tuple[str, ...] = get_args(Status)
REASONS: tuple[str, ...] = get_args(Reason)

DEFAULT_REFUSE_ABOVE = 0.5


@dataclass(frozen=True, slots=True)
class Answer:
    """One tile's answer to one question."""

    tile_id: str
    task: str
    question: str
    status: Status
    text: str = ""
    """The answer in words; the raw text when unreadable; error class and message when failed."""
    value: float | None = None
    """The typed answer as a number: a count, 1/0 for yes/no, a measurement; None otherwise."""
    unit: str | None = None
    confidence: float | None = None
    """Calibrated probability that the answer is right, or None. Never a made-up 1.0."""
    reason: Reason | None = None
    """Why it was refused; set exactly when ``status`` is ``refused``."""
    boxes: NDArray[np.float64] | None = None
    """float64[n, 4], ``(x0, y0, x1, y1)`` pixel edges of the model's image; None when not asked."""
    labels: tuple[str, ...] = ()
    scores: NDArray[np.float64] | None = None
    """float64[n] beside the boxes, or None."""

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise AnswerError(f"status {self.status!r} is none of {', '.join(STATUSES)}")
        if (self.status == "refused") != (self.reason is not None):
            raise AnswerError(f"a refusal needs a reason; got {self.status}, {self.reason}")
        if self.reason is not None and self.reason not in REASONS:
            raise AnswerError(f"reason {self.reason!r} is none of {', '.join(REASONS)}")
        if self.confidence is not None and not 0.0 <= self.confidence <= 1.0:
            raise AnswerError(f"confidence must lie in 0..1; got {self.confidence}")
        if self.value is not None and not math.isfinite(self.value):
            raise AnswerError(f"value must be finite; got {self.value}")

    @property
    def n_objects(self) -> int | None:
        """Boxes found, or None when none were asked for."""
        return None if self.boxes is None else len(self.boxes)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the asked area a total speaks for; fractions of its pixels that sum to one."""

    seen: float
    """Valid and answered, refused included: the model (or a rule) looked at it."""
    nodata: float
    """Nothing there to look at."""
    failed: float
    """Could not be read or run."""
    refused: float = 0.0
    """The part of ``seen`` on which the answer was a refusal or unreadable."""
    pending: float = 0.0
    """Not reached yet: the run was cancelled or is still going."""

    def __post_init__(self) -> None:
        total = self.seen + self.nodata + self.failed + self.pending
        if not math.isclose(total, 1.0, abs_tol=1e-6):
            raise AnswerError(f"coverage must sum to 1; got {total:.6f}")

    @property
    def complete(self) -> bool:
        """Whether a total over it may be called complete: all that is there was answered."""
        return self.failed == 0 and self.pending == 0 and self.refused == 0

    def __str__(self) -> str:
        parts = [f"{self.seen:.1%} seen"]
        for name in ("refused", "nodata", "failed", "pending"):
            share = getattr(self, name)
            if share > 0:
                parts.append(f"{share:.1%} {name}")
        return ", ".join(parts)


def answer_from_reply(tile_id: str, question: Question, reply: Reply, info: ModelInfo) -> Answer:
    """Turn what the model said into a typed answer; what does not parse is ``unreadable``.

    Args:
        tile_id: Whose answer it is.
        question: What was asked.
        reply: What came back.
        info: The model's thresholds for refusing.
    """
    task = TASKS[question.task]
    blank = Answer(tile_id, question.task, question.text, "unreadable", text=reply.text)
    limit = info.refuse_above.get(question.task, DEFAULT_REFUSE_ABOVE)
    p = reply.p_unanswerable
    said_so = p is None and reply.reason in REASONS  # in its words, without a probability
    if said_so or (p is not None and p > limit):
        reason: Reason = "invisible"
        if reply.reason is not None and reply.reason in REASONS:
            reason = reply.reason  # type: ignore[assignment]
        return replace(blank, status="refused", reason=reason, confidence=_unit(p))
    if question.candidates is not None or task.kind in ("class", "yes_no", "choice"):
        answer = _closed(blank, question, reply)
    elif task.kind == "count":
        answer = _count(blank, reply)
    elif task.kind == "boxes":
        answer = _boxes(blank, reply)
    elif is_degenerate(reply.text):
        answer = blank
    else:
        answer = replace(blank, status="answered", confidence=_unit(reply.confidence))
        if task.kind == "number":
            value = parse_number(reply.text)
            answer = blank if value is None else replace(answer, value=value, unit=task.unit)
        answer = _with_boxes(answer, reply)
    floor = info.min_confidence.get(question.task)
    if (
        answer.status == "answered"
        and floor is not None
        and answer.confidence is not None
        and answer.confidence < floor
    ):
        return replace(answer, status="refused", reason="low_confidence", value=None, unit=None)
    return answer


def _closed(blank: Answer, question: Question, reply: Reply) -> Answer:
    confidence = None
    choice: str | None
    if reply.candidates:
        choice = max(reply.candidates, key=lambda name: reply.candidates[name])  # type: ignore[index]
        confidence = _unit(reply.candidates[choice])
    else:
        choice = _match_choice(reply.text, question.candidates)
        confidence = _unit(reply.confidence)
    if choice is None:
        return blank
    value = {"yes": 1.0, "no": 0.0}.get(choice)
    return replace(blank, status="answered", text=choice, value=value, confidence=confidence)


def _match_choice(text: str, candidates: tuple[str, ...] | None) -> str | None:
    words = re.sub(r"[^\w ]", " ", text.lower()).split()
    if not words or is_degenerate(text):
        return None
    if candidates is None:
        return " ".join(words)
    said = " ".join(words)
    hits = [c for c in candidates if re.search(rf"\b{re.escape(c.lower())}\b", said)]
    return hits[0] if len(hits) == 1 else None


def _count(blank: Answer, reply: Reply) -> Answer:
    value = reply.value
    confidence = _unit(reply.confidence)
    if value is None and reply.candidates:
        best = max(reply.candidates, key=lambda name: reply.candidates[name])  # type: ignore[index]
        value, confidence = parse_number(best), _unit(reply.candidates[best])
    if value is None and reply.boxes is not None:
        value = float(len(reply.boxes))
    if value is None:
        value = parse_number(reply.text)
    if value is None or value < 0 or not math.isfinite(value):
        return blank
    text = f"{value:g}" if float(value).is_integer() else f"{value:.1f}"
    answer = replace(
        blank, status="answered", text=text, value=value, unit="objects", confidence=confidence
    )
    return _with_boxes(answer, reply)


def _boxes(blank: Answer, reply: Reply) -> Answer:
    if reply.boxes is None:
        return blank
    n = len(reply.boxes)
    answer = replace(
        blank,
        status="answered",
        text=reply.text or str(n),
        value=float(n),
        unit="objects",
        confidence=_unit(reply.confidence),
    )
    return _with_boxes(answer, reply)


def _with_boxes(answer: Answer, reply: Reply) -> Answer:
    if reply.boxes is None or answer.status != "answered":
        return answer
    return replace(answer, boxes=reply.boxes, labels=reply.labels, scores=reply.scores)


def _unit(p: float | None) -> float | None:
    return None if p is None or not math.isfinite(p) else min(max(float(p), 0.0), 1.0)


_NUMBER_WORDS = {
    "zero": 0, "no": 0, "none": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13,
    "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
    "twenty": 20,
}  # fmt: skip
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.])[-+]?\d+(?:\.\d+)?")


def parse_number(text: str) -> float | None:
    """The one number a text states, in digits or words; None when it states none or several."""
    found = {float(match.replace(",", "")) for match in _NUMBER.findall(text)}
    if not found:
        words = re.findall(r"[a-z]+", text.lower())
        found = {float(_NUMBER_WORDS[word]) for word in words if word in _NUMBER_WORDS}
    return found.pop() if len(found) == 1 else None


def is_degenerate(text: str) -> bool:
    """Whether a text is empty, has no words, or is caught in a loop.

    A loop is one word, or one run of up to eight words, that fills most of the text by repetition,
    or one run of up to eight characters repeated eight times in a row ("maymaymaymay..."), or the
    same word three times in a row ("with about about about").
    """
    words = re.findall(r"\w+", text.lower())
    if not words:
        return True
    if re.search(r"(\S{1,8}?)\1{7,}", text):
        return True
    if re.search(r"\b([a-z]+)(?: \1){2,}\b", " ".join(words)):
        return True
    for length in range(1, 9):
        repeats = 1
        for i in range(length, len(words) - length + 1, length):
            if words[i : i + length] == words[i - length : i]:
                repeats += 1
                if repeats >= 4 and repeats * length >= 0.5 * len(words):
                    return True
            else:
                repeats = 1
    return False
