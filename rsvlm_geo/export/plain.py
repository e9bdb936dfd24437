"""Small modules of plain operators to ONNX, by the tracing exporter."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

__all__ = ["OPSET", "export_plain"]

OPSET = 18


def export_plain(
    module: nn.Module, args: tuple[Tensor, ...], path: Path, inputs: Sequence[str],
    outputs: Sequence[str],
) -> None:  # fmt: skip
    """Trace a module and write it; the first axis of everything is a batch.

    Args:
        module: Without branches on values.
        args: Example inputs, batch of two.
        path: Where to; its folder exists.
        inputs, outputs: Their names; ``input_ids`` may also be of any length.
    """
    axes = {name: {0: "batch"} for name in (*inputs, *outputs)}
    if "input_ids" in axes:
        axes["input_ids"][1] = "sequence"
    with warnings.catch_warnings():
        # the tracing exporter says that another is newer, and notes every constant shape
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(), args, str(path), input_names=list(inputs), output_names=list(outputs),
            opset_version=OPSET, dynamo=False, dynamic_axes=axes,
        )  # fmt: skip
