"""The small decoder: question and answer words, looking at the evidence of a tile.

Pre-norm transformer with cross-attention (Pix2Seq and CoCa's captioner in small). Its keys and
values of the image are made once a tile, by the vision graph, and serve every question.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rsvlm_geo.training.evidence import BLOCKS


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """Sizes of the decoder."""

    vocab: int
    width: int = 192
    layers: int = 4
    heads: int = 6
    positions: int = 96


class EvidenceTokens(nn.Module):
    """One token a block of evidence, and from them each layer's cross keys and values."""

    def __init__(self, cfg: DecoderConfig) -> None:
        super().__init__()
        self.cfg = cfg
        self.sizes = list(BLOCKS.values())
        self.enter = nn.ModuleList(nn.Linear(s, cfg.width) for s in self.sizes)
        self.kind = nn.Parameter(torch.randn(len(self.sizes), cfg.width) * 0.02)
        self.mix = nn.Sequential(
            nn.LayerNorm(cfg.width), nn.Linear(cfg.width, 2 * cfg.width), nn.GELU(),
            nn.Linear(2 * cfg.width, cfg.width),
        )  # fmt: skip
        self.norm = nn.LayerNorm(cfg.width)
        self.key_value = nn.Linear(cfg.width, 2 * cfg.layers * cfg.width)

    def forward(self, evidence: Tensor) -> Tensor:
        """float[B, E] -> cross keys and values float[B, 2 * layers, heads, N, width / heads]."""
        parts = torch.split(evidence, self.sizes, 1)
        x = torch.stack([f(p) for f, p in zip(self.enter, parts, strict=True)], 1) + self.kind
        x = self.norm(x + self.mix(x))
        b, n = x.shape[0], len(self.sizes)
        kv = self.key_value(x).view(b, n, 2 * self.cfg.layers, self.cfg.heads, -1)
        return kv.permute(0, 2, 3, 1, 4)


class Layer(nn.Module):
    """Self-attention with a cache, cross-attention to the tile, feed-forward."""

    def __init__(self, cfg: DecoderConfig) -> None:
        super().__init__()
        d = cfg.width
        self.heads = cfg.heads
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(d), nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.cross_q, self.cross_out = nn.Linear(d, d), nn.Linear(d, d)
        self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def split(self, x: Tensor) -> Tensor:
        """float[B, T, D] -> float[B, H, T, D / H]."""
        return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
        """Plain attention, so that it exports as plain operators."""
        score = q @ k.transpose(2, 3) * (q.shape[-1] ** -0.5)
        if bias is not None:
            score = score + bias
        y = torch.softmax(score, -1) @ v
        return y.transpose(1, 2).flatten(2)

    def forward(
        self, x: Tensor, bias: Tensor, past: tuple[Tensor, Tensor], cross: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """float[B, T, D] -> the same, and the cache grown by T."""
        q, k, v = (self.split(t) for t in self.qkv(self.norm1(x)).chunk(3, -1))
        k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        x = x + self.out(self.attend(q, k, v, bias))
        q = self.split(self.cross_q(self.norm2(x)))
        x = x + self.cross_out(self.attend(q, cross[0], cross[1], None))
        x = x + self.down(F.gelu(self.up(self.norm3(x)), approximate="tanh"))
        return x, (k, v)


class Decoder(nn.Module):
    """Tokens and a tile's cross keys and values -> logits."""

    def __init__(self, cfg: DecoderConfig) -> None:
        super().__init__()
        self.cfg = cfg
        self.embed = nn.Embedding(cfg.vocab, cfg.width)
        self.position = nn.Embedding(cfg.positions, cfg.width)
        self.layers = nn.ModuleList(Layer(cfg) for _ in range(cfg.layers))
        self.norm = nn.LayerNorm(cfg.width)
        for p in (self.embed.weight, self.position.weight):
            nn.init.normal_(p, std=0.02)

    def empty_past(self, batch: int) -> list[Tensor]:
        """A cache of length 0: key and value of each layer in turn."""
        shape = (batch, self.cfg.heads, 0, self.cfg.width // self.cfg.heads)
        return [torch.zeros(shape) for _ in range(2 * self.cfg.layers)]

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        position_ids: Tensor,
        cross: Tensor,
        past: list[Tensor],
    ) -> tuple[Tensor, list[Tensor]]:
        """One prefill or one step.

        Args:
            input_ids: int64[B, T].
            attention_mask: int64[B, P + T], 1 where there is a token (prompts are padded left).
            position_ids: int64[B, T].
            cross: float[B, 2 * layers, H, N, D / H].
            past: key and value of each layer in turn, float[B, H, P, D / H].

        Returns:
            logits float[B, T, V] and the grown cache.
        """
        t, total = input_ids.shape[1], attention_mask.shape[1]
        ahead = torch.arange(total)[None, :] > (torch.arange(t)[:, None] + (total - t))
        blocked = ahead[None, None] | (attention_mask == 0)[:, None, None, :]
        bias = blocked.to(cross.dtype) * -1e4
        x = self.embed(input_ids) + self.position(position_ids)
        grown: list[Tensor] = []
        for i, layer in enumerate(self.layers):
            x, (k, v) = layer(
                x, bias, (past[2 * i], past[2 * i + 1]), (cross[:, 2 * i], cross[:, 2 * i + 1])
            )
            grown += [k, v]
        return F.linear(self.norm(x), self.embed.weight), grown


class Talker(nn.Module):
    """What is trained: evidence in, logits out."""

    def __init__(self, cfg: DecoderConfig) -> None:
        super().__init__()
        self.tokens, self.decoder = EvidenceTokens(cfg), Decoder(cfg)

    def forward(self, evidence: Tensor, ids: Tensor) -> Tensor:
        """float[B, E], int64[B, T] (right padded with 0) -> logits float[B, T, V]."""
        mask = (ids != 0).long()
        where = torch.arange(ids.shape[1])[None].expand_as(ids)
        past = self.decoder.empty_past(ids.shape[0])
        logits: Tensor = self.decoder(ids, mask, where, self.tokens(evidence), past)[0]
        return logits
