"""What every source of pixels tells and gives: header, open handle, bands of files. Types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling

from rsvlm_geo.grid import Affine6

__all__ = ["BandPart", "MaskKind", "Pixels", "RasterFacts", "Source", "SpanWindow"]

MaskKind = Literal["alpha", "mask", "nodata", "none"]
SpanWindow = tuple[float, float, float, float]
"""``(col_off, row_off, width, height)`` in scene pixels; may be fractional, lies inside."""


@dataclass(frozen=True, slots=True)
class RasterFacts:
    """What a raster says about itself."""

    width: int
    height: int
    dtypes: tuple[str, ...]
    """numpy name of each band."""
    nodata: tuple[float | None, ...] = ()
    """Declared fill value of each band."""
    colors: tuple[str, ...] = ()
    """Colour interpretation of each band, lower case: ``red``, ``gray``, ``alpha``."""
    names: tuple[str, ...] = ()
    """Description or common name of each band, empty where there is none."""
    scales: tuple[float, ...] = ()
    """Stored value times scale plus offset is the physical value."""
    offsets: tuple[float, ...] = ()
    has_mask: bool = False
    """Whether there is a mask band of its own (not alpha, not nodata)."""
    block: tuple[int, int] = (256, 256)
    """``(height, width)`` of the unit that is decoded at once."""
    overviews: tuple[int, ...] = ()
    pixel_interleaved: bool = False
    palette: tuple[tuple[int, int, int, int], ...] | None = None
    """256 colours, when the values are indexes into them."""
    transform: Affine6 | None = None
    """Scene pixels (edges) to map, or None."""
    crs_wkt: str | None = None
    gcps: tuple[tuple[float, float, float, float, float], ...] = ()
    """``(col, row, x, y, z)`` of each ground control point, pixel edges."""
    gcp_crs_wkt: str | None = None
    rpcs: tuple[tuple[str, str], ...] = ()
    """GDAL's RPC metadata, name and value."""
    datetime: str | None = None
    """Acquisition, ISO 8601, when it says."""
    etag: str | None = None
    """Something that changes when the content does."""

    @property
    def count(self) -> int:
        """Bands, alpha included."""
        return len(self.dtypes)

    @property
    def striped(self) -> bool:
        """Whether a block spans the width."""
        return self.block[1] >= self.width


@runtime_checkable
class Pixels(Protocol):
    """An open handle on the bands that were chosen; one per thread."""

    def read(
        self, span: SpanWindow, out_shape: tuple[int, int], resampling: Resampling
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Read a window at the asked size.

        Args:
            span: ``(col_off, row_off, width, height)``, scene pixels, inside the scene.
            out_shape: ``(rows, columns)`` to deliver.
            resampling: ``nearest``, ``average`` or ``cubic``; invalid pixels take no part.

        Returns:
            ``[C, H, W]`` in the stored dtype, and ``bool[H, W]``, True = data, from alpha, mask or
            nodata; None when everything is valid. NaN and infinities are left to the caller.
        """
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


@runtime_checkable
class Source(Protocol):
    """A raster that can be opened again and again, in any thread or process."""

    @property
    def href(self) -> str:
        """Path or URL, for people and provenance."""
        ...

    def facts(self) -> RasterFacts:
        """Look at the header.

        Raises:
            SceneNotFoundError: Nothing there.
            SceneUnreadableError: Not a raster, or a broken one.
        """
        ...

    def open(self, indexes: tuple[int, ...], nodata: float | None, mask: MaskKind) -> Pixels:
        """Open the chosen bands.

        Args:
            indexes: 1-based bands.
            nodata: Fill value to use instead of the declared one; None keeps the declared.
            mask: What decides validity.
        """
        ...


@dataclass(frozen=True, slots=True)
class BandPart:
    """One band of a scene that is put together from several files."""

    href: str
    index: int = 1
    """1-based band of that file."""
    name: str = ""
    """Common name, ``red``."""
    scale: float | None = None
    """Overrides the file's own scale; None keeps it."""
    offset: float | None = None
    nodata: float | None = None
