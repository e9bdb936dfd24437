"""Small worlds: packs of a few kilobytes, made on the spot.

Two kinds. :func:`write_toy_pack` needs ``onnx`` only: an image is its mean colour, a decoder is one
layer of attention over random weights; fast, and different answers for different prompts.
:func:`write_tiny_pack` takes a real architecture of transformers with random weights through the
exporter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

BYTES = 256
SPECIAL = {
    256: "<pad>", 257: "<bos>", 258: "</s>", 259: "<image>", 260: "<|vision_start|>",
    261: "<|vision_end|>", 262: "<|video_pad|>", 263: "<fake_token_around_image>",
    264: "<global-img>", 265: "<end_of_utterance>", 266: "<|im_start|>", 267: "<row_1_col_1>",
    268: "<row_1_col_2>", 269: "<row_2_col_1>", 270: "<row_2_col_2>",
}  # fmt: skip
VOCAB = 288
EOS = 258
HIDDEN, HEADS, WIDTH = 16, 2, 8
IMAGE_TOKENS = 4


def write_tokenizer(
    folder: Path, special: Mapping[int, str] = SPECIAL, *, bos: bool = False
) -> None:
    """A byte tokenizer: ids 0..255 are bytes, the rest special tokens."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

    alphabet = _byte_alphabet()
    tokenizer = Tokenizer(models.BPE({c: i for i, c in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    for number in range(BYTES, max(special) + 1):
        word = special.get(number, f"<unused_{number}>")
        tokenizer.add_special_tokens([AddedToken(word, normalized=False, special=True)])
        assert tokenizer.token_to_id(word) == number
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<bos> $A", special_tokens=[("<bos>", 257)]
        )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"bos_token": "<bos>", "eos_token": "</s>", "pad_token": "<pad>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def _byte_alphabet() -> list[str]:
    """GPT-2's printable stand-ins for bytes, by byte."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    extra = iter(range(256, 512))
    return [chr(b) if b in shown else chr(next(extra)) for b in range(BYTES)]


def write_toy_pack(
    folder: Path, *, bias: bool = True, seed: int = 0, card: Mapping[str, Any] | None = None
) -> Path:
    """A LLaVA-shaped pack: 8 x 8 pixels, 4 image tokens, one layer.

    Args:
        folder: Where to.
        bias: Whether the decoder takes ``attention_bias``.
        seed: Of the weights.
        card: ``rsvlm.json``, hashes added; None for a pack without one.
    """
    import onnx

    (folder / "onnx").mkdir(parents=True)
    rng = np.random.default_rng(seed)
    onnx.save(_vision(rng), folder / "onnx/vision_encoder.onnx")
    onnx.save(_embed(rng), folder / "onnx/embed_tokens.onnx")
    onnx.save(_decoder(rng, bias), folder / "onnx/decoder_model_merged.onnx")
    write_tokenizer(folder)
    write_settings(
        folder,
        config={"model_type": "llava", "image_token_id": 259, "eos_token_id": EOS},
        preprocessor={
            "image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 8},
            "crop_size": {"height": 8, "width": 8}, "do_center_crop": True, "resample": 3,
        },
    )  # fmt: skip
    if card is not None:
        write_card(folder, card)
    return folder


def write_settings(
    folder: Path, *, config: Mapping[str, Any], preprocessor: Mapping[str, Any]
) -> None:
    """``config.json`` and ``preprocessor_config.json``."""
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """``rsvlm.json`` with the sha256 of every other file."""
    from rsvlm_geo.model.pack import hash_file

    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "rsvlm.json")
    hashes = {p.relative_to(folder).as_posix(): hash_file(p) for p in files}
    said = {"format": 1, "name": folder.name, **card, "sha256": hashes}
    (folder / "rsvlm.json").write_text(json.dumps(said))


def write_tiny_pack(model_type: str, folder: Path, *, seed: int = 0) -> Any:
    """Export a tiny model of a family; returns the transformers model."""
    from rsvlm_geo.export.families import FAMILIES
    from rsvlm_geo.export.graph import export_part
    from rsvlm_geo.export.tiny import tiny_model

    model = tiny_model(model_type, seed=seed)
    (folder / "onnx").mkdir(parents=True)
    more = {"side": 28} if model_type == "florence2" else {}
    for part in FAMILIES[model_type].parts(model, **more):
        export_part(part, folder / "onnx" / f"{part.name}.onnx")
    model.config.save_pretrained(folder)
    generation = getattr(model, "generation_config", None)
    if generation is not None:
        generation.save_pretrained(folder)
    special = dict(SPECIAL)
    if model_type.startswith("qwen"):
        special[259] = "<|image_pad|>"
    write_tokenizer(folder, special)
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSORS[model_type]))
    return model


_SQUARE = {"size": {"height": 28, "width": 28}, "resample": 3, "image_mean": [0.5] * 3,
           "image_std": [0.5] * 3}  # fmt: skip
_CROPS = {"size": {"longest_edge": 56}, "max_image_size": {"longest_edge": 28}, "resample": 1,
          "do_image_splitting": True}  # fmt: skip
_PATCHES = {"image_processor_type": "Qwen2VLImageProcessor", "min_pixels": 3136,
            "max_pixels": 12544}  # fmt: skip
PROCESSORS: dict[str, dict[str, Any]] = {
    "llava": {"image_processor_type": "CLIPImageProcessor", **_SQUARE, "do_center_crop": False},
    "idefics3": {"image_processor_type": "Idefics3ImageProcessor", **_CROPS},
    "smolvlm": {"image_processor_type": "SmolVLMImageProcessor", **_CROPS},
    "qwen2_vl": _PATCHES,
    "qwen2_5_vl": _PATCHES,
    "paligemma": {"image_processor_type": "SiglipImageProcessor", **_SQUARE},
    "git": {"image_processor_type": "CLIPImageProcessor", **_SQUARE, "do_center_crop": False},
    "florence2": {"image_processor_type": "CLIPImageProcessor", **_SQUARE,
                  "do_center_crop": False},
    "blip": {"image_processor_type": "BlipImageProcessor", **_SQUARE},
    "vision-encoder-decoder": {"image_processor_type": "ViTImageProcessor", **_SQUARE},
}  # fmt: skip


def _vision(rng: np.random.Generator) -> Any:
    """Quarters of the image, flattened, projected: [B, 3, 8, 8] -> [B, 4, 16]."""
    from onnx import TensorProto as T
    from onnx import helper as h

    nodes = [
        h.make_node("Reshape", ["pixel_values", "blocks"], ["split"]),
        h.make_node("Transpose", ["split"], ["ordered"], perm=[0, 2, 4, 1, 3, 5]),
        h.make_node("Reshape", ["ordered", "flat"], ["patches"]),
        h.make_node("MatMul", ["patches", "weight"], ["image_features"]),
    ]
    weight = rng.normal(0, 0.3, (48, HIDDEN)).astype(np.float32)
    inits = [
        _init("weight", weight),
        _init("blocks", np.array([0, 3, 2, 4, 2, 4])),
        _init("flat", np.array([0, 4, 48])),
    ]
    return _model(
        nodes, [h.make_tensor_value_info("pixel_values", T.FLOAT, ["b", 3, 8, 8])],
        [h.make_tensor_value_info("image_features", T.FLOAT, ["b", 4, HIDDEN])], inits,
    )  # fmt: skip


def _embed(rng: np.random.Generator) -> Any:
    from onnx import TensorProto as T
    from onnx import helper as h

    table = rng.normal(0, 1, (VOCAB, HIDDEN)).astype(np.float32)
    return _model(
        [h.make_node("Gather", ["table", "input_ids"], ["inputs_embeds"])],
        [h.make_tensor_value_info("input_ids", T.INT64, ["b", "s"])],
        [h.make_tensor_value_info("inputs_embeds", T.FLOAT, ["b", "s", HIDDEN])],
        [_init("table", table)],
    )


def _decoder(rng: np.random.Generator, bias: bool) -> Any:
    """One layer of causal attention; positions turn the queries and keys by cosines."""
    from onnx import TensorProto as T
    from onnx import helper as h

    def node(op: str, inputs: list[str], outputs: list[str], **attrs: Any) -> Any:
        return h.make_node(op, inputs, outputs, **attrs)

    nodes = [
        node("Cast", ["position_ids"], ["places"], to=T.FLOAT),
        node("Unsqueeze", ["places", "last"], ["column"]),
        node("Mul", ["column", "rates"], ["angles"]),
        node("Cos", ["angles"], ["turn"]),
        node("Add", ["inputs_embeds", "turn"], ["x"]),
    ]
    for name in ("q", "k", "v"):
        nodes += [
            node("MatMul", ["x", f"w{name}"], [f"{name}0"]),
            node("Reshape", [f"{name}0", "split"], [f"{name}1"]),
            node("Transpose", [f"{name}1"], [f"{name}2"], perm=[0, 2, 1, 3]),
        ]
    nodes += [
        node("Concat", ["past_key_values.0.key", "k2"], ["present.0.key"], axis=2),
        node("Concat", ["past_key_values.0.value", "v2"], ["present.0.value"], axis=2),
        node("Transpose", ["present.0.key"], ["kt"], perm=[0, 1, 3, 2]),
        node("MatMul", ["q2", "kt"], ["scores"]),
        # causal: key index <= query index + past length
        node("Shape", ["attention_mask"], ["total1"], start=1, end=2),
        node("Shape", ["position_ids"], ["new1"], start=1, end=2),
        node("Squeeze", ["total1"], ["total"]),
        node("Squeeze", ["new1"], ["new"]),
        node("Sub", ["total", "new"], ["before"]),
        node("Range", ["zero", "total", "one"], ["keys"]),
        node("Range", ["before", "total", "one"], ["queries"]),
        node("Unsqueeze", ["queries", "one1"], ["queries2"]),
        node("LessOrEqual", ["keys", "queries2"], ["causal"]),
        node("Cast", ["attention_mask"], ["valid"], to=T.BOOL),
        node("Unsqueeze", ["valid", "one1"], ["valid2"]),
        node("And", ["causal", "valid2"], ["seen"]),
        node("Unsqueeze", ["seen", "one1"], ["seen2"]),
        node("Where", ["seen2", "nothing", "never"], ["mask"]),
        node("Add", ["scores", "mask"], ["masked"]),
    ]
    last = "masked"
    if bias:
        nodes.append(node("Add", ["masked", "attention_bias"], ["biased"]))
        last = "biased"
    nodes += [
        node("Softmax", [last], ["weights"], axis=-1),
        node("MatMul", ["weights", "present.0.value"], ["mixed"]),
        node("Transpose", ["mixed"], ["mixed2"], perm=[0, 2, 1, 3]),
        node("Reshape", ["mixed2", "join"], ["mixed3"]),
        node("Add", ["mixed3", "x"], ["hidden"]),
        node("MatMul", ["hidden", "head"], ["logits"]),
    ]
    inits = [
        _init("rates", np.linspace(0.1, 2.0, HIDDEN).astype(np.float32)),
        *(_init(f"w{n}", rng.normal(0, 0.4, (HIDDEN, HIDDEN)).astype("f4")) for n in "qkv"),
        _init("head", rng.normal(0, 1, (HIDDEN, VOCAB)).astype(np.float32)),
        _init("split", np.array([0, 0, HEADS, WIDTH])),
        _init("join", np.array([0, 0, HIDDEN])),
        _init("last", np.array([2])),
        _init("zero", np.array(0)),
        _init("one", np.array(1)),
        _init("one1", np.array([1])),
        _init("nothing", np.array(0, np.float32)),
        _init("never", np.array(-3.4e38, np.float32)),
    ]
    past = ["b", HEADS, "p", WIDTH]
    inputs = [
        h.make_tensor_value_info("inputs_embeds", T.FLOAT, ["b", "s", HIDDEN]),
        h.make_tensor_value_info("attention_mask", T.INT64, ["b", "t"]),
        h.make_tensor_value_info("position_ids", T.INT64, ["b", "s"]),
        h.make_tensor_value_info("past_key_values.0.key", T.FLOAT, past),
        h.make_tensor_value_info("past_key_values.0.value", T.FLOAT, past),
    ]
    if bias:
        inputs.append(h.make_tensor_value_info("attention_bias", T.FLOAT, ["x", 1, "y", "z"]))
        inits.append(_init("attention_bias", np.zeros((1, 1, 1, 1), np.float32)))
    outputs = [
        h.make_tensor_value_info("logits", T.FLOAT, ["b", "s", VOCAB]),
        h.make_tensor_value_info("present.0.key", T.FLOAT, ["b", HEADS, "t", WIDTH]),
        h.make_tensor_value_info("present.0.value", T.FLOAT, ["b", HEADS, "t", WIDTH]),
    ]
    return _model(nodes, inputs, outputs, inits)


def _init(name: str, value: np.ndarray) -> Any:
    from onnx import numpy_helper

    return numpy_helper.from_array(np.ascontiguousarray(value), name)


def _model(nodes: list[Any], inputs: list[Any], outputs: list[Any], inits: list[Any]) -> Any:
    from onnx import helper as h

    graph = h.make_graph(nodes, "toy", inputs, outputs, inits)
    return h.make_model(graph, opset_imports=[h.make_opsetid("", 18)], ir_version=8)
