"""CLIP checkpoints in open_clip's names (OpenAI, RemoteCLIP, GeoRSCLIP, HQRS-CLIP) to packs.

Needs neither open_clip nor torchvision. Vision transformers and every text tower become
transformers' CLIP; the ResNets with attention pooling have a module of their own here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rsvlm_geo.errors import ExportError
from rsvlm_geo.export.clip_resnet import ResNetTower
from rsvlm_geo.export.clip_words import clip_tokenizer
from rsvlm_geo.export.plain import export_plain

__all__ = ["Clip", "ResNetTower", "clip_tokenizer", "convert_clip", "export_clip", "read_weights"]

State = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Clip:
    """A converted CLIP."""

    vision: nn.Module
    """float[B, 3, S, S] -> image embeddings float[B, D], not normalised."""
    text: nn.Module
    """int64[B, T] -> text embeddings float[B, D], not normalised."""
    logit_scale: float
    config: dict[str, Any]
    """As ``config.json`` of a pack."""


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Weights of a checkpoint: ``.safetensors``, or ``.pt`` read without running code.

    Raises:
        ExportError: It cannot be read, or holds no weights.
    """
    file = Path(path).expanduser()
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            state: Any = load_file(str(file))
        else:
            state = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ExportError(f"no checkpoint at {file}") from None
    except Exception as error:
        raise ExportError(
            f"{file} cannot be read as weights ({type(error).__name__}); a TorchScript archive has "
            "to be saved again as a state dict"
        ) from error
    for key in ("state_dict", "model"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ExportError(f"{file} does not hold a state dict of tensors")
    return {re.sub(r"^(?:module\.|model\.)+", "", k): v.float() for k, v in state.items()}


def _blocks(state: State, prefix: str) -> int:
    found = {int(m[1]) for k in state if (m := re.match(rf"{re.escape(prefix)}(\d+)\.", k))}
    return max(found) + 1 if found else 0


def _layer(src: str, dst: str, i: int, state: State, out: dict[str, Tensor]) -> None:
    """One residual block: packed projections are split in three."""
    a, b = f"{src}resblocks.{i}.", f"{dst}encoder.layers.{i}."
    for part, name in zip(("weight", "bias"), ("in_proj_weight", "in_proj_bias"), strict=True):
        for letter, chunk in zip("qkv", state[f"{a}attn.{name}"].chunk(3), strict=True):
            out[f"{b}self_attn.{letter}_proj.{part}"] = chunk.clone()
    for old, new in (
        ("attn.out_proj", "self_attn.out_proj"), ("ln_1", "layer_norm1"), ("ln_2", "layer_norm2"),
        ("mlp.c_fc", "mlp.fc1"), ("mlp.c_proj", "mlp.fc2"),
    ):  # fmt: skip
        for part in ("weight", "bias"):
            out[f"{b}{new}.{part}"] = state[f"{a}{old}.{part}"]


class _Used(dict[str, Tensor]):
    """A state dict that knows which of its weights were asked for."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.used: set[str] = set()

    def __getitem__(self, key: str) -> Tensor:
        self.used.add(key)
        return super().__getitem__(key)


def convert_clip(
    weights: State, *, activation: str = "gelu", heads: tuple[int, int] | None = None
) -> Clip:
    """Convert weights in open_clip's names.

    Args:
        weights: From :func:`read_weights`.
        activation: ``gelu`` for models trained by open_clip, ``quick_gelu`` for OpenAI's own and
            those fine-tuned from them with it: the weights do not tell.
        heads: Attention heads of image and text tower; width / 64 by default.

    Raises:
        ExportError: Another architecture, or weights missing or left over.
    """
    if activation not in ("gelu", "quick_gelu"):
        raise ExportError(f"activation is gelu or quick_gelu; got {activation!r}")
    state = _Used(weights)
    try:
        text, text_config = _text(state, activation, heads[1] if heads else None)
        if "visual.attnpool.positional_embedding" in weights:
            vision, vision_config = _resnet(state)
        elif "visual.conv1.weight" in weights and "visual.class_embedding" in weights:
            vision, vision_config = _vit(state, activation, heads[0] if heads else None)
        else:
            raise ExportError(
                "the image tower is neither a CLIP vision transformer nor a CLIP ResNet: "
                f"its weights begin with {', '.join(sorted(weights)[:3])}"
            )
    except KeyError as error:
        raise ExportError(
            f"the checkpoint has no weight {error}; it is no CLIP of this kind"
        ) from error
    scale = float(state["logit_scale"].exp()) if "logit_scale" in weights else 100.0
    left = sorted(k for k in set(weights) - state.used if not _harmless(k))
    if left:
        raise ExportError(
            f"{len(left)} weights are left over, {left[0]} among them: another architecture"
        )
    config = {
        "model_type": "clip", "projection_dim": text_config["projection_dim"],
        "vision_config": vision_config, "text_config": text_config, "logit_scale": scale,
        "lower_case": True,
    }  # fmt: skip
    return Clip(vision.eval(), text.eval(), scale, config)


def _harmless(key: str) -> bool:
    return key.endswith(("num_batches_tracked", "attn_mask", "position_ids")) or key in (
        "input_resolution", "context_length", "vocab_size", "logit_bias",
    )  # fmt: skip


def _fill(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    got = module.load_state_dict(dict(state), strict=False)
    missing = [
        k for k in got.missing_keys if not k.endswith(("position_ids", "num_batches_tracked"))
    ]
    if missing or got.unexpected_keys:
        name = (missing or got.unexpected_keys)[0]
        raise ExportError(
            f"{len(missing)} weights missing and {len(got.unexpected_keys)} unexpected, {name} "
            "among them: another architecture"
        )


class _TextTower(nn.Module):
    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, input_ids: Tensor) -> Tensor:
        """int64[B, T], 0 or the end token is padding -> float[B, D]."""
        m = self.inner.text_model
        length = input_ids.shape[1]
        place = torch.arange(length, device=input_ids.device)
        x = m.embeddings.token_embedding(input_ids) + m.embeddings.position_embedding(place)
        hide = torch.full((length, length), -1e9, device=x.device).triu(1)
        for layer in m.encoder.layers:
            x = _block(layer, x, hide)
        x = m.final_layer_norm(x)
        # open_clip takes the token of the highest id, which is the end of the text
        last = input_ids.argmax(dim=1)
        out: Tensor = self.inner.text_projection(x[torch.arange(x.shape[0]), last])
        return out


def _block(layer: Any, x: Tensor, hide: Tensor | None) -> Tensor:
    """A transformer block written out, so that exporters see plain operators."""
    a = layer.self_attn
    y = layer.layer_norm1(x)
    shape = (x.shape[0], x.shape[1], a.num_heads, a.head_dim)
    q, k, v = (p(y).reshape(shape).transpose(1, 2) for p in (a.q_proj, a.k_proj, a.v_proj))
    weight = q @ k.transpose(2, 3) * a.head_dim**-0.5
    weight = torch.softmax(weight if hide is None else weight + hide, dim=-1)
    x = x + a.out_proj((weight @ v).transpose(1, 2).reshape(x.shape))
    out: Tensor = x + layer.mlp(layer.layer_norm2(x))
    return out


def _text(state: State, activation: str, heads: int | None) -> tuple[nn.Module, dict[str, Any]]:
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    vocab, width = state["token_embedding.weight"].shape
    layers = _blocks(state, "transformer.resblocks.")
    dim = state["text_projection"].shape[1]
    settings: dict[str, Any] = {
        "vocab_size": vocab, "hidden_size": width, "num_hidden_layers": layers,
        "intermediate_size": state["transformer.resblocks.0.mlp.c_fc.weight"].shape[0],
        "num_attention_heads": heads or max(1, width // 64), "hidden_act": activation,
        "max_position_embeddings": state["positional_embedding"].shape[0], "projection_dim": dim,
        "bos_token_id": vocab - 2, "eos_token_id": vocab - 1, "pad_token_id": 0,
    }  # fmt: skip
    model = CLIPTextModelWithProjection(CLIPTextConfig(**settings))
    # transformers 5 has no `text_model.` level inside some models; ask the model itself
    prefix = "text_model."
    out: dict[str, Tensor] = {
        f"{prefix}embeddings.token_embedding.weight": state["token_embedding.weight"],
        f"{prefix}embeddings.position_embedding.weight": state["positional_embedding"],
        f"{prefix}final_layer_norm.weight": state["ln_final.weight"],
        f"{prefix}final_layer_norm.bias": state["ln_final.bias"],
        "text_projection.weight": state["text_projection"].T.contiguous(),
    }
    for i in range(layers):
        _layer("transformer.", prefix, i, state, out)
    _fill(model, out)
    return _TextTower(model), settings


class _VitTower(nn.Module):
    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, pixel_values: Tensor) -> Tensor:
        """float[B, 3, S, S] -> float[B, D]."""
        m = self.inner.vision_model
        e = m.embeddings
        x = e.patch_embedding(pixel_values).flatten(2).transpose(1, 2)
        first = e.class_embedding.expand(x.shape[0], 1, -1)
        x = m.pre_layrnorm(torch.cat([first, x], dim=1) + e.position_embedding.weight)
        for layer in m.encoder.layers:
            x = _block(layer, x, None)
        out: Tensor = self.inner.visual_projection(m.post_layernorm(x[:, 0]))
        return out


def _vit(state: State, activation: str, heads: int | None) -> tuple[nn.Module, dict[str, Any]]:
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    width, _, patch, _ = state["visual.conv1.weight"].shape
    grid = round((state["visual.positional_embedding"].shape[0] - 1) ** 0.5)
    layers = _blocks(state, "visual.transformer.resblocks.")
    settings: dict[str, Any] = {
        "hidden_size": width, "num_hidden_layers": layers, "patch_size": patch,
        "image_size": grid * patch, "num_attention_heads": heads or max(1, width // 64),
        "intermediate_size": state["visual.transformer.resblocks.0.mlp.c_fc.weight"].shape[0],
        "hidden_act": activation, "projection_dim": state["visual.proj"].shape[1],
    }  # fmt: skip
    model = CLIPVisionModelWithProjection(CLIPVisionConfig(**settings))
    prefix = "vision_model."
    out: dict[str, Tensor] = {
        f"{prefix}embeddings.class_embedding": state["visual.class_embedding"],
        f"{prefix}embeddings.patch_embedding.weight": state["visual.conv1.weight"],
        f"{prefix}embeddings.position_embedding.weight": state["visual.positional_embedding"],
        "visual_projection.weight": state["visual.proj"].T.contiguous(),
    }
    for old, new in (("ln_pre", "pre_layrnorm"), ("ln_post", "post_layernorm")):
        for part in ("weight", "bias"):
            out[f"{prefix}{new}.{part}"] = state[f"visual.{old}.{part}"]
    for i in range(layers):
        _layer("visual.transformer.", prefix, i, state, out)
    _fill(model, out)
    return _VitTower(model), settings


def _resnet(state: _Used) -> tuple[nn.Module, dict[str, Any]]:
    layers = tuple(_blocks(state, f"visual.layer{i}.") for i in (1, 2, 3, 4))
    width = state["visual.conv3.weight"].shape[0]
    grid = round((state["visual.attnpool.positional_embedding"].shape[0] - 1) ** 0.5)
    dim = state["visual.attnpool.c_proj.weight"].shape[0]
    tower = ResNetTower(layers, width, 32 * grid, dim)
    _fill(tower, {
        k.removeprefix("visual."): state[k] for k in list(state) if k.startswith("visual.")
    })  # fmt: skip
    return tower, {
        "layers": list(layers), "hidden_size": width, "image_size": 32 * grid,
        "projection_dim": dim,
    }  # fmt: skip


def export_clip(clip: Clip, folder: str | Path, tokenizer: Any, *, name: str, licence: str) -> Path:
    """Write a CLIP pack: two graphs, tokenizer, preprocessing, card with hashes.

    Args:
        clip: From :func:`convert_clip`.
        folder: Made when missing.
        tokenizer: From :func:`clip_tokenizer`, or any ``tokenizers`` object of its vocabulary.
        name: Of the pack.
        licence: Of the weights.
    """
    from hashlib import sha256

    root = Path(folder).expanduser()
    (root / "onnx").mkdir(parents=True, exist_ok=True)
    side = int(clip.config["vision_config"]["image_size"])
    shown = torch.zeros(2, 3, side, side)
    export_plain(clip.vision, (shown,), root / "onnx" / "vision_model.onnx", ["pixel_values"],
                 ["image_embeds"])  # fmt: skip
    ids = torch.ones(2, 6, dtype=torch.long)
    export_plain(clip.text, (ids,), root / "onnx" / "text_model.onnx", ["input_ids"],
                 ["text_embeds"])  # fmt: skip
    tokenizer.save(str(root / "tokenizer.json"))
    (root / "config.json").write_text(json.dumps(clip.config, indent=1))
    (root / "preprocessor_config.json").write_text(json.dumps({
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711], "size": {"height": side, "width": side},
    }, indent=1))  # fmt: skip
    files = ["config.json", "preprocessor_config.json", "tokenizer.json", "onnx/vision_model.onnx",
             "onnx/text_model.onnx"]  # fmt: skip
    card = {
        "format": 1, "name": name, "version": "1.0", "licence": licence, "image_size": side,
        "tasks": [], "files": {f: sha256((root / f).read_bytes()).hexdigest() for f in files},
    }  # fmt: skip
    (root / "rsvlm.json").write_text(json.dumps(card, indent=1))
    return root
