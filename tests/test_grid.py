"""Tilings: every pixel in exactly one core, every object in a margin seen whole."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsvlm_geo.errors import GridError
from rsvlm_geo.grid import Tile, Window, apply_affine, compose_affine, plan_grid

extents = st.tuples(
    st.integers(0, 90), st.integers(0, 90), st.integers(1, 150), st.integers(1, 150)
)


@st.composite
def grids(draw: st.DrawFn) -> tuple[Window, tuple[int, int], tuple[int, int], Window]:
    x, y, w, h = draw(extents)
    size = draw(st.integers(5, 90)), draw(st.integers(5, 90))
    margin = tuple(draw(st.integers(0, (s - 1) // 2)) for s in size)
    right, below = draw(st.integers(0, 90)), draw(st.integers(0, 90))
    within = Window(0, 0, x + w + right, y + h + below)
    return Window(x, y, w, h), size, (margin[0], margin[1]), within


@given(grids())
@settings(max_examples=150, deadline=None)
def test_cores_partition_the_extent(case: tuple) -> None:
    extent, size, margin, within = case
    grid = plan_grid(extent, size, margin, within=within)
    seen = np.zeros((extent.height, extent.width), dtype=np.int8)
    count = 0
    for tile in grid:
        core, window = tile.core, tile.window
        count += 1
        assert window.intersection(core) == core, "a core leaves its window"
        y, x = core.row_off - extent.row_off, core.col_off - extent.col_off
        assert x >= 0
        assert y >= 0
        seen[y : y + core.height, x : x + core.width] += 1
        if within.width >= size[0]:
            assert window.col_off >= 0
            assert window.col_end <= within.width
        if within.height >= size[1]:
            assert window.row_off >= 0
            assert window.row_end <= within.height
    assert (seen == 1).all()
    assert count == len(grid)


@given(grids())
@settings(max_examples=150, deadline=None)
def test_windows_reach_a_margin_beyond_their_core_inside_the_extent(case: tuple) -> None:
    extent, size, margin, within = case
    for tile in plan_grid(extent, size, margin, within=within):
        for axis, (low, high, first, end, start, stop) in enumerate((
            (extent.col_off, extent.col_end, tile.core.col_off, tile.core.col_end,
             tile.window.col_off, tile.window.col_end),
            (extent.row_off, extent.row_end, tile.core.row_off, tile.core.row_end,
             tile.window.row_off, tile.window.row_end),
        )):  # fmt: skip
            if first > low:
                assert first - start >= margin[axis]
            if end < high:
                assert stop - end >= margin[axis]


@pytest.mark.parametrize("side", [700, 1000, 10_980])
def test_sizes_that_other_tilers_leave_strips_of(side: int) -> None:
    grid = plan_grid(Window(0, 0, side, side), (512, 512), (32, 32))
    cores = [grid.tile(0, c).core for c in range(grid.shape[1])]
    assert cores[0].col_off == 0
    assert cores[-1].col_end == side
    assert all(a.col_end == b.col_off for a, b in pairwise(cores))


def test_a_margin_without_a_core_is_refused() -> None:
    with pytest.raises(GridError, match="leave no core; take a margin under 32 px"):
        plan_grid(Window(0, 0, 100, 100), (64, 64), (32, 0))


def test_model_pixels_are_edges() -> None:
    tile = Tile(0, 0, Window(10, 20, 100, 50), Window(10, 20, 100, 50))
    corners = np.array([[0.0, 0.0], [256.0, 256.0], [128.0, 128.0]])
    assert tile.to_scene(corners, 256).tolist() == [[10, 20], [110, 70], [60, 45]]


def test_affines_compose_as_matrices() -> None:
    rng = np.random.default_rng(0)
    outer, inner = (tuple(rng.normal(size=6)) for _ in range(2))
    xy = rng.normal(size=(5, 2))
    once = apply_affine(compose_affine(outer, inner), xy)
    twice = apply_affine(outer, apply_affine(inner, xy))
    assert np.allclose(once, twice)
