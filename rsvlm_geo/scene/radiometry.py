"""From stored values to the 8 bits a model is shown: one stretch per scene, applied by table.

The stretch comes from full-resolution blocks, because overviews are averages and averaging shrinks
the tails that percentiles are about. What is not data (nodata, masks, NaN, infinities, sentinels)
is left out before any statistic.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import SceneContentError

__all__ = ["BlockSample", "Stretch", "StretchMode", "apply_stretch", "find_fill", "make_tables"]

StretchMode = Literal["auto", "joint", "per_band", "none"]

PERCENTILES = (2.0, 98.0)
_FLOAT_SENTINELS = (-9999.0, -99999.0, -32768.0, -32767.0, -999.0, -1e10, 1e20, 0.0)
HUGE = 1e30
"""Beyond any radiance or reflectance: what floats hold there is fill."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """How stored values become 0 to 255, per shown band."""

    kind: Literal["identity", "linear"]
    low: tuple[float, ...] = ()
    """Stored value that becomes 0, for each of the chosen bands."""
    high: tuple[float, ...] = ()
    """Stored value that becomes 255."""
    mode: str = "none"
    """``none`` (8 bits as they are), ``joint``, ``per_band`` or ``given``."""
    blocks: int = 0
    """Full-resolution blocks with valid pixels it was computed from."""

    def __post_init__(self) -> None:
        if self.kind == "linear" and not (
            len(self.low) == len(self.high) > 0
            and all(h > l for l, h in zip(self.low, self.high, strict=True))  # noqa: E741
        ):
            raise SceneContentError(
                f"a stretch needs low < high for every band; got {self.low} and {self.high}"
            )

    def to_dict(self) -> dict[str, Any]:
        """For provenance."""
        if self.kind == "identity":
            return {"kind": "identity"}
        return {
            "kind": "linear", "mode": self.mode, "low": list(self.low), "high": list(self.high),
            "percentiles": list(PERCENTILES) if self.mode in ("joint", "per_band") else None,
            "blocks": self.blocks,
        }  # fmt: skip


def make_tables(stretch: Stretch, dtype: np.dtype[Any]) -> NDArray[np.uint8] | None:
    """Lookup tables for integers of 8 or 16 bits.

    Returns:
        uint8[C, 256 or 65536], indexed by the stored value seen as unsigned; None for the identity
        and for dtypes that are too wide for a table.
    """
    if stretch.kind == "identity" or dtype.kind not in "iu" or dtype.itemsize > 2:
        return None
    bits = np.dtype(f"u{dtype.itemsize}")
    values = np.arange(np.iinfo(bits).max + 1, dtype=bits).view(dtype).astype(np.float64)
    return np.stack(
        [_linear(values, lo, hi) for lo, hi in zip(stretch.low, stretch.high, strict=True)]
    )


def _linear(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.uint8]:
    scaled = (values - low) * (255.0 / (high - low)) + 0.5
    return np.clip(scaled, 0.0, 255.0).astype(np.uint8)


def apply_stretch(
    pixels: NDArray[Any],
    stretch: Stretch,
    tables: NDArray[np.uint8] | None,
    out: NDArray[np.uint8],
) -> None:
    """Write stored values as 8 bits.

    Args:
        pixels: ``[H, W, C]`` as stored, finite where valid.
        stretch: The scene's.
        tables: Of :func:`make_tables`.
        out: uint8[H, W, 3], written; a single band goes to all three channels.
    """
    if stretch.kind == "identity":
        out[...] = pixels
    elif tables is not None:
        _look_up(pixels, tables, out)
    else:
        _scale(pixels, stretch, out)
    if pixels.shape[2] == 1 and stretch.kind != "identity":
        out[..., 1] = out[..., 0]
        out[..., 2] = out[..., 0]


_ROWS = 64
"""Rows at a time: indexes and result stay in the processor's cache, which halves the time."""


