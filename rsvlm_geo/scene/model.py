"""The scene: a lazy, picklable description of a raster that a model can be shown."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from rsvlm_geo.errors import MissingCRSError
from rsvlm_geo.grid import Affine6, Window
from rsvlm_geo.scene.bands import Bands
from rsvlm_geo.scene.ground import Ground
from rsvlm_geo.scene.radiometry import Stretch
from rsvlm_geo.scene.source import MaskKind, Pixels, RasterFacts, Source, local_files

__all__ = ["Scene"]


@dataclass(frozen=True, slots=True)
class Scene:
    """A raster, which of its bands are shown, what is valid, how it is stretched, where it lies.

    Nothing is held open: every reader thread and process opens :attr:`source` for itself.
    """

    source: Source
    facts: RasterFacts
    bands: Bands
    ground: Ground
    mask: MaskKind
    """What decides validity; NaN and infinities are never valid."""
    nodata: float | None
    """A fill value that replaces the declared one (given, or found), or None."""
    stretch: Stretch
    gsd_x_m: float | None
    """Metres on the ground per column, at the centre; None when unknown."""
    gsd_y_m: float | None
    """Metres on the ground per row."""
    datetime: str | None = None
    """Acquisition, ISO 8601, or None."""
    notes: tuple[str, ...] = ()
    """What had to be assumed, in sentences."""

    @property
    def href(self) -> str:
        """Path or URL."""
        return self.source.href

    @property
    def files(self) -> tuple[Path, ...]:
        """Files of this machine that it is read from; looks at their headers."""
        return local_files(self.source)

    @property
    def name(self) -> str:
        """Last part of the path, without folder, query or extension."""
        tail = self.href.split("?")[0].rstrip("/").replace("\\", "/").rsplit("/", 1)[-1]
        return tail.rsplit(".", 1)[0] or tail or "scene"

    @property
    def width(self) -> int:
        """Columns."""
        return self.facts.width

    @property
    def height(self) -> int:
        """Rows."""
        return self.facts.height

    @property
    def window(self) -> Window:
        """All of it."""
        return Window(0, 0, self.facts.width, self.facts.height)

    @property
    def count(self) -> int:
        """Bands in the raster, alpha included."""
        return self.facts.count

    @property
    def dtype(self) -> np.dtype[Any]:
        """How the shown bands are stored."""
        return np.result_type(*(np.dtype(self.facts.dtypes[i - 1]) for i in self.bands.indexes))

    @property
    def indexes(self) -> tuple[int, ...]:
        """1-based bands shown as red, green and blue; one for a panchromatic scene."""
        return self.bands.indexes

    @property
    def panchromatic(self) -> bool:
        """Whether it has no colour: questions about colour cannot be answered."""
        return self.bands.panchromatic and self.facts.palette is None

    @property
    def crs(self) -> CRS | None:
        """CRS of everything placed on the map; None when results stay in pixels."""
        return None if self.ground.crs_wkt is None else CRS.from_wkt(self.ground.crs_wkt)

    @property
    def transform(self) -> Affine6 | None:
        """Scene pixels (edges) to map; None for GCPs, RPCs and scenes without georeference."""
        return self.ground.transform

    @property
    def georeferenced(self) -> bool:
        """Whether answers can be put on a map."""
        return self.ground.kind != "none"

    @property
    def gsd_m(self) -> float | None:
        """Metres on the ground per pixel at the centre (geometric mean of both axes), or None."""
        if self.gsd_x_m is None or self.gsd_y_m is None:
            return None
        return float(np.sqrt(self.gsd_x_m * self.gsd_y_m))

    @property
    def etag(self) -> str | None:
        """Something that changes when the content does: part of a run's fingerprint."""
        return self.facts.etag

    def to_map(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scene pixels (edges) to ``crs``; pixels stay pixels without georeference.

        Args:
            xy: float64[..., 2], ``(x, y)``.
        """
        return self.ground.to_map(xy)

    def to_pixels(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """``crs`` to scene pixels (edges); the inverse of :meth:`to_map`."""
        return self.ground.to_pixels(xy)

    def footprint(self, points_per_edge: int = 9) -> NDArray[np.float64]:
        """float64[n, 2]: its outline as a closed ring in ``crs`` (pixels without georeference)."""
        t = np.linspace(0.0, 1.0, points_per_edge)[:-1, None]
        corners = self.window.polygon()
        ring = [a + (b - a) * t for a, b in itertools.pairwise(corners)]
        return self.to_map(np.concatenate([*ring, corners[:1]]))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """``(left, bottom, right, top)`` in ``crs``; pixels without georeference."""
        ring = self.footprint()
        left, low = ring.min(axis=0)
        right, high = ring.max(axis=0)
        return float(left), float(low), float(right), float(high)

    def bbox(self) -> tuple[float, float, float, float]:
        """``(west, south, east, north)``, WGS 84; ``west > east`` across the antimeridian.

        Raises:
            MissingCRSError: There is no georeference.
        """
        if not self.georeferenced:
            raise MissingCRSError(
                f"no georeference in {self.href}; give it one with gdal_edit.py, or crs= in Python"
            )
        ring = self.footprint()
        pixels = self.ground.to_pixels(ring)
        lonlat = self.ground.lonlat(pixels)
        lon, lat = lonlat[:, 0], lonlat[:, 1]
        jumps = np.abs(np.diff(lon)) > 180.0
        if jumps.any():
            east = lon[lon < 0]
            west = lon[lon >= 0]
            return float(west.min()), float(lat.min()), float(east.max()), float(lat.max())
        return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())

    def open(self) -> Pixels:
        """Open it for reading; the handle belongs to the thread that opened it."""
        return self.source.open(self.bands.indexes, self.nodata, self.mask)

    def preview(self, size_px: int = 1024) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """The whole scene, small, as a model would see it.

        Args:
            size_px: Longer side of the picture.

        Returns:
            uint8[H, W, 3] and bool[H, W], True = data.
        """
        from rsvlm_geo.scene.reader import read_whole

        return read_whole(self, size_px)

    def provenance(self) -> dict[str, Any]:
        """What was read and how, fit for JSON."""
        facts = self.facts
        return {
            "href": self.href,
            "etag": facts.etag,
            "datetime": self.datetime,
            "size": [facts.width, facts.height],
            "count": facts.count,
            "dtype": str(self.dtype),
            "indexes": list(self.indexes),
            "band_names": [facts.names[i - 1] if facts.names else "" for i in self.indexes],
            "bands_by": self.bands.reason,
            "panchromatic": self.panchromatic,
            "valid_by": self.mask,
            "nodata": _json_number(self._nodata()),
            "stretch": self.stretch.to_dict(),
            "georeference": self.ground.kind,
            "geo_accuracy": self.ground.accuracy,
            "crs": None if self.crs is None else (self.crs.to_string() or self.ground.crs_wkt),
            "transform": None if self.transform is None else list(self.transform),
            "gsd_m": self.gsd_m,
            "gsd_x_m": self.gsd_x_m,
            "gsd_y_m": self.gsd_y_m,
            "notes": list(self.notes),
        }

    def _nodata(self) -> float | None:
        if self.mask != "nodata":
            return None
        return self.nodata if self.nodata is not None else self.facts.nodata[self.indexes[0] - 1]


def _json_number(value: float | None) -> float | str | None:
    if value is None or np.isfinite(value):
        return value
    return str(value)
