"""The driver with simulated workers at a million tasks: does its memory stay flat?

    python benchmarks/simulate_batch.py [tasks]

A million tasks by default: about ten seconds.

The real driver loop, the real bounded window; a backend that answers at once in place of workers.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests" / "batch")]

import psutil  # noqa: E402
from harness import Row, record  # noqa: E402

from rsvlm_geo.batch import driver  # noqa: E402
from rsvlm_geo.batch.parts import Band  # noqa: E402
from rsvlm_geo.batch.spec import Ask, BatchSpec, SceneRef  # noqa: E402
from rsvlm_geo.batch.work import Done, Prepared, prepare, run_band  # noqa: E402

BANDS = 100


class Simulated:
    """200 workers that answer in the order they were asked, without doing anything."""

    name = "simulated"
    window = 402

    def __init__(self) -> None:
        self.queue: deque[tuple[Any, Any]] = deque()
        self.tasks = 0

    def submit(self, tag: Any, task: Callable[..., Any], *args: Any, gpu: bool = True) -> None:
        self.tasks += 1
        result: Any = None
        if task is prepare:
            bands = tuple(Band(i, i) for i in range(BANDS))
            # a real scene pickles to 10 to 50 kB
            scene: Any = bytes(30_000)
            result = Prepared(args[1].key, scene, "", BANDS, 64, BANDS * 64, bands)
        elif task is run_band:
            result = Done(64, 0)
        self.queue.append((tag, result))

    def next(self) -> tuple[Any, Any]:
        return self.queue.popleft()

    def close(self) -> None:
        pass


def main() -> None:
    count = int(sys.argv[1]) if sys.argv[1:] else 1_000_000
    scenes = count // (BANDS + 2)
    process = psutil.Process()
    from oracle import SpotCounter

    spec = BatchSpec((Ask("count", ("spot",)),), model="oracle:SpotCounter")
    backend = Simulated()
    samples: list[tuple[int, float]] = []

    def watch(progress: driver.BatchProgress) -> None:
        if not samples or backend.tasks - samples[-1][0] >= count // 20:
            samples.append((backend.tasks, process.memory_info().rss / 1e6))

    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        state = driver._State(spec, SpotCounter().info, Path(folder), backend, 64)
        refs = (SceneRef(f"/data/scene-{i:06d}.tif") for i in range(scenes))
        driver._work(state, refs, watch, None, True)
    took = time.perf_counter() - start
    early = next(mb for tasks, mb in samples if tasks >= count // 20)
    late = samples[-1][1]
    record(
        "simulate_batch",
        [
            Row("tasks handled by one driver", backend.tasks / took, "tasks/s"),
            Row(
                f"driver memory after {backend.tasks:,} tasks, beyond a twentieth of them",
                late - early, "MB", len(samples), 0.0, max(mb for _, mb in samples) - early,
                f"{early:.1f} MB after {count // 20:,}", "<= 5", late - early <= 5.0,
            ),
        ],
        f"{scenes:,} scenes, {state.asked:,} tiles, {BANDS + 2} tasks a scene, 200 simulated "
        "workers that answer at once; the real driver loop and its bounded window.",
    )  # fmt: skip


if __name__ == "__main__":
    main()
