"""Every family with a few thousand random weights: what export is proven on without a download."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch

__all__ = ["IMAGE_ID", "TINY", "VOCAB_SIZE", "tiny_model"]

VOCAB_SIZE = 288
PAD_ID, BOS_ID, EOS_ID, IMAGE_ID = 256, 257, 258, 259
VISION_START_ID, VISION_END_ID, VIDEO_ID = 260, 261, 262
"""The first 256 ids are bytes."""

_IDS = {"pad_token_id": PAD_ID, "bos_token_id": BOS_ID, "eos_token_id": EOS_ID}


def tiny_model(model_type: str, *, seed: int = 0) -> Any:
    """A model of a family, random weights from ``seed``, in eval mode, float32."""
    torch.manual_seed(seed)
    model = TINY[model_type]()
    generator = torch.Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        if weight.dim() > 1:
            # transformers' own 0.02 makes every greedy answer one repeated token
            scale = 1.0 if "embed" in name else weight[0].numel() ** -0.5
            if model_type == "paligemma" and "embed_tokens" in name:
                scale = 0.1  # Gemma multiplies by the root of its width; the image would drown
            weight.data.normal_(0.0, scale, generator=generator)
    model.eval()
    for holder in (model, getattr(model, "text_decoder", None), getattr(model, "decoder", None)):
        generation = getattr(holder, "generation_config", None)
        if generation is not None:
            for name, value in _IDS.items():
                setattr(generation, name, value)
    return model


def _llama(**more: Any) -> Any:
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=VOCAB_SIZE,
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        **_IDS,
        **more,
    )


def _llava() -> Any:
    from transformers import CLIPVisionConfig, LlavaConfig, LlavaForConditionalGeneration

    vision = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
    )
    return LlavaForConditionalGeneration(
        LlavaConfig(
            vision_config=vision,
            text_config=_llama(),
            vision_feature_layer=[1, 2, 3],
            vision_feature_select_strategy="default",
            image_token_id=IMAGE_ID,
            image_seq_length=4,
        )
    )


def _idefics(config_type: Any, vision_type: Any, model_type: Any) -> Any:
    vision = vision_type(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=28,
        patch_size=7,
    )
    return model_type(
        config_type(
            vision_config=vision.to_dict(),
            text_config=_llama(),
            scale_factor=2,
            image_token_id=IMAGE_ID,
            pad_token_id=PAD_ID,
        )
    )


def _idefics3() -> Any:
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration
    from transformers.models.idefics3.configuration_idefics3 import Idefics3VisionConfig

    return _idefics(Idefics3Config, Idefics3VisionConfig, Idefics3ForConditionalGeneration)


def _smolvlm() -> Any:
    from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration
    from transformers.models.smolvlm.configuration_smolvlm import SmolVLMVisionConfig

    return _idefics(SmolVLMConfig, SmolVLMVisionConfig, SmolVLMForConditionalGeneration)


def _qwen_text() -> dict[str, Any]:
    return {
        "vocab_size": VOCAB_SIZE,
        "hidden_size": 48,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [2, 2, 2],
        },
        **_IDS,
    }


def _qwen_ids() -> dict[str, int]:
    return {
        "image_token_id": IMAGE_ID,
        "video_token_id": VIDEO_ID,
        "vision_start_token_id": VISION_START_ID,
        "vision_end_token_id": VISION_END_ID,
    }


def _qwen2_vl() -> Any:
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    vision = {"depth": 2, "embed_dim": 32, "hidden_size": 48, "num_heads": 2, "mlp_ratio": 2,
              "patch_size": 14}  # fmt: skip
    return Qwen2VLForConditionalGeneration(
        Qwen2VLConfig(vision_config=vision, text_config=_qwen_text(), **_qwen_ids())
    )


def _qwen2_5_vl() -> Any:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    vision = {"depth": 3, "hidden_size": 32, "intermediate_size": 64, "out_hidden_size": 48,
              "num_heads": 2, "patch_size": 14, "window_size": 56,
              "fullatt_block_indexes": [1]}  # fmt: skip
    return Qwen2_5_VLForConditionalGeneration(
        Qwen2_5_VLConfig(vision_config=vision, text_config=_qwen_text(), **_qwen_ids())
    )


def _paligemma() -> Any:
    from transformers import (
        GemmaConfig,
        PaliGemmaConfig,
        PaliGemmaForConditionalGeneration,
        SiglipVisionConfig,
    )

    vision = SiglipVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
        vision_use_head=False,
    )
    text = GemmaConfig(
        vocab_size=VOCAB_SIZE,
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=12,
        tie_word_embeddings=False,
        max_position_embeddings=512,
        **_IDS,
    )
    return PaliGemmaForConditionalGeneration(
        PaliGemmaConfig(
            vision_config=vision.to_dict(),
            text_config=text.to_dict(),
            projection_dim=48,
            image_token_id=IMAGE_ID,
            tie_word_embeddings=False,
            **_IDS,
        )
    )


def _git() -> Any:
    from transformers import GitConfig, GitForCausalLM

    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
              "num_attention_heads": 2, "image_size": 28, "patch_size": 14}  # fmt: skip
    return GitForCausalLM(
        GitConfig(
            vision_config=vision,
            vocab_size=VOCAB_SIZE,
            hidden_size=48,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=128,
            **_IDS,
        )
    )


def _florence2() -> Any:
    from transformers import BartConfig, Florence2Config, Florence2ForConditionalGeneration
    from transformers.models.florence2.configuration_florence2 import Florence2VisionConfig

    vision = Florence2VisionConfig(
        embed_dim=(16, 32),
        num_heads=(2, 4),
        num_groups=(2, 4),
        depths=(1, 1),
        patch_size=(7, 3),
        patch_stride=(4, 2),
        patch_padding=(3, 1),
        patch_prenorm=(False, True),
        window_size=2,
        projection_dim=48,
        max_position_embeddings=4,
        drop_path_rate=0.0,
    )
    text = BartConfig(
        vocab_size=VOCAB_SIZE,
        d_model=48,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=96,
        decoder_ffn_dim=96,
        max_position_embeddings=256,
        decoder_start_token_id=EOS_ID,
        forced_eos_token_id=None,
        **_IDS,
    )
    model = Florence2ForConditionalGeneration(
        Florence2Config(
            vision_config=vision.to_dict(),
            text_config=text.to_dict(),
            image_token_id=IMAGE_ID,
            **_IDS,
        )
    )
    model.generation_config.decoder_start_token_id = EOS_ID
    return model


def _blip() -> Any:
    from transformers import BlipConfig, BlipForConditionalGeneration

    text = {"vocab_size": VOCAB_SIZE, "hidden_size": 48, "encoder_hidden_size": 32,
            "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
            "max_position_embeddings": 128, "sep_token_id": EOS_ID, **_IDS}  # fmt: skip
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
              "num_attention_heads": 2, "image_size": 28, "patch_size": 14}  # fmt: skip
    return BlipForConditionalGeneration(BlipConfig(text_config=text, vision_config=vision))


def _vision_encoder_decoder() -> Any:
    from transformers import (
        GPT2Config,
        VisionEncoderDecoderConfig,
        VisionEncoderDecoderModel,
        ViTConfig,
    )

    encoder = ViTConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
    )
    decoder = GPT2Config(
        vocab_size=VOCAB_SIZE,
        n_embd=48,
        n_layer=2,
        n_head=4,
        n_positions=128,
        add_cross_attention=True,
        is_decoder=True,
        tie_word_embeddings=False,
        **_IDS,
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id = BOS_ID
    config.pad_token_id = PAD_ID
    config.eos_token_id = EOS_ID
    model = VisionEncoderDecoderModel(config)
    model.generation_config.decoder_start_token_id = BOS_ID
    return model


def _clip() -> Any:
    from transformers import CLIPConfig, CLIPModel

    text = {"vocab_size": VOCAB_SIZE, "hidden_size": 32, "intermediate_size": 64,
            "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 77,
            **_IDS}  # fmt: skip
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
              "num_attention_heads": 2, "image_size": 28, "patch_size": 14}  # fmt: skip
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=24))


TINY: Mapping[str, Callable[[], Any]] = MappingProxyType(
    {
        "llava": _llava,
        "idefics3": _idefics3,
        "smolvlm": _smolvlm,
        "qwen2_vl": _qwen2_vl,
        "qwen2_5_vl": _qwen2_5_vl,
        "paligemma": _paligemma,
        "git": _git,
        "florence2": _florence2,
        "blip": _blip,
        "vision-encoder-decoder": _vision_encoder_decoder,
        "clip": _clip,
    }
)
"""``model_type`` -> a function that builds one."""
