"""Encoder-decoders: Florence-2, BLIP, and a vision encoder with any transformers decoder.

The keys and values of the cross attention are computed once, by the encoder's graph; the decoder's
graph takes them as inputs, so that it is one graph for prefill and step.
"""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rsvlm_geo.export.decoder import (
    BATCH,
    PAST,
    QUERY,
    attention_bias,
    cache_of,
    embed_part,
    flat_cache,
    past_samples,
)
from rsvlm_geo.export.graph import Part

__all__ = [
    "CrossDecoder",
    "FlorenceVision",
    "ImageEncoder",
    "PromptEncoder",
    "blip_parts",
    "encoder_decoder_parts",
    "florence_parts",
]

ENCODED = 7
"""Sample length of what the cross attention looks at."""


class CrossDecoder(nn.Module):
    """A decoder with cross attention: makes the cross keys and values, or decodes with them."""

    def __init__(self, decoder: Any, head: nn.Module | None) -> None:
        super().__init__()
        self.decoder = decoder
        self.head = head
        """None where ``decoder`` returns logits itself."""
        named = inspect.signature(decoder.forward).parameters
        self.extra = {"is_decoder": True} if "is_decoder" in named else {}
        inner = getattr(decoder, "model", decoder)
        inner = getattr(inner, "decoder", inner)
        table = getattr(inner, "embed_positions", None)
        self.positions: _Positions | None = None
        if isinstance(table, _Positions):
            self.positions = table
        elif isinstance(table, nn.Embedding) and hasattr(table, "offset"):
            # BART counts positions itself; with padded rows they must be given
            self.positions = _Positions(table)
            inner.embed_positions = self.positions
        self.takes_positions = self.positions is not None or "position_ids" in named

    def cross(self, encoded: Tensor) -> list[Tensor]:
        """[B, E, D] -> flat keys and values of the cross attention, layer by layer.

        One token runs through the decoder to make them; what only it needs is pruned.
        """
        from transformers.cache_utils import DynamicCache, EncoderDecoderCache

        cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        ids = torch.zeros(encoded.shape[0], 1, dtype=torch.int64)
        self._call(
            ids if self.positions is not None else None,
            input_ids=ids,
            encoder_hidden_states=encoded,
            past_key_values=cache,
            **self.extra,
        )
        return flat_cache(cache.cross_attention_cache)

    def step(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        position_ids: Tensor | None,
        encoder_attention_mask: Tensor | None,
        past: list[Tensor],
    ) -> tuple[Tensor, ...]:
        """``past`` holds the cross keys and values first, then the past ones."""
        from transformers.cache_utils import EncoderDecoderCache

        half = len(past) // 2
        cross, own = past[:half], past[half:]
        cache = EncoderDecoderCache(cache_of(own), cache_of(cross))
        for layer in range(half // 2):
            cache.is_updated[layer] = True
        width = self.decoder.config.hidden_size
        # its shape is looked at, its numbers are not: keys and values are in the cache
        encoded = cross[0][:, 0, :, :1].expand(-1, -1, width)
        extra: dict[str, Any] = dict(self.extra)
        if encoder_attention_mask is not None:
            extra["encoder_attention_mask"] = _cross_bias(
                encoder_attention_mask, input_ids.shape[1], encoded.dtype
            )
        output = self._call(
            position_ids,
            input_ids=input_ids,
            attention_mask=attention_bias(attention_mask, input_ids.shape[1], encoded.dtype),
            encoder_hidden_states=encoded,
            past_key_values=cache,
            **extra,
        )
        logits = output.logits if self.head is None else self.head(output.last_hidden_state)
        return (logits.float(), *flat_cache(cache.self_attention_cache))

    def _call(self, position_ids: Tensor | None, **inputs: Any) -> Any:
        if self.positions is None:
            given = {} if position_ids is None else {"position_ids": position_ids}
            return self.decoder(use_cache=True, **given, **inputs)
        self.positions.given.ids = position_ids
        try:
            return self.decoder(use_cache=True, **inputs)
        finally:
            self.positions.given.ids = None


class _Positions(nn.Module):
    """BART's table of positions, looked up with ids handed over beside the call."""

    def __init__(self, table: Any) -> None:
        super().__init__()
        self.weight = table.weight
        self.offset = table.offset
        self.given = SimpleNamespace(ids=None)

    def forward(
        self, input_ids: Tensor, past_key_values_length: int = 0, position_ids: Any = None
    ) -> Tensor:
        ids = self.given.ids
        if ids is None:
            ids = position_ids.unsqueeze(0)
        return functional.embedding(ids + self.offset, self.weight)


def _cross_bias(mask: Tensor, queries: int, dtype: torch.dtype) -> Tensor:
    zero = torch.zeros((), dtype=dtype)
    bias = torch.where(mask != 0, zero, torch.finfo(dtype).min)[:, None, None]
    return bias.expand(-1, 1, queries, -1)


class _Decoder(nn.Module):
    def __init__(self, decoder: CrossDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, position_ids: Tensor, past: list[Tensor]
    ) -> tuple[Tensor, ...]:
        return self.decoder.step(input_ids, attention_mask, position_ids, None, past)


class _UnplacedDecoder(_Decoder):
    def forward(  # type: ignore[override]
        self, input_ids: Tensor, attention_mask: Tensor, past: list[Tensor]
    ) -> tuple[Tensor, ...]:
        return self.decoder.step(input_ids, attention_mask, None, None, past)


class _MaskedDecoder(_Decoder):
    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        position_ids: Tensor,
        encoder_attention_mask: Tensor,
        past: list[Tensor],
    ) -> tuple[Tensor, ...]:
        return self.decoder.step(
            input_ids, attention_mask, position_ids, encoder_attention_mask, past
        )


