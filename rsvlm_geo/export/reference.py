"""What torch says, stage by stage."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rsvlm_geo.export.families import Family
from rsvlm_geo.export.sample import Sample

__all__ = ["Reference", "run_torch"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Reference:
    """The stages of one greedy generation."""

    stages: Mapping[str, Array]
    """``image_features``, ``inputs_embeds``, ``cross.0.key`` ...: those a family has."""
    tokens: Array
    """int64[2, steps], what was generated."""
    logits: Array
    """float32[2, steps, V], before any processing."""


def run_torch(family: Family, model: Any, sample: Sample, *, steps: int) -> Reference:
    """Generate greedily with transformers, end-of-text ignored, and keep every stage.

    Args:
        family: The model's family.
        model: In eval mode.
        sample: What to feed.
        steps: Tokens to generate.
    """
    if family.kind == "two_towers":
        return _towers(model, sample)
    stages: dict[str, Array] = {}
    inputs = sample.for_torch()
    generator = model
    with torch.no_grad():
        if family.model_type in ("git", "blip", "vision-encoder-decoder"):
            inputs, generator = _captioner(family.model_type, model, inputs, stages)
        else:
            stages["image_features"] = _features(model, inputs)
            if sample.image_id is not None and sample.image_id >= _rows(model):
                inputs = _merged(model, sample, stages["image_features"])
        with _captured(generator, family, stages), _endless(generator):
            said = generator.generate(
                **inputs,
                max_new_tokens=steps,
                do_sample=False,
                num_beams=1,
                output_logits=True,
                return_dict_in_generate=True,
            )
    if family.kind == "encoder_decoder":
        for layer, held in enumerate(said.past_key_values.cross_attention_cache.layers):
            stages[f"cross.{layer}.key"] = held.keys.numpy()
            stages[f"cross.{layer}.value"] = held.values.numpy()
    logits = torch.stack(said.logits, dim=1).float().numpy()
    return Reference(stages, said.sequences[:, -steps:].numpy(), logits)


def _features(model: Any, inputs: Mapping[str, torch.Tensor]) -> Array:
    names = ("pixel_values", "pixel_attention_mask", "image_grid_thw")
    given = {name: inputs[name] for name in names if name in inputs}
    pooled = model.model.get_image_features(**given).pooler_output
    if isinstance(pooled, (list, tuple)):
        pooled = torch.cat([f.reshape(-1, f.shape[-1]) for f in pooled])
    features: Array = pooled.reshape(-1, pooled.shape[-1]).float().numpy()
    return features


def _rows(model: Any) -> int:
    rows: int = model.get_input_embeddings().weight.shape[0]
    return rows


def _merged(model: Any, sample: Sample, features: Array) -> dict[str, torch.Tensor]:
    """Embeddings instead of ids, where the image token is a mark beyond the vocabulary (VHM)."""
    place = torch.from_numpy(sample.input_ids == sample.image_id)
    ids = torch.from_numpy(sample.input_ids).masked_fill(place, 0)
    embeds = model.get_input_embeddings()(ids)
    embeds[place] = torch.from_numpy(features).to(embeds.dtype)
    return {
        "inputs_embeds": embeds,
        "attention_mask": torch.from_numpy(sample.attention_mask),
    }


def _captioner(
    kind: str, model: Any, inputs: dict[str, torch.Tensor], stages: dict[str, Array]
) -> tuple[dict[str, torch.Tensor], Any]:
    if kind == "git":
        hidden = model.git.image_encoder(inputs["pixel_values"]).last_hidden_state
        features = model.git.visual_projection(hidden)
        stages["image_features"] = features.reshape(-1, features.shape[-1]).numpy()
        return inputs, model
    if kind == "blip":
        # its own generate() cuts the last token of a prompt and forces settings
        hidden = model.vision_model(pixel_values=inputs.pop("pixel_values")).last_hidden_state
        ones = torch.ones(hidden.shape[:-1], dtype=torch.long)
        return {
            **inputs,
            "encoder_hidden_states": hidden,
            "encoder_attention_mask": ones,
        }, model.text_decoder
    inputs["decoder_input_ids"] = inputs.pop("input_ids")
    inputs.pop("attention_mask")
    return inputs, model


@contextlib.contextmanager
def _endless(model: Any) -> Iterator[None]:
    """Plain greedy decoding: no end, nothing forced, nothing penalised."""
    from transformers import GenerationConfig

    before = model.generation_config
    plain = GenerationConfig()
    for name in ("pad_token_id", "bos_token_id", "decoder_start_token_id"):
        setattr(plain, name, getattr(before, name, None))
    model.generation_config = plain
    try:
        yield
    finally:
        model.generation_config = before


class _captured:
    """Keeps the embeddings that reach the text model first, image features merged in."""

    def __init__(self, model: Any, family: Family, stages: dict[str, Array]) -> None:
        self.module = model.get_submodule(family.text_module) if family.text_module else None
        self.stages = stages
        self.handle: Any = None

    def __enter__(self) -> None:
        if self.module is not None:
            self.handle = self.module.register_forward_pre_hook(self._keep, with_kwargs=True)

    def __exit__(self, *exc: object) -> None:
        if self.handle is not None:
            self.handle.remove()

    def _keep(self, module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        if "inputs_embeds" not in self.stages:
            embeds = kwargs["inputs_embeds"] if "inputs_embeds" in kwargs else args[0]
            self.stages["inputs_embeds"] = embeds.detach().float().numpy().copy()


def _towers(model: Any, sample: Sample) -> Reference:
    inputs = sample.for_torch()
    with torch.no_grad():
        image = model.get_image_features(inputs["pixel_values"]).pooler_output
        text = model.get_text_features(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]
        ).pooler_output
    stages = {"image_embeds": image.float().numpy(), "text_embeds": text.float().numpy()}
    return Reference(stages, np.zeros((2, 0), np.int64), np.zeros((2, 0, 0), np.float32))
