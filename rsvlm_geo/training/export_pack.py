"""Write the pack's graphs: towers, evidence, decoder; fp32 stored as fp16, and int8."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from rsvlm_geo.training.decoder import Decoder, Talker
from rsvlm_geo.training.evidence import VisionGraph

OPSET = 18
VISION_OUTPUTS = ("ucm_logits", "eurosat_logits", "label_logits", "image_embeds", "peaks", "edges",
                  "evidence", "cross.key_values")  # fmt: skip


class VisionExport(nn.Module):
    """The vision graph and the decoder's keys and values, as a tuple."""

    def __init__(self, graph: VisionGraph, talker: Talker | None) -> None:
        super().__init__()
        self.graph, self.talker = graph, talker

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
        """See :class:`VisionGraph`; ``cross.key_values`` comes last."""
        out = self.graph(pixel_values)
        named = [out[n] for n in VISION_OUTPUTS[:-1]]
        if self.talker is not None:
            named.append(self.talker.tokens(out["evidence"]))
        return tuple(named)


class DecoderExport(nn.Module):
    """The decoder with its cache spread over named inputs and outputs."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, position_ids: Tensor, cross: Tensor,
        *past: Tensor,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        """See :class:`Decoder`."""
        logits, grown = self.decoder(input_ids, attention_mask, position_ids, cross, list(past))
        return (logits, *grown)


def export_vision(graph: VisionGraph, talker: Talker | None, path: Path) -> None:
    """``vision_encoder.onnx`` in fp32, any number of tiles."""
    module = VisionExport(graph, talker).eval()
    names = list(VISION_OUTPUTS[: None if talker is not None else -1])
    torch.onnx.export(
        module, (torch.zeros(2, 3, 256, 256),), str(path), input_names=["pixel_values"],
        output_names=names, opset_version=OPSET, dynamo=False, do_constant_folding=True,
        dynamic_axes={n: {0: "batch"} for n in ["pixel_values", *names]},
    )  # fmt: skip


def export_decoder(talker: Talker, path: Path) -> None:
    """``decoder_model_merged.onnx``: prefill (an empty cache) and step in one graph."""
    cfg = talker.decoder.cfg
    past = [torch.zeros(2, cfg.heads, 3, cfg.width // cfg.heads) for _ in range(2 * cfg.layers)]
    cross = talker.tokens(torch.zeros(2, sum(talker.tokens.sizes)))
    ids = torch.zeros(2, 4, dtype=torch.long)
    kv = [f"{i}.{k}" for i in range(cfg.layers) for k in ("key", "value")]
    inputs = ["input_ids", "attention_mask", "position_ids", "cross.key_values"]
    inputs += [f"past_key_values.{n}" for n in kv]
    axes: dict[str, dict[int, str]] = {
        "input_ids": {0: "batch", 1: "sequence"}, "position_ids": {0: "batch", 1: "sequence"},
        "attention_mask": {0: "batch", 1: "total"}, "cross.key_values": {0: "batch"},
        "logits": {0: "batch", 1: "sequence"},
    }  # fmt: skip
    axes |= {f"past_key_values.{n}": {0: "batch", 2: "past"} for n in kv}
    axes |= {f"present.{n}": {0: "batch", 2: "total"} for n in kv}
    torch.onnx.export(
        DecoderExport(talker.decoder).eval(),
        (ids, torch.ones(2, 7, dtype=torch.long), ids, cross, *past), str(path),
        input_names=inputs, output_names=["logits", *(f"present.{n}" for n in kv)],
        opset_version=OPSET, dynamo=False, dynamic_axes=axes,
    )  # fmt: skip


def store_half(src: Path, dst: Path) -> None:
    """Store large weights as fp16 and cast them up when loaded: computed in fp32, half the file."""
    model = onnx.load(src)
    graph = model.graph
    casts = []
    for i, init in enumerate(list(graph.initializer)):
        if init.data_type != TensorProto.FLOAT or np.prod(init.dims) < 512:
            continue
        name = init.name
        half = numpy_helper.from_array(
            numpy_helper.to_array(init).astype(np.float16), name + "_half"
        )
        graph.initializer[i].CopyFrom(half)
        casts.append(helper.make_node("Cast", [name + "_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, dst)


class TileReader:
    """Feeds calibration tiles to the quantiser, a few at a time."""

    def __init__(self, tiles: NDArray[np.uint8], batch: int = 4) -> None:
        self.tiles, self.batch, self.at = tiles, batch, 0

    def get_next(self) -> dict[str, Any] | None:
        """The next feeds, or None."""
        part = self.tiles[self.at : self.at + self.batch]
        self.at += self.batch
        if len(part) == 0:
            return None
        x = part.transpose(0, 3, 1, 2).astype(np.float32)
        return {"pixel_values": (x - 127) / 128}

    def rewind(self) -> None:
        """Start again."""
        self.at = 0


def quantise_vision(src: Path, dst: Path, tiles: NDArray[np.uint8], keep: Iterable[str]) -> None:
    """Static int8 of the convolutions, per channel; nodes whose name holds a ``keep`` stay fp32."""
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    ready = dst.with_suffix(".pre.onnx")
    quant_pre_process(str(src), str(ready), skip_symbolic_shape=True)
    names = [n.name for n in onnx.load(ready).graph.node]
    exclude = [n for n in names if any(k in n for k in keep)]
    quantize_static(
        str(ready), str(dst), TileReader(tiles), quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True,
        op_types_to_quantize=["Conv"], nodes_to_exclude=exclude,
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
    )  # fmt: skip
    ready.unlink()


def quantise_decoder(src: Path, dst: Path) -> None:
    """Dynamic int8 of the matrix products."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        str(src), str(dst), weight_type=QuantType.QInt8, per_channel=True,
        op_types_to_quantize=["MatMul", "Gemm"],
    )  # fmt: skip
