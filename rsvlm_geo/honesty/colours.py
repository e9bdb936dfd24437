"""The colour of an object, where it is clear; a grey copy, where it must not be told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.annotated import AnnotatedImage, Box
from rsvlm_geo.errors import DataError
from rsvlm_geo.model.mini_colour import hue_degrees

__all__ = ["COLOURS", "colour_of_class", "name_colour", "read_rgb", "write_grey"]

COLOURS = ("white", "grey", "black", "red", "orange", "yellow", "green", "blue", "purple", "brown")


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """uint8[H, W, 3].

    Raises:
        DataError: It cannot be read.
    """
    from PIL import Image

    try:
        with Image.open(path) as opened:
            return np.asarray(opened.convert("RGB"))
    except OSError as error:
        raise DataError(f"{path} cannot be read as an image ({error})") from error


def name_colour(rgb: NDArray[np.floating]) -> str | None:
    """The word for a colour, or None near the border between two words.

    Args:
        rgb: float[3], 0..255.
    """
    r, g, b = (float(v) / 255 for v in rgb)
    high, low = max(r, g, b), min(r, g, b)
    light, chroma = (high + low) / 2, high - low
    if chroma < 0.08:
        for limit, name in ((0.18, "black"), (0.30, ""), (0.62, "grey"), (0.74, "")):
            if light < limit:
                return name or None
        return "white"
    if chroma < 0.14:
        return None
    hue = hue_degrees(r, g, b)
    if 14 <= hue <= 42 and 0.15 < light < 0.38:
        return "brown"
    bands = ((0, 12, "red"), (22, 40, "orange"), (50, 66, "yellow"), (82, 155, "green"),
             (200, 250, "blue"), (268, 310, "purple"), (346, 360, "red"))  # fmt: skip
    darkest = {"orange": 0.45, "yellow": 0.40, "red": 0.22}
    for first, last, name in bands:
        if first <= hue <= last and darkest.get(name, 0.14) < light < 0.86:
            return name
    return None


def _colour(image: NDArray[np.uint8], box: Box) -> str | None:
    """Of the middle of a box, where most of its pixels agree."""
    x0, y0, x1, y1 = box.bbox
    w, h = x1 - x0, y1 - y0
    part = image[
        int(y0 + h * 0.3) : int(y1 - h * 0.3) + 1, int(x0 + w * 0.3) : int(x1 - w * 0.3) + 1
    ]
    pixels = part.reshape(-1, 3).astype(np.float64)
    if len(pixels) < 9:
        return None
    middle = np.median(pixels, axis=0)
    near = np.abs(pixels - middle).max(axis=1) < 45
    return name_colour(middle) if near.mean() > 0.7 else None


def colour_of_class(image: AnnotatedImage, rgb: NDArray[np.uint8], label: str) -> str | None:
    """The one clear colour all objects of a class share, or None."""
    names = {_colour(rgb, box) for box in image.of(label)}
    return names.pop() if len(names) == 1 else None


def write_grey(rgb: NDArray[np.uint8], path: Path) -> None:
    """The image as one panchromatic band (ITU-R 601 luma), stored as PNG or JPEG by suffix."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).convert("L").save(path)
