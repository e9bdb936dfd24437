"""Search scenes by words: tile vectors, an index, ranked tiles and heat maps."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rsvlm_geo.retrieval.collection import Collection, Found
    from rsvlm_geo.retrieval.embedder import Embedder, load_embedder
    from rsvlm_geo.retrieval.heatmap import HeatMap, make_heatmap
    from rsvlm_geo.retrieval.index import TileIndex, read_index
    from rsvlm_geo.retrieval.scan import VectorSearch
    from rsvlm_geo.retrieval.searching import SearchResult, index_scene, search
    from rsvlm_geo.retrieval.zeroshot import class_vectors, zero_shot

_HOME = {
    "Collection": "collection",
    "Embedder": "embedder",
    "Found": "collection",
    "HeatMap": "heatmap",
    "SearchResult": "searching",
    "TileIndex": "index",
    "VectorSearch": "scan",
    "class_vectors": "zeroshot",
    "index_scene": "searching",
    "load_embedder": "embedder",
    "make_heatmap": "heatmap",
    "read_index": "index",
    "search": "searching",
    "zero_shot": "zeroshot",
}

__all__ = [
    "Collection",
    "Embedder",
    "Found",
    "HeatMap",
    "SearchResult",
    "TileIndex",
    "VectorSearch",
    "class_vectors",
    "index_scene",
    "load_embedder",
    "make_heatmap",
    "read_index",
    "search",
    "zero_shot",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
