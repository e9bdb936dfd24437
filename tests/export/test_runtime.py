"""Exported packs in the product's own runtime: the tokens are those of transformers.generate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

pytestmark = [pytest.mark.export, pytest.mark.slow]

STEPS = 64
EOS = 258
PROMPTS = ("Describe it.", "Ships?", "How many large vehicles are there in the image?")


@pytest.mark.parametrize(
    "family",
    ["llava", "vhm", "idefics3", "smolvlm", "qwen2_vl", "qwen2_5_vl", "paligemma", "git",
     "florence2", "blip", "vision-encoder-decoder"],
)  # fmt: skip
def test_tokens_equal_transformers(family: str, tiny_pack: Callable[[str], Any]) -> None:
    """Two tiles by three prompts of unequal length, one shared run, against one generate each."""
    from rsvlm_geo.export import open_checkpoint
    from rsvlm_geo.model import load_model
    from rsvlm_geo.model.sampling import Sampling

    pack = tiny_pack(family)
    vlm: Any = load_model(pack.folder, provider="cpu", threads=1)
    side = vlm.info.image_size
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (2, 7, 7, 3), np.uint8)
    images = np.repeat(np.repeat(coarse, -(-side // 7), 1), -(-side // 7), 2)[:, :side, :side]
    rule = Sampling(max_new_tokens=STEPS, suppress=(EOS,), stop_loops=False)
    ours = vlm.generate(images, PROMPTS, rule)

    model = open_checkpoint(str(pack.source), vit=None if pack.vit is None else str(pack.vit)).model
    distinct = set()
    for image, row in zip(images, ours, strict=True):
        for prompt, said in zip(PROMPTS, row, strict=True):
            theirs = _transformers(family, model, pack, vlm, image, prompt)
            assert list(said.tokens) == theirs
            assert len(theirs) == STEPS
            distinct.add(tuple(theirs))
    assert len(distinct) >= 4, "images and prompts should matter"


def _transformers(
    family: str, model: Any, pack: Any, vlm: Any, image: np.ndarray[Any, Any], prompt: str
) -> list[int]:
    from PIL import Image
    from transformers import AutoImageProcessor

    folder = pack.folder if family == "vhm" else pack.source
    processor = AutoImageProcessor.from_pretrained(folder)
    shown = (
        processor(images=[[Image.fromarray(image)]], return_tensors="pt")
        if family in ("idefics3", "smolvlm")
        else processor(images=Image.fromarray(image), return_tensors="pt")
    )
    inputs: dict[str, Any] = {
        k: v
        for k, v in shown.items()
        if k in ("pixel_values", "pixel_attention_mask", "image_grid_thw")
    }
    runtime = vlm.runtime
    generator = model
    if family in ("git", "blip", "vision-encoder-decoder"):
        ids = torch.tensor([runtime._text_start(runtime.template(prompt))])
        if family == "vision-encoder-decoder":
            inputs["decoder_input_ids"] = ids
        else:
            inputs["input_ids"] = ids
        if family == "blip":
            with torch.no_grad():
                hidden = model.vision_model(inputs.pop("pixel_values")).last_hidden_state
            inputs["encoder_hidden_states"] = hidden
            generator = model.text_decoder
    elif family == "florence2":
        words = runtime.codec.encode(runtime.template(prompt))
        with torch.no_grad():
            count = model.get_image_features(inputs["pixel_values"]).pooler_output.shape[1]
        inputs["input_ids"] = torch.tensor([[model.config.image_token_id] * count + words])
    else:
        prepared = runtime.preprocess(image[None])
        count = runtime.encode_images(prepared, 1).shape[1]
        ids = torch.from_numpy(runtime._prompt_ids(prompt, prepared, count))[None]
        inputs["input_ids"] = ids
        if "qwen" in family:
            inputs["mm_token_type_ids"] = (ids == model.config.image_token_id).int()
        if family == "paligemma":
            inputs["token_type_ids"] = torch.zeros_like(ids)
        if family == "vhm":
            inputs = _embedded(model, inputs)
    key = "decoder_input_ids" if "decoder_input_ids" in inputs else "input_ids"
    if key in inputs:
        inputs[key.replace("input_ids", "attention_mask")] = torch.ones_like(inputs[key])
    with torch.no_grad():
        said = generator.generate(
            **inputs, max_new_tokens=STEPS, do_sample=False, suppress_tokens=[EOS]
        )
    tokens: list[int] = said[0, -STEPS:].tolist()
    return tokens


def _embedded(model: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    """VHM's image token has no embedding of its own."""
    place = inputs["input_ids"] == model.config.image_token_id
    with torch.no_grad():
        features = model.get_image_features(inputs["pixel_values"]).pooler_output
        embeds = model.get_input_embeddings()(inputs["input_ids"].masked_fill(place, 0))
    embeds[place] = torch.cat(list(features))
    return {"inputs_embeds": embeds, "attention_mask": torch.ones_like(inputs["input_ids"])}
