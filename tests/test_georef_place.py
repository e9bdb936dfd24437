"""Placing: corners by affine, GCPs and RPCs; areas on the ellipsoid; longitude and latitude."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from factories import make_transform, true_rings
from pyproj import Geod, Transformer
from rasterio.control import GroundControlPoint

from rsvlm_geo import open_scene
from rsvlm_geo.errors import MissingCRSError, WindowError
from rsvlm_geo.georef import (
    box_rings,
    measure,
    place_boxes,
    place_points,
    place_polygon,
    place_windows,
    to_lonlat,
    to_scene_boxes,
)
from rsvlm_geo.grid import Tile, Window

Make = Callable[..., Path]
BOXES = np.array([[10.0, 20.0, 30.0, 60.0], [100.5, 50.25, 110.75, 90.0]])


@pytest.mark.parametrize("rotation", [0.0, 30.0, 170.0])
def test_boxes_are_their_four_corners(scene_file: Make, rotation: float) -> None:
    path = scene_file(rotation=rotation, res=(0.5, 0.7))
    rings = place_boxes(BOXES, open_scene(path))
    assert rings.shape == (2, 5, 2)
    assert (rings[:, 0] == rings[:, 4]).all()
    want = true_rings([tuple(b) for b in BOXES], make_transform((0.5, 0.7), rotation))
    assert np.allclose(rings[:, :4], want, atol=1e-6)


def test_a_rotated_footprint_is_not_a_box(scene_file: Make) -> None:
    scene = open_scene(scene_file(rotation=30))
    (ring,) = place_boxes(BOXES[:1], scene)
    polygon = shapely.Polygon(ring)
    assert polygon.area == pytest.approx(20 * 40 * 0.25)
    assert polygon.envelope.area > 1.4 * polygon.area


def test_corners_are_edges_not_centres(scene_file: Make) -> None:
    scene = open_scene(scene_file())
    assert place_points(np.array([[0.0, 0.0]]), scene).tolist() == [[500_000.0, 5_200_000.0]]
    with rasterio.open(scene.href) as dataset:
        left, bottom, right, top = dataset.bounds
    (ring,) = place_boxes(np.array([[0.0, 0.0, 700.0, 700.0]]), scene)
    assert ring.min(axis=0).tolist() == [left, bottom]
    assert ring.max(axis=0).tolist() == [right, top]


def test_polygons_keep_their_holes(scene_file: Make) -> None:
    shape = shapely.box(0, 0, 100, 100).difference(shapely.box(20, 20, 40, 40))
    placed = place_polygon(shape, open_scene(scene_file(rotation=15)))
    assert len(placed.interiors) == 1
    assert placed.area == pytest.approx(shape.area * 0.25)


def test_windows_are_clipped_to_the_scene(scene_file: Make) -> None:
    scene = open_scene(scene_file())
    polygon, inside = place_windows([Window(600, 600, 200, 200), Window(5, 5, 10, 10)], scene)
    assert polygon.area == pytest.approx(100 * 100 * 0.25)
    assert inside.area == pytest.approx(25)


def test_model_pixels_become_scene_pixels() -> None:
    tile = Tile(0, 0, Window(90, 40, 100, 100), Window(90, 40, 200, 100))
    boxes = to_scene_boxes(np.array([[0.0, 0.0, 64.0, 64.0]]), tile, 128)
    assert boxes.tolist() == [[90.0, 40.0, 190.0, 90.0]]
    clipped = to_scene_boxes(np.array([[0, 0, 128.5, 128]]), tile, 128, Window(0, 0, 150, 150))
    assert clipped.tolist() == [[90.0, 40.0, 150.0, 140.0]]
    assert to_scene_boxes(np.empty((0, 4)), tile, 128).shape == (0, 4)


@pytest.mark.parametrize(
    "box", [[0, 0, 200, 10], [0, -9, 5, 5], [50, 50, 40, 60], [0, 0, np.nan, 4]]
)
def test_what_is_no_box_is_refused(box: list[float]) -> None:
    tile = Tile(3, 4, Window(0, 0, 128, 128), Window(0, 0, 128, 128))
    with pytest.raises(WindowError, match="of tile 3/4 is no box"):
        to_scene_boxes(np.array([box], dtype=float), tile, 128)


def test_gcp_scenes_place_answers_by_spline(tmp_path: Path) -> None:
    """A scene bent by a known smooth field: its corners land where the field puts them."""

    def field(col: float, row: float) -> tuple[float, float]:
        return 5e5 + 0.5 * col + 15 * (col / 400) ** 2, 52e5 - 0.5 * row + 9 * (row * col) / 12e4

    points = [
        GroundControlPoint(row, col, *field(col, row), 0.0)
        for row in range(0, 301, 50) for col in range(0, 401, 50)
    ]  # fmt: skip
    path = tmp_path / "g.tif"
    with rasterio.open(path, "w", driver="GTiff", count=3, width=400, height=300, dtype="uint8",
                       gcps=points, crs="EPSG:32633") as dataset:  # fmt: skip
        dataset.write(np.full((3, 300, 400), 9, np.uint8))
    scene = open_scene(path)
    rings = place_boxes(BOXES, scene)
    for box, ring in zip(BOXES, rings, strict=True):
        x0, y0, x1, y1 = box
        want = [field(*corner) for corner in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
        assert np.abs(ring[:4] - want).max() < 0.05, "a pixel is half a metre"


def test_without_georeference_footprints_are_pixels(scene_file: Make) -> None:
    scene = open_scene(scene_file(crs=None))
    assert (place_boxes(BOXES, scene) == box_rings(BOXES)).all()
    assert np.isnan(measure(BOXES, scene).area_m2).all()
    sized = open_scene(scene_file(crs=None), gsd_m=0.5)
    assert measure(BOXES, sized).area_m2 == pytest.approx([200.0, 10.25 * 39.75 / 4])
    assert measure(BOXES, sized).perimeter_m[0] == pytest.approx(60.0)
    with pytest.raises(MissingCRSError):
        to_lonlat([shapely.box(0, 0, 1, 1)], scene.crs)


@pytest.mark.parametrize(
    ("crs", "res", "origin"),
    [
        ("EPSG:32633", 0.5, (500_000.0, 5_200_000.0)),
        ("EPSG:4326", 5e-6, (10.0, 60.0)),
        ("EPSG:2263", 2.0, (980_000.0, 200_000.0)),
        ("EPSG:3857", 0.6, (1_100_000.0, 8_400_000.0)),
        ("EPSG:4326", 1e-4, (179.98, -17.0)),
    ],
)
def test_areas_are_on_the_ground(
    scene_file: Make, crs: str, res: float, origin: tuple[float, float]
) -> None:
    scene = open_scene(scene_file(crs=crs, res=res, origin=origin))
    sizes = measure(BOXES, scene)
    assert scene.gsd_x_m is not None
    assert scene.gsd_y_m is not None
    flat = (BOXES[:, 2] - BOXES[:, 0]) * (BOXES[:, 3] - BOXES[:, 1]) * scene.gsd_x_m * scene.gsd_y_m
    assert sizes.area_m2 == pytest.approx(flat, rel=2e-3)
    to = Transformer.from_crs(crs, 4326, always_xy=True)
    ring = place_boxes(BOXES[:1], scene)[0]
    area, length = Geod(ellps="WGS84").polygon_area_perimeter(*to.transform(ring[:, 0], ring[:, 1]))
    assert sizes.area_m2[0] == pytest.approx(abs(area), rel=1e-9)
    assert sizes.perimeter_m[0] == pytest.approx(length, rel=1e-9)


def test_lonlat_of_ordinary_footprints(scene_file: Make) -> None:
    scene = open_scene(scene_file())
    shapes = [shapely.Polygon(r) for r in place_boxes(BOXES, scene)]
    moved = to_lonlat(shapes, scene.crs)
    to = Transformer.from_crs(32633, 4326, always_xy=True)
    for one, other in zip(shapes, moved, strict=True):
        want = np.stack(to.transform(*np.array(one.exterior.coords).T), -1)
        assert np.allclose(np.array(other.exterior.coords), want)
    assert to_lonlat([], scene.crs) == []


@pytest.mark.parametrize(
    ("crs", "res", "origin"),
    [
        ("EPSG:32601", 10.0, (400_000.0, 8_100_000.0)),
        ("EPSG:3832", 50.0, (3_328_000.0, -1_900_000.0)),
        ("EPSG:4326", 1e-4, (179.97, -17.0)),
    ],
)
def test_the_antimeridian_is_cut(
    scene_file: Make, crs: str, res: float, origin: tuple[float, float]
) -> None:
    scene = open_scene(scene_file(crs=crs, res=res, origin=origin))
    n = 35
    edges = np.arange(n) * 20.0
    boxes = np.stack([edges, np.full(n, 300.0), edges + 20, np.full(n, 330.0)], axis=1)
    shapes = [shapely.Polygon(r) for r in place_boxes(boxes, scene)]
    moved = to_lonlat(shapes, scene.crs)
    lon = [g.bounds for g in moved]
    assert all(w >= -180 and e <= 180 for w, _, e, _ in lon)
    cut = [g for g in moved if g.geom_type == "MultiPolygon"]
    assert len(cut) in (0, 1, 2)
    sides = {np.sign(g.centroid.x) for g in moved if g.geom_type == "Polygon"}
    assert sides == {-1.0, 1.0}, "the scene lies on both sides"
    geod = Geod(ellps="WGS84")
    for whole, size in zip(moved, measure(boxes, scene).area_m2, strict=True):
        assert whole.is_valid
        parts = shapely.get_parts(whole)
        assert all(p.bounds[2] - p.bounds[0] < 1 for p in parts), "no polygon spans the globe"
        area = sum(abs(geod.geometry_area_perimeter(p)[0]) for p in parts)
        assert area == pytest.approx(size, rel=1e-3)
