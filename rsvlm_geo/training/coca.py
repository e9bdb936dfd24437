"""CoCa: contrastive captioners, in open_clip's names, trained and decoded without open_clip.

An image tower with an attentional pooler, a text tower that ends in a class token, and a decoder
that reads the text tower's tokens and looks at the image's. One pass gives both losses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rsvlm_geo.errors import ExportError

__all__ = ["CoCa", "CoCaConfig", "coca_loss", "config_from_weights", "load_coca"]


@dataclass(frozen=True, slots=True)
class CoCaConfig:
    """Sizes; by default those of a model that trains on a CPU."""

    vocab: int
    dim: int = 128
    image_size: int = 112
    patch: int = 16
    vision_width: int = 128
    vision_layers: int = 4
    text_width: int = 128
    text_layers: int = 2
    decoder_layers: int = 2
    context: int = 63
    """Tokens of a text, without the class token."""
    queries: int = 33
    """Of the pooler: the first is the image's embedding, the others the decoder's tokens."""
    head_width: int = 32
    pooler_heads: int = 4
    quick_gelu: bool = False


class Attention(nn.Module):
    """Multi-head attention with packed or separate projections, named as torch names them."""

    def __init__(self, width: int, heads: int, context: int | None = None) -> None:
        super().__init__()
        self.heads, self.width = heads, width
        self.packed = context is None or context == width
        if self.packed:
            self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
            nn.init.xavier_uniform_(self.in_proj_weight)
        else:
            assert context is not None
            self.q_proj_weight = nn.Parameter(torch.empty(width, width))
            self.k_proj_weight = nn.Parameter(torch.empty(width, context))
            self.v_proj_weight = nn.Parameter(torch.empty(width, context))
            for p in (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
                nn.init.xavier_uniform_(p)
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, source: Tensor, hide: Tensor | None = None) -> Tensor:
        """float[B, T, W] asks float[B, S, C]; ``hide`` is added to the scores, [(B, 1,) T, S]."""
        if self.packed:
            wq, wk, wv = self.in_proj_weight.chunk(3)
        else:
            wq, wk, wv = self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        bq, bk, bv = self.in_proj_bias.chunk(3)
        size = self.width // self.heads

        def split(y: Tensor) -> Tensor:
            return y.reshape(y.shape[0], y.shape[1], self.heads, size).transpose(1, 2)

        q, k, v = split(F.linear(x, wq, bq)), split(F.linear(source, wk, bk)), split(
            F.linear(source, wv, bv)
        )  # fmt: skip
        weight = q @ k.transpose(2, 3) * size**-0.5
        weight = torch.softmax(weight if hide is None else weight + hide, dim=-1)
        y = (weight @ v).transpose(1, 2).reshape(x.shape[0], x.shape[1], self.width)
        out: Tensor = self.out_proj(y)
        return out


class Gelu(nn.Module):
    """Exact, or OpenAI's quick one."""

    def __init__(self, quick: bool) -> None:
        super().__init__()
        self.quick = quick

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return x * torch.sigmoid(1.702 * x) if self.quick else F.gelu(x)


class Block(nn.Module):
    """Attention and a perceptron, norm first; ``cross`` reads another sequence."""

    def __init__(self, width: int, heads: int, quick: bool, cross: bool = False) -> None:
        super().__init__()
        self.ln_1, self.attn = nn.LayerNorm(width), Attention(width, heads)
        self.ln_1_kv = nn.LayerNorm(width) if cross else None
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(width, 4 * width))
        self.mlp.add_module("gelu", Gelu(quick))
        self.mlp.add_module("c_proj", nn.Linear(4 * width, width))

    def forward(
        self, x: Tensor, hide: Tensor | None = None, source: Tensor | None = None
    ) -> Tensor:
        """float[B, T, W]."""
        y = self.ln_1(x)
        read = y
        if source is not None and self.ln_1_kv is not None:
            read = self.ln_1_kv(source)
        x = x + self.attn(y, read, hide)
        out: Tensor = x + self.mlp(self.ln_2(x))
        return out


class Stack(nn.Module):
    """Blocks under open_clip's name for them."""

    def __init__(self, width: int, layers: int, heads: int, quick: bool) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width, heads, quick) for _ in range(layers))

    def forward(self, x: Tensor, hide: Tensor | None = None) -> Tensor:
        """float[B, T, W]."""
        for block in self.resblocks:
            x = block(x, hide)
        return x


