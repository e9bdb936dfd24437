"""Plans: every pixel asked about once, at the model's GSD, inside the area of interest."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from factories import Oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box, mapping

from rsvlm_geo import open_scene
from rsvlm_geo.errors import AoiError, GridError
from rsvlm_geo.scene import CoverageMeter, Scene, TileImage, object_margin_m, plan_tiles
from rsvlm_geo.scene.bands import Bands
from rsvlm_geo.scene.ground import Ground
from rsvlm_geo.scene.radiometry import Stretch
from rsvlm_geo.scene.source import FileSource, RasterFacts
from rsvlm_geo.vlm import ClassInfo, ModelInfo, ScaleRule

Make = Callable[..., Path]


def paper_scene(width: int, height: int, gsd: tuple[float, float] | None) -> Scene:
    """A scene of which only the size and GSD are true; nothing is read of it."""
    facts = RasterFacts(width, height, ("uint8",) * 3)
    gx, gy = gsd or (None, None)
    return Scene(FileSource.single("paper.tif"), facts, Bands((1, 2, 3), "asked"), Ground("none"),
                 "none", None, Stretch("identity"), gx, gy)  # fmt: skip


@given(
    width=st.integers(2, 160), height=st.integers(2, 160), side=st.integers(16, 96),
    gx=st.floats(0.2, 2.0), gy=st.floats(0.2, 2.0), read=st.floats(0.5, 8.0),
    margin=st.floats(0.0, 30.0), data=st.data(),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_no_pixel_goes_unasked(
    width: int, height: int, side: int, gx: float, gy: float, read: float, margin: float,
    data: st.DataObject,
) -> None:  # fmt: skip
    scene = paper_scene(width, height, (gx, gy))
    aoi = None
    if data.draw(st.booleans()):
        x0, y0 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
        x1, y1 = data.draw(st.integers(x0 + 1, width)), data.draw(st.integers(y0 + 1, height))
        aoi = (x0, y0, x1, y1)
    plan = plan_tiles(scene, Oracle(side).info, gsd_m=read, margin_m=margin, aoi=aoi)
    seen = np.zeros((height, width), np.int16)
    asked = 0.0
    count = 0
    for tile in plan.tiles():
        core, window = tile.core, tile.window
        seen[core.row_off : core.row_end, core.col_off : core.col_end] += 1
        assert window.intersection(core) == core
        asked += plan.area_px(tile)
        count += 1
    assert count == len(plan)
    assert seen.max() <= 1
    if aoi is None:
        assert (seen == 1).all()
        assert asked == width * height
    else:
        assert (seen[aoi[1] : aoi[3], aoi[0] : aoi[2]] == 1).all()
        assert asked == pytest.approx((aoi[2] - aoi[0]) * (aoi[3] - aoi[1]))
    assert plan.total_px == pytest.approx(asked)
    meter = CoverageMeter(plan)
    for tile in plan.tiles():
        meter.add(TileImage(tile, "ok", valid_frac=0.5))
    assert meter.coverage().seen == pytest.approx(0.5)
    assert meter.coverage().nodata == pytest.approx(0.5)


def test_coverage_says_what_is_missing() -> None:
    plan = plan_tiles(paper_scene(100, 100, None), Oracle(50).info)
    meter = CoverageMeter(plan)
    assert meter.coverage().pending == 1.0
    tiles = list(plan.tiles())
    assert len(tiles) == 4
    meter.add(TileImage(tiles[0], "ok", valid_frac=1.0), refused=0.5)
    meter.add(TileImage(tiles[1], "ok", valid_frac=1.0), failed=True)
    meter.add(TileImage(tiles[2], "nodata"))
    coverage = meter.coverage()
    assert (coverage.seen, coverage.failed, coverage.nodata, coverage.pending) == (
        0.25, 0.25, 0.25, 0.25,
    )  # fmt: skip
    assert coverage.refused == 0.125
    assert not coverage.complete
    meter.count(tiles[3].row, tiles[3].col, "answered", 1.0)
    assert meter.coverage().pending == 0


def test_the_model_s_rule_sets_the_scale() -> None:
    rules = (ScaleRule((0.0, 0.6), (0.2, 0.4)), ScaleRule((0.6, 20.0), (10.0, 10.0)))
    info = ModelInfo("m", 100, frozenset(), scales=rules)
    assert plan_tiles(paper_scene(9000, 900, (0.1, 0.1)), info).grid.size == (200, 200)
    assert plan_tiles(paper_scene(9000, 900, (0.3, 0.3)), info).grid.size == (100, 100)
    assert plan_tiles(paper_scene(9000, 900, (0.5, 0.5)), info).grid.size == (80, 80)
    fine = plan_tiles(paper_scene(9000, 900, (2.0, 1.0)), info)
    assert fine.grid.size == (500, 1000)
    assert fine.gsd_m == pytest.approx(10.0)
    nearly = plan_tiles(paper_scene(9000, 900, (0.3, 0.305)), info)
    assert nearly.grid.size == (100, 100), "nearly square pixels are read as they are"
    twice = plan_tiles(paper_scene(9000, 900, (0.152, 0.1535)), info, gsd_m=0.3)
    assert twice.grid.size == (200, 200), "and nearly two as the mean of two, as overviews hold it"
    assert twice.gsd_m == pytest.approx(2 * (0.152 * 0.1535) ** 0.5)
    between = plan_tiles(paper_scene(9000, 900, (0.2, 0.2)), info, gsd_m=0.3)
    assert between.grid.size == (150, 150)
    out_of_range = plan_tiles(paper_scene(900, 900, (50.0, 50.0)), info)
    assert out_of_range.grid.size == (100, 100)


def test_margins_are_metres_and_leave_a_core() -> None:
    scene = paper_scene(1000, 1000, (0.5, 0.25))
    info = Oracle(128).info
    plan = plan_tiles(scene, info, gsd_m=0.5, margin_m=10.2)
    assert plan.grid.margin == (21, 41)
    assert plan.margin_m == pytest.approx(10.25)
    assert plan.notes == ()
    large = plan_tiles(scene, info, gsd_m=0.5, margin_m=200.0)
    assert large.grid.margin == (48, 96)
    assert large.margin_m == pytest.approx(24.0)
    assert "joined across seams" in large.notes[0]
    assert plan_tiles(paper_scene(500, 500, None), info, margin_m=5.0).grid.margin == (16, 16)
    classes = (
        ClassInfo("car", size_m=6.0, synonyms=("automobile",)),
        ClassInfo("ship", size_m=150.0),
    )
    known = ModelInfo("m", 128, frozenset(), classes=classes)
    assert object_margin_m(known, ["cars"]) == 6.0
    assert object_margin_m(known) == 150.0
    assert object_margin_m(known, ["tree"]) == 0.0


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan")])
def test_a_gsd_that_is_none(bad: float) -> None:
    with pytest.raises(GridError, match="positive metres"):
        plan_tiles(paper_scene(100, 100, (1, 1)), Oracle().info, gsd_m=bad)


def test_a_gsd_needs_a_scene_that_knows_its_own() -> None:
    with pytest.raises(GridError, match=r"gsd_m= of open_scene in Python"):
        plan_tiles(paper_scene(100, 100, None), Oracle().info, gsd_m=0.5)


# ---------------------------------------------------------------- area of interest


@pytest.fixture
def scene(scene_file: Make) -> Scene:
    """700 x 700 pixels of half a metre at (500000, 5200000), UTM 33 north."""
    return open_scene(scene_file())


def in_map(x0: int, y0: int, x1: int, y1: int) -> shapely.Polygon:
    """Pixels of that scene as a polygon on the map."""
    return box(500_000 + x0 / 2, 5_200_000 - y1 / 2, 500_000 + x1 / 2, 5_200_000 - y0 / 2)


def check(
    scene: Scene, aoi: object, want: tuple[int, int, int, int], aoi_crs: object = None
) -> None:
    plan = plan_tiles(scene, Oracle(100).info, aoi=aoi, aoi_crs=aoi_crs)
    assert plan.aoi is not None
    assert plan.aoi.bounds == pytest.approx(want, abs=0.6)
    assert plan.total_px == pytest.approx(plan.aoi.area, rel=1e-6)
    inside = np.array([[want[0] + 5.0, want[1] + 5.0], [want[2] + 5.0, want[3] + 5.0]])
    assert plan.contains(inside).tolist() == [True, False]


def test_an_area_in_every_shape_it_may_come(scene: Scene, tmp_path: Path) -> None:
    polygon, want = in_map(150, 200, 350, 420), (150, 200, 350, 420)
    frame = gpd.GeoDataFrame(geometry=[polygon], crs="EPSG:32633")
    lonlat = frame.to_crs(4326)
    check(scene, polygon, want, "EPSG:32633")
    check(scene, polygon.bounds, want, 32633)
    check(scene, frame, want)
    check(scene, lonlat, want)
    check(scene, lonlat.geometry, want)
    check(scene, lonlat.geometry[0], want)
    check(scene, mapping(lonlat.geometry[0]), want)
    check(scene, json.loads(lonlat.to_json()), want)
    for name in ("aoi.gpkg", "aoi.geojson", "aoi.shp", "aoi.fgb"):
        (lonlat if name.endswith("geojson") else frame).to_file(tmp_path / name)
        check(scene, tmp_path / name, want)


def test_a_bbox_is_west_south_east_north(scene: Scene) -> None:
    west, south, east, north = scene.bbox()
    middle = (west + east) / 2, (south + north) / 2
    plan = plan_tiles(scene, Oracle(100).info, aoi=(west, south, middle[0], middle[1]))
    assert plan.aoi is not None
    assert plan.aoi.bounds == pytest.approx((0, 350, 350, 700), abs=4)
    text = plan_tiles(scene, Oracle(100).info, aoi=f"{west},{south},{middle[0]},{middle[1]}")
    assert text.aoi is not None
    assert text.aoi.equals(plan.aoi)


def test_tiles_that_miss_a_diagonal_area_are_left_out(scene: Scene) -> None:
    a, b, c = (in_map(*p).centroid for p in ((0, 0, 2, 2), (700, 690, 702, 692), (0, 20, 2, 22)))
    plan = plan_tiles(scene, Oracle(100).info, aoi=shapely.Polygon([a, b, c]), aoi_crs=scene.crs)
    assert 7 <= len(plan) < 25 < len(plan.grid)
    assert len(list(plan.tiles())) == len(plan)


def test_an_area_on_a_rotated_scene(scene_file: Make) -> None:
    scene = open_scene(scene_file(rotation=30))
    ring = scene.to_map(np.array([[100.0, 100], [300, 100], [300, 250], [100, 250]]))
    plan = plan_tiles(scene, Oracle(64).info, aoi=shapely.Polygon(ring), aoi_crs=scene.crs)
    assert plan.aoi is not None
    assert plan.aoi.bounds == pytest.approx((100, 100, 300, 250), abs=1e-3)


def test_an_area_of_pixels_without_georeference(scene_file: Make) -> None:
    scene = open_scene(scene_file(crs=None))
    plan = plan_tiles(scene, Oracle(100).info, aoi=(10, 20, 210, 320))
    assert plan.total_px == 200 * 300


def test_an_area_across_the_antimeridian(scene_file: Make) -> None:
    scene = open_scene(scene_file(crs="EPSG:32601", res=10.0, origin=(400_000.0, 8_100_000.0)))
    plan = plan_tiles(scene, Oracle(100).info, aoi=(179.9, -89.0, -179.9, 89.0))
    assert plan.total_px > 0
    degrees = open_scene(
        scene_file("d.tif", crs="EPSG:4326", res=1e-4, origin=(179.97, -17.0), width=700)
    )
    east = plan_tiles(degrees, Oracle(100).info, aoi=(-180, -17.05, -179.98, -17.02))
    assert east.aoi is not None
    assert east.aoi.bounds == pytest.approx((300, 200, 500, 500), abs=1)


@pytest.mark.parametrize(
    ("aoi", "says"),
    [
        ((0.0, 0.0, 1.0, 1.0), "lies outside"),
        ((15.0, 47.0, 15.0, 48.0), "west < east"),
        ((15.0, 48.0, 16.0, 47.0), "south < north"),
        ((1.0, 2.0, 3.0), "four numbers"),
        ("nowhere.gpkg", "no file nowhere.gpkg"),
        (42, "cannot take a int"),
        ({"type": "Nonsense"}, "not valid GeoJSON"),
        (shapely.Point(15.0, 47.0), "has no area"),
    ],
)
def test_areas_that_cannot_be(scene: Scene, aoi: object, says: str) -> None:
    with pytest.raises(AoiError, match=says) as caught:
        plan_tiles(scene, Oracle(100).info, aoi=aoi)
    assert "\n" not in str(caught.value)


def test_a_bbox_in_another_order_says_the_order(scene: Scene) -> None:
    west, south, east, north = scene.bbox()
    order = "the order is west, south, east, north"
    for aoi in ((south, west, north, east), f"{south},{west},{north},{east}"):
        with pytest.raises(AoiError, match=f"lies outside.*; {order}: .* would meet the scene$"):
            plan_tiles(scene, Oracle(100).info, aoi=aoi)
    with pytest.raises(AoiError, match=f"{order}$"):
        plan_tiles(scene, Oracle(100).info, aoi=(1, 2, 3, 4))
    with pytest.raises(AoiError, match=r"needs west < east; got .*; swapped it is") as caught:
        plan_tiles(scene, Oracle(100).info, aoi=(east, south, west, north))
    assert "180" not in str(caught.value)
    with pytest.raises(AoiError, match=r"covers from 170 east over 180 degrees to -170"):
        plan_tiles(scene, Oracle(100).info, aoi=(170, south, -170, north))


def test_area_files_that_cannot_be(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "bad.geojson").write_text("{ not json")
    with pytest.raises(AoiError, match="cannot read the area of interest"):
        plan_tiles(scene, Oracle(100).info, aoi=tmp_path / "bad.geojson")
    points = gpd.GeoDataFrame(geometry=[shapely.Point(15, 47)], crs=4326)
    points.to_file(tmp_path / "points.gpkg")
    with pytest.raises(AoiError, match="has no area"):
        plan_tiles(scene, Oracle(100).info, aoi=tmp_path / "points.gpkg")
    with pytest.raises(AoiError, match="names no CRS"):
        plan_tiles(scene, Oracle(100).info, aoi=(1, 2, 3, 4), aoi_crs="moon")


def test_a_plan_travels_and_tells(scene: Scene) -> None:
    import pickle

    plan = plan_tiles(scene, Oracle(100).info, margin_m=5, aoi=in_map(50, 50, 300, 300),
                      aoi_crs=scene.crs)  # fmt: skip
    again = pickle.loads(pickle.dumps(plan))
    assert [t.tile_id for t in again.tiles()] == [t.tile_id for t in plan.tiles()]
    told = json.loads(json.dumps(plan.to_dict()))
    assert told["tiles"] == len(plan)
    assert told["window_px"] == [100, 100]
    assert told["margin_px"] == [10, 10]
