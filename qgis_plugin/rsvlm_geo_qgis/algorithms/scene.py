# SPDX-License-Identifier: GPL-2.0-or-later
"""Describe, caption, classify, count, locate, presence and ask: one scene each."""

from __future__ import annotations

from ..i18n import tr
from .base import SceneAlgorithm

__all__ = ["ALGORITHMS"]


class Describe(SceneAlgorithm):
    ID = "describe"
    TASK = "describe"
    ICON = "describe"
    HAS_OBJECTS = True

    def displayName(self) -> str:
        return tr("Describe a scene")

    def shortDescription(self) -> str:
        return tr("Caption, scene class and counts of what the model knows, for every tile.")


class Caption(SceneAlgorithm):
    ID = "caption"
    TASK = "caption"
    ICON = "caption"

    def displayName(self) -> str:
        return tr("Caption a scene")

    def shortDescription(self) -> str:
        return tr("A sentence or two about each tile.")


class Classify(SceneAlgorithm):
    ID = "classify"
    TASK = "classify"
    ICON = "classify"

    def displayName(self) -> str:
        return tr("Classify a scene")

    def shortDescription(self) -> str:
        return tr("One scene class per tile, from the classes the model knows.")


class Count(SceneAlgorithm):
    ID = "count"
    TASK = "count"
    ICON = "count"
    NEEDS_TARGET = True
    HAS_OBJECTS = True

    def displayName(self) -> str:
        return tr("Count objects")

    def shortDescription(self) -> str:
        return tr(
            "The number of objects of a class per tile, and a total that says what it covers."
        )


class Locate(SceneAlgorithm):
    ID = "locate"
    TASK = "locate"
    ICON = "locate"
    NEEDS_TARGET = True
    HAS_OBJECTS = True

    def displayName(self) -> str:
        return tr("Locate objects")

    def shortDescription(self) -> str:
        return tr("A polygon around each object of a class, merged across the seams of tiles.")


class Presence(SceneAlgorithm):
    ID = "presence"
    TASK = "presence"
    ICON = "presence"
    NEEDS_TARGET = True

    def displayName(self) -> str:
        return tr("Is it there?")

    def shortDescription(self) -> str:
        return tr("Yes, no, or an honest refusal, for every tile.")


class Ask(SceneAlgorithm):
    ID = "ask"
    TASK = "ask"
    ICON = "ask"
    NEEDS_QUESTION = True
    HAS_OBJECTS = True

    def displayName(self) -> str:
        return tr("Ask a scene a question")

    def shortDescription(self) -> str:
        return tr("A question in your own words, answered for every tile.")


ALGORITHMS = (Describe, Caption, Classify, Count, Locate, Presence, Ask)
