"""Where a scene lies: pixels to map and back by affine, ground control points or RPCs; its GSD."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod, Transformer
from pyproj.exceptions import ProjError
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.rpc import RPC
from rasterio.transform import GCPTransformer, RPCTransformer

from rsvlm_geo.errors import MissingCRSError, SceneContentError
from rsvlm_geo.grid import Affine6, apply_affine
from rsvlm_geo.scene.source import RasterFacts

__all__ = ["NO_SCALE", "WGS84", "Ground", "GroundKind", "lonlat_transformer", "make_ground"]

GroundKind = Literal["affine", "gcps", "rpcs", "none"]
WGS84 = Geod(ellps="WGS84")
NO_SCALE = (
    "ground scale unknown, so whether its pixels are fine enough for the question was not "
    "checked; give --scene-gsd METRES (scene_gsd_m= in Python)"
)
"""Note on a scene whose metres per pixel nobody said."""
_NAME_CRS = "name it with gdal_edit.py -a_srs EPSG:..., or crs= of open_scene in Python"


@dataclass(frozen=True, slots=True)
class Ground:
    """How pixels of a scene become places on the map."""

    kind: GroundKind
    crs_wkt: str | None = None
    """CRS that places are given in; None exactly when ``kind`` is ``none``."""
    transform: Affine6 | None = None
    gcps: tuple[tuple[float, float, float, float, float], ...] = ()
    rpcs: tuple[tuple[str, str], ...] = ()
    height_m: float | None = None
    """Height above the ellipsoid for RPCs; None takes the RPCs' own mean."""
    dem: str | None = None
    """Path of an elevation model for RPCs."""

    @property
    def accuracy(self) -> str:
        """How far positions can be trusted, as one word for provenance."""
        if self.kind == "rpcs":
            if self.dem is not None:
                return "rpc_dem"
            return "rpc_no_dem" if self.height_m is None else "rpc_height"
        return {"affine": "exact", "gcps": "gcps_tps", "none": "pixels"}[self.kind]

    def to_map(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scene pixels to the map.

        Args:
            xy: float64[..., 2], ``(x, y)``, pixel edges.

        Returns:
            float64[..., 2] in the CRS; the pixels themselves when there is no georeference.
        """
        if self.kind == "none":
            return np.asarray(xy, dtype=np.float64)
        if self.kind == "affine":
            assert self.transform is not None
            return apply_affine(self.transform, np.asarray(xy, dtype=np.float64))
        flat = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
        if len(flat) == 0:
            return flat.reshape(xy.shape)
        with self._transformer() as transformer:
            x, y = transformer.xy(flat[:, 1], flat[:, 0], offset="ul")
        return np.stack([x, y], axis=-1).reshape(xy.shape)

    def to_pixels(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """The map to scene pixels; the inverse of :meth:`to_map`."""
        xy = np.asarray(xy, dtype=np.float64)
        if self.kind == "none":
            return xy
        if self.kind == "affine":
            assert self.transform is not None
            a, b, c, d, e, f = self.transform
            det = a * e - b * d
            x, y = xy[..., 0] - c, xy[..., 1] - f
            return np.stack([(e * x - b * y) / det, (a * y - d * x) / det], axis=-1)
        flat = xy.reshape(-1, 2)
        if len(flat) == 0:
            return xy
        with self._transformer() as transformer:
            rows, cols = transformer.rowcol(flat[:, 0], flat[:, 1], op=np.positive)
        return np.stack([np.asarray(cols, float), np.asarray(rows, float)], -1).reshape(xy.shape)

    def _transformer(self) -> Any:
        if self.kind == "gcps":
            points = [
                GroundControlPoint(row=r, col=c, x=x, y=y, z=z) for c, r, x, y, z in self.gcps
            ]
            return GCPTransformer(points, tps=len(points) > 3)
        options: dict[str, Any] = {}
        if self.dem is not None:
            options["RPC_DEM"] = self.dem
        rpcs = RPC.from_gdal(dict(self.rpcs))
        options["RPC_HEIGHT"] = rpcs.height_off if self.height_m is None else self.height_m
        return RPCTransformer(rpcs, **options)

    def lonlat(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scene pixels to longitude and latitude, WGS 84.

        Raises:
            MissingCRSError: There is no georeference.
        """
        if self.crs_wkt is None:
            raise MissingCRSError(f"the scene has no CRS; {_NAME_CRS}")
        placed = self.to_map(xy)
        lon, lat = lonlat_transformer(self.crs_wkt).transform(placed[..., 0], placed[..., 1])
        return np.stack([lon, lat], axis=-1)

    def gsd_m(self, width: int, height: int) -> tuple[float, float]:
        """``(along columns, along rows)`` metres on the ground per pixel, at the scene's centre."""
        cx, cy = width / 2, height / 2
        step_x, step_y = min(cx, 64.0), min(cy, 64.0)
        ends = np.array(
            [[cx - step_x, cy], [cx + step_x, cy], [cx, cy - step_y], [cx, cy + step_y]]
        )
        lonlat = self.lonlat(ends)
        if not np.isfinite(lonlat).all() or (np.abs(lonlat[:, 1]) > 90.0 + 1e-9).any():
            raise SceneContentError("its centre lies outside the Earth")
        _, _, metres = WGS84.inv(lonlat[::2, 0], lonlat[::2, 1], lonlat[1::2, 0], lonlat[1::2, 1])
        return float(metres[0] / (2 * step_x)), float(metres[1] / (2 * step_y))


@lru_cache(maxsize=32)
def lonlat_transformer(crs_wkt: str) -> Transformer:
    """A transformer from a CRS to longitude and latitude, in that order."""
    return Transformer.from_crs(crs_wkt, "EPSG:4326", always_xy=True)


def make_ground(
    facts: RasterFacts,
    href: str,
    *,
    crs: Any = None,
    height_m: float | None = None,
    dem: str | None = None,
) -> tuple[Ground, tuple[str, ...]]:
    """Decide how a raster is placed.

    Returns:
        The georeference, and sentences on what had to be assumed.

    Raises:
        SceneContentError: The transform is absurd.
    """
    notes: list[str] = []
    wkt = facts.crs_wkt
    if crs is not None:
        given = parse_crs(crs)
        if wkt is not None and wkt != given:
            notes.append("the CRS given replaces the one in the file")
        wkt = given
    if facts.transform is not None and wkt is not None:
        ground = Ground("affine", wkt, facts.transform)
        _check_transform(facts, href)
    elif len(facts.gcps) >= 3:
        gcp_wkt = wkt or facts.gcp_crs_wkt
        if gcp_wkt is None:
            notes.append(f"control points without a CRS: results stay in pixels; {_NAME_CRS}")
            return Ground("none"), tuple(notes)
        ground = Ground("gcps", gcp_wkt, gcps=facts.gcps)
        notes.append(f"placed by {len(facts.gcps)} ground control points (thin plate spline)")
    elif facts.rpcs:
        ground = Ground("rpcs", parse_crs("EPSG:4326"), rpcs=facts.rpcs, height_m=height_m, dem=dem)
        how = "a DEM" if dem else f"height {height_m} m" if height_m is not None else "mean height"
        notes.append(f"placed by RPCs at {how}" + (
            "; without a DEM positions can be off by a hundred metres in relief; orthorectify it "
            "with gdalwarp -rpc, or give dem= or height_m= of open_scene in Python"
            if not dem else ""
        ))  # fmt: skip
    else:
        if facts.transform is not None:
            notes.append(f"has a transform but no CRS: results stay in pixels; {_NAME_CRS}")
        elif wkt is not None:
            notes.append("has a CRS but no transform: results stay in pixels")
        else:
            notes.append("not georeferenced: results stay in pixels")
        return Ground("none"), tuple(notes)
    try:
        gsd = ground.gsd_m(facts.width, facts.height)
    except (ProjError, SceneContentError) as error:
        raise SceneContentError(
            f"the georeference of {href} is absurd: {error}; got transform "
            f"{facts.transform}; correct it with gdal_edit.py, or give a crs= that fits in Python"
        ) from error
    if not all(math.isfinite(g) and g > 0 for g in gsd):
        raise SceneContentError(
            f"the georeference of {href} is absurd: pixels of {gsd[0]:g} x {gsd[1]:g} m; "
            "correct it with gdal_edit"
        )
    return ground, tuple(notes)


def parse_crs(crs: Any) -> str:
    """Anything that names a CRS, as WKT.

    Raises:
        MissingCRSError: It names none.
    """
    if hasattr(crs, "to_wkt"):
        return str(crs.to_wkt())
    try:
        return str(CRS.from_user_input(crs).to_wkt())
    except CRSError as error:
        raise MissingCRSError(
            f"{crs!r} names no CRS; pass an EPSG code such as 'EPSG:32633'"
        ) from error


def _check_transform(facts: RasterFacts, href: str) -> None:
    assert facts.transform is not None
    a, b, _, d, e, _ = facts.transform
    if not all(map(math.isfinite, facts.transform)) or a * e - b * d == 0:
        raise SceneContentError(
            f"the transform of {href} is absurd: pixels without an area; got {facts.transform}; "
            "correct it with gdal_edit -a_ullr"
        )
