"""Idefics3 and SmolVLM: a SigLIP that takes crops with padding, pixel shuffle, a language model."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rsvlm_geo.export.decoder import decoder_part, embed_part
from rsvlm_geo.export.graph import Part

__all__ = ["IdeficsVision", "idefics_parts"]


class IdeficsVision(nn.Module):
    """Crops to image tokens; positions follow each crop's own extent, as in NaViT."""

    boundaries: Tensor

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.vision = model.vision_model
        self.connector = model.connector
        embeddings = model.vision_model.embeddings
        self.patch = embeddings.patch_size
        self.per_side = embeddings.num_patches_per_side
        # a buffer: a Range computed inside the graph rounds differently on the boundaries
        step = 1 / self.per_side
        self.register_buffer("boundaries", torch.arange(step, 1.0, step), persistent=False)

    def forward(self, pixel_values: Tensor, pixel_attention_mask: Tensor) -> Tensor:
        """float32[B, M, 3, H, W], bool[B, M, H, W] -> [B * M, N, D]."""
        embeddings = self.vision.embeddings
        rows, columns = (side // self.patch for side in pixel_values.shape[-2:])
        pixels = pixel_values.flatten(0, 1).to(embeddings.patch_embedding.weight.dtype)
        mask = pixel_attention_mask.flatten(0, 1)
        mask = mask.reshape(-1, rows, self.patch, columns, self.patch).to(torch.int64)
        seen = mask.sum(dim=(2, 4)) > 0
        hidden = embeddings.patch_embedding(pixels).flatten(2).transpose(1, 2)
        hidden = hidden + embeddings.position_embedding(self._positions(seen))
        flat = seen.flatten(1)
        zero = torch.zeros((), dtype=hidden.dtype)
        bias = torch.where(flat, zero, torch.finfo(hidden.dtype).min)[:, None, None]
        bias = bias.expand(-1, 1, rows * columns, -1)
        hidden = self.vision.encoder(inputs_embeds=hidden, attention_mask=bias).last_hidden_state
        return self.connector(self.vision.post_layernorm(hidden))  # type: ignore[no-any-return]

    def _positions(self, seen: Tensor) -> Tensor:
        """bool[n, rows, columns] -> int64[n, rows * columns], an index into the position table."""
        row = self._buckets(seen[:, :, 0].sum(dim=1), seen.shape[1])
        column = self._buckets(seen[:, 0, :].sum(dim=1), seen.shape[2])
        index = row[:, :, None] * self.per_side + column[:, None, :]
        return torch.where(seen, index, 0).flatten(1)

    def _buckets(self, count: Tensor, size: int) -> Tensor:
        fraction = torch.arange(size, dtype=torch.float32)[None] * (1.0 / count)[:, None]
        fraction = torch.clamp(fraction, max=1.0 - 1e-6)
        return (fraction[..., None] >= self.boundaries).sum(-1)


def idefics_parts(model: Any) -> list[Part]:
    """vision_encoder, embed_tokens, decoder_model_merged of an Idefics3 or SmolVLM."""
    inner = model.model
    side = inner.config.vision_config.image_size
    mask = torch.ones(2, 3, side, side, dtype=torch.bool)
    mask[1, 2, side // 2 :] = False
    crops = {0: "batch", 1: "crops"}
    vision = Part(
        "vision_encoder",
        IdeficsVision(inner),
        {"pixel_values": torch.randn(2, 3, 3, side, side), "pixel_attention_mask": mask},
        {"pixel_values": crops, "pixel_attention_mask": crops},
        ("image_features",),
    )
    text = inner.text_model
    return [vision, embed_part(text.get_input_embeddings()), decoder_part(text, model.lm_head)]
