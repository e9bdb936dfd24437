"""A dry run: how many scenes and tiles, how many bytes, how many hours. Asks nothing of the model
but, to know its speed, a few tiles.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from rsvlm_geo.batch.spec import BatchSpec, SceneRef, scene_refs
from rsvlm_geo.batch.work import load_vlm, make_job, open_ref
from rsvlm_geo.errors import AoiError, RsvlmError
from rsvlm_geo.pipeline.job import Job
from rsvlm_geo.scene.reader import TileReader

__all__ = ["Estimate", "estimate"]

_PROBE_TILES = 4


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a batch would take."""

    scenes: int
    unusable: int
    """Scenes that cannot be opened."""
    outside: int
    """Scenes outside the area of interest."""
    tiles: int
    questions: int
    """Per tile of the first scene."""
    read_bytes: int
    """Decoded pixels to be read; compressed files move a third to a tenth of it."""
    seconds_per_tile: float | None
    """Measured here, on a few tiles of the first usable scene, reading and asking; or given."""
    problems: tuple[str, ...] = ()

    def hours(self, workers: int = 1) -> float | None:
        """Time for so many workers as fast as this machine."""
        if self.seconds_per_tile is None:
            return None
        return self.tiles * self.seconds_per_tile / max(workers, 1) / 3600.0

    def text(self, workers: int = 1) -> str:
        """In words."""
        lines = [
            f"{self.scenes} scenes ({self.outside} outside the area, {self.unusable} unusable), "
            f"{self.tiles} tiles, {self.questions} questions each",
            f"{self.read_bytes / 1e9:.2f} GB of pixels to read",
        ]
        hours = self.hours(workers)
        if hours is not None and self.seconds_per_tile is not None:
            took = f"{hours:.2f} h" if hours >= 0.1 else f"{hours * 60:.1f} min"
            lines.append(
                f"{took} on {workers} worker{'s' * (workers != 1)} as fast as this machine "
                f"({1.0 / self.seconds_per_tile:.1f} tiles/s measured)"
            )
        return "\n".join([*lines, *(f"UNUSABLE {p}" for p in self.problems[:10])])


def estimate(
    spec: BatchSpec, scenes: Any, *, seconds_per_tile: float | None = None, threads: int = 8
) -> Estimate:
    """Open every scene and plan it, without running it.

    Args:
        spec: What would be asked.
        scenes: As :func:`rsvlm_geo.batch.scene_refs` takes them.
        seconds_per_tile: Of the machine that will run it; measured here by default.
        threads: Scenes opened at a time.
    """
    vlm = load_vlm(spec)
    total = unusable = outside = tiles = n_bytes = questions = 0
    problems: list[str] = []

    def plan(ref: SceneRef) -> Job | RsvlmError:
        try:
            return make_job(spec, open_ref(spec, ref), vlm)
        except RsvlmError as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        for refs in _chunks(scene_refs(scenes, signer=spec.signer), 4 * threads):
            for ref, job in zip(refs, pool.map(plan, refs), strict=True):
                total += 1
                if isinstance(job, AoiError):
                    outside += 1
                    continue
                if isinstance(job, RsvlmError):
                    unusable += 1
                    problems.append(f"{ref.name}: {job}")
                    continue
                tiles += len(job.plan)
                n_bytes += _bytes(job)
                questions = questions or len(job.questions)
                if seconds_per_tile is None:
                    seconds_per_tile = _measure(job)
    return Estimate(
        total, unusable, outside, tiles, questions, n_bytes, seconds_per_tile, tuple(problems)
    )


def _chunks(refs: Iterable[SceneRef], size: int) -> Iterable[list[SceneRef]]:
    source = iter(refs)
    while chunk := list(islice(source, size)):
        yield chunk


def _bytes(job: Job) -> int:
    """Pixels under the windows, at the overview that would be read."""
    width, height = job.plan.grid.size
    side = job.plan.image_size
    ratio = max(1.0, min(width, height) / side)
    factor = max((f for f in job.scene.facts.overviews if f <= ratio * 1.2), default=1)
    bands = len(set(job.scene.indexes)) * job.scene.dtype.itemsize
    return int(len(job.plan) * width * height * bands / factor**2)


def _measure(job: Job) -> float | None:
    """Seconds per tile for reading and asking a few tiles from the middle; None when it fails."""
    middle = list(job.plan.row_band(job.plan.grid.shape[0] // 2))[:_PROBE_TILES]
    if not middle:
        return None
    with TileReader(job.scene, job.plan.image_size) as reader:
        start = time.perf_counter()
        shown = [item.image for tile in middle if (item := reader.read(tile)).image is not None]
        read_s = (time.perf_counter() - start) / len(middle)
        if not shown:
            return None
        images = np.stack(shown)
        job.model.ask(images[:1], job.questions)  # the first call pays for warming up
        start = time.perf_counter()
        job.model.ask(images, job.questions)
        ask_s = (time.perf_counter() - start) / len(images)
    # reading runs beside the model when there is a core for it
    return max(read_s, ask_s) if (os.cpu_count() or 1) > 1 else read_s + ask_s
