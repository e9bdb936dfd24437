"""The text decoder as one graph: prefill, continuation and step are one and the same.

Past length 0 is a prefill, query length 1 a step. The mask is built inside the graph from small
integer inputs, explicitly, so that left padding, a shared prefix and many queries per call all
hold, and no runtime has to know a family's rule.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rsvlm_geo.export.graph import Part, last_tokens

__all__ = [
    "EmbedTokens",
    "TextDecoder",
    "TypedTextDecoder",
    "attention_bias",
    "cache_of",
    "decoder_part",
    "embed_part",
    "flat_cache",
    "past_samples",
]

BATCH, QUERY, PAST = 2, 3, 5
"""Sample sizes: never 0 or 1, which torch.export would freeze; all different."""


def attention_bias(
    attention_mask: Tensor,
    query_length: int,
    dtype: torch.dtype,
    *,
    token_type_ids: Tensor | None = None,
    window: int | None = None,
) -> Tensor:
    """What may see what, as numbers to add to attention scores.

    Args:
        attention_mask: int64[B, P + S], 1 where there is a token, 0 where there is padding.
        query_length: S, the newest tokens.
        dtype: Of the scores.
        token_type_ids: int64[B, P + S]; tokens of type 0 see each other both ways (an image block,
            a prefix), tokens of type 1 see what came before them. None: all of type 1.
        window: How many tokens back a query sees; None for all.

    Returns:
        [B, 1, S, P + S], 0 where allowed, the dtype's minimum where not.
    """
    total = attention_mask.shape[1]
    key = torch.arange(total, device=attention_mask.device)
    query = torch.arange(query_length, device=attention_mask.device) + (total - query_length)
    allowed = (key[None, :] <= query[:, None])[None]
    if window is not None:
        allowed = allowed & (key[None, :] > query[:, None] - window)[None]
    if token_type_ids is not None:
        block = token_type_ids == 0
        query_block = block[:, total - query_length :]
        allowed = allowed | (query_block[:, :, None] & block[:, None, :])
    allowed = allowed & (attention_mask[:, None, :] != 0)
    zero = torch.zeros((), dtype=dtype, device=attention_mask.device)
    return torch.where(allowed, zero, torch.finfo(dtype).min)[:, None]


class TextDecoder(nn.Module):
    """A transformers text model and its head, over a flat list of past keys and values."""

    def __init__(self, text_model: nn.Module, lm_head: nn.Module) -> None:
        super().__init__()
        self.text_model = text_model
        self.lm_head = lm_head
        self.softcap = getattr(text_model.config, "final_logit_softcapping", None)

    def forward(
        self,
        inputs_embeds: Tensor,
        attention_mask: Tensor,
        position_ids: Tensor,
        num_logits_to_keep: Tensor,
        past: list[Tensor],
    ) -> tuple[Tensor, ...]:
        """Returns logits [B, S, V] and the grown keys and values, layer by layer."""
        return self.decode(
            inputs_embeds, attention_mask, position_ids, None, num_logits_to_keep, past
        )

    def decode(
        self,
        inputs_embeds: Tensor,
        attention_mask: Tensor,
        position_ids: Tensor,
        token_type_ids: Tensor | None,
        keep: Tensor,
        past: list[Tensor],
    ) -> tuple[Tensor, ...]:
        """One pass over the newest tokens, logits for the last ``keep``, or for all where it is 0;
        see :func:`attention_bias` for ``token_type_ids``."""
        cache = cache_of(past)
        output = self.text_model(
            inputs_embeds=inputs_embeds,
            attention_mask=self._mask(attention_mask, inputs_embeds, token_type_ids),
            position_ids=position_ids,
            past_key_values=cache,
            use_cache=True,
        )
        logits = self.lm_head(last_tokens(output.last_hidden_state, keep))
        if self.softcap is not None:
            logits = torch.tanh(logits / self.softcap) * self.softcap
        return (logits.float(), *flat_cache(cache))

    def _mask(
        self, attention_mask: Tensor, embeds: Tensor, token_type_ids: Tensor | None
    ) -> Tensor | dict[str, Tensor]:
        config: Any = self.text_model.config
        length, dtype = embeds.shape[1], embeds.dtype
        full = attention_bias(attention_mask, length, dtype, token_type_ids=token_type_ids)
        if "sliding_attention" not in (getattr(config, "layer_types", None) or ()):
            return full
        sliding = attention_bias(
            attention_mask,
            length,
            dtype,
            token_type_ids=token_type_ids,
            window=config.sliding_window,
        )
        return {"full_attention": full, "sliding_attention": sliding}


class TypedTextDecoder(TextDecoder):
    """The same, with ``token_type_ids``: blocks that see each other both ways."""

    def forward(  # type: ignore[override]
        self,
        inputs_embeds: Tensor,
        attention_mask: Tensor,
        position_ids: Tensor,
        token_type_ids: Tensor,
        num_logits_to_keep: Tensor,
        past: list[Tensor],
    ) -> tuple[Tensor, ...]:
        """Returns logits [B, S, V] and the grown keys and values, layer by layer."""
        return self.decode(
            inputs_embeds, attention_mask, position_ids, token_type_ids, num_logits_to_keep, past
        )


def cache_of(past: list[Tensor]) -> Any:
    """A transformers cache that holds a flat list of keys and values, layer by layer."""
    from transformers.cache_utils import DynamicCache

    cache = DynamicCache()
    for layer in range(len(past) // 2):
        cache.update(past[2 * layer], past[2 * layer + 1], layer)
    return cache


def flat_cache(cache: Any) -> list[Tensor]:
    """The inverse of :func:`cache_of`."""
    return [tensor for layer in cache.layers for tensor in (layer.keys, layer.values)]


class EmbedTokens(nn.Module):
    """Token ids to embeddings, scaled as the text model's own are."""

    def __init__(self, embedding: nn.Module) -> None:
        super().__init__()
        self.embedding = embedding

    def forward(self, input_ids: Tensor) -> Tensor:
        """int64[B, S] -> [B, S, D]."""
        return self.embedding(input_ids)  # type: ignore[no-any-return]


