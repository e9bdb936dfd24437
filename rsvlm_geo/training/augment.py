"""What real rasters do to a tile: scale, turns, grey, haze, stretch, JPEG, nodata corners."""

from __future__ import annotations

import io

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

RESAMPLE = (Image.Resampling.BILINEAR, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)


def crop(
    image: NDArray[np.uint8], box: tuple[float, float, float, float], size: int, rng: Generator
) -> NDArray[np.uint8]:
    """Cut ``box`` (pixel edges, may leave the image) and resample it: uint8[size, size, 3].

    What lies outside is zero, as beyond the edge of a scene.
    """
    h, w = image.shape[:2]
    x0, y0, x1, y1 = box
    scale = size / (x1 - x0)
    cx0, cy0, cx1, cy1 = max(x0, 0.0), max(y0, 0.0), min(x1, float(w)), min(y1, float(h))
    dx0, dy0 = round((cx0 - x0) * scale), round((cy0 - y0) * scale)
    dx1, dy1 = round((cx1 - x0) * scale), round((cy1 - y0) * scale)
    out = np.zeros((size, size, 3), np.uint8)
    if dx1 <= dx0 or dy1 <= dy0:
        return out
    part = Image.fromarray(image).resize(
        (dx1 - dx0, dy1 - dy0), RESAMPLE[rng.integers(3)], box=(cx0, cy0, cx1, cy1)
    )
    out[dy0:dy1, dx0:dx1] = np.asarray(part)
    return out


def rotate_crop(
    image: NDArray[np.uint8], centre: tuple[float, float], scale: float, angle: float, size: int
) -> NDArray[np.uint8]:
    """A turned window around ``centre``: uint8[size, size, 3], zero beyond the image.

    Args:
        image: uint8[H, W, 3].
        centre: ``(x, y)`` in pixels of the image that comes to the middle.
        scale: Output pixels per image pixel.
        angle: Radians.
        size: Side of the output.
    """
    c, s, half = np.cos(angle) / scale, np.sin(angle) / scale, size / 2
    x, y = centre
    data = (c, -s, x - c * half + s * half, s, c, y - s * half - c * half)
    pil = Image.fromarray(image)
    if scale < 0.6:
        pil = pil.reduce(2)
        data = tuple(v / 2 for v in data)
    turned = pil.transform((size, size), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR)
    return np.asarray(turned)


def rotate_boxes(
    boxes: NDArray[np.float32],
    centre: tuple[float, float],
    scale: float,
    angle: float,
    size: int,
) -> NDArray[np.float32]:
    """Boxes in the window of :func:`rotate_crop`.

    A long box holds an object along its axes: its corners are turned. In a squarish one the object
    is round or oblique: an ellipse is turned, which keeps its size.
    """
    c, s = np.cos(angle), np.sin(angle)
    dx = (boxes[:, 0] + boxes[:, 2]) / 2 - centre[0]
    dy = (boxes[:, 1] + boxes[:, 3]) / 2 - centre[1]
    u, v = (dx * c + dy * s) * scale + size / 2, (-dx * s + dy * c) * scale + size / 2
    a, b = (boxes[:, 2] - boxes[:, 0]) / 2 * scale, (boxes[:, 3] - boxes[:, 1]) / 2 * scale
    long = np.maximum(a, b) > 1.5 * np.minimum(a, b)
    ru = np.where(long, np.abs(a * c) + np.abs(b * s), np.hypot(a * c, b * s))
    rv = np.where(long, np.abs(a * s) + np.abs(b * c), np.hypot(a * s, b * c))
    return np.stack([u - ru, v - rv, u + ru, v + rv], 1).astype(np.float32)


def turn_image(image: NDArray[np.uint8], k: int, flip: bool) -> NDArray[np.uint8]:
    """Rotate by ``k`` quarter turns (counter-clockwise), then mirror left-right."""
    image = np.rot90(image, k)
    return np.ascontiguousarray(image[:, ::-1] if flip else image)


