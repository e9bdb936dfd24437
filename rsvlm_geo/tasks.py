"""The table of tasks: what may be asked, in which words, and the kind of answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from rsvlm_geo.errors import TaskError
from rsvlm_geo.vlm import ModelInfo, Question

__all__ = [
    "TASKS",
    "AnswerKind",
    "Task",
    "ask_question",
    "class_phrase",
    "make_question",
    "route_question",
]

AnswerKind = Literal["text", "class", "count", "boxes", "yes_no", "choice", "number", "free"]


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of question."""

    name: str
    kind: AnswerKind
    """What its answer is; ``free`` is decided by the question's words."""
    prompt: str
    """The default words; ``{target}`` and ``{targets}`` are the class, singular and plural."""
    needs_target: bool = False
    unit: str | None = None
    """Unit of the answer's ``value``."""
    help: str = ""


TASKS: Mapping[str, Task] = MappingProxyType(
    {
        task.name: task
        for task in (
            Task("caption", "text", "Please describe the remote sensing image.",
                 help="A sentence or two about each tile."),
            Task("classify", "class", "What kind of scene is this?",
                 help="One scene class per tile, from the classes the model knows."),
            Task("count", "count",
                 "How many {targets} are there in the image? Just answer the number.",
                 needs_target=True, unit="objects", help="The number of objects of a class."),
            Task("locate", "boxes", "Where are the {targets} in the image?",
                 needs_target=True, unit="objects", help="A box around each object of a class."),
            Task("presence", "yes_no", "Is there a {target} in the image? Just answer yes or no.",
                 needs_target=True, help="Yes or no, per tile."),
            Task("ask", "free", "{target}", help="A question in your own words."),
        )
    }
)  # fmt: skip


def class_phrase(name: str, *, plural: bool = False) -> str:
    """A class name as words: ``storage_tank`` -> ``storage tank(s)``."""
    words = name.replace("_", " ")
    if not plural:
        return words
    if words.endswith(("s", "x", "ch", "sh")):
        return words + "es"
    if words.endswith("y") and words[-2:-1] not in "aeiou":
        return words[:-1] + "ies"
    return words + "s"


def make_question(
    task: str,
    *,
    target: str | None = None,
    text: str | None = None,
    candidates: tuple[str, ...] | None = None,
    gsd_m: float | None = None,
) -> Question:
    """Put a task into words.

    Args:
        task: A name of :data:`TASKS`.
        target: The class, for tasks that need one.
        text: The user's own words, instead of the task's prompt.
        candidates: Closed set of answers; yes and no for yes/no questions.
        gsd_m: Metres per pixel of the image the model will be shown.

    Raises:
        TaskError: Unknown task, a target or text is missing, or too few candidates.
    """
    if task not in TASKS:
        raise TaskError(f"no task {task!r}; take one of {', '.join(TASKS)}")
    row = TASKS[task]
    if candidates is not None:
        candidates = _closed_set(candidates)
    if task == "ask":
        if not text or not text.strip():
            raise TaskError("'ask' needs a question; got none")
        return ask_question(text, candidates=candidates, gsd_m=gsd_m)
    if row.needs_target and not target:
        raise TaskError(f"{task!r} needs a class to look for; got none; name one, such as 'car'")
    if row.kind == "yes_no" and candidates is None:
        candidates = ("yes", "no")
    words = text or row.prompt.format(
        target=class_phrase(target or ""), targets=class_phrase(target or "", plural=True)
    )
    return Question(task, words, target, candidates, gsd_m)


def _closed_set(candidates: tuple[str, ...]) -> tuple[str, ...]:
    """Each answer once, without blanks; of a single one every image would say the same."""
    words = [" ".join(str(word).split()) for word in candidates]
    distinct = {word.casefold(): word for word in reversed(words) if word}
    if len(distinct) < 2:
        got = ", ".join(map(repr, words)) or "none"
        raise TaskError(
            f"a closed set needs at least 2 different choices; got {got}; "
            "name them all, such as 'yes,no', or leave them out"
        )
    return tuple(reversed(distinct.values()))


_YES_NO = re.compile(
    r"^\s*(is|are|does|do|can|was|were|has|have)\b.*\?*\s*(just answer yes or no\.?)?\s*$",
    re.I | re.S,
)
_OR = re.compile(r"\bor\b", re.I)
_HOW_MANY = re.compile(
    r"^\s*(?:how many|what is the (?:number|amount) of|count (?:the )?)\s*(?P<what>[\w \-]+?)"
    r"(?:\s+(?:are|is|can|do|in|on|at|visible|there|present|here)\b.*)?[?.!]*\s*$",
    re.I,
)
_WHERE = re.compile(
    r"^\s*(?:where (?:is|are)|locate|find|show(?: me)?|detect)\s+(?:all\s+)?(?:the\s+|a\s+|an\s+)?"
    r"(?P<what>[\w \-]+?)(?:\s+(?:in|on|at)\b.*)?[?.!]*\s*$",
    re.I,
)


def ask_question(
    text: str, *, candidates: tuple[str, ...] | None = None, gsd_m: float | None = None
) -> Question:
    """A free question; yes/no questions get their closed set."""
    text = " ".join(text.split())
    if candidates is None and _YES_NO.match(text) and not _OR.search(text):
        candidates = ("yes", "no")
    return Question("ask", text, None, candidates, gsd_m)


def route_question(text: str, info: ModelInfo) -> Question | None:
    """The typed question that a free one amounts to, or None.

    ``How many cars are there?`` becomes ``count`` of ``car`` when the model knows cars, so that the
    answer is a number with evidence on the map and not prose.
    """
    for task, pattern in (("count", _HOW_MANY), ("locate", _WHERE)):
        match = pattern.match(text)
        if match and task in info.tasks:
            known = info.find_class(match.group("what"))
            if known is not None:
                return make_question(task, target=known.name, text=text)
    return None
