"""Contrastive fine-tuning of a text encoder and an image head on captioned images.

``python -m rsvlm_geo.training.contrastive --captions DIR --out PACK`` takes what
``rsvlm-geo captions`` wrote and the features of a pack's frozen encoder, trains in minutes on a
CPU, and writes a search pack with its retrieval numbers.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from rsvlm_geo.errors import DataError
from rsvlm_geo.training.search_texts import (
    SYNONYMS,
    encode_texts,
    short_texts,
    swap_words,
    train_tokenizer,
)

__all__ = ["ImageHead", "Settings", "TextTower", "contrastive_loss", "train"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The recipe."""

    seed: int = 5
    dim: int = 192
    width: int = 128
    layers: int = 1
    heads: int = 4
    vocab: int = 1200
    length: int = 48
    steps: int = 1200
    batch: int = 160
    lr: float = 1e-3
    weight_decay: float = 0.05
    drop: float = 0.2
    """Of the image features and of whole words, so that a search in other words still works."""


class TextTower(nn.Module):
    """Tokens to one vector: embeddings, a small transformer, the mean of its tokens."""

    def __init__(self, vocab: int, s: Settings) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocab, s.width)
        self.place = nn.Embedding(s.length, s.width)
        nn.init.normal_(self.embed.weight, std=0.02)
        nn.init.normal_(self.place.weight, std=0.01)
        layer = nn.TransformerEncoderLayer(
            s.width, s.heads, 4 * s.width, 0.1, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, s.layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(s.width)
        self.project = nn.Linear(s.width, s.dim, bias=False)
        self.logit_scale = 100.0
        """Inverse temperature of the similarities, as trained."""

    def forward(self, input_ids: Tensor) -> Tensor:
        """int64[B, T], 0 is padding -> float[B, D], not normalised."""
        seen = input_ids != 0
        place = torch.arange(input_ids.shape[1], device=input_ids.device)
        x = self.embed(input_ids) + self.place(place)
        x = self.norm(self.layers(x, src_key_padding_mask=~seen))
        weight = seen.unsqueeze(2).to(x.dtype)
        out: Tensor = self.project((x * weight).sum(1) / weight.sum(1).clamp(min=1.0))
        return out


class ImageHead(nn.Module):
    """Frozen features to the same space."""

    def __init__(self, features: int, s: Settings) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        self.drop = nn.Dropout(s.drop)
        self.project = nn.Linear(features, s.dim)
        self.more = nn.Sequential(
            nn.LayerNorm(s.dim), nn.Linear(s.dim, 2 * s.dim), nn.GELU(), nn.Dropout(s.drop),
            nn.Linear(2 * s.dim, s.dim),
        )  # fmt: skip

    def forward(self, features: Tensor) -> Tensor:
        """float[B, F] -> float[B, D], not normalised."""
        x = self.project(self.drop((features - self.mean) * self.scale))
        out: Tensor = x + self.more(x)
        return out


def contrastive_loss(image: Tensor, text: Tensor, scale: Tensor, same: Tensor) -> Tensor:
    """InfoNCE both ways, where a text counts as right for every image it is true of.

    Args:
        image, text: float[B, D], any length.
        scale: Inverse temperature.
        same: bool[B, B], whether the text (column) is true of the image (row); true on the
            diagonal.
    """
    logits = scale * F.normalize(image, dim=1) @ F.normalize(text, dim=1).T
    true = same.to(logits.dtype)
    rows, columns = true / true.sum(1, keepdim=True), true.T / true.T.sum(1, keepdim=True)
    loss: Tensor = (F.cross_entropy(logits, rows) + F.cross_entropy(logits.T, columns)) / 2
    return loss


def train(
    features: NDArray[np.float32],
    captions: Sequence[Sequence[str]],
    facts: Sequence[Sequence[str]],
    s: Settings,
    *,
    minutes: float | None = None,
) -> tuple[ImageHead, TextTower, Any, list[dict[str, float]]]:
    """Fit both sides.

    Args:
        features: float32[n, F] of the images.
        captions: Of each image.
        facts: Of each image, as the records hold them.
        s: The recipe.
        minutes: Stop after so many.

    Returns:
        Image head, text tower, tokenizer, and the loss now and then.
    """
    if len(features) != len(captions) or len(features) < 2:
        raise DataError(f"{len(features)} images have {len(captions)} lists of captions")
    torch.manual_seed(s.seed)
    rng = np.random.default_rng(s.seed)
    texts = [
        list(dict.fromkeys([*c, *short_texts(f)])) for c, f in zip(captions, facts, strict=True)
    ]
    known = [frozenset(t) for t in texts]
    everything = [t for group in texts for t in group]
    extra = [w for others in SYNONYMS.values() for w in others]
    tokenizer = train_tokenizer([*everything, *extra], s.vocab)
    head, tower = ImageHead(features.shape[1], s), TextTower(tokenizer.get_vocab_size(), s)
    x = torch.from_numpy(features)
    head.mean.copy_(x.mean(0))
    head.scale.copy_(1.0 / x.std(0).clamp(min=1e-3))
    scale = nn.Parameter(torch.tensor(2.659))
    weights: list[nn.Parameter] = [*head.parameters(), *tower.parameters()]
    groups: list[dict[str, Any]] = [{"params": weights}, {"params": [scale], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(
        groups, lr=s.lr,
        weight_decay=s.weight_decay,
    )  # fmt: skip
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=s.lr, total_steps=s.steps, pct_start=0.1
    )
    head.train()
    tower.train()
    curve: list[dict[str, float]] = []
    start = time.monotonic()
    for step in range(s.steps):
        pick = rng.choice(len(texts), min(s.batch, len(texts)), replace=False)
        drawn = [texts[i][int(rng.integers(len(texts[i])))] for i in pick]
        said = [swap_words(text, rng) for text in drawn]
        ids = torch.from_numpy(encode_texts(tokenizer, said, s.length))
        gone = (torch.rand(ids.shape) < 0.05) & (ids != 0)
        ids = torch.where(gone, torch.ones_like(ids), ids)
        same = torch.tensor([[text in known[i] for text in drawn] for i in pick])
        loss = contrastive_loss(head(x[pick]), tower(ids), scale.exp().clamp(max=100.0), same)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == s.steps - 1:
            curve.append({"step": step, "loss": round(float(loss.detach()), 4)})
        if minutes is not None and time.monotonic() - start > 60 * minutes:
            break
    tower.logit_scale = float(scale.detach().exp().clamp(max=100.0))
    return head.eval(), tower.eval(), tokenizer, curve


@torch.no_grad()
def similarity(
    head: ImageHead, tower: TextTower, tokenizer: Any, features: NDArray[np.float32],
    texts: Sequence[str], length: int,
) -> NDArray[np.float64]:  # fmt: skip
    """Cosines float64[images, texts]."""
    image = F.normalize(head(torch.from_numpy(features)), dim=1)
    rows = []
    for start in range(0, len(texts), 512):
        ids = encode_texts(tokenizer, texts[start : start + 512], length)
        rows.append(F.normalize(tower(torch.from_numpy(ids)), dim=1))
    out: NDArray[np.float64] = (image @ torch.cat(rows).T).double().numpy()
    return out


def evaluate(
    head: ImageHead, tower: TextTower, tokenizer: Any, features: NDArray[np.float32],
    rows: Sequence[Any], s: Settings,
) -> dict[str, Any]:  # fmt: skip
    """Retrieval on held-out images: all captions, the fused one, and the class name alone."""
    from rsvlm_geo.captions.lexicon import scene_words
    from rsvlm_geo.metrics import retrieval

    def run(texts: list[str], owner: list[int]) -> dict[str, Any]:
        table = similarity(head, tower, tokenizer, features, texts, s.length)
        return {k: m.as_dict() for k, m in retrieval(table, owner).items()}

    every = [(i, c.text) for i, r in enumerate(rows) for c in r.captions]
    fused = [(i, c.text) for i, r in enumerate(rows) for c in r.captions if c.kind == "fused"]
    names = []
    for i, r in enumerate(rows):
        scene = next((f for f in r.facts if f.startswith("scene ")), None)
        count = next((f for f in r.facts if f.startswith("count ")), None)
        if scene is not None:
            names.append((i, scene_words(scene.removeprefix("scene ").split(": ")[0])[0]))
        elif count is not None:
            label = count.removeprefix("count ").split(": ")[0].replace("_", " ")
            names.append((i, label))
    return {
        "images": len(rows),
        "captions": run([t for _, t in every], [i for i, _ in every]),
        "fused": run([t for _, t in fused], [i for i, _ in fused]),
        "class_name": run([t for _, t in names], [i for i, _ in names]),
    }


def main() -> None:
    """Command line."""
    from rsvlm_geo.captions.build import read_records
    from rsvlm_geo.model import load_model
    from rsvlm_geo.model.pack import hash_file
    from rsvlm_geo.training.search_pack import write_pack
    from rsvlm_geo.training.search_views import WHOLE, features_of, texts_of, views_of

    parser = argparse.ArgumentParser(prog="python -m rsvlm_geo.training.contrastive",
                                     description=__doc__)  # fmt: skip
    parser.add_argument("--captions", type=Path, required=True, help="folder of captions.jsonl")
    parser.add_argument("--out", type=Path, required=True, help="folder of the search pack")
    parser.add_argument("--base", default="rsvlm-mini", help="pack whose encoder is used")
    parser.add_argument("--features", type=Path, help="cache of features, .npz")
    parser.add_argument("--steps", type=int, default=Settings().steps)
    parser.add_argument("--max-per-set", type=int, default=None)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--licence", default="CC-BY-4.0")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    outputs = ("image_embeds", "evidence")
    records = [r for r in read_records(args.captions) if r.captions]
    if args.max_per_set:
        records = _thin(records, args.max_per_set)
    model: Any = load_model(args.base, threads=args.threads)
    encoder = hash_file(model.pack.folder / "onnx" / "vision_encoder.onnx")
    held = np.array([_is_val(r) for r in records])
    side = model.info.image_size
    shown = [
        (i, view)
        for i, r in enumerate(records)
        for view in ((WHOLE,) if held[i] else views_of(r, side))
    ]
    features = features_of(
        [(records[i].file, view) for i, view in shown], model, outputs, encoder, args.features
    )
    s = Settings(steps=args.steps)
    taught = [j for j, (i, _) in enumerate(shown) if not held[i]]
    asked = [j for j, (i, _) in enumerate(shown) if held[i]]
    val_rows = [records[shown[j][0]] for j in asked]
    start = time.monotonic()
    head, tower, tokenizer, curve = train(
        features[taught], [texts_of(records[shown[j][0]], shown[j][1]) for j in taught],
        [records[shown[j][0]].facts for j in taught], s,
    )  # fmt: skip
    took = time.monotonic() - start
    scores = evaluate(head, tower, tokenizer, features[asked], val_rows, s)
    scores["train_images"] = int((~held).sum())
    scores["train_views"] = len(taught)
    write_pack(args.out, head, tower, tokenizer, s, {
        "base": args.base, "base_sha256": encoder, "base_outputs": outputs,
        "licence": args.licence, "evaluation": scores,
        "data": sorted({f"{r.dataset} ({r.licence or 'not stated'})" for r in records}),
    })  # fmt: skip
    (args.out / "curve.json").write_text(json.dumps(curve))
    for name in ("captions", "fused", "class_name"):
        row = scores[name]
        said = "  ".join(f"{k} {100 * v['value']:.1f}" for k, v in row.items())
        print(f"{name:<11} {said}  chance {100 * row['mr']['extra']['chance']:.1f}")
    said = f"{scores['train_images']} images ({len(taught)} views) trained on in {took:.0f} s"
    print(f"{said}, {len(val_rows)} held out")


def _thin(records: Sequence[Any], limit: int) -> list[Any]:
    by_set: dict[str, list[Any]] = {}
    for r in records:
        by_set.setdefault(r.dataset, []).append(r)
    out = []
    for rows in by_set.values():
        step = max(1, -(-len(rows) // limit))
        out += rows[::step]
    return out


def _is_val(record: Any) -> bool:
    """The set's own validation split, or by sequence or place; trees are trained on only.

    The tree plots' split needs their coordinates, which captions do not carry: an image that the
    frozen encoder was trained on must not be called held out.
    """
    from rsvlm_geo.training import splits

    name = Path(record.file).name
    if record.dataset == "aerial_cars":
        return splits.car_split(name) in ("val", "calib")
    if record.dataset.startswith("rsvqa"):
        # the fine tiles that the encoder has not seen
        return splits.street_split(name) in ("val", "calib") or record.split == "val"
    if record.dataset.startswith("neon"):
        return False
    if record.split in ("val", "valid", "test"):
        return True
    return record.split == "" and splits.unit_hash("search " + name) < 0.12


if __name__ == "__main__":
    main()
