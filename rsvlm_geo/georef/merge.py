"""One object, one answer: boxes of overlapping tiles merged into boxes of the scene.

The rules, in order; all of them compare boxes of one label only:

1. A box that touches an edge of its window where the scene goes on is *cut*. A cut box that a
   whole box of another tile covers is that object again, and goes.
2. What remains of the cut boxes is joined: two parts that face each other across a seam at the
   same place, or that lie on each other, are one object. So an object larger than the overlap is
   one box, however many tiles it spans. A part that finds no other stays where its centre lies in
   its tile's core, marked ``cut``.
3. A whole box belongs to the tile whose core holds its centre. Cores are taken a few pixels larger,
   because two tiles do not draw a box at exactly the same place; and a tile may speak for a
   neighbour that cannot see the object whole.
4. Where two tiles still claim one object (IoU over 0.5, or one box over 0.7 inside the other), the
   better score stays.

Everything works on neighbours only, so rows of tiles are finished and forgotten one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from rsvlm_geo.errors import WindowError
from rsvlm_geo.georef.pairs import (
    CUT_PX,
    components,
    covered,
    greedy,
    outermost_cut,
    overlaps,
    spread,
)
from rsvlm_geo.georef.place import to_scene_boxes
from rsvlm_geo.grid import Grid, Tile, Window
from rsvlm_geo.scene.plan import TilePlan

__all__ = ["Merged", "Merger"]

TOUCH_PX = 1.0
"""Parts further apart than this are of two objects."""
SLACK_PX = 4.0
"""By so much, in pixels of the model's image, a core is enlarged."""
MAX_IOU, MAX_IOS = 0.5, 0.7
FACING = 0.5
"""Share of the shorter side that two parts must have in common along a seam."""
FACING_LONG = 0.15
"""The same for parts that fill half of their window: a diagonal road, a runway."""


@dataclass(frozen=True, slots=True)
class Merged:
    """Objects of the scene, each once."""

    boxes: NDArray[np.float64]
    """float64[n, 4], ``(x0, y0, x1, y1)`` scene pixels, edges."""
    labels: tuple[str, ...]
    scores: NDArray[np.float64]
    """float64[n]; NaN where the model gave none."""
    tile_ids: tuple[str, ...]
    """The tile whose core holds the centre."""
    joined: NDArray[np.bool_]
    """bool[n]: put together from parts that several tiles saw."""
    cut: NDArray[np.bool_]
    """bool[n]: may go on beyond its box: no tile saw the rest."""

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def concat(cls, parts: Sequence[Merged]) -> Merged:
        """Several flushes as one."""
        if not parts:
            return cls(np.empty((0, 4)), (), np.empty(0), (), np.empty(0, bool), np.empty(0, bool))
        return cls(
            np.concatenate([p.boxes for p in parts]),
            tuple(label for p in parts for label in p.labels),
            np.concatenate([p.scores for p in parts]),
            tuple(tile for p in parts for tile in p.tile_ids),
            np.concatenate([p.joined for p in parts]),
            np.concatenate([p.cut for p in parts]),
        )


@dataclass(frozen=True, slots=True)
class _Held:
    """Boxes not yet decided, as columns of one table."""

    boxes: NDArray[np.float64]
    label: NDArray[np.int64]
    scores: NDArray[np.float64]
    row: NDArray[np.int64]
    col: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.boxes)

    def take(self, which: NDArray[np.bool_]) -> _Held:
        return _Held(
            self.boxes[which], self.label[which], self.scores[which], self.row[which],
            self.col[which],
        )  # fmt: skip

    @classmethod
    def concat(cls, parts: Sequence[_Held]) -> _Held:
        return cls(
            np.concatenate([p.boxes for p in parts]), np.concatenate([p.label for p in parts]),
            np.concatenate([p.scores for p in parts]), np.concatenate([p.row for p in parts]),
            np.concatenate([p.col for p in parts]),
        )  # fmt: skip


