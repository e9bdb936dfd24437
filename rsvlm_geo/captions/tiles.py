"""Scenes to annotated tiles: images on disk, and boxes from vector layers drawn over them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from rsvlm_geo.annotated import class_name
from rsvlm_geo.errors import DataError, OutputError
from rsvlm_geo.vlm import ModelInfo

__all__ = ["cut_tiles"]


def cut_tiles(
    scene: Any,
    out: str | Path,
    *,
    size_px: int = 256,
    gsd_m: float | None = None,
    vectors: str | Path | None = None,
    class_column: str | None = None,
    default_class: str | None = None,
    licence: str = "",
    min_valid: float = 0.5,
) -> Path:
    """Cut a scene into square images, and vector features into boxes of each.

    Args:
        scene: Open, a path, a URL or a STAC item.
        out: Folder; gets ``<scene>.jsonl`` and ``<scene>/*.png``.
        size_px: Side of an image.
        gsd_m: Metres per pixel to read at; the scene's own by default.
        vectors: Polygons, lines or points in any format and CRS that GDAL reads; every feature
            is taken to be there, so each class is complete where the layer reaches.
        class_column: Attribute that names the class.
        default_class: Class of features without one.
        licence: Of the imagery, written into every row.
        min_valid: Tiles with a smaller share of data are left out.

    Returns:
        The ``.jsonl``, a source for every ``captions`` and ``questions`` command.

    Raises:
        DataError: The vectors cannot be read, have no CRS, or no class.
        OutputError: The folder cannot be written to.
    """
    from PIL import Image

    from rsvlm_geo.scene import Scene, iter_batches, open_scene, plan_tiles

    opened = scene if isinstance(scene, Scene) else open_scene(scene)
    features = _features(opened, vectors, class_column, default_class) if vectors else []
    complete = sorted({name for name, _ in features})
    info = ModelInfo("tiles", size_px, frozenset())
    plan = plan_tiles(opened, info, gsd_m=gsd_m, min_valid=min_valid)
    folder = Path(out).expanduser()
    images = folder / opened.name
    rows = []
    try:
        images.mkdir(parents=True, exist_ok=True)
        with closing(iter_batches(opened, plan)) as batches:
            for batch in batches:
                for item, image in zip(batch.shown, batch.images, strict=True):
                    w = item.tile.window
                    name = f"{opened.name}_{item.tile.row}_{item.tile.col}.png"
                    Image.fromarray(image).save(images / name)
                    scale = size_px / w.width, size_px / w.height
                    rows.append({
                        "file": name, "dataset": opened.name, "split": "", "licence": licence,
                        "size": [size_px, size_px], "gsd_m": plan.gsd_m, "complete": complete,
                        "window_px": [w.col_off, w.row_off, w.width, w.height],
                        "boxes": _boxes(features, w.col_off, w.row_off, scale, size_px),
                        "modality": "panchromatic" if opened.bands.panchromatic else "color",
                    })  # fmt: skip
        path = folder / f"{opened.name}.jsonl"
        part = path.with_suffix(".jsonl.part")
        part.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write tiles to {folder} ({error})") from error
    return path


Feature = tuple[str, tuple[float, float, float, float]]


def _features(
    scene: Any, vectors: str | Path, column: str | None, default: str | None
) -> list[Feature]:
    """``(class, box in scene pixels)`` of every feature that touches the scene."""
    import geopandas as gpd
    import shapely

    path = Path(vectors).expanduser()
    try:
        frame = gpd.read_file(path)
    except Exception as error:
        raise DataError(f"{path} cannot be read as vectors ({type(error).__name__})") from error
    if scene.ground.kind == "none" or frame.crs is None:
        which = str(path) if frame.crs is None else scene.href
        raise DataError(f"{which} has no CRS; features cannot be laid over the scene")
    if column is not None and column not in frame.columns:
        names = ", ".join(map(str, frame.columns.drop(frame.geometry.name)))
        raise DataError(f"{path} has no column {column!r}; it has {names}")
    if column is None and default is None:
        raise DataError(f"say which class the features of {path.name} are: a column or a name")
    frame = frame.to_crs(scene.ground.crs_wkt)
    labels: Sequence[Any] = frame[column].tolist() if column is not None else [None] * len(frame)
    out: list[Feature] = []
    for label, shape in zip(labels, frame.geometry, strict=True):
        name = class_name(str(label)) if isinstance(label, str) and label else default
        if name is None or shape is None or shape.is_empty:
            continue
        xy = scene.ground.to_pixels(shapely.get_coordinates(shape))
        xy = xy[np.isfinite(xy).all(axis=1)]
        if len(xy):
            (x0, y0), (x1, y1) = xy.min(axis=0), xy.max(axis=0)
            if x1 > 0 and y1 > 0 and x0 < scene.width and y0 < scene.height:
                out.append((class_name(name), (float(x0), float(y0), float(x1), float(y1))))
    return out


def _boxes(
    features: Sequence[Feature], left: int, top: int, scale: tuple[float, float], size: int
) -> list[dict[str, Any]]:
    """Features of one tile, cut to it; slivers of under a third are left to their neighbour."""
    out = []
    for name, (x0, y0, x1, y1) in features:
        edges = ((x0 - left) * scale[0], (y0 - top) * scale[1],
                 (x1 - left) * scale[0], (y1 - top) * scale[1])  # fmt: skip
        cut = (max(edges[0], 0.0), max(edges[1], 0.0), min(edges[2], size), min(edges[3], size))
        wide, high = cut[2] - cut[0], cut[3] - cut[1]
        whole = max((edges[2] - edges[0]) * (edges[3] - edges[1]), 1e-9)
        if wide >= 2 and high >= 2 and wide * high / whole >= 1 / 3:
            out.append({"label": name, "bbox": [round(float(v), 2) for v in cut]})
    return out
