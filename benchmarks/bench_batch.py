"""Remote tiles a second at 50 ms a request, beside plain rasterio; and two workers beside one.

    python benchmarks/bench_batch.py [--rounds 3]

Every variant reads 100 tiles of 512 x 512 x 3 from a server that answers each request after 50 ms,
opening the file included, in a process of its own, the variants taking turns. The last one is what
a batch does: windows with a margin of 32 pixels, no longer aligned with the blocks, through the
queue that feeds the model. The two workers ask a model that waits 20 ms a tile, as a GPU or an
endpoint would: what is measured is whether anything else holds a second worker up.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PATHS = [str(ROOT), str(HERE), str(ROOT / "tests" / "stac"), str(ROOT / "tests" / "batch")]
sys.path[:0] = PATHS
LATENCY_S = 0.05
SIDE, TILE = 5120, 512
VARIANTS = ("defaults", "tuned", "threads", "ours", "fast", "scene")
NAMES = {
    "defaults": "rasterio as it comes",
    "tuned": "rasterio, GDAL tuned",
    "threads": "rasterio, GDAL tuned, 8 threads",
    "ours": "rsvlm_geo without the fast path",
    "fast": "rsvlm_geo, fast path",
    "scene": "rsvlm_geo, tiles with margins through the batch's reader",
}
NOTE = (
    f"100 tiles of 512 x 512 x 3 from a COG of {SIDE} x {SIDE} behind a server that answers each "
    "request after 50 ms, opening included, each in a process of its own, taking turns; the server "
    "is a Python program on the same two cores. The fast path (async-tiff) takes up lossless files "
    "only. The two workers share the two cores with scheduler and driver, so their model waits "
    "instead of computing."
)
BARS = {"ours": 50.0, "fast": 100.0}


def make_files(folder: Path) -> None:
    """A ZSTD and a JPEG COG of 5120 x 5120 x 3: smooth structure with fine noise on it."""
    import numpy as np
    import rasterio
    import rasterio.shutil
    from affine import Affine

    rng = np.random.default_rng(0)
    cells = SIDE // 16
    plain = folder / "plain.tif"
    with rasterio.open(
        plain, "w", driver="GTiff", width=SIDE, height=SIDE, count=3, dtype="uint8",
        crs="EPSG:32633", transform=Affine(0.5, 0, 500_000, 0, -0.5, 5_000_000), photometric="RGB",
    ) as dst:  # fmt: skip
        for band in (1, 2, 3):
            coarse = rng.normal(size=(cells, cells)).astype("float32").repeat(16, 0).repeat(16, 1)
            fine = rng.normal(scale=6, size=coarse.shape).astype("float32")
            dst.write(np.clip(120 + 30 * coarse + fine, 1, 255).astype("uint8"), band)
    for name in ("zstd", "jpeg"):
        options = {"predictor": "2"} if name == "zstd" else {"quality": 85}
        rasterio.shutil.copy(
            plain, folder / f"{name}.tif", driver="COG", compress=name, blocksize=512, **options
        )


def read_tiles(url: str, variant: str) -> dict[str, float]:
    """Read the tiles; runs in a process of its own."""
    import rasterio
    from rasterio.windows import Window

    from rsvlm_geo.remote import RasterSource, ReadPolicy, open_raster
    from rsvlm_geo.remote.source import RemoteSource
    from rsvlm_geo.remote.vsi import gdal_env
    from rsvlm_geo.scene import iter_batches, open_scene, plan_tiles
    from rsvlm_geo.vlm import ModelInfo

    per_row = SIDE // TILE
    windows = [
        Window(c * TILE, r * TILE, TILE, TILE) for r in range(per_row) for c in range(per_row)
    ]
    env = {} if variant == "defaults" else gdal_env() | {"GDAL_CACHEMAX": 64 << 20}
    count = len(windows)

    def with_rasterio(mine: list[Window]) -> None:
        with rasterio.Env(**env), rasterio.open(f"/vsicurl/{url}") as src:
            for window in mine:
                src.read((1, 2, 3), window=window)

    start, cpu = time.perf_counter(), time.process_time()
    if variant in ("defaults", "tuned"):
        with_rasterio(windows)
    elif variant == "threads":
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(with_rasterio, [windows[i::8] for i in range(8)]))
    elif variant == "scene":
        info = ModelInfo(name="bench", image_size=TILE, tasks=frozenset({"ask"}))
        scene = open_scene(RemoteSource.single(url), stretch=(0, 255))
        plan = plan_tiles(scene, info, gsd_m=0.5, margin_m=32.0)
        count = len(plan)
        for _ in iter_batches(scene, plan, batch=8):
            pass
    else:
        policy = ReadPolicy(fast=variant == "fast")
        with open_raster(RasterSource(url, policy=policy)) as src:
            if policy.fast and src._fast is None:
                return {"tiles_per_s": 0.0, "cpu_ms": 0.0}
            for window in windows:
                src.read((1, 2, 3), window=window)
    took = time.perf_counter() - start
    return {"tiles_per_s": count / took, "cpu_ms": 1e3 * (time.process_time() - cpu) / count}


def throughput(rounds: int) -> list[Any]:
    """Tiles per second of each variant, and how many times plain rasterio's that is."""
    from harness import Row

    rows = []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(PATHS)}
    with tempfile.TemporaryDirectory() as name:
        make_files(Path(name))
        server = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/stac/fault_server.py"), name, str(LATENCY_S)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert server.stdout is not None
        root = server.stdout.readline().strip()
        try:
            for codec in ("zstd", "jpeg"):
                got: dict[str, list[dict[str, float]]] = {v: [] for v in VARIANTS}
                for number in range(rounds):
                    turn = number % len(VARIANTS)
                    for variant in VARIANTS[turn:] + VARIANTS[:turn]:
                        command = [sys.executable, __file__, "--one", f"{root}/ok/{codec}.tif"]
                        out = subprocess.run(
                            [*command, variant], env=environment, check=True, capture_output=True,
                            text=True,
                        )  # fmt: skip
                        got[variant].append(json.loads(out.stdout))
                base = [g["tiles_per_s"] for g in got["tuned"]]
                for variant, found in got.items():
                    speeds = [g["tiles_per_s"] for g in found]
                    if not max(speeds):
                        continue  # async-tiff's JPEG is not GDAL's: left to GDAL
                    bar, middle = BARS.get(variant), statistics.median(speeds)
                    cpu = statistics.median(g["cpu_ms"] for g in found)
                    times = statistics.median(s / b for s, b in zip(speeds, base, strict=True))
                    rows.append(
                        Row(
                            f"{codec}: {NAMES[variant]} ({cpu:.1f} ms CPU a tile)", middle,
                            "tiles/s", len(speeds), min(speeds), max(speeds),
                            None if variant == "tuned" else f"{times:.2f} x {NAMES['tuned']}",
                            None if bar is None else f">= {bar:g}",
                            None if bar is None else middle >= bar,
                        )
                    )  # fmt: skip
        finally:
            server.terminate()
    return rows


