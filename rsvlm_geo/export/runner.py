"""What the graphs say, stage by stage: a plain greedy loop in numpy, independent of the runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import ExportError, require
from rsvlm_geo.export.families import Family
from rsvlm_geo.export.reference import Reference
from rsvlm_geo.export.sample import Sample

__all__ = ["Graphs", "run_graphs"]

Array = NDArray[Any]


class Graphs:
    """The graphs of a pack, opened on the CPU."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        ort = require("onnxruntime", extra="cpu")
        options = ort.SessionOptions()
        options.log_severity_level = 3
        self.sessions = {
            name: ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            for name, path in files.items()
        }

    def __call__(self, part: str, **feeds: Array) -> dict[str, Array]:
        """Run one part; inputs it does not take are left out, types are cast to its own."""
        session = self.sessions.get(part)
        if session is None:
            raise ExportError(f"the pack has no {part} graph; export it again")
        kinds = {i.name: _KINDS[i.type] for i in session.get_inputs()}
        missing = sorted(set(kinds) - set(feeds))
        if missing:
            raise ExportError(f"{part} asks for {', '.join(missing)}, which this family has not")
        known: dict[str, Array] = {
            name: feeds[name].astype(kind, copy=False) for name, kind in kinds.items()
        }
        names = [o.name for o in session.get_outputs()]
        return dict(zip(names, session.run(None, known), strict=True))

    def empty_past(self, batch: int) -> dict[str, Array]:
        """Keys and values of length zero for each layer of the decoder."""
        return {
            i.name: np.zeros((batch, i.shape[1], 0, i.shape[3]), _KINDS[i.type])
            for i in self.sessions["decoder_model_merged"].get_inputs()
            if i.name.startswith("past_key_values.")
        }


_KINDS = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}


def run_graphs(
    family: Family, graphs: Graphs, sample: Sample, *, steps: int, positions: Array | None = None
) -> Reference:
    """The same generation as :func:`rsvlm_geo.export.reference.run_torch`, from the graphs.

    Args:
        family: The model's family.
        graphs: Of the pack.
        sample: What to feed.
        steps: Tokens to generate.
        positions: int64[3, 2, S], three-axis positions of the prompt, for the families with them.
    """
    if family.kind == "two_towers":
        image = graphs("vision_model", **sample.vision)["image_embeds"]
        ids = {"input_ids": sample.input_ids, "attention_mask": sample.attention_mask}
        text = graphs("text_model", **ids)["text_embeds"]
        none = np.zeros((2, 0), np.int64), np.zeros((2, 0, 0), np.float32)
        return Reference({"image_embeds": image, "text_embeds": text}, *none)
    if family.kind == "encoder_decoder":
        return _encoder_decoder(family, graphs, sample, steps)
    return _decoder(family, graphs, sample, steps, positions)


def _decoder(
    family: Family, graphs: Graphs, sample: Sample, steps: int, positions: Array | None
) -> Reference:
    features = graphs("vision_encoder", **sample.vision)["image_features"]
    stages = {"image_features": features.reshape(-1, features.shape[-1])}
    mask = sample.attention_mask
    position = np.maximum(np.cumsum(mask, axis=1) - 1, 0)
    if family.model_type == "git":
        embeds = graphs("embed_tokens", input_ids=sample.input_ids, position_ids=position)
        merged = np.concatenate([features, embeds["inputs_embeds"]], axis=1)
        image = np.ones(features.shape[:2], np.int64)
        types = np.concatenate([1 - image, np.ones_like(mask)], axis=1)
        mask = np.concatenate([image, mask], axis=1)
    else:
        merged = _merge(graphs, sample, stages["image_features"])
        types = np.zeros_like(mask)
    stages["inputs_embeds"] = merged
    if family.model_type == "paligemma":
        position = position + 1
    if positions is not None:
        position = positions
    past = graphs.empty_past(len(mask))
    tokens, logits = [], []
    for step in range(steps):
        out = graphs(
            "decoder_model_merged",
            inputs_embeds=merged,
            attention_mask=mask,
            position_ids=position,
            token_type_ids=types,
            **past,
        )
        past = _grown(out)
        newest = out["logits"][:, -1]
        logits.append(newest)
        tokens.append(newest.argmax(axis=-1))
        if step == steps - 1:
            break
        ids = tokens[-1][:, None]
        ones = np.ones_like(ids)
        mask, types = np.hstack([mask, ones]), np.hstack([types, ones])
        position = position.max(axis=(0, 2))[:, None] if position.ndim == 3 else position[:, -1:]
        position = position + 1
        merged = graphs("embed_tokens", input_ids=ids, position_ids=position)["inputs_embeds"]
        if positions is not None:
            position = np.broadcast_to(position, (3, *position.shape))
    return Reference(stages, np.stack(tokens, axis=1), np.stack(logits, axis=1))


def _merge(graphs: Graphs, sample: Sample, features: Array) -> Array:
    """Token embeddings with image features put in the places of the image token, in order."""
    place = sample.input_ids == sample.image_id
    if place.sum() != len(features):
        raise ExportError(
            f"the prompt has {place.sum()} image tokens, the vision part gave {len(features)} "
            "features; image_seq_length or patch_size in config.json is off"
        )
    embeds = graphs("embed_tokens", input_ids=np.where(place, 0, sample.input_ids))
    merged = embeds["inputs_embeds"].copy()
    merged[place] = features.astype(merged.dtype)
    return merged


def _grown(out: Mapping[str, Array]) -> dict[str, Array]:
    return {
        name.replace("present", "past_key_values"): value
        for name, value in out.items()
        if name.startswith("present.")
    }


def _encoder_decoder(family: Family, graphs: Graphs, sample: Sample, steps: int) -> Reference:
    stages: dict[str, Array] = {}
    feeds: dict[str, Array] = {}
    ids = sample.input_ids
    if family.model_type == "florence2":
        features = graphs("vision_encoder", **sample.vision)["image_features"]
        stages["image_features"] = features.reshape(-1, features.shape[-1])
        stages["inputs_embeds"] = _merge(graphs, sample, stages["image_features"])
        feeds["encoder_attention_mask"] = sample.attention_mask
        cross = graphs(
            "encoder_model",
            inputs_embeds=stages["inputs_embeds"],
            attention_mask=sample.attention_mask,
        )
        ids = np.full((len(ids), 1), sample.start_id, np.int64)
    else:
        cross = graphs("encoder_model", **sample.vision)
    stages |= cross
    mask = np.ones_like(ids)
    position = np.cumsum(mask, axis=1) - 1
    past = graphs.empty_past(len(ids))
    tokens, logits = [], []
    for _ in range(steps):
        out = graphs(
            "decoder_model_merged",
            input_ids=ids,
            attention_mask=mask,
            position_ids=position,
            **feeds,
            **cross,
            **past,
        )
        past = _grown(out)
        newest = out["logits"][:, -1]
        logits.append(newest)
        tokens.append(newest.argmax(axis=-1))
        ids = tokens[-1][:, None]
        mask = np.hstack([mask, np.ones_like(ids)])
        position = position[:, -1:] + 1
    return Reference(stages, np.stack(tokens, axis=1), np.stack(logits, axis=1))
