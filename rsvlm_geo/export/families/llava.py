"""LLaVA: a CLIP tower whose layers are concatenated, a projector, any decoder-only language model.

VHM is one: layers 8, 16 and 24, Vicuna 7B.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rsvlm_geo.export.decoder import decoder_part, embed_part
from rsvlm_geo.export.graph import Part

__all__ = ["LlavaVision", "llava_parts"]


class LlavaVision(nn.Module):
    """Pixels to image tokens, as many hidden layers of the tower as the config names."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.tower = model.vision_tower
        self.projector = model.multi_modal_projector
        layers = model.config.vision_feature_layer
        self.layers = (layers,) if isinstance(layers, int) else tuple(layers)
        self.drop_first = model.config.vision_feature_select_strategy == "default"

    def forward(self, pixel_values: Tensor) -> Tensor:
        """float32[B, 3, H, W] -> [B, N, D]."""
        dtype = self.projector.linear_1.weight.dtype
        hidden = self.tower(
            pixel_values.to(dtype), output_hidden_states=True, return_dict=True
        ).hidden_states
        picked = [hidden[layer] for layer in self.layers]
        if self.drop_first:
            picked = [states[:, 1:] for states in picked]
        return self.projector(torch.cat(picked, dim=-1))  # type: ignore[no-any-return]


def llava_parts(model: Any) -> list[Part]:
    """vision_encoder, embed_tokens, decoder_model_merged of a LlavaForConditionalGeneration."""
    inner = model.model
    side = inner.config.vision_config.image_size
    vision = Part(
        "vision_encoder",
        LlavaVision(inner),
        {"pixel_values": torch.randn(2, 3, side, side)},
        {"pixel_values": {0: "batch"}},
        ("image_features",),
    )
    text = inner.language_model
    return [vision, embed_part(text.get_input_embeddings()), decoder_part(text, model.lm_head)]
