"""The same tiles with rasterio, rioxarray, odc-stac, rio-tiler, and with ours.

    python benchmarks/bench_readers.py [--rounds 5] [--quick]

Every reader takes the same aligned windows of 512 x 512 x 3 pixels from the same local file (tiled,
DEFLATE, uint8), the way its own manual shows, and must return rasterio's pixels to the last bit:
odc-stac through a local STAC Item, chunked, one tile computed at a time. Ours does more than the
others on the way: validity, the batch in the model's layout, reading ahead on a thread. Processor
time, taken in turn; the wall time of ours against rasterio's stands below.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from bench_read import paint, repeat
from harness import Row, interleave, ratio_row, record
from rasterio.windows import Window

SIDE = 512
Tiles = Iterator[np.ndarray]
"""uint8[512, 512, 3], row-major."""


def origins(path: Path) -> list[tuple[int, int]]:
    """``(col, row)`` of every tile."""
    with rasterio.open(path) as src:
        rows, cols = range(0, src.height, SIDE), range(0, src.width, SIDE)
        return [(col, row) for row in rows for col in cols]


def with_rasterio(path: Path) -> Tiles:
    """``dataset.read(window=...)``."""
    with rasterio.open(path) as src:
        for col, row in origins(path):
            yield np.moveaxis(src.read((1, 2, 3), window=Window(col, row, SIDE, SIDE)), 0, 2)


def with_rioxarray(path: Path) -> Tiles:
    """Opened lazily, one ``isel`` a tile."""
    import rioxarray

    with rioxarray.open_rasterio(path, cache=False) as array:
        for col, row in origins(path):
            part = array.isel(x=slice(col, col + SIDE), y=slice(row, row + SIDE))
            yield np.moveaxis(part.to_numpy(), 0, 2)


def with_rio_tiler(path: Path) -> Tiles:
    """``Reader.part`` on each tile's bounds in the file's own CRS."""
    from rio_tiler.io import Reader

    with Reader(str(path)) as reader:
        transform, crs = reader.dataset.transform, reader.dataset.crs
        for col, row in origins(path):
            left, top = transform @ (col, row)
            right, bottom = transform @ (col + SIDE, row + SIDE)
            image = reader.part((left, bottom, right, top), bounds_crs=crs, dst_crs=crs,
                                indexes=(1, 2, 3), max_size=None)  # fmt: skip
            yield np.moveaxis(image.data, 0, 2)


def with_odc_stac(path: Path) -> Tiles:
    """``odc.stac.load`` of a local Item into chunks of one tile, computed one by one."""
    import odc.stac

    loaded = odc.stac.load([item_of(path)], bands=["red", "green", "blue"],
                           chunks={"x": SIDE, "y": SIDE})  # fmt: skip
    for col, row in origins(path):
        part = loaded.isel(time=0, x=slice(col, col + SIDE), y=slice(row, row + SIDE))
        part = part.compute(scheduler="synchronous")
        yield np.stack([part[name].to_numpy() for name in ("red", "green", "blue")], axis=2)


def item_of(path: Path) -> Any:
    """A STAC Item of one local file with three bands."""
    import pystac
    from rasterio.warp import transform_bounds

    with rasterio.open(path) as src:
        box = transform_bounds(src.crs, 4326, *src.bounds)
        shape, transform = list(src.shape), list(src.transform)[:6]
        code = src.crs.to_epsg()
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    item = pystac.Item(
        "scene", {"type": "Polygon", "coordinates": [ring]}, list(box),
        datetime(2024, 1, 1, tzinfo=timezone.utc),
        {"proj:code": f"EPSG:{code}", "proj:epsg": code, "proj:shape": shape,
         "proj:transform": transform},
        stac_extensions=["https://stac-extensions.github.io/projection/v1.1.0/schema.json",
                         "https://stac-extensions.github.io/eo/v1.1.0/schema.json",
                         "https://stac-extensions.github.io/raster/v1.1.0/schema.json"],
        collection="local",
    )  # fmt: skip
    bands = [{"name": name, "common_name": name} for name in ("red", "green", "blue")]
    item.add_asset("image", pystac.Asset(
        str(path), media_type=pystac.MediaType.COG, roles=["data"],
        extra_fields={"eo:bands": bands, "raster:bands": [{"data_type": "uint8"}] * 3},
    ))  # fmt: skip
    return item


def with_ours(path: Path) -> Tiles:
    """``iter_batches``: as the pipeline reads."""
    from rsvlm_geo.scene import iter_batches, open_scene, plan_tiles
    from rsvlm_geo.vlm import ModelInfo

    scene = open_scene(path, nodata=False)
    plan = plan_tiles(scene, ModelInfo("none", SIDE, frozenset()), margin_m=0)
    with closing(iter_batches(scene, plan, batch=8)) as batches:
        for batch in batches:
            yield from batch.images


READERS: dict[str, tuple[str, Callable[[Path], Tiles]]] = {
    "rasterio": ("rasterio", with_rasterio),
    "rioxarray": ("rioxarray", with_rioxarray),
    "rio-tiler": ("rio_tiler", with_rio_tiler),
    "odc-stac": ("odc.stac", with_odc_stac),
}


def here() -> tuple[dict[str, Callable[[Path], Tiles]], list[str]]:
    """The readers that are installed, and a line for each that is not."""
    found, missing = {}, []
    for name, (module, reader) in READERS.items():
        try:
            importlib.import_module(module)
        except ImportError as error:
            missing.append(f"{name} is left out ({error}); pip install 'rsvlm-geo[bench]'")
        else:
            found[name] = reader
    return found, missing


def drain(tiles: Tiles) -> int:
    """Read them all."""
    return sum(1 for _ in tiles)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a smaller scene, two rounds")
    options = parser.parse_args()
    rounds = 2 if options.quick else options.rounds
    warnings.simplefilter("ignore")
    readers, missing = here()
    for line in missing:
        print(line)
    with tempfile.TemporaryDirectory() as held, rasterio.Env(GDAL_CACHEMAX=64 << 20):
        path = repeat(paint(Path(held) / "one.tif"), Path(held) / "scene.tif",
                      1 if options.quick else 4, dtype="uint8")  # fmt: skip
        readers["ours"] = with_ours
        count = len(origins(path))
        for name, reader in readers.items():
            for k, (one, other) in enumerate(zip(with_rasterio(path), reader(path), strict=True)):
                if not np.array_equal(one, other):
                    raise SystemExit(f"{name} reads other pixels than rasterio in tile {k}")
        walls: dict[str, list[float]] = {name: [] for name in readers}

        def timed(name: str, reader: Callable[[Path], Tiles]) -> Callable[[], None]:
            def go() -> None:
                began = time.perf_counter()
                drain(reader(path))
                walls[name].append(time.perf_counter() - began)

            return go

        runs = {name: timed(name, reader) for name, reader in readers.items()}
        seconds = interleave(runs, rounds, time.process_time)
    rows = []
    for name in readers:
        rates = sorted(count / took for took in seconds[name])
        rows.append(Row(f"tiles a second of processor time, {name}", statistics.median(rates),
                        "tiles/s", rounds, rates[0], rates[-1]))  # fmt: skip
    for name in readers:
        if name != "ours":
            bar = 0.9 if name == "rasterio" else 1
            rows.append(ratio_row(f"ours beside {name}", seconds[name], seconds["ours"],
                                  compared_with=name, bar=bar))  # fmt: skip
    ratios = [a / b for a, b in zip(walls["rasterio"], walls["ours"], strict=True)]
    rows.append(Row("ours beside rasterio, wall time", statistics.median(ratios), "x", rounds,
                    min(ratios), max(ratios), "rasterio"))  # fmt: skip
    record("readers", rows, " ".join([
        f"{count} aligned tiles of 512 x 512 x 3, uint8, DEFLATE, a local file; every reader "
        "returned the same pixels.", *missing]))  # fmt: skip


if __name__ == "__main__":
    main()
