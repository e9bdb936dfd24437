"""Merging: one object, one box; against brute force, whole, cut, jittered, in any flush pattern."""

from __future__ import annotations

import numpy as np
import pytest
from factories import Box, scatter
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rsvlm_geo.errors import WindowError
from rsvlm_geo.georef import Merged, Merger
from rsvlm_geo.georef.merge import (
    FACING,
    FACING_LONG,
    MAX_IOS,
    MAX_IOU,
    SLACK_PX,
    TOUCH_PX,
)
from rsvlm_geo.georef.pairs import CUT_PX, components, greedy
from rsvlm_geo.grid import Tile, Window, plan_grid
from rsvlm_geo.scene import TilePlan

SIDE = 64


def make_plan(width: int, height: int, margin: int, size: int = SIDE) -> TilePlan:
    grid = plan_grid(Window(0, 0, width, height), (size, size), (margin, margin))
    return TilePlan(grid, SIDE, 1.0, 1.0, float(margin), 0.0)


def seen_by(tile: Tile, objects: NDArray[np.float64], least: float = 1.0) -> NDArray[np.float64]:
    """What a perfect detector sees in a tile: the visible part of each object, model pixels."""
    w = tile.window
    low = np.maximum(objects[:, :2], [w.col_off, w.row_off])
    high = np.minimum(objects[:, 2:], [w.col_end, w.row_end])
    keep = (high - low >= least).all(axis=1)
    offset = np.array([w.col_off, w.row_off] * 2, dtype=float)
    return (np.concatenate([low, high], axis=1)[keep] - offset) * (SIDE / w.width)


def run(
    plan: TilePlan, detections: dict[str, NDArray[np.float64]], *, flush: bool = True,
    label: str = "thing", scores: dict[str, NDArray[np.float64]] | None = None,
) -> Merged:  # fmt: skip
    extent = plan.grid.extent
    merger = Merger(plan, extent)
    parts = []
    for row in range(plan.grid.shape[0]):
        for tile in plan.row_band(row):
            boxes = detections[tile.tile_id]
            score = None if scores is None else scores[tile.tile_id]
            merger.add(tile, boxes, [label] * len(boxes), score)
        if flush:
            parts.append(merger.flush(row + 1))
    parts.append(merger.finish())
    return Merged.concat(parts)


def ordered(merged: Merged) -> NDArray[np.float64]:
    b = merged.boxes
    return b[np.lexsort((b[:, 3], b[:, 2], b[:, 1], b[:, 0]))]


@pytest.mark.parametrize("margin", [0, 4, 12, 24])
@pytest.mark.parametrize("size", [(3, 8), (6, 20), (10, 60), (60, 200)])
def test_every_object_once_and_whole(margin: int, size: tuple[int, int]) -> None:
    for width, height, seed in (
        (300, 260, 1),
        (64, 64, 2),
        (50, 40, 3),
        (65, 333, 4),
        (130, 64, 5),
    ):
        objects: list[Box] = scatter(width, height, 60, size=size, gap=5, seed=seed)
        truth = np.array(objects, dtype=float).reshape(-1, 4)
        plan = make_plan(width, height, margin)
        merged = run(plan, {t.tile_id: seen_by(t, truth) for t in plan.tiles()})
        assert np.allclose(ordered(merged), truth[np.lexsort(truth.T[::-1])])
        for box, tile_id in zip(merged.boxes, merged.tile_ids, strict=True):
            row, col = (int(v) for v in tile_id.split("/"))
            assert plan.grid.tile(row, col).core.contains((box[:2] + box[2:])[None] / 2).all()


def test_objects_across_four_tiles_and_along_a_whole_row() -> None:
    truth = np.array([[50.0, 50, 80, 78], [3, 100, 297, 108], [140, 2, 147, 255]])
    for margin in (0, 8):
        plan = make_plan(300, 260, margin)
        merged = run(plan, {t.tile_id: seen_by(t, truth) for t in plan.tiles()})
        assert np.allclose(ordered(merged), truth[np.lexsort(truth.T[::-1])])
        assert merged.joined.sum() >= 2
        assert not merged.cut.any()


