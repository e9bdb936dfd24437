"""Class masks as a source of annotations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rsvlm_geo.annotated import read_annotated
from rsvlm_geo.errors import DataError

CLASSES = {"1": "grass", "2": {"name": "building", "objects": True}, "3": "water"}


def _folder(tmp_path: Path, mask: np.ndarray, classes: object = CLASSES) -> Path:
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    Image.new("RGB", (100, 80)).save(tmp_path / "images" / "a.jpg")
    Image.fromarray(mask).save(tmp_path / "masks" / "a.png")
    (tmp_path / "classes.json").write_text(json.dumps(classes))
    return tmp_path


def _mask() -> np.ndarray:
    mask = np.zeros((80, 100), np.uint8)
    mask[:40] = 1
    mask[10:20, 10:30] = 2
    mask[50:60, 70:95] = 2
    mask[60:63, 69:72] = 2  # touches only at a corner: the same building
    mask[70:72, 5:8] = 2  # 6 pixels: noise
    mask[79, :50] = 3  # 0.6 %: too little to be said
    return mask


def test_masks_give_labels_and_the_boxes_of_objects(tmp_path: Path) -> None:
    (image,) = read_annotated(_folder(tmp_path, _mask()))
    assert image.labels == {"grass", "building"} and image.size == (100, 80)
    assert sorted(b.bbox for b in image.of("building")) == [(10, 10, 30, 20), (69, 50, 95, 63)]
    assert image.complete == {"building"} and image.present == {"building"}


@pytest.mark.parametrize(
    ("classes", "said"), [([1, 2], "number -> class name"), ({"x": "grass"}, "number -> class")]
)
def test_damaged_classes_are_one_error(tmp_path: Path, classes: object, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_annotated(_folder(tmp_path, _mask(), classes))


def test_a_mask_without_its_image_or_in_colour_is_one_error(tmp_path: Path) -> None:
    folder = _folder(tmp_path, np.dstack([_mask()] * 3))
    with pytest.raises(DataError, match="3 bands; a mask has one"):
        read_annotated(folder)
    Image.fromarray(_mask()).save(folder / "masks" / "a.png")
    Image.fromarray(_mask()).save(folder / "masks" / "b.png")
    with pytest.raises(DataError, match=r"no image for .*b\.png"):
        read_annotated(folder)
    (folder / "classes.json").unlink()
    with pytest.raises(DataError, match=r"no .*classes\.json"):
        read_annotated(folder)
