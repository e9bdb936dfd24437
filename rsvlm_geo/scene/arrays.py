"""Scenes from memory: ``xarray.DataArray`` and rasterio datasets that cannot be opened again."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.windows import Window as RasterioWindow

from rsvlm_geo.errors import MissingCRSError, SceneContentError, SceneUnreadableError
from rsvlm_geo.grid import Affine6
from rsvlm_geo.scene.ground import parse_crs
from rsvlm_geo.scene.source import (
    DatasetPixels,
    MaskKind,
    Pixels,
    RasterFacts,
    SpanWindow,
    dataset_facts,
    differs_from,
)

__all__ = ["ArraySource", "HeldSource", "reopenable"]


def reopenable(dataset: Any) -> str | None:
    """The path by which another thread can open the same pixels, or None."""
    if dataset.closed:
        raise SceneUnreadableError(f"the dataset {dataset.name} is closed; pass it open, or a path")
    if dataset.mode != "r" or type(dataset).__name__ != "DatasetReader":
        return None
    with suppress(RasterioError), rasterio.open(dataset.name) as again:
        if (again.shape, again.count, again.dtypes) == (
            dataset.shape, dataset.count, dataset.dtypes,
        ):  # fmt: skip
            return str(dataset.name)
    return None


@dataclass(frozen=True, slots=True)
class HeldSource:
    """An open dataset that has no path (a ``WarpedVRT``): read by one thread at a time."""

    dataset: Any
    _lock: Any = field(default_factory=threading.Lock, compare=False)

    def __reduce__(self) -> Any:
        raise SceneUnreadableError(
            f"{self.href} lives in this process only; save it, and pass the path"
        )

    @property
    def href(self) -> str:
        """The dataset's name."""
        return str(self.dataset.name)

    def facts(self) -> RasterFacts:
        """See :meth:`Source.facts`."""
        if self.dataset.count == 0:
            raise SceneContentError(f"{self.href} has no bands; pass a raster with at least one")
        return dataset_facts(self.dataset)

    def open(self, indexes: tuple[int, ...], nodata: float | None, mask: MaskKind) -> Pixels:
        """See :meth:`Source.open`."""
        alpha = 0
        if mask == "alpha":
            alpha = self.dataset.colorinterp.index(ColorInterp.alpha) + 1
        if nodata is not None:
            return _FilledPixels(self.dataset, indexes, nodata, self._lock)
        inner = DatasetPixels(self.dataset, indexes, mask, alpha, owned=False)
        return _LockedPixels(inner, self._lock)


