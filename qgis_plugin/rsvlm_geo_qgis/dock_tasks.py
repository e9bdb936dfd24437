# SPDX-License-Identifier: GPL-2.0-or-later
"""The tasks of the dock: their words, and what a run of one is remembered by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from .i18n import tr

__all__ = ["TASKS", "TaskRow", "examples_for", "run_facts", "task_takes"]


class TaskRow(NamedTuple):
    """A task of the dock; its key is the id of the algorithm that runs it."""

    label: Callable[[], str]
    takes: str
    """The parameter its words go to: TARGET, QUESTION, or none."""
    icon: str


TASKS = {
    "describe": TaskRow(lambda: tr("Describe"), "", "describe"),
    "caption": TaskRow(lambda: tr("Caption"), "", "caption"),
    "classify": TaskRow(lambda: tr("Classify"), "", "classify"),
    "count": TaskRow(lambda: tr("Count"), "TARGET", "count"),
    "locate": TaskRow(lambda: tr("Locate"), "TARGET", "locate"),
    "presence": TaskRow(lambda: tr("Is it there?"), "TARGET", "presence"),
    "ask": TaskRow(lambda: tr("Ask"), "QUESTION", "ask"),
}
_CLASSES = ("car", "building", "tree", "ship", "storage_tank")


def task_takes(task: str) -> str:
    """The parameter a task's words go to."""
    return TASKS[task].takes


def examples_for(task: str, pack: dict[str, Any]) -> list[str]:
    """Words to click for a task and the model that will answer."""
    if task_takes(task) == "TARGET":
        classes = [str(name) for name in pack.get("classes") or _CLASSES]
        return [name.replace("_", " ") for name in classes[:7]]
    if task == "ask":
        return [tr("Is there a building?"), tr("Is there water?"), tr("How many cars are there?")]
    return []


def run_facts(task: str, words: str, layer: str, raster: str, when: datetime) -> dict[str, Any]:
    """What the project remembers of a run: its title, what was asked of what, and when."""
    name, takes = TASKS[task].label(), task_takes(task)
    return {
        "task": task, "target": words if takes == "TARGET" else "",
        "question": words if takes == "QUESTION" else "", "layer": layer, "source": raster,
        "when": when.isoformat(timespec="seconds"),
        "title": f"{name}: {words} · {layer}" if words else f"{name} · {layer}",
    }  # fmt: skip
