"""Protocol events from jobs, tiles and results; :mod:`rsvlm_geo.protocol` has their schema."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rsvlm_geo.pipeline.collect import asked_area, core_rings, map_crs, owned
from rsvlm_geo.pipeline.summary import refusal_words
from rsvlm_geo.pipeline.totals import Total

if TYPE_CHECKING:
    import geopandas as gpd

    from rsvlm_geo.answers import Coverage
    from rsvlm_geo.estimating import Cost
    from rsvlm_geo.pipeline import Job, Progress, Result, TileAnswers

__all__ = ["answer_events", "done_event", "estimate_event", "progress_event", "started_event"]

Event = dict[str, Any]


def started_event(ident: str | None, job: Job, resumed: int, tiles_per_s: float | None) -> Event:
    """Planned, about to ask."""
    left = len(job.plan) - resumed
    left_, low, right, high = asked_area(job.scene, job.plan)[0].bounds
    return {
        "type": "started",
        "id": ident,
        "run_id": job.run_id,
        "task": job.task,
        "questions": [question.text for question in job.questions],
        "tiles": len(job.plan),
        "resumed": resumed,
        "eta_s": left / tiles_per_s if tiles_per_s else None,
        "crs": crs_text(job),
        "gsd_m": job.scene.gsd_m,
        "model": job.info.name,
        "provider": job.info.provider,
        "bounds": [left_, low, right, high],
    }


def crs_text(job: Job) -> str | None:
    """The CRS of a run's geometries: an authority code where there is one, else WKT."""
    crs = map_crs(job.scene)
    if crs is None:
        return None
    code = crs.to_authority(min_confidence=100)
    return ":".join(code) if code else str(crs.to_wkt())


def progress_event(ident: str | None, state: Progress) -> Event:
    """How far it is."""
    return {"type": "progress", "id": ident, **asdict(state)}


def answer_events(ident: str | None, job: Job, tiles: Sequence[TileAnswers]) -> Iterator[Event]:
    """One event per tile and question."""
    cells = [job.plan.grid.tile(*map(int, done.tile_id.split("/"))) for done in tiles]
    rings = core_rings(cells, job.scene)
    for done, tile, ring in zip(tiles, cells, rings, strict=True):
        geometry = {"type": "Polygon", "coordinates": [ring.tolist()]}
        for answer in done.answers:
            count = owned(answer, tile, job.plan.image_size)
            value = answer.value if count is None else float(count)
            yield {
                "type": "answer",
                "id": ident,
                "tile_id": done.tile_id,
                "task": answer.task,
                "question": answer.question,
                "status": answer.status,
                "answer": answer.text if count is None else str(count),
                "value": value,
                "unit": answer.unit,
                "confidence": answer.confidence,
                "reason": answer.reason,
                "n_objects": count,
                "geometry": geometry,
            }


def done_event(
    ident: str | None, result: Result, paths: Sequence[Path], *, inline: bool = False
) -> Event:
    """It ended, and its files are in place."""
    crs = result.answers.crs
    code = None if crs is None else crs.to_authority(min_confidence=100)
    event: Event = {
        "type": "done",
        "id": ident,
        "run_id": result.run_id,
        "outcome": outcome(result),
        "paths": [str(path) for path in paths],
        "layers": list(result.layers.named()),
        "coverage": _coverage(result.coverage),
        "totals": [_total(total) for total in result.totals],
        "counts": dict(result.counts),
        "summary": result.summary(),
        "elapsed_s": round(result.elapsed_s, 3),
        "tiles": result.tiles,
        "crs": None if crs is None else (":".join(code) if code else crs.to_wkt()),
    }
    if inline:
        event["answers"] = _features(result.answers)
        event["objects"] = [] if result.objects is None else _features(result.objects)
    return event


def outcome(result: Result) -> str:
    """``cancelled``, ``incomplete`` or ``complete``."""
    if result.cancelled:
        return "cancelled"
    return "complete" if result.complete else "incomplete"


def estimate_event(ident: str | None, job: Job, cost: Cost, warnings: Sequence[str]) -> Event:
    """What a run would cost."""
    gsd = job.scene.gsd_m
    return {
        "type": "estimate",
        "id": ident,
        "tiles": cost.tiles,
        "tile_m": None if gsd is None else gsd * float(np.mean(job.plan.grid.size)),
        "gsd_m": gsd,
        "read_gsd_m": job.plan.gsd_m,
        "seconds": cost.seconds,
        "memory_mb": round(cost.memory_mb, 1),
        "tiles_per_s": cost.tiles_per_s,
        "model": job.info.name,
        "provider": job.info.provider,
        "questions": [question.text for question in job.questions],
        "refused": {
            question.text: refusal_words(question, closed, job.info)
            for question, closed in zip(job.questions, job.gates, strict=True)
            if closed is not None
        },
        "warnings": [*warnings, *job.plan.notes],
    }


def _coverage(coverage: Coverage) -> Event:
    return {key: round(value, 9) for key, value in asdict(coverage).items()}


def _total(total: Total) -> Event:
    return {
        "label": total.label,
        "value": total.value,
        "unit": total.unit,
        "complete": total.complete,
        "coverage": _coverage(total.coverage),
        "text": str(total),
    }


def _features(table: gpd.GeoDataFrame) -> list[Event]:
    """Rows as GeoJSON features, in the table's own CRS."""
    collection = json.loads(table.to_json(na="null", drop_id=True))
    features: list[Event] = collection["features"]
    for feature in features:
        for key, value in feature["properties"].items():
            if isinstance(value, float) and not math.isfinite(value):
                feature["properties"][key] = None
    return features
