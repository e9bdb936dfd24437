"""GIT: image tokens, then text, through one stack, with absolute positions for the text."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rsvlm_geo.export.decoder import (
    BATCH,
    PAST,
    QUERY,
    attention_bias,
    cache_of,
    flat_cache,
    past_samples,
)
from rsvlm_geo.export.graph import Part

__all__ = ["GitDecoder", "GitEmbed", "GitVision", "git_parts"]


class GitVision(nn.Module):
    """Pixels to image tokens."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.encoder = model.image_encoder
        self.projection = model.visual_projection

    def forward(self, pixel_values: Tensor) -> Tensor:
        """float32[B, 3, H, W] -> [B, N, D]."""
        dtype = next(self.projection.parameters()).dtype
        hidden = self.encoder(pixel_values.to(dtype)).last_hidden_state
        return self.projection(hidden)  # type: ignore[no-any-return]


class GitEmbed(nn.Module):
    """Token ids and text positions to embeddings."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.embeddings = model.embeddings

    def forward(self, input_ids: Tensor, position_ids: Tensor) -> Tensor:
        """int64[B, S], int64[B, S] -> [B, S, D]."""
        return self.embeddings(input_ids, position_ids=position_ids)  # type: ignore[no-any-return]


class GitDecoder(nn.Module):
    """The stack and its head, over a flat list of past keys and values."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.encoder = model.git.encoder
        self.output = model.output

    def forward(
        self,
        inputs_embeds: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        past: list[Tensor],
    ) -> tuple[Tensor, ...]:
        """Returns logits [B, S, V] and the grown keys and values, layer by layer."""
        cache = cache_of(past)
        bias = attention_bias(
            attention_mask,
            inputs_embeds.shape[1],
            inputs_embeds.dtype,
            token_type_ids=token_type_ids,
        )
        hidden = self.encoder(
            inputs_embeds, attention_mask=bias, past_key_values=cache, use_cache=True
        ).last_hidden_state
        return (self.output(hidden).float(), *flat_cache(cache))


def git_parts(model: Any) -> list[Part]:
    """vision_encoder, embed_tokens, decoder_model_merged of a GitForCausalLM."""
    inner, config = model.git, model.config
    side = config.vision_config.image_size
    vision = Part(
        "vision_encoder",
        GitVision(inner),
        {"pixel_values": torch.randn(2, 3, side, side)},
        {"pixel_values": {0: "batch"}},
        ("image_features",),
    )
    sequence = {0: "batch", 1: "sequence"}
    embed = Part(
        "embed_tokens",
        GitEmbed(inner),
        {
            "input_ids": torch.arange(BATCH * QUERY).reshape(BATCH, QUERY),
            "position_ids": torch.arange(QUERY).repeat(BATCH, 1),
        },
        {"input_ids": sequence, "position_ids": sequence},
        ("inputs_embeds",),
    )
    dtype = next(model.parameters()).dtype
    mask = torch.ones(BATCH, PAST + QUERY, dtype=torch.int64)
    mask[0, 4:6] = 0
    types = torch.ones(BATCH, PAST + QUERY, dtype=torch.int64)
    types[:, :4] = 0
    past, past_axes, names = past_samples(
        config.num_hidden_layers,
        config.num_attention_heads,
        config.hidden_size // config.num_attention_heads,
        dtype,
    )
    decoder = Part(
        "decoder_model_merged",
        GitDecoder(model),
        {
            "inputs_embeds": torch.randn(BATCH, QUERY, config.hidden_size, dtype=dtype),
            "attention_mask": mask,
            "token_type_ids": types,
        },
        {
            "inputs_embeds": sequence,
            "attention_mask": {0: "batch", 1: "total_length"},
            "token_type_ids": {0: "batch", 1: "total_length"},
            **past_axes,
        },
        ("logits", *names),
        past,
    )
    return [vision, embed, decoder]
