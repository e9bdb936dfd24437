"""Which tiles a scene is asked about: pure arithmetic, then an area of interest. Reads no pixel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from rsvlm_geo.errors import GridError
from rsvlm_geo.grid import Grid, Tile, Window, plan_grid
from rsvlm_geo.scene.aoi import aoi_in_pixels
from rsvlm_geo.scene.model import Scene
from rsvlm_geo.vlm import ModelInfo

__all__ = ["TilePlan", "object_margin_m", "plan_tiles"]

DEFAULT_MIN_VALID = 0.02
AS_IS = 0.03
"""What is so nearly a whole number of pixels is read as that: one as it is, several by the mean of
whole pixels, which an overview of the file already holds. Sharper, and several times faster."""
MAX_MARGIN = 0.375
"""Of a window's side: beyond, cores become so small that a run costs 16 times the pixels."""


@dataclass(frozen=True, slots=True)
class TilePlan:
    """The tiles of a run; iterates row-major without holding them."""

    grid: Grid
    image_size: int
    """Side of the model's image, pixels."""
    gsd_m: float | None
    """Metres per pixel of the model's image, exactly as read; None when unknown."""
    native_gsd_m: float | None
    margin_m: float | None
    """Least that a window reaches beyond its core; None when the GSD is unknown."""
    min_valid: float
    """Tiles whose core has a smaller share of valid pixels are ``nodata``."""
    aoi: BaseGeometry | None = None
    """Area of interest in scene pixels; None for the whole scene."""
    aoi_fracs: NDArray[np.float64] | None = None
    """float64[rows, columns]: share of each core in the area of interest; None when all 1."""
    notes: tuple[str, ...] = ()

    def tiles(self) -> Iterator[Tile]:
        """Tiles whose core touches the area of interest, row-major."""
        for row in range(self.grid.shape[0]):
            yield from self.row_band(row)

    def row_band(self, row: int) -> Iterator[Tile]:
        """The tiles of one grid row, left to right."""
        for col in range(self.grid.shape[1]):
            if self.aoi_fracs is None or self.aoi_fracs[row, col] > 0:
                yield self.grid.tile(row, col)

    def __len__(self) -> int:
        if self.aoi_fracs is None:
            return len(self.grid)
        return int((self.aoi_fracs > 0).sum())

    def aoi_frac(self, tile: Tile) -> float:
        """Share of the tile's core that is asked about, 0..1."""
        return 1.0 if self.aoi_fracs is None else float(self.aoi_fracs[tile.row, tile.col])

    def area_px(self, tile: Tile) -> float:
        """Scene pixels of the tile's core that are asked about."""
        return tile.core.area_px * self.aoi_frac(tile)

    @property
    def total_px(self) -> float:
        """Scene pixels that are asked about."""
        if self.aoi_fracs is None:
            return float(self.grid.extent.area_px)
        rows, cols = self.grid.shape
        heights = np.array([self.grid.tile(r, 0).core.height for r in range(rows)], dtype=float)
        widths = np.array([self.grid.tile(0, c).core.width for c in range(cols)], dtype=float)
        return float((np.outer(heights, widths) * self.aoi_fracs).sum())

    def contains(self, xy: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which scene pixels' positions lie in the asked area.

        Args:
            xy: float64[n, 2], scene pixels (edges): centres of objects, for example.
        """
        inside = self.grid.extent.contains(xy)
        if self.aoi is not None:
            inside &= shapely.intersects_xy(self.aoi, xy[:, 0], xy[:, 1])
        return inside

    def to_dict(self) -> dict[str, Any]:
        """For provenance and fingerprints."""
        extent = self.grid.extent
        return {
            "extent_px": [extent.col_off, extent.row_off, extent.width, extent.height],
            "window_px": list(self.grid.size),
            "margin_px": list(self.grid.margin),
            "shape": list(self.grid.shape),
            "tiles": len(self),
            "image_size": self.image_size,
            "gsd_m": self.gsd_m,
            "native_gsd_m": self.native_gsd_m,
            "margin_m": self.margin_m,
            "min_valid": self.min_valid,
            "aoi": None if self.aoi is None else self.aoi.wkt,
            "notes": list(self.notes),
        }


def plan_tiles(
    scene: Scene,
    info: ModelInfo,
    *,
    gsd_m: float | None = None,
    margin_m: float | None = None,
    aoi: Any = None,
    aoi_crs: Any = None,
    min_valid: float = DEFAULT_MIN_VALID,
) -> TilePlan:
    """Lay the model's square images over a scene.

    Args:
        scene: What to tile.
        info: The model's image size and scale rules.
        gsd_m: Metres per pixel at which to read; by the model's rule for this scene by default.
        margin_m: Largest object that must be seen whole (:func:`object_margin_m`); 0 by default.
            Reduced, with a note, where it would leave no core.
        aoi: Area of interest, see :func:`rsvlm_geo.scene.aoi.aoi_in_pixels`.
        aoi_crs: CRS of a bare bbox or polygon; longitude and latitude by default.
        min_valid: Least share of valid pixels in a core for the model to be asked.

    Raises:
        AoiError: The area of interest cannot be read, or lies outside.
        GridError: A GSD for a scene whose own is unknown, or one that is not positive.
    """
    size, read_gsd = _window_size(scene, info, gsd_m)
    margin, margin_got, notes = _margin(scene, size, margin_m)
    region = None
    extent = scene.window
    if aoi is not None:
        region = aoi_in_pixels(scene, aoi, aoi_crs)
        extent = _cover(region.bounds, scene.window)
    grid = plan_grid(extent, size, margin, within=scene.window)
    return TilePlan(
        grid=grid,
        image_size=info.image_size,
        gsd_m=read_gsd,
        native_gsd_m=scene.gsd_m,
        margin_m=margin_got,
        min_valid=min_valid,
        aoi=region,
        aoi_fracs=None if region is None else _aoi_fracs(grid, region),
        notes=notes,
    )


def object_margin_m(info: ModelInfo, targets: Iterable[str] | None = None) -> float:
    """Largest usual extent, in metres, of the classes asked about; 0 when none is known.

    Args:
        info: The model.
        targets: Class names; every class the model knows by default.
    """
    if targets is None:
        found = list(info.classes)
    else:
        found = [c for c in map(info.find_class, targets) if c is not None]
    return max((c.size_m for c in found if c.size_m is not None), default=0.0)


def _window_size(
    scene: Scene, info: ModelInfo, gsd_m: float | None
) -> tuple[tuple[int, int], float | None]:
    """Window in scene pixels, and the GSD this gives the model's image."""
    side = info.image_size
    native = scene.gsd_m
    if gsd_m is not None and not (np.isfinite(gsd_m) and gsd_m > 0):
        raise GridError(f"gsd_m must be positive metres per pixel; got {gsd_m}")
    if native is None or scene.gsd_x_m is None or scene.gsd_y_m is None:
        if gsd_m is not None:
            raise GridError(
                f"the GSD of {scene.href} is unknown, so it cannot be read at {gsd_m} m; "
                "give --scene-gsd METRES (gsd_m= of open_scene in Python)"
            )
        return (side, side), None
    if gsd_m is None:
        rule = info.scale_for(native)
        gsd_m = native if rule is None else rule.read_gsd_m(native)
    width, height = side * gsd_m / scene.gsd_x_m, side * gsd_m / scene.gsd_y_m
    whole = max(1, round(width / side)) * side
    if abs(width / whole - 1.0) <= AS_IS and abs(height / whole - 1.0) <= AS_IS:
        width = height = whole
    width, height = max(1, round(width)), max(1, round(height))
    exact = float(np.sqrt(width * scene.gsd_x_m * height * scene.gsd_y_m)) / side
    return (width, height), exact


def _margin(
    scene: Scene, size: tuple[int, int], margin_m: float | None
) -> tuple[tuple[int, int], float | None, tuple[str, ...]]:
    if not margin_m:
        return (0, 0), None if scene.gsd_m is None else 0.0, ()
    if margin_m < 0 or not np.isfinite(margin_m):
        raise GridError(f"margin_m must be metres, 0 or more; got {margin_m}")
    if scene.gsd_x_m is None or scene.gsd_y_m is None:
        side = tuple(s // 8 for s in size)
        note = "the GSD is unknown: windows overlap by a quarter of their side"
        return (side[0], side[1]), None, (note,)
    wanted = [-(-margin_m // g) for g in (scene.gsd_x_m, scene.gsd_y_m)]
    got = [int(min(w, int(s * MAX_MARGIN))) for w, s in zip(wanted, size, strict=True)]
    reached = min(got[0] * scene.gsd_x_m, got[1] * scene.gsd_y_m)
    notes: tuple[str, ...] = ()
    if reached < margin_m:
        notes = (
            f"objects over {reached:.3g} m do not fit the overlap of the tiles "
            f"(asked {margin_m:.3g} m): their parts are joined across seams",
        )
    return (got[0], got[1]), reached, notes


def _cover(bounds: tuple[float, ...], scene: Window) -> Window:
    """Whole pixels that cover bounds, inside the scene."""
    x0 = max(int(np.floor(bounds[0] + 1e-6)), 0)
    y0 = max(int(np.floor(bounds[1] + 1e-6)), 0)
    x1 = min(int(np.ceil(bounds[2] - 1e-6)), scene.width)
    y1 = min(int(np.ceil(bounds[3] - 1e-6)), scene.height)
    return Window(x0, y0, max(x1 - x0, 1), max(y1 - y0, 1))


def _aoi_fracs(grid: Grid, region: BaseGeometry) -> NDArray[np.float64]:
    shapely.prepare(region)
    cores = [grid.tile(r, c).core for r in range(grid.shape[0]) for c in range(grid.shape[1])]
    boxes = shapely.box(
        [w.col_off for w in cores], [w.row_off for w in cores],
        [w.col_end for w in cores], [w.row_end for w in cores],
    )  # fmt: skip
    fracs = np.zeros(len(boxes))
    inside = shapely.contains_properly(region, boxes)
    fracs[inside] = 1.0
    part = ~inside & shapely.intersects(region, boxes)
    shared = shapely.area(shapely.intersection(region, boxes[part]))
    fracs[part] = np.clip(shared / shapely.area(boxes[part]), 0.0, 1.0)
    return fracs.reshape(grid.shape)
