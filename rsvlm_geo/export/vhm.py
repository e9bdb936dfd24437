"""VHM as published (language model with projector in one folder, vision tower in another) to LLaVA.

VHM is LLaVA with three layers of its vision tower side by side; transformers' own class holds it.

References:
    opendatalab/VHM: vhm/model (names of the weights, ``mm_vision_select_layer``), Apache-2.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rsvlm_geo.errors import ExportError

__all__ = ["convert_vhm", "is_vhm", "read_weights"]

_RULES = (
    (re.compile(r"^model\.mm_projector\.0\."), "model.multi_modal_projector.linear_1."),
    (re.compile(r"^model\.mm_projector\.2\."), "model.multi_modal_projector.linear_2."),
    (re.compile(r"^model\.vision_tower\.vision_tower\.vision_model\."), "model.vision_tower."),
    (re.compile(r"^(?:vision_tower\.)*vision_model\."), "model.vision_tower."),
    (re.compile(r"^model\.(?!language_model\.|vision_tower\.|multi_modal)"),
     "model.language_model."),
)  # fmt: skip
_DERIVED = re.compile(r"(rotary_emb\.inv_freq|embeddings\.position_ids)$")
"""Buffers that older versions stored; computed, not learnt."""


def is_vhm(config: Mapping[str, Any]) -> bool:
    """Whether a ``config.json`` is that of a LLaVA in its original (not transformers') layout."""
    return "mm_vision_tower" in config or "mm_vision_select_layer" in config


def convert_vhm(folder: Path, tower: Path | None) -> Any:
    """A transformers LLaVA with the weights of both parts.

    Args:
        folder: Language model and projector: ``config.json`` and weights, original names.
        tower: The vision tower: its folder (``config.json`` and weights), or its weights file.
            None where ``folder`` holds it too.

    Raises:
        ExportError: A part is missing, or a weight has no place or a place no weight.
    """
    from transformers import LlavaForConditionalGeneration

    said = _read_json(folder / "config.json")
    weights = read_weights(folder)
    weights.update(_tower_weights(folder, tower, weights))
    renamed = {_rename(name): w for name, w in weights.items() if not _DERIVED.search(name)}
    config = _config(said, folder, tower, renamed)
    dtype = torch.get_default_dtype()
    with torch.device("meta"):
        model = LlavaForConditionalGeneration(config)
    expected = set(model.state_dict())
    missing = sorted(expected - set(renamed))
    unexpected = sorted(set(renamed) - expected)
    if missing or unexpected:
        raise ExportError(
            f"{folder} does not fit LLaVA: {len(missing)} weights missing ({_some(missing)}), "
            f"{len(unexpected)} unexpected ({_some(unexpected)}); pass the vision tower that "
            "belongs to it with --vit"
        )
    shapes = {name: value.shape for name, value in model.state_dict().items()}
    wrong = [name for name, value in renamed.items() if value.shape != shapes[name]]
    if wrong:
        name = wrong[0]
        raise ExportError(
            f"{folder}: {name} is {tuple(renamed[name].shape)}, but its configuration says "
            f"{tuple(shapes[name])}; config.json belongs to other weights"
        )
    model.load_state_dict({n: w.to(dtype) for n, w in renamed.items()}, assign=True, strict=True)
    _restore_buffers(model, LlavaForConditionalGeneration, config)
    return model.eval()


def _restore_buffers(model: Any, kind: Any, config: Any) -> None:
    """Compute what is not stored (rotary frequencies, position ids): it is still on ``meta``."""
    small = type(config).from_dict(config.to_dict())
    small.text_config.num_hidden_layers = 1
    small.vision_config.num_hidden_layers = 1
    small.vision_feature_layer = 1
    small.text_config.vocab_size = 8
    small.text_config.pad_token_id = None
    fresh = dict(kind(small).named_buffers())
    for name, buffer in list(model.named_buffers()):
        if buffer.device.type == "meta":
            owner, _, leaf = name.rpartition(".")
            setattr(model.get_submodule(owner), leaf, fresh[name])


def read_weights(where: Path) -> dict[str, Tensor]:
    """Every weight of a checkpoint: safetensors or torch files, whole or in shards.

    Raises:
        ExportError: There are none, or a file is damaged or holds more than tensors.
    """
    files = [where] if where.is_file() else _weight_files(where)
    if not files:
        raise ExportError(
            f"no weights in {where}; expected model.safetensors, pytorch_model.bin, or their shards"
        )
    weights: dict[str, Tensor] = {}
    for path in files:
        try:
            if path.suffix == ".safetensors":
                from safetensors.torch import load_file

                weights.update(load_file(path))
            else:
                # weights_only: a checkpoint is data, and never runs code
                weights.update(torch.load(path, map_location="cpu", weights_only=True))
        except Exception as error:  # both libraries raise whatever the parser met
            raise ExportError(
                f"{path} cannot be read ({type(error).__name__}: {str(error)[:200]}); "
                "download it again"
            ) from error
    return weights


def _weight_files(folder: Path) -> list[Path]:
    for pattern in ("*.safetensors", "pytorch_model*.bin", "*.bin", "*.pt"):
        found = sorted(p for p in folder.glob(pattern) if p.name != "training_args.bin")
        if found:
            return found
    return []


def _tower_weights(
    folder: Path, tower: Path | None, weights: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    if any("vision_model." in name for name in weights):
        return {}
    if tower is None:
        nested = folder / "vision_tower"
        if not nested.is_dir():
            raise ExportError(
                f"{folder} holds the language model and the projector, not the vision tower; pass "
                "its folder or file with --vit"
            )
        tower = nested
    if not tower.exists():
        raise ExportError(f"no vision tower at {tower}; pass its folder or file with --vit")
    found = {n: w for n, w in read_weights(tower).items() if "vision_model." in n}
    if not found:
        raise ExportError(
            f"{tower} has no weights named vision_model.*; it is not a CLIP vision tower"
        )
    return found


def _rename(name: str) -> str:
    for pattern, replacement in _RULES:
        if pattern.match(name):
            return pattern.sub(replacement, name)
    return name


def _config(
    said: Mapping[str, Any], folder: Path, tower: Path | None, weights: Mapping[str, Tensor]
) -> Any:
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig

    projector = said.get("mm_projector_type", "linear")
    if projector != "mlp2x_gelu":
        raise ExportError(
            f"{folder / 'config.json'} has mm_projector_type {projector!r}; only 'mlp2x_gelu' "
            "(two layers) has a place in LLaVA"
        )
    vision = CLIPVisionConfig(**_vision_settings(folder, tower, weights))
    known = LlamaConfig().to_dict()
    text = LlamaConfig(
        **{k: v for k, v in said.items() if (k in known or k == "rope_theta") and k != "model_type"}
    )
    text.architectures = ["LlamaForCausalLM"]
    layers = said.get("mm_vision_select_layer", -2)
    side = vision.image_size // vision.patch_size
    config = LlavaConfig(
        vision_config=vision,
        text_config=text,
        vision_feature_layer=list(layers) if isinstance(layers, (list, tuple)) else int(layers),
        vision_feature_select_strategy=(
            "full" if said.get("mm_vision_select_feature") == "cls_patch" else "default"
        ),
        projector_hidden_act="gelu",
        multimodal_projector_bias=True,
        image_seq_length=side * side,
        # one past the vocabulary: a mark in the prompt that is never looked up
        image_token_id=text.vocab_size,
        tie_word_embeddings=False,
    )
    config.architectures = ["LlavaForConditionalGeneration"]
    return config


def _vision_settings(
    folder: Path, tower: Path | None, weights: Mapping[str, Tensor]
) -> dict[str, Any]:
    """The tower's own configuration, or what the shapes of its weights say."""
    beside = tower if tower is not None and tower.is_dir() else folder / "vision_tower"
    path = beside / "config.json"
    if tower is not None and tower.is_file():
        path = tower.parent / "config.json"
    if path.is_file():
        said = _read_json(path)
        inner: dict[str, Any] = dict(said.get("vision_config") or said)
        inner.pop("model_type", None)
        return inner
    prefix = "model.vision_tower."
    patches = weights[prefix + "embeddings.patch_embedding.weight"]
    places = weights[prefix + "embeddings.position_embedding.weight"].shape[0]
    found = {int(m[1]) for n in weights if (m := re.match(rf"{prefix}encoder\.layers\.(\d+)\.", n))}
    width, patch = int(patches.shape[0]), int(patches.shape[-1])
    return {
        "hidden_size": width,
        "intermediate_size": int(weights[prefix + "encoder.layers.0.mlp.fc1.weight"].shape[0]),
        "num_hidden_layers": max(found) + 1,
        "num_attention_heads": max(1, width // 64),
        "patch_size": patch,
        "image_size": round((places - 1) ** 0.5) * patch,
        "hidden_act": "quick_gelu",
    }


def _read_json(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExportError(f"{path} cannot be read ({error}); it describes the model") from error
    if not isinstance(said, dict):
        raise ExportError(f"{path} holds a {type(said).__name__}, not an object")
    return said


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "") if names else "none"
