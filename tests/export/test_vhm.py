"""VHM's published names, in its two parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rsvlm_geo.errors import ExportError

pytestmark = pytest.mark.export

PUBLISHED = {
    "model.embed_tokens.weight",
    "model.layers.0.self_attn.q_proj.weight",
    "model.layers.1.mlp.down_proj.weight",
    "model.norm.weight",
    "lm_head.weight",
    "model.mm_projector.0.weight",
    "model.mm_projector.0.bias",
    "model.mm_projector.2.weight",
    "model.mm_projector.2.bias",
}
TOWER = {
    "vision_model.embeddings.class_embedding",
    "vision_model.embeddings.patch_embedding.weight",
    "vision_model.pre_layrnorm.weight",
    "vision_model.encoder.layers.2.self_attn.k_proj.bias",
    "vision_model.post_layernorm.weight",
}


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    from rsvlm_geo.export.tiny_vhm import write_tiny_vhm

    root = tmp_path_factory.mktemp("vhm")
    return root / "llm", write_tiny_vhm(root / "llm", root / "vit")


def test_fixture_has_the_published_names(parts: tuple[Path, Path]) -> None:
    """The fixture is only worth something if its names are VHM's own."""
    language = torch.load(parts[0] / "pytorch_model.bin", weights_only=True)
    tower = torch.load(parts[1] / "pytorch_model.bin", weights_only=True)
    assert set(language) >= PUBLISHED and set(tower) >= TOWER
    assert not any("vision" in name for name in language)
    assert all(name.startswith("vision_model.") for name in tower)


def test_both_parts_fit(parts: tuple[Path, Path]) -> None:
    from rsvlm_geo.export.tiny import VOCAB_SIZE, tiny_model
    from rsvlm_geo.export.vhm import convert_vhm

    model = convert_vhm(*parts)
    truth = tiny_model("llava")
    assert type(model).__name__ == "LlavaForConditionalGeneration"
    assert model.config.vision_feature_layer == [1, 2, 3]
    assert model.config.image_token_id == VOCAB_SIZE
    expected = truth.state_dict()
    got = model.state_dict()
    assert set(got) == set(expected)
    for name, weight in expected.items():
        assert torch.equal(got[name], weight), name
    for name, buffer in truth.named_buffers():
        assert torch.equal(model.get_buffer(name), buffer), name


@pytest.mark.parametrize("how", ["folder", "file", "inside", "deepspeed"])
def test_where_the_tower_may_lie(how: str, parts: tuple[Path, Path], tmp_path: Path) -> None:
    import shutil

    from rsvlm_geo.export.vhm import convert_vhm

    folder = tmp_path / "llm"
    shutil.copytree(parts[0], folder)
    tower: Path | None = parts[1]
    if how == "file":
        tower = parts[1] / "pytorch_model.bin"
    elif how == "inside":
        shutil.copytree(parts[1], folder / "vision_tower")
        tower = None
    elif how == "deepspeed":
        # saved with the tower inside, under its long name, and with a buffer of older versions
        weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
        for name, w in torch.load(parts[1] / "pytorch_model.bin", weights_only=True).items():
            weights[f"model.vision_tower.vision_tower.{name}"] = w
        weights["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.zeros(6)
        torch.save(weights, folder / "pytorch_model.bin")
        shutil.copytree(parts[1], folder / "vision_tower")
        (folder / "vision_tower" / "pytorch_model.bin").unlink()
        tower = None
    model = convert_vhm(folder, tower)
    assert sum(p.numel() for p in model.parameters()) > 0
    assert all(p.device.type == "cpu" for p in model.parameters())


def test_tower_is_missing(parts: tuple[Path, Path]) -> None:
    from rsvlm_geo.export.vhm import convert_vhm

    with pytest.raises(ExportError, match="--vit"):
        convert_vhm(parts[0], None)
    with pytest.raises(ExportError, match="no vision tower at"):
        convert_vhm(parts[0], parts[0] / "absent")
    with pytest.raises(ExportError, match="not a CLIP vision tower"):
        convert_vhm(parts[0], parts[0])


def test_a_weight_is_missing_or_too_many(parts: tuple[Path, Path], tmp_path: Path) -> None:
    import shutil

    from rsvlm_geo.export.vhm import convert_vhm

    folder = tmp_path / "llm"
    shutil.copytree(parts[0], folder)
    weights = torch.load(folder / "pytorch_model.bin", weights_only=True)
    weights["model.surprise.weight"] = torch.zeros(2)
    weights.pop("model.norm.weight")
    torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(ExportError, match=r"1 weights missing.*norm.*1 unexpected.*surprise"):
        convert_vhm(folder, parts[1])


def test_another_projector(parts: tuple[Path, Path], tmp_path: Path) -> None:
    import shutil

    from rsvlm_geo.export.vhm import convert_vhm

    folder = tmp_path / "llm"
    shutil.copytree(parts[0], folder)
    said = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**said, "mm_projector_type": "linear"}))
    with pytest.raises(ExportError, match="mlp2x_gelu"):
        convert_vhm(folder, parts[1])
    (folder / "config.json").write_text(json.dumps({**said, "hidden_size": 96}))
    with pytest.raises(ExportError, match="belongs to other weights"):
        convert_vhm(folder, parts[1])


def test_a_pickle_with_code_is_refused(parts: tuple[Path, Path], tmp_path: Path) -> None:
    import pickle

    from rsvlm_geo.export.vhm import read_weights

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (print, ("ran",))

    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps({"w": Evil()}))
    with pytest.raises(ExportError, match="cannot be read"):
        read_weights(tmp_path)


@pytest.mark.slow
def test_card_says_how_vhm_is_asked(tiny_pack: Callable[[str], Any]) -> None:
    pack = tiny_pack("vhm")
    card = json.loads((pack.folder / "rsvlm.json").read_text())
    assert card["chat"] == "vicuna_v1" and card["tokenise"] == "chunks"
    assert card["answers"] == "vhm" and card["boxes"] == "vhm"
    assert card["source"] == {"folder": "source", "vit": "vit"}
    said = json.loads((pack.folder / "preprocessor_config.json").read_text())
    assert said["do_pad"] is True and said["crop_size"] == {"height": 28, "width": 28}
