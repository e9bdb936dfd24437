"""What a run would cost: tiles, seconds and memory, measured on a few tiles of its own."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rsvlm_geo.scene import iter_batches
from rsvlm_geo.scene.reader import cache_bytes

if TYPE_CHECKING:
    from rsvlm_geo.pipeline import Job

__all__ = ["Cost", "estimate_job"]

_PROBE_TILES = 4
_PREFETCH = 2


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run is expected to take."""

    tiles: int
    tiles_per_s: float | None
    """Measured; None when nothing is asked of the model, or no tile has data."""
    memory_mb: float

    @property
    def seconds(self) -> float | None:
        """Expected duration."""
        return None if not self.tiles_per_s else self.tiles / self.tiles_per_s


def estimate_job(job: Job, tiles_per_s: float | None = None) -> Cost:
    """Measure a job on its first tiles with data.

    Args:
        job: From :func:`rsvlm_geo.pipeline.plan_job`.
        tiles_per_s: A speed that was measured before, then nothing is run.
    """
    from rsvlm_geo.engine import memory_mb

    if tiles_per_s is None and any(closed is None for closed in job.gates):
        tiles_per_s = _probe(job)
    side = job.plan.image_size
    images = (_PREFETCH + 2) * job.batch * side * side * 3
    grid = job.plan.grid
    cache = cache_bytes(job.scene, grid.size, grid.extent.width, grid.row_starts)
    # a row of the tables is about 1.5 kB with its geometry and texts
    rows = len(job.plan) * len(job.questions) * 1500
    return Cost(len(job.plan), tiles_per_s, memory_mb() + (images + cache + rows) / 1e6)


def _probe(job: Job) -> float | None:
    """Tiles a second of the second batch: the first one warms the model up."""
    from rsvlm_geo.pipeline.asking import Asker

    asker = Asker(job.model, job.questions, job.gates, min(job.batch, _PROBE_TILES))
    with closing(iter_batches(job.scene, job.plan, batch=_PROBE_TILES)) as batches:
        for batch in batches:
            if len(batch.images) == 0:
                continue
            ids = [item.tile.tile_id for item in batch.shown]
            asker.ask(batch.images[:1], ids[:1])
            start = time.perf_counter()
            asker.ask(batch.images, ids)
            return len(ids) / max(time.perf_counter() - start, 1e-6)
    return None