class Merger:
    """Takes tiles' boxes in any order within a grid row, gives objects of the scene.

    Args:
        plan: The run's tiles.
        scene_window: The whole scene, where cut boxes end of themselves.
    """

    def __init__(self, plan: TilePlan, scene_window: Window) -> None:
        self._plan = plan
        self._scene = scene_window
        self._labels: dict[str, int] = {}
        self._held: list[_Held] = []
        grid = plan.grid
        self._scale = np.array(grid.size, dtype=np.float64) / plan.image_size
        self._col_edges = _core_edges(grid, axis=1)
        self._row_edges = _core_edges(grid, axis=0)
        self._col_starts = np.array(grid.col_starts, dtype=np.float64)
        self._row_starts = np.array(grid.row_starts, dtype=np.float64)

    def add(
        self,
        tile: Tile,
        boxes: NDArray[np.float64],
        labels: Sequence[str],
        scores: NDArray[np.float64] | None = None,
    ) -> None:
        """Take in a tile's boxes.

        Args:
            tile: Of the plan's grid.
            boxes: float64[n, 4], ``(x0, y0, x1, y1)`` pixel edges of the model's image.
            labels: n.
            scores: float64[n], or None.

        Raises:
            WindowError: A box is no box, or numbers of labels and boxes differ.
        """
        placed = to_scene_boxes(boxes, tile, self._plan.image_size, self._scene)
        n = len(placed)
        if len(labels) != n or (scores is not None and len(scores) != n):
            raise WindowError(f"{n} boxes of tile {tile.tile_id} need {n} labels and scores")
        if n == 0:
            return
        numbers = [self._labels.setdefault(label, len(self._labels)) for label in labels]
        self._held.append(
            _Held(
                placed,
                np.array(numbers, dtype=np.int64),
                np.full(n, np.nan) if scores is None else np.asarray(scores, dtype=np.float64),
                np.full(n, tile.row, dtype=np.int64),
                np.full(n, tile.col, dtype=np.int64),
            )
        )

    def flush(self, rows_done: int) -> Merged:
        """Objects that no tile still to come can change.

        Args:
            rows_done: Grid rows that are complete, from the top.
        """
        if not self._held:
            return Merged.concat([])
        held = _Held.concat(self._held)
        pairs = self._neighbours(held)
        if rows_done >= self._plan.grid.shape[0]:
            waits = np.zeros(len(held), dtype=bool)
        else:
            frontier = self._row_starts[rows_done] - CUT_PX * self._scale[1]
            waits = spread((held.boxes[:, 3] >= frontier) | (held.row >= rows_done), pairs)
        number = np.cumsum(~waits) - 1
        inner = ~waits[pairs].any(axis=1)
        done = self._resolve(held.take(~waits), number[pairs[inner]])
        self._held = [held.take(waits)] if waits.any() else []
        return done

    def finish(self) -> Merged:
        """All that remains."""
        return self.flush(self._plan.grid.shape[0])

    def _neighbours(self, held: _Held) -> NDArray[np.int64]:
        """int64[m, 2]: boxes of one label and different tiles that meet, ``i < j``."""
        # what lies where only its own tile looks meets nobody
        shared = ~self._exclusive(held)
        at = np.flatnonzero(shared)
        if len(at) < 2:
            return np.empty((0, 2), dtype=np.int64)
        b = held.boxes[at] + np.array([-1, -1, 1, 1]) * np.tile(self._scale * TOUCH_PX / 2, 2)
        shapes = shapely.box(b[:, 0], b[:, 1], b[:, 2], b[:, 3])
        i, j = shapely.STRtree(shapes).query(shapes)
        keep = i < j
        i, j = at[i[keep]], at[j[keep]]
        keep = held.label[i] == held.label[j]
        keep &= (held.row[i] != held.row[j]) | (held.col[i] != held.col[j])
        return np.stack([i[keep], j[keep]], axis=1)

    def _exclusive(self, held: _Held) -> NDArray[np.bool_]:
        inside = np.ones(len(held), dtype=bool)
        for starts, index, size, lo, hi, tol in self._axes(held):
            before = np.where(index > 0, starts[np.maximum(index - 1, 0)] + size, -np.inf)
            last = len(starts) - 1
            after = np.where(index < last, starts[np.minimum(index + 1, last)], np.inf)
            inside &= (lo > before + tol) & (hi < after - tol)
        return inside

    def _axes(
        self, held: _Held
    ) -> list[tuple[NDArray[np.float64], NDArray[np.int64], int, NDArray[np.float64],
                    NDArray[np.float64], float]]:  # fmt: skip
        width, height = self._plan.grid.size
        return [
            (self._col_starts, held.col, width, held.boxes[:, 0], held.boxes[:, 2],
             CUT_PX * float(self._scale[0])),
            (self._row_starts, held.row, height, held.boxes[:, 1], held.boxes[:, 3],
             CUT_PX * float(self._scale[1])),
        ]  # fmt: skip

    def _cut_sides(self, held: _Held) -> NDArray[np.bool_]:
        """bool[n, 4]: left, top, right, bottom edge lies on the window's, and the scene goes on."""
        sides = np.zeros((len(held), 4), dtype=bool)
        limits = ((self._scene.col_off, self._scene.col_end),
                  (self._scene.row_off, self._scene.row_end))  # fmt: skip
        for axis, (starts, index, size, lo, hi, tol) in enumerate(self._axes(held)):
            first, end = starts[index], starts[index] + size
            sides[:, axis] = (lo <= first + tol) & (first > limits[axis][0])
            sides[:, axis + 2] = (hi >= end - tol) & (end < limits[axis][1])
        return sides

    def _owner(self, centres: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row and column of the tile whose core holds each centre."""
        row = np.searchsorted(self._row_edges, centres[:, 1], side="right")
        col = np.searchsorted(self._col_edges, centres[:, 0], side="right")
        return row, col

    def _resolve(self, held: _Held, pairs: NDArray[np.int64]) -> Merged:
        sides = self._cut_sides(held)
        cut: NDArray[np.bool_] = np.asarray(sides.any(axis=1))
        inter, area = overlaps(held.boxes, pairs, self._scale)
        i, j = pairs[:, 0], pairs[:, 1]

        # 1. a part that a whole box covers is that object again
        gone = np.zeros(len(held), dtype=bool)
        for part, whole in ((i, j), (j, i)):
            # a sliver's edge is uncertain by more than its width: grant the whole box some room
            inside = covered(held.boxes[part], held.boxes[whole], self._scale * CUT_PX)
            gone[part[cut[part] & ~cut[whole] & (inside >= MAX_IOS)]] = True

        # 2. join the parts of what no tile saw whole
        both = cut[i] & cut[j] & ~gone[i] & ~gone[j]
        facing = both & self._facing(held, sides, pairs)
        same = both & (inter >= MAX_IOS * np.minimum(area[i], area[j]))
        group = components(len(held), pairs[facing | same])
        size = np.bincount(group, minlength=len(held))

        # 3. ownership
        centres = (held.boxes[:, :2] + held.boxes[:, 2:]) / 2
        row, col = self._owner(centres)
        own = (row == held.row) & (col == held.col)
        near = self._in_core(held, centres)
        guest = ~cut & ~self._sees_whole(held.boxes, row, col)
        # parts that only repeat each other are kept like one: where a core holds one's centre
        counts = np.zeros(len(held), dtype=bool)
        counts[group[i[facing]]] = True
        counts[group[cut & ~gone & near]] = True
        is_joined = cut & ~gone & (size[group] > 1) & counts[group]
        alone = ~gone & (size[group] == 1) & (near | guest)

        # 4. claims of two tiles on one object
        iou = inter / np.maximum(area[i] + area[j] - inter, 1e-12)
        ios = inter / np.maximum(np.minimum(area[i], area[j]), 1e-12)
        clash = alone[i] & alone[j] & ((iou > MAX_IOU) | (ios > MAX_IOS))
        score = np.nan_to_num(held.scores, nan=0.0)
        order = np.lexsort((held.boxes[:, 0], held.boxes[:, 1], held.col, held.row,
                            cut, ~own, -score))  # fmt: skip
        rank = np.empty(len(held), dtype=np.int64)
        rank[order] = np.arange(len(held))
        kept = alone & greedy(rank, pairs[clash])
        return self._collect(held, kept, group, is_joined, sides, cut)

    def _facing(
        self, held: _Held, sides: NDArray[np.bool_], pairs: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Whether two parts are cut on sides that face each other, at the same place."""
        result = np.zeros(len(pairs), dtype=bool)
        window = np.array(self._plan.grid.size, dtype=np.float64)
        extent = held.boxes[:, 2:] - held.boxes[:, :2]
        long = extent >= 0.5 * window
        for axis, index in ((0, held.col), (1, held.row)):
            across = 1 - axis
            for a, b in ((pairs[:, 0], pairs[:, 1]), (pairs[:, 1], pairs[:, 0])):
                faces = (index[b] > index[a]) & sides[a, axis + 2] & sides[b, axis]
                # what is cut on both sides fills all that both windows see
                faces &= held.boxes[a, axis] <= held.boxes[b, axis] + CUT_PX * self._scale[axis]
                faces &= (
                    held.boxes[b, axis + 2] >= held.boxes[a, axis + 2] - CUT_PX * self._scale[axis]
                )
                common = np.minimum(held.boxes[a, across + 2], held.boxes[b, across + 2])
                common = common - np.maximum(held.boxes[a, across], held.boxes[b, across])
                shorter = np.minimum(extent[a, across], extent[b, across])
                share = np.where(long[a, axis] | long[b, axis], FACING_LONG, FACING)
                result |= faces & (common >= share * np.maximum(shorter, 1e-9))
        return result

    def _in_core(self, held: _Held, centres: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether a centre lies in its own tile's core, enlarged by the slack."""
        inside = np.ones(len(held), dtype=bool)
        for axis, (edges, index) in enumerate(
            ((self._col_edges, held.col), (self._row_edges, held.row))
        ):
            padded = np.concatenate([[-np.inf], edges, [np.inf]])
            slack = SLACK_PX * self._scale[axis]
            inside &= centres[:, axis] >= padded[index] - slack
            inside &= centres[:, axis] < padded[index + 1] + slack
        return inside

    def _sees_whole(
        self, boxes: NDArray[np.float64], row: NDArray[np.int64], col: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Whether the window of a tile holds a box, clear of its edges."""
        sees = np.ones(len(boxes), dtype=bool)
        limits = ((self._scene.col_off, self._scene.col_end),
                  (self._scene.row_off, self._scene.row_end))  # fmt: skip
        for axis, (starts, index) in enumerate(((self._col_starts, col), (self._row_starts, row))):
            tol = CUT_PX * self._scale[axis]
            first = starts[index]
            end = first + self._plan.grid.size[axis]
            sees &= (first <= limits[axis][0]) | (boxes[:, axis] > first + tol)
            sees &= (end >= limits[axis][1]) | (boxes[:, axis + 2] < end - tol)
        return sees

    def _collect(
        self,
        held: _Held,
        kept: NDArray[np.bool_],
        group: NDArray[np.int64],
        is_joined: NDArray[np.bool_],
        sides: NDArray[np.bool_],
        cut: NDArray[np.bool_],
    ) -> Merged:
        boxes, label, scores = [held.boxes[kept]], [held.label[kept]], [held.scores[kept]]
        still_cut = [cut[kept]]
        roots, member = np.unique(group[is_joined], return_inverse=True)
        if len(roots):
            low, high = np.full((len(roots), 2), np.inf), np.full((len(roots), 2), -np.inf)
            np.minimum.at(low, member, held.boxes[is_joined, :2])
            np.maximum.at(high, member, held.boxes[is_joined, 2:])
            best = np.full(len(roots), -np.inf)
            np.fmax.at(best, member, held.scores[is_joined])
            best[np.isneginf(best)] = np.nan
            joined = np.concatenate([low, high], axis=1)
            boxes.append(joined)
            label.append(held.label[roots])
            scores.append(best)
            still_cut.append(outermost_cut(joined, held.boxes[is_joined], sides[is_joined], member,
                                            self._scale))  # fmt: skip
        all_boxes = np.concatenate(boxes)
        centres = (all_boxes[:, :2] + all_boxes[:, 2:]) / 2
        row, col = self._owner(centres)
        asked = self._plan.contains(centres) if len(centres) else np.empty(0, bool)
        names = list(self._labels)
        numbers = np.concatenate(label)
        was_joined = np.arange(len(all_boxes)) >= len(boxes[0])
        order = np.flatnonzero(asked)
        order = order[np.lexsort((all_boxes[order, 0], all_boxes[order, 1]))]
        return Merged(
            all_boxes[order],
            tuple(names[k] for k in numbers[order]),
            np.concatenate(scores)[order],
            tuple(f"{r}/{c}" for r, c in zip(row[order], col[order], strict=True)),
            was_joined[order],
            np.concatenate(still_cut)[order],
        )


def _core_edges(grid: Grid, *, axis: int) -> NDArray[np.float64]:
    """Where neighbouring cores meet, scene pixels."""
    if axis == 1:
        return np.array([grid.tile(0, c).core.col_off for c in range(1, grid.shape[1])], float)
    return np.array([grid.tile(r, 0).core.row_off for r in range(1, grid.shape[0])], float)
