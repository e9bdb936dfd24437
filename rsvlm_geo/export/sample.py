"""Inputs to compare a graph with torch on: random pixels, random tokens, rows of unequal length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rsvlm_geo.export.families import Family

__all__ = ["Sample", "make_sample"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """What is fed to the vision part and put into the prompt; two rows."""

    vision: Mapping[str, Array]
    """Inputs of ``vision_encoder`` or ``encoder_model`` as the graphs name them."""
    input_ids: Array
    """int64[2, S]: image tokens in place, the shorter row padded on the left."""
    attention_mask: Array
    """int64[2, S], 0 where padded."""
    image_id: int | None = None
    """The token that image features replace; None where they are not merged."""
    extra: Mapping[str, Array] = field(default_factory=dict)
    """More inputs of transformers' ``generate``."""
    start_id: int | None = None
    """First token of the decoder, where the prompt goes to an encoder."""

    def for_torch(self) -> dict[str, torch.Tensor]:
        """Inputs of transformers' ``generate``."""
        arrays = {"input_ids": self.input_ids, "attention_mask": self.attention_mask}
        return {k: torch.from_numpy(v) for k, v in {**self.vision, **arrays, **self.extra}.items()}


def make_sample(family: Family, model: Any, *, seed: int = 0) -> Sample:
    """Random inputs of the right shapes for a model.

    Args:
        family: Its family.
        model: The transformers model, for its configuration.
        seed: Of pixels and tokens.
    """
    random = np.random.default_rng(seed)
    config = model.config
    kind = family.model_type
    if kind in ("idefics3", "smolvlm"):
        return _idefics(config, random)
    if kind in ("qwen2_vl", "qwen2_5_vl"):
        return _qwen(config, random)
    if kind == "florence2":
        return _florence(model, random)
    side = _side(config)
    vision = {"pixel_values": _pixels(random, 2, 3, *side)}
    if kind == "llava":
        count = (side[0] // config.vision_config.patch_size) ** 2
        count += config.vision_feature_select_strategy != "default"
        ids, mask = _prompt(config, random, count, config.image_token_id)
        return Sample(vision, ids, mask, config.image_token_id)
    if kind == "paligemma":
        count = (side[0] // config.vision_config.patch_size) ** 2
        ids, mask = _prompt(config, random, count, config.image_token_id)
        types = np.zeros_like(ids)
        return Sample(vision, ids, mask, config.image_token_id, {"token_type_ids": types})
    if kind == "clip":
        return _clip(config, random, vision)
    # a captioner continues a prompt of its own; rows of one length, as transformers needs here
    ids = _words(config, random, 4 * 2).reshape(2, 4)
    if kind == "vision-encoder-decoder":
        ids = np.full((2, 1), model.generation_config.decoder_start_token_id, np.int64)
    if kind == "blip":
        ids[:, 0] = config.text_config.bos_token_id
    return Sample(vision, ids, np.ones_like(ids))


def _side(config: Any) -> tuple[int, int]:
    vision = getattr(config, "vision_config", None) or config.encoder
    size = vision.image_size
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))


def _pixels(random: np.random.Generator, *shape: int) -> Array:
    return random.normal(size=shape).astype(np.float32)


def _words(config: Any, random: np.random.Generator, count: int) -> Array:
    """Ordinary tokens: none that a configuration gives a meaning."""
    text = config.get_text_config(decoder=True)
    special = {v for c in (config, text) for k, v in c.to_dict().items() if k.endswith("token_id")}
    ids = [i for i in range(min(text.vocab_size, 20_000)) if i not in special]
    return random.choice(np.array(ids, np.int64), size=count)


def _prompt(
    config: Any, random: np.random.Generator, images: int | tuple[int, int], image_id: int
) -> tuple[Array, Array]:
    """Two rows, words - image tokens - words, the first one shorter and padded on the left."""
    counts = (images, images) if isinstance(images, int) else images
    rows = [
        np.concatenate(
            [_words(config, random, 3), np.full(n, image_id), _words(config, random, tail)]
        )
        for n, tail in zip(counts, (4, 7), strict=True)
    ]
    length = max(map(len, rows))
    pad = config.get_text_config(decoder=True).pad_token_id
    ids = np.full((2, length), 0 if pad is None else pad, np.int64)
    mask = np.zeros((2, length), np.int64)
    for row, tokens in enumerate(rows):
        ids[row, length - len(tokens) :] = tokens
        mask[row, length - len(tokens) :] = 1
    return ids, mask


def _idefics(config: Any, random: np.random.Generator) -> Sample:
    vision = config.vision_config
    side, patch = vision.image_size, vision.patch_size
    count = (side // patch) ** 2 // config.scale_factor**2
    mask = np.ones((2, 2, side, side), bool)
    mask[1, 1, side // patch // 2 * patch :] = False
    pixels = _pixels(random, 2, 2, 3, side, side) * mask[:, :, None]
    ids, attention = _prompt(config, random, 2 * count, config.image_token_id)
    return Sample(
        {"pixel_values": pixels, "pixel_attention_mask": mask},
        ids,
        attention,
        config.image_token_id,
    )


def _qwen(config: Any, random: np.random.Generator) -> Sample:
    vision = config.vision_config
    merge = vision.spatial_merge_size
    grid = np.array([[1, 3 * merge, 5 * merge], [1, 4 * merge, 2 * merge]], np.int64)
    channels = getattr(vision, "in_channels", None) or getattr(vision, "in_chans", 3)
    width = channels * vision.temporal_patch_size * vision.patch_size**2
    pixels = _pixels(random, int(grid.prod(axis=1).sum()), width)
    ids, mask = _prompt(config, random, (15, 8), config.image_token_id)
    types = (ids == config.image_token_id).astype(np.int32)
    return Sample(
        {"pixel_values": pixels, "image_grid_thw": grid},
        ids,
        mask,
        config.image_token_id,
        {"mm_token_type_ids": types},
    )


def _florence(model: Any, random: np.random.Generator) -> Sample:
    side = florence_side(model)
    vision = {"pixel_values": _pixels(random, 2, 3, side, side)}
    with torch.no_grad():
        features = model.get_image_features(torch.from_numpy(vision["pixel_values"])).pooler_output
    ids, mask = _prompt(model.config, random, features.shape[1], model.config.image_token_id)
    start = model.generation_config.decoder_start_token_id
    return Sample(vision, ids, mask, model.config.image_token_id, start_id=start)


def florence_side(model: Any) -> int:
    """Side of the image a Florence-2 is laid out for; its configuration does not say, so the
    largest that its table of positions holds, and no more than the published 768."""
    vision = model.config.vision_config
    stride = int(np.prod(vision.patch_stride))
    return int(min(768, vision.max_position_embeddings * stride))


def _clip(config: Any, random: np.random.Generator, vision: Mapping[str, Array]) -> Sample:
    text = config.text_config
    ids = _words(config, random, 2 * 6).reshape(2, 6)
    ids[0, 4:], ids[1, 5:] = text.eos_token_id, text.eos_token_id
    mask = np.ones_like(ids)
    mask[0, 5:] = 0
    return Sample(vision, ids, mask)
