"""An area of interest, however it is given, as a polygon in scene pixels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError
from shapely import affinity
from shapely.errors import ShapelyError
from shapely.geometry import box, shape
from shapely.geometry.base import BaseGeometry

from rsvlm_geo.errors import AoiError, MissingCRSError
from rsvlm_geo.scene.ground import parse_crs
from rsvlm_geo.scene.model import Scene

__all__ = ["aoi_in_pixels"]

_LONLAT = "EPSG:4326"
_WIDEST = 270.0
"""Degrees that a bbox across the antimeridian may span; a wider one has west and east swapped."""


def aoi_in_pixels(scene: Scene, aoi: Any, aoi_crs: Any = None) -> BaseGeometry:
    """The part of the scene that is asked about.

    Args:
        scene: Where it should lie.
        aoi: ``(west, south, east, north)``, a path of any vector file, a GeoDataFrame or
            GeoSeries, a shapely polygon, or a GeoJSON mapping.
        aoi_crs: CRS of a bbox, shapely polygon or file without one; longitude and latitude by
            default. Pixels, for a scene without georeference.

    Returns:
        A polygon or multipolygon in scene pixels (edges), inside the scene.

    Raises:
        AoiError: It cannot be read, has no area, or lies outside the scene.
    """
    geometry, crs, what = _load(aoi, aoi_crs)
    geometry = shapely.force_2d(geometry)
    if not geometry.is_valid:
        geometry = shapely.make_valid(geometry)
    if geometry.is_empty or geometry.area == 0:
        raise AoiError(f"the area of interest {what} has no area; pass a polygon or a bbox")
    if scene.georeferenced:
        pixels = _to_pixels(scene, geometry, crs, what)
    else:
        pixels = geometry
    extent = box(0, 0, scene.width, scene.height)
    inside = _polygons(shapely.intersection(pixels, extent))
    if inside.is_empty or inside.area < 1e-6:
        numbers = _four_numbers(aoi) if scene.georeferenced and aoi_crs is None else None
        covers = _bounds_text(geometry.bounds)
        if numbers is not None and numbers[0] > numbers[2]:
            covers = f"from {numbers[0]:.6g} east over 180 degrees to {numbers[2]:.6g}"
        raise AoiError(
            f"the area of interest {what} lies outside {scene.href}; it covers {covers}, the "
            f"scene {_scene_text(scene)}{_order_hint(scene, numbers)}"
        )
    return inside


def _four_numbers(aoi: Any) -> list[float] | None:
    parts = aoi.split(",") if isinstance(aoi, str) else aoi
    if not isinstance(parts, (Sequence, np.ndarray)) or len(parts) != 4:
        return None
    try:
        return [float(part) for part in parts]
    except (TypeError, ValueError):
        return None


def _order_hint(scene: Scene, numbers: Sequence[float] | None) -> str:
    """The order of a bbox, and these four numbers in it where they then meet the scene."""
    if numbers is None:
        return ""
    hint = "; the order is west, south, east, north"
    first, second = sorted(numbers[::2]), sorted(numbers[1::2])
    for (west, east), (south, north) in ((first, second), (second, first)):
        if not (west < east and -90 <= south < north <= 90):
            continue
        pixels = _to_pixels(scene, box(west, south, east, north), _crs_text(_LONLAT), "given")
        if shapely.intersects(pixels, box(0, 0, scene.width, scene.height)):
            return f"{hint}: {west:.9g},{south:.9g},{east:.9g},{north:.9g} would meet the scene"
    return hint


def _load(aoi: Any, aoi_crs: Any) -> tuple[BaseGeometry, str, str]:
    """Geometry, the WKT of its CRS, and words for it."""
    default = _crs_text(aoi_crs or _LONLAT)
    if isinstance(aoi, (str, Path)):
        text = str(aoi)
        parts = text.split(",")
        if len(parts) == 4:
            try:
                return _bbox([float(p) for p in parts], aoi_crs), default, text
            except ValueError:
                pass
        return (*_read_file(text, aoi_crs), text)
    if isinstance(aoi, BaseGeometry):
        return aoi, default, "given"
    if hasattr(aoi, "geometry") and hasattr(aoi, "crs"):
        crs = aoi_crs or aoi.crs
        return shapely.union_all(np.asarray(aoi.geometry)), _crs_text(crs or _LONLAT), "given"
    if isinstance(aoi, (Sequence, np.ndarray)):
        return _bbox(aoi, aoi_crs), default, str(tuple(aoi))
    mapping = getattr(aoi, "__geo_interface__", aoi)
    if isinstance(mapping, dict):
        try:
            if mapping.get("type") == "FeatureCollection":
                shapes = [shape(f["geometry"]) for f in mapping["features"]]
            elif mapping.get("type") == "Feature":
                shapes = [shape(mapping["geometry"])]
            else:
                shapes = [shape(mapping)]
        except (KeyError, TypeError, ValueError, AttributeError, ShapelyError) as error:
            raise AoiError(f"the area of interest is not valid GeoJSON: {error}") from error
        return shapely.union_all(shapes), default, "given"
    raise AoiError(
        f"cannot take a {type(aoi).__name__} as an area of interest; pass (west, south, east, "
        "north), a vector file, a GeoDataFrame or a polygon"
    )


def _bbox(values: Sequence[float] | NDArray[Any], aoi_crs: Any) -> BaseGeometry:
    try:
        left, bottom, right, top = (float(v) for v in values)
    except (TypeError, ValueError) as error:
        raise AoiError(
            f"a bbox is four numbers, west south east north; got {tuple(values)}"
        ) from error
    if not np.isfinite([left, bottom, right, top]).all() or top <= bottom:
        raise AoiError(
            f"a bbox needs south < north; got {(left, bottom, right, top)}; "
            "the order is west, south, east, north"
        )
    if left > right and aoi_crs is None:
        if not (-180 <= right < left <= 180) or right + 360 - left > _WIDEST:
            raise AoiError(
                f"a bbox needs west < east; got {(left, bottom, right, top)}; swapped it is "
                f"{right:.9g},{bottom:.9g},{left:.9g},{top:.9g}"
            )
        return shapely.union_all([box(left, bottom, 180, top), box(-180, bottom, right, top)])
    if left >= right:
        raise AoiError(f"a bbox needs west < east; got {(left, bottom, right, top)}")
    return box(left, bottom, right, top)


def _read_file(path: str, aoi_crs: Any) -> tuple[BaseGeometry, str]:
    import pyogrio
    from pyogrio.errors import DataSourceError

    if "://" not in path and not path.startswith("/vsi") and not Path(path).exists():
        raise AoiError(f"no file {path} for the area of interest; check the path")
    try:
        frame = pyogrio.read_dataframe(path, columns=[])
    except (DataSourceError, ValueError) as error:
        raise AoiError(
            f"cannot read the area of interest {path}: {str(error).splitlines()[0]}; "
            "pass a GeoPackage, GeoJSON or Shapefile with polygons"
        ) from error
    if not hasattr(frame, "geometry") or len(frame) == 0:
        raise AoiError(f"the area of interest {path} has no features; pass polygons")
    crs = aoi_crs or frame.crs or _LONLAT
    return shapely.union_all(np.asarray(frame.geometry)), _crs_text(crs)


def _crs_text(crs: Any) -> str:
    try:
        return parse_crs(crs)
    except MissingCRSError as error:
        raise AoiError(f"{crs!r} names no CRS for the area of interest; pass EPSG:...") from error


def _to_pixels(scene: Scene, geometry: BaseGeometry, crs: str, what: str) -> BaseGeometry:
    target = scene.crs
    assert target is not None
    same = CRS.from_wkt(crs).equals(target)
    left, bottom, right, top = geometry.bounds
    # straight edges bend on the way to another CRS: short ones bend less
    dense = shapely.segmentize(geometry, max(right - left, top - bottom) / 64.0)
    if not same:
        transformer = Transformer.from_crs(crs, target, always_xy=True)
        try:
            dense = shapely.transform(dense, lambda xy: np.stack(
                transformer.transform(xy[:, 0], xy[:, 1]), axis=-1))  # fmt: skip
        except ProjError as error:
            raise AoiError(
                f"the area of interest {what} has no place in {target.name}: {error}"
            ) from error
    if not np.isfinite(shapely.get_coordinates(dense)).all():
        raise AoiError(
            f"the area of interest {what} has no place in the scene's CRS ({target.name}); "
            "check the order: west, south, east, north"
        )
    turns = [dense]
    if target.is_geographic:
        turns += [affinity.translate(dense, xoff=turn) for turn in (-360.0, 360.0)]
    placed = [shapely.make_valid(shapely.transform(turn, scene.to_pixels)) for turn in turns]
    return shapely.union_all(placed)


def _polygons(geometry: BaseGeometry) -> BaseGeometry:
    """Its polygonal part."""
    if geometry.geom_type in ("Polygon", "MultiPolygon"):
        return geometry
    parts = [p for p in shapely.get_parts(geometry) if p.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts)


def _bounds_text(bounds: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{v:.6g}" for v in bounds) + ")"


def _scene_text(scene: Scene) -> str:
    if not scene.georeferenced:
        return f"{_bounds_text((0, 0, scene.width, scene.height))} in pixels"
    return f"{_bounds_text(scene.bbox())} in longitude and latitude"
