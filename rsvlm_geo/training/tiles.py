"""Cut labelled images into the tiles that calibration and evaluation look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rsvlm_geo.training import data, splits

SIZE = 256
READ_SCALE = {"neon_trees": 2 / 3, "neon_trees_416": 2 / 3, "aerial_cars": 1.0, "ucm": 1.0}
"""Pixels of the tile per pixel of the stored image: trees are read at 0.15 m, as the card says."""
READ_GSD_M = {"car": 0.15, "tree": 0.15}
"""Coarser scenes are enlarged to this: parked cars at 0.3 m F1 .23, enlarged .89; trees at 0.3 m
.36, enlarged .54 (validation)."""
STORED_GSD = {"ucm": 0.3, "ucm_2x": 0.15, "eurosat": 10.0, "aerial_cars": 0.13, "rsvqa": 0.1524}
"""Metres per pixel of the stored images (cars: judged from their length); the tree sets: 0.1."""


def read_gsd(sample: data.Sample) -> float:
    """Metres per pixel at which a sample's tiles are read."""
    return STORED_GSD.get(sample.set, 0.1) / READ_SCALE.get(sample.set, 1.0)


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
    edges = [0.0, *((a + SIZE + b) / 2 for a, b in pairwise(starts)),
             float(max(length, SIZE))]  # fmt: skip
    return list(pairwise(edges))


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


def doubled(sample: data.Sample) -> data.Sample:
    """A UCM image at twice its size: cars in rows are then more than a cell of the maps apart."""
    h, w = sample.image.shape[:2]
    image = np.asarray(
        Image.fromarray(sample.image).resize((2 * w, 2 * h), Image.Resampling.BICUBIC)
    )
    return replace(sample, set="ucm_2x", image=image, boxes=sample.boxes * np.float32(2))


Detect = Callable[[NDArray[np.uint8]], list[list[tuple[NDArray[np.float64], NDArray[np.float64]]]]]
"""uint8[B, 256, 256, 3] -> for each tile, for each class, boxes and scores."""


def cut_image(sample: data.Sample, overlap: int = 96) -> tuple[list[Cut], NDArray[np.uint8]]:
    """The plan of an image and its tiles uint8[n, 256, 256, 3]."""
    image, _ = scaled(sample)
    cuts = plan(image.shape[0], image.shape[1], overlap)
    return cuts, np.stack([window(image, c) for c in cuts])


def merge(
    cuts: list[Cut], found: list[tuple[NDArray[np.float64], NDArray[np.float64]]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Boxes and scores of a whole image: each box is owned by the core its centre lies in."""
    boxes, scores = [np.zeros((0, 4))], [np.zeros(0)]
    for cut, (b, s) in zip(cuts, found, strict=True):
        b = b + np.array([cut.x, cut.y, cut.x, cut.y])
        cx, cy = (b[:, 0] + b[:, 2]) / 2, (b[:, 1] + b[:, 3]) / 2
        x0, y0, x1, y1 = cut.core
        mine = (cx >= x0) & (cx < x1) & (cy >= y0) & (cy < y1)
        boxes.append(b[mine])
        scores.append(s[mine])
    return np.concatenate(boxes), np.concatenate(scores)


def detect_image(
    sample: data.Sample, detect: Detect
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Boxes and scores of a whole image, one pair per class."""
    cuts, images = cut_image(sample)
    found = [row for i in range(0, len(cuts), 8) for row in detect(images[i : i + 8])]
    return [merge(cuts, [row[c] for row in found]) for c in range(len(found[0]))]


def object_samples(data_dir: Path, split: str) -> dict[str, list[data.Sample]]:
    """Images of a split: ``trees cars ucm`` are boxed completely; ``background`` has none of ours.

    Background is of UCM (classes without our large objects) and 15 cm street tiles.
    """
    trees = data.load_set(data_dir, "neon_trees") + data.load_set(data_dir, "neon_trees_416")
    every = data.load_set(data_dir, "ucm")
    streets = [s for s in data.load_set(data_dir, "rsvqa") if s.split == split]
    ucm = [
        s for s in every
        if len(s.boxes) and s.known[: len(splits.LARGE)].all()
        and splits.ucm_box_split(s.file, "val" if s.split == "val" else "train") == split
    ]  # fmt: skip
    return {
        "trees": [s for s in trees if s.split == split],
        "cars": [s for s in data.load_set(data_dir, "aerial_cars") if s.split == split],
        "ucm": ucm,
        "background": [
            s
            for s in every
            if s.split == split and s.known[: len(splits.LARGE)].all() and not len(s.boxes)
        ]
        + streets,
    }