def test_crossing_objects_of_two_labels_stay_apart() -> None:
    plan = make_plan(300, 300, 8)
    truth = {"road": np.array([[3.0, 100, 297, 108]]), "river": np.array([[100.0, 3, 110, 297]])}
    merger = Merger(plan, plan.grid.extent)
    for tile in plan.tiles():
        for label, boxes in truth.items():
            seen = seen_by(tile, boxes)
            merger.add(tile, seen, [label] * len(seen))
    merged = merger.finish()
    got = dict(zip(merged.labels, merged.boxes.tolist(), strict=True))
    assert got == {name: boxes[0].tolist() for name, boxes in truth.items()}


def test_neighbours_cut_by_one_seam_are_not_joined() -> None:
    """A row of parked cars across a seam, no overlap at all: each is one."""
    truth = np.array([[56.0, y, 74.0, y + 8] for y in range(4, 240, 10)], dtype=float)
    plan = make_plan(128, 256, 0)
    merged = run(plan, {t.tile_id: seen_by(t, truth) for t in plan.tiles()})
    assert len(merged) == len(truth)


def test_a_part_whose_rest_nobody_saw_says_so() -> None:
    plan = make_plan(128, 64, 0)
    left = np.array([[40.0, 20, 64, 30]])
    merged = run(plan, {"0/0": left, "0/1": np.empty((0, 4))})
    assert merged.boxes.tolist() == [[40, 20, 64, 30]]
    assert merged.cut.tolist() == [True]
    assert merged.joined.tolist() == [False]


def test_the_border_of_the_scene_cuts_nothing() -> None:
    plan = make_plan(128, 64, 8)
    truth = np.array([[0.0, 0, 10, 10], [118, 50, 128, 64]])
    merged = run(plan, {t.tile_id: seen_by(t, truth) for t in plan.tiles()})
    assert len(merged) == 2
    assert not merged.cut.any()


def test_the_better_score_stays_and_names_its_box() -> None:
    plan = make_plan(96, 64, 16)  # windows 0..64 and 32..96, cores meet at 48
    detections = {"0/0": np.array([[42.0, 20, 52, 30]]), "0/1": np.array([[11.0, 20, 21, 30]])}
    scores = {"0/0": np.array([0.4]), "0/1": np.array([0.9])}
    merged = run(plan, detections, scores=scores)
    assert merged.boxes.tolist() == [[43, 20, 53, 30]]
    assert merged.scores.tolist() == [0.9]


def test_jitter_at_seams_neither_doubles_nor_loses() -> None:
    truth = np.array(scatter(900, 900, 700, size=(8, 16), gap=6, seed=7), dtype=float)
    plan = make_plan(900, 900, 12)
    rng = np.random.default_rng(0)
    detections = {}
    for tile in plan.tiles():
        boxes = seen_by(tile, truth, least=3.0)
        detections[tile.tile_id] = np.clip(boxes + rng.normal(0, 0.6, boxes.shape), 0, SIDE)
    merged = run(plan, detections)
    assert len(truth) > 600
    assert abs(len(merged) - len(truth)) <= 0.002 * len(truth)


def test_areas_of_interest_keep_what_has_its_centre_inside() -> None:
    import shapely

    base = make_plan(300, 300, 8)
    aoi = shapely.box(0, 0, 150, 300)
    plan = TilePlan(base.grid, SIDE, 1.0, 1.0, 8.0, 0.0, aoi=aoi)
    truth = np.array([[140.0, 10, 158, 20], [143, 50, 161, 60], [10, 10, 20, 20]])
    merged = run(plan, {t.tile_id: seen_by(t, truth) for t in plan.tiles()})
    assert ordered(merged).tolist() == [[10, 10, 20, 20], [140, 10, 158, 20]]


def test_numbers_that_do_not_fit_are_refused() -> None:
    plan = make_plan(64, 64, 0)
    merger = Merger(plan, plan.grid.extent)
    tile = next(iter(plan.tiles()))
    with pytest.raises(WindowError, match="1 boxes of tile 0/0 need 1 labels"):
        merger.add(tile, np.array([[0.0, 0, 5, 5]]), [])
    assert len(merger.finish()) == 0


def test_memory_does_not_grow_with_rows() -> None:
    truth = np.array(scatter(200, 3000, 400, size=(6, 12), gap=4, seed=1), dtype=float)
    plan = make_plan(200, 3000, 8)
    merger = Merger(plan, plan.grid.extent)
    held, total = 0, 0
    for row in range(plan.grid.shape[0]):
        for tile in plan.row_band(row):
            boxes = seen_by(tile, truth)
            merger.add(tile, boxes, ["thing"] * len(boxes))
        total += len(merger.flush(row + 1))
        held = max(held, sum(len(h) for h in merger._held))
    assert total + len(merger.finish()) == len(truth)
    assert held < 60


