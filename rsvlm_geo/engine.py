"""One way to run a request, behind every door: it takes a Request and emits protocol events."""

from __future__ import annotations

import hashlib
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rsvlm_geo.errors import GeorefWarning, RsvlmWarning
from rsvlm_geo.protocol import Request
from rsvlm_geo.vlm import Vlm

if TYPE_CHECKING:
    from rsvlm_geo.pipeline import Job, Result
    from rsvlm_geo.scene import Scene

__all__ = ["Emit", "Engine", "keep_folder"]

Emit = Callable[[dict[str, Any]], None]
"""Takes one protocol event."""
Resume = Literal["yes", "no", "auto"]


@dataclass(slots=True)
class Engine:
    """Keeps models warm between requests; one request at a time."""

    max_call_s: float | None = None
    """Longest call of the model, so that a cancel is heard; None: as large as it likes."""
    _models: dict[tuple[str, str, int], Vlm] = field(default_factory=dict)
    _speeds: dict[tuple[str, str, int], float] = field(default_factory=dict)

    def model(self, request: Request) -> Vlm:
        """The model a request names, loaded once."""
        options = request.options
        key = (options.model or "", options.provider or "auto", options.threads or 0)
        if key not in self._models:
            from rsvlm_geo.model import load_model

            self._models[key] = load_model(
                options.model, provider=options.provider or "auto", threads=options.threads
            )
        return self._models[key]

    def put(self, model: Vlm) -> None:
        """Answer with this model wherever a request names none."""
        for provider in ("auto", "cpu"):
            self._models[("", provider, 0)] = model

    @property
    def loaded(self) -> list[tuple[Vlm, float | None]]:
        """Models in memory, each with the last tiles a second measured on it."""
        speeds = {name: rate for (name, _, _), rate in self._speeds.items()}
        return [(vlm, speeds.get(vlm.info.name)) for vlm in dict.fromkeys(self._models.values())]

    def plan(self, request: Request) -> Job:
        """Open the scene, load the model, lay the tiles.

        Raises:
            RsvlmError: A leaf that says what is wrong with scene, model, area or question.
        """
        from rsvlm_geo.pipeline import plan_job, questions_for
        from rsvlm_geo.scene import open_scene
        from rsvlm_geo.scene.ground import NO_SCALE

        options = request.options
        scene = open_scene(
            request.source,
            bands=options.bands,
            nodata=options.nodata,
            gsd_m=options.native_gsd,
            stretch=_stretch(options.stretch),
        )
        if scene.gsd_m is None:
            warnings.warn(f"{scene.href}: {NO_SCALE}", GeorefWarning, stacklevel=2)
        model = self.model(request)
        questions = questions_for(
            request.task or "",
            model.info,
            target=request.target,
            question=request.question,
            candidates=request.candidates,
            gsd_m=scene.gsd_m,
        )
        return plan_job(
            scene,
            request.task or "",
            questions,
            model,
            aoi=_aoi(request, scene.georeferenced),
            aoi_crs=request.crs,
            gsd_m=options.gsd,
            margin_m=options.margin,
            min_valid=options.min_valid,
        )

    def estimate(self, request: Request) -> dict[str, Any]:
        """The ``estimate`` event: what a run would cost, measured on one batch of its own tiles."""
        from rsvlm_geo.estimating import estimate_job
        from rsvlm_geo.events import estimate_event

        heard: list[str] = []
        with _warnings_to(lambda kind, text: heard.append(text)):
            job = self.plan(request)
            key = _speed_key(job)
            cost = estimate_job(job, self._speeds.get(key))
        if cost.tiles_per_s is not None:
            self._speeds[key] = cost.tiles_per_s
        return estimate_event(request.id, job, cost, heard)

    def run(
        self,
        request: Request,
        emit: Emit,
        *,
        cancel: Callable[[], bool] = lambda: False,
        resume: Resume = "auto",
    ) -> Result:
        """Run a request, emitting ``started progress answer warning`` and at last ``done``.

        Args:
            request: Of type ``run``.
            emit: Takes the events, in this thread.
            cancel: Asked between calls of the model.
            resume: Take up finished tiles of the same run: ``yes`` (an error when there are only
                others), ``no``, or ``auto``.

        Raises:
            RsvlmError: Nothing came of it, and no file was written.
        """
        from rsvlm_geo.events import answer_events, done_event, progress_event, started_event
        from rsvlm_geo.layers import check_not_read, check_outputs
        from rsvlm_geo.pipeline import PICTURES, Progress, execute
        from rsvlm_geo.pipeline.summary import refusal_words

        options, ident = request.options, request.id
        outputs = list({Path(name).absolute(): Path(name) for name in options.out}.values())
        check_outputs(outputs, also=PICTURES)
        told: list[str] = []

        def warn(kind: str, text: str) -> None:
            told.append(text)
            emit({"type": "warning", "id": ident, "class": kind, "message": text})

        with _warnings_to(warn):
            job = self.plan(request)
            check_not_read(outputs, _files_read(request, job.scene))
            for note in job.scene.notes:
                if not any(note in text for text in told):
                    warn("Note", f"{job.scene.href}: {note}")
            key, last = _speed_key(job), [0.0]

            def on_start(resumed: int) -> None:
                for question, closed in zip(job.questions, job.gates, strict=True):
                    if closed is not None:
                        why = refusal_words(question, closed, job.info)
                        warn("ModelWarning", f"refused everywhere: {why}")
                emit(started_event(ident, job, resumed, self._speeds.get(key)))

            def on_progress(state: Progress) -> None:
                if state.tiles_per_s is not None:
                    self._speeds[key] = state.tiles_per_s
                if time.monotonic() - last[0] >= 0.1 or state.done == state.total:
                    last[0] = time.monotonic()
                    emit(progress_event(ident, state))

            def on_tiles(tiles: Any) -> None:
                for event in answer_events(ident, job, tiles):
                    emit(event)

            result = execute(
                job,
                progress=on_progress,
                on_tiles=on_tiles if options.tile_events else None,
                on_start=on_start,
                cancel=cancel,
                keep=keep_folder(request),
                resume={"yes": True, "no": False, "auto": "auto"}[resume],  # type: ignore[arg-type]
                max_call_s=self.max_call_s,
            )
            paths: list[Path] = []
            if not result.cancelled or options.keep_partial:
                paths = result.save(*outputs)
            if not result.cancelled:
                result.forget()
        emit(done_event(ident, result, paths, inline=options.inline))
        return result


