"""Run a job: read ahead, ask in batches, keep what is done, merge, and hand back a Result."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

import numpy as np

import rsvlm_geo
from rsvlm_geo.answers import Answer
from rsvlm_geo.pipeline.asking import Asker, blank_answers
from rsvlm_geo.pipeline.collect import Collector, asked_area
from rsvlm_geo.pipeline.job import Job
from rsvlm_geo.pipeline.result import Result
from rsvlm_geo.pipeline.store import Store, TileAnswers
from rsvlm_geo.pipeline.summary import scene_summary
from rsvlm_geo.scene import iter_batches

__all__ = ["Cancel", "Progress", "Speed", "execute", "iter_answers"]

Cancel = Callable[[], bool] | threading.Event
"""Asked between batches whether to stop."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    done: int
    """Tiles finished, those of an earlier run included."""
    total: int
    tiles_per_s: float | None
    """Measured on the tiles of this process; None before the first batch."""
    eta_s: float | None
    """Seconds to go at that speed."""


class Speed:
    """Tiles a second over the last batches, so that a warm-up does not spoil the ETA."""

    def __init__(self) -> None:
        self._marks: list[tuple[float, int]] = [(time.perf_counter(), 0)]

    def add(self, tiles: int) -> None:
        """Note that ``tiles`` more are done."""
        self._marks.append((time.perf_counter(), self._marks[-1][1] + tiles))
        if len(self._marks) > 64:
            del self._marks[0]

    @property
    def tiles_per_s(self) -> float | None:
        """Tiles a second, or None when nothing was measured."""
        (t0, n0), (t1, n1) = self._marks[0], self._marks[-1]
        return (n1 - n0) / (t1 - t0) if n1 > n0 and t1 > t0 else None


def iter_answers(
    job: Job,
    *,
    cancel: Cancel | None = None,
    skip: frozenset[str] = frozenset(),
    max_call_s: float | None = None,
) -> Iterator[list[TileAnswers]]:
    """The answers of a job's tiles, row-major, a batch at a time; reading runs ahead.

    Args:
        job: From :func:`rsvlm_geo.pipeline.plan_job`.
        cancel: Asked between batches.
        skip: Tiles that are already answered.
        max_call_s: Show the model fewer images at once when a call takes longer than this.

    Yields:
        Tiles in the order of the grid: asked, without data, or failed.

    Raises:
        ModelError: The model itself does not work.
    """
    asker = Asker(
        job.model, job.questions, job.gates, job.batch, lambda: _stopped(cancel), max_call_s
    )
    batches = iter_batches(job.scene, job.plan, batch=job.batch, skip=skip)
    with closing(batches):
        for batch in batches:
            ids = [item.tile.tile_id for item in batch.shown]
            replies: dict[str, tuple[Answer, ...]] = {}
            elapsed: float | None = None
            if ids:
                answers, elapsed = asker.ask(batch.images, ids)
                replies = dict(zip(ids, answers, strict=False))  # fewer when cancelled
            done = []
            for item in batch.items:
                tile_id = item.tile.tile_id
                if item.status == "ok":
                    if tile_id not in replies:
                        break  # cancelled within the batch
                    said = replies[tile_id]
                    state = "failed" if any(a.status == "failed" for a in said) else "ok"
                elif item.status == "nodata":
                    said, state = blank_answers(tile_id, job.questions, "nodata"), "nodata"
                else:
                    text = " ".join(str(item.error).split()) or "could not be read"
                    said, state = blank_answers(tile_id, job.questions, "failed", text), "failed"
                done.append(
                    TileAnswers(
                        tile_id, state, float(item.valid_frac), said,
                        elapsed if item.status == "ok" else None,
                    )
                )  # fmt: skip
            if done:
                yield done
            if _stopped(cancel):
                return
    asker.finish()