class Pooler(nn.Module):
    """Learned queries ask the image's tokens."""

    def __init__(self, dim: int, context: int, heads: int, queries: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(queries, dim) * dim**-0.5)
        self.attn = Attention(dim, heads, context)
        self.ln_q, self.ln_k = nn.LayerNorm(dim), nn.LayerNorm(context)

    def forward(self, x: Tensor) -> Tensor:
        """float[B, N, C] -> float[B, queries, D]."""
        q = self.ln_q(self.query).unsqueeze(0).expand(x.shape[0], -1, -1)
        out: Tensor = self.attn(q, self.ln_k(x))
        return out


class VisionTower(nn.Module):
    """A vision transformer with the pooler."""

    def __init__(self, c: CoCaConfig) -> None:
        super().__init__()
        cells, w = (c.image_size // c.patch) ** 2, c.vision_width
        self.conv1 = nn.Conv2d(3, w, c.patch, c.patch, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(w) * w**-0.5)
        self.positional_embedding = nn.Parameter(torch.randn(cells + 1, w) * w**-0.5)
        self.ln_pre = nn.LayerNorm(w)
        self.transformer = Stack(w, c.vision_layers, w // c.head_width, c.quick_gelu)
        self.attn_pool = Pooler(c.dim, w, c.pooler_heads, c.queries)
        self.ln_post = nn.LayerNorm(c.dim)
        self.proj = nn.Parameter(torch.randn(c.dim, c.dim) * c.dim**-0.5)

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, Tensor]:
        """float[B, 3, S, S] -> embedding float[B, D], tokens float[B, queries - 1, D]."""
        x = self.conv1(pixel_values).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(x.shape[0], 1, -1)
        x = self.ln_pre(torch.cat([first, x], 1) + self.positional_embedding)
        x = self.ln_post(self.attn_pool(self.transformer(x)))
        return x[:, 0] @ self.proj, x[:, 1:]


def causal(length: int, device: torch.device | None = None) -> Tensor:
    """float[T, T], very negative above the diagonal."""
    return torch.full((length, length), -1e9, device=device).triu(1)


class TextTower(nn.Module):
    """Causal text, a class token at its end."""

    def __init__(self, c: CoCaConfig) -> None:
        super().__init__()
        w = c.text_width
        self.token_embedding = nn.Embedding(c.vocab, w)
        self.positional_embedding = nn.Parameter(torch.randn(c.context + 1, w) * 0.01)
        self.cls_emb = nn.Parameter(torch.randn(w) * 0.01)
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        self.transformer = Stack(w, c.text_layers, w // c.head_width, c.quick_gelu)
        self.ln_final = nn.LayerNorm(w)
        self.text_projection = nn.Parameter(torch.randn(w, c.dim) * w**-0.5)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """int64[B, T], 0 is padding -> embedding float[B, D], tokens float[B, T, W].

        The published weights were trained with a mask that is one place off (it hides the token
        after each padding, not the padding); it is kept, or they would not give their numbers.
        """
        batch, length = ids.shape
        cls = self.cls_emb.expand(batch, 1, -1)
        x = torch.cat([self.token_embedding(ids), cls], 1) + self.positional_embedding[: length + 1]
        seen = torch.cat([torch.ones_like(ids[:, :1]), (ids != 0).to(ids.dtype)], 1)
        hide = (1 - seen).to(x.dtype)[:, None, None, :] * -1e9 + causal(length + 1, ids.device)
        x = self.transformer(x, hide)
        return self.ln_final(x[:, -1]) @ self.text_projection, x[:, :-1]


class Decoder(nn.Module):
    """Text tokens look at image tokens, layer by layer."""

    def __init__(self, c: CoCaConfig) -> None:
        super().__init__()
        w = c.text_width
        heads = w // c.head_width
        self.resblocks = nn.ModuleList(
            Block(w, heads, c.quick_gelu) for _ in range(c.decoder_layers)
        )
        self.cross_attn = nn.ModuleList(
            Block(w, heads, c.quick_gelu, cross=True) for _ in range(c.decoder_layers)
        )
        self.ln_final = nn.LayerNorm(w)
        self.text_projection = nn.Parameter(torch.randn(w, c.vocab) * w**-0.5)

    def forward(self, image: Tensor, text: Tensor) -> Tensor:
        """float[B, N, W], float[B, T, W] -> logits float[B, T, V]."""
        hide = causal(text.shape[1], text.device)
        for own, cross in zip(self.resblocks, self.cross_attn, strict=True):
            text = cross(own(text, hide), source=image)
        out: Tensor = self.ln_final(text) @ self.text_projection
        return out


class CoCa(nn.Module):
    """Both towers and the decoder."""

    def __init__(self, c: CoCaConfig) -> None:
        super().__init__()
        if c.dim != c.text_width:
            raise ExportError(
                f"the decoder reads image tokens of width {c.dim}; its own is {c.text_width}"
            )
        self.config = c
        self.visual, self.text, self.text_decoder = VisionTower(c), TextTower(c), Decoder(c)
        self.logit_scale = nn.Parameter(torch.tensor(2.6593))

    def forward(self, pixel_values: Tensor, ids: Tensor) -> dict[str, Tensor]:
        """Images and texts of one batch.

        Args:
            pixel_values: float[B, 3, S, S].
            ids: int64[B, T], begin token first, end token last, then 0.

        Returns:
            ``image`` and ``text`` float[B, D] of unit length, ``logits`` float[B, T - 1, V],
            ``labels`` int64[B, T - 1], ``scale``.
        """
        image, tokens = self.visual(pixel_values)
        text, words = self.text(ids)
        return {
            "image": F.normalize(image, dim=1), "text": F.normalize(text, dim=1),
            "logits": self.text_decoder(tokens, words[:, :-1]), "labels": ids[:, 1:],
            "scale": self.logit_scale.exp(),
        }  # fmt: skip

    def next_logits(self, tokens: Tensor, ids: Tensor) -> Tensor:
        """Image tokens float[B, N, W] and a text so far int64[B, T] -> logits float[B, V]."""
        _, words = self.text(ids)
        out: Tensor = self.text_decoder(tokens, words)[:, -1]
        return out


def coca_loss(
    out: Mapping[str, Tensor], *, caption_weight: float = 2.0, contrastive_weight: float = 1.0
) -> dict[str, Tensor]:
    """Both losses and their sum; padding is not learned.

    Args:
        out: From :class:`CoCa`.
        caption_weight, contrastive_weight: 2 and 1 as open_clip has them; the third-party recipe
            on the MpGI set takes 1 and 1.
    """
    logits = out["scale"].clamp(max=100.0) * out["image"] @ out["text"].T
    right = torch.arange(len(logits), device=logits.device)
    contrast = (F.cross_entropy(logits, right) + F.cross_entropy(logits.T, right)) / 2
    caption = F.cross_entropy(
        out["logits"].transpose(1, 2), out["labels"].masked_fill(out["labels"] == 0, -100)
    )
    total = contrastive_weight * contrast + caption_weight * caption
    return {"loss": total, "contrastive": contrast, "caption": caption}


def _layers(weights: Mapping[str, Tensor], prefix: str) -> int:
    found = {int(m[1]) for k in weights if (m := re.match(rf"{re.escape(prefix)}(\d+)\.", k))}
    return max(found) + 1 if found else 0


def config_from_weights(
    weights: Mapping[str, Tensor], *, head_width: int = 64, pooler_heads: int = 8,
    quick_gelu: bool = False,
) -> CoCaConfig:  # fmt: skip
    """The sizes of a CoCa in open_clip's names, from its shapes.

    Raises:
        ExportError: It is no CoCa.
    """
    try:
        vocab, text_width = weights["text.token_embedding.weight"].shape
        vision_width, _, patch, _ = weights["visual.conv1.weight"].shape
        queries, dim = weights["visual.attn_pool.query"].shape
        cells = weights["visual.positional_embedding"].shape[0] - 1
        context = weights["text.positional_embedding"].shape[0] - 1
        _ = weights["text_decoder.text_projection"]
    except KeyError as error:
        raise ExportError(f"the checkpoint has no weight {error}; it is no CoCa") from error
    return CoCaConfig(
        vocab=vocab, dim=dim, image_size=round(cells**0.5) * patch, patch=patch,
        vision_width=vision_width, text_width=text_width, context=context, queries=queries,
        vision_layers=_layers(weights, "visual.transformer.resblocks."),
        text_layers=_layers(weights, "text.transformer.resblocks."),
        decoder_layers=_layers(weights, "text_decoder.resblocks."), head_width=head_width,
        pooler_heads=pooler_heads, quick_gelu=quick_gelu,
    )  # fmt: skip


def load_coca(weights: Mapping[str, Tensor], **sizes: Any) -> CoCa:
    """A CoCa from weights in open_clip's names.

    Args:
        weights: From :func:`rsvlm_geo.export.clip.read_weights`.
        sizes: What shapes do not tell: ``head_width``, ``pooler_heads``, ``quick_gelu``.

    Raises:
        ExportError: Missing or left-over weights: another architecture.
    """
    model = CoCa(config_from_weights(weights, **sizes))
    kept = {k: v for k, v in weights.items() if not k.endswith("attn_mask")}
    got = model.load_state_dict(kept, strict=False)
    if got.missing_keys or got.unexpected_keys:
        name = (got.missing_keys or got.unexpected_keys)[0]
        raise ExportError(
            f"{len(got.missing_keys)} weights missing and {len(got.unexpected_keys)} unexpected, "
            f"{name} among them: another architecture"
        )
    return model.eval()
