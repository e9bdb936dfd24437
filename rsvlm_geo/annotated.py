"""Images with what is known about them: boxes, class, labels, GSD; from the usual formats.

A box outside its image is cut to it, or left out and counted when nothing remains: what is
skipped is always listed in :class:`Skipped`, never silent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rsvlm_geo.annotation_files import image_folder, presence_labels, read_rows
from rsvlm_geo.errors import DataError

__all__ = [
    "DIRECTIONS",
    "PLACES",
    "AnnotatedImage",
    "Box",
    "Skipped",
    "class_name",
    "merge_annotated",
    "place_of",
    "read_annotated",
    "relation_of",
    "with_boxes",
]

PLACES = (
    "top left", "top", "top right", "left", "center", "right", "bottom left", "bottom",
    "bottom right",
)  # fmt: skip
"""The 3 x 3 grid, row-major."""
DIRECTIONS = (
    "right", "bottom right", "bottom", "bottom left", "left", "top left", "top", "top right",
)  # fmt: skip
"""Eight sectors of 45 degrees, clockwise from the right (y grows downwards)."""


@dataclass(frozen=True, slots=True)
class Box:
    """One object."""

    label: str
    """Class, singular, lower case, underscores."""
    bbox: tuple[float, float, float, float]
    """``(x0, y0, x1, y1)`` in pixels of the image, edges."""

    @property
    def centre(self) -> tuple[float, float]:
        """``(x, y)``, pixels."""
        return (self.bbox[0] + self.bbox[2]) / 2, (self.bbox[1] + self.bbox[3]) / 2

    @property
    def area_px(self) -> float:
        """Square pixels."""
        return (self.bbox[2] - self.bbox[0]) * (self.bbox[3] - self.bbox[1])


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """One image and what is true of it; what is not known is None or absent from ``complete``."""

    id: str
    """Unique in its collection."""
    path: Path
    size: tuple[int, int]
    """``(width, height)``, pixels."""
    dataset: str = ""
    split: str = ""
    licence: str = ""
    boxes: tuple[Box, ...] = ()
    complete: frozenset[str] = frozenset()
    """Classes of which *every* object is boxed: only these can be called absent or counted."""
    scene: str | None = None
    labels: frozenset[str] | None = None
    """Land-cover or object labels that are there, counts unknown; None where not known."""
    gsd_m: float | None = None
    sensor: str | None = None
    modality: str = "color"
    """``color``, ``panchromatic``, ``false_color`` or ``sar``."""

    def of(self, label: str) -> tuple[Box, ...]:
        """Boxes of a class."""
        return tuple(b for b in self.boxes if b.label == label)

    @property
    def present(self) -> frozenset[str]:
        """Classes with a box."""
        return frozenset(b.label for b in self.boxes)

    @property
    def absent(self) -> frozenset[str]:
        """Classes known not to be there."""
        return self.complete - self.present


@dataclass(slots=True)
class Skipped:
    """What could not be used, each with its reason."""

    rows: list[tuple[str, str]] = field(default_factory=list)
    """``(what, why)``."""

    def add(self, what: str, why: str) -> None:
        """Note one."""
        self.rows.append((what, why))

    def summary(self) -> dict[str, int]:
        """Reason -> how many."""
        out: dict[str, int] = {}
        for _, why in self.rows:
            out[why] = out.get(why, 0) + 1
        return out


def place_of(box: Box, size: tuple[int, int], *, margin: float = 0.03) -> str | None:
    """The ninth an object's centre lies in; None within ``margin`` of a border between ninths.

    Args:
        box: The object.
        size: ``(width, height)``, pixels.
        margin: Share of the side.
    """
    spot = []
    for value, side in zip(box.centre, size, strict=True):
        share = value / side
        if min(abs(share - 1 / 3), abs(share - 2 / 3)) < margin:
            return None
        spot.append(min(int(share * 3), 2))
    return PLACES[3 * spot[1] + spot[0]]


def relation_of(a: Box, b: Box, size: tuple[int, int], *, margin_deg: float = 6.0) -> str | None:
    """Where ``a`` lies seen from ``b``; None when the boxes overlap or a border is near.

    Args:
        a, b: Two objects.
        size: ``(width, height)``, pixels.
        margin_deg: Least distance to the border between two directions, degrees.
    """
    wide = min(a.bbox[2], b.bbox[2]) - max(a.bbox[0], b.bbox[0])
    high = min(a.bbox[3], b.bbox[3]) - max(a.bbox[1], b.bbox[1])
    if wide > 0 and high > 0:
        return None
    dx, dy = a.centre[0] - b.centre[0], a.centre[1] - b.centre[1]
    if math.hypot(dx, dy) < 0.05 * max(size):
        return None
    angle = math.degrees(math.atan2(dy, dx)) % 360
    off = (angle + 22.5) % 45
    if min(off, 45 - off) < margin_deg:
        return None
    return DIRECTIONS[int(((angle + 22.5) % 360) // 45)]


def class_name(text: str) -> str:
    """Singular words as a name: ``Storage Tank`` and ``storage-tank`` are ``storage_tank``."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return "_".join(re.sub(r"[^a-z0-9]+", " ", text.lower()).split())


