"""Where pixels come from: files (one, or bands from several), open datasets, arrays.

A :class:`Source` is a small picklable description; :meth:`Source.open` gives :class:`Pixels`, a
handle that belongs to one thread. Anything of this shape can stand behind a scene: a STAC item is
a :class:`FileSource` with a part per band, a remote reader its own class.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags, Resampling
from rasterio.windows import Window as RasterioWindow

from rsvlm_geo.errors import SceneContentError, SceneError
from rsvlm_geo.grid import Affine6
from rsvlm_geo.scene.access import gdal_path, is_remote, open_dataset
from rsvlm_geo.scene.facts import BandPart, MaskKind, Pixels, RasterFacts, Source, SpanWindow

__all__ = [
    "BandPart",
    "FileSource",
    "MaskKind",
    "Pixels",
    "RasterFacts",
    "Source",
    "SpanWindow",
    "gdal_path",
    "is_remote",
    "local_files",
]


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file, URL or ``/vsi...`` path; or bands taken from several, stacked on the first's grid."""

    parts: tuple[BandPart, ...]
    """One part with ``index == 0`` is a whole file with all its bands."""
    options: tuple[tuple[str, str], ...] = ()
    """GDAL settings for every open of this source (credentials, time limits)."""
    label: str = ""
    """Shown instead of the path; a signed URL need not be."""
    extra: dict[str, Any] = field(default_factory=dict, compare=False)
    """Facts that override those of the file: ``datetime``, ``etag``, ``crs_wkt``."""

    @classmethod
    def single(cls, href: str, **kwargs: Any) -> FileSource:
        """A whole file."""
        return cls((BandPart(href, 0),), **kwargs)

    @property
    def href(self) -> str:
        """Path or URL; several joined by ``" + "``."""
        if self.label:
            return self.label
        return " + ".join(dict.fromkeys(part.href for part in self.parts))

    @property
    def stacked(self) -> bool:
        """Whether bands come from several files."""
        return self.parts[0].index != 0

    def facts(self) -> RasterFacts:
        """Look at the header, or at each header of a stack."""
        from dataclasses import replace

        if not self.stacked:
            facts = _file_facts(self.parts[0].href, self.options)
        else:
            seen = {href: _file_facts(href, self.options) for href in self._hrefs()}
            facts = _stack_facts(self.parts, seen)
        return replace(facts, **self.extra) if self.extra else facts

    def open(self, indexes: tuple[int, ...], nodata: float | None, mask: MaskKind) -> Pixels:
        """Open the chosen bands; a nodata override or a stack goes through an in-memory VRT."""
        with rasterio.Env(**dict(self.options)):
            if not self.stacked and nodata is None:
                dataset = open_dataset(self.parts[0].href)
                alpha = dataset.colorinterp.index(ColorInterp.alpha) + 1 if mask == "alpha" else 0
                return DatasetPixels(dataset, indexes, mask, alpha)
            xml, alpha = self._vrt(indexes, nodata, mask)
            dataset = open_dataset(xml, shown=self.href)
            return DatasetPixels(dataset, tuple(range(1, len(indexes) + 1)), mask, alpha)

    def _hrefs(self) -> list[str]:
        return list(dict.fromkeys(part.href for part in self.parts))

    def _vrt(
        self, indexes: tuple[int, ...], nodata: float | None, mask: MaskKind
    ) -> tuple[str, int]:
        """XML of a VRT with the chosen bands in order; index of its alpha band, 0 without."""
        seen = {href: _file_facts(href, self.options) for href in self._hrefs()}
        if self.stacked:
            parts = [self.parts[i - 1] for i in indexes]
        else:
            href = self.parts[0].href
            parts = [BandPart(href, i) for i in indexes]
            if mask == "alpha":
                parts.append(BandPart(href, seen[href].colors.index("alpha") + 1))
        first = seen[self.parts[0].href]
        width, height = first.width, first.height
        bands = []
        for number, part in enumerate(parts, start=1):
            facts = seen[part.href]
            fill = nodata
            if fill is None:
                fill = part.nodata if part.nodata is not None else facts.nodata[part.index - 1]
            is_alpha = mask == "alpha" and number == len(parts)
            bands.append(
                f'<VRTRasterBand dataType="{_gdal_type(facts.dtypes[part.index - 1])}" '
                f'band="{number}">'
                + (f"<NoDataValue>{fill!r}</NoDataValue>" if fill is not None else "")
                + ("<ColorInterp>Alpha</ColorInterp>" if is_alpha else "")
                + '<SimpleSource><SourceFilename relativeToVRT="0">'
                f"{escape(gdal_path(part.href))}</SourceFilename>"
                f"<SourceBand>{part.index}</SourceBand>"
                f'<SrcRect xOff="0" yOff="0" xSize="{facts.width}" ySize="{facts.height}"/>'
                f'<DstRect xOff="0" yOff="0" xSize="{width}" ySize="{height}"/>'
                "</SimpleSource></VRTRasterBand>"
            )
        mask_xml = ""
        if mask == "mask":
            mask_xml = (
                '<MaskBand><VRTRasterBand dataType="Byte"><SimpleSource>'
                '<SourceFilename relativeToVRT="0">'
                f"{escape(gdal_path(self.parts[0].href))}</SourceFilename>"
                "<SourceBand>mask,1</SourceBand>"
                f'<SrcRect xOff="0" yOff="0" xSize="{width}" ySize="{height}"/>'
                f'<DstRect xOff="0" yOff="0" xSize="{width}" ySize="{height}"/>'
                "</SimpleSource></VRTRasterBand></MaskBand>"
            )
        xml = (
            f'<VRTDataset rasterXSize="{width}" rasterYSize="{height}">'
            "<GeoTransform>0, 2, 0, 0, 0, -2</GeoTransform>"  # any: the scene knows its own
            + "".join(bands) + mask_xml + "</VRTDataset>"
        )  # fmt: skip
        return xml, len(parts) if mask == "alpha" else 0


