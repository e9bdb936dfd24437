"""Reading and stretching against raw rasterio on the same file, and memory against scene size.

    python benchmarks/bench_read.py [SCENE] [--times 8] [--rounds 5] [--image-size 512] [--long]

Ratios of CPU time in one run (wall time depends on who else is on the machine): tiles through our
reader (windows, validity, stretch, batches, queue) over aligned windows through
``dataset.read(window)`` on the same file, rounds taken in turn, median with spread. The scene is
repeated into a mosaic of ``times x times``; without a scene one is painted. Memory is the
difference of peak RSS between reading the mosaic and reading the scene, each in a fresh process.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio
from harness import Row, record
from rasterio.windows import Window


def paint(path: Path) -> Path:
    """A synthetic scene of the size of a real one: smooth ground, sharp roofs, sensor noise."""
    rng = np.random.default_rng(0)
    height, width = 1024, 3072
    coarse = rng.normal(110, 30, (3, height // 64 + 1, width // 64 + 1))
    image = coarse.repeat(64, axis=1).repeat(64, axis=2)[:, :height, :width]
    for _ in range(400):
        y, x = rng.integers(0, height - 40), rng.integers(0, width - 40)
        image[:, y : y + rng.integers(8, 40), x : x + rng.integers(8, 40)] += rng.normal(0, 60)
    image += rng.normal(0, 5, image.shape)
    return write(path, np.clip(image, 0, 255).astype(np.uint8))


def write(path: Path, image: np.ndarray, *, compress: str = "deflate", tiled: bool = True) -> Path:
    profile = {
        "driver": "GTiff", "count": len(image), "height": image.shape[1], "width": image.shape[2],
        "dtype": image.dtype, "crs": "EPSG:32633", "compress": compress, "interleave": "pixel",
        "transform": rasterio.Affine(0.15, 0, 5e5, 0, -0.15, 5e6), "photometric": "rgb",
    }  # fmt: skip
    if compress in ("deflate", "zstd"):
        profile["predictor"] = 2
    if tiled:
        profile |= {"tiled": True, "blockxsize": 512, "blockysize": 512}
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(image)
    return path


def repeat(source: Path, path: Path, times: int, *, dtype: str, tiled: bool = True) -> Path:
    """A mosaic of a scene, row by row of copies, so that it never lies in memory as a whole."""
    with rasterio.open(source) as dataset:
        image = dataset.read([1, 2, 3])
    if dtype == "uint16":
        image = (image.astype(np.uint16) * 10) + 300
    _, height, width = image.shape
    profile = {
        "driver": "GTiff", "count": 3, "height": height * times, "width": width * times,
        "dtype": dtype, "crs": "EPSG:32633", "compress": "deflate", "interleave": "pixel",
        "transform": rasterio.Affine(0.15, 0, 5e5, 0, -0.15, 5e6), "photometric": "rgb",
        "predictor": 2, "zlevel": 1,
    }  # fmt: skip
    if tiled:
        profile |= {"tiled": True, "blockxsize": 512, "blockysize": 512}
    row = np.tile(image, (1, 1, times))
    with rasterio.Env(GDAL_CACHEMAX=64 << 20), rasterio.open(path, "w", **profile) as dataset:
        for k in range(times):
            dataset.write(row, window=Window(0, k * height, width * times, height))
    return path


def raw_seconds(path: Path, side: int) -> tuple[float, int]:
    """CPU seconds and tiles of reading every aligned window with rasterio."""
    start = time.process_time()
    n = 0
    with rasterio.Env(GDAL_CACHEMAX=64 << 20), rasterio.open(path) as dataset:
        for y in range(0, dataset.height - side + 1, side):
            for x in range(0, dataset.width - side + 1, side):
                dataset.read([1, 2, 3], window=Window(x, y, side, side))
                n += 1
    return time.process_time() - start, n


def our_seconds(path: Path, side: int, margin: int) -> tuple[float, int]:
    """CPU seconds and tiles of our reader, all of it: plan, threads, stretch, batches."""
    from contextlib import closing

    from rsvlm_geo.scene import iter_batches, open_scene, plan_tiles
    from rsvlm_geo.vlm import ModelInfo

    scene = open_scene(path, nodata=False)
    start = time.process_time()
    gsd = scene.gsd_m or 1.0
    plan = plan_tiles(scene, ModelInfo("none", side, frozenset()), margin_m=margin * gsd)
    n = 0
    with closing(iter_batches(scene, plan, batch=8)) as batches:
        for batch in batches:
            n += len(batch.images)
    return time.process_time() - start, n


def ratio(path: Path, side: int, margin: int, rounds: int) -> tuple[float, float, float, str]:
    """Tiles per CPU second, ours over raw: median, lowest, highest, and both rates in words."""
    raw_seconds(path, side)
    seen, raw_rate, our_rate = [], [], []
    for _ in range(rounds):
        raw, n_raw = raw_seconds(path, side)
        ours, n_ours = our_seconds(path, side, margin)
        raw_rate.append(n_raw / raw)
        our_rate.append(n_ours / ours)
        seen.append((n_ours / ours) / (n_raw / raw))
    rates = f"{statistics.median(our_rate):.0f} and {statistics.median(raw_rate):.0f} tiles/CPU-s"
    return statistics.median(seen), min(seen), max(seen), rates


_PEAK = """
import sys, warnings
warnings.simplefilter("ignore")
from contextlib import closing
from rsvlm_geo.scene import iter_batches, open_scene, plan_tiles
from rsvlm_geo.vlm import ModelInfo
scene = open_scene(sys.argv[1], nodata=False)
side = int(sys.argv[2])
plan = plan_tiles(scene, ModelInfo("none", side, frozenset()), margin_m=32 * scene.gsd_m)
n = 0
with closing(iter_batches(scene, plan, batch=8)) as batches:
    for batch in batches:
        n += len(batch.images)
