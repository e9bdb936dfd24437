"""CLIP and CoCa weights in open_clip's names give open_clip's numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rsvlm_geo.errors import ExportError

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytestmark = pytest.mark.export

GOLDEN = json.loads((Path(__file__).parent / "golden_clip.json").read_text())
"""Outputs of open_clip 3.3.0 on the weights and inputs below."""


def weights(shapes: dict[str, list[int]]) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    out = {}
    for key in sorted(shapes):
        shape = shapes[key]
        if key.endswith("num_batches_tracked"):
            out[key] = torch.tensor(1)
            continue
        x = rng.standard_normal(shape)
        if "running_var" in key:
            x = 0.5 + np.abs(x)
        elif key == "logit_scale":
            x = np.array(2.0)
        elif len(shape) < 2:
            x = (1.0 if key.endswith("weight") else 0.0) + 0.1 * x
        else:
            x = x * (0.5 / np.sqrt(shape[-1] if len(shape) == 2 else np.prod(shape[1:]))) * 2
        out[key] = torch.tensor(np.asarray(x), dtype=torch.float32)
    return out


def inputs(size: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    x = torch.tensor(rng.standard_normal((2, 3, size, size)), dtype=torch.float32)
    t = rng.integers(1, 48, (2, 12))
    t[:, 0] = 48
    t[0, 5], t[0, 6:], t[1, 11] = 49, 0, 49
    return x, torch.tensor(t)


@pytest.mark.parametrize("kind", ["vit_b_32", "vit_l_14", "rn50"])
def test_clip_equals_open_clip(kind: str) -> None:
    from rsvlm_geo.export.clip import convert_clip

    gold = GOLDEN[kind]
    clip = convert_clip(
        weights(gold["shapes"]), activation="quick_gelu" if gold["quick"] else "gelu",
        heads=tuple(gold["heads"]),
    )  # fmt: skip
    x, t = inputs(gold["image_size"])
    with torch.no_grad():
        image, text = clip.vision(x), clip.text(t)
    assert np.abs(image.numpy() - np.array(gold["image"])).max() <= 1e-5
    assert np.abs(text.numpy() - np.array(gold["text"])).max() <= 1e-5
    assert clip.logit_scale == pytest.approx(np.exp(2.0))


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    from rsvlm_geo.export.clip import convert_clip, read_weights

    state = weights(GOLDEN["vit_b_32"]["shapes"])
    with pytest.raises(ExportError, match="left over"):
        convert_clip({**state, "visual.extra.weight": torch.zeros(2)}, heads=(2, 2))
    less = {k: v for k, v in state.items() if "mlp.c_fc.bias" not in k}
    with pytest.raises(ExportError, match="has no weight"):
        convert_clip(less, heads=(2, 2))
    with pytest.raises(ExportError, match="neither"):
        convert_clip({k: v for k, v in state.items() if not k.startswith("visual.")}, heads=(2, 2))
    with pytest.raises(ExportError, match="gelu"):
        convert_clip(state, activation="relu")
    with pytest.raises(ExportError, match="no checkpoint"):
        read_weights(tmp_path / "gone.pt")
    (tmp_path / "bad.pt").write_bytes(b"<html>")
    with pytest.raises(ExportError, match="cannot be read"):
        read_weights(tmp_path / "bad.pt")
    torch.save({"state_dict": {f"module.{k}": v for k, v in state.items()}}, tmp_path / "ddp.pt")
    assert set(read_weights(tmp_path / "ddp.pt")) == set(state)


def test_coca_equals_open_clip() -> None:
    from rsvlm_geo.training.coca import coca_loss, load_coca

    gold = GOLDEN["coca"]
    model = load_coca(weights(gold["shapes"]), head_width=32, pooler_heads=4)
    x, t = inputs(gold["image_size"])
    with torch.no_grad():
        out = model(x, t)
        loss = coca_loss(out)
    assert np.abs(out["image"].numpy() - np.array(gold["image"])).max() <= 1e-5
    assert np.abs(out["text"].numpy() - np.array(gold["text"])).max() <= 1e-5
    logits = out["logits"][:, :4].reshape(-1, 50).numpy()
    assert np.abs(logits - np.array(gold["logits"])).max() <= 1e-5
    assert float(loss["contrastive"]) == pytest.approx(gold["loss"]["contrastive_loss"], abs=1e-5)
    assert 2 * float(loss["caption"]) == pytest.approx(gold["loss"]["caption_loss"], abs=1e-5)
    with pytest.raises(ExportError, match="no CoCa"):
        load_coca(weights(GOLDEN["vit_b_32"]["shapes"]))


def toy() -> tuple[np.ndarray, list[list[str]]]:
    rng = np.random.default_rng(2)
    colours = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (30, 40, 220),
               "white": (240, 240, 240)}  # fmt: skip
    images, texts = [], []
    for name, rgb in colours.items():
        for kind in ("square", "stripe"):
            image = np.full((64, 64, 3), 110, np.uint8) + rng.integers(0, 9, (64, 64, 3), np.uint8)
            span = slice(16, 48)
            image[span if kind == "square" else slice(0, 64), span] = rgb
            images.append(image)
            texts.append([f"A {name} {kind} on grey ground seen from above."])
    return np.stack(images), texts


def test_coca_learns_eight_pairs_exports_and_captions(tmp_path: Path) -> None:
    from rsvlm_geo.metrics import caption_measures
    from rsvlm_geo.model import load_model
    from rsvlm_geo.training.coca import CoCaConfig
    from rsvlm_geo.training.train_coca import caption_images, export_coca, fit, make_tokenizer
    from rsvlm_geo.vlm import Question

    images, texts = toy()
    vocab = make_tokenizer([t for g in texts for t in g]).get_vocab_size()
    config = CoCaConfig(
        vocab=vocab, dim=64, image_size=64, vision_width=64, vision_layers=2, text_width=64,
        text_layers=1, decoder_layers=1, context=20, queries=9,
    )  # fmt: skip
    model, tokenizer, curve = fit(images, texts, steps=150, batch=8, lr=3e-3, augment=False,
                                  config=config)  # fmt: skip
    assert curve[-1]["loss"] < curve[0]["loss"] / 5
    said = caption_images(model, tokenizer, images)
    assert caption_measures(said, texts)["cider_d"].value > 1
    assert caption_images(model, tokenizer, images, beams=3) == said
    export_coca(model, tokenizer, tmp_path / "coca", licence="CC0-1.0")
    pack = load_model(tmp_path / "coca")
    replies = pack.ask(images, [Question("caption", "Please describe the image.")])
    assert [r[0].text for r in replies] == said
    assert all(0 < (r[0].confidence or 0) <= 1 for r in replies)


def test_clip_packs_run_as_torch_does(tmp_path: Path) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing

    from rsvlm_geo.export.clip import convert_clip, export_clip
    from rsvlm_geo.retrieval import load_embedder, zero_shot
    from rsvlm_geo.retrieval.embedder import unit

    gold = GOLDEN["vit_b_32"]
    clip = convert_clip(weights(gold["shapes"]), heads=(2, 2))
    words = {w: i for i, w in enumerate(["<pad>", "a", "river", "forest", "of", "the", "image"])}
    tokenizer = Tokenizer(WordLevel({**words, "<s>": 48, "</s>": 49}, unk_token="<pad>"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 48), ("</s>", 49)]
    )
    export_clip(clip, tmp_path / "clip", tokenizer, name="tiny-clip", licence="MIT")
    embedder = load_embedder(tmp_path / "clip")
    images = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3), dtype=np.uint8)
    pixels = (images.astype(np.float32) / 255 - embedder._mean) / embedder._std  # type: ignore[attr-defined]
    with torch.no_grad():
        expected = clip.vision(torch.tensor(pixels).permute(0, 3, 1, 2))
        ids = torch.tensor([[48, 1, 2, 49], [48, 3, 49, 0]])
        texts = clip.text(ids)
    assert np.abs(embedder.embed_images(images) - unit(expected.numpy())).max() < 1e-5
    assert np.abs(embedder.embed_texts(["a river", "forest"]) - unit(texts.numpy())).max() < 1e-5
    p = zero_shot(embedder, images, ["river", "forest"], ["the image of a {}"])
    assert p.shape == (3, 2)
    assert p.sum(axis=1) == pytest.approx(1.0)