def scaling(rounds: int) -> list[Any]:
    """One and two workers with a model that waits 20 ms a tile, taking turns."""
    from distributed import Client, LocalCluster
    from harness import ratio_row
    from worlds import make_raster

    from rsvlm_geo.batch import Ask, BatchSpec, run

    asked = BatchSpec((Ask("count", ("spot",)),), model="oracle:Waiting")
    environment = {"PYTHONPATH": os.pathsep.join(PATHS)}
    os.environ.update(environment)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scenes = [str(make_raster(folder / f"s{i}.tif", seed=i, size=1000)) for i in range(4)]
        seconds: dict[int, list[float]] = {1: [], 2: []}
        options = {"threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
        tiles = 0
        with (
            LocalCluster(n_workers=1, **options) as one,
            LocalCluster(n_workers=2, **options) as two,
        ):
            clients = {1: Client(one, set_as_default=False), 2: Client(two, set_as_default=False)}
            for workers, client in clients.items():  # imports and model, before the clock
                run(asked, scenes, folder / f"warm{workers}", backend=client, tiles_per_task=27)
            for number in range(rounds):
                for workers in (1, 2) if number % 2 == 0 else (2, 1):
                    start = time.perf_counter()
                    result = run(
                        asked, scenes, folder / f"out{number}-{workers}",
                        backend=clients[workers], tiles_per_task=27, merge=False, stac=False,
                    )  # fmt: skip
                    seconds[workers].append(time.perf_counter() - start)
                    tiles = result.tiles
            for client in clients.values():
                client.close()
    what = (
        f"2 workers, {tiles} tiles of a model that waits 20 ms a tile "
        f"({statistics.median(seconds[2]):.1f} s)"
    )
    against = f"1 worker ({statistics.median(seconds[1]):.1f} s)"
    return [ratio_row(what, seconds[1], seconds[2], compared_with=against, bar=1.7)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=2, metavar=("URL", "VARIANT"))
    options = parser.parse_args()
    if options.one:
        print(json.dumps(read_tiles(*options.one)))
        return
    from harness import record

    rows = throughput(options.rounds)
    record("batch", rows, NOTE)
    record("batch", rows + scaling(options.rounds), NOTE)


if __name__ == "__main__":
    main()