def _look_up(pixels: NDArray[Any], tables: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    index = pixels if pixels.dtype.kind == "u" else pixels.view(f"u{pixels.dtype.itemsize}")
    for c in range(index.shape[2]):
        for r in range(0, index.shape[0], _ROWS):
            rows = slice(r, r + _ROWS)
            np.take(tables[c], index[rows, :, c], out=out[rows, :, c], mode="clip")


def _scale(pixels: NDArray[Any], stretch: Stretch, out: NDArray[np.uint8]) -> None:
    for c in range(pixels.shape[2]):
        band = pixels[..., c]
        wide: Any = np.float32 if band.dtype == np.float32 else np.float64
        scaled: Any = band.astype(wide)
        with np.errstate(invalid="ignore", over="ignore"):
            scaled -= wide(stretch.low[c])
            scaled *= wide(255.0 / (stretch.high[c] - stretch.low[c]))
            scaled += wide(0.5)
            np.clip(scaled, 0.0, 255.0, out=scaled)
        np.nan_to_num(scaled, copy=False, nan=0.0)
        out[..., c] = scaled


@dataclass(slots=True)
class BlockSample:
    """Values of full-resolution blocks, gathered block by block."""

    dtype: np.dtype[Any]
    count: int
    """Bands."""
    per_block: int = 8192
    """Values kept per block, for dtypes too wide for a histogram."""
    blocks: int = 0
    valid_blocks: int = 0
    pixels: int = 0
    valid_pixels: int = 0
    _kept: list[NDArray[Any]] = field(default_factory=list)
    _hist: NDArray[np.int64] | None = None
    _all_equal: dict[float, int] = field(default_factory=dict)
    _huge: dict[float, int] = field(default_factory=dict)

    @property
    def exact(self) -> bool:
        """Whether every value is counted (8 and 16 bits)."""
        return self.dtype.kind in "iu" and self.dtype.itemsize <= 2

    @property
    def base(self) -> int:
        """Stored value of the histogram's first bin."""
        return int(np.iinfo(self.dtype).min)

    def add(self, pixels: NDArray[Any], valid: NDArray[np.bool_] | None) -> None:
        """Take in a block.

        Args:
            pixels: ``[C, H, W]`` as stored.
            valid: bool[H, W] or None for all.
        """
        flat = pixels.reshape(self.count, -1)
        self.blocks += 1
        self.pixels += flat.shape[1]
        keep = np.ones(flat.shape[1], bool) if valid is None else valid.reshape(-1)
        if self.dtype.kind == "f":
            small = (np.abs(flat) < HUGE).all(axis=0)  # False for NaN too
            if not small.all():
                self._count_huge(flat[:, keep & ~small])
            keep = keep & small
        flat = flat[:, keep] if not keep.all() else flat
        self.valid_pixels += flat.shape[1]
        if flat.shape[1] == 0:
            return
        self.valid_blocks += 1
        if self.exact:
            size = int(np.iinfo(self.dtype).max) - self.base + 1
            if self._hist is None:
                self._hist = np.zeros((self.count, size), np.int64)
            for c in range(self.count):
                shifted = flat[c].astype(np.int64) - self.base
                self._hist[c] += np.bincount(shifted, minlength=size)
            for value in {self.base, 0, -9999, -32768, int(np.iinfo(self.dtype).max)}:
                if self.base <= value <= np.iinfo(self.dtype).max:
                    self._count_all_equal(flat, self.dtype.type(value))
        else:
            step = max(1, flat.shape[1] // self.per_block)
            self._kept.append(flat[:, ::step].astype(np.float64))
            for sentinel in _FLOAT_SENTINELS:
                self._count_all_equal(flat, sentinel)

    def _count_all_equal(self, flat: NDArray[Any], value: Any) -> None:
        with np.errstate(over="ignore"):
            hits = int((flat == value).all(axis=0).sum())
        if hits:
            self._all_equal[float(value)] = self._all_equal.get(float(value), 0) + hits

    def _count_huge(self, flat: NDArray[Any]) -> None:
        same = np.isfinite(flat).all(axis=0) & (flat == flat[0]).all(axis=0)
        for value, hits in zip(*np.unique(flat[0, same], return_counts=True), strict=True):
            self._huge[float(value)] = self._huge.get(float(value), 0) + int(hits)

    def huge(self) -> float | None:
        """The huge value that most pixels hold in every band (0.1 % at least), or None."""
        value = max(self._huge, key=lambda v: self._huge[v], default=None)
        if value is None or self._huge[value] < 0.001 * self.pixels:
            return None
        return value

    def values(self, band: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Distinct values of a band, ascending, and how often each was seen."""
        if self._hist is not None:
            (seen,) = self._hist[band].nonzero()
            return (seen + self.base).astype(np.float64), self._hist[band][seen]
        if not self._kept:
            return np.empty(0), np.empty(0, np.int64)
        return np.unique(np.concatenate([k[band] for k in self._kept]), return_counts=True)

    def all_equal(self) -> dict[float, int]:
        """Suspicious value -> pixels that hold it in every band."""
        return dict(self._all_equal)

    def without(self, fill: float) -> BlockSample:
        """The same sample, less what holds a fill value."""
        if fill in self._huge:
            return self
        other = BlockSample(self.dtype, self.count, self.per_block, self.blocks, self.valid_blocks,
                            self.pixels, self.valid_pixels)  # fmt: skip
        hits = self._all_equal.get(fill, 0)
        other.valid_pixels -= hits
        if self._hist is not None:
            other._hist = self._hist.copy()
            other._hist[:, int(fill) - self.base] -= hits
        other._kept = [k[:, ~(k == fill).all(axis=0)] for k in self._kept]
        other._all_equal = {v: n for v, n in self._all_equal.items() if v != fill}
        return other

    def limits(self, mode: StretchMode) -> tuple[tuple[float, ...], tuple[float, ...], str]:
        """Percentiles of the valid values.

        Returns:
            Low and high of each band, and the mode that was taken.

        Raises:
            SceneContentError: There is nothing valid.
        """
        if self.valid_pixels <= 0:
            raise SceneContentError("no valid pixel")
        each = [weighted_percentiles(*self.values(c), PERCENTILES) for c in range(self.count)]
        low, high = min(lo for lo, _ in each), max(hi for _, hi in each)
        if mode == "auto":
            # one scale keeps colours true; bands on different scales would lose their contrast
            span = high - low
            alike = all(hi - lo >= 0.5 * span for lo, hi in each)
            mode = "joint" if alike else "per_band"
        if mode == "joint":
            every = [self.values(c) for c in range(self.count)]
            values, inverse = np.unique(np.concatenate([v for v, _ in every]), return_inverse=True)
            counts = np.bincount(inverse, weights=np.concatenate([n for _, n in every]))
            each = [weighted_percentiles(values, counts, PERCENTILES)] * self.count
        each = [(lo, hi) if hi > lo else (lo - 0.5, lo + 0.5) for lo, hi in each]
        return tuple(lo for lo, _ in each), tuple(hi for _, hi in each), mode


def weighted_percentiles(
    values: NDArray[np.float64], counts: NDArray[Any], percentiles: tuple[float, float]
) -> tuple[float, float]:
    """Percentiles of values that come with counts; the lower value at a step, as ``inverted_cdf``.

    Args:
        values: float64[n], ascending.
        counts: How often each was seen.
        percentiles: Two, in percent.
    """
    total = np.cumsum(counts)
    ranks = np.array(percentiles) / 100.0 * total[-1]
    at = np.searchsorted(total, ranks, side="left")
    low, high = values[np.minimum(at, len(values) - 1)]
    return float(low), float(high)


def find_fill(sample: BlockSample) -> float | None:
    """An undeclared fill value that gives itself away, or None.

    A value counts as fill when at least 0.5 % of the pixels (0.1 % for values that no sensor
    delivers) hold it in every band, it is the lowest or highest value there is, and the
    neighbourhood between it and the data is empty.
    """
    huge = sample.huge()
    if huge is not None:
        return huge
    best: tuple[int, float] | None = None
    for value, hits in sample.all_equal().items():
        never_real = value in (-9999.0, -99999.0, -32768.0, -32767.0, -1e10, 1e20)
        if hits < (0.001 if never_real else 0.005) * sample.valid_pixels:
            continue
        if sample.valid_pixels - hits <= 0:
            continue
        if all(_isolated(sample, c, value, hits) for c in range(sample.count)):
            best = max(best or (hits, value), (hits, value))
    return None if best is None else best[1]


def _isolated(sample: BlockSample, band: int, fill: float, hits: int) -> bool:
    values, counts = sample.values(band)
    # a wide dtype is subsampled: compare shares, not numbers
    scaled_hits = hits / sample.valid_pixels * counts.sum()
    rest = values != fill
    values, counts = values[rest], counts[rest]
    if not len(values):
        return True  # this band holds nothing else; another one decides
    low, high = weighted_percentiles(values, counts, (1.0, 99.0))
    # black shadows and saturated roofs have near-black and near-white beside them: fill has none
    if fill < low:
        room = max(0.5 * (low - fill), 0.03 * (high - low))
        between = (values > fill) & (values < fill + room)
        outside = values < fill
    elif fill > high:
        room = max(0.5 * (fill - high), 0.03 * (high - low))
        between = (values < fill) & (values > fill - room)
        outside = values > fill
    else:
        return False
    return bool(counts[between].sum() <= 0.05 * scaled_hits and not counts[outside].sum())