# ---------------------------------------------------------------- the witness


def brute(plan: TilePlan, detections: dict[str, NDArray[np.float64]],
          scores: dict[str, NDArray[np.float64]]) -> list[tuple[float, ...]]:  # fmt: skip
    """The four rules, box by box and pair by pair, all at once."""
    scene, scale = plan.grid.extent, plan.grid.size[0] / plan.image_size
    tol, slack = CUT_PX * scale, SLACK_PX * scale
    things = []
    for tile in plan.grid:
        w = tile.window
        for b, s in zip(detections[tile.tile_id], scores[tile.tile_id], strict=True):
            box = [w.col_off + b[0] * scale, w.row_off + b[1] * scale,
                   w.col_off + b[2] * scale, w.row_off + b[3] * scale]  # fmt: skip
            box = [
                min(max(v, 0), m) for v, m in zip(box, [scene.width, scene.height] * 2, strict=True)
            ]
            sides = (
                box[0] <= w.col_off + tol and w.col_off > 0,
                box[1] <= w.row_off + tol and w.row_off > 0,
                box[2] >= w.col_end - tol and w.col_end < scene.width,
                box[3] >= w.row_end - tol and w.row_end < scene.height,
            )
            things.append({"box": box, "tile": tile, "score": s, "sides": sides, "cut": any(sides)})

    def length(a: list[float], b: list[float], axis: int) -> float:
        return max(0.0, min(a[axis + 2], b[axis + 2]) - max(a[axis], b[axis]))

    def grown(a: list[float]) -> list[float]:
        """A sliver or a point counts as a pixel wide."""
        x, y = (max(scale - (a[k + 2] - a[k]), 0.0) / 2 for k in (0, 1))
        return [a[0] - x, a[1] - y, a[2] + x, a[3] + y]

    def area(a: list[float]) -> float:
        g = grown(a)
        return (g[2] - g[0]) * (g[3] - g[1])

    def shared(a: list[float], b: list[float]) -> float:
        return length(grown(a), grown(b), 0) * length(grown(a), grown(b), 1)

    def owner(box: list[float]) -> Tile:
        centre = np.array([[(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]])
        centre = np.minimum(centre, [[scene.width - 1e-9, scene.height - 1e-9]])
        return next(t for t in plan.grid if t.core.contains(centre).all())

    def pairs(chosen: list[dict]) -> list[tuple[dict, dict]]:
        return [(a, b) for a in chosen for b in chosen if a["tile"] is not b["tile"]]

    for t in things:
        t["gone"] = False
    for part, whole in pairs(things):
        if part["cut"] and not whole["cut"]:
            p, q = part["box"], whole["box"]
            room = [q[0] - tol, q[1] - tol, q[2] + tol, q[3] + tol]
            share = 1.0
            for axis in (0, 1):
                share *= min(1.0, length(p, room, axis) / max(p[axis + 2] - p[axis], 1e-9))
            part["gone"] |= share >= MAX_IOS
    left = [t for t in things if t["cut"] and not t["gone"]]
    groups = [[t] for t in left]
    faced: set[int] = set()

    def same_group(a: dict, b: dict) -> None:
        one = next(g for g in groups if any(t is a for t in g))
        two = next(g for g in groups if any(t is b for t in g))
        if one is not two:
            one.extend(two)
            groups.remove(two)

    for a, b in pairs(left):
        p, q = a["box"], b["box"]
        for axis, place in ((0, "col"), (1, "row")):
            if getattr(b["tile"], place) <= getattr(a["tile"], place):
                continue
            if not (a["sides"][axis + 2] and b["sides"][axis]):
                continue
            if not (p[axis] <= q[axis] + tol and q[axis + 2] >= p[axis + 2] - tol):
                continue
            if any(max(p[k], q[k]) - min(p[k + 2], q[k + 2]) > TOUCH_PX * scale for k in (0, 1)):
                continue
            across = 1 - axis
            long = any(
                t["box"][axis + 2] - t["box"][axis] >= plan.grid.size[axis] / 2 for t in (a, b)
            )
            shorter = min(p[across + 2] - p[across], q[across + 2] - q[across])
            common = min(p[across + 2], q[across + 2]) - max(p[across], q[across])
            if common >= (FACING_LONG if long else FACING) * max(shorter, 1e-9):
                faced |= {id(a), id(b)}
                same_group(a, b)
        if shared(p, q) >= MAX_IOS * min(area(p), area(q)):
            same_group(a, b)

    def near(t: dict) -> bool:
        cx, cy = (t["box"][0] + t["box"][2]) / 2, (t["box"][1] + t["box"][3]) / 2
        c = t["tile"].core
        x0 = -np.inf if c.col_off == 0 else c.col_off - slack
        y0 = -np.inf if c.row_off == 0 else c.row_off - slack
        x1 = np.inf if c.col_end == scene.width else c.col_end + slack
        y1 = np.inf if c.row_end == scene.height else c.row_end + slack
        return bool(x0 <= cx < x1 and y0 <= cy < y1)

    def guest(t: dict) -> bool:
        w, box = owner(t["box"]).window, t["box"]
        sees = (w.col_off <= 0 or box[0] > w.col_off + tol) and (
            w.row_off <= 0 or box[1] > w.row_off + tol
        )
        sees &= (w.col_end >= scene.width or box[2] < w.col_end - tol) and (
            w.row_end >= scene.height or box[3] < w.row_end - tol
        )
        return not t["cut"] and not sees

    result, alone = [], []
    for group in groups:
        if len(group) == 1:
            alone += group if near(group[0]) else []
        elif any(id(t) in faced or near(t) for t in group):
            boxes = np.array([t["box"] for t in group])
            result.append((*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)))
    alone += [t for t in things if not t["cut"] and (near(t) or guest(t))]
    alone.sort(key=lambda t: (-t["score"], owner(t["box"]) is not t["tile"], t["cut"],
                              t["tile"].row, t["tile"].col, t["box"][1], t["box"][0]))  # fmt: skip
    kept: list[dict] = []
    for t in alone:
        for k in kept:
            both = shared(t["box"], k["box"])
            iou = both / (area(t["box"]) + area(k["box"]) - both)
            if k["tile"] is not t["tile"] and (
                iou > MAX_IOU or both / min(area(t["box"]), area(k["box"])) > MAX_IOS
            ):
                break
        else:
            kept.append(t)
    return sorted([*result, *(tuple(t["box"]) for t in kept)])


