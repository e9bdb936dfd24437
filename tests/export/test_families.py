"""Every family: the graphs are the model, to the token."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.export, pytest.mark.slow]

FAMILIES = [
    "llava", "idefics3", "smolvlm", "qwen2_vl", "qwen2_5_vl", "paligemma", "git", "florence2",
    "blip", "vision-encoder-decoder", "clip", "vhm",
]  # fmt: skip
DECODER_ONLY = {"vision_encoder", "embed_tokens", "decoder_model_merged"}
PARTS = {
    "florence2": DECODER_ONLY | {"encoder_model"},
    "blip": {"encoder_model", "decoder_model_merged"},
    "vision-encoder-decoder": {"encoder_model", "decoder_model_merged"},
    "clip": {"vision_model", "text_model"},
}


def test_the_list_is_whole() -> None:
    from rsvlm_geo.export.families import FAMILIES as KNOWN
    from rsvlm_geo.export.tiny import TINY

    assert set(FAMILIES) - {"vhm"} == set(KNOWN) == set(TINY)


@pytest.mark.parametrize("family", FAMILIES)
def test_graphs_equal_torch(family: str, tiny_pack: Callable[[str], Any]) -> None:
    pack = tiny_pack(family)
    check = pack.done.verification
    assert check.equal
    if family == "clip":
        assert check.cosine > 1 - 1e-6
    else:
        assert check.steps >= 64
        assert check.identical == check.steps
        assert check.max_logit_diff <= 1e-3
        assert check.distinct >= 10, "a loop of few tokens would prove little"
    assert max(check.stages.values()) <= 1e-3
    assert set(pack.done.parts) == PARTS.get(family, DECODER_ONLY)


@pytest.mark.parametrize("family", FAMILIES)
def test_verification_is_in_the_pack(family: str, tiny_pack: Callable[[str], Any]) -> None:
    card = json.loads((tiny_pack(family).folder / "rsvlm.json").read_text())
    [check] = card["verification"]
    assert check["equal"] is True
    assert check["greedy_identical"] == check["greedy_steps"]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_packs_reader_accepts_it(family: str, tiny_pack: Callable[[str], Any]) -> None:
    from rsvlm_geo.model import load_pack

    pack = load_pack(tiny_pack(family).folder)
    assert pack.model_type == ("llava" if family == "vhm" else family)
    for part in tiny_pack(family).done.parts:
        graph = pack.header(pack.graph(part))
        assert graph.opset == 18
        assert not any("::" in operator for operator in graph.operators), "ONNX's own only"


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - {"clip", "vhm"}))
def test_names_are_the_published_ones(family: str, tiny_pack: Callable[[str], Any]) -> None:
    from rsvlm_geo.model import load_pack

    pack = load_pack(tiny_pack(family).folder)
    decoder = pack.header(pack.graph("decoder_model_merged"))
    names = [spec.name for spec in decoder.inputs]
    outputs = [spec.name for spec in decoder.outputs]
    layers = 2
    assert outputs[0] == "logits"
    for i in range(layers):
        for kind in ("key", "value"):
            assert f"past_key_values.{i}.{kind}" in names
            assert f"present.{i}.{kind}" in outputs
    shapes = {spec.name: spec.shape for spec in decoder.inputs}
    assert shapes["attention_mask"] == ("batch", "total_length")
    past = shapes["past_key_values.0.key"]
    assert past is not None and (past[0], past[2]) == ("batch", "past_length")


def test_decoder_splits_anywhere(tiny_pack: Callable[[str], Any]) -> None:
    """Prefill at once, in two pieces, or token by token, with padding between: same logits."""
    graphs = _graphs(tiny_pack("llava"))
    random = np.random.default_rng(0)
    embeds = random.normal(size=(2, 9, 48)).astype(np.float32)
    mask = np.ones((2, 9), np.int64)
    mask[0, 4:6] = 0  # a hole, as after a shared prefix
    positions = np.maximum(np.cumsum(mask, axis=1) - 1, 0)

    def run(cuts: list[int]) -> np.ndarray[Any, Any]:
        past, pieces = graphs.empty_past(2), []
        for start, end in zip([0, *cuts], [*cuts, 9], strict=True):
            out = graphs(
                "decoder_model_merged",
                inputs_embeds=embeds[:, start:end],
                attention_mask=mask[:, :end],
                position_ids=positions[:, start:end],
                **past,
            )
            past = {
                k.replace("present", "past_key_values"): v for k, v in out.items() if k != "logits"
            }
            pieces.append(out["logits"])
        return np.concatenate(pieces, axis=1)

    whole = run([])
    seen = mask.astype(bool)
    for cuts in ([5], [2, 7], list(range(1, 9))):
        np.testing.assert_allclose(run(cuts)[seen], whole[seen], atol=2e-5)


def test_only_the_last_logits(tiny_pack: Callable[[str], Any]) -> None:
    """``num_logits_to_keep`` is optional; 0 means all."""
    session = _graphs(tiny_pack("llava")).sessions["decoder_model_merged"]
    random = np.random.default_rng(0)
    feeds = {
        "inputs_embeds": random.normal(size=(2, 7, 48)).astype(np.float32),
        "attention_mask": np.ones((2, 7), np.int64),
        "position_ids": np.tile(np.arange(7), (2, 1)),
    }
    for spec in session.get_inputs():
        if spec.name.startswith("past"):
            feeds[spec.name] = np.zeros((2, spec.shape[1], 0, spec.shape[3]), np.float32)
    [whole] = session.run(["logits"], feeds)
    assert whole.shape[1] == 7
    for keep in (0, 1, 3):
        [some] = session.run(["logits"], {**feeds, "num_logits_to_keep": np.array(keep)})
        np.testing.assert_array_equal(some, whole[:, -keep:])


def test_qwen_images_do_not_see_each_other(tiny_pack: Callable[[str], Any]) -> None:
    """Two images in one call are two calls of one image, whatever their sizes."""
    graphs = _graphs(tiny_pack("qwen2_5_vl"))
    random = np.random.default_rng(0)
    grids = [np.array([[1, 6, 10]]), np.array([[1, 4, 14]]), np.array([[1, 8, 8]])]
    pixels = [random.normal(size=(int(g.prod()), 1176)).astype(np.float32) for g in grids]
    alone = [
        graphs("vision_encoder", pixel_values=p, image_grid_thw=g)["image_features"]
        for p, g in zip(pixels, grids, strict=True)
    ]
    both = graphs(
        "vision_encoder", pixel_values=np.concatenate(pixels), image_grid_thw=np.concatenate(grids)
    )["image_features"]
    np.testing.assert_allclose(both, np.concatenate(alone), atol=2e-5)


def test_opset_23_is_the_same_model(tiny_pack: Callable[[str], Any], tmp_path: Any) -> None:
    from rsvlm_geo.export import export_pack
    from rsvlm_geo.model import load_pack

    source = str(tiny_pack("llava").source)
    done = export_pack(source, tmp_path / "pack", opset=23)
    assert done.verification is not None and done.verification.equal
    pack = load_pack(done.folder)
    decoder = pack.header(pack.graph("decoder_model_merged"))
    assert decoder.opset == 23
    assert "Attention" in decoder.operators


def _graphs(pack: Any) -> Any:
    from rsvlm_geo.export.runner import Graphs

    return Graphs({path.stem: path for path in (pack.folder / "onnx").glob("*.onnx")})
