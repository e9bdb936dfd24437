"""Cut labelled images into the tiles that calibration and evaluation look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rsvlm_geo.training import data, splits

SIZE = 256
READ_SCALE = {"neon_trees": 1.0, "neon_trees_416": 1.0, "aerial_cars": 1.0, "ucm": 1.0}
"""Pixels of the tile per pixel of the stored image."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One window of an image and the core it answers for."""

    x: int
    y: int
    core: tuple[float, float, float, float]
    """``(x0, y0, x1, y1)`` in pixels of the scaled image; the cores of an image partition it."""


def offsets(length: int, overlap: int) -> list[int]:
    """Starts of windows of 256 that cover ``length`` evenly with at least ``overlap``."""
    if length <= SIZE:
        return [0]
    n = int(np.ceil((length - overlap) / (SIZE - overlap)))
    return [round(i * (length - SIZE) / (n - 1)) for i in range(n)]


def _cores(starts: list[int], length: int) -> list[tuple[float, float]]:
    edges = [0.0, *((a + SIZE + b) / 2 for a, b in zip(starts, starts[1:], strict=False)),
             float(max(length, SIZE))]  # fmt: skip
    return list(zip(edges, edges[1:], strict=False))


def plan(height: int, width: int, overlap: int = 96) -> list[Cut]:
    """Windows of an image, their cores meeting halfway through the overlaps."""
    ys, xs = offsets(height, overlap), offsets(width, overlap)
    return [
        Cut(x, y, (cx0, cy0, cx1, cy1))
        for y, (cy0, cy1) in zip(ys, _cores(ys, height), strict=True)
        for x, (cx0, cx1) in zip(xs, _cores(xs, width), strict=True)
    ]


def scaled(sample: data.Sample) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The image and its boxes at the scale at which the set is read."""
    s = READ_SCALE.get(sample.set, 1.0)
    if s == 1.0:
        return sample.image, sample.boxes
    h, w = sample.image.shape[:2]
    size = (round(w * s), round(h * s))
    image = np.asarray(Image.fromarray(sample.image).resize(size, Image.Resampling.BILINEAR))
    return image, sample.boxes * np.float32(s)


def window(image: NDArray[np.uint8], cut: Cut) -> NDArray[np.uint8]:
    """uint8[256, 256, 3]; zero beyond the image."""
    out = np.zeros((SIZE, SIZE, 3), np.uint8)
    part = image[cut.y : cut.y + SIZE, cut.x : cut.x + SIZE]
    out[: part.shape[0], : part.shape[1]] = part
    return out


Detect = Callable[[NDArray[np.uint8]], list[tuple[NDArray[np.float64], NDArray[np.float64]]]]
"""uint8[B, 256, 256, 3] -> boxes and raw scores of one class in each tile."""


def detect_image(
    sample: data.Sample, detect: Detect
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]]:
    """Boxes, scores and true boxes of a whole image, each box owned by the core of its centre."""
    image, true = scaled(sample)
    cuts = plan(*image.shape[:2])
    boxes, scores = [np.zeros((0, 4))], [np.zeros(0)]
    for i in range(0, len(cuts), 8):
        part = cuts[i : i + 8]
        tiles = np.stack([window(image, c) for c in part])
        for cut, (b, s) in zip(part, detect(tiles), strict=True):
            b = b + np.array([cut.x, cut.y, cut.x, cut.y])
            cx, cy = (b[:, 0] + b[:, 2]) / 2, (b[:, 1] + b[:, 3]) / 2
            x0, y0, x1, y1 = cut.core
            mine = (cx >= x0) & (cx < x1) & (cy >= y0) & (cy < y1)
            boxes.append(b[mine])
            scores.append(s[mine])
    return np.concatenate(boxes), np.concatenate(scores), true


def object_samples(data_dir: Path, split: str) -> dict[str, list[data.Sample]]:
    """Boxed images of a split: ``trees``, ``cars``, ``ucm`` (complete ones only)."""
    trees = data.load_set(data_dir, "neon_trees") + data.load_set(data_dir, "neon_trees_416")
    ucm = [
        s for s in data.load_set(data_dir, "ucm")
        if len(s.boxes) and s.known[:4].all()
        and splits.ucm_box_split(s.file, "val" if s.split == "val" else "train") == split
    ]  # fmt: skip
    return {
        "trees": [s for s in trees if s.split == split],
        "cars": [s for s in data.load_set(data_dir, "aerial_cars") if s.split == split],
        "ucm": ucm,
    }
