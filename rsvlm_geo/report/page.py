"""From a saved run to one HTML file."""

from __future__ import annotations

import base64
import io
import json
import os
import warnings
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio

from rsvlm_geo.errors import DataError, OutputError, RsvlmError, SceneNotFoundError
from rsvlm_geo.report.payload import Picture, build_payload

__all__ = ["render_page", "scene_picture", "write_report"]

_PICTURE_PX = 1600
"""Longest side of the scene's picture."""


def write_report(
    run: str | os.PathLike[str], out: str | os.PathLike[str], *, scene: Any = None
) -> Path:
    """Write one self-contained page about a saved run.

    Args:
        run: A GeoPackage that a run wrote, with layers ``answers``, ``objects`` and ``run``.
        out: The HTML file to write.
        scene: Where the scene is now, when it is no longer where the run found it.

    Returns:
        The page's path.

    Raises:
        SceneNotFoundError: No such GeoPackage.
        DataError: It is not one that a run wrote.
        OutputError: The page cannot be written.
    """
    run, out = Path(run), Path(out)
    answers, objects, row = _read_run(run)
    found = _parsed_provenance(row).get("scene")
    href = scene if scene is not None else found.get("href") if isinstance(found, dict) else None
    picture, notes = None, []
    try:
        picture = scene_picture(href) if href else None
    except RsvlmError as error:
        notes.append(f"The scene's picture is missing: {error}")
    title = Path(str(row.get("scene_id") or run.stem)).name
    payload = build_payload(answers, objects, row, title=title, picture=picture, notes=notes)
    part = out.with_name(f".{out.name}.part")
    try:
        part.write_text(render_page(payload), encoding="utf-8")
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(f"cannot write {out}: {error.strerror}; choose another -o") from error
    return out


def render_page(payload: Mapping[str, Any]) -> str:
    """The template with its data inside; no text of the data can end the element it sits in."""
    template = files("rsvlm_geo.report").joinpath("template.html").read_text(encoding="utf-8")
    data = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    data = data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    empty = '<script type="application/json" id="payload">{}</script>'
    before, after = template.split(empty)
    return f"{before}{empty[: -len('{}</script>')]}{data}</script>{after}"


def scene_picture(source: Any, size_px: int = _PICTURE_PX) -> Picture:
    """A small picture of a scene, stretched as the run saw it, with its corners on the map.

    Args:
        source: Anything :func:`rsvlm_geo.open_scene` takes.
        size_px: Longest side, pixels.
    """
    from PIL import Image

    from rsvlm_geo.scene import open_scene

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scene = open_scene(source)
        rgb, valid = scene.preview(size_px)
    height, width = valid.shape
    rgba = np.dstack([rgb, np.where(valid, 255, 0).astype(np.uint8)])
    buffer = io.BytesIO()
    if valid.all():
        Image.fromarray(rgb).save(buffer, "JPEG", quality=84)
        kind = "jpeg"
    else:
        Image.fromarray(rgba).save(buffer, "WEBP", quality=84)
        kind = "webp"
    data = base64.b64encode(buffer.getvalue()).decode()
    corners = scene.to_map(scene.window.polygon()[:4])
    return Picture(
        f"data:image/{kind};base64,{data}",
        tuple((float(x), float(y)) for x, y in corners),
        width,
        height,
    )


def _read_run(
    path: Path,
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame | None, dict[str, Any]]:
    if not path.exists():
        raise SceneNotFoundError(f"no such file: {path}; pass the GeoPackage that a run wrote")
    try:
        layers = {str(name) for name, _ in pyogrio.list_layers(path)}
        if "answers" not in layers:
            raise DataError(
                f"{path} has no layer 'answers' (it has: {', '.join(sorted(layers)) or 'none'}); "
                "pass a GeoPackage that rsvlm-geo wrote"
            )
        answers = gpd.read_file(path, layer="answers")
        objects = gpd.read_file(path, layer="objects") if "objects" in layers else None
        rows = gpd.read_file(path, layer="run").to_dict("records") if "run" in layers else []
    except pyogrio.errors.DataSourceError as error:
        raise DataError(
            f"{path} cannot be read as a GeoPackage ({error}); pass the file that a run wrote"
        ) from error
    return answers, objects, rows[0] if rows else {}


def _parsed_provenance(row: Mapping[str, Any]) -> dict[str, Any]:
    try:
        parsed = json.loads(row.get("provenance") or "{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
