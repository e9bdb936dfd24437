"""Name the colour of what is in a box, from its pixels. numpy only."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

__all__ = ["box_colour", "colour_name", "common_colour", "hue_degrees"]


def hue_degrees(r: float, g: float, b: float) -> float:
    """The hue of HSV in degrees, at least 0 and below 360; the colour must not be a grey."""
    high = max(r, g, b)
    chroma = high - min(r, g, b)
    if high == r:
        hue = 60 * (((g - b) / chroma) % 6)
    elif high == g:
        hue = 60 * ((b - r) / chroma + 2)
    else:
        hue = 60 * ((r - g) / chroma + 4)
    return hue % 360  # a red a hair below 0 is rounded to 360


def colour_name(rgb: NDArray[np.float32]) -> str:
    """A colour word for a mean RGB in 0..1, or ``?`` near a border between words."""
    high, low = float(rgb.max()), float(rgb.min())
    chroma, light = high - low, (high + low) / 2
    if chroma < 0.07:
        return "white" if light > 0.72 else "black" if light < 0.2 else (
            "gray" if 0.27 < light < 0.62 else "?")  # fmt: skip
    if chroma < 0.12:
        return "?"
    hue = hue_degrees(*(float(v) for v in rgb))
    if hue < 14 or hue > 345:
        return "red" if chroma > 0.2 else "?"
    if hue < 45:
        return "brown" if light < 0.62 else "orange" if chroma > 0.45 else "?"
    if hue < 68:
        return "yellow" if chroma > 0.3 else "?"
    if 75 < hue < 165:
        return "green"
    return "blue" if 190 < hue < 265 else "?"


def box_colour(image: NDArray[np.uint8], box: NDArray[np.floating]) -> str:
    """The colour word of the middle of a box (median of its inner third).

    Args:
        image: uint8[H, W, 3].
        box: ``(x0, y0, x1, y1)`` in pixels.
    """
    x0, y0, x1, y1 = (float(v) for v in box)
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    rx, ry = max((x1 - x0) / 6, 1.5), max((y1 - y0) / 6, 1.5)
    part = image[int(max(cy - ry, 0)) : int(cy + ry) + 1, int(max(cx - rx, 0)) : int(cx + rx) + 1]
    if part.size == 0:
        return "?"
    return colour_name((np.median(part.reshape(-1, 3), 0) / 255).astype(np.float32))


def common_colour(
    image: NDArray[np.uint8], boxes: NDArray[np.float64], weight: NDArray[np.float64]
) -> str | None:
    """The clear colour that most of the boxes show, by weight; None when none is clear."""
    votes: defaultdict[str, float] = defaultdict(float)
    for box, w in zip(boxes, weight, strict=True):
        votes[box_colour(image, box)] += float(w)
    votes.pop("?", None)
    return max(votes, key=lambda c: votes[c]) if votes else None
