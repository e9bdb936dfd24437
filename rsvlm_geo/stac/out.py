"""Results as STAC: an Item per scene, derived from its source, and a Collection for the run."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import rsvlm_geo
from rsvlm_geo.remote.auth import redact
from rsvlm_geo.stac.validation import EXTENSIONS

__all__ = ["SceneFacts", "asset_of", "run_collection", "scene_item", "software", "write_json"]

STAC_VERSION = "1.1.0"
MODEL_REL = "https://stac-extensions.github.io/mlm#model"
_TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".gpkg": "application/geopackage+sqlite3",
    ".geojson": "application/geo+json",
    ".fgb": "application/vnd.flatgeobuf",
    ".json": "application/json",
}


@dataclass(frozen=True, slots=True)
class SceneFacts:
    """What an Item says about one scene of a run; everything fit for JSON."""

    scene_id: str
    href: str
    """Of the source: its STAC Item, else the raster; unsigned."""
    is_item: bool
    """Whether ``href`` is a STAC Item."""
    geometry: Mapping[str, Any]
    """GeoJSON, lon/lat, cut at the antimeridian."""
    bbox: tuple[float, float, float, float]
    datetime: str | None
    crs_code: str | None
    """``EPSG:32633``, or None."""
    crs_wkt: str | None
    shape: tuple[int, int]
    """``(rows, columns)``."""
    transform: tuple[float, ...] | None
    gsd_m: float | None
    questions: tuple[str, ...]
    coverage: Mapping[str, float]
    totals: tuple[Mapping[str, Any], ...] = ()
    provenance: Mapping[str, Any] | None = None


def asset_of(
    path: Path, base: Path, *, title: str, roles: Sequence[str] = ("data",)
) -> dict[str, Any]:
    """An asset for a file: relative href, type, size, SHA-256 as multihash, and table columns.

    Args:
        path: The file.
        base: Folder of the document that will hold the asset.
        title: For people.
        roles: STAC roles.
    """
    import os

    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    asset: dict[str, Any] = {
        "href": "./" + Path(os.path.relpath(path, base)).as_posix(),
        "type": _TYPES.get(path.suffix.lower(), "application/octet-stream"),
        "title": title,
        "roles": list(roles),
        "file:size": path.stat().st_size,
        "file:checksum": "1220" + digest.hexdigest(),
    }
    if path.suffix.lower() == ".parquet":
        asset.update(table_fields(path))
    return asset


def table_fields(path: Path) -> dict[str, Any]:
    """``table:`` fields of a Parquet file, from its footer."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    columns = [
        {"name": field.name, "type": str(field.type)}
        for field in file.schema_arrow
        if field.name != "bbox"
    ]
    fields: dict[str, Any] = {
        "table:columns": columns,
        "table:row_count": int(file.metadata.num_rows),
    }
    geo = (file.schema_arrow.metadata or {}).get(b"geo")
    if geo:
        fields["table:primary_geometry"] = json.loads(geo)["primary_column"]
    return fields


def scene_item(
    facts: SceneFacts,
    assets: Mapping[str, Mapping[str, Any]],
    *,
    run_id: str,
    finished: str,
    model: str = "",
    model_href: str | None = None,
    collection: str | None = None,
) -> dict[str, Any]:
    """The derived Item of one scene.

    Args:
        facts: The scene.
        assets: Key -> asset, from :func:`asset_of`; one named ``answers`` gives the columns.
        run_id: The run's fingerprint.
        finished: When, ISO 8601.
        model: Name of the model.
        model_href: Href of the model's Item, relative to this one.
        collection: Id of the run's Collection, which lies beside as ``collection.json``.
    """
    columns = assets.get("answers", {}).get("table:columns") or [{"name": "geometry"}]
    properties: dict[str, Any] = {
        **_times(facts.datetime, finished),
        "created": _utc(finished),
        "processing:software": software(),
        "processing:datetime": _utc(finished),
        "processing:version": rsvlm_geo.__version__,
        "processing:lineage": (
            f"{model or 'A vision-language model'} was asked {len(facts.questions)} question(s) "
            f"about every tile of the scene: {' | '.join(facts.questions)}"
        ),
        "table:columns": list(columns),
        "proj:code": facts.crs_code,
        "proj:shape": [int(n) for n in facts.shape],
        "rsvlm:run_id": run_id,
        "rsvlm:coverage": dict(facts.coverage),
        "rsvlm:totals": [dict(total) for total in facts.totals],
    }
    if facts.crs_code is None and facts.crs_wkt:
        properties["proj:wkt2"] = facts.crs_wkt
    if facts.transform is not None:
        properties["proj:transform"] = [float(v) for v in facts.transform[:6]]
    if facts.gsd_m is not None:
        properties["gsd"] = facts.gsd_m
    links: list[dict[str, Any]] = [
        {
            "rel": "derived_from",
            "href": redact(facts.href),
            "type": "application/geo+json" if facts.is_item else "image/tiff",
            "title": "What was looked at",
        }
    ]
    if model_href:
        links.append(
            {"rel": MODEL_REL, "href": model_href, "type": "application/geo+json", "title": model}
        )
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [EXTENSIONS[n] for n in ("file", "processing", "projection", "table")],
        "id": f"{facts.scene_id}-{run_id[:8]}",
        "geometry": dict(facts.geometry),
        "bbox": list(facts.bbox),
        "properties": properties,
        "links": links,
        "assets": {key: dict(asset) for key, asset in assets.items()},
    }
    if collection is not None:
        item["collection"] = collection
        for rel in ("collection", "parent", "root"):
            links.append({"rel": rel, "href": "./collection.json", "type": "application/json"})
    return item


