"""A LLaVA with random weights, in two sizes: built from a configuration, exported, opened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IMAGE_ID = 9


@dataclass(frozen=True, slots=True)
class Shapes:
    """How large a LLaVA is; a head takes 64 of the hidden size."""

    side: int
    """Pixels along a side of the image; a multiple of ``patch``."""
    patch: int
    vocabulary: int
    hidden: int
    """Of the vision tower and of the text model; a multiple of 64."""
    mlp: int
    """Inner size of the text model's MLP; that of the vision tower is four times ``hidden``."""
    vision_layers: int
    text_layers: int

    def __post_init__(self) -> None:
        if self.side % self.patch or self.hidden % 64:
            raise ValueError(f"the side needs whole patches, the hidden size whole heads: {self}")

    @property
    def tokens(self) -> int:
        """Image tokens."""
        return (self.side // self.patch) ** 2

    @property
    def heads(self) -> int:
        return self.hidden // 64


# 7 M parameters
SMALL = Shapes(
    side=224, patch=16, vocabulary=2048, hidden=256, mlp=688, vision_layers=6, text_layers=4
)
# 39 M parameters: CLIP ViT-S/14 at 336 px, and a text model as wide
MEDIUM = Shapes(
    side=336, patch=14, vocabulary=8192, hidden=384, mlp=1024, vision_layers=12, text_layers=6
)


def build(shapes: Shapes) -> Any:
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
        hidden_size=shapes.hidden, intermediate_size=4 * shapes.hidden,
        num_hidden_layers=shapes.vision_layers, num_attention_heads=shapes.heads,
        image_size=shapes.side, patch_size=shapes.patch,
    )  # fmt: skip
    text = LlamaConfig(
        vocab_size=shapes.vocabulary, hidden_size=shapes.hidden, intermediate_size=shapes.mlp,
        num_hidden_layers=shapes.text_layers, num_attention_heads=shapes.heads,
        num_key_value_heads=shapes.heads, max_position_embeddings=2048,
        bos_token_id=1, eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    config = LlavaConfig(vision_config=vision, text_config=text, vision_feature_layer=-2,
                         image_token_id=IMAGE_ID, image_seq_length=shapes.tokens)  # fmt: skip
    model = LlavaForConditionalGeneration(config)
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model.eval()


def write_pack(model: Any, folder: Path, questions: tuple[str, ...], *, int8: bool = False) -> None:
    """Export the model with this package, and a tokenizer that knows these questions' words.

    Args:
        model: From :func:`build`.
        folder: Made here.
        questions: Words between blanks.
        int8: Lay an int8 variant beside each graph.
    """
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

    from rsvlm_geo.export.families import FAMILIES
    from rsvlm_geo.export.graph import export_part
    from rsvlm_geo.export.variants import derive_variant

    (folder / "onnx").mkdir(parents=True)
    for part in FAMILIES["llava"].parts(model):
        path = export_part(part, folder / "onnx" / f"{part.name}.onnx")
        if int8 and part.name != "embed_tokens":
            derive_variant(path, path.with_name(f"{part.name}_int8.onnx"), "int8")
    words = ["<pad>", "<bos>", "</s>", "<unk>", "USER:", "ASSISTANT:"]
    words += [f"<{i}>" for i in range(6, IMAGE_ID)] + ["<image>"]
    words += sorted({word for question in questions for word in question.split()})
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens([AddedToken("<image>", normalized=False, special=True)])
    tokenizer.save(str(folder / "tokenizer.json"))
    model.config.save_pretrained(folder)
    side = model.config.vision_config.image_size
    processor = {
        "image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": side},
        "crop_size": {"height": side, "width": side}, "do_center_crop": True, "resample": 3,
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def open_processor(folder: Path, shapes: Shapes) -> Any:
    """transformers' own processor on the pack's tokenizer: what a user's loop calls."""
    from transformers import LlavaProcessor, PreTrainedTokenizerFast
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), pad_token="<pad>", unk_token="<unk>",
        extra_special_tokens={"image_token": "<image>"}, padding_side="left",
    )  # fmt: skip
    images = CLIPImageProcessorPil(
        size={"shortest_edge": shapes.side}, resample=3,
        crop_size={"height": shapes.side, "width": shapes.side},
    )  # fmt: skip
    return LlavaProcessor(
        image_processor=images, tokenizer=tokenizer, patch_size=shapes.patch,
        vision_feature_select_strategy="default", num_additional_image_tokens=1,
    )  # fmt: skip
