"""Pixels to the map, corner by corner: footprints, areas on the ground, longitude and latitude."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from rsvlm_geo.errors import MissingCRSError, WindowError
from rsvlm_geo.grid import Tile, Window
from rsvlm_geo.scene.ground import WGS84, lonlat_transformer, parse_crs
from rsvlm_geo.scene.model import Scene

__all__ = [
    "Measures",
    "box_rings",
    "measure",
    "place_boxes",
    "place_points",
    "place_polygon",
    "place_windows",
    "to_lonlat",
    "to_scene_boxes",
]


def to_scene_boxes(
    boxes: NDArray[np.float64], tile: Tile, image_size: int, scene_window: Window | None = None
) -> NDArray[np.float64]:
    """A model's boxes as boxes in scene pixels, clipped to where there are pixels.

    Args:
        boxes: float64[n, 4], ``(x0, y0, x1, y1)`` pixel edges of the model's image.
        tile: Whose image it was.
        image_size: Its side, pixels.
        scene_window: The whole scene; a padded tile reaches beyond it.

    Returns:
        float64[n, 4], scene pixels (edges); zero-sized where a box lay beyond the scene.

    Raises:
        WindowError: A box is not finite, is inside out, or leaves the image by over a pixel.
    """
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    if len(boxes) == 0:
        return boxes
    flipped = (boxes[:, 2] < boxes[:, 0]) | (boxes[:, 3] < boxes[:, 1])
    outside = (boxes < -1.0).any(axis=1) | (boxes > image_size + 1.0).any(axis=1)
    bad = ~np.isfinite(boxes).all(axis=1) | flipped | outside
    if bad.any():
        raise WindowError(
            f"box {boxes[bad][0].tolist()} of tile {tile.tile_id} is no box in an image of "
            f"{image_size} px; boxes are (x0, y0, x1, y1) in pixel edges"
        )
    clipped = np.clip(boxes, 0.0, float(image_size)).reshape(-1, 2, 2)
    placed = tile.to_scene(clipped, image_size).reshape(-1, 4)
    if scene_window is not None:
        low = [scene_window.col_off, scene_window.row_off] * 2
        high = [scene_window.col_end, scene_window.row_end] * 2
        placed = np.clip(placed, low, high)
    return placed


def box_rings(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Boxes as closed rings, clockwise on screen.

    Args:
        boxes: float64[n, 4], ``(x0, y0, x1, y1)``.

    Returns:
        float64[n, 5, 2].
    """
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    x0, y0, x1, y1 = boxes.T
    xs = np.stack([x0, x1, x1, x0, x0], axis=1)
    ys = np.stack([y0, y0, y1, y1, y0], axis=1)
    return np.stack([xs, ys], axis=-1)


def place_boxes(boxes: NDArray[np.float64], scene: Scene) -> NDArray[np.float64]:
    """Boxes of scene pixels on the map: corners, so that a rotated scene gives rotated footprints.

    Args:
        boxes: float64[n, 4], ``(x0, y0, x1, y1)`` scene pixels, edges not centres.
        scene: Where they were seen.

    Returns:
        float64[n, 5, 2], closed rings in the scene's CRS; pixels when it has none.
    """
    return scene.to_map(box_rings(boxes))


def place_points(xy: NDArray[np.float64], scene: Scene) -> NDArray[np.float64]:
    """Points of scene pixels on the map; float64[..., 2] in the scene's CRS."""
    return scene.to_map(xy)


def place_polygon(polygon: BaseGeometry, scene: Scene) -> BaseGeometry:
    """A polygon of scene pixels on the map, vertex by vertex, holes kept."""
    return shapely.transform(polygon, scene.to_map)


def place_windows(windows: Iterable[Window], scene: Scene) -> list[BaseGeometry]:
    """Windows (cores of tiles) as polygons in the scene's CRS, clipped to the scene."""
    extent = scene.window
    inside = [w.intersection(extent) or w for w in windows]
    boxes = np.array([(w.col_off, w.row_off, w.col_end, w.row_end) for w in inside], dtype=float)
    return [shapely.Polygon(ring) for ring in place_boxes(boxes.reshape(-1, 4), scene)]