def turn_boxes(boxes: NDArray[np.float32], k: int, flip: bool, size: int) -> NDArray[np.float32]:
    """The same turn for boxes of a square image of side ``size``."""
    x0, y0, x1, y1 = boxes.T
    for _ in range(k % 4):
        x0, y0, x1, y1 = y0, size - x1, y1, size - x0
    if flip:
        x0, x1 = size - x1, size - x0
    return np.stack([x0, y0, x1, y1], 1).astype(np.float32)


def jpeg(image: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Compress with a quality of 35-90 and decode."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=int(rng.integers(35, 90)))
    return np.asarray(Image.open(buffer))


def coarsen(image: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Lose resolution by a factor of 1.3 to 2.5 and come back to the same size."""
    size = image.shape[0]
    small = max(16, round(size / rng.uniform(1.3, 2.5)))
    pil = Image.fromarray(image).resize((small, small), Image.Resampling.BOX)
    return np.asarray(pil.resize((size, size), RESAMPLE[rng.integers(3)]))


def nodata_corner(image: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """Blacken a strip or a triangle at a side, up to a third of the tile."""
    out, size = image.copy(), image.shape[0]
    y, x = np.mgrid[:size, :size] / size
    a = rng.uniform(0, 2 * np.pi)
    along = np.cos(a) * (x - 0.5) + np.sin(a) * (y - 0.5)
    out[along > rng.uniform(0.15, 0.5)] = 0
    return out


def spoil(image: NDArray[np.uint8], rng: Generator, corner: float = 0.05) -> NDArray[np.uint8]:
    """Each of the pixel damages with its own small probability."""
    if rng.random() < 0.15:
        image = coarsen(image, rng)
    if rng.random() < 0.20:
        image = jpeg(image, rng)
    if rng.random() < corner:
        image = nodata_corner(image, rng)
    return image


def stretch(x: Tensor, rng: Generator) -> Tensor:
    """A percentile stretch of float[3, H, W], of all bands together or each alone."""
    cut = float(rng.uniform(0.003, 0.025))
    flat = x.reshape(1, -1) if rng.random() < 0.6 else x.reshape(3, -1)
    edges = np.quantile(flat.numpy()[:, ::5], (cut, 1 - cut), axis=1).astype(np.float32)
    low, high = torch.from_numpy(edges)[:, :, None]
    return ((flat - low) / (high - low).clamp(min=0.02)).clamp(0.0, 1.0).reshape(x.shape)


def photometric(x: Tensor, rng: Generator) -> Tensor:
    """Stretch, brightness, contrast, cast, haze, gamma, grey; per image.

    Args:
        x: float32[B, 3, H, W] in 0..255.

    Returns:
        The same shape and range; black nodata stays black enough.
    """
    b = x.shape[0]

    def draw(low: float, high: float, shape: tuple[int, ...]) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, shape).astype(np.float32))

    x = x / 255.0
    for i in np.flatnonzero(rng.random(b) < 0.15):
        x[i] = stretch(x[i], rng)
    on = torch.from_numpy((rng.random((b, 1, 1, 1)) < 0.7).astype(np.float32))
    gain = 1 + on * (torch.exp(draw(-0.35, 0.35, (b, 1, 1, 1))) - 1)
    cast = torch.exp(on * draw(-0.12, 0.12, (b, 3, 1, 1)))
    x = x * (gain * cast)
    mean = x.mean((1, 2, 3), keepdim=True)
    contrast = torch.exp(on * draw(-0.35, 0.35, (b, 1, 1, 1)))
    x = (x - mean) * contrast + mean + on * draw(-0.08, 0.08, (b, 1, 1, 1))
    haze = draw(0.0, 0.35, (b, 1, 1, 1)) * torch.from_numpy(
        (rng.random((b, 1, 1, 1)) < 0.15).astype(np.float32)
    )
    x = x * (1 - haze) + haze * draw(0.6, 0.95, (b, 1, 1, 1))
    x = x.clamp(0.0, 1.0)
    which = rng.random(b)
    for i in np.flatnonzero(which < 0.3):
        if which[i] < 0.12:
            x[i] = (x[i] * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0)
        else:
            x[i] = x[i] ** float(np.exp(rng.uniform(-0.4, 0.4)))
    return x * 255.0
