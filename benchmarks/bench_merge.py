"""Merging of boxes over seams against what a user would write, at 10^4 and 10^5 boxes.

    python benchmarks/bench_merge.py [--rounds 3] [--quick]

A perfect but shaky detector sees known objects through overlapping windows: cut at window edges,
each side off by up to half a pixel, one object in ten parked 0.4 pixels from its neighbour. Ours,
a geopandas dissolve, the greedy NMS loop of the tutorials, and NMS on a spatial index get the same
boxes; processor time, taken in turn. Beside the time: how many objects are lost or doubled.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from harness import Row, interleave, ratio_row, record

from rsvlm_geo.georef import Merged, Merger
from rsvlm_geo.grid import Window, plan_grid
from rsvlm_geo.scene import TilePlan

SIDE, MARGIN = 256, 32
PER_BOX = (SIDE / (SIDE - 2 * MARGIN)) ** -2
"""Objects per box: the windows overlap, so most objects are seen more than once."""
CELL_PX = 74
"""One object to a cell of this side."""
IOU = 0.5


def scatter(count: int, rng: np.random.Generator) -> np.ndarray:
    """float64[count, 4]: objects of 8 to 24 pixels, one in ten close beside another."""
    columns = int(np.ceil(np.sqrt(count)))
    at = np.arange(count)
    size = rng.uniform(8, 24, (count, 2))
    low = np.stack([at % columns, at // columns], axis=1) * CELL_PX
    low = low + rng.uniform(1, CELL_PX - 26, (count, 2))
    objects = np.concatenate([low, low + size], axis=1)
    # the next one is moved to stand beside it, as cars do in a row
    for k in range(0, count - 1, 10):
        width, height = objects[k + 1, 2:] - objects[k + 1, :2]
        x, y = objects[k, 2] + 0.4, objects[k, 1]
        objects[k + 1] = (x, y, x + width, y + height)
    return objects


class World:
    """Known objects, and what each window's detector says about them."""

    def __init__(self, boxes: int) -> None:
        rng = np.random.default_rng(boxes)
        self.objects = scatter(round(boxes * PER_BOX), rng)
        extent = int(np.ceil(self.objects.max())) + 8
        grid = plan_grid(Window(0, 0, extent, extent), (SIDE, SIDE), (MARGIN, MARGIN))
        self.plan = TilePlan(grid, SIDE, 1.0, 1.0, float(MARGIN), 0.0)
        tree = shapely.STRtree(shapely.box(*self.objects.T))
        self.seen: list[list[tuple[Any, np.ndarray, np.ndarray]]] = []
        placed = []
        for row in range(grid.shape[0]):
            band = []
            for tile in self.plan.row_band(row):
                w = tile.window
                edges = np.array([w.col_off, w.row_off, w.col_end, w.row_end], float)
                found = self.objects[np.sort(tree.query(shapely.box(*edges)))]
                found = found + rng.uniform(-0.5, 0.5, found.shape)
                found[:, :2] = np.maximum(found[:, :2], edges[:2])
                found[:, 2:] = np.minimum(found[:, 2:], edges[2:])
                found = found[(found[:, 2:] - found[:, :2] >= 2).all(axis=1)]
                scores = rng.uniform(0.3, 1.0, len(found))
                band.append((tile, found - np.tile(edges[:2], 2), scores))
                placed.append((found, scores))
            self.seen.append(band)
        self.boxes = np.concatenate([found for found, _ in placed])
        self.scores = np.concatenate([scores for _, scores in placed])

    def ours(self) -> np.ndarray:
        """Our merger, tile by tile, finished row by row."""
        merger = Merger(self.plan, self.plan.grid.extent)
        parts = []
        for row, band in enumerate(self.seen):
            for tile, boxes, scores in band:
                merger.add(tile, boxes, ["car"] * len(boxes), scores)
            parts.append(merger.flush(row + 1))
        parts.append(merger.finish())
        return Merged.concat(parts).boxes

    def dissolve(self) -> np.ndarray:
        """What overlaps or touches becomes one polygon."""
        frame = gpd.GeoDataFrame({"label": "car"}, geometry=shapely.box(*self.boxes.T),
                                 index=range(len(self.boxes)))  # fmt: skip
        return frame.dissolve("label").explode().bounds.to_numpy()

    def nms_loop(self) -> np.ndarray:
        """The loop of the tutorials: the best box against all the others, again and again."""
        boxes, order = self.boxes, np.argsort(-self.scores)
        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        kept = []
        while len(order):
            best, rest = order[0], order[1:]
            kept.append(best)
            low = np.maximum(boxes[best, :2], boxes[rest, :2])
            high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
            inter = np.prod(np.clip(high - low, 0, None), axis=1)
            order = rest[inter / (area[best] + area[rest] - inter) <= IOU]
        return boxes[kept]

    def nms_index(self) -> np.ndarray:
        """The same, each box against its neighbours only, found with an R-tree."""
        shapes = shapely.box(*self.boxes.T)
        i, j = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        i, j = i[i != j], j[i != j]
        inter = shapely.area(shapely.intersection(shapes[i], shapes[j]))
        area = shapely.area(shapes)
        clash = inter / (area[i] + area[j] - inter) > IOU
        i, j = i[clash], j[clash]
        starts = np.searchsorted(i, np.arange(len(shapes) + 1))
        gone = np.zeros(len(shapes), bool)
        kept = []
        for best in np.argsort(-self.scores):
            if not gone[best]:
                kept.append(best)
                gone[j[starts[best] : starts[best + 1]]] = True
        return self.boxes[kept]

    def wrong(self, boxes: np.ndarray) -> float:
        """Objects lost plus boxes too many, in percent of the objects."""
        shapes, truth = shapely.box(*boxes.T), shapely.box(*self.objects.T)
        i, j = shapely.STRtree(shapes).query(truth, predicate="intersects")
        inter = shapely.area(shapely.intersection(truth[i], shapes[j]))
        union = shapely.area(truth[i]) + shapely.area(shapes[j]) - inter
        hit = len(np.unique(i[inter / union > IOU]))
        lost, extra = len(truth) - hit, len(boxes) - hit
        return 100.0 * (lost + extra) / len(truth)


