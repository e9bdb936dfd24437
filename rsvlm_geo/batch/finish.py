"""From the parts of a scene to its tables, and from the tables of scenes to those of the run."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import shapely

from rsvlm_geo.batch.spec import BatchSpec, SceneRef
from rsvlm_geo.batch.work import load_vlm, make_job, now, read_done
from rsvlm_geo.layers import Layers, StyleFacts, make_frame, write_layers
from rsvlm_geo.layers.tables import ANSWER_COLUMNS, OBJECT_COLUMNS, RUN_COLUMNS
from rsvlm_geo.layers.write import to_lonlat
from rsvlm_geo.pipeline.collect import Collector, asked_area
from rsvlm_geo.pipeline.run import Speed, provenance
from rsvlm_geo.pipeline.summary import scene_summary
from rsvlm_geo.pipeline.totals import all_told
from rsvlm_geo.scene import Scene
from rsvlm_geo.vlm import ModelInfo

__all__ = ["SceneDone", "finish_scene", "load_scenes", "merge_run", "write_unusable"]

GPKG_ROWS = 2_000_000
"""More rows than this go to GeoParquet only: a GeoPackage is written from memory."""
ROW_GROUP = 50_000


@dataclass(frozen=True, slots=True)
class SceneDone:
    """One scene's outcome, as kept in ``scenes/<key>/scene.json``."""

    key: str
    name: str
    """For people."""
    complete: bool
    """Nothing failed, every tile done, and every total of all that has data."""
    coverage: Mapping[str, float]
    totals: tuple[Mapping[str, Any], ...]
    statuses: Mapping[str, int]
    tiles: int
    done: int
    error: str = ""
    """Why it could not be used at all."""
    run_id: str = ""
    """Fingerprint of scene and run together."""
    crs: str | None = None
    stac: Mapping[str, Any] | None = None
    """What the derived Item needs."""
    style: Mapping[str, Any] | None = None
    coverage_words: str = ""
    """For people: of several questions, which were refused, and where."""

    @property
    def usable(self) -> bool:
        """Whether it has tables."""
        return not self.error

    def to_json(self) -> str:
        """For ``scene.json``."""
        from dataclasses import asdict

        return json.dumps(asdict(self), ensure_ascii=False, default=str)


def finish_scene(spec: BatchSpec, ref: SceneRef, scene: Scene, folder: str, root: str) -> SceneDone:
    """Merge the parts of a scene into its tables: answers, objects across seams, one run row."""
    vlm = load_vlm(spec)
    job = make_job(spec, scene, vlm)
    collector = Collector(scene, job.plan, job.questions, job.gates, job.info, job.run_id)
    for tile in read_done(folder, job):
        collector.add(tile)
    answers, objects, totals = collector.finish()
    answers["scene_id"] = ref.key
    if objects is not None:
        objects["scene_id"] = ref.key
    coverage = collector.coverage()
    coverage_words = collector.coverage_words()
    summary = scene_summary(job, answers, totals, coverage, coverage_words)
    moment = now()
    layers = collector.layers(
        answers,
        objects,
        totals,
        task=job.task,
        summary=" ".join(statement.text for statement in summary),
        started=moment,
        finished=moment,
        provenance=provenance(job, 0.0, 0, Speed()),
        area=asked_area(scene, job.plan),
    )
    layers.run["scene_id"] = ref.key
    home = Path(root) / "scenes" / ref.key
    home.mkdir(parents=True, exist_ok=True)
    for name, table in layers.named().items():
        _write_table(table, home / f"{name}.parquet")
    shares = {
        name: float(getattr(coverage, name))
        for name in ("seen", "nodata", "failed", "pending", "refused")
    }
    done = SceneDone(
        key=ref.key,
        name=ref.name,
        complete=all_told(coverage, totals) and len(collector) == len(job.plan),
        coverage=shares,
        coverage_words=coverage_words,
        totals=tuple(
            {"label": t.label, "value": t.value, "complete": t.complete, "text": str(t)}
            for t in totals
        ),
        statuses=collector.statuses(),
        tiles=len(job.plan),
        done=len(collector),
        run_id=job.run_id,
        crs=None if scene.crs is None else scene.crs.to_string(),
        stac=_stac_facts(scene, ref, [q.text for q in job.questions]),
        style={"questions": list(layers.style.questions), "tile_m": layers.style.tile_m},
    )
    write_text(home / "scene.json", done.to_json())
    return done


