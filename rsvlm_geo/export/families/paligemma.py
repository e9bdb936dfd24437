"""PaliGemma: SigLIP, a projector, Gemma; image and question see each other both ways."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rsvlm_geo.export.decoder import decoder_part, embed_part
from rsvlm_geo.export.graph import Part

__all__ = ["PaliGemmaVision", "paligemma_parts"]


class PaliGemmaVision(nn.Module):
    """Pixels to image tokens."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.tower = model.vision_tower
        self.projector = model.multi_modal_projector

    def forward(self, pixel_values: Tensor) -> Tensor:
        """float32[B, 3, H, W] -> [B, N, D]."""
        pixels = pixel_values.to(self.projector.linear.weight.dtype)
        return self.projector(self.tower(pixels).last_hidden_state)  # type: ignore[no-any-return]


def paligemma_parts(model: Any) -> list[Part]:
    """vision_encoder, embed_tokens, decoder_model_merged of a PaliGemma or PaliGemma 2."""
    inner = model.model
    side = inner.config.vision_config.image_size
    vision = Part(
        "vision_encoder",
        PaliGemmaVision(inner),
        {"pixel_values": torch.randn(2, 3, side, side)},
        {"pixel_values": {0: "batch"}},
        ("image_features",),
    )
    text = inner.language_model
    return [
        vision,
        embed_part(text.get_input_embeddings()),
        decoder_part(text, model.lm_head, typed=True),
    ]
