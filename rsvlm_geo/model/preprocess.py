"""Pixels as each family of models was trained to see them; numpy and Pillow only.

Follows transformers' image processors (Pillow backend): the same resampling on 8-bit values, the
same order of steps, so that the numbers are equal and not merely close.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rsvlm_geo.errors import PackError

__all__ = ["Prepared", "Preprocessor", "expand_to_square", "make_preprocessor", "smart_resize"]

Pixels = NDArray[np.uint8]
_CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_LARGEST_SIDE = 4096


@dataclass(frozen=True, slots=True)
class Prepared:
    """Images as a vision encoder takes them."""

    pixel_values: NDArray[np.float32]
    """float32[B, 3, H, W]; [B, crops, 3, H, W] where images are split; [patches, D] for Qwen."""
    pixel_attention_mask: NDArray[np.bool_] | None = None
    """bool[B, crops, H, W], where images are split."""
    image_grid_thw: NDArray[np.int64] | None = None
    """int64[B, 3], frames, rows and columns of patches, for Qwen."""
    crops: tuple[int, int] = (0, 0)
    """``(rows, columns)`` of crops besides the whole image; zeros where it was not split."""


@dataclass(frozen=True, slots=True)
class Preprocessor:
    """The steps of one model's image processor."""

    kind: str
    """``plain``, ``crops`` (Idefics3, SmolVLM) or ``patches`` (Qwen-VL)."""
    size: Mapping[str, int]
    """``height, width``, or ``shortest_edge`` and/or ``longest_edge``."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    rescale: float = 1 / 255
    resample: int = int(Image.Resampling.BICUBIC)
    do_resize: bool = True
    crop: tuple[int, int] | None = None
    """Centre crop ``(height, width)``."""
    square: bool = False
    """Whether to pad to a square first, with the mean colour."""
    split: bool = True
    crop_side: int = 364
    patch: int = 14
    merge: int = 2
    frames: int = 2
    _tables: dict[str, NDArray[np.float32]] = field(default_factory=dict, repr=False, compare=False)

    def __call__(self, images: Pixels | Sequence[Pixels]) -> Prepared:
        """Prepare a batch.

        Args:
            images: uint8[B, H, W, 3], RGB, or a sequence of uint8[H, W, 3] of one size.
        """
        if self.kind == "crops":
            return self._crops(images)
        if self.kind == "patches":
            return self._patches(images)
        done = [self._plain(image) for image in images]
        return Prepared(np.stack([self.normalize(image) for image in done]))

    def normalize(self, image: Pixels) -> NDArray[np.float32]:
        """uint8[H, W, 3] -> float32[3, H, W], by a table of the 256 values of each band."""
        if "table" not in self._tables:
            values = (np.arange(256, dtype=np.float64) * self.rescale).astype(np.float32)
            mean = np.array(self.mean, np.float32)[:, None]
            std = np.array(self.std, np.float32)[:, None]
            self._tables["table"] = (values[None] - mean) / std
        table = self._tables["table"]
        return np.stack([table[band][image[..., band]] for band in range(3)])

    def _plain(self, image: Pixels) -> Pixels:
        if self.square:
            image = expand_to_square(image, tuple(int(m * 255) for m in self.mean))
        if self.do_resize:
            image = resize(image, self._target(*image.shape[:2]), self.resample)
        return image if self.crop is None else centre_crop(image, self.crop)

    def _target(self, height: int, width: int) -> tuple[int, int]:
        if "height" in self.size:
            return self.size["height"], self.size["width"]
        short, long = self.size["shortest_edge"], max(height, width)
        other = int(short * long / min(height, width))
        limit = self.size.get("longest_edge")
        if limit is not None and other > limit:
            other, short = limit, int(limit * min(height, width) / long)
        return (short, other) if height <= width else (other, short)

    def _crops(self, images: Pixels | Sequence[Pixels]) -> Prepared:
        values, rows, columns = [], 0, 0
        for image in images:
            if self.do_resize:
                long = self.size["longest_edge"]
                image = resize(
                    image, _fit_longest(image.shape[0], image.shape[1], long), self.resample
                )
            side = self.crop_side
            if not self.split:
                values.append(self.normalize(resize(image, (side, side), self.resample))[None])
                continue
            image = resize(image, _whole_crops(image.shape[0], image.shape[1], side), self.resample)
            rows, columns = image.shape[0] // side, image.shape[1] // side
            if rows * columns == 1:
                rows = columns = 0
                parts = [image]
            else:
                parts = [
                    image[r * side : (r + 1) * side, c * side : (c + 1) * side]
                    for r in range(rows)
                    for c in range(columns)
                ]
                parts.append(resize(image, (side, side), self.resample))
            values.append(np.stack([self.normalize(part) for part in parts]))
        pixels = np.stack(values)
        mask = np.ones((*pixels.shape[:2], *pixels.shape[3:]), np.bool_)
        return Prepared(pixels, pixel_attention_mask=mask, crops=(rows, columns))

    def _patches(self, images: Pixels | Sequence[Pixels]) -> Prepared:
        values, grids = [], []
        patch, merge = self.patch, self.merge
        for image in images:
            if self.do_resize:
                height, width = smart_resize(
                    image.shape[0],
                    image.shape[1],
                    factor=patch * merge,
                    min_pixels=self.size["shortest_edge"],
                    max_pixels=self.size["longest_edge"],
                )
                image = resize(image, (height, width), self.resample)
            pixels = self.normalize(image)
            rows, columns = pixels.shape[1] // patch, pixels.shape[2] // patch
            blocks = pixels.reshape(
                3, rows // merge, merge, patch, columns // merge, merge, patch
            ).transpose(1, 4, 2, 5, 0, 3, 6)
            frames = np.repeat(blocks[:, :, :, :, :, None], self.frames, axis=5)
            values.append(frames.reshape(rows * columns, -1))
            grids.append((1, rows, columns))
        return Prepared(np.concatenate(values), image_grid_thw=np.array(grids, np.int64))


def make_preprocessor(
    settings: Mapping[str, Mapping[str, Any]], *, split: bool | None = None
) -> Preprocessor:
    """The steps a pack's ``preprocessor_config.json`` asks for.

    Args:
        settings: The pack's ``.json`` files by stem.
        split: Whether images are split into crops, by models that can; None: as configured.

    Raises:
        PackError: It asks for something that is not known here.
    """
    said = dict(settings.get("preprocessor_config", {}))
    if not said:
        said = dict(settings.get("processor_config", {}).get("image_processor", {}))
    if not said:
        raise PackError("the pack has no preprocessor_config.json; import or download it again")
    name = str(said.get("image_processor_type") or said.get("feature_extractor_type") or "")
    name = name.removesuffix("Fast").removesuffix("Pil")
    model = str(settings.get("config", {}).get("model_type", ""))
    kind = "plain"
    if name in ("Idefics3ImageProcessor", "SmolVLMImageProcessor"):
        kind = "crops"
    elif name in ("Qwen2VLImageProcessor", "Qwen2_5_VLImageProcessor"):
        kind = "patches"
    elif name.startswith(("LlavaNext", "LlavaOnevision", "Mllama", "Pixtral")):
        raise PackError(f"image processor {name} is not run here; take another model")
    mean, std = _HALF if name.startswith(("ViT", "Siglip", "Idefics3", "SmolVLM")) else _CLIP
    resample = 2 if name.startswith("ViT") else 1 if kind == "crops" else 3
    convert = Preprocessor(
        kind=kind,
        size=_size(said, kind, model),
        mean=_three(said.get("image_mean", mean)),
        std=_three(said.get("image_std", std)),
        rescale=float(said.get("rescale_factor", 1 / 255)),
        resample=int(said.get("resample", resample)),
        do_resize=bool(said.get("do_resize", True)),
        crop=_crop(said, name),
        square=bool(said.get("do_pad", False)) and name == "LlavaImageProcessor",
        split=bool(said.get("do_image_splitting", True)) if split is None else split,
        crop_side=_side(said.get("max_image_size", 364)),
        patch=int(said.get("patch_size", 14)),
        merge=int(said.get("merge_size", 2)),
        frames=int(said.get("temporal_patch_size", 2)),
    )
    if not said.get("do_normalize", True):
        return _replace(convert, mean=(0.0,) * 3, std=(1.0,) * 3)
    return convert


def expand_to_square(image: Pixels, fill: Sequence[int]) -> Pixels:
    """Pad the short side evenly on both ends, so that nothing is cut or squeezed.

    Args:
        image: uint8[H, W, 3].
        fill: The colour of what is added.
    """
    height, width = image.shape[:2]
    if height == width:
        return image
    side = max(height, width)
    square = np.empty((side, side, 3), np.uint8)
    square[:] = np.array(fill, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = image
    return square


def resize(image: Pixels, size: tuple[int, int], resample: int) -> Pixels:
    """Resample to ``(height, width)``; Pillow's filters, on 8-bit values."""
    if image.shape[:2] == size:
        return image
    height, width = size
    picture = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray(picture.resize((width, height), resample=Image.Resampling(resample)))


