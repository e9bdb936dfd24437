"""Whole-pixel windows, tiles and tilings, and the maths between pixels and map. Pure.

A tile has a *window* (what the model sees) and a *core* (what it answers for). The cores of a grid
partition its extent: every pixel lies in exactly one, so that a count counts once. Windows overlap
by at least twice the margin, so that an object up to a margin wide is seen whole by the tile
whose core holds its centre.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import GridError

__all__ = ["Affine6", "Grid", "Tile", "Window", "apply_affine", "compose_affine", "plan_grid"]

Affine6 = tuple[float, float, float, float, float, float]
"""``(a, b, c, d, e, f)``: ``x = a * col + b * row + c``, ``y = d * col + e * row + f``."""


@dataclass(frozen=True, slots=True)
class Window:
    """A whole-pixel rectangle of a scene, origin top left; it may reach beyond the scene."""

    col_off: int
    """First column."""
    row_off: int
    """First row."""
    width: int
    """Columns, at least 1."""
    height: int
    """Rows, at least 1."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise GridError(
                f"a window needs at least 1 x 1 pixel; got {self.width} x {self.height}"
            )

    @property
    def col_end(self) -> int:
        """One past the last column."""
        return self.col_off + self.width

    @property
    def row_end(self) -> int:
        """One past the last row."""
        return self.row_off + self.height

    @property
    def area_px(self) -> int:
        """Pixels it holds."""
        return self.width * self.height

    def intersection(self, other: Window) -> Window | None:
        """The part both share, or None."""
        col_off, row_off = max(self.col_off, other.col_off), max(self.row_off, other.row_off)
        width = min(self.col_end, other.col_end) - col_off
        height = min(self.row_end, other.row_end) - row_off
        return Window(col_off, row_off, width, height) if width > 0 and height > 0 else None

    def contains(self, xy: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which points lie inside, left and top edges included.

        Args:
            xy: float64[n, 2], ``(x, y)`` in scene pixels, edges not centres.

        Returns:
            bool[n].
        """
        x, y = xy[:, 0], xy[:, 1]
        inside: NDArray[np.bool_] = (
            (x >= self.col_off) & (x < self.col_end) & (y >= self.row_off) & (y < self.row_end)
        )
        return inside

    def polygon(self) -> NDArray[np.float64]:
        """float64[5, 2]: its corners as a closed ring in scene pixels."""
        x0, y0, x1, y1 = self.col_off, self.row_off, self.col_end, self.row_end
        return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Tile:
    """One question's worth of a scene."""

    row: int
    """Row in the grid, from the top."""
    col: int
    """Column in the grid, from the left."""
    core: Window
    """What it answers for."""
    window: Window
    """What the model sees: the core and a margin, scaled to the model's square image."""

    @property
    def tile_id(self) -> str:
        """``row/col``, unique within a grid."""
        return f"{self.row}/{self.col}"

    def to_scene(self, xy: NDArray[np.float64], image_size: int) -> NDArray[np.float64]:
        """Points of the model's image as scene pixels.

        Args:
            xy: float64[..., 2], ``(x, y)`` in pixels of the model's image, edges not centres.
            image_size: Side of the model's image, pixels.
        """
        scale = np.array([self.window.width, self.window.height], dtype=np.float64) / image_size
        offset = np.array([self.window.col_off, self.window.row_off], dtype=np.float64)
        placed: NDArray[np.float64] = xy * scale + offset
        return placed


@dataclass(frozen=True, slots=True)
class Grid:
    """A tiling of an extent; iterates row-major without holding its tiles."""

    extent: Window
    """What the cores partition."""
    size: tuple[int, int]
    """``(width, height)`` of every window, scene pixels."""
    margin: tuple[int, int]
    """``(x, y)``, the least a window reaches beyond its core inside the extent, scene pixels."""
    col_starts: tuple[int, ...]
    """First column of each column's windows."""
    row_starts: tuple[int, ...]
    """First row of each row's windows."""

    @property
    def shape(self) -> tuple[int, int]:
        """``(rows, columns)`` of tiles."""
        return len(self.row_starts), len(self.col_starts)

    def __len__(self) -> int:
        return len(self.row_starts) * len(self.col_starts)

    def __iter__(self) -> Iterator[Tile]:
        for row in range(len(self.row_starts)):
            yield from self.row_band(row)

    def row_band(self, row: int) -> Iterator[Tile]:
        """The tiles of one grid row, left to right."""
        for col in range(len(self.col_starts)):
            yield self.tile(row, col)

    def tile(self, row: int, col: int) -> Tile:
        """The tile at a place in the grid."""
        extent = self.extent
        x0, x1 = _core_span(self.col_starts, col, self.size[0], extent.col_off, extent.col_end)
        y0, y1 = _core_span(self.row_starts, row, self.size[1], extent.row_off, extent.row_end)
        return Tile(
            row=row,
            col=col,
            core=Window(x0, y0, x1 - x0, y1 - y0),
            window=Window(self.col_starts[col], self.row_starts[row], *self.size),
        )


def plan_grid(
    extent: Window, size: tuple[int, int], margin: tuple[int, int], *, within: Window | None = None
) -> Grid:
    """Tile an extent with windows of one size.

    Windows are laid every ``size - 2 * margin`` pixels; the last of a row or column is moved back
    so that it ends where the extent does, and none leaves ``within`` unless ``within`` is smaller
    than a window (then the reader pads). Neighbouring cores meet in the middle of the overlap.

    Args:
        extent: The pixels to answer for.
        size: ``(width, height)`` of a window, scene pixels.
        margin: ``(x, y)``, scene pixels, under half the size.
        within: Where windows may lie, normally the whole scene; the extent itself by default.

    Raises:
        GridError: The margin leaves no core.
    """
    within = within or extent
    starts = []
    for axis, (off, length, low, high) in enumerate(
        (
            (extent.col_off, extent.width, within.col_off, within.col_end),
            (extent.row_off, extent.height, within.row_off, within.row_end),
        )
    ):
        if size[axis] < 1 or margin[axis] < 0 or size[axis] - 2 * margin[axis] < 1:
            raise GridError(
                f"tiles of {size[axis]} px with a margin of {margin[axis]} px leave no core; "
                f"take a margin under {size[axis] // 2} px or larger tiles"
            )
        starts.append(_window_starts(off, length, size[axis], margin[axis], low, high))
    return Grid(extent, size, margin, starts[0], starts[1])


def _window_starts(
    off: int, length: int, size: int, margin: int, low: int, high: int
) -> tuple[int, ...]:
    if length <= size:
        centred = off - (size - length) // 2
        return (max(low, min(centred, high - size)),)
    stride = size - 2 * margin
    count = -(-(length - size) // stride) + 1
    last = off + length - size
    return tuple(min(off + i * stride, last) for i in range(count))


def _core_span(
    starts: tuple[int, ...], index: int, size: int, first: int, end: int
) -> tuple[int, int]:
    low = first if index == 0 else (starts[index - 1] + size + starts[index]) // 2
    high = end if index == len(starts) - 1 else (starts[index] + size + starts[index + 1]) // 2
    return low, high


def apply_affine(transform: Affine6, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move points through an affine given by its six numbers.

    Args:
        transform: ``(a, b, c, d, e, f)``, as the first six of ``rasterio``'s ``transform``.
        xy: float64[..., 2], ``(x, y)``; pixel *edges* when the transform is a raster's.

    Returns:
        float64[..., 2], in units of the transform's target (the scene's CRS).
    """
    a, b, c, d, e, f = transform[:6]
    x, y = xy[..., 0], xy[..., 1]
    return np.stack([a * x + b * y + c, d * x + e * y + f], axis=-1)


def compose_affine(outer: Affine6, inner: Affine6) -> Affine6:
    """The affine that applies ``inner`` first, then ``outer``."""
    a, b, c, d, e, f = outer[:6]
    g, h, i, j, k, m = inner[:6]
    return (
        a * g + b * j,
        a * h + b * k,
        a * i + b * m + c,
        d * g + e * j,
        d * h + e * k,
        d * i + e * m + f,
    )
