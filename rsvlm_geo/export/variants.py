"""Smaller and faster forms of an exported graph.

::

    fp32          X.onnx        as computed by torch
    fp32-stored   X.onnx        weights stored as fp16, computed in fp32: half the file, same speed
    fp16          X_fp16.onnx   computed in fp16: for GPUs
    int8          X_int8.onnx   matrix products in int8, weights per channel: CPUs, many rows
    int4          X_q4.onnx     weights in blocks of 32 at 4 bits: CPUs, one row at a time
"""

from __future__ import annotations

import copy
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx_ir as ir

from rsvlm_geo.errors import ExportError
from rsvlm_geo.export.graph import INLINE_LIMIT_BYTES, save_model

__all__ = ["SUFFIXES", "VARIANTS", "derive_variant", "half_model"]

SUFFIXES: Mapping[str, str] = MappingProxyType(
    {"fp32": "", "fp32-stored": "", "fp16": "_fp16", "int8": "_int8", "int4": "_q4"}
)
"""Variant -> what follows the part's name in its file."""
VARIANTS = tuple(SUFFIXES)

_FP16_MAX = 65504.0
_SMALL = 256
"""Weights of fewer elements stay as they are: nothing to gain, norms are sensitive."""


_REST = frozenset({"Gather", "Conv"})
"""What no quantizer here touches: tables and convolutions."""


def derive_variant(graph: Path, target: Path, variant: str) -> Path:
    """Write a variant of a float32 graph.

    Args:
        graph: The fp32 file.
        target: File to write; its folder must exist.
        variant: ``fp32-stored``, ``int8`` or ``int4``. (``fp16`` is exported from a half model.)

    Raises:
        ExportError: The variant is not one of these, or the quantizer failed.
    """
    makers = {"fp32-stored": _store_half, "int8": _int8, "int4": _int4}
    maker = makers.get(variant)
    if maker is None:
        raise ExportError(f"{variant!r} cannot be derived from a graph; take {', '.join(makers)}")
    logging.disable(logging.WARNING)  # "consider pre-processing", once per graph
    try:
        maker(graph, target)
    except Exception as error:  # the quantizers raise whatever they stumble on
        raise ExportError(
            f"{graph.name} could not be made {variant} ({type(error).__name__}: {error}); "
            "take another variant for this part"
        ) from error
    finally:
        logging.disable(logging.NOTSET)
    return target


def half_model(model: Any) -> Any:
    """A copy that computes in fp16; what it was copied from is left as it is."""
    return copy.deepcopy(model).half()


def _store_half(graph: Path, target: Path, *, only: frozenset[str] | None = None) -> None:
    """Each large float32 weight becomes fp16 and a Cast, which runtimes fold when they load.

    ``only``: those that go into nothing but these operators.
    """
    model = ir.load(graph)
    for name, value in list(model.graph.initializers.items()):
        held = value.const_value
        if held is None or value.dtype != ir.DataType.FLOAT or value.is_graph_input():
            continue
        if only is not None and not {node.op_type for node in value.consumers()} <= only:
            continue
        array = held.numpy()
        if array.size < _SMALL or np.abs(array).max() > _FP16_MAX:
            continue
        half = ir.Value(
            name=f"{name}_fp16",
            const_value=ir.tensor(array.astype(np.float16), name=f"{name}_fp16"),
            type=ir.TensorType(ir.DataType.FLOAT16),
            shape=ir.Shape(array.shape),
        )
        cast = ir.node("Cast", [half], attributes={"to": int(ir.DataType.FLOAT)})
        cast.outputs[0].shape = ir.Shape(array.shape)
        cast.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
        value.replace_all_uses_with(cast.outputs[0])
        model.graph.initializers.pop(name)
        cast.outputs[0].name = name
        model.graph.initializers.add(half)
        model.graph.insert_before(model.graph[0], cast)
    save_model(model, target)


def _int8(graph: Path, target: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        plain = _without_gemm(graph, Path(folder) / graph.name)
        quantize_dynamic(
            plain,
            Path(folder) / target.name,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            use_external_data_format=_large(graph),
            extra_options={"MatMulConstBOnly": True},
        )
        _store_half(Path(folder) / target.name, target, only=_REST)


def _int4(graph: Path, target: Path) -> None:
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    with tempfile.TemporaryDirectory() as folder:
        plain = _without_gemm(graph, Path(folder) / graph.name)
        quantizer = MatMulNBitsQuantizer(
            onnx.load(plain), bits=4, block_size=32, is_symmetric=True, accuracy_level=4
        )
        quantizer.process()
        between = Path(folder) / target.name
        quantizer.model.save_model_to_file(str(between), _large(graph))
        _store_half(between, target, only=_REST)


def _large(graph: Path) -> bool:
    beside = graph.with_name(graph.name + "_data")
    return graph.stat().st_size + (beside.stat().st_size if beside.is_file() else 0) > (
        INLINE_LIMIT_BYTES
    )


def _without_gemm(graph: Path, target: Path) -> Path:
    """The graph with each Gemm over a constant matrix as MatMul and Add, which can be quantized."""
    model = ir.load(graph)
    for node in list(model.graph):
        if node.op_type != "Gemm" or node.inputs[1] is None:
            continue
        matrix = node.inputs[1].const_value
        flags = {name: attr.value for name, attr in node.attributes.items()}
        if matrix is None or flags.get("transA", 0) or flags.get("alpha", 1.0) != 1.0:
            continue
        if flags.get("beta", 1.0) != 1.0:
            continue
        array = matrix.numpy().T if flags.get("transB", 0) else matrix.numpy()
        name = f"{node.inputs[1].name}_matmul_{node.outputs[0].name}"
        right = ir.Value(
            name=name,
            const_value=ir.tensor(np.ascontiguousarray(array), name=name),
            type=ir.TensorType(ir.DataType.FLOAT),
            shape=ir.Shape(array.shape),
        )
        model.graph.initializers.add(right)
        product = ir.node("MatMul", [node.inputs[0], right])
        product.outputs[0].name = f"{node.outputs[0].name}_product"
        model.graph.insert_before(node, product)
        if len(node.inputs) > 2 and node.inputs[2] is not None:
            last = ir.node("Add", [product.outputs[0], node.inputs[2]])
            model.graph.insert_before(node, last)
        else:
            last = ir.node("Identity", [product.outputs[0]])
            model.graph.insert_before(node, last)
        old, new = node.outputs[0], last.outputs[0]
        said = old.name
        new.shape, new.type = old.shape, old.type
        old.replace_all_uses_with(new, replace_graph_outputs=True)
        model.graph.remove(node, safe=True)
        new.name = said
    used = {i.name for node in model.graph for i in node.inputs if i is not None}
    for name in [n for n, v in model.graph.initializers.items() if n not in used]:
        if not model.graph.initializers[name].is_graph_input():
            model.graph.initializers.pop(name)
    save_model(model, target)
    return target
