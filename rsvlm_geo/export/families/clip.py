"""CLIP: two towers and their projections, for search and localisation maps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rsvlm_geo.export.decoder import attention_bias
from rsvlm_geo.export.graph import Part

__all__ = ["ClipText", "ClipVision", "clip_parts"]


class ClipVision(nn.Module):
    """Pixels to one embedding, not normalised."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.tower = model.vision_model
        self.projection = model.visual_projection

    def forward(self, pixel_values: Tensor) -> Tensor:
        """float32[B, 3, H, W] -> float32[B, D]."""
        pooled = self.tower(pixel_values.to(self.projection.weight.dtype)).pooler_output
        return self.projection(pooled).float()  # type: ignore[no-any-return]


class ClipText(nn.Module):
    """Token ids to one embedding, not normalised."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.tower = model.text_model
        self.projection = model.text_projection

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """int64[B, S], int64[B, S] -> float32[B, D]."""
        bias = attention_bias(attention_mask, input_ids.shape[1], self.projection.weight.dtype)
        pooled = self.tower(input_ids=input_ids, attention_mask=bias).pooler_output
        return self.projection(pooled).float()  # type: ignore[no-any-return]


def clip_parts(model: Any) -> list[Part]:
    """vision_model, text_model of a CLIPModel."""
    side = model.config.vision_config.image_size
    ids = torch.arange(2 * 5).reshape(2, 5) % model.config.text_config.vocab_size
    ids[:, -1] = model.config.text_config.eos_token_id
    mask = torch.ones(2, 5, dtype=torch.int64)
    mask[0, 4:] = 0
    sequence = {0: "batch", 1: "sequence"}
    return [
        Part(
            "vision_model",
            ClipVision(model),
            {"pixel_values": torch.randn(2, 3, side, side)},
            {"pixel_values": {0: "batch"}},
            ("image_embeds",),
        ),
        Part(
            "text_model",
            ClipText(model),
            {"input_ids": ids, "attention_mask": mask},
            {"input_ids": sequence, "attention_mask": sequence},
            ("text_embeds",),
        ),
    ]
