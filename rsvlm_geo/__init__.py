"""Ask an image of the Earth a question and get a map you can trust.

``rsvlm_geo.describe("scene.tif")`` tiles a georeferenced scene, asks a remote-sensing
vision-language model about every tile, and places each answer on the map with its status,
confidence and provenance. ``count``, ``locate``, ``classify``, ``caption`` and ``ask`` do one thing
each. Importing this package imports nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Answer": "answers",
    "Coverage": "answers",
    "ModelInfo": "vlm",
    "Question": "vlm",
    "Reply": "vlm",
    "Result": "pipeline",
    "RsvlmError": "errors",
    "Scene": "scene",
    "Vlm": "vlm",
    "ask": "pipeline",
    "caption": "pipeline",
    "classify": "pipeline",
    "count": "pipeline",
    "describe": "pipeline",
    "load_model": "model",
    "locate": "pipeline",
    "open_scene": "scene",
    "presence": "pipeline",
    "search": "retrieval",
}

# The verbs live in ``pipeline`` and ``retrieval``, never in modules of their own names: importing a
# submodule ``describe`` would replace the function of that name by the module.

__all__ = [
    "Answer",
    "Coverage",
    "ModelInfo",
    "Question",
    "Reply",
    "Result",
    "RsvlmError",
    "Scene",
    "Vlm",
    "__version__",
    "ask",
    "caption",
    "classify",
    "count",
    "describe",
    "load_model",
    "locate",
    "open_scene",
    "presence",
    "search",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
