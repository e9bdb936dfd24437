"""Class masks as annotation rows: what covers an image, and the objects that can be told apart.

A folder holds ``images/``, ``masks/`` (one PNG or GeoTIFF an image, same stem, same size, a class
number a pixel) and ``classes.json``: number -> name, or -> ``{"name": ..., "objects": true}``
where each connected region is one object. Numbers that are not named say nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import DataError

__all__ = ["mask_rows"]

MIN_SHARE = 0.01
"""A class that covers less of the image is not said to be there."""
MIN_OBJECT_PX = 12
"""A smaller region is noise at a border between classes, not an object."""


@dataclass(frozen=True, slots=True)
class _Class:
    name: str
    objects: bool


def mask_rows(path: Path, images: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    """A row for each mask below ``path``: ``labels``, and ``boxes`` of the classes of objects.

    Args:
        path: The folder with ``masks/`` and ``classes.json``.
        images: Stem -> file name of the images.

    Raises:
        DataError: ``classes.json`` is missing or damaged, a mask has no image, or cannot be read.
    """
    classes = _classes(path / "classes.json")
    countable = sorted({c.name for c in classes.values() if c.objects})
    masks = sorted(p for p in (path / "masks").iterdir() if p.suffix.lower() in (".png", ".tif"))
    if not masks:
        raise DataError(f"{path / 'masks'} holds no .png or .tif mask")
    for file in masks:
        if file.stem not in images:
            raise DataError(f"no image for {file}")
        mask = _read(file)
        shares = {c.name: 0.0 for c in classes.values()}
        for number, kind in classes.items():
            shares[kind.name] += float((mask == number).mean())
        yield {
            "file": images[file.stem], "size": [mask.shape[1], mask.shape[0]],
            "labels": [name for name, share in shares.items() if share >= MIN_SHARE],
            "boxes": [b for n, kind in classes.items() if kind.objects
                      for b in _regions(mask == n, kind.name)],
            "complete": countable,
        }  # fmt: skip


def _classes(path: Path) -> dict[int, _Class]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return {
            int(number): _Class(value, False)
            if isinstance(value, str)
            else _Class(str(value["name"]), bool(value.get("objects", False)))
            for number, value in raw.items()
        }
    except FileNotFoundError as error:
        raise DataError(f"no {path}: masks need number -> class name there") from error
    except (json.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path} is not number -> class name ({type(error).__name__}: {error})"
        ) from error


def _read(file: Path) -> NDArray[np.int32]:
    """int32[H, W] class numbers."""
    from PIL import Image

    try:
        with Image.open(file) as opened:
            mask = np.asarray(opened)
    except OSError as error:
        raise DataError(f"{file} cannot be read as a mask ({error})") from error
    if mask.ndim != 2:
        raise DataError(
            f"{file} has {mask.shape[2]} bands; a mask has one, with a class number a pixel"
        )
    return mask.astype(np.int32)


def _regions(on: NDArray[np.bool_], label: str) -> Iterable[dict[str, Any]]:
    """Boxes (pixel edges) of the regions connected over sides and corners."""
    from rasterio.features import shapes

    if not on.any():
        return
    for shape, _ in shapes(on.astype(np.uint8), mask=on, connectivity=8):
        ring = np.array(shape["coordinates"][0])
        (x0, y0), (x1, y1) = ring.min(0), ring.max(0)
        if on[int(y0) : int(y1), int(x0) : int(x1)].sum() >= MIN_OBJECT_PX:
            yield {"label": label, "bbox": [float(v) for v in (x0, y0, x1, y1)]}