@given(
    width=st.integers(40, 180), height=st.integers(40, 180), margin=st.integers(0, 20),
    size=st.sampled_from([48, 64, 96]), n=st.integers(1, 14), big=st.integers(8, 120),
    seed=st.integers(0, 10_000), miss=st.floats(0.0, 0.4), flush=st.booleans(),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_merging_is_what_brute_force_says(
    width: int, height: int, margin: int, size: int, n: int, big: int, seed: int, miss: float,
    flush: bool,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    plan = make_plan(width, height, margin, size)
    low = rng.uniform(0, [width - 4, height - 4], (n, 2))
    truth = np.concatenate([low, low + rng.uniform(3, big, (n, 2))], axis=1)
    truth = np.minimum(truth, [width, height, width, height])
    detections, scores = {}, {}
    for tile in plan.tiles():
        boxes = seen_by(tile, truth)
        boxes = boxes[rng.random(len(boxes)) >= miss]
        boxes = np.clip(boxes + rng.normal(0, 0.7, boxes.shape), 0, SIDE)
        boxes = boxes[(boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])]
        detections[tile.tile_id] = boxes
        scores[tile.tile_id] = rng.random(len(boxes))
    merged = run(plan, detections, scores=scores, flush=flush)
    want = brute(plan, detections, scores)
    got = sorted(tuple(b) for b in merged.boxes.tolist())
    assert np.allclose(np.array(got).reshape(-1, 4), np.array(want, dtype=float).reshape(-1, 4))


@given(st.integers(0, 10_000), st.integers(1, 25))
@settings(max_examples=60, deadline=None)
def test_greedy_and_components_against_loops(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = np.unique(np.sort(rng.integers(0, n, (rng.integers(0, 2 * n + 1), 2)), axis=1), axis=0)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    rank = rng.permutation(n)
    alive = np.ones(n, bool)
    for k in np.argsort(rank):
        if alive[k]:
            for a, b in pairs:
                if k in (a, b):
                    other = b if k == a else a
                    if rank[other] > rank[k]:
                        alive[other] = False
    assert (greedy(rank, pairs) == alive).all()
    root = np.arange(n)
    for _ in range(n):
        for a, b in pairs:
            root[a] = root[b] = min(root[a], root[b])
    assert (components(n, pairs) == root).all()
