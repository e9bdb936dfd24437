"""What a worker does: prepare a scene, answer a band of it, put its tables together.

Every function here is idempotent and leaves its result on disk; what it returns to the driver is a
few numbers.
"""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from rsvlm_geo.batch.parts import Band, Part, list_parts, missing_bands, read_parts, write_part
from rsvlm_geo.batch.spec import BatchSpec, SceneRef
from rsvlm_geo.errors import AoiError, ModelError, RsvlmError, TaskError
from rsvlm_geo.pipeline import plan_job
from rsvlm_geo.pipeline.asking import blank_answers
from rsvlm_geo.pipeline.collect import core_rings, map_crs
from rsvlm_geo.pipeline.job import Job
from rsvlm_geo.pipeline.run import iter_answers
from rsvlm_geo.pipeline.store import TileAnswers
from rsvlm_geo.scene import Scene, open_scene
from rsvlm_geo.vlm import ModelInfo, Vlm

__all__ = ["Done", "Prepared", "load_vlm", "model_info", "prepare", "run_band", "write_failed"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A scene that is ready to be asked."""

    key: str
    scene: Scene | None
    """None when it cannot be used; then ``error`` says why."""
    folder: str
    """Of its parts."""
    rows: int = 0
    cols: int = 0
    tiles: int = 0
    bands: tuple[Band, ...] = ()
    """What is still to do."""
    done_tiles: int = 0
    """Tiles that an earlier run has done."""
    error: str = ""
    skipped: bool = False
    """Whether the scene lies outside the area of interest."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a band."""

    tiles: int
    failed: int


_models: dict[str, Vlm] = {}
_models_lock = threading.Lock()


def load_vlm(spec: BatchSpec) -> Vlm:
    """The model of a spec, one per process however many tasks ask for it."""
    if not (spec.model is None or isinstance(spec.model, (str, Path))):
        return spec.model if not callable(spec.model) or hasattr(spec.model, "ask") else _made(spec)
    key = f"{spec.model}\n{spec.provider}"
    with _models_lock:
        if key not in _models:
            _models[key] = _load(str(spec.model) if spec.model is not None else None, spec.provider)
        return _models[key]


def _made(spec: BatchSpec) -> Vlm:
    key = f"{getattr(spec.model, '__module__', '')}:{getattr(spec.model, '__qualname__', '')}"
    with _models_lock:
        if key not in _models:
            _models[key] = spec.model()
        return _models[key]


def _load(name: str | None, provider: str) -> Vlm:
    if name is not None and ":" in name and not Path(name).exists():
        module, _, attribute = name.rpartition(":")
        try:
            found = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise ModelError(f"no model {name!r}: {error}; give module:attribute") from error
        made: Vlm = found() if isinstance(found, type) or not hasattr(found, "ask") else found
        return made
    from rsvlm_geo.model import load_model

    loaded: Vlm = load_model(name, provider=provider)
    return loaded


def model_info(spec: BatchSpec) -> ModelInfo:
    """What the model is, told by a machine that runs it."""
    return load_vlm(spec).info


def open_ref(spec: BatchSpec, ref: SceneRef) -> Scene:
    """Open a scene of a batch."""
    if ref.item is not None:
        from rsvlm_geo.stac.item import open_item

        scene: Scene = open_item(
            ref.item, bands=spec.bands, assets=spec.assets, signer=spec.signer,
            policy=spec.policy, allow_local=spec.allow_local,
        )  # fmt: skip
        return scene
    if ref.href.startswith(("http://", "https://", "s3://", "gs://", "az://")):
        from rsvlm_geo.remote.auth import make_signer
        from rsvlm_geo.remote.source import RemoteSource

        source = RemoteSource.single(ref.href, signer=make_signer(spec.signer), policy=spec.policy)
        return open_scene(source, bands=spec.bands)
    return open_scene(ref.href, bands=spec.bands)


def make_job(spec: BatchSpec, scene: Scene, vlm: Vlm) -> Job:
    """The job of a scene."""
    return plan_job(
        scene,
        spec.task,
        spec.questions(vlm.info, scene.gsd_m),
        vlm,
        aoi=spec.aoi,
        gsd_m=spec.gsd_m,
        margin_m=spec.margin_m,
        min_valid=spec.min_valid,
        batch=spec.batch,
    )


def prepare(
    spec: BatchSpec, ref: SceneRef, root: str, tiles_per_task: int, retry_failed: bool = True
) -> Prepared:
    """Open a scene, lay its grid, and see which bands are still to do.

    Args:
        spec: What is asked.
        ref: The scene.
        root: Folder of the run, named by its fingerprint.
        tiles_per_task: Size of a task.
        retry_failed: Whether tiles that failed in an earlier run are tried again.
    """
    home = Path(root) / "parts" / ref.key
    try:
        scene = open_ref(spec, ref)
        job = make_job(spec, scene, load_vlm(spec))
    except AoiError as error:
        return Prepared(ref.key, None, str(home), error=str(error), skipped=True)
    except (ModelError, TaskError):
        raise
    except RsvlmError as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return Prepared(ref.key, None, str(home), error=text)
    folder = home / job.run_id
    parts = list_parts(folder)
    rows, cols = job.plan.grid.shape
    bands = missing_bands(parts, rows, cols, tiles_per_task, retry_failed=retry_failed)
    todo = sum(_tiles_in(job, band) for band in bands)
    total = len(job.plan)
    return Prepared(
        ref.key, scene, str(folder), rows, cols, total, tuple(bands), done_tiles=total - todo
    )


def _tiles_in(job: Job, band: Band) -> int:
    fracs = job.plan.aoi_fracs
    cols = job.plan.grid.shape[1]
    rows = range(band.first, band.last + 1)
    if band.col is not None:
        return 1 if fracs is None or fracs[band.first, band.col] > 0 else 0
    if fracs is None:
        return len(rows) * cols
    return int((fracs[band.first : band.last + 1] > 0).sum())


def band_job(job: Job, band: Band) -> Job:
    """The part of a job that lies in a band: the same grid, everything else left out."""
    fracs = job.plan.aoi_fracs
    mine = np.zeros(job.plan.grid.shape)
    cols = slice(None) if band.col is None else slice(band.col, band.col + 1)
    rows = slice(band.first, band.last + 1)
    mine[rows, cols] = 1.0 if fracs is None else fracs[rows, cols]
    return replace(job, plan=replace(job.plan, aoi_fracs=mine))


def run_band(spec: BatchSpec, scene: Scene, folder: str, band: Band) -> Done:
    """Answer the tiles of a band and leave them as a part.

    Raises:
        OutputError: The part cannot be written.
        ModelError: The model itself does not work.
    """
    job = make_job(spec, scene, load_vlm(spec))
    mine = band_job(job, band)
    if (Path(folder) / f"{band.stem}.parquet").exists():
        return Done(len(mine.plan), 0)  # done by a worker that died before it could say so
    known = _answered_before(Path(folder), band, job)
    asked = [t for batch in iter_answers(mine, skip=frozenset(known)) for t in batch]
    _write(Path(folder), band, job, [*known.values(), *asked])
    return Done(len(asked), sum(tile.state == "failed" for tile in asked))


def _answered_before(folder: Path, band: Band, job: Job) -> dict[str, TileAnswers]:
    """Tiles of a band that an earlier run answered beside others that failed."""
    parts = [
        part
        for part in list_parts(folder)
        if part.failed and part.band.first <= band.last and part.band.last >= band.first
    ]
    wanted = {tile.tile_id for tile in band_job(job, band).plan.tiles()} if parts else set()
    return {
        tile.tile_id: tile
        for tile in read_parts(parts, job.questions)
        if tile.state != "failed" and tile.tile_id in wanted
    }


def write_failed(
    spec: BatchSpec, scene: Scene, folder: str, band: Band, why: str, vlm: Vlm
) -> Done:
    """Leave a part that says that the tiles of a band failed; for what kills its worker."""
    job = make_job(spec, scene, vlm)
    text = " ".join(why.split())
    tiles = [
        TileAnswers(
            tile.tile_id, "failed", 1.0, blank_answers(tile.tile_id, job.questions, "failed", text)
        )
        for tile in band_job(job, band).plan.tiles()
    ]
    _write(Path(folder), band, job, tiles)
    return Done(len(tiles), len(tiles))


def _write(folder: Path, band: Band, job: Job, tiles: Iterable[TileAnswers]) -> None:
    by_id = {tile.tile_id: tile for tile in tiles}
    order = [tile for tile in band_job(job, band).plan.tiles() if tile.tile_id in by_id]
    crs = map_crs(job.scene)
    write_part(
        folder,
        band,
        [by_id[tile.tile_id] for tile in order],
        core_rings(order, job.scene),
        None if crs is None else crs.to_json(),
    )


def parts_of(folder: str) -> list[Part]:
    """The parts of a scene."""
    return list_parts(Path(folder))


def now() -> str:
    """The time, UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def read_done(folder: str, job: Job) -> Iterable[TileAnswers]:
    """Every tile of a scene that is done."""
    return read_parts(list_parts(Path(folder)), job.questions)


def facts_text(facts: Any) -> str:
    """JSON, one line."""
    return json.dumps(facts, ensure_ascii=False, default=str)
