"""Graphs of a node or two, written byte by byte in protobuf's wire format.

ONNX Runtime's Python interface can keep arrays on a card but offers no operation on them, so what
a cache needs (take rows and columns, stack two) is itself a graph; so is the product in bytes that
a search of many vectors walks through. Running them needs no ``onnx`` package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["byte_scores_graph", "gather_graph", "stack_graph"]

_TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int64": 7, "float16": 10, "bfloat16": 16}
_FLOAT32 = _TYPES["float32"]


def gather_graph(dtype: str) -> bytes:
    """``y = x[rows][:, :, columns]`` for x of rank 4; rows and columns are int64 indices.

    Args:
        dtype: Of x, ``float32`` or ``float16``.
    """
    nodes = [
        _node("Gather", ["x", "rows"], ["picked"], {"axis": 0}),
        _node("Gather", ["picked", "columns"], ["y"], {"axis": 2}),
    ]
    inputs = [
        _value("x", dtype, ("b", "k", "p", "d")),
        _value("rows", "int64", ("n",)),
        _value("columns", "int64", ("m",)),
    ]
    return _model(nodes, inputs, [_value("y", dtype, ("n", "k", "m", "d"))])


def stack_graph(dtype: str) -> bytes:
    """``y = concatenate([a, b])`` along the rows, for a and b of rank 4."""
    shape = ("k", "p", "d")
    inputs = [_value("a", dtype, ("n", *shape)), _value("b", dtype, ("m", *shape))]
    return _model(
        [_node("Concat", ["a", "b"], ["y"], {"axis": 0})],
        inputs,
        [_value("y", dtype, ("s", *shape))],
    )


def byte_scores_graph(columns: NDArray[np.int8], scales: NDArray[np.float32]) -> bytes:
    """``scores = float(query @ columns) * scales``, with the columns as weights of the graph.

    Args:
        columns: int8[D, n], as many vectors as may be kept within protobuf's 2 GB.
        scales: float32[n].

    Returns:
        A graph of ``query`` uint8[1, D], whose zero is 128, to ``scores`` float32[1, n].
    """
    nodes = [
        _node("MatMulInteger", ["query", "columns", "zero"], ["product"], {}),
        _node("Cast", ["product"], ["real"], {"to": _FLOAT32}),
        _node("Mul", ["real", "scales"], ["scores"], {}),
    ]
    return _model(
        nodes,
        [_value("query", "uint8", ("one", "d"))],
        [_value("scores", "float32", ("one", "n"))],
        [
            _weight("columns", columns),
            _weight("scales", scales),
            _weight("zero", np.array(128, np.uint8)),
        ],
    )


def _model(
    nodes: Sequence[bytes], inputs: Sequence[bytes], outputs: Sequence[bytes],
    weights: Sequence[bytes] = (),
) -> bytes:  # fmt: skip
    graph = b"".join(_bytes(1, node) for node in nodes) + _text(2, "tiny")
    graph += b"".join(_bytes(5, weight) for weight in weights)
    graph += b"".join(_bytes(11, value) for value in inputs)
    graph += b"".join(_bytes(12, value) for value in outputs)
    return _int(1, 8) + _bytes(7, graph) + _bytes(8, _text(1, "") + _int(2, 13))


def _node(op: str, inputs: Sequence[str], outputs: Sequence[str], ints: Mapping[str, int]) -> bytes:
    node = b"".join(_text(1, name) for name in inputs)
    node += b"".join(_text(2, name) for name in outputs) + _text(4, op)
    for name, value in ints.items():
        node += _bytes(5, _text(1, name) + _int(3, value) + _int(20, 2))
    return node


def _weight(name: str, values: NDArray[np.generic]) -> bytes:
    dims = b"".join(_int(1, size) for size in values.shape)
    kind = _int(2, _TYPES[values.dtype.name])
    return dims + kind + _text(8, name) + _bytes(9, values.tobytes())


def _value(name: str, dtype: str, shape: Sequence[str]) -> bytes:
    dims = b"".join(_bytes(1, _text(2, dim)) for dim in shape)
    tensor = _int(1, _TYPES[dtype]) + _bytes(2, dims)
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _int(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _text(number: int, value: str) -> bytes:
    return _bytes(number, value.encode())


def _bytes(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
