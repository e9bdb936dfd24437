"""Let several prompts lie in one row of a decoder: an optional bias on who sees whom.

The runtime holds all questions of a tile in one row behind the tile's image tokens, so that the
image's keys and values are read once for all of them and copied for none. The graph's own mask says
what is past and what is padding; ``attention_bias`` (float32, broadcast to [B, 1, S, P + S]) is
added to it and hides the questions from each other. It has a default of one zero: whoever does not
know it feeds nothing and gets what the published layout gives.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

__all__ = ["BIAS", "allow_branches"]

BIAS = "attention_bias"


def allow_branches(model: ir.Model) -> bool:
    """Add the input to a decoder's graph, in place.

    Args:
        model: Any graph; only one with a mask, a past and no cross attention is changed.

    Returns:
        Whether it was changed.
    """
    graph = model.graph
    names = {value.name or "" for value in graph.inputs}
    if BIAS in names or "attention_mask" not in names or "past_key_values.0.key" not in names:
        return False
    if any(name.startswith("cross.") or ".encoder." in name for name in names):
        return False
    masks = _masks(graph)
    if not masks:
        return False
    bias = ir.Value(
        name=BIAS,
        shape=ir.Shape(["bias_batch", 1, "bias_sequence", "bias_length"]),
        type=ir.TensorType(ir.DataType.FLOAT),
    )
    bias.const_value = ir.tensor(np.zeros((1, 1, 1, 1), np.float32), name=BIAS)
    graph.inputs.append(bias)
    graph.initializers.add(bias)
    casts: dict[ir.DataType, ir.Value] = {ir.DataType.FLOAT: bias}
    for mask in masks:
        _add(graph, mask, bias, casts)
    return True


def _masks(graph: ir.Graph) -> list[ir.Value]:
    """What is added to attention scores: beside each Softmax, or Attention's own mask."""
    found: dict[int, ir.Value] = {}
    for node in graph:
        mask: ir.Value | None = None
        if node.op_type == "Attention" and node.domain == "" and len(node.inputs) > 3:
            mask = node.inputs[3]
        elif node.op_type == "Softmax" and node.inputs[0] is not None:
            before = node.inputs[0].producer()
            if before is not None and before.op_type == "Add":
                mask = _deeper(before.inputs[0], before.inputs[1])
        if mask is not None:
            found[id(mask)] = mask
    return list(found.values())


def _deeper(first: ir.Value | None, second: ir.Value | None) -> ir.Value | None:
    """Of a sum's two sides, the mask: the one that no product of queries and keys leads to."""
    for value in (second, first):
        if value is None or value.producer() is None:
            continue
        node = value.producer()
        seen = 0
        while node is not None and seen < 6 and node.op_type in _PASSING:
            node = node.inputs[0].producer() if node.inputs[0] is not None else None
            seen += 1
        if node is not None and node.op_type in ("Where", "Concat", "Add"):
            return value
    return None


_PASSING = ("Unsqueeze", "Expand", "Slice", "Cast", "Reshape", "Identity")


def _add(
    graph: ir.Graph, mask: ir.Value, bias: ir.Value, casts: dict[ir.DataType, ir.Value]
) -> None:
    users = list(mask.uses())
    kind = mask.dtype or ir.DataType.FLOAT
    producer = mask.producer()
    assert producer is not None
    fresh: list[ir.Node] = []
    if kind not in casts:
        cast = ir.node("Cast", [bias], attributes={"to": int(kind)})
        cast.outputs[0].name = f"{BIAS}_{kind.name.lower()}"
        casts[kind] = cast.outputs[0]
        fresh.append(cast)
    total = ir.node("Add", [mask, casts[kind]])
    total.outputs[0].name = f"{mask.name}_biased"
    total.outputs[0].type = mask.type
    fresh.append(total)
    graph.insert_after(producer, fresh)
    for user, place in users:
        user.replace_input_with(place, total.outputs[0])
