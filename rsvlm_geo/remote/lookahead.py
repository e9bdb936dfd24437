"""Which bytes the next windows will need, so that they can be fetched before they are asked for.

A hint only: a wrong guess costs speed, never a pixel.
"""

from __future__ import annotations

from typing import Any

__all__ = ["BlockIndex", "WindowGuess"]


class BlockIndex:
    """Where the blocks of a TIFF lie in its file."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self._known: dict[tuple[int, int, int, int], tuple[int, int] | None] = {}
        self._is_tiff = dataset.driver in ("GTiff", "COG") and dataset.count > 0
        if not self._is_tiff:
            return
        self._by_band = dataset.profile.get("interleave") == "band"
        self._levels = [1, *dataset.overviews(1)]
        block = dataset.block_shapes[0]
        self._block = (int(block[0]), int(block[1]))

    def spans(self, window: Any, out_shape: Any, indexes: Any) -> list[tuple[int, int]]:
        """Byte ranges of the blocks under a window, at the overview that GDAL will take.

        Args:
            window: Anything with ``col_off row_off width height``, or rasterio's pairs of ranges.
            out_shape: As in ``read``; None for the window's own.
            indexes: As in ``read``.
        """
        if not self._is_tiff:
            return []
        if not hasattr(window, "col_off"):
            (r0, r1), (c0, c1) = window
        else:
            c0, r0 = window.col_off, window.row_off
            c1, r1 = c0 + window.width, r0 + window.height
        ratio = 1.0
        if out_shape is not None and r1 > r0 and c1 > c0:
            ratio = min((r1 - r0) / out_shape[-2], (c1 - c0) / out_shape[-1])
        level = max(
            (i for i, factor in enumerate(self._levels) if factor <= ratio * 1.2), default=0
        )
        factor = self._levels[level]
        rows, cols = self._block if level == 0 else self._overview_block()
        width = -(-self._dataset.width // factor)
        height = -(-self._dataset.height // factor)
        bands = self._bands(indexes)
        found = []
        for by in range(max(0, int(r0 / factor) // rows),
                        -(-min(height, int(r1 / factor) + 1) // rows)):  # fmt: skip
            for bx in range(max(0, int(c0 / factor) // cols),
                            -(-min(width, int(c1 / factor) + 1) // cols)):  # fmt: skip
                for band in bands:
                    span = self._span(bx, by, band, level)
                    if span is not None:
                        found.append(span)
        return found

    def _overview_block(self) -> tuple[int, int]:
        # GDAL writes overviews in the blocks of the image when tiled; strips only guess
        return self._block if self._block[1] < self._dataset.width else (self._block[0], 1 << 30)

    def _bands(self, indexes: Any) -> tuple[int, ...]:
        if not self._by_band:
            return (1,)
        if indexes is None:
            return tuple(range(1, self._dataset.count + 1))
        return (indexes,) if isinstance(indexes, int) else tuple(indexes)

    def _span(self, bx: int, by: int, band: int, level: int) -> tuple[int, int] | None:
        key = (bx, by, band, level)
        if key not in self._known:
            options: dict[str, Any] = {"bidx": band}
            if level:
                options["ovr"] = level - 1
            tag = self._dataset.get_tag_item
            offset, size = tag(f"BLOCK_OFFSET_{bx}_{by}", "TIFF", **options), None
            if offset is not None:
                size = tag(f"BLOCK_SIZE_{bx}_{by}", "TIFF", **options)
            if len(self._known) > 200_000:
                self._known.clear()
            self._known[key] = (int(offset), int(offset) + int(size)) if offset and size else None
        return self._known[key]


class WindowGuess:
    """Guesses the windows to come from those that came, for row-major reading."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None
        self._first_col: float = 0.0
        self._step: tuple[float, float] = (0.0, 0.0)
        self._end: float | None = None

    def next_windows(
        self, window: Any, width: int, height: int, count: int
    ) -> list[tuple[tuple[float, float], tuple[float, float]]]:
        """Up to ``count`` windows of the same size that are likely next, nearest first."""
        if not hasattr(window, "col_off"):
            (r0, r1), (c0, c1) = window
        else:
            c0, r0 = window.col_off, window.row_off
            c1, r1 = c0 + window.width, r0 + window.height
        wide, high = c1 - c0, r1 - r0
        step_x, step_y = self._step
        if self._last is None:
            self._first_col = c0
        else:
            last_c, last_r = self._last
            if r0 == last_r and c0 > last_c:
                step_x = c0 - last_c
            elif r0 > last_r:
                step_y, self._end = r0 - last_r, last_c
                self._first_col = c0
        self._last, self._step = (c0, r0), (step_x or wide, step_y or high)
        step_x, step_y = self._step
        end = self._end if self._end is not None else width - 1
        found = []
        col, row = c0, r0
        for _ in range(count):
            col += step_x
            if col > end or col >= width:
                col, row = self._first_col, row + step_y
                if row >= height:
                    break
            found.append(((row, row + high), (col, col + wide)))
        return found
