"""One part of a model as one ONNX graph."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx_ir as ir
import torch
from torch import Tensor, nn

from rsvlm_geo.errors import ExportError
from rsvlm_geo.export.branches import allow_branches
from rsvlm_geo.export.rewrite import spell_for_speed

__all__ = ["OPSETS", "Part", "export_part", "last_tokens", "save_model"]

OPSETS = (18, 23)
"""18 runs everywhere; 23 keeps attention as one operator, for CPU and CUDA."""

INLINE_LIMIT_BYTES = 1_800_000_000
"""A protobuf holds 2 GB; weights above this go to a file beside the graph."""


@dataclass(frozen=True, slots=True)
class Part:
    """A module, sample inputs that show which axes vary, and the names of what goes in and out."""

    name: str
    """File stem under ``onnx/``: ``vision_encoder``."""
    module: nn.Module
    inputs: Mapping[str, Tensor]
    """Name -> sample, in the order of ``forward``; no size 0 or 1 on an axis that varies."""
    axes: Mapping[str, Mapping[int, str]]
    """Input -> axis -> what varies there; axes not named are fixed."""
    outputs: tuple[str, ...]
    past: Mapping[str, Tensor] = field(default_factory=dict)
    """Inputs that ``forward`` takes together, as its last argument, a flat list."""
    optional: frozenset[str] = frozenset()
    """Inputs that need not be fed: their sample is their default."""

    def __post_init__(self) -> None:
        samples = [*self.inputs.values(), *self.past.values()]
        if len({sample.data_ptr() for sample in samples}) != len(samples):
            # torch.export merges inputs that are one object: no error, wrong from step two on
            raise ExportError(f"{self.name}: two sample inputs share memory; give each its own")
        for name, sample in {**self.inputs, **self.past}.items():
            for axis in self.axes.get(name, {}):
                if sample.shape[axis] < 2:
                    raise ExportError(
                        f"{self.name}: sample {name} has size {sample.shape[axis]} on varying axis "
                        f"{axis}, which would be frozen; sample it with 2 or more"
                    )

    @property
    def args(self) -> tuple[Any, ...]:
        """Positional arguments of ``module.forward``."""
        plain = tuple(self.inputs.values())
        return (*plain, list(self.past.values())) if self.past else plain


def export_part(part: Part, path: Path, *, opset: int = 18) -> Path:
    """Write one graph, weights inside, or beside it as ``<name>.onnx_data`` above 1.8 GB.

    Args:
        part: What to export; its module is put in eval mode.
        path: ``.../onnx/vision_encoder.onnx``; its folder must exist.
        opset: One of :data:`OPSETS`.

    Raises:
        ExportError: The graph could not be captured or translated.
    """
    if opset not in OPSETS:
        raise ExportError(f"opset {opset} is none of {OPSETS}; 18 is the portable one")
    dynamic = [_dynamic(part, name) for name in part.inputs]
    shapes: tuple[Any, ...] = tuple(dynamic)
    if part.past:
        shapes = (*shapes, [_dynamic(part, name) for name in part.past])
    part.module.eval()
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                part.module,
                part.args,
                dynamo=True,
                dynamic_shapes=shapes,
                opset_version=opset,
                input_names=[*part.inputs, *part.past],
                output_names=list(part.outputs),
                verbose=False,
            )
    except Exception as error:  # the exporter wraps what any layer of torch may raise
        reason = str(error).strip().splitlines()
        raise ExportError(
            f"{part.name}: torch.onnx.export failed with {type(error).__name__}: "
            f"{reason[-1] if reason else 'no message'}; the layer it names needs a wrapper"
        ) from error
    if program is None:
        raise ExportError(f"{part.name}: torch.onnx.export returned nothing")
    model = program.model
    _name_axes(model, part.axes)
    _free_slices(model)
    allow_branches(model)
    spell_for_speed(model)
    for value in model.graph.inputs:
        if value.name in part.optional:
            value.const_value = ir.tensor(part.inputs[value.name].numpy(), name=value.name)
            model.graph.initializers.add(value)
    save_model(model, path)
    return path


def save_model(model: ir.Model, path: Path) -> None:
    """Write a graph, weights inside, or beside it as ``<name>.onnx_data`` above 1.8 GB.

    What the tracer notes down (paths and lines of the machine it ran on) is left out.
    """
    model.metadata_props.clear()
    model.graph.metadata_props.clear()
    for node in model.graph:
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()
    for value in (*model.graph.inputs, *model.graph.initializers.values()):
        value.metadata_props.clear()
    weights = [v.const_value for v in model.graph.initializers.values()]
    size = sum(int(w.nbytes) for w in weights if w is not None)
    if size > INLINE_LIMIT_BYTES:
        ir.save(model, path, external_data=path.name + "_data")
    else:
        ir.save(model, path)


def _dynamic(part: Part, name: str) -> dict[int, Any]:
    return dict.fromkeys(part.axes.get(name, {}), torch.export.Dim.DYNAMIC)


def _name_axes(model: ir.Model, axes: Mapping[str, Mapping[int, str]]) -> None:
    """Replace the tracer's symbols (s17 + s29) by what they are (batch, past_length)."""
    words: dict[str, str] = {}
    for value in model.graph.inputs:
        for axis, word in axes.get(value.name or "", {}).items():
            symbol = _symbol(value, axis)
            if symbol is not None:
                words.setdefault(symbol, word)
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, words)) + r")\b") if words else None
    if pattern is None:
        return
    values: list[ir.Value] = [*model.graph.inputs, *model.graph.outputs]
    values.extend(output for node in model.graph for output in node.outputs)
    for value in values:
        if value.shape is None:
            continue
        value.shape = ir.Shape([_renamed(dim, pattern, words) for dim in value.shape])


def _free_slices(model: ir.Model) -> None:
    """Forget the length claimed for what :func:`last_tokens` cuts, up to the output.

    ONNX Runtime plans its buffers by these shapes and stops where they are not true.
    """
    loose: list[ir.Value] = [
        node.outputs[0] for node in model.graph if node.metadata_props.get(_CUT) == "1"
    ]
    for value in loose:
        shape = value.shape
        value.shape = None
        if value.is_graph_output() and shape is not None:
            value.shape = ir.Shape([*shape[:1], "kept", *shape[2:]])
        loose.extend(o for node in value.consumers() for o in node.outputs)


_CUT = "rsvlm.last_tokens"


def last_tokens(hidden: Tensor, count: Tensor) -> Tensor:
    """The last ``count`` of [B, S, D] along S; all where ``count`` is 0."""
    if not torch.onnx.is_in_onnx_export():
        return hidden[:, -int(count) :]
    last = torch.tensor([torch.iinfo(torch.int64).max])
    return torch.onnx.ops.symbolic(
        "Slice",
        (hidden, -count.reshape(1), last, torch.tensor([1])),
        dtype=hidden.dtype,
        shape=hidden.shape,
        metadata_props={_CUT: "1"},
    )


def _symbol(value: ir.Value, axis: int) -> str | None:
    dim = value.shape[axis] if value.shape is not None else None
    return dim.value if isinstance(dim, ir.SymbolicDim) else None


def _renamed(
    dim: int | ir.SymbolicDim, pattern: re.Pattern[str], words: Mapping[str, str]
) -> int | str | None:
    if isinstance(dim, int):
        return dim
    if dim.value is None:
        return None
    return pattern.sub(lambda match: words[match.group(1)], dim.value)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's remarks (torchvision is absent, opset conversions) off the terminal."""
    names: Sequence[str] = ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
