"""Reading tiles: against rasterio, padded, ahead of the model, stopped, failing, within memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import rasterio
from factories import Oracle, make_scene, scatter
from rasterio.enums import Resampling
from rasterio.windows import Window as RasterioWindow

from rsvlm_geo import open_scene
from rsvlm_geo.errors import SceneUnreadableError, TileReadError
from rsvlm_geo.grid import Tile, Window
from rsvlm_geo.scene import (
    CoverageMeter,
    RetryPolicy,
    TileReader,
    iter_batches,
    iter_tiles,
    plan_tiles,
    read_tile,
)
from rsvlm_geo.scene.reader import MAX_CACHE, MIN_CACHE, cache_bytes

Make = Callable[..., Path]


def tile_at(x: int, y: int, w: int, h: int) -> Tile:
    return Tile(0, 0, Window(x, y, w, h), Window(x, y, w, h))


def test_native_windows_are_rasterio_s(scene_file: Make) -> None:
    path = scene_file(noise=True)
    scene = open_scene(path)
    with rasterio.open(path) as dataset:
        want = dataset.read(window=RasterioWindow(131, 77, 64, 64)).transpose(1, 2, 0)
    got = read_tile(scene, tile_at(131, 77, 64, 64), 64)
    assert got.status == "ok"
    assert got.valid is None
    assert got.valid_frac == 1.0
    assert (got.image == want).all()


@pytest.mark.parametrize(("w", "how"), [(200, "average"), (40, "cubic")])
def test_other_scales_are_rasterio_s(scene_file: Make, w: int, how: str) -> None:
    path = scene_file(noise=True)
    with rasterio.open(path) as dataset:
        want = dataset.read(
            window=RasterioWindow(100, 50, w, w), out_shape=(3, 96, 96), resampling=Resampling[how]
        )
    got = read_tile(open_scene(path), tile_at(100, 50, w, w), 96)
    assert got.image is not None
    assert (got.image == want.transpose(1, 2, 0)).all()


def test_average_is_the_mean_of_its_pixels(scene_file: Make) -> None:
    path = scene_file(noise=True)
    with rasterio.open(path) as dataset:
        native = dataset.read(1, window=RasterioWindow(0, 0, 256, 256)).astype(float)
    got = read_tile(open_scene(path), tile_at(0, 0, 256, 256), 64)
    assert got.image is not None
    mean = native.reshape(64, 4, 64, 4).mean(axis=(1, 3))
    assert np.abs(got.image[..., 0] - mean).max() <= 0.51


@pytest.mark.parametrize("scale", [1.0, 1.7, 0.6])
def test_beyond_the_scene_is_not_valid_and_the_rest_is_exact(tmp_path: Path, scale: float) -> None:
    path = make_scene(tmp_path / "a.tif", width=90, height=70, objects=[(30, 20, 50, 40)])
    scene = open_scene(path)
    side = 96
    size = round(side * scale)
    got = read_tile(scene, Tile(0, 0, Window(0, 0, 90, 70), Window(0, 0, size, size)), side)
    assert got.status == "ok"
    assert got.image is not None
    if size <= 70:
        return
    assert got.valid is not None
    inside = np.zeros((side, side), bool)
    inside[: int(np.ceil(70 * side / size)), : int(np.ceil(90 * side / size))] = True
    assert (got.valid == inside).all()
    assert (got.image[~inside] == 0).all()
    assert got.valid_frac > 0.97
    (box,) = Oracle(side).find(got.image)
    factor = size / side
    assert np.abs(box * factor - [30, 20, 50, 40]).max() < size / 2000


def test_a_scene_smaller_than_one_model_pixel(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "a.tif", width=3, height=2)
    got = read_tile(open_scene(path), Tile(0, 0, Window(0, 0, 3, 2), Window(0, 0, 640, 640)), 64)
    assert got.status == "ok"
    assert got.valid is not None
    assert got.valid.sum() == 1


def test_batches_hold_every_tile_in_order(scene_file: Make) -> None:
    path = scene_file(noise=True, nodata=0, holes=[(0, 0, 400, 330)])
    scene = open_scene(path)
    model = Oracle(64)
    plan = plan_tiles(scene, model.info, margin_m=4)
    meter = CoverageMeter(plan)
    seen, rows = [], []
    with closing(iter_batches(scene, plan, batch=7)) as batches:
        for batch in batches:
            assert len(batch.images) == len(batch.shown) <= 7
            for image, item in zip(batch.images, batch.shown, strict=True):
                assert item.image is not None
                assert (image == item.image).all()
            seen += [item.tile.tile_id for item in batch.items]
            rows.append(batch.rows_done)
            for item in batch.items:
                meter.add(item)
    assert seen == [tile.tile_id for tile in plan.tiles()]
    assert rows[-1] == plan.grid.shape[0]
    assert rows == sorted(rows)
    coverage = meter.coverage()
    assert coverage.pending == 0
    assert coverage.nodata == pytest.approx(400 * 330 / 490_000, abs=0.01)
    one = [t.valid_frac if t else None for t in iter_tiles(scene, plan)]
    many = [t.valid_frac if t else None for t in iter_tiles(scene, plan, readers=3)]
    assert one == many


def test_valid_pixels_are_counted_exactly_at_native_scale(scene_file: Make) -> None:
    path = scene_file(noise=True, nodata=0, holes=[(13, 7, 411, 333), (500, 500, 509, 700)])
    scene = open_scene(path)
    plan = plan_tiles(scene, Oracle(64).info, min_valid=0.0)
    counted = sum(t.tile.core.area_px * t.valid_frac for t in iter_tiles(scene, plan) if t)
    with rasterio.open(path) as dataset:
        truth = (dataset.dataset_mask() > 0).sum()
    assert counted == pytest.approx(truth, abs=1e-6)


def test_done_tiles_are_skipped(scene_file: Make) -> None:
    scene = open_scene(scene_file(noise=True))
    plan = plan_tiles(scene, Oracle(128).info)
    done = {"0/0", "1/2", "5/5"}
    with closing(iter_batches(scene, plan, skip=done)) as batches:
        read = [item.tile.tile_id for batch in batches for item in batch.items]
    assert len(read) == len(plan) - 3
    assert not done & set(read)


def test_closing_stops_the_reader(scene_file: Make) -> None:
    scene = open_scene(scene_file(noise=True, width=2000, height=2000))
    plan = plan_tiles(scene, Oracle(32).info)
    batches = iter_batches(scene, plan, batch=2)
    next(batches)
    batches.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("rsvlm-read")]


def test_an_error_of_the_caller_stops_the_reader(scene_file: Make) -> None:
    scene = open_scene(scene_file(noise=True))
    plan = plan_tiles(scene, Oracle(32).info)
    with pytest.raises(KeyError), closing(iter_batches(scene, plan)) as batches:
        for _ in batches:
            raise KeyError("the model")
    assert not [t for t in threading.enumerate() if t.name.startswith("rsvlm-read")]


def test_reading_runs_ahead_of_the_model(scene_file: Make) -> None:
    scene = open_scene(scene_file(noise=True))
    plan = plan_tiles(scene, Oracle(32).info)
    tiles = iter_tiles(scene, plan, ahead=12)
    next(tiles)
    waited = 0.0
    while waited < 30:
        frame = tiles.gi_frame  # type: ignore[attr-defined]
        if frame.f_locals["lanes"][0]._queue.qsize() == 12:
            break
        time.sleep(0.01)
        waited += 0.01
    assert waited < 30, "the queue never filled while the model was busy"
    tiles.close()


def broken(path: Path, keep: float = 0.5) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return path


def test_a_tile_that_cannot_be_read_fails_alone(tmp_path: Path) -> None:
    path = broken(make_scene(tmp_path / "b.tif", noise=True, compress="deflate", nodata=0))
    scene = open_scene(path)
    plan = plan_tiles(scene, Oracle(128).info)
    told: list[tuple[str, int]] = []
    retry = RetryPolicy(3, 0.0, lambda tile, attempt, _: told.append((tile.tile_id, attempt)))
    meter = CoverageMeter(plan)
    status = {}
    with closing(iter_batches(scene, plan, retry=retry)) as batches:
        for batch in batches:
            for item in batch.items:
                meter.add(item)
                status[item.tile.tile_id] = item
    assert status["0/0"].status == "ok"
    last = status["5/5"]
    assert last.status == "failed"
    assert isinstance(last.error, TileReadError)
    assert "tile 5/5 of" in str(last.error)
    assert "\n" not in str(last.error)
    assert told.count(("5/5", 1)) == told.count(("5/5", 2)) == 1
    coverage = meter.coverage()
    assert coverage.failed > 0.2
    assert not coverage.complete
    with pytest.raises(SceneUnreadableError, match="cannot read"):
        scene.preview(64)


def test_a_retry_opens_the_file_anew(scene_file: Make, tmp_path: Path) -> None:
    path = scene_file(noise=True, compress="deflate", nodata=0)
    whole = path.read_bytes()
    scene = open_scene(path)
    broken(path, 0.4)

    def mend(*_: object) -> None:
        path.write_bytes(whole)

    with TileReader(scene, 128, retry=RetryPolicy(2, 0.0, mend)) as reader:
        assert reader.read(tile_at(500, 500, 128, 128)).status == "ok"


def test_the_cache_is_in_bytes_and_holds_what_neighbours_share(tmp_path: Path) -> None:
    from rasterio._env import get_gdal_config

    path = make_scene(tmp_path / "s.tif", width=4000, height=1200, noise=True, tiled=False)
    scene = open_scene(path)
    need = cache_bytes(scene, (512, 512))
    assert need >= 512 * 4000 * 3
    assert MIN_CACHE <= need <= MAX_CACHE
    seen = []

    plan = plan_tiles(scene, Oracle(512).info)
    tiles = iter_tiles(scene, plan)
    next(tiles)
    seen.append(int(get_gdal_config("GDAL_CACHEMAX", normalize=False) or 0))
    tiles.close()
    assert seen[0] in (0, need) or seen[0] >= MIN_CACHE, "a cache of a few bytes re-reads all"


def test_windows_that_touch_one_row_of_blocks_need_half_the_cache(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif", width=16000, height=1024, tiled=True)
    scene = open_scene(path)
    side = scene.facts.block[0]
    anywhere = cache_bytes(scene, (side, side))
    apart = cache_bytes(scene, (side, side), None, range(0, 1024, side))
    across = cache_bytes(scene, (side, side), None, [side // 2])
    assert across == anywhere
    assert apart == max(MIN_CACHE, apart) < anywhere or anywhere == MIN_CACHE
    row = side * scene.width * 3
    assert apart >= row


def test_images_lie_in_planes_side_by_side(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif", width=300, height=128, noise=True)
    scene = open_scene(path)
    plan = plan_tiles(scene, Oracle(64).info)
    with rasterio.open(path) as dataset:
        raw = dataset.read([1, 2, 3])
    for batch in iter_batches(scene, plan, batch=4):
        assert batch.images.transpose(0, 3, 1, 2).flags.c_contiguous
        for image, item in zip(batch.images, batch.shown, strict=True):
            assert np.shares_memory(image, item.image)
            w = item.tile.window
            want = raw[:, w.row_off : w.row_end, w.col_off : w.col_end]
            np.testing.assert_array_equal(image.transpose(2, 0, 1), want)


def test_striped_files_are_decoded_once(tmp_path: Path) -> None:
    """A striped file read tile by tile costs no more than a few full reads of it."""
    path = make_scene(tmp_path / "s.tif", width=3000, height=1000, noise=True, tiled=False,
                      compress="deflate")  # fmt: skip
    scene = open_scene(path)
    plan = plan_tiles(scene, Oracle(128).info)
    with rasterio.Env(GDAL_CACHEMAX=64 << 20), rasterio.open(path) as dataset:
        start = time.process_time()
        dataset.read()
        whole = time.process_time() - start
    start = time.process_time()
    n = sum(1 for item in iter_tiles(scene, plan) if item)
    tiled = time.process_time() - start
    assert n == len(plan) == 24 * 8
    assert tiled < 6 * whole, "without a cache in bytes it would be over 20 times"


def test_a_palette_and_one_band_fill_three_channels(scene_file: Make) -> None:
    scene = open_scene(scene_file(bands=1, noise=True, dtype="int16"))
    got = read_tile(scene, tile_at(0, 0, 100, 100), 64)
    assert got.image is not None
    assert got.image.shape == (64, 64, 3)
    assert (got.image[..., 0] == got.image[..., 1]).all()


def test_objects_of_a_sparse_scene_are_seen(tmp_path: Path) -> None:
    objects = scatter(5000, 4000, 30, size=(20, 40))
    path = make_scene(tmp_path / "s.tif", width=5000, height=4000, objects=objects, SPARSE_OK=True)
    scene = open_scene(path, nodata=False)
    model = Oracle(512, low=0)
    plan = plan_tiles(scene, model.info)
    found = sum(
        len(model.find(t.image)) for t in iter_tiles(scene, plan) if t and t.image is not None
    )
    assert found >= 30
