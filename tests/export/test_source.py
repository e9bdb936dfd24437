"""Bad input: each says which file and what to do, and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rsvlm_geo.errors import ExportError, OutputError

pytestmark = pytest.mark.export


def _config(folder: Path, **said: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(said))
    return folder


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"model_type": "mllama"}, "mllama.*exports blip, clip"),
        ({}, "model_type 'none'"),
        (
            {"model_type": "blip", "architectures": ["BlipForQuestionAnswering"]},
            "only BlipForConditionalGeneration",
        ),
    ],
)
def test_other_architecture(said: dict[str, Any], message: str, tmp_path: Path) -> None:
    from rsvlm_geo.export import export_pack

    source = _config(tmp_path / "source", **said)
    with pytest.raises(ExportError, match=message) as caught:
        export_pack(str(source), tmp_path / "pack")
    assert "config.json" in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["source"]


def test_hub_needs_a_commit(tmp_path: Path) -> None:
    from rsvlm_geo.export import export_pack

    with pytest.raises(ExportError, match="needs --revision"):
        export_pack("owner/name", tmp_path / "pack")
    with pytest.raises(ExportError, match="got 'main'"):
        export_pack("owner/name", tmp_path / "pack", revision="main")
    assert list(tmp_path.iterdir()) == []


def test_hub_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    from rsvlm_geo.export import export_pack

    def refuse(*args: Any, **options: Any) -> str:
        assert options["revision"] == "a" * 40
        raise ConnectionError("name resolution failed")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(ExportError, match="HF_ENDPOINT"):
        export_pack("owner/name", tmp_path / "pack", revision="a" * 40)


def test_nowhere(tmp_path: Path) -> None:
    from rsvlm_geo.export import export_pack

    with pytest.raises(ExportError, match="neither a folder nor"):
        export_pack(str(tmp_path / "absent"), tmp_path / "pack")


def test_no_config(tmp_path: Path) -> None:
    from rsvlm_geo.export import export_pack

    source = tmp_path / "source"
    (source / "onnx").mkdir(parents=True)
    (source / "onnx" / "vision_encoder.onnx").touch()
    with pytest.raises(ExportError, match=r"no config\.json.*models import"):
        export_pack(str(source), tmp_path / "pack")


def test_config_is_not_json(tmp_path: Path) -> None:
    from rsvlm_geo.export import export_pack

    source = tmp_path / "source"
    source.mkdir()
    (source / "config.json").write_text("<html>")
    with pytest.raises(ExportError, match="is not JSON"):
        export_pack(str(source), tmp_path / "pack")


def test_weights_of_another_model(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    from rsvlm_geo.export import export_pack
    from rsvlm_geo.export.tiny_files import write_tiny

    source = tmp_path / "source"
    write_tiny("clip", source)
    weights = load_file(source / "model.safetensors")
    weights.pop("visual_projection.weight")
    save_file(weights, source / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ExportError, match=r"missing keys.*visual_projection"):
        export_pack(str(source), tmp_path / "pack")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["source"]


def test_truncated_weights(tmp_path: Path) -> None:
    from rsvlm_geo.export import export_pack
    from rsvlm_geo.export.tiny_files import write_tiny

    source = tmp_path / "source"
    write_tiny("clip", source)
    path = source / "model.safetensors"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ExportError, match="cannot be loaded as CLIPModel"):
        export_pack(str(source), tmp_path / "pack")


def test_code_of_a_checkpoint_never_runs(tmp_path: Path) -> None:
    """``auto_map`` names a module beside the weights; it is neither run nor copied."""
    from rsvlm_geo.export import export_pack, open_checkpoint
    from rsvlm_geo.export.tiny_files import write_tiny

    source = tmp_path / "source"
    write_tiny("clip", source)
    marker = tmp_path / "ran"
    (source / "modeling_evil.py").write_text(f"open({str(marker)!r}, 'w').close()\n")
    said = json.loads((source / "config.json").read_text())
    said["auto_map"] = {"AutoModel": "modeling_evil.CLIPModel"}
    (source / "config.json").write_text(json.dumps(said))
    assert open_checkpoint(str(source)).family.model_type == "clip"
    done = export_pack(str(source), tmp_path / "pack")
    assert not marker.exists()
    assert "auto_map" not in (done.folder / "config.json").read_text()
    assert not list(done.folder.rglob("*.py"))


def test_output_is_taken(tmp_path: Path) -> None:
    from rsvlm_geo.export import export_pack

    out = tmp_path / "pack"
    out.mkdir()
    (out / "mine.txt").write_text("precious")
    with pytest.raises(OutputError, match="exists"):
        export_pack("anywhere", out)
    assert (out / "mine.txt").read_text() == "precious"


@pytest.mark.slow
def test_nothing_is_left_when_it_fails_late(
    tiny_pack: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import rsvlm_geo.export.write as write
    from rsvlm_geo.export import export_pack

    def broken(*args: Any) -> None:
        raise ExportError("the tokenizer is gone")

    monkeypatch.setattr(write, "write_settings", broken)
    with pytest.raises(ExportError, match="tokenizer is gone"):
        export_pack(str(tiny_pack("clip").source), tmp_path / "pack", verify=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_wrong_graphs_are_not_written(tiny_pack: Callable[[str], Any], tmp_path: Path) -> None:
    """A graph that is a little off is found by verification, and no pack is written."""
    import dataclasses

    import rsvlm_geo.export.families as families
    from rsvlm_geo.export import export_checkpoint, open_checkpoint
    from rsvlm_geo.export.families.clip import clip_parts

    def off(model: Any) -> Any:
        import copy

        other = copy.deepcopy(model)
        # one number; the same added to all would cancel behind a layer norm
        other.visual_projection.weight.data[0, 0] += 0.5
        return clip_parts(other)

    checkpoint = open_checkpoint(str(tiny_pack("clip").source))
    wrong = families.Family("clip", "CLIPModel", "two_towers", off)
    checkpoint = dataclasses.replace(checkpoint, family=wrong)
    with pytest.raises(ExportError, match="are not the model"):
        export_checkpoint(checkpoint, tmp_path / "pack")
    assert list(tmp_path.iterdir()) == []


def test_samples_that_would_be_frozen() -> None:
    import torch
    from torch import nn

    from rsvlm_geo.export.graph import Part

    with pytest.raises(ExportError, match="would be frozen"):
        Part("x", nn.Identity(), {"a": torch.zeros(1, 3)}, {"a": {0: "batch"}}, ("y",))
    one = torch.zeros(2, 3)
    with pytest.raises(ExportError, match="share memory"):
        Part("x", nn.Identity(), {"a": one, "b": one}, {}, ("y",))