def write_unusable(ref: SceneRef, root: str, error: str) -> SceneDone:
    """Note a scene that could not be opened: all of it counts as failed."""
    home = Path(root) / "scenes" / ref.key
    home.mkdir(parents=True, exist_ok=True)
    done = SceneDone(
        key=ref.key,
        name=ref.name,
        complete=False,
        coverage={"seen": 0.0, "nodata": 0.0, "failed": 1.0, "pending": 0.0, "refused": 0.0},
        totals=(),
        statuses={},
        tiles=0,
        done=0,
        error=error,
    )
    write_text(home / "scene.json", done.to_json())
    return done


def load_scenes(root: Path, keys: Sequence[str] | None = None) -> Iterator[SceneDone]:
    """The scenes of a run that are finished, in the order of ``keys`` or of their names."""
    home = root / "scenes"
    if keys is None:
        keys = sorted(p.name for p in home.iterdir()) if home.is_dir() else []
    for key in keys:
        try:
            data = json.loads((home / key / "scene.json").read_text("utf-8"))
        except (OSError, ValueError):
            continue
        data["totals"] = tuple(data["totals"])
        yield SceneDone(**data)


def merge_run(root: Path, scenes: Sequence[SceneDone], info: ModelInfo) -> list[Path]:
    """The tables of a run: ``answers``, ``objects`` and ``run`` as GeoParquet, and one GeoPackage.

    Scenes are taken along a Hilbert curve through their centres, and rows within a scene along
    their own, one scene in memory at a time. Scenes of one CRS keep it; else longitude and
    latitude. The GeoPackage is left out above ``GPKG_ROWS`` rows.
    """
    usable = [scene for scene in scenes if scene.usable]
    if not usable:
        return []
    crs = {scene.crs for scene in usable}
    mixed = len(crs) > 1
    order = _along_hilbert(usable)
    written = []
    for name in ("answers", "objects", "run"):
        paths = [root / "scenes" / scene.key / f"{name}.parquet" for scene in order]
        paths = [path for path in paths if path.exists()]
        if paths:
            written.append(_stream(paths, root / f"{name}.parquet", mixed=mixed))
    rows = sum(pq.read_metadata(path).num_rows for path in written)
    if rows <= GPKG_ROWS:
        layers = _layers_of(root, order, written)
        written += write_layers(layers, root / "results.gpkg")
    return written


def _stream(paths: Sequence[Path], target: Path, *, mixed: bool) -> Path:
    """Scene tables into one file, one scene in memory at a time."""
    part = target.with_name(f".{target.name}.part")
    writer: pq.ParquetWriter | None = None
    waiting: list[Any] = []
    bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])
    tables = (_table_bytes(path, mixed=mixed) for path in paths)
    try:
        held = 0
        for table in tables:
            geo = json.loads(table.schema.metadata[b"geo"])
            box = geo["columns"]["geometry"].get("bbox")
            if box:
                bounds[:2] = np.minimum(bounds[:2], box[:2])
                bounds[2:] = np.maximum(bounds[2:], box[2:])
            if writer is None:
                schema = table.schema
                writer = pq.ParquetWriter(part, schema, compression="zstd")
                first = geo
            waiting.append(table.cast(schema) if table.schema != schema else table)
            held += len(table)
            if held >= ROW_GROUP:
                writer.write_table(_joined(waiting), row_group_size=ROW_GROUP)
                waiting, held = [], 0
        if writer is None:
            raise OSError("no tables to merge")
        if waiting:
            writer.write_table(_joined(waiting), row_group_size=ROW_GROUP)
        if np.isfinite(bounds).all():
            first["columns"]["geometry"]["bbox"] = bounds.tolist()
        writer.add_key_value_metadata({"geo": json.dumps(first)})
    finally:
        if writer is not None:
            writer.close()
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(target)
    return target


def _joined(tables: Sequence[Any]) -> Any:
    import pyarrow as pa

    return pa.concat_tables([t.replace_schema_metadata(None) for t in tables])


