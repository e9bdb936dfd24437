"""Qwen2-VL and Qwen2.5-VL: patches of images of any size in one row, three-axis positions.

Which patches see each other (one frame; in Qwen2.5 also one window) is a mask computed inside the
graph from ``image_grid_thw``. Attention does not care for the order of its keys, so no patch is
ever moved, images of different sizes go together, and the runtime computes no index tables.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rsvlm_geo.export.decoder import decoder_part, embed_part
from rsvlm_geo.export.graph import Part

__all__ = ["QwenVision", "qwen_parts"]


class QwenVision(nn.Module):
    """Patches to image tokens."""

    inv_freq: Tensor

    def __init__(self, visual: Any) -> None:
        super().__init__()
        config = visual.config
        self.visual = visual
        self.merge = config.spatial_merge_size
        weight = visual.patch_embed.proj.weight
        # kernel and stride are the patch itself, so the convolution is one matrix
        self.patch_weight = nn.Parameter(weight.detach().flatten(1).clone(), requires_grad=False)
        self.heads = config.num_heads
        self.full = getattr(config, "fullatt_block_indexes", None)
        window = getattr(config, "window_size", 0)
        self.window = window // config.patch_size
        self.register_buffer("inv_freq", visual.rotary_pos_emb.inv_freq.clone(), persistent=False)

    def forward(self, pixel_values: Tensor, image_grid_thw: Tensor) -> Tensor:
        """float32[patches, C * t * p * p], int64[images, 3] -> [patches / merge^2, D]."""
        frame, row, column = self._places(pixel_values.shape[0], image_grid_thw)
        one_frame = frame[:, None] == frame[None, :]
        hidden = functional.linear(pixel_values.to(self.patch_weight.dtype), self.patch_weight)
        full = _bias(one_frame, hidden.dtype)
        windowed = full
        if self.full is not None:
            across, down = column // self.window, row // self.window
            one_window = (across[:, None] == across[None]) & (down[:, None] == down[None])
            windowed = _bias(one_frame & one_window, hidden.dtype)
        angle = torch.cat(
            [row[:, None].float() * self.inv_freq, column[:, None].float() * self.inv_freq], dim=-1
        )
        angle = torch.cat([angle, angle], dim=-1)
        cos, sin = angle.cos(), angle.sin()
        for index, block in enumerate(self.visual.blocks):
            bias = full if self.full is None or index in self.full else windowed
            hidden = hidden + self._attend(block.attn, block.norm1(hidden), cos, sin, bias)
            hidden = hidden + block.mlp(block.norm2(hidden))
        return self.visual.merger(hidden)  # type: ignore[no-any-return]

    def _places(self, count: int, grid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Frame (counted over all images), row and column of each patch, in the processor's order:
        image, frame, then blocks of merge x merge patches, row by row."""
        sizes = grid[:, 0] * grid[:, 1] * grid[:, 2]
        ends = torch.cumsum(sizes, dim=0)
        index = torch.arange(count)
        image = (index[:, None] >= ends[None, :]).sum(-1)
        height, width = grid[:, 1][image], grid[:, 2][image]
        local = index - (ends - sizes)[image]
        first_frame = (torch.cumsum(grid[:, 0], dim=0) - grid[:, 0])[image]
        frame = first_frame + local // (height * width)
        within = local % (height * width)
        band, rest = within // (width * self.merge), within % (width * self.merge)
        block, inner = rest // (self.merge * self.merge), rest % (self.merge * self.merge)
        row = band * self.merge + inner // self.merge
        column = block * self.merge + inner % self.merge
        return frame, row, column

    def _attend(self, attn: Any, hidden: Tensor, cos: Tensor, sin: Tensor, bias: Tensor) -> Tensor:
        count = hidden.shape[0]
        query, key, value = (
            attn.qkv(hidden).reshape(count, 3, self.heads, -1).permute(1, 2, 0, 3).unbind(0)
        )
        query, key = _rotate(query, cos, sin), _rotate(key, cos, sin)
        seen = functional.scaled_dot_product_attention(
            query[None], key[None], value[None], attn_mask=bias[None, None]
        )
        return attn.proj(seen[0].transpose(0, 1).reshape(count, -1))  # type: ignore[no-any-return]


def _bias(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.where(allowed, torch.zeros((), dtype=dtype), torch.finfo(dtype).min)


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    wide = x.float()
    turned = torch.cat([-wide[..., half:], wide[..., :half]], dim=-1)
    return (wide * cos + turned * sin).to(x.dtype)


def qwen_parts(model: Any) -> list[Part]:
    """vision_encoder, embed_tokens, decoder_model_merged of a Qwen2-VL or Qwen2.5-VL."""
    inner = model.model
    config = inner.visual.config
    channels = getattr(config, "in_channels", None) or getattr(config, "in_chans", 3)
    width = channels * config.temporal_patch_size * config.patch_size**2
    merge = config.spatial_merge_size
    grid = torch.tensor([[1, 4 * merge, 3 * merge], [1, 2 * merge, 5 * merge]])
    count = int(grid.prod(dim=1).sum())
    vision = Part(
        "vision_encoder",
        QwenVision(inner.visual),
        {"pixel_values": torch.randn(count, width), "image_grid_thw": grid},
        {"pixel_values": {0: "patches"}, "image_grid_thw": {0: "images"}},
        ("image_features",),
    )
    text = inner.language_model
    return [
        vision,
        embed_part(text.get_input_embeddings()),
        decoder_part(text, model.lm_head, mrope=True),
    ]
