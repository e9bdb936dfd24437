"""Spell two things the way ONNX Runtime knows to run them fast; standard operators only.

The exporter scales queries and keys by the root of the attention's scale, each by itself, and turns
the keys around through reshapes: a copy of the whole cache for every token said. It writes an RMS
norm with a reciprocal, which keeps the runtime from running it as one operator. Both come out as
the same numbers up to rounding.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

__all__ = ["spell_for_speed"]


def spell_for_speed(model: ir.Model) -> int:
    """Rewrite attention scores and RMS norms, in place.

    Args:
        model: Any graph.

    Returns:
        How many places were changed.
    """
    graph = model.graph
    changed = 0
    for node in list(graph):
        if node.op_type == "MatMul" and node.domain == "":
            changed += _scores(graph, node)
        elif node.op_type == "Mul" and node.domain == "":
            changed += _rms_norm(graph, node)
    if changed:
        _remove_unused(graph)
    return changed


def _scores(graph: ir.Graph, product: ir.Node) -> bool:
    """``(q c) @ (k' c)``, k' turned through reshapes, becomes ``(q c c) @ transpose(k)``."""
    query, key = (_producer(value, "Mul") for value in product.inputs[:2])
    if query is None or key is None:
        return False
    scale, other = _constant(query), _constant(key)
    if scale is None or other is None or scale.size != 1 or other.size != 1:
        return False
    turned = _turned(key.inputs[0])
    if turned is None:
        return False
    whole = ir.Value(
        name=f"{product.outputs[0].name}_scale",
        const_value=ir.tensor((scale * other).astype(scale.dtype)),
        type=query.inputs[1].type if query.inputs[1] is not None else None,
        shape=ir.Shape(scale.shape),
    )
    assert whole.const_value is not None
    whole.const_value.name = whole.name
    graph.initializers.add(whole)
    scaled = ir.node("Mul", [query.inputs[0], whole])
    swap = ir.node("Transpose", [turned], attributes={"perm": [0, 1, 3, 2]})
    scaled.outputs[0].name = f"{product.outputs[0].name}_query"
    swap.outputs[0].name = f"{product.outputs[0].name}_key"
    for fresh, like in ((scaled, query.inputs[0]), (swap, turned)):
        fresh.outputs[0].type = like.type if like is not None else None
    graph.insert_before(product, [scaled, swap])
    product.replace_input_with(0, scaled.outputs[0])
    product.replace_input_with(1, swap.outputs[0])
    return True


def _turned(value: ir.Value | None) -> ir.Value | None:
    """The keys [B, K, P, D] that a Reshape of a Transpose of a Reshape turned to [B, K, D, P]."""
    back = _producer(value, "Reshape")
    turn = _producer(back.inputs[0], "Transpose") if back is not None else None
    flat = _producer(turn.inputs[0], "Reshape") if turn is not None else None
    if turn is None or flat is None or tuple(turn.attributes["perm"].as_ints()) != (0, 2, 1):
        return None
    keys = flat.inputs[0]
    return keys if keys is not None and keys.shape is not None and len(keys.shape) == 4 else None


def _rms_norm(graph: ir.Graph, product: ir.Node) -> bool:
    """``x * (1 / root)`` becomes ``x / root``."""
    for place in (0, 1):
        inverse = _producer(product.inputs[place], "Reciprocal")
        if inverse is None or _producer(inverse.inputs[0], "Sqrt") is None:
            continue
        quotient = ir.node("Div", [product.inputs[1 - place], inverse.inputs[0]])
        old, new = product.outputs[0], quotient.outputs[0]
        said = old.name
        new.type, new.shape = old.type, old.shape
        graph.insert_before(product, quotient)
        old.replace_all_uses_with(new, replace_graph_outputs=True)
        graph.remove(product, safe=True)
        new.name = said
        return True
    return False


def _producer(value: ir.Value | None, operator: str) -> ir.Node | None:
    node = None if value is None else value.producer()
    return node if node is not None and node.op_type == operator and not node.domain else None


def _constant(node: ir.Node) -> np.ndarray | None:
    """The second factor, where it is known."""
    value = node.inputs[1]
    held = None if value is None or value.is_graph_input() else value.const_value
    return None if held is None else held.numpy()


def _remove_unused(graph: ir.Graph) -> None:
    for node in reversed(list(graph)):
        if not any(output.uses() or output.is_graph_output() for output in node.outputs):
            graph.remove(node, safe=True)
    for name, value in list(graph.initializers.items()):
        if not value.uses() and not value.is_graph_input() and not value.is_graph_output():
            graph.initializers.pop(name)
