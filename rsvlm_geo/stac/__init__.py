"""STAC in and out: search, Items as scenes, results as Items.

::

    items = search("https://host/stac", collections=["naip"], bbox=(-105.3, 39.9, -105.1, 40.1))
    scene = open_item(next(items))                   # or a path or URL of an Item
    rsvlm_geo.describe(scene)

``describe`` and the command line take an Item, or a path or URL of one, by themselves.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "SearchQuery": "query",
    "StacItem": "item",
    "band_parts": "assets",
    "item_source": "item",
    "load_items": "load",
    "model_item": "mlm",
    "open_item": "item",
    "run_collection": "out",
    "scene_item": "out",
    "search": "searching",
    "validate": "validation",
}

__all__ = [
    "SearchQuery",
    "StacItem",
    "band_parts",
    "item_source",
    "load_items",
    "model_item",
    "open_item",
    "run_collection",
    "scene_item",
    "search",
    "validate",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        module = import_module(f"{__name__}.{_HOME[name]}")
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