class _LockedPixels:
    def __init__(self, inner: DatasetPixels, lock: Any) -> None:
        self._inner = inner
        self._lock = lock

    def read(
        self, span: SpanWindow, out_shape: tuple[int, int], resampling: Resampling
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        with self._lock:
            return self._inner.read(span, out_shape, resampling)

    def close(self) -> None:
        pass


class _FilledPixels:
    """A fill value that the dataset does not declare: read whole pixels, then resample."""

    def __init__(self, dataset: Any, indexes: tuple[int, ...], nodata: float, lock: Any) -> None:
        self._dataset, self._indexes = dataset, list(indexes)
        self._nodata, self._lock = nodata, lock

    def read(
        self, span: SpanWindow, out_shape: tuple[int, int], resampling: Resampling
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        x0, y0, x1, y1 = _whole(span)
        with self._lock:
            block = self._dataset.read(
                self._indexes, window=RasterioWindow(x0, y0, x1 - x0, y1 - y0)
            )
        inner = (span[0] - x0, span[1] - y0, span[2], span[3])
        return resample_block(block, inner, out_shape, resampling, self._nodata)

    def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class ArraySource:
    """A DataArray, in memory or lazy (dask); windows are computed when they are read."""

    array: Any
    """Dims ``(band, y, x)``."""
    crs_wkt: str | None
    transform: Affine6 | None
    nodata: float | None = None
    names: tuple[str, ...] = ()
    label: str = "xarray.DataArray"
    datetime: str | None = None
    decoded_8_bits: bool = False
    """Whether it was 8 bits in its file, and xarray decoded it to floats with NaN for nodata."""

    @classmethod
    def from_dataarray(cls, array: Any) -> ArraySource:
        """Take dims ``band, y, x``, ``y, x`` or ``y, x, band`` under their usual names.

        Raises:
            SceneContentError: Dims that are no image, or uneven coordinates.
        """
        x = next(
            (d for d in array.dims if str(d) in ("x", "lon", "longitude", "X", "easting")), None
        )
        y = next(
            (d for d in array.dims if str(d) in ("y", "lat", "latitude", "Y", "northing")), None
        )
        if x is None or y is None:
            raise SceneContentError(
                f"a DataArray needs dims y and x (and band); got {tuple(array.dims)}; rename them"
            )
        for d in list(array.dims):
            if d not in (x, y) and array.sizes[d] == 1 and array.ndim > 3:
                array = array.isel({d: 0})
        rest = [d for d in array.dims if d not in (x, y)]
        if len(rest) > 1:
            raise SceneContentError(
                f"a DataArray needs one image; got dims {tuple(array.dims)}; "
                f"select one {rest[0]!r} first"
            )
        band = rest[0] if rest else None
        names: tuple[str, ...] = ()
        if band is not None:
            if band in array.coords:
                names = tuple(str(v) for v in np.atleast_1d(array.coords[band].values))
                if all(n.isdigit() for n in names):
                    names = ()
            array = array.transpose(band, y, x)
        else:
            array = array.transpose(y, x).expand_dims("band")
        long_name = array.attrs.get("long_name")
        if not names and isinstance(long_name, (tuple, list)) and len(long_name) == len(array):
            names = tuple(str(n) for n in long_name)
        when = array.coords["time"].values if "time" in array.coords else None
        return cls(
            array=array,
            crs_wkt=_array_crs(array),
            transform=_array_transform(array, x, y),
            nodata=_array_nodata(array),
            names=names,
            label=str(array.encoding.get("source") or array.name or "xarray.DataArray"),
            datetime=None if when is None or np.ndim(when) else str(when)[:19],
            decoded_8_bits=_was_8_bits(array),
        )

    @property
    def href(self) -> str:
        """Where the array says it came from, else its name."""
        return self.label

    def facts(self) -> RasterFacts:
        """See :meth:`Source.facts`."""
        count, height, width = self.array.shape
        if count == 0:
            raise SceneContentError(f"{self.href} has no bands; pass at least one")
        dtype = np.dtype(self.array.dtype)
        if dtype == np.bool_ or self.decoded_8_bits:
            dtype = np.dtype("uint8")
        alpha = count == 4 and self.names and self.names[3].lower() == "alpha"
        return RasterFacts(
            width=width,
            height=height,
            dtypes=(str(dtype),) * count,
            nodata=(None if self.decoded_8_bits else self.nodata,) * count,
            has_mask=self.decoded_8_bits,
            colors=("undefined",) * (count - 1) + ("alpha" if alpha else "undefined",),
            names=self.names,
            scales=(1.0,) * count,
            offsets=(0.0,) * count,
            transform=self.transform,
            crs_wkt=self.crs_wkt,
            datetime=self.datetime,
        )

    def open(self, indexes: tuple[int, ...], nodata: float | None, mask: MaskKind) -> Pixels:
        """See :meth:`Source.open`."""
        fill = nodata if nodata is not None else (self.nodata if mask == "nodata" else None)
        if self.decoded_8_bits and fill is None:
            fill = float("nan")
        return _ArrayPixels(
            self.array, indexes, fill, 4 if mask == "alpha" else 0, self.decoded_8_bits
        )


class _ArrayPixels:
    def __init__(
        self, array: Any, indexes: tuple[int, ...], fill: float | None, alpha: int, to_8_bits: bool
    ) -> None:
        self._array, self._alpha, self._fill = array, alpha, fill
        self._indexes = [i - 1 for i in indexes] + ([alpha - 1] if alpha else [])
        self._to_8_bits = to_8_bits

    def read(
        self, span: SpanWindow, out_shape: tuple[int, int], resampling: Resampling
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        x0, y0, x1, y1 = _whole(span)
        part = self._array[self._indexes, y0:y1, x0:x1]
        block = np.asarray(part.values)
        if block.dtype == np.bool_:
            block = block.astype(np.uint8)
        if not block.dtype.isnative:
            block = block.astype(block.dtype.newbyteorder("="))
        inner = (span[0] - x0, span[1] - y0, span[2], span[3])
        data, valid = resample_block(block, inner, out_shape, resampling, self._fill)
        if self._to_8_bits:
            data = np.nan_to_num(np.rint(data), nan=0.0).astype(np.uint8)
        if self._alpha:
            return data[:-1], data[-1] > 0
        return data, valid

    def close(self) -> None:
        pass


def resample_block(
    block: NDArray[Any],
    span: SpanWindow,
    out_shape: tuple[int, int],
    resampling: Resampling,
    fill: float | None,
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Resample an array as GDAL resamples a file, leaving out a fill value.

    Args:
        block: ``[C, H, W]``.
        span: Part of it to deliver, ``(col_off, row_off, width, height)``.
        out_shape: ``(rows, columns)``.
        resampling: As in :meth:`Pixels.read`.
        fill: Value that is no data, or None.
    """
    if (*span,) == (0, 0, block.shape[2], block.shape[1]) and out_shape == block.shape[1:]:
        data = block
    else:
        profile = {
            "driver": "GTiff", "width": block.shape[2], "height": block.shape[1],
            "count": block.shape[0], "dtype": block.dtype, "nodata": fill,
            "transform": rasterio.Affine(2.0, 0.0, 0.0, 0.0, -2.0, 0.0),
        }  # fmt: skip
        with MemoryFile() as memory:
            with memory.open(**profile) as dataset:
                dataset.write(block)
            with memory.open() as dataset:
                data = dataset.read(
                    window=RasterioWindow(*span), out_shape=(len(block), *out_shape),
                    resampling=resampling,
                )  # fmt: skip
    if fill is None:
        return data, None
    return data, differs_from(data.transpose(1, 2, 0), [data.dtype.type(fill)] * len(data))


def _whole(span: SpanWindow) -> tuple[int, int, int, int]:
    x0, y0 = int(np.floor(span[0])), int(np.floor(span[1]))
    return x0, y0, int(np.ceil(span[0] + span[2])), int(np.ceil(span[1] + span[3]))


def _array_crs(array: Any) -> str | None:
    with suppress(ImportError):
        import rioxarray  # noqa: F401
    rio = getattr(array, "rio", None)
    if rio is not None and rio.crs is not None:
        return str(rio.crs.to_wkt())
    for name in ("spatial_ref", "crs"):
        holder = array.coords[name].attrs if name in array.coords else {}
        found = holder.get("crs_wkt") or holder.get("spatial_ref") or array.attrs.get(name)
        if isinstance(found, str) and found:
            with suppress(MissingCRSError):
                return parse_crs(found)
    return None


def _array_nodata(array: Any) -> float | None:
    for holder in (array.attrs, array.encoding):
        for name in ("_FillValue", "nodata", "missing_value"):
            if holder.get(name) is not None:
                value = float(holder[name])
                if array.dtype.kind == "f" and holder is array.encoding:
                    return float("nan")  # decoded: what was fill is NaN now
                return value
    return float("nan") if array.dtype.kind == "f" else None


def _was_8_bits(array: Any) -> bool:
    encoding = array.encoding
    stored = encoding.get("rasterio_dtype") or encoding.get("dtype")
    return (
        array.dtype.kind == "f"
        and stored is not None
        and str(stored) == "uint8"
        and encoding.get("scale_factor", 1.0) == 1.0
        and encoding.get("add_offset", 0.0) == 0.0
    )


def _array_transform(array: Any, x: Any, y: Any) -> Affine6 | None:
    if "spatial_ref" in array.coords:
        text = array.coords["spatial_ref"].attrs.get("GeoTransform")
        if text:
            c, a, b, f, d, e = (float(v) for v in str(text).split())
            # rioxarray keeps the transform of the whole when it is sliced; the coordinates know
            if (b, d) != (0.0, 0.0) or x not in array.coords:
                return (a, b, c, d, e, f)
    if x not in array.coords or y not in array.coords:
        return None
    steps = []
    for name in (x, y):
        values = np.asarray(array.coords[name].values, dtype=np.float64)
        if values.ndim != 1 or len(values) < 2:
            return None
        gaps = np.diff(values)
        step = (values[-1] - values[0]) / (len(values) - 1)
        if step == 0 or np.abs(gaps - step).max() > 1e-3 * abs(step) + 1e-9 * np.abs(values).max():
            raise SceneContentError(
                f"coordinate {name!r} is not evenly spaced; interpolate the array to a regular grid"
            )
        steps.append((values[0] - step / 2, step))
    (c, a), (f, e) = steps
    return (a, 0.0, c, 0.0, e, f)
