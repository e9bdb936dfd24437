"""Smaller and faster forms: how much smaller, how near, and which is chosen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rsvlm_geo.errors import ExportError

pytestmark = pytest.mark.export


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "smaller", "cosine"),
    [("fp32-stored", 0.62, 0.99999), ("int8", 0.75, 0.999), ("int4", 0.75, 0.95)],
)
@pytest.mark.parametrize("family", ["llava", "vision-encoder-decoder"])
def test_derived(
    family: str,
    variant: str,
    smaller: float,
    cosine: float,
    tiny_pack: Callable[[str], Any],
    tmp_path: Path,
) -> None:
    from rsvlm_geo.export.measure import measure_variants
    from rsvlm_geo.export.variants import derive_variant

    graph = tiny_pack(family).folder / "onnx" / "decoder_model_merged.onnx"
    made = derive_variant(graph, tmp_path / "made.onnx", variant)
    assert made.stat().st_size < smaller * graph.stat().st_size
    rows = measure_variants({"fp32": graph, variant: made}, rounds=1)
    assert rows[0].cosine == pytest.approx(1.0)
    assert rows[1].cosine > cosine


@pytest.mark.slow
def test_gemm_is_quantized_too(tmp_path: Path) -> None:
    import onnx_ir as ir
    import torch
    from torch import nn

    from rsvlm_geo.export.graph import Part, export_part
    from rsvlm_geo.export.measure import measure_variants
    from rsvlm_geo.export.variants import derive_variant

    part = Part(
        "flat",
        nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 64, bias=False)),
        {"inputs_embeds": torch.randn(3, 64)},
        {"inputs_embeds": {0: "batch"}},
        ("out",),
    )
    graph = export_part(part, tmp_path / "flat.onnx")
    assert "Gemm" in {node.op_type for node in ir.load(graph).graph}
    int8 = derive_variant(graph, tmp_path / "flat_int8.onnx", "int8")
    int4 = derive_variant(graph, tmp_path / "flat_q4.onnx", "int4")
    assert "MatMulInteger" in {n.op_type for n in ir.load(int8).graph}
    assert "MatMulNBits" in {n.op_type for n in ir.load(int4).graph}
    cosines = [
        m.cosine for m in measure_variants({"fp32": graph, "int8": int8, "int4": int4}, rounds=1)
    ]
    assert cosines[1] > 0.999 and cosines[2] > 0.97


@pytest.mark.slow
def test_all_variants_in_one_pack(tiny_pack: Callable[[str], Any], tmp_path: Path) -> None:
    from rsvlm_geo.export import export_pack
    from rsvlm_geo.model import load_pack

    source = str(tiny_pack("vision-encoder-decoder").source)
    done = export_pack(source, tmp_path / "pack", variants=("fp32-stored", "fp16", "int8", "int4"))
    pack = load_pack(done.folder)
    assert set(pack.graphs["decoder_model_merged"]) == {"", "fp16", "int8", "q4"}
    assert pack.choose("decoder_model_merged") == ""
    assert pack.choose("decoder_model_merged", provider="cuda") == "fp16"
    half = pack.header(pack.graph("decoder_model_merged", variant="fp16"))
    kinds = {spec.name: spec.dtype for spec in half.inputs}
    assert kinds["past_key_values.0.key"] == "float16"
    assert {spec.name: spec.dtype for spec in half.outputs}["logits"] == "float32"
    checks = {c["variant"]: c for c in pack.card["verification"]}
    assert list(checks) == ["fp32", "fp32-stored", "fp16", "int8", "int4"]
    assert checks["fp32"]["equal"] and not checks["int4"]["equal"]
    assert checks["fp32-stored"]["min_cosine"] > 0.9999
    assert checks["fp16"]["min_cosine"] > 0.999

    # and the product's runtime finds each by name
    from rsvlm_geo.model import load_model
    from rsvlm_geo.model.sampling import Sampling

    rule = Sampling(max_new_tokens=8, stop_loops=False, min_new_tokens=8)
    images = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 3), np.uint8)
    said = {}
    for variant in ("fp32", "fp16", "int8", "q4"):
        vlm: Any = load_model(done.folder, provider="cpu", threads=1, variant=variant)
        said[variant] = [row[0].tokens for row in vlm.generate(images, ["a"], rule)]
        assert [len(tokens) for tokens in said[variant]] == [8, 8]
    assert said["fp32"] == said["fp16"]


@pytest.mark.slow
def test_auto_measures_and_says_so(tiny_pack: Callable[[str], Any], tmp_path: Path) -> None:
    from rsvlm_geo.export import export_pack
    from rsvlm_geo.model import load_pack

    done = export_pack(
        str(tiny_pack("clip").source), tmp_path / "pack", variants=("auto",), verify=False
    )
    card = json.loads((done.folder / "rsvlm.json").read_text())
    assert set(card["measured"]) == {"vision_model", "text_model"}
    rows = card["measured"]["vision_model"]
    assert [row["variant"] for row in rows] == ["fp32", "fp32-stored", "int8", "int4"]
    assert all(row["ms"] > 0 and row["mb"] > 0 for row in rows)
    pack = load_pack(done.folder)
    for part, name in card["variants"]["cpu"].items():
        assert list(pack.graphs[part]) == ["" if name == "fp32" else name]


def test_choice_needs_closeness_and_speed() -> None:
    from rsvlm_geo.export.measure import Measured, choose_variant

    def row(name: str, cosine: float, ms: float) -> Measured:
        return Measured(name, cosine, ms / 1e3, 0.0, 1.0)

    plain, stored = row("fp32", 1.0, 100), row("fp32-stored", 0.99999, 101)
    near, far = row("int8", 0.9995, 60), row("int4", 0.99, 30)
    assert choose_variant([plain, stored, near, far]) == "int8"
    assert choose_variant([plain, stored, row("int8", 0.9995, 95), far]) == "fp32-stored"
    assert choose_variant([plain, far]) == "fp32"
    assert choose_variant([plain, stored, near, row("int4", 0.9991, 30)]) == "int4"


@pytest.mark.slow
def test_large_weights_overflow_nothing(tmp_path: Path) -> None:
    """A weight beyond fp16's range stays fp32."""
    import torch
    from torch import nn

    from rsvlm_geo.export.graph import Part, export_part
    from rsvlm_geo.export.runner import Graphs
    from rsvlm_geo.export.variants import derive_variant

    layer = nn.Linear(32, 32, bias=False)
    layer.weight.data[0, 0] = 1e6
    part = Part("big", layer, {"x": torch.randn(3, 32)}, {"x": {0: "batch"}}, ("y",))
    graph = export_part(part, tmp_path / "big.onnx")
    stored = derive_variant(graph, tmp_path / "stored.onnx", "fp32-stored")
    x = np.random.default_rng(0).normal(size=(3, 32)).astype(np.float32)
    graphs = Graphs({"big": graph, "stored": stored})
    np.testing.assert_array_equal(graphs("big", x=x)["y"], graphs("stored", x=x)["y"])


def test_unknown_variant(tmp_path: Path) -> None:
    from rsvlm_geo.export import export_pack

    with pytest.raises(ExportError, match="no variant int3"):
        export_pack("anywhere", tmp_path / "pack", variants=("int3",))
    with pytest.raises(ExportError, match="give it alone"):
        export_pack("anywhere", tmp_path / "pack", variants=("auto", "int8"))
    with pytest.raises(ExportError, match="one file"):
        export_pack("anywhere", tmp_path / "pack", variants=("fp32", "fp32-stored"))
    with pytest.raises(ExportError, match="18 is the portable one"):
        export_pack("anywhere", tmp_path / "pack", opset=17)