@dataclass(frozen=True, slots=True)
class Measures:
    """Sizes on the ground."""

    area_m2: NDArray[np.float64]
    """float64[n], geodesic; NaN when the scene knows no metres."""
    perimeter_m: NDArray[np.float64]
    """float64[n], geodesic."""


def measure(boxes: NDArray[np.float64], scene: Scene) -> Measures:
    """Areas and perimeters of boxes of scene pixels, on the WGS 84 ellipsoid.

    Args:
        boxes: float64[n, 4], scene pixels (edges).
        scene: Where they were seen; without georeference its GSD, when given, is used.
    """
    rings = box_rings(boxes)
    if scene.georeferenced:
        return measure_lonlat(scene.ground.lonlat(rings))
    width, height = rings[:, 1, 0] - rings[:, 0, 0], rings[:, 2, 1] - rings[:, 0, 1]
    gx, gy = scene.gsd_x_m or np.nan, scene.gsd_y_m or np.nan
    return Measures(width * gx * height * gy, 2 * (width * gx + height * gy))


def measure_lonlat(rings: NDArray[np.float64]) -> Measures:
    """Areas and perimeters of rings.

    Args:
        rings: float64[n, k, 2], closed, longitude and latitude.
    """
    area = np.empty(len(rings))
    perimeter = np.empty(len(rings))
    for i, ring in enumerate(rings):
        size, length = WGS84.polygon_area_perimeter(ring[:, 0], ring[:, 1])
        area[i], perimeter[i] = abs(size), length
    return Measures(area, perimeter)


def to_lonlat(geometries: Iterable[BaseGeometry], crs: Any) -> list[BaseGeometry]:
    """Geometries in longitude and latitude (WGS 84), cut where they cross the antimeridian.

    Args:
        geometries: In ``crs``.
        crs: Anything that names one, such as ``scene.crs``.

    Raises:
        MissingCRSError: ``crs`` is None.
    """
    if crs is None:
        raise MissingCRSError(
            "no CRS, so no longitude and latitude; name it with gdal_edit.py -a_srs EPSG:..., "
            "or crs= in Python"
        )
    wkt = parse_crs(crs)
    transformer = lonlat_transformer(wkt)

    def move(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack(transformer.transform(xy[:, 0], xy[:, 1]), axis=-1)

    source = np.asarray(list(geometries), dtype=object)
    if len(source) == 0:
        return []
    moved = shapely.transform(source, move)
    bounds = shapely.bounds(moved)
    lon = bounds[:, [0, 2]]
    crosses = (lon[:, 1] - lon[:, 0] > 180.0) | (np.abs(lon) > 180.0).any(axis=1)
    result = list(moved)
    for i in np.flatnonzero(crosses):
        result[i] = _cut(source[i], moved[i], wkt)
    return result


def _cut(source: BaseGeometry, moved: BaseGeometry, wkt: str) -> BaseGeometry:
    from rasterio.warp import transform_geom

    left, _, right, _ = moved.bounds
    if right - left <= 180.0:
        # longitudes that run on beyond 180, as a scene in degrees may have them
        return _wrap(moved)
    cut = shape(transform_geom(wkt, "EPSG:4326", mapping(source), antimeridian_cutting=True))
    return shapely.make_valid(cut)


def _wrap(geometry: BaseGeometry) -> BaseGeometry:
    parts = []
    for turn in (-360.0, 0.0, 360.0):
        shifted = affinity.translate(geometry, xoff=turn)
        part = shapely.intersection(shifted, shapely.box(-180.0, -90.0, 180.0, 90.0))
        if not part.is_empty and (part.area > 0 or geometry.area == 0):
            parts.append(part)
    return shapely.union_all(parts)
