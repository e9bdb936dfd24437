"""VHM in miniature: random weights under the published names, in the two parts it comes in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rsvlm_geo.export.tiny import BOS_ID, EOS_ID, PAD_ID, VOCAB_SIZE, tiny_model
from rsvlm_geo.export.tiny_files import write_tiny_settings

__all__ = ["vhm_names", "write_tiny_vhm"]

LAYERS = (1, 2, 3)
"""What 8, 16 and 24 are to 24 layers."""


def vhm_names(weights: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """transformers' names of a LLaVA's weights back to VHM's: language model, vision tower."""
    language, tower = {}, {}
    for name, weight in weights.items():
        if name.startswith("model.vision_tower."):
            tower["vision_model." + name.removeprefix("model.vision_tower.")] = weight
            continue
        name = name.replace("model.multi_modal_projector.linear_1.", "model.mm_projector.0.")
        name = name.replace("model.multi_modal_projector.linear_2.", "model.mm_projector.2.")
        language[name.replace("model.language_model.", "model.")] = weight
    return language, tower


def write_tiny_vhm(folder: Path, tower: Path, *, seed: int = 0) -> Path:
    """Write both parts; returns the vision tower's folder.

    Args:
        folder: For the language model and the projector.
        tower: For the vision tower.
        seed: Of the weights.
    """
    model: Any = tiny_model("llava", seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    tower.mkdir(parents=True, exist_ok=True)
    language, vision = vhm_names({n: w.clone() for n, w in model.state_dict().items()})
    torch.save(language, folder / "pytorch_model.bin")
    torch.save(vision, tower / "pytorch_model.bin")
    text = model.config.text_config
    said = {
        "architectures": ["VHMForCausalLM"],
        "model_type": "vhm",
        "mm_vision_tower": "FitzPC/vhm_7b_pretrain_vit",
        "mm_vision_select_layer": list(LAYERS),
        "mm_vision_select_feature": "patch",
        "mm_projector_type": "mlp2x_gelu",
        "mm_hidden_size": 3 * model.config.vision_config.hidden_size,
        "vocab_size": VOCAB_SIZE,
        "pad_token_id": PAD_ID,
        "bos_token_id": BOS_ID,
        "eos_token_id": EOS_ID,
        "rms_norm_eps": text.rms_norm_eps,
        "hidden_act": text.hidden_act,
        "rope_theta": 10000.0,
    }
    for key in ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
                "num_key_value_heads", "max_position_embeddings"):  # fmt: skip
        said[key] = getattr(text, key)
    (folder / "config.json").write_text(json.dumps(said, indent=1), encoding="utf-8")
    vision_config = {"model_type": "clip_vision_model", **model.config.vision_config.to_dict()}
    (tower / "config.json").write_text(json.dumps(vision_config, indent=1), encoding="utf-8")
    write_tiny_settings("llava", folder)
    (folder / "preprocessor_config.json").unlink()
    return tower
