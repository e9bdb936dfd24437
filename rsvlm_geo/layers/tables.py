"""The three tables of a run, as GeoDataFrames with fixed columns and types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

__all__ = [
    "ANSWER_COLUMNS",
    "OBJECT_COLUMNS",
    "RUN_COLUMNS",
    "Layers",
    "StyleFacts",
    "make_frame",
    "polygons",
]

ANSWER_COLUMNS: Mapping[str, str] = {
    "run_id": "str", "scene_id": "str", "tile_id": "str", "task": "str", "question": "str",
    "target": "str", "status": "str", "answer": "str", "value": "float", "unit": "str",
    "confidence": "float", "reason": "str", "n_objects": "int", "gsd_m": "float",
    "valid_frac": "float", "model": "str", "elapsed_ms": "float", "datetime": "str",
}  # fmt: skip
OBJECT_COLUMNS: Mapping[str, str] = {
    "run_id": "str", "scene_id": "str", "tile_id": "str", "object_id": "int", "label": "str",
    "score": "float", "area_m2": "float", "datetime": "str",
}  # fmt: skip
RUN_COLUMNS: Mapping[str, str] = {
    "run_id": "str", "scene_id": "str", "task": "str", "questions": "str", "started": "str",
    "finished": "str", "summary": "str", "coverage": "str", "complete": "bool",
    "seen": "float", "nodata": "float", "failed": "float", "pending": "float",
    "refused": "float", "tiles": "int", "objects": "int", "totals": "str", "gsd_m": "float",
    "model": "str", "model_sha256": "str", "provider": "str", "provenance": "str",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StyleFacts:
    """What the styles need to know beside the tables."""

    questions: tuple[Mapping[str, Any], ...]
    """As :func:`rsvlm_geo.layers.style.answers_style` takes them."""
    tile_m: float | None = None
    """Side of a tile, metres."""


@dataclass(frozen=True, slots=True)
class Layers:
    """What a run writes; all three in the scene's own CRS."""

    answers: gpd.GeoDataFrame
    """One row per tile and question; geometry is the tile's core."""
    objects: gpd.GeoDataFrame | None
    """One row per object, merged across seams; None when no question asks for objects."""
    run: gpd.GeoDataFrame
    """One row: all provenance; geometry is the asked area."""
    style: StyleFacts

    def named(self) -> dict[str, gpd.GeoDataFrame]:
        """Layer name -> table, in drawing order from the bottom."""
        tables = {"run": self.run, "answers": self.answers}
        if self.objects is not None:
            tables["objects"] = self.objects
        return tables


def make_frame(
    columns: Mapping[str, str],
    rows: Mapping[str, Sequence[Any]],
    geometry: NDArray[np.object_],
    crs: Any,
) -> gpd.GeoDataFrame:
    """A table with exactly these columns and types, also when it has no rows.

    Args:
        columns: Name -> ``str``, ``float`` (NaN: null), ``int`` (nullable) or ``bool``.
        rows: Name -> values; a name left out becomes nulls.
        geometry: object[n], shapely geometries.
        crs: Anything ``pyproj`` takes, or None.
    """
    n = len(geometry)
    data: dict[str, Any] = {}
    for name, kind in columns.items():
        values = rows.get(name)
        if values is None:
            values = [None] * n
        if kind == "float":
            data[name] = np.array(
                [np.nan if v is None else float(v) for v in values], dtype=np.float64
            )
        elif kind == "int":
            data[name] = pd.array(
                [pd.NA if v is None else int(v) for v in values], dtype=pd.Int64Dtype()
            )
        elif kind == "bool":
            data[name] = np.array([bool(v) for v in values], dtype=np.bool_)
        else:
            data[name] = pd.Series(
                [None if v is None else str(v) for v in values], dtype=object
            ).to_numpy()
    frame = pd.DataFrame(data, columns=list(columns))
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(list(geometry), crs=crs), crs=crs)


def polygons(rings: NDArray[np.float64]) -> NDArray[np.object_]:
    """Closed rings as polygons.

    Args:
        rings: float64[n, m, 2], first point repeated.

    Returns:
        object[n] of shapely Polygons.
    """
    if len(rings) == 0:
        return np.empty(0, dtype=object)
    return np.asarray(shapely.polygons(rings), dtype=object)
