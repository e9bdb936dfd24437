"""What can be exported: one small wrapper per family over ``torch.onnx.export``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from rsvlm_geo.errors import ExportError
from rsvlm_geo.export.families.clip import clip_parts
from rsvlm_geo.export.families.encdec import blip_parts, encoder_decoder_parts, florence_parts
from rsvlm_geo.export.families.git import git_parts
from rsvlm_geo.export.families.idefics import idefics_parts
from rsvlm_geo.export.families.llava import llava_parts
from rsvlm_geo.export.families.paligemma import paligemma_parts
from rsvlm_geo.export.families.qwen import qwen_parts
from rsvlm_geo.export.graph import Part

__all__ = ["FAMILIES", "Family", "family_of"]


@dataclass(frozen=True, slots=True)
class Family:
    """An architecture this package can export."""

    model_type: str
    """As ``config.json`` names it."""
    architecture: str
    """The transformers class that holds the weights."""
    kind: Literal["decoder", "encoder_decoder", "two_towers"]
    parts: Callable[..., list[Part]]
    text_module: str = ""
    """Dotted path of the module that takes the merged embeddings."""


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.model_type: family
        for family in (
            Family(
                "llava",
                "LlavaForConditionalGeneration",
                "decoder",
                llava_parts,
                "model.language_model",
            ),
            Family(
                "idefics3",
                "Idefics3ForConditionalGeneration",
                "decoder",
                idefics_parts,
                "model.text_model",
            ),
            Family(
                "smolvlm",
                "SmolVLMForConditionalGeneration",
                "decoder",
                idefics_parts,
                "model.text_model",
            ),
            Family(
                "qwen2_vl",
                "Qwen2VLForConditionalGeneration",
                "decoder",
                qwen_parts,
                "model.language_model",
            ),
            Family(
                "qwen2_5_vl",
                "Qwen2_5_VLForConditionalGeneration",
                "decoder",
                qwen_parts,
                "model.language_model",
            ),
            Family(
                "paligemma",
                "PaliGemmaForConditionalGeneration",
                "decoder",
                paligemma_parts,
                "model.language_model",
            ),
            Family("git", "GitForCausalLM", "decoder", git_parts, "git.encoder"),
            Family(
                "florence2",
                "Florence2ForConditionalGeneration",
                "encoder_decoder",
                florence_parts,
                "model.language_model.encoder",
            ),
            Family("blip", "BlipForConditionalGeneration", "encoder_decoder", blip_parts),
            Family(
                "vision-encoder-decoder",
                "VisionEncoderDecoderModel",
                "encoder_decoder",
                encoder_decoder_parts,
            ),
            Family("clip", "CLIPModel", "two_towers", clip_parts),
        )
    }
)
"""``model_type`` -> family."""


def family_of(config: Mapping[str, Any], where: str) -> Family:
    """The family of a checkpoint.

    Args:
        config: Its ``config.json``.
        where: That file, for the message.

    Raises:
        ExportError: Another architecture, or the same one with another head.
    """
    kind = str(config.get("model_type", ""))
    family = FAMILIES.get(kind)
    if family is None:
        raise ExportError(
            f"{where} is of model_type {kind or 'none'!r}, which cannot be exported; this package "
            f"exports {', '.join(sorted(FAMILIES))}. A folder that already holds onnx/*.onnx needs "
            "no export: rsvlm-geo models import"
        )
    said = config.get("architectures") or [family.architecture]
    if family.architecture not in said:
        raise ExportError(
            f"{where} holds a {said[0]}; of {kind}, only {family.architecture} can be exported: "
            "take the checkpoint that generates text"
        )
    return family
