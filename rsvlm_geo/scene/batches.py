"""Batches of tiles, read ahead of the model by a bounded queue; and what they covered."""

from __future__ import annotations

import ctypes
import os
import queue
import sys
import threading
from collections.abc import Collection, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from rsvlm_geo.answers import Coverage
from rsvlm_geo.scene.model import Scene
from rsvlm_geo.scene.plan import TilePlan
from rsvlm_geo.scene.reader import RetryPolicy, TileImage, TileReader, cache_bytes

__all__ = ["CoverageMeter", "TileBatch", "iter_batches", "iter_tiles"]


@dataclass(frozen=True, slots=True)
class TileBatch:
    """A stretch of the grid, row-major, with the images that the model is to be shown."""

    items: tuple[TileImage, ...]
    """Every tile of the stretch: ok, nodata and failed."""
    images: NDArray[np.uint8]
    """uint8[B, S, S, 3]: the images of the ``ok`` items, in order; a view of uint8[B, 3, S, S]."""
    rows_done: int
    """Grid rows that are complete with this batch."""

    @property
    def shown(self) -> tuple[TileImage, ...]:
        """The items that belong to ``images``, in order."""
        return tuple(item for item in self.items if item.status == "ok")


def iter_batches(
    scene: Scene,
    plan: TilePlan,
    *,
    batch: int = 8,
    prefetch: int = 2,
    skip: Collection[str] = frozenset(),
    retry: RetryPolicy | None = None,
    readers: int = 1,
) -> Generator[TileBatch, None, None]:
    """Read the tiles of a plan in batches, while the caller works on the batch before.

    Memory is bounded by ``(prefetch + 2) * batch`` images and one block cache. Closing the
    generator (or leaving a ``with contextlib.closing(...)``) stops the reading threads.

    Args:
        scene: What to read.
        plan: Its tiles.
        batch: Images per batch; the last one may be smaller.
        prefetch: Batches to read ahead.
        skip: ``tile_id`` of tiles that need not be read: they are left out of the items.
        retry: What to do when a window cannot be read.
        readers: Threads, each with the file open for itself and its own grid rows.

    Yields:
        Batches in row-major order; a batch without images still reports its items.
    """
    side = plan.image_size
    held: list[TileImage] = []
    count = 0
    rows = 0
    tiles = iter_tiles(scene, plan, ahead=prefetch * batch, skip=skip, retry=retry, readers=readers)
    try:
        for item in tiles:
            if item is None:
                rows += 1
                continue
            held.append(item)
            count += item.status == "ok"
            # runs of nodata must not pile up unseen
            if count >= batch or len(held) >= 64 * batch:
                yield _make_batch(held, side, rows)
                held, count = [], 0
        if held or rows:
            yield _make_batch(held, side, rows)
    finally:
        tiles.close()


def _make_batch(held: list[TileImage], side: int, rows_done: int) -> TileBatch:
    shown = [item.image for item in held if item.image is not None]
    if not shown:
        images = np.empty((0, side, side, 3), np.uint8)
    else:
        images = _as_they_lie(shown)
    return TileBatch(tuple(held), images, rows_done)


def _as_they_lie(shown: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Images as one array: without a copy when they were read into one, side by side."""
    block = shown[0].base
    if isinstance(block, np.ndarray) and block.ndim == 4 and all(i.base is block for i in shown):
        starts = [(i.ctypes.data - block.ctypes.data) // block.strides[0] for i in shown]
        if starts == list(range(starts[0], starts[0] + len(shown))):
            return block[starts[0] : starts[0] + len(shown)].transpose(0, 2, 3, 1)
    return np.stack([image.transpose(2, 0, 1) for image in shown]).transpose(0, 2, 3, 1)


def iter_tiles(
    scene: Scene,
    plan: TilePlan,
    *,
    ahead: int = 16,
    skip: Collection[str] = frozenset(),
    retry: RetryPolicy | None = None,
    readers: int = 1,
    batch: int = 8,
) -> Generator[TileImage | None, None, None]:
    """The tiles of a plan, row-major, read ahead by threads; None after each grid row.

    Images are read into arrays of ``batch``, so that a batch needs no copy.
    """
    n_rows = plan.grid.shape[0]
    readers = max(1, min(readers, n_rows))
    per_thread = max(2, -(-ahead // readers))
    stop = threading.Event()
    lanes = [_Lane(per_thread, stop) for _ in range(readers)]
    need = cache_bytes(scene, plan.grid.size, plan.grid.extent.width, plan.grid.row_starts)

    def work(lane: _Lane, first: int) -> None:
        _step_back()
        try:
            with (
                # an int is bytes here; the environment variable of the same name is megabytes
                rasterio.Env(GDAL_CACHEMAX=need * readers),
                TileReader(scene, plan.image_size, retry=retry) as reader,
            ):
                slots = _Slots(batch, plan.image_size)
                for row in range(first, n_rows, readers):
                    for tile in plan.row_band(row):
                        if stop.is_set():
                            return
                        if tile.tile_id not in skip:
                            item = reader.read(tile, min_valid=plan.min_valid, out=slots.free)
                            if item.status == "ok":
                                slots.take()
                            lane.put(item)
                    lane.put(None)
        except BaseException as error:  # handed to the consumer, which raises it
            lane.put(_Raised(error))

    threads = [
        threading.Thread(target=work, args=(lane, i), name=f"rsvlm-read-{i}", daemon=True)
        for i, lane in enumerate(lanes)
    ]
    _give_back()
    for thread in threads:
        thread.start()
    try:
        for row in range(n_rows):
            lane = lanes[row % readers]
            while True:
                item = lane.get()
                if isinstance(item, _Raised):
                    raise item.error
                yield item
                if item is None:
                    break
    finally:
        stop.set()
        for lane, thread in zip(lanes, threads, strict=True):
            lane.drain()
            thread.join()
        _give_back()


def _step_back() -> None:
    """Let the model's threads go first: a batch that is read ahead can wait, they cannot.

    Each waits for all others at the end of every operator. Only Linux has priorities by thread.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            me = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, me, os.getpriority(os.PRIO_PROCESS, me) + 10)