def measure(boxes: int, rounds: int) -> list[Row]:
    """Times, ratios and mistakes at one size."""
    world = World(boxes)
    size = f"{len(world.boxes):,} boxes"
    runs: dict[str, Any] = {
        "ours": world.ours,
        "geopandas dissolve": world.dissolve,
        "NMS on an R-tree": world.nms_index,
    }
    if boxes <= 10_000:  # grows with the square
        runs["NMS loop in numpy"] = world.nms_loop
    mistakes = {name: world.wrong(run()) for name, run in runs.items()}
    seconds = interleave(runs, rounds, time.process_time)
    own = sorted(seconds["ours"])
    rows = [Row(f"{size}: merged, processor time", own[len(own) // 2], "s", rounds, own[0],
                own[-1])]  # fmt: skip
    for name in runs:
        if name != "ours":
            rows.append(
                ratio_row(f"{size}: speed beside {name}", seconds[name], seconds["ours"],
                          compared_with=name, bar=1)
            )  # fmt: skip
    others = [name for name in runs if name != "ours"]
    best = min(mistakes[name] for name in others)
    rows.append(Row(f"{size}: lost or doubled, ours", mistakes["ours"], "%", 1, None, None,
                    f"best of the others: {best:.2g} %", "<= the others",
                    mistakes["ours"] <= best))  # fmt: skip
    rows += [Row(f"{size}: lost or doubled, {name}", mistakes[name], "%") for name in others]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="10^4 boxes only")
    options = parser.parse_args()
    rows = measure(10_000, options.rounds)
    if not options.quick:
        rows += measure(100_000, options.rounds)
    record("merge", rows, "one label, windows of 256 px with a margin of 32; every side of every "
           "box off by up to half a pixel. The NMS loop grows with the square of the boxes and is "
           "left out at 10^5.")  # fmt: skip


if __name__ == "__main__":
    main()
