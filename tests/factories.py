"""Small worlds: rasters with painted objects, and a model that sees exactly what is painted."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning
from rasterio.features import shapes as raster_shapes
from rasterio.windows import Window as RasterioWindow

from rsvlm_geo.vlm import ClassInfo, ModelInfo, Question, Reply, ScaleRule

Box = tuple[int, int, int, int]

UTM = "EPSG:32633"
LEVELS = {"uint8": (40, 220), "uint16": (400, 2800), "int16": (400, 2800),
          "float32": (0.06, 0.28), "float64": (0.06, 0.28)}  # fmt: skip
"""Stored value of background and of objects."""


def make_transform(
    res: float | tuple[float, float] = 0.5,
    rotation: float = 0.0,
    origin: tuple[float, float] = (500_000.0, 5_200_000.0),
) -> Affine:
    """North-up, or turned by ``rotation`` degrees about the origin."""
    rx, ry = (res, res) if isinstance(res, (int, float)) else res
    # affine 2.4 multiplies with * and affine 3 with @: six numbers work with both
    c, s = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
    return Affine(c * rx, s * ry, origin[0], s * rx, -c * ry, origin[1])


def make_scene(
    path: Path,
    *,
    width: int = 700,
    height: int = 700,
    crs: str | None = UTM,
    res: float | tuple[float, float] = 0.5,
    rotation: float = 0.0,
    origin: tuple[float, float] = (500_000.0, 5_200_000.0),
    transform: Affine | None = None,
    dtype: str = "uint8",
    bands: int = 3,
    nodata: float | None = None,
    objects: Sequence[Box] = (),
    holes: Sequence[Box] = (),
    noise: bool = False,
    seed: int = 0,
    **profile: Any,
) -> Path:
    """Write a GeoTIFF with painted rectangles.

    Args:
        path: Where.
        width: Columns.
        height: Rows.
        crs: None for none.
        res: Units of the CRS per pixel.
        rotation: Degrees.
        origin: Map position of the top left corner.
        transform: Instead of ``res``, ``rotation`` and ``origin``.
        dtype: How it is stored.
        bands: How many.
        nodata: Declared fill value.
        objects: Rectangles ``(x0, y0, x1, y1)`` in pixels, painted bright.
        holes: Rectangles filled with ``nodata``, or 0.
        noise: Values spread over the whole range of the dtype's levels, no objects.
        seed: Of the noise.
        profile: More of rasterio's creation options; ``SPARSE_OK=True`` writes only the objects.
    """
    low, high = LEVELS[dtype]
    place = transform if transform is not None else make_transform(res, rotation, origin)
    options: dict[str, Any] = {
        "driver": "GTiff", "width": width, "height": height, "count": bands, "dtype": dtype,
        "nodata": nodata, "tiled": True, "blockxsize": 256, "blockysize": 256, **profile,
    }  # fmt: skip
    if crs is not None:
        options.update(crs=crs, transform=place)
    if not options["tiled"]:
        options.pop("blockxsize"), options.pop("blockysize")
    sparse = bool(options.get("SPARSE_OK"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        dataset = rasterio.open(path, "w", **options)
    with dataset:
        if not sparse:
            image = np.full((bands, height, width), low, dtype=dtype)
            if noise:
                rng = np.random.default_rng(seed)
                image = rng.uniform(low, high, image.shape).astype(dtype)
            for x0, y0, x1, y1 in objects:
                image[:, y0:y1, x0:x1] = high
            for x0, y0, x1, y1 in holes:
                image[:, y0:y1, x0:x1] = 0 if nodata is None else nodata
            dataset.write(image)
        else:
            for x0, y0, x1, y1 in objects:
                part = np.full((bands, y1 - y0, x1 - x0), high, dtype=dtype)
                dataset.write(part, window=RasterioWindow(x0, y0, x1 - x0, y1 - y0))
    return path


def scatter(
    width: int, height: int, n: int, *, size: tuple[int, int] = (6, 20), gap: int = 4, seed: int = 0
) -> list[Box]:
    """Up to ``n`` rectangles that keep ``gap`` pixels from each other and from the border."""
    rng = np.random.default_rng(seed)
    found: list[Box] = []
    for _ in range(40 * n):
        w, h = (int(v) for v in rng.integers(size[0], size[1] + 1, 2))
        if w + 2 > width or h + 2 > height:
            continue
        x, y = int(rng.integers(1, width - w)), int(rng.integers(1, height - h))
        box = (x, y, x + w, y + h)
        if all(
            box[2] + gap <= b[0] or b[2] + gap <= box[0] or box[3] + gap <= b[1]
            or b[3] + gap <= box[1] for b in found
        ):  # fmt: skip
            found.append(box)
            if len(found) == n:
                break
    return found


@dataclass
class Oracle:
    """A model that finds every bright patch, to a fraction of a pixel; counts what it is shown."""

    image_size: int = 128
    size_m: float | None = None
    """Largest object it claims to know."""
    scales: tuple[ScaleRule, ...] = ()
    label: str = "thing"
    low: int = 40
    high: int = 220
    """8-bit levels of background and objects, as the model is shown them."""
    shown: int = field(default=0)
    """Images it was asked about."""

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(
            "oracle", self.image_size,
            frozenset({"count", "locate", "presence", "caption", "classify", "ask"}),
            classes=(ClassInfo(self.label, size_m=self.size_m),), scales=self.scales, batch=4,
        )  # fmt: skip

    def ask(self, images: NDArray[np.uint8], questions: Sequence[Question]) -> list[list[Reply]]:
        self.shown += len(images)
        return [[self.reply(self.find(image), q) for q in questions] for image in images]

    def reply(self, boxes: NDArray[np.float64], question: Question) -> Reply:
        n = len(boxes)
        if question.task == "presence":
            return Reply(
                "yes" if n else "no", candidates={"yes": float(n > 0), "no": float(n == 0)}
            )
        if question.task in ("count", "locate"):
            return Reply(str(n), boxes=boxes, labels=(self.label,) * n, scores=np.full(n, 0.9))
        return Reply(f"A picture with {n} bright patches.", confidence=0.9)

    def find(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        """float64[n, 4]: boxes of the bright patches, edges from how far border pixels are lit."""
        share = (image[..., 0].astype(np.float64) - self.low) / (self.high - self.low)
        lit = (share > 0.02).astype(np.uint8)
        found = []
        for geometry, _ in raster_shapes(lit, mask=lit.astype(bool), connectivity=8):
            ring = np.array(geometry["coordinates"][0])
            (x0, y0), (x1, y1) = ring.min(axis=0).astype(int), ring.max(axis=0).astype(int)
            patch = np.clip(share[y0:y1, x0:x1], 0.0, 1.0)
            cols, rows = patch.max(axis=0), patch.max(axis=1)
            peak = patch.max()
            found.append((
                x0 + 1 - cols[0] / peak, y0 + 1 - rows[0] / peak,
                x1 - 1 + cols[-1] / peak, y1 - 1 + rows[-1] / peak,
            ))  # fmt: skip
        return np.array(found, dtype=np.float64).reshape(-1, 4)


def true_rings(objects: Sequence[Box], transform: Affine) -> NDArray[np.float64]:
    """float64[n, 4, 2]: corners of painted rectangles on the map, straight through the affine."""
    a, b, c, d, e, f = tuple(transform)[:6]
    rings = [
        [
            (a * x + b * y + c, d * x + e * y + f)
            for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
        ]
        for x0, y0, x1, y1 in objects
    ]
    return np.array(rings, dtype=np.float64).reshape(-1, 4, 2)


def at(transform: Affine, col: float, row: float) -> tuple[float, float]:
    """The map position of a pixel's top left corner."""
    a, b, c, d, e, f = tuple(transform)[:6]
    return a * col + b * row + c, d * col + e * row + f


def footprint_errors(rings: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest distance of a corner from its true place, each ring with its nearest true one."""
    if len(rings) == 0:
        return np.empty(0)
    centre, wanted = rings[:, :4].mean(axis=1), truth.mean(axis=1)
    nearest = np.argmin(((centre[:, None] - wanted[None]) ** 2).sum(-1), axis=1)
    assert len(set(nearest.tolist())) == len(rings), "two rings claim one object"
    return np.sqrt(((rings[:, :4] - truth[nearest]) ** 2).sum(-1)).max(axis=1)


def metres_per_unit(crs: str | None) -> float:
    """Rough length of a CRS unit, for tolerances."""
    if crs is None:
        return 1.0
    known = rasterio.crs.CRS.from_user_input(crs)
    return 111_320.0 if known.is_geographic else float(known.linear_units_factor[1])


def near(a: float, b: float, tolerance: float) -> bool:
    """Whether two numbers agree to a share of the larger."""
    return math.isclose(a, b, rel_tol=tolerance)
