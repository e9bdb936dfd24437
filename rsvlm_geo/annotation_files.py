"""The usual files of annotations as plain rows: JSONL, COCO, folders of DOTA, VOC or masks.

A row is a dict: ``file``, and ``boxes`` ``[{label, bbox}]``, ``class``, ``labels``, ``qa``,
``gsd_m``, ``split``, ``size`` as far as the file says them. What they mean is for
:mod:`rsvlm_geo.annotated`.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET  # nosec B405 - local annotation files, entities refused below
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rsvlm_geo.annotation_masks import mask_rows
from rsvlm_geo.errors import DataError

__all__ = ["IMAGE_SUFFIXES", "image_folder", "presence_labels", "read_rows"]

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")


def image_folder(path: Path) -> Path:
    """Where the images of some annotations usually lie."""
    if path.is_dir():
        for name in ("images", "JPEGImages", "."):
            if (path / name).is_dir() and any(
                p.suffix.lower() in IMAGE_SUFFIXES for p in (path / name).iterdir()
            ):
                return path / name
        return path.parent / "images"
    own = path.parent / path.stem
    return own if own.is_dir() else path.parent


def read_rows(path: Path) -> Iterable[dict[str, Any]]:
    """Rows of a ``.jsonl``, a COCO ``.json``, or a folder of ``.txt``, ``.xml``, masks or images.

    Raises:
        DataError: In no known format, or damaged.
    """
    if path.is_dir():
        yield from _folder_rows(path)
    elif path.suffix == ".jsonl":
        for i, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            if line.strip():
                try:
                    row = json.loads(line)
                except json.JSONDecodeError as error:
                    raise DataError(f"line {i + 1} of {path} is not JSON ({error})") from error
                if not isinstance(row, dict):
                    raise DataError(f"line {i + 1} of {path} is not an object")
                yield row
    elif path.suffix == ".json":
        yield from _coco_rows(path)
    else:
        raise DataError(
            f"{path}: annotations are .jsonl, COCO .json, or a folder of .txt, .xml or masks"
        )


def _coco_rows(path: Path) -> Iterable[dict[str, Any]]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        names = {c["id"]: c["name"] for c in data["categories"]}
        boxes: dict[Any, list[dict[str, Any]]] = {}
        for row in data["annotations"]:
            x, y, w, h = row["bbox"]
            boxes.setdefault(row["image_id"], []).append(
                {"label": names[row["category_id"]], "bbox": [x, y, x + w, y + h]}
            )
        for image in data["images"]:
            yield {
                "file": image["file_name"], "size": [image["width"], image["height"]],
                "boxes": boxes.get(image["id"], []), "gsd_m": image.get("gsd_m"),
            }  # fmt: skip
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path} is not COCO annotations ({type(error).__name__}: {error})"
        ) from error


def _folder_rows(path: Path) -> Iterable[dict[str, Any]]:
    xml = sorted(path.glob("Annotations/*.xml")) or sorted(path.glob("*.xml"))
    txt = sorted(path.glob("labelTxt*/*.txt")) or sorted(path.glob("*.txt"))
    folder = image_folder(path)
    by_stem = {
        p.stem: p.name for p in (folder.iterdir() if folder.is_dir() else ())
        if p.suffix.lower() in IMAGE_SUFFIXES
    }  # fmt: skip
    if (path / "masks").is_dir():
        yield from mask_rows(path, by_stem)
        return
    for file in xml or txt:
        if file.stem not in by_stem:
            raise DataError(f"no image for {file} in {folder}")
        read = _voc_boxes if xml else _dota_boxes
        boxes, gsd = read(file)
        yield {"file": by_stem[file.stem], "boxes": boxes, "gsd_m": gsd}
    if not xml and not txt:
        for name in sorted(by_stem.values()):
            yield {"file": name}


def _voc_boxes(file: Path) -> tuple[list[dict[str, Any]], float | None]:
    text = file.read_text(encoding="utf-8", errors="replace")
    if "<!ENTITY" in text:
        raise DataError(f"{file} declares entities, which annotations never need; not read")
    try:
        tree = ET.fromstring(text)  # nosec B314 - entities refused above
        return [
            {
                "label": thing.findtext("name") or "",
                "bbox": [
                    float(thing.findtext(f"bndbox/{k}") or "nan")
                    for k in ("xmin", "ymin", "xmax", "ymax")
                ],
            }
            for thing in tree.findall("object")
        ], None
    except (ET.ParseError, ValueError) as error:
        raise DataError(f"{file} is not VOC annotations ({error})") from error


def _dota_boxes(file: Path) -> tuple[list[dict[str, Any]], float | None]:
    """DOTA: eight corner coordinates, class, difficulty; a ``gsd:`` line above."""
    boxes, gsd = [], None
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        parts = line.split()
        if line.lower().startswith("gsd:"):
            try:
                gsd = float(line.split(":", 1)[1])
            except ValueError:
                gsd = None
        elif len(parts) >= 9:
            try:
                xy = [float(p) for p in parts[:8]]
            except ValueError as error:
                raise DataError(f"{file}: {line!r} is not a DOTA line ({error})") from error
            edges = [min(xy[::2]), min(xy[1::2]), max(xy[::2]), max(xy[1::2])]
            boxes.append({"label": parts[8], "bbox": edges})
    return boxes, gsd


_PRESENT = re.compile(
    r"is (?:there )?an? (?P<what>[a-z ]+?)(?: present)?(?: in the image)?\?", re.IGNORECASE
)
_RSVQA = {
    "water area": "water", "road": "pavement", "building": "buildings", "forest": "trees",
    "grass area": "grass", "farmland": "field",
}  # fmt: skip
"""RSVQA's nouns, which are OpenStreetMap's, as labels; others say nothing of a whole image."""


def presence_labels(qa: Iterable[Mapping[str, Any]]) -> list[str] | None:
    """Labels from RSVQA's yes-or-no questions of presence; None where none was asked."""
    out, asked = [], False
    for row in qa:
        said = _PRESENT.fullmatch(str(row.get("q", "")).strip())
        label = _RSVQA.get(said["what"].lower()) if said else None
        if label is not None:
            asked = True
            if str(row.get("a", "")).lower() == "yes" and label not in out:
                out.append(label)
    return out if asked else None
