"""Train a small CoCa on captioned images and write it as a pack that captions.

``python -m rsvlm_geo.training.train_coca --captions DIR --out PACK``: on a CPU, in minutes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rsvlm_geo.export.plain import export_plain
from rsvlm_geo.training.coca import CoCa, CoCaConfig, coca_loss
from rsvlm_geo.training.coca_decoding import beam_search, pad_ids

__all__ = ["BEGIN", "END", "caption_images", "export_coca", "fit", "make_tokenizer"]

BEGIN, END = "<start_of_text>", "<end_of_text>"
MEAN, STD = 0.45, 0.25


def make_tokenizer(texts: Sequence[str], vocab: int = 800) -> Any:
    """Whole words and punctuation, lower case; 0 pads, 1 begins, 2 ends, 3 is unknown."""
    from tokenizers import Tokenizer, normalizers, pre_tokenizers
    from tokenizers.models import WordLevel
    from tokenizers.trainers import WordLevelTrainer

    tokenizer = Tokenizer(WordLevel(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(
        texts, WordLevelTrainer(vocab_size=vocab, special_tokens=["<pad>", BEGIN, END, "<unk>"])
    )
    return tokenizer


def encode(tokenizer: Any, text: str, context: int) -> list[int]:
    """Begin, words, end; cut to the context."""
    return [1, *tokenizer.encode(text).ids[: context - 2], 2]


def decode(tokenizer: Any, ids: Sequence[int]) -> str:
    """Token ids as a sentence."""
    import re

    text = " ".join(tokenizer.id_to_token(i) or "" for i in ids if i > 3)
    text = re.sub(r"\s+([.,;:!?])", r"\1", text)
    text = re.sub(r"(\d)\s*\.\s*(\d)", r"\1.\2", text)
    return text[:1].upper() + text[1:]


def pixels(images: NDArray[np.uint8]) -> Tensor:
    """uint8[B, S, S, 3] -> float[B, 3, S, S]."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float().div(255).sub(MEAN).div(STD)