def local_files(source: Source) -> tuple[Path, ...]:
    """Files of this machine that a source reads, those behind a VRT included."""
    parts = getattr(source, "parts", ())
    found: list[Path] = []
    for href in dict.fromkeys(part.href for part in parts) or (source.href,):
        if is_remote(href) or href.startswith("<"):
            continue
        found.append(Path(gdal_path(href)))
        with suppress(SceneError), open_dataset(href) as dataset:
            found += [Path(name) for name in dataset.files]
    return tuple(path for path in dict.fromkeys(found) if path.exists())


class DatasetPixels:
    """Reads through a rasterio dataset that it owns (or borrows)."""

    def __init__(
        self, dataset: Any, indexes: tuple[int, ...], mask: MaskKind, alpha: int = 0,
        *, owned: bool = True,
    ) -> None:  # fmt: skip
        self._dataset = dataset
        self._indexes = list(indexes)
        self._mask = mask
        self._alpha = alpha
        self._owned = owned
        self._dtype = np.dtype(dataset.dtypes[indexes[0] - 1])
        nodata = [dataset.nodatavals[i - 1] for i in indexes]
        self._fills = None
        if mask == "nodata":
            self._fills = [_fill(value, dataset.dtypes[i - 1]) for value, i in
                           zip(nodata, indexes, strict=True)]  # fmt: skip

    def __enter__(self) -> DatasetPixels:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the dataset, when it is ours."""
        if self._owned:
            self._dataset.close()

    def read(
        self, span: SpanWindow, out_shape: tuple[int, int], resampling: Resampling
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """See :meth:`Pixels.read`."""
        # band by band in memory: what a model takes in the end, and GDAL copies whole rows to
        held = np.empty((len(self._indexes), *out_shape), dtype=self._dtype)
        return held, self.read_into(span, held.transpose(1, 2, 0), resampling)

    def read_into(
        self, span: SpanWindow, held: NDArray[Any], resampling: Resampling
    ) -> NDArray[np.bool_] | None:
        """As :meth:`read`, into an array ``[H, W, C]`` of the stored dtype; gives ``valid``."""
        window = RasterioWindow(*span)
        out_shape = held.shape[0], held.shape[1]
        dataset = self._dataset
        dataset.read(
            self._indexes, window=window, out=held.transpose(2, 0, 1), resampling=resampling
        )
        valid: NDArray[np.bool_] | None = None
        # cubic clamps a 1-bit mask to 1 of 255 (GDAL 3.10), and overshoots in an alpha band
        masking = Resampling.nearest if resampling == Resampling.cubic else resampling
        if self._mask == "alpha":
            alpha = dataset.read(
                self._alpha, window=window, out_shape=out_shape, resampling=masking
            )
            valid = alpha > 0
        elif self._mask == "mask":
            mask = dataset.read_masks(
                self._indexes[0], window=window, out_shape=out_shape, resampling=masking
            )
            valid = mask > 127
        elif self._fills is not None:
            valid = differs_from(held, self._fills)
        return valid


def differs_from(pixels: NDArray[Any], fills: list[Any]) -> NDArray[np.bool_]:
    """Which pixels hold data in at least one band.

    Args:
        pixels: ``[H, W, C]``.
        fills: The fill value of each band, None where it has none, NaN for NaN.

    Returns:
        bool[H, W].
    """
    valid = np.zeros(pixels.shape[:2], dtype=bool)
    for c, fill in enumerate(fills):
        band = pixels[..., c]
        if fill is None:
            valid[:] = True
            break
        valid |= ~np.isnan(band) if fill != fill else band != fill
    return valid


def _fill(value: float | None, dtype: str) -> Any:
    """A fill value as its band stores it; None when the band cannot hold it."""
    if value is None:
        return None
    kind = np.dtype(dtype)
    if kind.kind == "f":
        with np.errstate(over="ignore"):
            return kind.type(value)
    limits = np.iinfo(kind)
    if value != value or not limits.min <= value <= limits.max or value != int(value):
        return None
    return kind.type(int(value))


def _file_facts(href: str, options: tuple[tuple[str, str], ...]) -> RasterFacts:
    with rasterio.Env(**dict(options)), open_dataset(href) as dataset:
        if dataset.count == 0:
            inner = dataset.subdatasets
            if inner:
                raise SceneContentError(
                    f"{href} holds {len(inner)} subdatasets and no bands of its own; "
                    f"pass one of them, for example {inner[0]!r}"
                )
            raise SceneContentError(f"{href} has no bands; pass a raster with at least one")
        return dataset_facts(dataset, _file_etag(href))


def dataset_facts(dataset: Any, etag: str | None = None) -> RasterFacts:
    """What an open rasterio dataset says about itself."""
    transform: Affine6 | None = tuple(dataset.transform)[:6]
    if transform == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0):
        transform = None
    gcps, gcp_crs = dataset.gcps
    palette = None
    if dataset.colorinterp[0] == ColorInterp.palette and dataset.dtypes[0] == "uint8":
        with suppress(ValueError):
            colours = dataset.colormap(1)
            palette = tuple(tuple(colours.get(i, (0, 0, 0, 0))) for i in range(256))
    flags = dataset.mask_flag_enums[0]
    return RasterFacts(
        width=dataset.width,
        height=dataset.height,
        dtypes=tuple(dataset.dtypes),
        nodata=tuple(dataset.nodatavals),
        colors=tuple(c.name for c in dataset.colorinterp),
        names=tuple(d or "" for d in dataset.descriptions),
        scales=tuple(dataset.scales),
        offsets=tuple(dataset.offsets),
        has_mask=MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags,
        block=tuple(dataset.block_shapes[0]),
        overviews=tuple(dataset.overviews(1)),
        pixel_interleaved=str(dataset.profile.get("interleave", "")).lower() == "pixel",
        palette=palette,
        transform=transform,
        crs_wkt=dataset.crs.to_wkt() if dataset.crs else None,
        gcps=tuple((g.col, g.row, g.x, g.y, g.z or 0.0) for g in gcps),
        gcp_crs_wkt=gcp_crs.to_wkt() if gcp_crs else None,
        rpcs=tuple(sorted(dataset.rpcs.to_gdal().items())) if dataset.rpcs else (),
        datetime=_acquired(dataset),
        etag=etag,
    )


def _acquired(dataset: Any) -> str | None:
    tags = {**dataset.tags(), **dataset.tags(ns="IMAGERY")}
    for name in ("ACQUISITIONDATETIME", "ACQUISITION_DATETIME", "TIFFTAG_DATETIME"):
        text = str(tags.get(name, "")).strip()
        for pattern in ("%Y:%m:%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"):
            with suppress(ValueError):
                return datetime.strptime(text[:19], pattern).isoformat()
    return None


def _file_etag(href: str) -> str | None:
    path = Path(gdal_path(href))
    try:
        status = path.stat()
    except OSError:
        return None
    stamp = datetime.fromtimestamp(status.st_mtime, timezone.utc).isoformat(timespec="microseconds")
    return f"{status.st_size}-{stamp}"


def _stack_facts(parts: tuple[BandPart, ...], seen: dict[str, RasterFacts]) -> RasterFacts:
    from dataclasses import replace

    first = seen[parts[0].href]
    for part in parts:
        facts = seen[part.href]
        if part.index > facts.count:
            raise SceneContentError(
                f"{part.href} has {facts.count} bands; got band {part.index}; take one it has"
            )
        if not _same_ground(first, facts):
            raise SceneContentError(
                f"{part.href} does not cover the same ground as {parts[0].href}; "
                "stack bands of one scene, or warp them to one grid first"
            )
    rows = [(part, seen[part.href], part.index - 1) for part in parts]
    etags = [seen[href].etag for href in dict.fromkeys(p.href for p in parts)]
    return replace(
        first,
        dtypes=tuple(f.dtypes[i] for _, f, i in rows),
        nodata=tuple(p.nodata if p.nodata is not None else f.nodata[i] for p, f, i in rows),
        colors=tuple("undefined" for _ in rows),
        names=tuple(p.name or f.names[i] for p, f, i in rows),
        scales=tuple(p.scale if p.scale is not None else f.scales[i] for p, f, i in rows),
        offsets=tuple(p.offset if p.offset is not None else f.offsets[i] for p, f, i in rows),
        palette=None,
        etag=" ".join(e for e in etags if e) or None,
        pixel_interleaved=False,
    )


def _same_ground(one: RasterFacts, other: RasterFacts) -> bool:
    """Whether two rasters have the same outer edges, to half a pixel of the coarser."""
    if one.transform is None or other.transform is None:
        return (one.width, one.height) == (other.width, other.height)
    if (one.crs_wkt is None) != (other.crs_wkt is None):
        return False
    a, b = np.array(one.transform), np.array(other.transform)
    for corner in ((0.0, 0.0), (1.0, 1.0)):
        p = np.array([corner[0] * one.width, corner[1] * one.height, 1.0])
        q = np.array([corner[0] * other.width, corner[1] * other.height, 1.0])
        apart = np.hypot(a[:3] @ p - b[:3] @ q, a[3:] @ p - b[3:] @ q)
        size = max(np.hypot(a[0], a[3]), np.hypot(b[0], b[3]))
        if apart > 0.5 * size:
            return False
    return True


def _gdal_type(dtype: str) -> str:
    names = {
        "uint8": "Byte", "int8": "Int8", "uint16": "UInt16", "int16": "Int16",
        "uint32": "UInt32", "int32": "Int32", "uint64": "UInt64", "int64": "Int64",
        "float32": "Float32", "float64": "Float64",
    }  # fmt: skip
    if dtype not in names:
        raise SceneContentError(f"bands of {dtype} cannot be shown to a model; convert to real")
    return names[dtype]