class ImageEncoder(nn.Module):
    """Pixels to cross keys and values."""

    def __init__(self, encoder: Any, bridge: nn.Module | None, decoder: CrossDecoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.bridge = bridge
        self.decoder = decoder

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
        """float32[B, 3, H, W] -> [B, K, N, d] for each layer, key then value."""
        dtype = next(self.encoder.parameters()).dtype
        hidden = self.encoder(pixel_values.to(dtype)).last_hidden_state
        if self.bridge is not None:
            hidden = self.bridge(hidden)
        return tuple(self.decoder.cross(hidden))


class PromptEncoder(nn.Module):
    """Florence-2: image features and question to cross keys and values."""

    def __init__(self, encoder: Any, decoder: CrossDecoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, inputs_embeds: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        """[B, E, D], int64[B, E] -> [B, K, E, d] for each layer, key then value."""
        bias = _cross_bias(attention_mask, inputs_embeds.shape[1], inputs_embeds.dtype)
        hidden = self.encoder(inputs_embeds=inputs_embeds, attention_mask=bias).last_hidden_state
        return tuple(self.decoder.cross(hidden))


class FlorenceVision(nn.Module):
    """Pixels to image features."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.tower = model.vision_tower
        self.projector = model.multi_modal_projector

    def forward(self, pixel_values: Tensor) -> Tensor:
        """float32[B, 3, H, W] -> [B, N, D]."""
        hidden = self.tower(pixel_values).last_hidden_state
        return self.projector(hidden)  # type: ignore[no-any-return]


def cross_names(layers: int) -> tuple[str, ...]:
    """``cross.0.key``, ``cross.0.value``, ..."""
    return tuple(f"cross.{i}.{kind}" for i in range(layers) for kind in ("key", "value"))


def cross_decoder_part(
    decoder: CrossDecoder, *, layers: int, heads: int, width: int, masked: bool = False
) -> Part:
    """``decoder_model_merged.onnx`` of an encoder-decoder."""
    dtype = next(decoder.parameters()).dtype
    mask = torch.ones(BATCH, PAST + QUERY, dtype=torch.int64)
    mask[0, :2] = 0
    sequence = {0: "batch", 1: "sequence"}
    inputs = {
        "input_ids": torch.arange(BATCH * QUERY).reshape(BATCH, QUERY),
        "attention_mask": mask,
    }
    axes: dict[str, dict[int, str]] = {
        "input_ids": sequence,
        "attention_mask": {0: "batch", 1: "total_length"},
    }
    kind: type[_Decoder] = _UnplacedDecoder
    if decoder.takes_positions:
        kind = _Decoder
        inputs["position_ids"] = torch.arange(QUERY).repeat(BATCH, 1) + PAST
        axes["position_ids"] = sequence
    if masked:
        kind = _MaskedDecoder
        encoded = torch.ones(BATCH, ENCODED, dtype=torch.int64)
        encoded[1, 4:] = 0
        inputs["encoder_attention_mask"] = encoded
        axes["encoder_attention_mask"] = {0: "batch", 1: "encoder_length"}
    past, past_axes, names = past_samples(layers, heads, width, dtype)
    cross = {
        name: torch.randn(BATCH, heads, ENCODED, width, dtype=dtype) for name in cross_names(layers)
    }
    axes |= past_axes | {name: {0: "batch", 2: "encoder_length"} for name in cross}
    return Part(
        "decoder_model_merged", kind(decoder), inputs, axes, ("logits", *names), cross | past
    )


def _image_encoder_part(encoder: ImageEncoder, side: tuple[int, int], layers: int) -> Part:
    return Part(
        "encoder_model",
        encoder,
        {"pixel_values": torch.randn(2, 3, *side)},
        {"pixel_values": {0: "batch"}},
        cross_names(layers),
    )


def blip_parts(model: Any) -> list[Part]:
    """encoder_model, decoder_model_merged of a BlipForConditionalGeneration."""
    config = model.config.text_config
    decoder = CrossDecoder(model.text_decoder, None)
    side = model.config.vision_config.image_size
    layers, heads = config.num_hidden_layers, config.num_attention_heads
    return [
        _image_encoder_part(ImageEncoder(model.vision_model, None, decoder), (side, side), layers),
        cross_decoder_part(decoder, layers=layers, heads=heads, width=config.hidden_size // heads),
    ]


def encoder_decoder_parts(model: Any) -> list[Part]:
    """encoder_model, decoder_model_merged of a VisionEncoderDecoderModel."""
    config = model.decoder.config
    decoder = CrossDecoder(model.decoder, None)
    size = model.encoder.config.image_size
    side = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
    layers, heads = config.num_hidden_layers, config.num_attention_heads
    bridge = getattr(model, "enc_to_dec_proj", None)
    if (
        model.encoder.config.hidden_size == config.hidden_size
        or getattr(config, "cross_attention_hidden_size", None) is not None
    ):
        bridge = None
    return [
        _image_encoder_part(ImageEncoder(model.encoder, bridge, decoder), side, layers),
        cross_decoder_part(decoder, layers=layers, heads=heads, width=config.hidden_size // heads),
    ]


def florence_parts(model: Any, *, side: int = 768) -> list[Part]:
    """vision_encoder, embed_tokens, encoder_model, decoder_model_merged of a Florence-2.

    Args:
        model: A Florence2ForConditionalGeneration.
        side: Of the image, from its preprocessor; the windows inside are laid out for it.
    """
    inner = model.model
    language = inner.language_model
    config = model.config.text_config
    decoder = CrossDecoder(language.decoder, model.lm_head)
    layers, heads = config.decoder_layers, config.decoder_attention_heads
    vision = Part(
        "vision_encoder",
        FlorenceVision(inner),
        {"pixel_values": torch.randn(2, 3, side, side)},
        {"pixel_values": {0: "batch"}},
        ("image_features",),
    )
    dtype = next(model.parameters()).dtype
    mask = torch.ones(BATCH, ENCODED, dtype=torch.int64)
    mask[1, 5:] = 0
    encoder = Part(
        "encoder_model",
        PromptEncoder(language.encoder, decoder),
        {
            "inputs_embeds": torch.randn(BATCH, ENCODED, config.d_model, dtype=dtype),
            "attention_mask": mask,
        },
        {
            "inputs_embeds": {0: "batch", 1: "encoder_length"},
            "attention_mask": {0: "batch", 1: "encoder_length"},
        },
        cross_names(layers),
    )
    return [
        vision,
        embed_part(language.get_input_embeddings()),
        encoder,
        cross_decoder_part(
            decoder, layers=layers, heads=heads, width=config.d_model // heads, masked=True
        ),
    ]
