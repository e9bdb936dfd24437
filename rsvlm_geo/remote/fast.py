"""Blocks of tiled TIFFs decoded by async-tiff, several at a time, beside GDAL.

Optional (extra ``remote``). The bytes still come through :class:`HttpFile`, with its retries,
signatures and rules; only the decoding is handed over. A file is taken up only after two of its
blocks have been decoded both ways and came out equal, so a reader with the fast path and one
without give the same pixels; anything unusual stays with GDAL.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.remote.auth import redact
from rsvlm_geo.remote.http import HttpFile
from rsvlm_geo.remote.lookahead import BlockIndex

__all__ = ["FastBlocks", "open_fast"]

_KEPT_BYTES = 96 << 20
_COMPRESSIONS = ("DEFLATE", "ZSTD", "LZW", "JPEG", "LERC", "NONE")


@lru_cache(maxsize=2)
def _loop(pid: int) -> asyncio.AbstractEventLoop:
    """An event loop in a thread of its own, one per process."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="rsvlm-fast", daemon=True).start()
    return loop


@lru_cache(maxsize=2)
def _readers(pid: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(32, thread_name_prefix="rsvlm-fast-read")


class _Input:
    """An :class:`HttpFile` as async-tiff wants its bytes."""

    def __init__(self, file: HttpFile) -> None:
        self._file = file

    async def get_range_async(
        self, path: str, *, start: int, end: int | None = None, length: int | None = None
    ) -> bytes:
        size = length if length is not None else (end or self._file.size) - start
        pool = _readers(os.getpid())
        return await asyncio.get_running_loop().run_in_executor(
            pool, self._file.read_at, start, size
        )

    async def get_ranges_async(
        self, path: str, *, starts: Sequence[int], ends: Sequence[int] | None = None,
        lengths: Sequence[int] | None = None,
    ) -> list[bytes]:  # fmt: skip
        stops = ends or [s + n for s, n in zip(starts, lengths or (), strict=True)]
        return list(
            await asyncio.gather(
                *(
                    self.get_range_async(path, start=s, end=e)
                    for s, e in zip(starts, stops, strict=True)
                )
            )
        )


class FastBlocks:
    """The full-resolution blocks of one TIFF, decoded ahead and kept in a bounded cache."""

    def __init__(self, tiff: Any, ifd: Any) -> None:
        self._tiff = tiff
        self.width, self.height = int(ifd.image_width), int(ifd.image_height)
        self.block = (int(ifd.tile_height), int(ifd.tile_width))
        self.count = int(ifd.samples_per_pixel)
        self._planar = int(ifd.planar_configuration) == 2
        self._kept: OrderedDict[tuple[int, int], Future[NDArray[Any]]] = OrderedDict()
        size = self.block[0] * self.block[1] * self.count * (max(ifd.bits_per_sample) // 8 or 1)
        self._keep = max(16, _KEPT_BYTES // size)

    def will_read(self, windows: Sequence[tuple[int, int, int, int]]) -> None:
        """Start on the blocks under windows ``(col_off, row_off, width, height)``."""
        for window in windows:
            for key in self._keys(*window):
                self._block(key)

    def read(
        self, window: tuple[int, int, int, int], indexes: Sequence[int], out: NDArray[Any]
    ) -> None:
        """Fill ``out[C, H, W]`` with a window of whole pixels inside the image.

        Raises:
            Exception: Whatever failed while fetching or decoding; nothing is kept of it.
        """
        col, row, width, height = window
        bh, bw = self.block
        bands = [i - 1 for i in indexes]
        for key in self._keys(*window):
            pixels = self._wait(key)
            bx, by = key
            r0, r1 = max(row, by * bh), min(row + height, (by + 1) * bh, self.height)
            c0, c1 = max(col, bx * bw), min(col + width, (bx + 1) * bw, self.width)
            part = pixels[r0 - by * bh : r1 - by * bh, c0 - bx * bw : c1 - bx * bw]
            target = out[:, r0 - row : r1 - row, c0 - col : c1 - col]
            for c, band in enumerate(bands):
                target[c] = part[..., band]

    def _keys(self, col: int, row: int, width: int, height: int) -> list[tuple[int, int]]:
        bh, bw = self.block
        right, bottom = min(col + width, self.width), min(row + height, self.height)
        return [
            (bx, by)
            for by in range(max(row, 0) // bh, -(-bottom // bh))
            for bx in range(max(col, 0) // bw, -(-right // bw))
        ]

    def _block(self, key: tuple[int, int]) -> Future[NDArray[Any]]:
        future = self._kept.get(key)
        if future is None:
            future = asyncio.run_coroutine_threadsafe(self._fetch(key), _loop(os.getpid()))
            self._kept[key] = future
            while len(self._kept) > self._keep:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return future

    def _wait(self, key: tuple[int, int]) -> NDArray[Any]:
        try:
            return self._block(key).result()
        except BaseException:
            self._kept.pop(key, None)
            raise

    async def _fetch(self, key: tuple[int, int]) -> NDArray[Any]:
        tile = await self._tiff.fetch_tile(*key, 0)
        pixels = np.asarray(await tile.decode())
        return pixels.transpose(1, 2, 0) if self._planar else pixels


def open_fast(file: HttpFile, dataset: Any) -> FastBlocks | None:
    """The fast path for an open file, or None when it is not for it.

    Args:
        file: The bytes.
        dataset: The same file, opened by GDAL; the judge of what is right.
    """
    try:
        import async_tiff
    except ImportError:
        return None
    compression = str(getattr(dataset.compression, "value", dataset.compression or "NONE")).upper()
    if (
        dataset.driver != "GTiff"
        or compression not in _COMPRESSIONS
        or dataset.block_shapes[0][1] >= dataset.width
        or len(set(dataset.dtypes)) != 1
    ):
        return None
    try:
        task = asyncio.run_coroutine_threadsafe(_open(async_tiff, file), _loop(os.getpid()))
        tiff = task.result(timeout=60)
        blocks = FastBlocks(tiff, tiff.ifds[0])
        same = (blocks.width, blocks.height, blocks.count) == (
            dataset.width, dataset.height, dataset.count,
        )  # fmt: skip
        if not same or not _vouched(file, blocks, dataset):
            return None
    except BaseException as error:
        # Rust panics are BaseException; an unusual file stays with GDAL
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        return None
    return blocks


async def _open(async_tiff: Any, file: HttpFile) -> Any:
    return await async_tiff.TIFF.open("a.tif", store=_Input(file), prefetch=1 << 16)


_seen: OrderedDict[tuple[str, int, str], bool] = OrderedDict()
"""Which versions of which files agreed: a batch opens the same file for every task."""


def _vouched(file: HttpFile, blocks: FastBlocks, dataset: Any) -> bool:
    """Whether this file's blocks come out as GDAL's; looked at once in a process."""
    key = (redact(file.href), file.size, file.etag or "")
    if file.etag is None or key not in _seen:
        agrees = _agrees(file, blocks, dataset)
        if file.etag is None:
            return agrees
        _seen[key] = agrees
        while len(_seen) > 4096:
            _seen.popitem(last=False)
    return _seen[key]


def _agrees(file: HttpFile, blocks: FastBlocks, dataset: Any) -> bool:
    """Whether the first and the middle block come out as GDAL's."""
    from rasterio.windows import Window

    bh, bw = blocks.block
    middle = (blocks.width // 2 // bw * bw, blocks.height // 2 // bh * bh)
    places = [
        (col, row, min(bw, blocks.width - col), min(bh, blocks.height - row))
        for col, row in dict.fromkeys(((0, 0), middle))
    ]
    index = BlockIndex(dataset)  # both blocks on their way before the first is looked at
    file.will_read([s for p in places for s in index.spans(Window(*p), None, None)])
    for col, row, width, height in places:
        want = dataset.read(window=Window(col, row, width, height))
        got = np.empty_like(want)
        blocks.read((col, row, width, height), range(1, blocks.count + 1), got)
        if not np.array_equal(got, want, equal_nan=want.dtype.kind == "f"):
            return False
    return True