def _give_back() -> None:
    """Return freed memory to the system: before the block cache grows, and before the tables do.

    The C library keeps what one thread frees from the others; only glibc can be asked to let go.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


@dataclass(frozen=True, slots=True)
class _Raised:
    error: BaseException


class _Slots:
    """Rows of batch arrays, handed out one by one; a row that was not taken is used again."""

    def __init__(self, batch: int, side: int) -> None:
        self._shape = (batch, 3, side, side)
        self._block = np.empty(self._shape, np.uint8)
        self._next = 0

    @property
    def free(self) -> NDArray[np.uint8]:
        """uint8[S, S, 3], a view of planes."""
        row: NDArray[np.uint8] = self._block[self._next]
        return row.transpose(1, 2, 0)

    def take(self) -> None:
        self._next += 1
        if self._next == self._shape[0]:
            self._block = np.empty(self._shape, np.uint8)
            self._next = 0


class _Lane:
    """A bounded queue that a stopped producer never blocks on."""

    def __init__(self, size: int, stop: threading.Event) -> None:
        self._queue: queue.Queue[Any] = queue.Queue(size)
        self._stop = stop

    def put(self, item: Any) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.2)
                return
            except queue.Full:
                continue

    def get(self) -> Any:
        return self._queue.get()

    def drain(self) -> None:
        """Make room, so that a producer in ``put`` sees the stop at once."""
        while True:
            try:
                self._queue.get_nowait()
            except queue.Empty:
                return


@dataclass(slots=True)
class CoverageMeter:
    """Adds up, in pixels of cores, what a run has seen of what was asked.

    Valid pixels of tiles below ``min_valid`` count as nodata: the model never saw them.
    """

    plan: TilePlan
    _seen: float = 0.0
    _refused: float = 0.0
    _nodata: float = 0.0
    _failed: float = 0.0
    _total: float = field(init=False)

    def __post_init__(self) -> None:
        self._total = self.plan.total_px

    def add(self, item: TileImage, *, failed: bool = False, refused: float = 0.0) -> None:
        """Count a tile.

        Args:
            item: As it was read.
            failed: Whether it was read, but the model failed on it.
            refused: Share of its questions that were refused or unreadable, 0..1.
        """
        if item.status == "failed" or failed:
            status = "failed"
        else:
            status = item.status
        self.count(item.tile.row, item.tile.col, status, item.valid_frac, refused=refused)

    def count(
        self, row: int, col: int, status: str, valid_frac: float, *, refused: float = 0.0
    ) -> None:
        """Count a tile by its place in the grid; for tiles done in an earlier run."""
        area = self.plan.area_px(self.plan.grid.tile(row, col))
        if status == "failed":
            self._failed += area
        elif status == "nodata":
            self._nodata += area
        else:
            self._seen += area * valid_frac
            self._refused += area * valid_frac * refused
            self._nodata += area * (1.0 - valid_frac)

    def coverage(self) -> Coverage:
        """Fractions of the asked area; what was not counted yet is ``pending``."""
        total = self._total
        pending = max(0.0, total - self._seen - self._nodata - self._failed)
        if pending < 1e-6 * total:
            pending = 0.0
        whole = self._seen + self._nodata + self._failed + pending
        return Coverage(
            seen=self._seen / whole,
            nodata=self._nodata / whole,
            failed=self._failed / whole,
            refused=self._refused / whole,
            pending=pending / whole,
        )