def execute(
    job: Job,
    *,
    progress: Callable[[Progress], object] | None = None,
    on_tiles: Callable[[list[TileAnswers]], object] | None = None,
    on_start: Callable[[int], object] | None = None,
    cancel: Cancel | None = None,
    keep: Path | None = None,
    resume: bool | Literal["auto"] = False,
    max_call_s: float | None = None,
) -> Result:
    """Run a job to its end, or to where it is cancelled.

    Args:
        job: From :func:`rsvlm_geo.pipeline.plan_job`.
        progress: Called after every batch.
        on_tiles: Called with every batch of answered tiles, those of an earlier run included.
        on_start: Called once with the number of tiles an earlier run has done.
        cancel: Asked between batches; a cancelled run gives a Result of what was done.
        keep: Folder for finished tiles, so that a run that is cut off can go on; None: none.
        resume: Take up what lies in ``keep``; ``auto``: when it is of this very run.
        max_call_s: Show the model fewer images at once when a call takes longer than this.

    Returns:
        The result; :attr:`Result.cancelled` says whether it was stopped.

    Raises:
        ModelError: The model itself does not work; what was done is kept.
        ResumeError: What lies in ``keep`` is another run.
        OutputError: ``keep`` cannot be written.
    """
    started, clock = datetime.now(timezone.utc), time.perf_counter()
    run_id = job.run_id
    collector = Collector(job.scene, job.plan, job.questions, job.gates, job.info, run_id)
    store = None if keep is None else Store(keep, run_id, resume=resume)
    total, speed = len(job.plan), Speed()
    try:
        known = store.load(job.questions) if store is not None and resume else {}
        for tile in known.values():
            collector.add(tile)
        resumed = len(collector)
        if on_start is not None:
            on_start(resumed)
        if on_tiles is not None and known:
            on_tiles(list(known.values()))
        if resumed < total:
            for tiles in iter_answers(
                job, cancel=cancel, skip=frozenset(known), max_call_s=max_call_s
            ):
                if store is not None:
                    store.add(tiles)
                for tile in tiles:
                    collector.add(tile)
                speed.add(len(tiles))
                if on_tiles is not None:
                    on_tiles(tiles)
                if progress is not None:
                    progress(_progress(len(collector), total, speed))
        elif progress is not None:
            progress(_progress(resumed, total, speed))
        result = _result(job, collector, started, clock, resumed, speed)
        result.kept = None if store is None else store.root
        return result
    finally:
        if store is not None:
            store.close()


def _progress(done: int, total: int, speed: Speed) -> Progress:
    rate = speed.tiles_per_s
    return Progress(done, total, rate, None if not rate else (total - done) / rate)


def _stopped(cancel: Cancel | None) -> bool:
    if cancel is None:
        return False
    return cancel.is_set() if isinstance(cancel, threading.Event) else bool(cancel())


def _result(
    job: Job,
    collector: Collector,
    started: datetime,
    clock: float,
    resumed: int,
    speed: Speed,
) -> Result:
    answers, objects, totals = collector.finish()
    coverage = collector.coverage()
    coverage_words = collector.coverage_words()
    statements = scene_summary(job, answers, totals, coverage, coverage_words)
    elapsed_s = time.perf_counter() - clock
    area = asked_area(job.scene, job.plan)
    facts = provenance(job, elapsed_s, resumed, speed)
    layers = collector.layers(
        answers,
        objects,
        totals,
        task=job.task,
        summary=" ".join(statement.text for statement in statements),
        started=started.isoformat(timespec="seconds"),
        finished=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        provenance=facts,
        area=area,
    )
    return Result(
        task=job.task,
        run_id=collector.run_id,
        scene=job.scene,
        layers=layers,
        coverage=coverage,
        coverage_words=coverage_words,
        totals=totals,
        statements=statements,
        counts=collector.statuses(),
        tiles=len(job.plan),
        done=len(collector),
        elapsed_s=elapsed_s,
    )


def provenance(job: Job, elapsed_s: float, resumed: int, speed: Speed) -> dict[str, object]:
    """Everything needed to judge or repeat a run, fit for JSON."""
    info = job.info
    return {
        "software": f"rsvlm_geo {rsvlm_geo.__version__}",
        "versions": _versions(),
        "task": job.task,
        "questions": [
            {
                "task": q.task, "text": q.text, "target": q.target,
                "candidates": None if q.candidates is None else list(q.candidates),
                "refused_by_rule": None if g is None else {"reason": g.reason, "why": g.why},
            }
            for q, g in zip(job.questions, job.gates, strict=True)
        ],
        "scene": job.scene.provenance(),
        "plan": job.plan.to_dict(),
        "model": {
            "name": info.name, "version": info.version, "sha256": info.sha256,
            "licence": info.licence, "provider": info.provider, "image_size": info.image_size,
            "refuse_above": dict(info.refuse_above),
            "min_confidence": dict(info.min_confidence),
        },
        "elapsed_s": round(elapsed_s, 3),
        "tiles_per_s": speed.tiles_per_s,
        "tiles_resumed": resumed,
    }  # fmt: skip


def _versions() -> dict[str, str]:
    import rasterio
    import shapely

    return {
        "numpy": np.__version__, "rasterio": rasterio.__version__,
        "gdal": rasterio.__gdal_version__, "shapely": shapely.__version__,
    }  # fmt: skip
