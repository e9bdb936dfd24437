"""The damages that robustness is measured under; each uint8[256, 256, 3] -> the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]


def grey(image: Picture) -> Picture:
    """Luminance in all three bands."""
    mono = (image @ np.array([0.299, 0.587, 0.114])).round().astype(np.uint8)
    return np.repeat(mono[:, :, None], 3, 2)


def coarser(image: Picture) -> Picture:
    """Half the resolution, at the same extent."""
    h, w = image.shape[:2]
    small = Image.fromarray(image).resize((w // 2, h // 2), Image.Resampling.BOX)
    return np.asarray(small.resize((w, h), Image.Resampling.BILINEAR))


def sixteen_bit(image: Picture) -> Picture:
    """As 12-bit data in uint16, brought back by a 2-98 % stretch of all bands together."""
    deep = image.astype(np.float64) * 11.0 + 350.0
    low, high = np.percentile(deep, (0.5, 99.5))
    return (np.clip((deep - low) / max(high - low, 1.0), 0, 1) * 255).round().astype(np.uint8)


def rotated(image: Picture) -> Picture:
    """A quarter turn."""
    return np.ascontiguousarray(np.rot90(image))


DAMAGES: Mapping[str, Callable[[Picture], Picture]] = {
    "grey": grey, "2x_coarser": coarser, "16_bit_stretch": sixteen_bit, "rotated_90": rotated,
}  # fmt: skip