def keep_folder(request: Request) -> Path | None:
    """Where finished tiles of a request are kept: beside its first output, else in the cache."""
    if request.options.out:
        first = Path(request.options.out[0])
        return first.with_name(f".{first.name}.unfinished")
    if request.options.inline:
        return None
    facts = repr((request.source, request.task, request.question, request.target)).encode()
    base = os.environ.get("RSVLM_CACHE") or os.environ.get("XDG_CACHE_HOME")
    root = Path(base) if base else Path.home() / ".cache"
    return root / "rsvlm-geo" / "unfinished" / hashlib.sha256(facts).hexdigest()[:16]


def _files_read(request: Request, scene: Scene) -> list[str | os.PathLike[str]]:
    area = [request.polygon] if isinstance(request.polygon, str) else []
    return [*scene.files, *area]


def _aoi(request: Request, georeferenced: bool) -> Any:
    """The asked area; without georeference ``y = -row``, as results have it, becomes the row."""
    if georeferenced or isinstance(request.polygon, str):
        return request.polygon or request.bbox
    if request.polygon is not None:
        import shapely

        shape = shapely.geometry.shape(dict(request.polygon))
        down = shape.bounds[3] > 0
        return shape if down else shapely.transform(shape, lambda xy: xy * (1.0, -1.0))
    if request.bbox is not None and request.bbox[3] <= 0:
        left, bottom, right, top = request.bbox
        return left, -top, right, -bottom
    return request.bbox


def _speed_key(job: Job) -> tuple[str, str, int]:
    asked = sum(closed is None for closed in job.gates)
    return job.info.name, job.task, asked


def _stretch(pairs: tuple[tuple[float, float], ...] | None) -> Any:
    if pairs is None:
        return "auto"
    from rsvlm_geo.scene import Stretch

    return Stretch(
        "linear", tuple(low for low, _ in pairs), tuple(high for _, high in pairs), "given"
    )


@contextmanager
def _warnings_to(take: Callable[[str, str], None]) -> Iterator[None]:
    """Hand this library's warnings to ``take`` once each; the others go to stderr as ever."""
    seen: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("always", RsvlmWarning)
        usual = warnings.showwarning

        def show(message: Any, category: Any, filename: str, lineno: int, *rest: Any) -> None:
            if not issubclass(category, RsvlmWarning):
                usual(message, category, filename, lineno, *rest)
                return
            text = " ".join(str(message).split())
            if text not in seen:
                seen.add(text)
                take(category.__name__, text)

        warnings.showwarning = show  # type: ignore[assignment]
        yield


def memory_mb() -> float:
    """Resident memory of this process in MB; 0 where the system does not say."""
    try:
        with Path("/proc/self/statm").open() as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, ValueError, AttributeError, IndexError):
        pass
    if sys.platform == "win32":
        return 0.0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