def embed_part(embedding: nn.Module) -> Part:
    """``embed_tokens.onnx``: input_ids -> inputs_embeds."""
    return Part(
        "embed_tokens",
        EmbedTokens(embedding),
        {"input_ids": torch.arange(BATCH * QUERY).reshape(BATCH, QUERY)},
        {"input_ids": {0: "batch", 1: "sequence"}},
        ("inputs_embeds",),
    )


def decoder_part(
    text_model: Any, lm_head: nn.Module, *, typed: bool = False, mrope: bool = False
) -> Part:
    """``decoder_model_merged.onnx``: embeddings, mask, positions, past -> logits, present.

    Args:
        text_model: A transformers decoder whose config names its layers and heads.
        lm_head: Hidden to vocabulary.
        typed: Takes ``token_type_ids`` (see :func:`attention_bias`).
        mrope: ``position_ids`` is int64[3, B, S]: time, row, column.
    """
    config = text_model.config
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    dtype = next(text_model.parameters()).dtype
    positions = torch.arange(QUERY).repeat(BATCH, 1) + PAST
    mask = torch.ones(BATCH, PAST + QUERY, dtype=torch.int64)
    mask[0, :2] = 0  # a mask of ones would be folded away
    inputs = {
        "inputs_embeds": torch.randn(BATCH, QUERY, config.hidden_size, dtype=dtype),
        "attention_mask": mask,
        "position_ids": positions.repeat(3, 1, 1) if mrope else positions,
    }
    sequence = {0: "batch", 1: "sequence"}
    axes: dict[str, dict[int, str]] = {
        "inputs_embeds": sequence,
        "attention_mask": {0: "batch", 1: "total_length"},
        "position_ids": {1: "batch", 2: "sequence"} if mrope else sequence,
    }
    if typed:
        types = torch.ones(BATCH, PAST + QUERY, dtype=torch.int64)
        types[:, :4] = 0
        inputs["token_type_ids"] = types
        axes["token_type_ids"] = {0: "batch", 1: "total_length"}
    # scored or continued, a prompt of 600 tokens needs a few rows of logits, not 600
    inputs["num_logits_to_keep"] = torch.tensor(0)
    past, past_axes, names = past_samples(config.num_hidden_layers, heads, width, dtype)
    module = (TypedTextDecoder if typed else TextDecoder)(text_model, lm_head)
    return Part(
        "decoder_model_merged",
        module,
        inputs,
        axes | past_axes,
        ("logits", *names),
        past,
        frozenset({"num_logits_to_keep"}),
    )


def past_samples(
    layers: int, heads: int, width: int, dtype: torch.dtype
) -> tuple[dict[str, Tensor], dict[str, dict[int, str]], tuple[str, ...]]:
    """Sample keys and values of the past, the axes of each, and the names of the present ones."""
    past: dict[str, Tensor] = {}
    names = []
    for layer in range(layers):
        for kind in ("key", "value"):
            past[f"past_key_values.{layer}.{kind}"] = torch.randn(
                BATCH, heads, PAST, width, dtype=dtype
            )
            names.append(f"present.{layer}.{kind}")
    return past, {name: {0: "batch", 2: "past_length"} for name in past}, tuple(names)
