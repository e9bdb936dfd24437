"""The whole line from file to footprints, with a model that sees exactly what is painted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from factories import Box, Oracle, footprint_errors, make_scene, scatter, true_rings

from rsvlm_geo import open_scene
from rsvlm_geo.answers import Coverage
from rsvlm_geo.georef import Merged, Merger, place_boxes
from rsvlm_geo.scene import CoverageMeter, Scene, TilePlan, iter_batches, plan_tiles
from rsvlm_geo.tasks import make_question


def locate(
    path: Path, model: Oracle, *, margin_m: float | None = None, gsd_m: float | None = None,
    **options: Any,
) -> tuple[Scene, TilePlan, Merged, Coverage]:  # fmt: skip
    """What the pipeline does, in few lines."""
    scene = open_scene(path, **options)
    plan = plan_tiles(scene, model.info, margin_m=margin_m, gsd_m=gsd_m)
    merger, meter = Merger(plan, scene.window), CoverageMeter(plan)
    question = [make_question("locate", target=model.label)]
    parts = []
    with closing(iter_batches(scene, plan, batch=4)) as batches:
        for batch in batches:
            replies = model.ask(batch.images, question)
            for item, (reply,) in zip(batch.shown, replies, strict=True):
                assert reply.boxes is not None
                merger.add(item.tile, reply.boxes, reply.labels, reply.scores)
            for item in batch.items:
                meter.add(item)
            parts.append(merger.flush(batch.rows_done))
    parts.append(merger.finish())
    return scene, plan, Merged.concat(parts), meter.coverage()


def check(
    path: Path, objects: Sequence[Box], model: Oracle, **options: Any
) -> tuple[Scene, TilePlan, Merged]:
    """Exact count, footprints within 1/2000 of a tile, no valid pixel unseen."""
    scene, plan, merged, coverage = locate(path, model, **options)
    assert len(merged) == len(objects)
    with rasterio.open(path) as dataset:
        truth = true_rings(objects, dataset.transform)
        pixel = np.hypot(dataset.transform.a, dataset.transform.d)
    worst = footprint_errors(place_boxes(merged.boxes, scene), truth).max()
    assert worst <= max(plan.grid.size) * pixel / 2000
    assert coverage.seen == pytest.approx(1.0)
    assert coverage.complete
    return scene, plan, merged


WORLDS: dict[str, dict[str, Any]] = {
    "north-up": {"width": 700, "height": 700},
    "1000 x 1000": {"width": 1000, "height": 1000},
    "rotated": {"width": 500, "height": 700, "rotation": 30.0},
    "degrees": {"width": 600, "height": 500, "crs": "EPSG:4326", "res": (6e-6, 4e-6),
                "origin": (10.0, 47.0)},
    "degrees, far north": {"width": 600, "height": 500, "crs": "EPSG:4326", "res": 4e-6,
                           "origin": (10.0, 60.0)},
    "feet": {"width": 700, "height": 400, "crs": "EPSG:2263", "res": 1.6,
             "origin": (980_000.0, 200_000.0)},
    "smaller than a tile": {"width": 90, "height": 70},
    "a strip": {"width": 900, "height": 40},
    "16 bits": {"width": 400, "height": 400, "dtype": "uint16"},
    "one band": {"width": 400, "height": 400, "bands": 1},
    "striped": {"width": 700, "height": 300, "tiled": False, "compress": "deflate"},
}  # fmt: skip


@pytest.mark.parametrize("margin_m", [12.0, 0.0])
@pytest.mark.parametrize("name", [n for n in WORLDS if n != "degrees, far north"])
def test_native_scale(tmp_path: Path, name: str, margin_m: float) -> None:
    world = WORLDS[name]
    objects = scatter(world["width"], world["height"], 60, size=(12, 20), gap=12)
    path = make_scene(tmp_path / "w.tif", objects=objects, **world)
    options: dict[str, Any] = {"stretch": (0, 3000)} if name == "16 bits" else {}
    low, high = (34, 238) if name == "16 bits" else (40, 220)
    check(path, objects, Oracle(128, low=low, high=high), margin_m=margin_m, **options)


@pytest.mark.parametrize(
    "name", ["north-up", "rotated", "degrees, far north", "smaller than a tile"]
)
def test_read_coarser_than_native(tmp_path: Path, name: str) -> None:
    world = WORLDS[name]
    objects = scatter(world["width"], world["height"], 40, size=(14, 24), gap=14)
    path = make_scene(tmp_path / "w.tif", objects=objects, **world)
    scene, plan, _ = check(path, objects, Oracle(256), margin_m=15.0, gsd_m=0.9)
    assert plan.gsd_m == pytest.approx(0.9, rel=0.01)
    assert scene.gsd_m is not None
    assert plan.grid.size[0] > 256


def test_objects_on_every_seam(tmp_path: Path) -> None:
    """One object on every crossing of seams and on the middle of every seam."""
    model = Oracle(128)
    blank = make_scene(tmp_path / "b.tif", width=640, height=512)
    grid = plan_tiles(open_scene(blank), model.info, margin_m=10.0).grid
    cols = [grid.tile(0, c).core.col_off for c in range(1, grid.shape[1])]
    rows = [grid.tile(r, 0).core.row_off for r in range(1, grid.shape[0])]
    centres = [(x, y) for x in [40, *cols] for y in [40, *rows]]
    objects = [(x - 9, y - 7, x + 9, y + 7) for x, y in centres]
    path = make_scene(tmp_path / "s.tif", width=640, height=512, objects=objects)
    _, plan, merged = check(path, objects, model, margin_m=10.0)
    assert plan.grid.shape[0] >= 4
    assert not merged.joined.any(), "each was seen whole by the tile that owns it"


def test_objects_larger_than_the_margin_and_than_a_tile(tmp_path: Path) -> None:
    objects = [(20, 20, 480, 40), (100, 60, 130, 690), (200, 100, 420, 330), (500, 500, 640, 660)]
    path = make_scene(tmp_path / "l.tif", objects=objects)
    for margin_m in (0.0, 6.0, 20.0):
        _, _, merged = check(path, objects, Oracle(128), margin_m=margin_m)
        assert merged.joined.sum() >= 3
        assert not merged.cut.any()


def test_a_sentinel_sized_sparse_scene(tmp_path: Path) -> None:
    objects = scatter(10_980, 10_980, 120, size=(20, 40), seed=3)
    path = make_scene(tmp_path / "s.tif", width=10_980, height=10_980, objects=objects, bands=1,
                      res=10.0, SPARSE_OK=True, blockxsize=512, blockysize=512)  # fmt: skip
    _, plan, _ = check(path, objects, Oracle(512, low=0), margin_m=400.0, nodata=False)
    assert len(plan) == 26 * 26


def test_valid_pixels_beside_nodata_are_all_seen(tmp_path: Path) -> None:
    holes = [(0, 0, 300, 190), (610, 400, 700, 700)]
    objects = [b for b in scatter(700, 700, 80, gap=10) if not any(
        b[0] < h[2] and b[2] > h[0] and b[1] < h[3] and b[3] > h[1] for h in holes)]  # fmt: skip
    path = make_scene(tmp_path / "h.tif", objects=objects, holes=holes, nodata=0)
    scene, _, merged, coverage = locate(path, Oracle(64), margin_m=8.0)
    assert len(merged) == len(objects)
    with rasterio.open(path) as dataset:
        truth = (dataset.dataset_mask() > 0).mean()
    assert coverage.seen == pytest.approx(truth, abs=0.001)
    assert coverage.seen + coverage.nodata == pytest.approx(1.0)
    assert scene.mask == "nodata"
