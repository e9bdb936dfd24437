"""A remote file, or bands from several, as the source of a scene.

Each band is read from its own file at that file's own resolution, onto the stack's grid; a band
that fails makes the tile fail. Hrefs are signed on the machine that reads, at each request.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, Resampling

from rsvlm_geo.errors import SceneContentError, StacError
from rsvlm_geo.remote.auth import Signer, redact
from rsvlm_geo.remote.dataset import RasterSource, open_raster
from rsvlm_geo.remote.policy import ReadPolicy
from rsvlm_geo.scene.source import (
    BandPart,
    DatasetPixels,
    MaskKind,
    Pixels,
    RasterFacts,
    SpanWindow,
    dataset_facts,
)

__all__ = ["RemoteSource"]


@dataclass(frozen=True, slots=True)
class RemoteSource:
    """One remote raster with all its bands, or bands from several stacked on one grid."""

    parts: tuple[BandPart, ...]
    """One part with ``index == 0`` is a whole file; else a part per band, in order."""
    signer: Signer | None = None
    policy: ReadPolicy = field(default_factory=ReadPolicy)
    label: str = ""
    """Shown instead of the hrefs: a STAC item's own address."""
    res: float | None = None
    """Pixel size of the stack in CRS units; None takes the finest band's."""
    extra: dict[str, Any] = field(default_factory=dict, compare=False)
    """Facts that override those of the files: ``datetime``, ``nodata``."""

    @classmethod
    def single(cls, href: str, **kwargs: Any) -> RemoteSource:
        """A whole file."""
        return cls((BandPart(href, 0),), **kwargs)

    @property
    def href(self) -> str:
        """What it is called: never signed, never with a query."""
        return self.label or " + ".join(dict.fromkeys(redact(p.href) for p in self.parts))

    @property
    def stacked(self) -> bool:
        """Whether bands are put together here."""
        return self.parts[0].index != 0

    def facts(self) -> RasterFacts:
        """Look at the header, or at each header of a stack.

        Raises:
            SceneNotFoundError, AccessError, SceneUnreadableError, TileReadError: See
                :func:`rsvlm_geo.remote.open_raster`.
            StacError: Assets of a stack with different CRS or different ground.
        """
        seen = {href: self._look(href) for href in dict.fromkeys(p.href for p in self.parts)}
        if not self.stacked:
            facts = seen[self.parts[0].href]
        else:
            facts = stack_facts(self.parts, seen, self.res)
        return replace(facts, **self.extra) if self.extra else facts

    def open(self, indexes: tuple[int, ...], nodata: float | None, mask: MaskKind) -> Pixels:
        """Open the chosen bands, 1-based in the order of the parts."""
        if not self.stacked:
            dataset = self._open(self.parts[0].href)
            alpha = dataset.colorinterp.index(ColorInterp.alpha) + 1 if mask == "alpha" else 0
            if mask == "nodata" and nodata is not None:
                dataset = _Filled(dataset, nodata)
            return DatasetPixels(dataset, indexes, mask, alpha)
        facts = self.facts()
        chosen = [self.parts[i - 1] for i in indexes]
        fills = [nodata if nodata is not None else facts.nodata[i - 1] for i in indexes]
        return _StackPixels(self, chosen, facts, fills if mask == "nodata" else None)

    def _look(self, href: str) -> RasterFacts:
        with self._open(href) as dataset:
            if dataset.count == 0:
                raise SceneContentError(f"{redact(href)} has no bands; pass one of its subdatasets")
            return dataset_facts(dataset, getattr(dataset, "etag", None))

    def _open(self, href: str) -> Any:
        return open_raster(RasterSource(href, self.signer, self.policy))


class _Filled:
    """A dataset with another fill value than it declares."""

    def __init__(self, dataset: Any, nodata: float) -> None:
        self._dataset, self.nodatavals = dataset, (nodata,) * dataset.count

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._dataset, name)


