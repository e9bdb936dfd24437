"""Read the open image sets: a folder with ``<set>.jsonl`` and ``<set>/`` or ``<set>.tar``."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rsvlm_geo.training import splits

ALIASES = {"minibus": "car", "bus": "car", "truck": "car"}
"""Labels of the car set that the pack counts as ``car``: any motor vehicle."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One image with what is known of it."""

    set: str
    file: str
    split: str
    """train, calib, val or skip: by plot, sequence or image."""
    image: NDArray[np.uint8]
    """uint8[H, W, 3]."""
    row: dict[str, Any]
    """The row of the set's jsonl."""
    boxes: NDArray[np.float32]
    """float32[n, 4], ``(x0, y0, x1, y1)`` pixel edges."""
    labels: NDArray[np.int64]
    """int64[n], indices into ``splits.OBJECTS``."""
    known: NDArray[np.float32]
    """float32[8]: 1 where every object of the class is boxed (also: none is there)."""


def read_rows(data: Path, name: str) -> list[dict[str, Any]]:
    """Rows of ``<name>.jsonl``."""
    with (data / f"{name}.jsonl").open(encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def read_images(data: Path, name: str, files: list[str]) -> list[NDArray[np.uint8]]:
    """Decode ``files`` of a set, from its folder or else its tar: uint8[H, W, 3] each."""
    folder = data / name
    if folder.is_dir():
        return [np.asarray(Image.open(folder / f).convert("RGB")) for f in files]
    out: dict[str, NDArray[np.uint8]] = {}
    with tarfile.open(data / f"{name}.tar") as tar:
        for member in tar:
            base = member.name.rsplit("/", 1)[-1]
            handle = tar.extractfile(member) if member.isfile() else None
            if handle is not None:
                out[base] = np.asarray(Image.open(io.BytesIO(handle.read())).convert("RGB"))
    return [out[f] for f in files]


def to_square(image: NDArray[np.uint8], size: int = 256) -> NDArray[np.uint8]:
    """Crop and edge-pad at the right and bottom to ``size``: boxes keep their pixels."""
    image = image[:size, :size]
    pad = ((0, size - image.shape[0]), (0, size - image.shape[1]), (0, 0))
    return np.pad(image, pad, mode="edge")


def _boxes(row: dict[str, Any]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    pairs = [(ALIASES.get(b["label"], b["label"]), b["bbox"]) for b in row.get("boxes", [])]
    pairs = [p for p in pairs if p[0] in splits.OBJECTS]
    boxes = np.array([p[1] for p in pairs], np.float32).reshape(-1, 4)
    return boxes, np.array([splits.OBJECTS.index(p[0]) for p in pairs], np.int64)


def _known(name: str, row: dict[str, Any], boxed: Sequence[str]) -> NDArray[np.float32]:
    """Which classes are completely known in an image, from its set, class, labels and our boxes."""
    known = dict.fromkeys(splits.OBJECTS, 1.0)
    if name == "rsvqa":
        # looked at, every 15 cm tile: streets, roofs, woods, water; vehicles and trees unboxed
        known["tree"] = known["car"] = 0.0
    elif name == "aerial_cars":
        known["tree"] = 0.0
    elif name == "ucm":
        labels, scene = set(row["labels"]), row["class"]
        known["tree"] = float(not labels & {"trees"} and scene not in {"forest", "chaparral"})
        known["car"] = float("cars" not in labels and scene not in {"parkinglot", "mobilehomepark"})
        known["airplane"] = float("airplane" not in labels)
        known["storage_tank"] = float("tanks" not in labels)
        known["tennis_court"] = float("court" not in labels)
        known["baseball_diamond"] = float(scene != "baseballdiamond")
        known["ship"] = float("ship" not in labels and scene != "harbor")
        known["mobile_home"] = float("mobile-home" not in labels and scene != "mobilehomepark")
        known |= dict.fromkeys(boxed, 1.0)
    return np.array([known[c] for c in splits.OBJECTS], np.float32)


def load_set(data: Path, name: str) -> list[Sample]:
    """All samples of one set of ``ucm eurosat neon_trees neon_trees_416 aerial_cars rsvqa``.

    UCM gets our own boxes (``annotations/ucm_boxes.jsonl``); ``complete`` names the classes of
    which a row boxes every object. Where it is left out, these are the four large ones, and none
    of an image marked unsure, which keeps its boxes but is not trained on as complete.
    """
    rows = read_rows(data, name)
    images = read_images(data, name, [r["file"] for r in rows])
    ours: dict[str, dict[str, Any]] = {}
    if name == "ucm":
        path = Path(__file__).parent / "annotations" / "ucm_boxes.jsonl"
        ours = {r["file"]: r for r in map(json.loads, path.read_text().splitlines())}
        images = [to_square(i) for i in images]
    if name.startswith("neon"):
        parts = tree_set_splits(data)[name]
    else:
        parts = [_split(name, r) for r in rows]
    out = []
    for row, image, split in zip(rows, images, parts, strict=True):
        own = ours.get(row["file"])
        boxes, labels = _boxes(own or row)
        sure = own is not None and not own["unsure"] and not own["skip"]
        complete = own.get("complete", splits.LARGE if sure else ()) if own else ()
        known = _known(name, row, complete)
        out.append(Sample(name, row["file"], split, image, row, boxes, labels, known))
    return out


def _split(name: str, row: dict[str, Any]) -> str:
    if name == "aerial_cars":
        return splits.car_split(row["file"])
    if name == "rsvqa":
        return splits.street_split(row["file"])
    return splits.scene_split(row["file"], row.get("split") or "train")


def tree_set_splits(data: Path) -> dict[str, list[str]]:
    """Splits of both tree sets, decided together: they share plots."""
    names = ("neon_trees", "neon_trees_416")
    rows = {n: read_rows(data, n) for n in names}
    flat = splits.tree_splits([r for n in names for r in rows[n]])
    cut = len(rows["neon_trees"])
    return {"neon_trees": flat[:cut], "neon_trees_416": flat[cut:]}
