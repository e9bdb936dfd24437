"""Arithmetic on boxes and pairs of boxes: overlaps, connected groups, greedy choice. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["components", "covered", "greedy", "outermost_cut", "overlaps", "spread"]

CUT_PX = 2.0
"""A box within so many pixels of the model's image from its edge touches it."""


def overlaps(
    boxes: NDArray[np.float64], pairs: NDArray[np.int64], scale: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shared area of each pair, and area of each box; points count as a pixel."""
    size = boxes[:, 2:] - boxes[:, :2]
    grow = np.maximum(scale - size, 0.0) / 2
    low, high = boxes[:, :2] - grow, boxes[:, 2:] + grow
    area = np.prod(high - low, axis=1)
    a, b = pairs[:, 0], pairs[:, 1]
    shared = np.minimum(high[a], high[b]) - np.maximum(low[a], low[b])
    return np.prod(np.maximum(shared, 0.0), axis=1), area


def covered(
    parts: NDArray[np.float64], wholes: NDArray[np.float64], room: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share of each part that lies in a whole box with some room around it, side by side."""
    low = np.maximum(parts[:, :2], wholes[:, :2] - room)
    high = np.minimum(parts[:, 2:], wholes[:, 2:] + room)
    size = np.maximum(parts[:, 2:] - parts[:, :2], 1e-9)
    shares = np.clip((high - low) / size, 0.0, 1.0)
    return np.asarray(np.prod(shares, axis=1), dtype=np.float64)


def spread(seed: NDArray[np.bool_], pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """What a seed reaches over pairs."""
    reached = seed.copy()
    while len(pairs):
        before = int(reached.sum())
        hit = reached[pairs].any(axis=1)
        reached[pairs[hit].ravel()] = True
        if int(reached.sum()) == before:
            break
    return reached


def components(n: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The smallest number connected to each of ``n`` numbers."""
    root = np.arange(n, dtype=np.int64)
    while len(pairs):
        low = np.minimum(root[pairs[:, 0]], root[pairs[:, 1]])
        before = root.copy()
        np.minimum.at(root, pairs[:, 0], low)
        np.minimum.at(root, pairs[:, 1], low)
        root = root[root]
        if (root == before).all():
            break
    return root


def greedy(rank: NDArray[np.int64], clashes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which survive when of every clashing pair the better-ranked survivor removes the other."""
    alive = np.ones(len(rank), dtype=bool)
    decided = np.ones(len(rank), dtype=bool)
    decided[clashes.ravel()] = False
    better = np.where(rank[clashes[:, 0]] < rank[clashes[:, 1]], clashes[:, 0], clashes[:, 1])
    worse = np.where(rank[clashes[:, 0]] < rank[clashes[:, 1]], clashes[:, 1], clashes[:, 0])
    while not decided.all():
        # undecided ones that no living, better one contests are safe
        contested = np.zeros(len(rank), dtype=bool)
        contested[worse[alive[better]]] = True
        safe = ~decided & alive & ~contested
        decided |= safe
        beaten = worse[safe[better]]
        alive[beaten] = False
        decided[beaten] = True
    return alive


def outermost_cut(
    joined: NDArray[np.float64],
    parts: NDArray[np.float64],
    sides: NDArray[np.bool_],
    member: NDArray[np.int64],
    scale: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Whether an outer edge of a joined box is a cut: the object may still go on there."""
    tol = np.tile(scale, 2) * CUT_PX
    outer = np.abs(parts - joined[member]) <= tol
    ends_cut = np.zeros((len(joined), 4), dtype=bool)
    ends_clear = np.zeros((len(joined), 4), dtype=bool)
    np.logical_or.at(ends_cut, member, outer & sides)
    np.logical_or.at(ends_clear, member, outer & ~sides)
    return np.asarray((ends_cut & ~ends_clear).any(axis=1))