# VmHWM and not ru_maxrss, which a child inherits from whoever started it
with open("/proc/self/status") as status:
    print(n, next(int(row.split()[1]) for row in status if row.startswith("VmHWM")) / 1024)
"""


def peak_mb(path: Path, side: int) -> tuple[int, float]:
    """Tiles, and peak RSS in MB of a process that reads them all."""
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, str(path), str(side)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    n, peak = done.stdout.split()
    return int(n), float(peak)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("scene", nargs="?", type=Path)
    parser.add_argument("--times", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--image-size", type=int, default=512)
    parser.add_argument("--long", action="store_true", help="twelve rounds")
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    side, rounds = options.image_size, 12 if options.long else options.rounds
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        small = options.scene or paint(Path(folder) / "scene.tif")
        half = max(1, options.times // 2)
        cases: list[tuple[str, Callable[[], Path], int]] = [
            ("uint8, tiled, no overlap",
             lambda: repeat(small, Path(folder) / "u8.tif", half, dtype="uint8"), 0),
            ("uint8, tiled, margin 32",
             lambda: Path(folder) / "u8.tif", 32),
            ("uint16 stretched, tiled, margin 32",
             lambda: repeat(small, Path(folder) / "u16.tif", half, dtype="uint16"), 32),
            ("uint8, striped, margin 32",
             lambda: repeat(small, Path(folder) / "st.tif", half, dtype="uint8", tiled=False), 32),
            ("the scene itself, margin 32", lambda: small, 32),
        ]  # fmt: skip
        for name, make, margin in cases:
            middle, low, high, rates = ratio(make(), side, margin, rounds)
            rows.append(Row(f"reading, {name}", middle, "x", rounds, low, high,
                            "rasterio's read of aligned windows", ">= 0.9",
                            middle >= 0.9))  # fmt: skip
            print(f"{name}: {middle:.2f} ({low:.2f} to {high:.2f}), {rates}", flush=True)
        large = repeat(small, Path(folder) / "large.tif", options.times, dtype="uint8")
        n_small, mb_small = peak_mb(small, side)
        n_large, mb_large = peak_mb(large, side)
        with rasterio.open(large) as dataset:
            size = f"{dataset.width} x {dataset.height}"
        more = mb_large - mb_small
        rows += [
            Row(f"reading alone: peak memory, {n_small} tiles", mb_small, "MB"),
            Row(f"reading alone: more for {n_large} tiles of {size}", more, "MB", 1, None, None,
                f"{n_small} tiles of the same scene", "<= 100", more <= 100),
        ]  # fmt: skip
    record("read", rows, f"scene {options.scene or 'painted'}, windows of {side} pixels, CPU time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