def _table_bytes(path: Path, *, mixed: bool) -> Any:
    frame = gpd.read_parquet(path)
    if mixed and frame.crs is not None:
        frame = to_lonlat(frame)
    if len(frame) > 1:
        frame = frame.iloc[frame.hilbert_distance().argsort(kind="stable")]
    return _as_parquet(frame.reset_index(drop=True))


def _as_parquet(frame: gpd.GeoDataFrame) -> Any:
    held = io.BytesIO()
    frame.to_parquet(
        held, index=False, compression=None, write_covering_bbox=True, schema_version="1.1.0"
    )
    held.seek(0)
    table = pq.read_table(held)
    metadata = {key: value for key, value in (table.schema.metadata or {}).items() if key == b"geo"}
    # a column that is empty in one scene and text in another must have one type
    import pyarrow as pa

    fields = [
        pa.field(f.name, pa.string()) if pa.types.is_null(f.type) else f for f in table.schema
    ]
    fields = [
        pa.field(f.name, pa.string()) if pa.types.is_large_string(f.type) else f for f in fields
    ]
    return table.cast(pa.schema(fields, metadata=metadata))


def _write_table(table: gpd.GeoDataFrame, path: Path) -> None:
    part = path.with_name(f".{path.name}.part")
    table.to_parquet(part, index=False, compression="zstd", schema_version="1.1.0")
    part.replace(path)


def _along_hilbert(scenes: Sequence[SceneDone]) -> list[SceneDone]:
    boxes = [(scene.stac or {}).get("bbox") for scene in scenes]
    if any(box is None for box in boxes) or len(scenes) < 3:
        return sorted(scenes, key=lambda scene: scene.key)
    centres = shapely.points([((b[0] + b[2]) / 2, (b[1] + b[3]) / 2) for b in boxes if b])
    along = gpd.GeoSeries(centres).hilbert_distance(total_bounds=(-180.0, -90.0, 180.0, 90.0))
    keys = [(int(along.iloc[i]), scene.key) for i, scene in enumerate(scenes)]
    return [scene for _, scene in sorted(zip(keys, scenes, strict=True), key=lambda p: p[0])]


def _layers_of(root: Path, scenes: Sequence[SceneDone], paths: Sequence[Path]) -> Layers:
    frames = {path.stem: gpd.read_parquet(path) for path in paths}
    merged: dict[str, dict[str, Any]] = {}
    for scene in scenes:
        for question in (scene.style or {}).get("questions", ()):
            seen = merged.setdefault(question["question"], dict(question))
            seen["highest"] = max(seen["highest"], question["highest"])
            seen["answers"] = list(dict.fromkeys([*seen["answers"], *question["answers"]]))
    sizes = [(scene.style or {}).get("tile_m") for scene in scenes]
    known = [size for size in sizes if size]
    style = StyleFacts(tuple(merged.values()), max(known) if known else None)
    return Layers(
        _typed(frames["answers"], ANSWER_COLUMNS),
        _typed(frames["objects"], OBJECT_COLUMNS) if "objects" in frames else None,
        _typed(frames["run"], RUN_COLUMNS),
        style,
    )


def _typed(frame: gpd.GeoDataFrame, columns: Mapping[str, str]) -> gpd.GeoDataFrame:
    rows = {
        name: [None if pd.isna(v) else v for v in frame[name]] for name in columns if name in frame
    }
    return make_frame(columns, rows, frame.geometry.to_numpy(), frame.crs)


def _stac_facts(scene: Scene, ref: SceneRef, questions: Sequence[str]) -> dict[str, Any] | None:
    if not scene.georeferenced:
        return None
    from rsvlm_geo.stac.out import lonlat_footprint

    geometry, bbox = lonlat_footprint(scene)
    code = scene.crs.to_authority() if scene.crs is not None else None
    return {
        "scene_id": ref.key,
        "href": ref.item.href if ref.item is not None else scene.href,
        "is_item": ref.item is not None,
        "geometry": geometry,
        "bbox": list(bbox),
        "datetime": scene.datetime,
        "crs_code": None if code is None else ":".join(code),
        "crs_wkt": None if code is not None or scene.crs is None else scene.crs.to_wkt(),
        "shape": [scene.height, scene.width],
        "transform": None if scene.transform is None else list(scene.transform),
        "gsd_m": scene.gsd_m,
        "questions": list(questions),
    }


def write_text(path: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
