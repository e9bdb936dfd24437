"""A closer look at a tile: enlarged crops of it, for classes that are too small at its scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rsvlm_geo.grid import Grid, Tile, Window, plan_grid
from rsvlm_geo.model.mini_boxes import ClassRule, Found, find_boxes, logistic, suppress
from rsvlm_geo.model.mini_reply import mentioned
from rsvlm_geo.vlm import GSD_ROUNDING, ModelInfo, Question

__all__ = [
    "asked_about", "enlarged_crops", "look_closer", "plan_crops", "read_crops", "too_coarse",
    "too_small",
]  # fmt: skip

_ENOUGH = 1.15
"""Times that a tile may be coarser than a class is looked for at, before a closer look pays."""
_MARGIN = 16
"""Pixels of the tile that a crop sees beyond its core, so that what it counts is seen whole."""
_SLACK = 4
"""Pixels of the tile by which two crops may place one thing apart; suppression joins the two."""
_AT_ONCE = 8


def too_coarse(gsd_m: float, read_gsd_m: float) -> bool:
    """Whether a closer look pays for a class that is looked for at ``read_gsd_m``."""
    return gsd_m > read_gsd_m * _ENOUGH


def too_small(info: ModelInfo, gsd_m: float) -> dict[str, float]:
    """Classes that a tile of this scale may hold, but too small: name -> GSD they are read at."""
    return {
        known.name: known.read_gsd_m
        for known in info.classes
        if known.read_gsd_m is not None
        and too_coarse(gsd_m, known.read_gsd_m)
        and gsd_m <= (known.max_gsd_m or math.inf) * GSD_ROUNDING
    }


def asked_about(question: Question, info: ModelInfo) -> set[str]:
    """Classes whose boxes decide the answer."""
    if question.task in ("count", "locate", "presence"):
        known = info.find_class(question.target or "")
        return set() if known is None else {known.name}
    return set(mentioned(question.text, info)) if question.task == "ask" else set()


def plan_crops(size: int, times: float) -> Grid:
    """Crops of a tile of ``size`` pixels, about ``size / times`` wide, whose cores partition it."""
    n = max(2, math.ceil(times - 0.25))
    side = max(math.ceil((size + (n - 1) * 2 * _MARGIN) / n), round(size / times))
    return plan_grid(Window(0, 0, size, size), (side, side), (_MARGIN, _MARGIN))


def look_closer(
    encode: Callable[[NDArray[np.uint8]], Mapping[str, NDArray[np.float32]]],
    images: NDArray[np.uint8],
    rules: Mapping[str, ClassRule],
    gsd_m: float,
    read_gsd_m: float,
) -> list[dict[str, Found]]:
    """The boxes of some classes, found in enlarged crops.

    Args:
        encode: uint8[B, S, S, 3] to ``peaks`` and ``edges`` of the dense head.
        images: uint8[N, S, S, 3].
        rules: Class -> how to read it.
        gsd_m: Metres per pixel of the images.
        read_gsd_m: Metres per pixel that the crops are enlarged to, about.

    Returns:
        For each image, class -> boxes in its pixels, best first.
    """
    grid = plan_crops(images.shape[1], gsd_m / read_gsd_m)
    found = []
    for image in images:
        parts = enlarged_crops(image, grid)
        maps = [encode(parts[at : at + _AT_ONCE]) for at in range(0, len(parts), _AT_ONCE)]
        peaks, edges = (np.concatenate([m[name] for m in maps]) for name in ("peaks", "edges"))
        found.append({n: read_crops(peaks, edges, grid, r, gsd_m) for n, r in rules.items()})
    return found


def enlarged_crops(image: NDArray[np.uint8], grid: Grid) -> NDArray[np.uint8]:
    """uint8[C, S, S, 3]: every crop of a tile uint8[S, S, 3], as large as the tile."""
    size = image.shape[0]
    out = np.empty((len(grid), size, size, 3), np.uint8)
    for k, crop in enumerate(grid):
        seen = crop.window
        part = image[seen.row_off : seen.row_end, seen.col_off : seen.col_end]
        picture = Image.fromarray(np.ascontiguousarray(part))
        out[k] = np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC))
    return out


def read_crops(
    peaks: NDArray[np.float32],
    edges: NDArray[np.float32],
    grid: Grid,
    rule: ClassRule,
    gsd_m: float,
) -> Found:
    """Boxes of one class in one tile, from the maps of its crops.

    Args:
        peaks: float32[C, K, g, g].
        edges: float32[C, 4, g, g].
        grid: The crops.
        rule: How to read the class.
        gsd_m: Metres per pixel of the tile.
    """
    size = grid.extent.width
    shown_m = gsd_m * grid.size[0] / size
    parts = [
        _own(find_boxes(p[rule.channel], e, rule, size, gsd_m=shown_m), crop, size)
        for p, e, crop in zip(peaks, edges, grid, strict=True)
    ]
    boxes = np.concatenate([part.boxes for part in parts])
    scores = np.concatenate([part.scores for part in parts])
    order = np.argsort(-scores, kind="stable")
    keep = order[suppress(boxes[order], rule.nms_iou)]
    sure = logistic(scores[keep], rule.slope, rule.offset)
    return Found(boxes[keep], scores[keep], sure, max(part.presence for part in parts))


def _own(found: Found, crop: Tile, size: int) -> Found:
    """Boxes whose centre lies in the crop's core or hardly beyond it, in pixels of the tile."""
    boxes = crop.to_scene(found.boxes.reshape(-1, 2, 2), size).reshape(-1, 4)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    core = np.array([crop.core.col_off, crop.core.row_off, crop.core.col_end, crop.core.row_end])
    mine = (centre >= core[:2] - _SLACK).all(1) & (centre < core[2:] + _SLACK).all(1)
    return Found(boxes[mine], found.scores[mine], found.probability[mine], found.presence)
