"""A LLaVA of 7 M parameters with random weights: built from a configuration, exported, opened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SIDE, PATCH = 224, 16
IMAGE_ID = 9
VOCABULARY = 2048
TOKENS = (SIDE // PATCH) ** 2


def build() -> Any:
    """The torch model, weights from a seed; it never ends a sentence by itself."""
    import torch
    from transformers import (
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
    )

    torch.manual_seed(0)
    vision = CLIPVisionConfig(
        hidden_size=256, intermediate_size=1024, num_hidden_layers=6, num_attention_heads=4,
        image_size=SIDE, patch_size=PATCH,
    )  # fmt: skip
    text = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=256, intermediate_size=688, num_hidden_layers=4,
        num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=2048,
        bos_token_id=1, eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    config = LlavaConfig(vision_config=vision, text_config=text, vision_feature_layer=-2,
                         image_token_id=IMAGE_ID, image_seq_length=TOKENS)  # fmt: skip
    model = LlavaForConditionalGeneration(config)
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model.eval()


def write_pack(model: Any, folder: Path, questions: tuple[str, ...]) -> None:
    """Export the model with this package, and a tokenizer that knows these questions' words."""
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

    from rsvlm_geo.export.families import FAMILIES
    from rsvlm_geo.export.graph import export_part

    (folder / "onnx").mkdir(parents=True)
    for part in FAMILIES["llava"].parts(model):
        export_part(part, folder / "onnx" / f"{part.name}.onnx")
    words = ["<pad>", "<bos>", "</s>", "<unk>", "USER:", "ASSISTANT:"]
    words += [f"<{i}>" for i in range(6, IMAGE_ID)] + ["<image>"]
    words += sorted({word for question in questions for word in question.split()})
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens([AddedToken("<image>", normalized=False, special=True)])
    tokenizer.save(str(folder / "tokenizer.json"))
    model.config.save_pretrained(folder)
    processor = {
        "image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": SIDE},
        "crop_size": {"height": SIDE, "width": SIDE}, "do_center_crop": True, "resample": 3,
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def processor(folder: Path) -> Any:
    """transformers' own processor on the pack's tokenizer: what a user's loop calls."""
    from transformers import LlavaProcessor, PreTrainedTokenizerFast
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), pad_token="<pad>", unk_token="<unk>",
        extra_special_tokens={"image_token": "<image>"}, padding_side="left",
    )  # fmt: skip
    images = CLIPImageProcessorPil(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}, resample=3
    )
    return LlavaProcessor(
        image_processor=images, tokenizer=tokenizer, patch_size=PATCH,
        vision_feature_select_strategy="default", num_additional_image_tokens=1,
    )  # fmt: skip
