"""Write a search pack: an image head, a text encoder, its tokenizer, and their numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rsvlm_geo.export.plain import export_plain
from rsvlm_geo.training.contrastive import ImageHead, Settings, TextTower

__all__ = ["write_pack"]


def write_pack(
    folder: Path, head: ImageHead, tower: TextTower, tokenizer: Any, s: Settings,
    about: Mapping[str, Any],
) -> None:  # fmt: skip
    """A search pack: two graphs, tokenizer, config, and a card with hashes and numbers.

    Args:
        folder: Made when missing.
        head, tower, tokenizer: Trained.
        s: The recipe.
        about: ``base``, ``base_sha256``, ``base_outputs``, ``evaluation``, ``data`` and so on.
    """
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    features = head.mean.shape[0]
    graphs = folder / "onnx"
    export_plain(head, (torch.zeros(2, features),), graphs / "image_head.onnx", ["features"],
                 ["image_embeds"])  # fmt: skip
    ids = torch.ones(2, 7, dtype=torch.long)
    export_plain(_Plain(tower), (ids,), graphs / "text_model.onnx", ["input_ids"],
                 ["text_embeds"])  # fmt: skip
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "model_type": "rsvlm_search", "base": about["base"], "base_sha256": about["base_sha256"],
        "base_outputs": list(about["base_outputs"]), "projection_dim": s.dim,
        "logit_scale": tower.logit_scale, "lower_case": True,
        "unk_token": "<unk>",
        "text_config": {"max_position_embeddings": s.length, "pad_token_id": 0},
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    files = ["config.json", "tokenizer.json", "onnx/image_head.onnx", "onnx/text_model.onnx"]
    card = {
        "format": 1, "name": folder.name, "version": "1.0", "licence": about["licence"],
        "image_size": 256, "tasks": [], "recipe": asdict(s), "data": about["data"],
        "evaluation": about["evaluation"],
        "files": {f: sha256((folder / f).read_bytes()).hexdigest() for f in files},
    }  # fmt: skip
    (folder / "rsvlm.json").write_text(json.dumps(card, indent=1))


class _Plain(nn.Module):
    """The tower with its attention written out, so that any length and batch may be fed."""

    def __init__(self, tower: TextTower) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, input_ids: Tensor) -> Tensor:
        """As :class:`TextTower`."""
        t = self.tower
        seen = input_ids != 0
        place = torch.arange(input_ids.shape[1], device=input_ids.device)
        x = t.embed(input_ids) + t.place(place)
        hide = (~seen).to(x.dtype)[:, None, None, :] * -1e9
        for layer in t.layers.layers:
            y = layer.norm1(x)
            n_heads = layer.self_attn.num_heads
            size = y.shape[2] // n_heads
            qkv = F.linear(y, layer.self_attn.in_proj_weight, layer.self_attn.in_proj_bias)
            q, k, v = (
                part.reshape(part.shape[0], part.shape[1], n_heads, size).transpose(1, 2)
                for part in qkv.chunk(3, dim=2)
            )
            weight = torch.softmax(q @ k.transpose(2, 3) * size**-0.5 + hide, dim=3)
            y = (weight @ v).transpose(1, 2).reshape(x.shape)
            x = x + layer.self_attn.out_proj(y)
            x = x + layer.linear2(F.gelu(layer.linear1(layer.norm2(x))))
        x = t.norm(x)
        weight = seen.unsqueeze(2).to(x.dtype)
        out: Tensor = t.project((x * weight).sum(1) / weight.sum(1).clamp(min=1.0))
        return out
