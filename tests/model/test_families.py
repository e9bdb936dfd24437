"""Every family against transformers.generate: the same tokens, greedy and by beams.

Tiny random weights through the exporter; the prompt's own words and the images differ, so that
batching, sharing and padding are all in play.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import make
import numpy as np
import pytest

from rsvlm_geo.model import load_model
from rsvlm_geo.model.generic import GenericVlm
from rsvlm_geo.model.sampling import Sampling

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = [
    pytest.mark.export,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]

PROMPTS = ("Hi", "What is this?")
STEPS = 16
RULE = Sampling(max_new_tokens=STEPS, stop_loops=False)


def side(kind: str) -> int:
    return 56 if kind.startswith("qwen") else 28


def theirs(
    kind: str, model: Any, vlm: GenericVlm, images: np.ndarray, prompt: str, **more: Any
) -> list[list[int]]:
    """transformers' continuation of one prompt about several images, cut at the stop token."""
    runtime = vlm.runtime
    prepared = runtime.preprocess(images)
    pixels = torch.from_numpy(prepared.pixel_values)
    model.generation_config.eos_token_id = make.EOS
    common = {"max_new_tokens": STEPS, "do_sample": False, **more}
    inputs: dict[str, Any] = {"pixel_values": pixels}
    generator = model
    if kind in ("blip", "vision-encoder-decoder", "git"):
        ids = torch.tensor([runtime._text_start(prompt)] * len(images))
        if kind == "git":
            inputs["input_ids"] = ids
        elif kind == "blip":
            hidden = model.vision_model(**inputs).last_hidden_state
            ones = torch.ones(hidden.shape[:2], dtype=torch.long)
            inputs = {"input_ids": ids, "encoder_hidden_states": hidden,
                      "encoder_attention_mask": ones, "eos_token_id": make.EOS,
                      "pad_token_id": 256}  # fmt: skip
            generator = model.text_decoder
        else:
            inputs["decoder_input_ids"] = ids
        start = ids.shape[1]
    elif kind == "florence2":
        words = runtime.codec.encode(runtime.template(prompt))
        tokens = runtime.encode_images(prepared, len(images)).shape[1]
        inputs["input_ids"] = torch.tensor([[259] * tokens + words] * len(images))
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        start = 1
    else:
        tokens = runtime.encode_images(prepared, len(images)).shape[1]
        row = runtime._prompt_ids(prompt, prepared, tokens)
        ids = torch.from_numpy(np.stack([row] * len(images)))
        inputs |= {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if prepared.pixel_attention_mask is not None:
            inputs["pixel_attention_mask"] = torch.from_numpy(prepared.pixel_attention_mask)
        if prepared.image_grid_thw is not None:
            inputs["image_grid_thw"] = torch.from_numpy(prepared.image_grid_thw)
            inputs["mm_token_type_ids"] = (ids == 259).int()
        if kind == "paligemma":
            inputs["token_type_ids"] = torch.zeros_like(ids)
        start = ids.shape[1]
    with torch.no_grad():
        said = generator.generate(**inputs, **common)[:, start:].tolist()
    return [row[: row.index(make.EOS) + 1] if make.EOS in row else row for row in said]


@pytest.mark.parametrize("kind", make.PROCESSORS)
def test_a_family_says_what_transformers_says(kind: str, tmp_path: Path) -> None:
    model = make.write_tiny_pack(kind, tmp_path / kind)
    vlm = load_model(tmp_path / kind, provider="cpu", threads=1)
    assert isinstance(vlm, GenericVlm)
    size = side(kind)
    images = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    got = vlm.generate(images, PROMPTS, RULE)
    for column, prompt in enumerate(PROMPTS):
        wanted = theirs(kind, model, vlm, images, prompt)
        assert [list(row[column].tokens) for row in got] == wanted
    beams = Sampling(max_new_tokens=STEPS, stop_loops=False, num_beams=3)
    wanted = theirs(kind, model, vlm, images, PROMPTS[1], num_beams=3)
    for row, text in zip(vlm.generate(images, PROMPTS[1:], beams), wanted, strict=True):
        tokens = list(row[0].tokens)
        assert tokens == text[: len(tokens)]
    weights = vlm.score(images, "Is it?", ("yes", "no", "12"))
    assert all(sum(row.values()) == pytest.approx(1) for row in weights)


def test_a_published_folder_describes_a_scene_as_it_is(tmp_path: Path) -> None:
    """Laid out as onnx-community publishes SmolVLM, no card: every tile gets its answers."""
    import rasterio

    import rsvlm_geo

    make.write_tiny_pack("smolvlm", tmp_path / "SmolVLM")
    path = tmp_path / "scene.tif"
    pixels = np.random.default_rng(0).integers(1, 255, (3, 40, 40), dtype=np.uint8)
    with rasterio.open(
        path, "w", driver="GTiff", height=40, width=40, count=3, dtype="uint8",
        crs="EPSG:32633", transform=rasterio.Affine(0.5, 0, 5e5, 0, -0.5, 5e6),
    ) as dataset:  # fmt: skip
        dataset.write(pixels)
    model = rsvlm_geo.load_model(tmp_path / "SmolVLM", provider="cpu")
    result = rsvlm_geo.describe(path, model=model)
    asked = set(result.answers["task"])
    assert "caption" in asked and asked <= model.info.tasks
    assert set(result.answers["status"]) <= {"answered", "unreadable", "refused"}
    assert result.answers.crs.to_epsg() == 32633
    assert set(result.answers["model"]) == {"SmolVLM"}