def _clean_boxes(
    raw: Iterable[tuple[str, Sequence[float]]],
    size: tuple[int, int],
    where: str,
    classes: Collection[str] | None,
    aliases: Mapping[str, str],
    skipped: Skipped,
) -> tuple[Box, ...]:
    width, height = size
    out = []
    for label, edges in raw:
        name = class_name(label)
        name = aliases.get(name, name)
        if classes is not None and name not in classes:
            skipped.add(f"{where}: {label}", "class not asked for")
            continue
        if len(edges) != 4 or not all(math.isfinite(e) for e in edges):
            skipped.add(f"{where}: {label} {list(edges)}", "box is not four finite numbers")
            continue
        x0, x1 = sorted((float(edges[0]), float(edges[2])))
        y0, y1 = sorted((float(edges[1]), float(edges[3])))
        cut = (max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height)))
        if cut[2] - cut[0] < 1 or cut[3] - cut[1] < 1:
            skipped.add(f"{where}: {label} {list(edges)}", "box outside the image, or without area")
            continue
        out.append(Box(name, cut))
    return tuple(out)


def _size_of(path: Path, said: object) -> tuple[int, int]:
    if isinstance(said, Sequence) and len(said) == 2:
        return int(said[0]), int(said[1])
    from PIL import Image

    try:
        with Image.open(path) as opened:
            return int(opened.size[0]), int(opened.size[1])
    except OSError as error:
        raise DataError(f"{path} cannot be read as an image ({error})") from error


def read_annotated(
    source: str | Path,
    images: str | Path | None = None,
    *,
    dataset: str = "",
    licence: str = "",
    classes: Collection[str] | None = None,
    complete: Collection[str] | None = None,
    aliases: Mapping[str, str] | None = None,
    gsd_m: float | None = None,
    skipped: Skipped | None = None,
) -> list[AnnotatedImage]:
    """Read annotated images.

    Args:
        source: ``.jsonl`` (``file size boxes class labels gsd_m split`` a line, or RSVQA's ``qa``
            in place of ``labels``; ``complete`` names the classes boxed without fail in that
            image, ``unsure`` says none is), COCO ``.json``, a folder of DOTA ``.txt``, of VOC
            ``.xml``, of class masks (:mod:`rsvlm_geo.annotation_masks`), or of images alone.
        images: Where the images are; beside ``source`` by default.
        dataset: Its name; the rows' own, else the file's, by default.
        licence: Of the images, carried into everything made from them.
        classes: The classes to keep; all by default.
        complete: Classes of which every object is boxed in every image; by default all classes
            that occur in ``source`` with boxes.
        aliases: Class -> the class it counts as.
        gsd_m: Metres per pixel where the rows do not say.
        skipped: Collects what could not be used.

    Raises:
        DataError: ``source`` is missing, in no known format, or names images that are not there.
    """
    path = Path(source).expanduser()
    if not path.exists():
        raise DataError(f"no annotations at {path}")
    skipped = skipped if skipped is not None else Skipped()
    renamed = {class_name(k): class_name(v) for k, v in (aliases or {}).items()}
    wanted = None if classes is None else {class_name(c) for c in classes}
    rows = list(read_rows(path))
    if not rows:
        raise DataError(f"{path} holds no annotated image")
    folder = Path(images).expanduser() if images is not None else image_folder(path)
    out = []
    for i, row in enumerate(rows):
        name = row.get("file")
        if not isinstance(name, str):
            raise DataError(f"row {i} of {path} has no 'file'")
        where = folder / name
        if not where.is_file():
            raise DataError(f"no image {where}; row {i} of {path} names it")
        size = _size_of(where, row.get("size"))
        raw = [(str(b["label"]), b["bbox"]) for b in row.get("boxes") or ()]
        boxes = _clean_boxes(raw, size, name, wanted, renamed, skipped)
        labels = row.get("labels")
        labels = presence_labels(row.get("qa") or ()) if labels is None else labels
        out.append(
            AnnotatedImage(
                id=Path(name).stem, path=where, size=size,
                dataset=dataset or str(row.get("dataset") or path.stem),
                split=str(row.get("split") or ""), licence=licence or str(row.get("licence") or ""),
                boxes=boxes, scene=row.get("class"),
                labels=None if labels is None else frozenset(map(str, labels)),
                gsd_m=row.get("gsd_m", gsd_m), sensor=row.get("sensor"),
                modality=str(row.get("modality") or "color"),
            )
        )  # fmt: skip
    known = frozenset(
        {class_name(c) for c in complete}
        if complete is not None
        else {b.label for image in out for b in image.boxes}
    )
    return [
        with_boxes(image, image.boxes, _complete(row, known))
        for row, image in zip(rows, out, strict=True)
    ]


def _complete(row: Mapping[str, Any], known: frozenset[str]) -> frozenset[str]:
    """A row may say for itself which classes are wholly boxed, or that none is sure to be."""
    if row.get("unsure"):
        return frozenset()
    own = row.get("complete")
    return known if own is None else frozenset(class_name(str(c)) for c in own)


def merge_annotated(images: Iterable[AnnotatedImage]) -> list[AnnotatedImage]:
    """One record an image file: what several sources know of it, put together.

    The first source's class, labels, GSD, split and licence win; boxes and completeness add up.
    """
    from dataclasses import replace

    out: dict[Path, AnnotatedImage] = {}
    for image in images:
        key = image.path.resolve()
        first = out.get(key)
        if first is None:
            out[key] = image
            continue
        new = [b for b in image.boxes if b not in first.boxes]
        out[key] = replace(
            first, boxes=(*first.boxes, *new), complete=first.complete | image.complete,
            scene=first.scene or image.scene, labels=first.labels or image.labels,
            gsd_m=first.gsd_m or image.gsd_m, sensor=first.sensor or image.sensor,
            split=first.split or image.split, licence=first.licence or image.licence,
        )  # fmt: skip
    return list(out.values())


def with_boxes(
    image: AnnotatedImage, boxes: Iterable[Box], complete: Collection[str]
) -> AnnotatedImage:
    """The same image with other boxes, and the classes of which they are all."""
    from dataclasses import replace

    return replace(image, boxes=tuple(boxes), complete=frozenset(complete))
