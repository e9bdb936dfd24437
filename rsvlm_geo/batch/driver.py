"""``run``: the driver. Keeps a bounded number of tasks in flight and remembers nothing else.

Scenes are prepared, answered band by band, and finished as their last band is done. The driver
holds the scenes in flight only, so its memory does not grow with the run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rsvlm_geo.batch.backends import Backend, Lost, open_backend
from rsvlm_geo.batch.claim import claim
from rsvlm_geo.batch.finish import (
    SceneDone,
    finish_scene,
    load_scenes,
    merge_run,
    write_unusable,
)
from rsvlm_geo.batch.parts import Band
from rsvlm_geo.batch.publish import publish
from rsvlm_geo.batch.spec import BatchSpec, SceneRef, scene_refs
from rsvlm_geo.batch.work import Prepared, model_info, prepare, run_band, write_failed
from rsvlm_geo.errors import Cancelled, ModelError, OutputError, StacError, TaskError
from rsvlm_geo.remote.auth import make_signer
from rsvlm_geo.vlm import ModelInfo, Reply

__all__ = ["BatchProgress", "BatchResult", "run"]

TILES_PER_TASK = 64
_BROKEN_AFTER = 3
_MIXED = "the run's tables are in degrees, those of each scene keep its own"


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far a batch is."""

    scenes_done: int
    scenes_seen: int
    """Scenes taken up so far; the total is known at the end of the search only."""
    tiles_done: int
    """Those of earlier runs included."""
    tiles_seen: int
    failed: int
    """Tiles that failed in this run."""
    tiles_per_s: float


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What a batch left behind."""

    folder: Path
    """Of the run, named by its fingerprint."""
    scenes: tuple[SceneDone, ...]
    files: tuple[Path, ...]
    """``answers.parquet``, ``objects.parquet``, ``run.parquet``, ``results.gpkg``, STAC."""
    tiles: int
    asked: int
    """Tiles answered by this run; the rest was there."""
    skipped: int
    """Scenes outside the area of interest."""

    @property
    def complete(self) -> bool:
        """Whether nothing failed in any scene, and every total speaks for all that has data."""
        return all(scene.complete for scene in self.scenes)

    def summary(self) -> str:
        """One line per fact that matters."""
        bad = [scene for scene in self.scenes if not scene.complete]
        lines = [
            f"{len(self.scenes)} scenes, {self.tiles} tiles ({self.asked} asked now), "
            f"{len(self.scenes) - len(bad)} complete"
        ]
        if self.skipped:
            lines.append(f"{self.skipped} scenes lie outside the area of interest")
        crs = sorted({scene.crs for scene in self.scenes if scene.usable and scene.crs})
        if len(crs) > 1:
            shown = ", ".join(name[:40] for name in crs[:4]) + ", ..." * (len(crs) > 4)
            lines.append(f"scenes in {len(crs)} CRS ({shown}): {_MIXED}")
        for scene in bad[:10]:
            why = scene.error or scene.coverage_words
            lines.append(f"INCOMPLETE {scene.name}: {why}")
        if len(bad) > 10:
            lines.append(f"and {len(bad) - 10} more incomplete scenes")
        return "\n".join(lines)


@dataclass(slots=True)
class _Active:
    """A scene in flight."""

    ref: SceneRef
    prepared: Prepared
    waiting: int = 0
    """Bands that are not done."""


@dataclass(slots=True)
class _State:
    spec: BatchSpec
    info: ModelInfo
    root: Path
    backend: Backend
    tiles_per_task: int
    queue: deque[tuple[_Active, Band]] = field(default_factory=deque)
    suspects: deque[tuple[_Active, Band]] = field(default_factory=deque)
    """Single tiles that died beside others: each is tried again with nothing else in flight."""
    trial: bool = False
    """A suspect is in flight, alone."""
    flying: int = 0
    asked: int = 0
    failed: int = 0
    tiles_seen: int = 0
    tiles_done: int = 0
    scenes_seen: int = 0
    scenes_done: int = 0
    skipped: int = 0
    broken: int = 0
    answered: int = 0
    keys: list[str] = field(default_factory=list)


def run(
    spec: BatchSpec,
    scenes: Any,
    out: str | Path,
    *,
    backend: Any = "serial",
    gpu: bool = False,
    tiles_per_task: int = TILES_PER_TASK,
    alongside: bool = False,
    retry_failed: bool = True,
    progress: Callable[[BatchProgress], object] | None = None,
    cancel: Callable[[], bool] | None = None,
    stac: bool = True,
    merge: bool = True,
) -> BatchResult:
    """Ask every question of every scene; take up what an earlier run has done.

    Args:
        spec: What is asked.
        scenes: As :func:`rsvlm_geo.batch.scene_refs` takes them; an iterator is not held.
        out: Folder; the run goes into a folder of its own in it, named by its fingerprint.
        backend: ``serial``, ``dask:4``, a scheduler's address, a ``distributed.Client``.
        gpu: Tasks need the resource ``GPU`` of a worker.
        tiles_per_task: About so many tiles make one task: seconds of work.
        alongside: Allow ``out`` to hold runs with other fingerprints.
        retry_failed: Try tiles again that failed in an earlier run.
        progress: Called after every task.
        cancel: Asked between tasks; what is in flight is finished first.
        stac: Write the results as STAC Items too.
        merge: Put the tables of all scenes together at the end.

    Raises:
        ResumeError: ``out`` belongs to another run.
        SchedulerLostError: The cluster is gone; what was done is kept.
        OutputError: Results cannot be written.
        ModelError: The model itself does not work.
        Cancelled: ``cancel`` said so; what was done is kept.
    """
    make_signer(spec.signer)
    runner = open_backend(spec, backend, gpu=gpu)
    try:
        runner.submit("info", model_info, spec, gpu=gpu)
        _, info = runner.next()
        if isinstance(info, Exception):
            raise (
                info
                if isinstance(info, ModelError)
                else ModelError(f"the model does not load: {type(info).__name__}: {info}")
            ) from info
        root = claim(Path(out), spec, info, alongside=alongside)
        state = _State(spec, info, root, runner, tiles_per_task)
        refs = iter(scene_refs(scenes, signer=spec.signer))
        _work(state, refs, progress, cancel, retry_failed)
    finally:
        runner.close()
    if not state.keys and not state.skipped:
        raise StacError("no scenes: the search or the list is empty; widen it")
    done = tuple(load_scenes(root, state.keys))
    files: list[Path] = merge_run(root, done, info) if merge else []
    if stac:
        files += publish(root, done, info, spec)
    return BatchResult(
        folder=root,
        scenes=done,
        files=tuple(files),
        tiles=sum(scene.tiles for scene in done),
        asked=state.asked,
        skipped=state.skipped,
    )


def _work(
    state: _State,
    refs: Iterator[SceneRef],
    progress: Callable[[BatchProgress], object] | None,
    cancel: Callable[[], bool] | None,
    retry_failed: bool,
) -> None:
    import time

    started = time.monotonic()
    more = True
    stopping = False
    while True:
        stopping = stopping or (cancel is not None and cancel())
        if not stopping and state.suspects and not state.flying:
            state.trial = True
            _submit_band(state, *state.suspects.popleft())
        busy = state.trial or bool(state.suspects)
        while not stopping and not busy and state.flying < state.backend.window:
            if state.queue:
                active, band = state.queue.popleft()
                _submit_band(state, active, band)
                continue
            ref = next(refs, None) if more else None
            if ref is None:
                more = False
                break
            state.scenes_seen += 1
            state.keys.append(ref.key)
            _submit(
                state, ("prepare", ref), prepare, state.spec, ref, str(state.root),
                state.tiles_per_task, retry_failed, gpu=False,
            )  # fmt: skip
        if not state.flying:
            break
        tag, outcome = state.backend.next()
        state.flying -= 1
        _take(state, tag, outcome)
        state.trial = False
        if progress is not None:
            seconds = max(time.monotonic() - started, 1e-6)
            progress(
                BatchProgress(
                    state.scenes_done, state.scenes_seen, state.tiles_done, state.tiles_seen,
                    state.failed, state.asked / seconds,
                )
            )  # fmt: skip
    if stopping:
        raise Cancelled(
            f"stopped after {state.asked} tiles; what was done is kept in {state.root}: "
            "run the same command again to go on"
        )


def _submit(state: _State, tag: Any, task: Callable[..., Any], *args: Any, gpu: bool) -> None:
    state.backend.submit(tag, task, *args, gpu=gpu)
    state.flying += 1


def _submit_band(state: _State, active: _Active, band: Band) -> None:
    ready = active.prepared
    _submit(
        state,
        ("band", active, band),
        run_band,
        state.spec,
        ready.scene,
        ready.folder,
        band,
        gpu=True,
    )


def _take(state: _State, tag: Any, outcome: Any) -> None:
    kind = tag[0]
    if isinstance(outcome, OutputError):
        raise outcome
    if kind == "prepare":
        _prepared(state, tag[1], outcome)
    elif kind == "band":
        _answered(state, tag[1], tag[2], outcome)
    else:
        state.scenes_done += 1
        if isinstance(outcome, Exception):
            text = f"tables not made: {type(outcome).__name__}: {outcome}"
            write_unusable(tag[1].ref, str(state.root), " ".join(text.split()))


def _prepared(state: _State, ref: SceneRef, outcome: Any) -> None:
    if isinstance(outcome, (ModelError, TaskError)):
        raise outcome
    if isinstance(outcome, Exception):
        text = " ".join(f"{type(outcome).__name__}: {outcome}".split())
        outcome = Prepared(ref.key, None, "", error=text)
    if outcome.skipped:
        state.skipped += 1
        state.keys.remove(ref.key)
        return
    if outcome.scene is None:
        state.scenes_done += 1
        write_unusable(ref, str(state.root), outcome.error)
        return
    state.tiles_seen += outcome.tiles
    state.tiles_done += outcome.done_tiles
    active = _Active(ref, outcome, waiting=len(outcome.bands))
    if active.waiting:
        state.queue.extend((active, band) for band in outcome.bands)
    else:
        _finish(state, active)


def _answered(state: _State, active: _Active, band: Band, outcome: Any) -> None:
    ready = active.prepared
    if isinstance(outcome, Lost) and band.col is None:
        # something in this band kills its worker: find out which tile, and save the others
        bands = [Band(r, r, c) for r in range(band.first, band.last + 1) for c in range(ready.cols)]
        active.waiting += len(bands) - 1
        state.queue.extend((active, one) for one in bands)
        return
    if isinstance(outcome, Lost) and not state.trial:
        # a worker takes the tasks that wait on it down with it: which was it?
        state.suspects.append((active, band))
        return
    if isinstance(outcome, Exception):
        if isinstance(outcome, ModelError):
            state.broken += 1
            if not state.answered and state.broken >= _BROKEN_AFTER:
                raise outcome
        why = f"{type(outcome).__name__}: {outcome}"
        if isinstance(outcome, Lost):
            why = f"killed its worker every time: {outcome}"
        assert ready.scene is not None
        outcome = write_failed(
            state.spec, ready.scene, ready.folder, band, why, _InfoOnly(state.info)
        )
    else:
        state.answered += 1
    state.asked += outcome.tiles
    state.tiles_done += outcome.tiles
    state.failed += outcome.failed
    active.waiting -= 1
    if not active.waiting:
        _finish(state, active)


@dataclass(frozen=True, slots=True)
class _InfoOnly:
    """What the driver needs of a model to plan; it is never asked here."""

    info: ModelInfo

    def ask(self, images: Any, questions: Any) -> list[list[Reply]]:
        """Never called: planning reads ``info`` only."""
        raise ModelError("the driver has no model")


def _finish(state: _State, active: _Active) -> None:
    ready = active.prepared
    _submit(
        state, ("finish", active), finish_scene, state.spec, active.ref, ready.scene,
        ready.folder, str(state.root), gpu=False,
    )  # fmt: skip