def centre_crop(image: Pixels, size: tuple[int, int]) -> Pixels:
    """The middle ``(height, width)``; black beyond the image."""
    height, width = image.shape[:2]
    tall, wide = max(size[0], height), max(size[1], width)
    if (tall, wide) != (height, width):
        padded = np.zeros((tall, wide, 3), np.uint8)
        top, left = -((height - tall) // 2), -((width - wide) // 2)
        padded[top : top + height, left : left + width] = image
        image = padded
        shift_y = (height - size[0]) // 2 + top
        shift_x = (width - size[1]) // 2 + left
        return image[shift_y : shift_y + size[0], shift_x : shift_x + size[1]]
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    return image[top : top + size[0], left : left + size[1]]


def smart_resize(
    height: int, width: int, *, factor: int, min_pixels: int, max_pixels: int
) -> tuple[int, int]:
    """Qwen-VL's size: multiples of ``factor``, within a number of pixels, the shape nearly kept.

    Raises:
        PackError: One side is more than 200 times the other.
    """
    if max(height, width) > 200 * min(height, width):
        raise PackError(f"an image of {width} x {height} is too narrow for this model")
    rows, columns = round(height / factor), round(width / factor)
    if rows * columns * factor * factor > max_pixels:
        shrink = math.sqrt(height * width / max_pixels)
        rows = max(1, math.floor(height / shrink / factor))
        columns = max(1, math.floor(width / shrink / factor))
    elif rows * columns * factor * factor < min_pixels:
        grow = math.sqrt(min_pixels / (height * width))
        rows, columns = math.ceil(height * grow / factor), math.ceil(width * grow / factor)
    return rows * factor, columns * factor


def _fit_longest(height: int, width: int, longest: int) -> tuple[int, int]:
    """Idefics3's first resize: the long side as asked, the short one even and in proportion."""
    ratio = width / height
    if width >= height:
        width, height = longest, int(longest / ratio)
        height += height % 2
    else:
        height, width = longest, int(longest * ratio)
        width += width % 2
    height, width = max(height, 1), max(width, 1)
    ratio = width / height
    if width >= height and width > _LARGEST_SIDE:
        width, height = _LARGEST_SIDE, int(_LARGEST_SIDE / ratio)
    elif height > width and height > _LARGEST_SIDE:
        height, width = _LARGEST_SIDE, int(_LARGEST_SIDE * ratio)
    return max(height, 1), max(width, 1)


def _whole_crops(height: int, width: int, side: int) -> tuple[int, int]:
    """The next size both sides of which are whole crops."""
    ratio = width / height
    if width >= height:
        width = math.ceil(width / side) * side
        return math.ceil(int(width / ratio) / side) * side, width
    height = math.ceil(height / side) * side
    return height, math.ceil(int(height * ratio) / side) * side


def _size(said: Mapping[str, Any], kind: str, model: str) -> dict[str, int]:
    size = said.get("size")
    if kind == "patches":
        size = dict(size or {})
        least = said.get("min_pixels") or size.get("shortest_edge") or 56 * 56
        most = said.get("max_pixels") or size.get("longest_edge") or 28 * 28 * 1280
        return {"shortest_edge": int(least), "longest_edge": int(most)}
    if kind == "crops":
        return {"longest_edge": _side(size or 4 * 364)}
    if isinstance(size, int):
        crops = said.get("do_center_crop", "crop_size" in said)
        return {"shortest_edge": size} if crops else {"height": size, "width": size}
    if isinstance(size, Mapping) and size:
        known = {k: int(v) for k, v in size.items() if v is not None}
        if {"height", "width"} <= set(known) or "shortest_edge" in known:
            return known
    if size in (None, {}):
        return (
            {"shortest_edge": 224} if model in ("llava", "git") else {"height": 224, "width": 224}
        )
    raise PackError(f"preprocessor_config.json asks for size {size!r}, which is not known here")


def _crop(said: Mapping[str, Any], name: str) -> tuple[int, int] | None:
    usual = name in ("CLIPImageProcessor", "CLIPFeatureExtractor", "LlavaImageProcessor")
    if not said.get("do_center_crop", usual and "crop_size" in said):
        return None
    crop = said.get("crop_size", 224)
    if isinstance(crop, Mapping):
        return int(crop["height"]), int(crop["width"])
    return int(crop), int(crop)


def _side(said: Any) -> int:
    if isinstance(said, Mapping):
        return int(said.get("longest_edge") or said.get("height") or 364)
    return int(said)


def _three(value: Any) -> tuple[float, ...]:
    if isinstance(value, (int, float)):
        return (float(value),) * 3
    if len(value) != 3:
        raise PackError(f"preprocessor_config.json has {len(value)} bands; only RGB is shown here")
    return tuple(float(v) for v in value)


def _replace(made: Preprocessor, **changes: Any) -> Preprocessor:
    from dataclasses import fields

    kept = {f.name: getattr(made, f.name) for f in fields(made) if not f.name.startswith("_")}
    return Preprocessor(**{**kept, **changes})
