"""Pixels against transformers' own processors, number by number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from rsvlm_geo.errors import PackError
from rsvlm_geo.model.preprocess import (
    Preprocessor,
    centre_crop,
    expand_to_square,
    make_preprocessor,
    smart_resize,
)

SIZES = [(64, 64), (37, 91), (91, 37), (1, 1), (1, 40), (336, 336), (500, 333)]


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def reference(name: str, settings: dict[str, Any], image: np.ndarray) -> dict[str, np.ndarray]:
    transformers = pytest.importorskip("transformers")
    from importlib import import_module

    module, class_name = name.split(":")
    del transformers
    kind = getattr(import_module(f"transformers.models.{module}"), class_name)
    # as a picture, since an array of one row could be taken for channels
    return dict(kind(**settings)(images=[Image.fromarray(image)], return_tensors="np"))


PLAIN = {
    "clip": (
        "clip.image_processing_pil_clip:CLIPImageProcessorPil",
        {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 56},
         "crop_size": {"height": 56, "width": 56}, "resample": 3, "do_center_crop": True,
         "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711]},
    ),
    "llava": (
        "llava.image_processing_pil_llava:LlavaImageProcessorPil",
        {"image_processor_type": "LlavaImageProcessor", "size": {"shortest_edge": 56},
         "crop_size": {"height": 56, "width": 56}, "resample": 3, "do_center_crop": True,
         "do_pad": True},
    ),
    "siglip": (
        "siglip.image_processing_pil_siglip:SiglipImageProcessorPil",
        {"image_processor_type": "SiglipImageProcessor", "size": {"height": 56, "width": 56},
         "resample": 3},
    ),
    "vit": (
        "vit.image_processing_pil_vit:ViTImageProcessorPil",
        {"image_processor_type": "ViTImageProcessor", "size": {"height": 56, "width": 56},
         "resample": 2},
    ),
    "blip": (
        "blip.image_processing_pil_blip:BlipImageProcessorPil",
        {"image_processor_type": "BlipImageProcessor", "size": {"height": 56, "width": 56},
         "resample": 3},
    ),
}  # fmt: skip


@pytest.mark.export
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("family", PLAIN)
def test_plain_processors_are_equal(family: str, size: tuple[int, int]) -> None:
    name, settings = PLAIN[family]
    image = picture(*size)
    wanted = reference(name, settings, image)["pixel_values"]
    got = make_preprocessor({"preprocessor_config": settings})([image]).pixel_values
    np.testing.assert_allclose(got, wanted, atol=1e-6, rtol=0)


@pytest.mark.export
@pytest.mark.parametrize("split", [True, False])
@pytest.mark.parametrize("size", [(64, 64), (37, 91), (91, 37), (1, 40), (200, 150)])
def test_crops_are_equal(size: tuple[int, int], split: bool) -> None:
    settings = {
        "image_processor_type": "Idefics3ImageProcessor",
        "size": {"longest_edge": 128},
        "max_image_size": {"longest_edge": 32},
        "do_image_splitting": split,
    }
    image = picture(*size)
    name = "idefics3.image_processing_pil_idefics3:Idefics3ImageProcessorPil"
    wanted = reference(name, settings | {"return_row_col_info": True}, image)
    got = make_preprocessor({"preprocessor_config": settings})([image])
    np.testing.assert_allclose(got.pixel_values, wanted["pixel_values"], atol=1e-6, rtol=0)
    assert (got.pixel_attention_mask == wanted["pixel_attention_mask"].astype(bool)).all()
    assert got.crops == (int(wanted["rows"][0][0]), int(wanted["cols"][0][0]))


@pytest.mark.export
@pytest.mark.parametrize("size", [(64, 64), (37, 91), (28, 28), (500, 333), (10, 1000)])
def test_patches_are_equal(size: tuple[int, int]) -> None:
    settings = {
        "image_processor_type": "Qwen2VLImageProcessor",
        "min_pixels": 56 * 56,
        "max_pixels": 28 * 28 * 64,
    }
    image = picture(*size)
    name = "qwen2_vl.image_processing_pil_qwen2_vl:Qwen2VLImageProcessorPil"
    wanted = reference(name, settings, image)
    got = make_preprocessor({"preprocessor_config": settings})([image])
    np.testing.assert_allclose(got.pixel_values, wanted["pixel_values"], atol=1e-6, rtol=0)
    assert got.image_grid_thw is not None
    assert (got.image_grid_thw == wanted["image_grid_thw"]).all()


def test_a_batch_is_its_images() -> None:
    settings = PLAIN["clip"][1]
    prepare = make_preprocessor({"preprocessor_config": settings})
    images = np.stack([picture(80, 70, seed) for seed in range(3)])
    together = prepare(images).pixel_values
    apart = [prepare([image]).pixel_values[0] for image in images]
    assert (together == np.stack(apart)).all()


def test_square_keeps_every_pixel_and_fills_with_the_mean() -> None:
    image = picture(5, 9)
    square = expand_to_square(image, (122, 116, 104))
    assert square.shape == (9, 9, 3)
    assert (square[2:7] == image).all()
    assert (square[0] == (122, 116, 104)).all() and (square[8] == (122, 116, 104)).all()


def test_normalising_is_the_formula() -> None:
    prepare = Preprocessor("plain", {"height": 4, "width": 4}, (0.4, 0.5, 0.6), (0.2, 0.3, 0.4))
    image = picture(4, 4)
    wanted = (image / 255 - [0.4, 0.5, 0.6]) / [0.2, 0.3, 0.4]
    np.testing.assert_allclose(prepare([image]).pixel_values[0], wanted.transpose(2, 0, 1), 1e-5)


def test_centre_crop_beyond_the_image_is_black() -> None:
    cropped = centre_crop(np.full((3, 3, 3), 9, np.uint8), (5, 5))
    assert cropped.sum() == 9 * 27 and (cropped[1:4, 1:4] == 9).all()


def test_smart_resize_keeps_to_its_limits() -> None:
    rng = np.random.default_rng(1)
    for height, width in rng.integers(5, 900, (200, 2)).tolist():
        if max(height, width) > 200 * min(height, width):
            continue
        rows, columns = smart_resize(
            height, width, factor=28, min_pixels=3136, max_pixels=28 * 28 * 100
        )
        assert rows % 28 == 0 and columns % 28 == 0
        if max(height, width) < 4 * min(height, width):
            assert rows * columns <= 28 * 28 * 100


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"image_processor_type": "LlavaNextImageProcessor", "size": 336},
        {"image_processor_type": "CLIPImageProcessor", "size": {"max_height": 3}},
        {"image_processor_type": "CLIPImageProcessor", "size": 3, "image_mean": [0.5]},
    ],
)
def test_what_is_not_known_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(PackError):
        make_preprocessor({"preprocessor_config": settings})
