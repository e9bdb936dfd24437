"""Remote tiles a second at 50 ms a request, beside plain rasterio; and two workers beside one.

    python benchmarks/bench_batch.py [--rounds 3]

Every variant reads the same 64 tiles of 512 x 512 x 3 from a server that answers each request after
50 ms, in a process of its own, the variants taking turns. Ratios within a round are what counts on
a machine that does other things too.
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
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PATHS = [str(ROOT), str(ROOT / "tests" / "stac"), str(ROOT / "tests" / "batch")]
sys.path[:0] = PATHS
LATENCY_S = 0.05
VARIANTS = ("rasterio, defaults", "rasterio, tuned", "rsvlm_geo", "rsvlm_geo, fast path")


def make_files(folder: Path) -> None:
    """A ZSTD and a JPEG COG of 4096 x 4096 x 3: smooth structure with fine noise on it."""
    import numpy as np
    import rasterio
    import rasterio.shutil
    from affine import Affine

    rng = np.random.default_rng(0)
    coarse = rng.normal(size=(3, 256, 256)).repeat(16, 1).repeat(16, 2)
    pixels = np.clip(120 + 30 * coarse + rng.normal(scale=6, size=coarse.shape), 1, 255)
    plain = folder / "plain.tif"
    with rasterio.open(
        plain, "w", driver="GTiff", width=4096, height=4096, count=3, dtype="uint8",
        crs="EPSG:32633", transform=Affine(0.5, 0, 500_000, 0, -0.5, 5_000_000), photometric="RGB",
    ) as dst:  # fmt: skip
        dst.write(pixels.astype("uint8"))
    for name in ("zstd", "jpeg"):
        options = {"predictor": "2"} if name == "zstd" else {"quality": 85}
        rasterio.shutil.copy(
            plain, folder / f"{name}.tif", driver="COG", compress=name, blocksize=512, **options
        )


def read_tiles(url: str, variant: str, tiles: int) -> dict[str, float]:
    """Read the tiles; runs in a process of its own."""
    import rasterio
    from rasterio.windows import Window

    from rsvlm_geo.remote import RasterSource, ReadPolicy, open_raster
    from rsvlm_geo.remote.vsi import gdal_env

    windows = [Window(c * 512, r * 512, 512, 512) for r in range(8) for c in range(8)][:tiles]
    start, cpu = time.perf_counter(), time.process_time()
    total = 0
    if variant.startswith("rasterio"):
        env = gdal_env() | {"GDAL_CACHEMAX": 64 << 20} if "tuned" in variant else {}
        with rasterio.Env(**env), rasterio.open(f"/vsicurl/{url}") as src:
            for window in windows:
                total += int(src.read((1, 2, 3), window=window)[0, 0, 0])
    else:
        policy = ReadPolicy(fast="fast" in variant)
        with open_raster(RasterSource(url, policy=policy)) as src:
            if policy.fast and src._fast is None:
                return {"tiles_per_s": 0.0, "cpu_s": 0.0, "sum": -1}
            for window in windows:
                total += int(src.read((1, 2, 3), window=window)[0, 0, 0])
    took = time.perf_counter() - start
    return {"tiles_per_s": len(windows) / took, "cpu_s": time.process_time() - cpu, "sum": total}


def throughput(rounds: int) -> list[dict[str, object]]:
    """Median, least and most tiles per second of each variant."""
    rows: list[dict[str, object]] = []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(PATHS)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_files(folder)
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
                    order = VARIANTS[number % 4 :] + VARIANTS[: number % 4]
                    for variant in order:
                        command = [sys.executable, __file__, "--one", f"{root}/ok/{codec}.tif",
                                   variant]  # fmt: skip
                        out = subprocess.run(
                            command, env=environment, check=True, capture_output=True, text=True
                        )
                        got[variant].append(json.loads(out.stdout))
                base = [g["tiles_per_s"] for g in got["rasterio, tuned"]]
                for variant, found in got.items():
                    speeds = [g["tiles_per_s"] for g in found]
                    if not max(speeds):
                        continue
                    ratios = [s / b for s, b in zip(speeds, base, strict=True)]
                    rows.append(
                        {
                            "codec": codec, "variant": variant, "n": len(speeds),
                            "tiles_per_s": round(statistics.median(speeds), 1),
                            "least": round(min(speeds), 1), "most": round(max(speeds), 1),
                            "ratio_to_tuned": round(statistics.median(ratios), 2),
                            "cpu_s": round(statistics.median(g["cpu_s"] for g in found), 2),
                        }
                    )  # fmt: skip
                    print(rows[-1], flush=True)
        finally:
            server.terminate()
    return rows


def scaling(rounds: int) -> list[dict[str, object]]:
    """One and two workers with a model that waits 50 ms a tile, taking turns."""
    from distributed import Client, LocalCluster
    from worlds import make_raster

    from rsvlm_geo.batch import Ask, BatchSpec, run

    asked = BatchSpec((Ask("count", ("spot",)),), model="oracle:Waiting")
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scenes = [str(make_raster(folder / f"s{i}.tif", seed=i, size=1000)) for i in range(4)]
        seconds: dict[int, list[float]] = {1: [], 2: []}
        options = {"threads_per_worker": 1, "dashboard_address": None}
        with (
            LocalCluster(n_workers=1, **options) as one,
            LocalCluster(n_workers=2, **options) as two,
        ):
            clients = {1: Client(one, set_as_default=False), 2: Client(two, set_as_default=False)}
            for workers, client in clients.items():  # imports and model, before the clock
                run(asked, scenes[:1], folder / f"warm{workers}", backend=client, tiles_per_task=27)
            tiles = 0
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
        ratios = [a / b for a, b in zip(seconds[1], seconds[2], strict=True)]
        rows.append(
            {
                "tiles": tiles, "n": rounds,
                "one_worker_s": round(statistics.median(seconds[1]), 2),
                "two_workers_s": round(statistics.median(seconds[2]), 2),
                "ratio": round(statistics.median(ratios), 2),
                "ratio_least": round(min(ratios), 2), "ratio_most": round(max(ratios), 2),
            }
        )  # fmt: skip
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=2, metavar=("URL", "VARIANT"))
    options = parser.parse_args()
    if options.one:
        print(json.dumps(read_tiles(options.one[0], options.one[1], 64)))
        return
    load = os.getloadavg()[0]
    remote = throughput(options.rounds)
    write(remote, [], load)
    write(remote, scaling(options.rounds), load)


def write(remote: list[dict[str, object]], workers: list[dict[str, object]], load: float) -> None:
    """What was measured, as JSON and Markdown."""
    stamp = datetime.now(timezone.utc).isoformat(timespec="seconds")
    facts = {"when": stamp, "cpus": os.cpu_count(), "load_at_start": round(load, 1),
             "latency_s": LATENCY_S, "remote": remote, "scaling": workers}  # fmt: skip
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / "bench_batch.json").write_text(json.dumps(facts, indent=1) + "\n")
    lines = [
        "# Remote tiles and workers", "",
        f"{stamp}, {os.cpu_count()} CPUs, load {load:.1f} from other work at the start. "
        "64 tiles of 512 x 512 x 3 from a 4096 x 4096 COG, 50 ms a request, one reader.", "",
        "| codec | reader | tiles/s (median) | least to most | n | beside rasterio tuned | CPU s |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    lines += [
        f"| {r['codec']} | {r['variant']} | {r['tiles_per_s']} | {r['least']} to {r['most']} | "
        f"{r['n']} | {r['ratio_to_tuned']} | {r['cpu_s']} |"
        for r in remote
    ]
    lines += [
        "",
        "The fast path takes up lossless files only: async-tiff's JPEG is not GDAL's.",
        "",
    ]
    lines += [
        f"{r['tiles']} tiles, a model that waits 20 ms a tile: {r['one_worker_s']} s with one "
        f"worker, {r['two_workers_s']} s with two, ratio {r['ratio']} "
        f"({r['ratio_least']} to {r['ratio_most']}, n = {r['n']})."
        for r in workers
    ]
    (results / "bench_batch.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
