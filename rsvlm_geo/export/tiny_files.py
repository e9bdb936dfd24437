"""A tiny model as a checkpoint on disk: weights, a byte tokenizer, preprocessing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rsvlm_geo.export.tiny import IMAGE_ID, VOCAB_SIZE, tiny_model

__all__ = ["byte_tokenizer", "write_tiny"]

_CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
_CLIP_STD = [0.26862954, 0.26130258, 0.27577711]
_HALF = [0.5, 0.5, 0.5]


def _square(kind: str, side: int, mean: list[float], std: list[float]) -> dict[str, Any]:
    return {
        "image_processor_type": kind,
        "size": {"height": side, "width": side},
        "do_resize": True,
        "resample": 3,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": mean,
        "image_std": std,
    }


def _clip(side: int) -> dict[str, Any]:
    return {
        **_square("CLIPImageProcessor", side, _CLIP_MEAN, _CLIP_STD),
        "size": {"shortest_edge": side},
        "crop_size": {"height": side, "width": side},
        "do_center_crop": True,
    }


def _crops(kind: str) -> dict[str, Any]:
    return {
        **_square(kind, 28, _HALF, _HALF),
        "size": {"longest_edge": 56},
        "max_image_size": {"longest_edge": 28},
        "do_image_splitting": True,
        "do_pad": True,
        "resample": 1,
    }


def _patches() -> dict[str, Any]:
    return {
        **_square("Qwen2VLImageProcessor", 0, _CLIP_MEAN, _CLIP_STD),
        "size": {"shortest_edge": 56 * 56, "longest_edge": 112 * 112},
        "min_pixels": 56 * 56,
        "max_pixels": 112 * 112,
        "patch_size": 14,
        "temporal_patch_size": 2,
        "merge_size": 2,
    }


_PREPROCESSORS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "llava": _clip(28),
        "idefics3": _crops("Idefics3ImageProcessor"),
        "smolvlm": _crops("SmolVLMImageProcessor"),
        "qwen2_vl": _patches(),
        "qwen2_5_vl": _patches(),
        "paligemma": _square("SiglipImageProcessor", 28, _HALF, _HALF),
        "git": _clip(28),
        "florence2": {
            **_square("CLIPImageProcessor", 32, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            "do_center_crop": False,
        },
        "blip": _square("BlipImageProcessor", 28, _CLIP_MEAN, _CLIP_STD),
        "vision-encoder-decoder": _square("ViTImageProcessor", 28, _HALF, _HALF),
        "clip": _clip(28),
    }
)  # fmt: skip

_SPECIAL: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "llava": ("<pad>", "<s>", "</s>", "<image>"),
        "smolvlm": (
            "<pad>", "<s>", "<end_of_utterance>", "<image>", "<fake_token_around_image>",
            "<global-img>", "<|im_start|>", "<row_1_col_1>", "<row_1_col_2>", "<row_2_col_1>",
            "<row_2_col_2>",
        ),
        "qwen2_vl": (
            "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|image_pad|>", "<|vision_start|>",
            "<|vision_end|>", "<|video_pad|>",
        ),
        "paligemma": ("<pad>", "<bos>", "<eos>", "<image>"),
        "blip": ("[PAD]", "[DEC]", "[SEP]", "[CLS]"),
    }
)  # fmt: skip
_ALIASES = {
    "idefics3": "smolvlm",
    "qwen2_5_vl": "qwen2_vl",
    "git": "blip",
    "florence2": "llava",
    "vision-encoder-decoder": "llava",
    "clip": "llava",
}


def byte_tokenizer(model_type: str) -> Any:
    """A ``tokenizers.Tokenizer`` of single bytes and a family's special tokens from 256 on."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {letter: i for i, letter in enumerate(alphabet)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = _SPECIAL[_ALIASES.get(model_type, model_type)]
    tokenizer.add_special_tokens(list(special))
    spare = [f"<spare_{i}>" for i in range(VOCAB_SIZE - len(alphabet) - len(special))]
    tokenizer.add_special_tokens(spare)
    if model_type == "llava":
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
        )
    if model_type == "clip":
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>",
            special_tokens=[(t, tokenizer.token_to_id(t)) for t in ("<s>", "</s>")],
        )
    assert tokenizer.token_to_id(special[3]) == IMAGE_ID
    return tokenizer


def write_tiny(model_type: str, folder: Path, *, seed: int = 0) -> Any:
    """Write a tiny checkpoint of a family as transformers would; returns its model.

    Args:
        model_type: A name of :data:`rsvlm_geo.export.tiny.TINY`.
        folder: Made if it is not there.
        seed: Of the weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = tiny_model(model_type, seed=seed)
    model.save_pretrained(folder)
    write_tiny_settings(model_type, folder)
    return model


def write_tiny_settings(model_type: str, folder: Path) -> None:
    """Tokenizer and preprocessing of a tiny checkpoint."""
    byte_tokenizer(model_type).save(str(folder / "tokenizer.json"))
    special = _SPECIAL[_ALIASES.get(model_type, model_type)]
    names = dict(zip(("pad_token", "bos_token", "eos_token"), special, strict=False))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512, **names}
    _dump(folder / "tokenizer_config.json", settings)
    _dump(folder / "preprocessor_config.json", dict(_PREPROCESSORS[model_type]))


def _dump(path: Path, said: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(dict(said), indent=1) + "\n", encoding="utf-8")
