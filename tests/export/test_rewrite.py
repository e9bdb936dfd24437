"""Graphs spelled for speed say the same numbers, with the copies of the keys gone."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
import torch
from torch import Tensor, nn

from rsvlm_geo.export.graph import _quiet, save_model
from rsvlm_geo.export.rewrite import spell_for_speed

pytestmark = pytest.mark.export


class Layer(nn.Module):
    """An RMS norm and attention over two heads, as a language model has them."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(16) + 0.5)
        self.q, self.k, self.v = (nn.Linear(16, 16, bias=False) for _ in range(3))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        normal = self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))
        q, k, v = (
            part(normal).reshape(*x.shape[:2], 2, 8).transpose(1, 2)
            for part in (self.q, self.k, self.v)
        )
        return nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the exporter writes it."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("rewrite") / "layer.onnx"
    some = torch.export.Dim.DYNAMIC
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            Layer().eval(),
            (torch.randn(2, 5, 16), torch.zeros(2, 1, 5, 5)),
            dynamo=True,
            verbose=False,
            dynamic_shapes=({0: some, 1: some}, {0: some, 2: some, 3: some}),
            opset_version=18,
        )
    assert program is not None
    save_model(program.model, path)
    return path


def run(path: Path, feeds: dict[str, np.ndarray]) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    result: np.ndarray = session.run(None, feeds)[0]
    return result


def test_same_numbers_with_fewer_steps(graph: Path, tmp_path: Path) -> None:
    model = ir.load(graph)
    before = Counter(node.op_type for node in model.graph)
    assert spell_for_speed(model) == 2
    after = Counter(node.op_type for node in model.graph)
    assert before["Reciprocal"] == 1 and after["Reciprocal"] == 0
    assert after["Reshape"] < before["Reshape"], "keys are turned without reshapes"
    assert sum(after.values()) < sum(before.values())
    out = tmp_path / "fast.onnx"
    save_model(model, out)
    rng = np.random.default_rng(1)
    for batch, length in ((1, 1), (3, 7)):
        seen = rng.random((batch, 1, length, length)) < 0.7
        seen |= np.eye(length, dtype=bool)
        feeds = {
            "x": rng.standard_normal((batch, length, 16)).astype(np.float32),
            "mask": np.where(seen, 0, np.finfo(np.float32).min).astype(np.float32),
        }
        np.testing.assert_allclose(run(graph, feeds), run(out, feeds), atol=2e-6)


def test_what_is_not_meant_is_left_alone(graph: Path) -> None:
    model = ir.load(graph)
    assert spell_for_speed(model) > 0
    nodes = len(list(model.graph))
    assert spell_for_speed(model) == 0, "a second time there is nothing to do"
    assert len(list(model.graph)) == nodes


def test_a_scale_that_varies_is_no_scale() -> None:
    kind = ir.TensorType(ir.DataType.FLOAT)
    keys = ir.Value(name="keys", shape=ir.Shape([1, 2, 3, 4]), type=kind)
    query = ir.Value(name="query", shape=ir.Shape([1, 2, 3, 4]), type=kind)
    factor = ir.Value(
        name="factor", const_value=ir.tensor(np.full(4, 1 / math.sqrt(2), np.float32)),
        shape=ir.Shape([4]), type=kind,
    )  # fmt: skip
    left = ir.node("Mul", [query, factor])
    right = ir.node("Mul", [keys, factor])
    product = ir.node("MatMul", [left.outputs[0], right.outputs[0]])
    graph = ir.Graph([query, keys], product.outputs, nodes=[left, right, product],
                     initializers=[factor], opset_imports={"": 18})  # fmt: skip
    assert spell_for_speed(ir.Model(graph, ir_version=10)) == 0