def run_collection(
    items: Sequence[Mapping[str, Any]],
    *,
    run_id: str,
    description: str,
    assets: Mapping[str, Mapping[str, Any]] | None = None,
    links: Sequence[Mapping[str, Any]] = (),
    licence: str = "other",
) -> dict[str, Any]:
    """The Collection of a run.

    Args:
        items: Its Items; only boxes, times and ids are used.
        run_id: The run's fingerprint.
        description: What was asked of what.
        assets: Files of the whole run.
        links: Links to the items, if they are to be listed.
        licence: SPDX id of the results, or ``other``.
    """
    boxes = [item["bbox"] for item in items if item.get("bbox")] or [[-180.0, -90.0, 180.0, 90.0]]
    whole = [
        min(b[0] for b in boxes), min(b[1] for b in boxes),
        max(b[2] for b in boxes), max(b[3] for b in boxes),
    ]  # fmt: skip
    if any(b[0] > b[2] for b in boxes):
        whole[0], whole[2] = -180.0, 180.0
    times = sorted(
        t
        for item in items
        for t in (
            item["properties"].get("datetime"),
            item["properties"].get("start_datetime"),
            item["properties"].get("end_datetime"),
        )
        if t
    )
    interval = [times[0], times[-1]] if times else [None, None]
    return {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "stac_extensions": [EXTENSIONS["file"]] if assets else [],
        "id": f"rsvlm-{run_id}",
        "title": "Answers about scenes",
        "description": description,
        "license": licence,
        "extent": {"spatial": {"bbox": [whole]}, "temporal": {"interval": [interval]}},
        "links": [
            {"rel": "root", "href": "./collection.json", "type": "application/json"},
            *(dict(link) for link in links),
        ],
        "assets": {key: dict(asset) for key, asset in (assets or {}).items()},
    }


def software() -> dict[str, str]:
    """Name -> version of what made the results."""
    found = {"rsvlm_geo": rsvlm_geo.__version__}
    for name in ("rasterio", "onnxruntime", "onnxruntime-gpu", "geopandas"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def write_json(document: Mapping[str, Any], path: Path) -> Path:
    """Write a document whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)
    return path


def lonlat_footprint(scene: Any) -> tuple[dict[str, Any], tuple[float, float, float, float]]:
    """A scene's outline as GeoJSON in lon/lat, cut at the antimeridian, and its STAC bbox.

    Raises:
        MissingCRSError: The scene has no georeference.
    """
    import numpy as np
    import shapely
    import shapely.geometry

    bbox = scene.bbox()
    ring = scene.ground.lonlat(scene.ground.to_pixels(scene.footprint()))
    ring = np.asarray(ring, dtype=np.float64)
    if bbox[0] > bbox[2]:
        ring = ring.copy()
        ring[ring[:, 0] < 0, 0] += 360.0
        whole = shapely.Polygon(ring)
        west = whole.intersection(shapely.box(0.0, -90.0, 180.0, 90.0))
        east = shapely.transform(
            whole.intersection(shapely.box(180.0, -90.0, 360.0, 90.0)),
            lambda xy: xy - np.array([360.0, 0.0]),
        )
        shape: Any = shapely.MultiPolygon([*_polygons(west), *_polygons(east)])
    else:
        shape = shapely.Polygon(ring)
    shape = shapely.set_precision(shape, 1e-9)
    geometry = json.loads(shapely.to_geojson(shapely.orient_polygons(shape)))
    return geometry, bbox


def _polygons(shape: Any) -> list[Any]:
    parts = getattr(shape, "geoms", [shape])
    return [p for p in parts if p.geom_type == "Polygon" and not p.is_empty]


def _utc(text: str) -> str:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def _times(acquired: str | None, finished: str) -> dict[str, Any]:
    """STAC wants a time; when the scene's is unknown the Item says so instead of inventing one."""
    if acquired:
        return {"datetime": _utc(acquired)}
    return {
        "datetime": None,
        "start_datetime": "1970-01-01T00:00:00Z",
        "end_datetime": _utc(finished),
        "rsvlm:datetime": "unknown; the interval only says before the run",
    }


def finite(value: float | None) -> float | None:
    """A number for JSON, None when it is not finite."""
    return value if value is not None and math.isfinite(value) else None
