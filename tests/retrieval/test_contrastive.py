"""The contrastive recipe learns what can be learned, and its pack runs as torch does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.export


def world(n: int, seed: int) -> tuple[np.ndarray, list[list[str]], list[list[str]]]:
    """Features that hold a kind and a count, and captions that say them."""
    rng = np.random.default_rng(seed)
    kinds = ("river", "forest", "harbor", "runway")
    numbers = ("one", "two", "three")
    x, captions, facts = [], [], []
    for _ in range(n):
        k, c = int(rng.integers(4)), int(rng.integers(3))
        v = rng.normal(0, 0.3, 24)
        v[k] += 3
        v[8 + c] += 3
        x.append(v)
        said = f"{numbers[c]} boats"
        captions.append([f"A {kinds[k]} with {said}.", f"There are {said} on the {kinds[k]}."])
        facts.append([f"scene {kinds[k]}: a {kinds[k]}", f"count ship: {said}"])
    return np.array(x, dtype=np.float32), captions, facts


def test_it_learns_and_the_pack_equals_torch(tmp_path: Path) -> None:
    from rsvlm_geo.errors import ModelWarning, TaskError
    from rsvlm_geo.metrics import retrieval
    from rsvlm_geo.model.pack import load_pack
    from rsvlm_geo.retrieval.embedder import HeadEmbedder, unit
    from rsvlm_geo.training.contrastive import Settings, similarity, train
    from rsvlm_geo.training.search_pack import write_pack
    from rsvlm_geo.vlm import ModelInfo

    x, captions, facts = world(240, 0)
    s = Settings(dim=32, width=32, heads=2, steps=120, batch=64, length=24, lr=3e-3)
    head, tower, tokenizer, curve = train(x, captions, facts, s)
    assert curve[-1]["loss"] < curve[0]["loss"] - 1
    held, said, _ = world(60, 1)
    texts = sorted({t for group in said for t in group})
    owner = [next(i for i, g in enumerate(said) if t in g) for t in texts]
    table = similarity(head, tower, tokenizer, held, texts, s.length)
    right = sum(texts[int(row.argmax())] in g for row, g in zip(table, said, strict=True))
    assert right >= 48
    assert retrieval(table, owner)["mr"].value > retrieval(table, owner)["mr"].extra["chance"]

    class Base:
        info = ModelInfo("base", 8, frozenset())

        def encode(self, images: np.ndarray) -> object:
            return type("E", (), {"outputs": {"f": held[: len(images)]}})()

    about = {"base": "base", "base_sha256": "", "base_outputs": ["f"], "licence": "CC0-1.0",
             "evaluation": {}, "data": []}  # fmt: skip
    write_pack(tmp_path / "p", head, tower, tokenizer, s, about)
    embedder = HeadEmbedder(load_pack(tmp_path / "p"), "cpu", base=Base())
    images = np.zeros((5, 8, 8, 3), np.uint8)
    with torch.no_grad():
        expected = unit(head(torch.from_numpy(held[:5])).numpy())
    assert np.abs(embedder.embed_images(images) - expected).max() < 1e-5
    mine = embedder.embed_images(images) @ embedder.embed_texts(texts).T
    assert np.abs(mine - table[:5]).max() < 1e-5
    with pytest.warns(ModelWarning, match="'zeppelin'"):
        embedder.embed_texts(["a zeppelin on the river"])
    with pytest.raises(TaskError, match="none of the words"):
        embedder.embed_texts(["zeppelin hangar"])
    with pytest.raises(TaskError, match="empty text"):
        embedder.embed_texts([" "])


def test_equal_captions_are_no_negatives() -> None:
    from rsvlm_geo.training.contrastive import contrastive_loss

    image = torch.eye(2)
    text = torch.ones(2, 2)
    scale = torch.tensor(1.0)
    apart = contrastive_loss(image, text, scale, torch.eye(2, dtype=torch.bool))
    same = contrastive_loss(image, text, scale, torch.ones(2, 2, dtype=torch.bool))
    assert float(same) == pytest.approx(float(apart))
    near = contrastive_loss(torch.ones(2, 2), text, torch.tensor(50.0), torch.ones(2, 2).bool())
    assert float(near) == pytest.approx(np.log(2), abs=1e-5)


def test_parts_are_given_what_is_true_of_them(tmp_path: Path) -> None:
    from PIL import Image

    from rsvlm_geo.captions.records import Caption, Record
    from rsvlm_geo.training.search_texts import short_texts
    from rsvlm_geo.training.search_views import WHOLE, features_of, texts_of, views_of

    said = (Caption("A river at 0.3 m per pixel.", "fused", "rule"), Caption("A river.", "x", "y"))
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:32, 32:] = 200
    Image.fromarray(pixels).save(tmp_path / "a.png")
    record = Record("a", str(tmp_path / "a.png"), (64, 64), "d", "", "", said, ("scene river: x",))
    parts = views_of(record, 32)
    assert len(parts) == 5
    assert texts_of(record, WHOLE) == ["A river at 0.3 m per pixel.", "A river."]
    assert texts_of(record, parts[1]) == ["A river."]
    assert short_texts(record.facts) == ["water", "x"]
    counted = Record("a", "a", (64, 64), "d", "", "", said, ("count car: two cars",))
    assert views_of(counted, 32) == (WHOLE,)
    assert views_of(record, 128) == (WHOLE,)

    class Mean:
        info = type("I", (), {"image_size": 32})()
        seen = 0

        def encode(self, images: np.ndarray) -> object:
            type(self).seen += len(images)
            mean = images.reshape(len(images), -1).mean(axis=1, keepdims=True)
            return type("E", (), {"outputs": {"f": mean}})()

    shown = [(record.file, view) for view in parts]
    cache = tmp_path / "x.npz"
    got = features_of(shown, Mean(), ("f",), "e", cache)
    assert got[:, 0] == pytest.approx([50, 0, 200, 0, 0], abs=8)
    assert np.array_equal(features_of(shown[1:3], Mean(), ("f",), "e", cache), got[1:3])
    assert Mean.seen == 5
    features_of(shown[:1], Mean(), ("f",), "another", cache)
    assert Mean.seen == 6
