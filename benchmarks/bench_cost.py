"""What a square kilometre costs with the embedded model, at the scale at which it reads.

    python benchmarks/bench_cost.py [--price 0.05] [--rounds 3] [--scene SCENE] [--quick]

Processor seconds of a whole run (open, read, ask, place, merge, tables) over the geodesic area that
was asked, for ``classify``, ``count`` and ``describe``; and the tiles that the run took.
``--price`` is what an hour of one core costs you; the money is that times the processor hours.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from bench_scene import stretch_to
from harness import Row, record

ROOT = Path(__file__).parent.parent


def area_km2(scene: Any) -> float:
    """Geodesic area of the scene's outline."""
    return scene.width * scene.gsd_x_m * scene.height * scene.gsd_y_m / 1e6


def cost(task: str, path: Path, rounds: int, price: float) -> list[Row]:
    """Seconds, tiles and money for a square kilometre of one task."""
    from rsvlm_geo import open_scene
    from rsvlm_geo.model import load_model
    from rsvlm_geo.pipeline import run_task

    model = load_model(None)
    target = "car" if task == "count" else None
    scene = open_scene(path)
    area = area_km2(scene)
    seconds, walls = [], []
    result = run_task(task, scene, target=target, model=model)  # warm
    for _ in range(rounds):
        began, start = time.process_time(), time.perf_counter()
        result = run_task(task, path, target=target, model=model)
        seconds.append((time.process_time() - began) / area)
        walls.append((time.perf_counter() - start) / area)
    gsd = result.provenance["plan"]["gsd_m"]
    middle = statistics.median(seconds)
    name = f"{task}{' cars' if target else ''}, read at {gsd:.2g} m"
    return [
        Row(f"{name}: processor time per km2", middle, "s/km2", rounds, min(seconds), max(seconds)),
        Row(f"{name}: wall time per km2", statistics.median(walls), "s/km2 of waiting", rounds,
            min(walls), max(walls)),
        Row(f"{name}: tiles per km2", result.tiles / area, "tiles/km2"),
        Row(f"{name}: 1,000 km2 at {price:g} a core hour", 1000 * middle / 3600 * price, "money"),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--price", type=float, default=0.05, help="of one core for one hour")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scene", type=Path, default=ROOT / "examples" / "street_15cm.tif")
    parser.add_argument("--quick", action="store_true", help="a smaller scene, two rounds")
    options = parser.parse_args()
    # idle threads that burn a core would be counted as work
    os.environ.setdefault("RSVLM_SPINNING", "0")
    warnings.simplefilter("ignore")
    size = (1024, 512) if options.quick else (3072, 2048)
    rounds = 2 if options.quick else options.rounds
    with tempfile.TemporaryDirectory() as held:
        path = stretch_to(options.scene, Path(held) / "scene.tif", size)
        rows = [row for task in ("classify", "count", "describe")
                for row in cost(task, path, rounds, options.price)]  # fmt: skip
    record("cost", rows, f"the embedded model on {options.scene.name} repeated to {size[0]} x "
           f"{size[1]} pixels; {options.price:g} for an hour of one core, in your money: "
           "change it with --price. Reading finer or coarser scales with the tiles.")  # fmt: skip


if __name__ == "__main__":
    main()