def fit(
    images: NDArray[np.uint8],
    captions: Sequence[Sequence[str]],
    *,
    steps: int,
    batch: int = 32,
    lr: float = 1e-3,
    seed: int = 7,
    caption_weight: float = 2.0,
    contrastive_weight: float = 1.0,
    augment: bool = True,
    config: CoCaConfig | None = None,
) -> tuple[CoCa, Any, list[dict[str, float]]]:
    """Train from nothing.

    Args:
        images: uint8[n, S, S, 3].
        captions: Of each image.
        steps: Of the optimiser.
        batch: Images a step.
        lr: Highest learning rate.
        seed: Of everything random.
        caption_weight, contrastive_weight: 2 and 1 as published.
        augment: Turn and flip (captions with places are then left out).
        config: Sizes; from the images and words by default.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    tokenizer = make_tokenizer([c for group in captions for c in group])
    config = config or CoCaConfig(vocab=tokenizer.get_vocab_size(), image_size=images.shape[1])
    model = CoCa(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=lr, total_steps=steps, pct_start=0.1
    )
    plain = [[t for t in group if not _has_place(t)] or list(group) for group in captions]
    curve = []
    for step in range(steps):
        pick = rng.choice(len(images), min(batch, len(images)), replace=False)
        x = images[pick]
        texts = captions
        if augment:
            x = np.ascontiguousarray(np.rot90(x, int(rng.integers(4)), axes=(1, 2)))
            x = np.ascontiguousarray(x[:, :, ::-1]) if rng.random() < 0.5 else x
            texts = plain
        said = [texts[i][int(rng.integers(len(texts[i])))] for i in pick]
        ids = pad_ids([encode(tokenizer, t, config.context) for t in said])
        loss = coca_loss(
            model(pixels(x), ids), caption_weight=caption_weight,
            contrastive_weight=contrastive_weight,
        )  # fmt: skip
        optimizer.zero_grad()
        loss["loss"].backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == steps - 1:
            curve.append(
                {"step": step, **{k: round(float(v.detach()), 4) for k, v in loss.items()}}
            )
    return model.eval(), tokenizer, curve


def _has_place(text: str) -> bool:
    return any(f" {w}" in text for w in ("left", "right", "top", "bottom"))


def caption_images(
    model: CoCa, tokenizer: Any, images: NDArray[np.uint8], *, beams: int = 1
) -> list[str]:
    """Captions of uint8[B, S, S, 3]; one beam is greedy."""
    texts = beam_search(model, pixels(images), begin=1, end=2, beams=beams, min_tokens=3)
    return [decode(tokenizer, ids) for ids in texts]


class _Vision(nn.Module):
    def __init__(self, model: CoCa) -> None:
        super().__init__()
        self.visual = model.visual

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, Tensor]:
        embeds, tokens = self.visual(pixel_values)
        return embeds, tokens


class _Step(nn.Module):
    def __init__(self, model: CoCa) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, image_tokens: Tensor) -> Tensor:
        return self.model.next_logits(image_tokens, input_ids)


class _Text(nn.Module):
    def __init__(self, model: CoCa) -> None:
        super().__init__()
        self.text = model.text

    def forward(self, input_ids: Tensor) -> Tensor:
        out: Tensor = self.text(input_ids)[0]
        return out


def export_coca(
    model: CoCa, tokenizer: Any, folder: Path, *, licence: str, evaluation: Any = None
) -> Path:
    """A pack of ``model_type`` ``rsvlm_coca``: captions, and image and text embeddings.

    Args:
        model, tokenizer: Trained.
        folder: Made when missing; its name is the pack's.
        licence: Of the weights.
        evaluation: Numbers for the card.
    """
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    c = model.config
    side = c.image_size
    shown, ids = torch.zeros(2, 3, side, side), torch.ones(2, 5, dtype=torch.long)
    graphs: list[tuple[str, nn.Module, tuple[Tensor, ...], list[str], list[str]]] = [
        ("vision_model", _Vision(model), (shown,), ["pixel_values"],
         ["image_embeds", "image_tokens"]),
        ("decoder_model", _Step(model), (ids, torch.zeros(2, c.queries - 1, c.dim)),
         ["input_ids", "image_tokens"], ["logits"]),
        ("text_model", _Text(model), (ids,), ["input_ids"], ["text_embeds"]),
    ]  # fmt: skip
    for name, module, args, inputs, outputs in graphs:
        export_plain(module, args, folder / "onnx" / f"{name}.onnx", inputs, outputs)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "model_type": "rsvlm_coca", "projection_dim": c.dim, "lower_case": True,
        "unk_token": "<unk>", "bos_token_id": 1, "eos_token_id": 2,
        "vision_config": {"image_size": side},
        "text_config": {"max_position_embeddings": c.context, "pad_token_id": 0},
        "coca": asdict(c),
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(settings, indent=1))
    (folder / "preprocessor_config.json").write_text(
        json.dumps({"image_mean": [MEAN] * 3, "image_std": [STD] * 3}, indent=1)
    )
    files = ["config.json", "preprocessor_config.json", "tokenizer.json",
             *(f"onnx/{g[0]}.onnx" for g in graphs)]  # fmt: skip
    card = {
        "format": 1, "name": folder.name, "version": "1.0", "licence": licence, "image_size": side,
        "tasks": ["caption"], "evaluation": evaluation or {},
        "files": {f: sha256((folder / f).read_bytes()).hexdigest() for f in files},
    }  # fmt: skip
    (folder / "rsvlm.json").write_text(json.dumps(card, indent=1))
    return folder


def main() -> None:
    """Command line."""
    from rsvlm_geo.captions.build import read_records
    from rsvlm_geo.evaluate import fit_image
    from rsvlm_geo.metrics import caption_measures
    from rsvlm_geo.training.contrastive import _is_val, _thin

    parser = argparse.ArgumentParser(prog="python -m rsvlm_geo.training.train_coca",
                                     description=__doc__)  # fmt: skip
    parser.add_argument("--captions", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--max-per-set", type=int, default=None)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--licence", default="CC-BY-4.0")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    records = [r for r in read_records(args.captions) if r.captions]
    if args.max_per_set:
        records = _thin(records, args.max_per_set)
    images = np.stack([fit_image(Path(r.file), args.size)[0] for r in records])
    held = np.array([_is_val(r) for r in records])
    texts = [[c.text for c in r.captions] for r in records]
    start = time.monotonic()
    model, tokenizer, curve = fit(
        images[~held], [t for t, h in zip(texts, held, strict=True) if not h], steps=args.steps
    )
    took = time.monotonic() - start
    check = np.flatnonzero(held)[:: max(1, int(held.sum()) // 200)]
    said = caption_images(model, tokenizer, images[check])
    refs = [texts[i] for i in check]
    scores = {k: m.as_dict() for k, m in caption_measures(said, refs).items()}
    common = max({t for g in refs for t in g}, key=[t for g in refs for t in g].count)
    constant = {
        k: m.as_dict() for k, m in caption_measures([common] * len(refs), refs).items()
    }  # fmt: skip
    told = {"captions": scores, "constant_caption": constant, "images": len(check), "curve": curve}
    export_coca(model, tokenizer, args.out, licence=args.licence, evaluation=told)
    for name, row in (("model", scores), ("constant", constant)):
        print(name, {k: round(v["value"], 3) for k, v in row.items()})
    print(f"{int((~held).sum())} images, {args.steps} steps in {took:.0f} s; {curve[-1]}")
    for i, text in list(zip(check, said, strict=True))[:8]:
        print(" ", records[i].id, "|", text)


if __name__ == "__main__":
    main()
