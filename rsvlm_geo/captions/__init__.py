"""Captions at scale: by rule, by relay, from perspectives, merged; with their facts checked.

After MpGI (rules and models from several perspectives, then one text) and VersaD (one detailed
caption an image). Every caption carries who wrote it, from which prompt, how many facts of the
annotations it keeps and what it invents.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "Accounts": "records",
    "Caption": "records",
    "Endpoint": "backends",
    "FactReport": "check",
    "Limits": "backends",
    "LocalWriter": "backends",
    "Record": "records",
    "Writer": "backends",
    "caption_image": "build",
    "facts_of": "facts",
    "read_records": "records",
    "write_format": "write",
}

__all__ = [
    "Accounts",
    "Caption",
    "Endpoint",
    "FactReport",
    "Limits",
    "LocalWriter",
    "Record",
    "Writer",
    "caption_image",
    "facts_of",
    "read_records",
    "write_format",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