class _StackPixels:
    """Bands of several files on one grid; each file is opened once."""

    def __init__(
        self,
        source: RemoteSource,
        parts: list[BandPart],
        facts: RasterFacts,
        fills: list[float | None] | None,
    ) -> None:
        self._size = (facts.width, facts.height)
        self._fills = fills
        self._open: dict[str, Any] = {}
        self._parts = parts
        try:
            for part in parts:
                if part.href not in self._open:
                    self._open[part.href] = source._open(part.href)
        except BaseException:
            self.close()
            raise
        kinds = [self._open[p.href].dtypes[p.index - 1] for p in parts]
        self._dtype = np.result_type(*kinds)

    def read(
        self, span: SpanWindow, out_shape: tuple[int, int], resampling: Resampling
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """See :meth:`rsvlm_geo.scene.source.Pixels.read`."""
        held = np.empty((*out_shape, len(self._parts)), dtype=self._dtype)
        valid = np.zeros(out_shape, dtype=bool) if self._fills is not None else None
        for c, part in enumerate(self._parts):
            dataset = self._open[part.href]
            sx, sy = dataset.width / self._size[0], dataset.height / self._size[1]
            from rasterio.windows import Window

            window = Window(span[0] * sx, span[1] * sy, span[2] * sx, span[3] * sy)
            coarser = out_shape[1] > window.width
            method = resampling
            if sx < 1 and coarser and resampling == Resampling.average:
                method = Resampling.bilinear
            band = dataset.read(part.index, window=window, out_shape=out_shape, resampling=method)
            held[..., c] = band
            if valid is not None and self._fills is not None:
                fill = self._fills[c]
                if fill is None:
                    valid[:] = True
                else:
                    valid |= ~np.isnan(band) if fill != fill else band != fill
        return held.transpose(2, 0, 1), valid

    def close(self) -> None:
        """Close every file."""
        for dataset in self._open.values():
            dataset.close()


def stack_facts(
    parts: tuple[BandPart, ...], seen: dict[str, RasterFacts], res: float | None = None
) -> RasterFacts:
    """The header of a stack: the finest band's grid or the asked pixel size, each band's own facts.

    Raises:
        StacError: Different CRS or ground, or a band a file does not have.
    """
    for part in parts:
        if part.index > seen[part.href].count:
            raise StacError(
                f"{redact(part.href)} has {seen[part.href].count} bands; got band {part.index}"
            )
    base = min((seen[p.href] for p in parts), key=_pixel_area)
    for part in parts:
        _check_ground(base, seen[part.href], part)
    if res is not None and base.transform is not None:
        scale = res / float(np.hypot(base.transform[0], base.transform[3]))
        width, height = max(1, round(base.width / scale)), max(1, round(base.height / scale))
        a, b, c, d, e, f = base.transform
        sx, sy = base.width / width, base.height / height
        base = replace(
            base, width=width, height=height, transform=(a * sx, b * sy, c, d * sx, e * sy, f)
        )
    rows = [(p, seen[p.href], p.index - 1) for p in parts]
    etags = [seen[href].etag for href in dict.fromkeys(p.href for p in parts)]
    return replace(
        base,
        dtypes=tuple(f.dtypes[i] for _, f, i in rows),
        nodata=tuple(p.nodata if p.nodata is not None else f.nodata[i] for p, f, i in rows),
        colors=tuple(p.name if p.name in ("red", "green", "blue") else "undefined" for p in parts),
        names=tuple(p.name or f.names[i] for p, f, i in rows),
        scales=tuple(p.scale if p.scale is not None else f.scales[i] for p, f, i in rows),
        offsets=tuple(p.offset if p.offset is not None else f.offsets[i] for p, f, i in rows),
        has_mask=False,
        palette=None,
        etag=" ".join(e for e in etags if e) or None,
        pixel_interleaved=False,
    )


def _pixel_area(facts: RasterFacts) -> float:
    if facts.transform is None:
        return 1.0 / (facts.width * facts.height)
    a, b, _, d, e, _ = facts.transform
    return abs(a * e - b * d)


def _check_ground(base: RasterFacts, other: RasterFacts, part: BandPart) -> None:
    import rasterio.crs

    name = redact(part.href)
    if (base.crs_wkt is None) != (other.crs_wkt is None):
        raise StacError(f"{name} has {'a' if other.crs_wkt else 'no'} CRS, the others do not agree")
    if base.crs_wkt != other.crs_wkt and base.crs_wkt and other.crs_wkt:
        one, two = (rasterio.crs.CRS.from_wkt(w) for w in (base.crs_wkt, other.crs_wkt))
        if one != two:
            raise StacError(
                f"assets with different CRS cannot be stacked: {name} is {two.to_string()[:60]}, "
                f"the finest band is {one.to_string()[:60]}; choose assets of one CRS"
            )
    if base.transform is None or other.transform is None:
        return
    a, b = np.array(base.transform).reshape(2, 3), np.array(other.transform).reshape(2, 3)
    size = max(np.hypot(a[0, 0], a[1, 0]), np.hypot(b[0, 0], b[1, 0]))
    for x, y in ((0.0, 0.0), (1.0, 1.0)):
        here = a @ np.array([x * base.width, y * base.height, 1.0])
        there = b @ np.array([x * other.width, y * other.height, 1.0])
        if np.hypot(*(here - there)) > size:
            raise StacError(
                f"{name} does not cover the same ground as the finest band; choose assets of one "
                "scene on one footprint"
            )
