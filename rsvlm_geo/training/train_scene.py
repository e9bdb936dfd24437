"""Train the scene tower: UCM and EuroSAT classes and UCM's multi-labels, growing in size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F

from rsvlm_geo.training import augment, data, loop, splits
from rsvlm_geo.training.lite0 import freeze_start, load_imagenet
from rsvlm_geo.training.towers import SceneTower


def draw_view(
    sample: data.Sample, size: int, rng: Generator, hard: float = 0.8
) -> np.ndarray[Any, Any]:
    """One augmented view: uint8[size, size, 3].

    A UCM tile is zoomed by 0.65 to 2 (mirrored beyond its edge), a EuroSAT patch by 0.85 to 1.25,
    a 512 px street tile by 0.95 to 2.2: down to what a tile at its own 15 cm shows. ``hard`` is
    the share of views that are zoomed, and the share that may be spoilt.
    """
    image = sample.image
    side = image.shape[0]
    low, high = {"ucm": (0.65, 2.0), "rsvqa": (0.95, 2.2)}.get(sample.set, (0.85, 1.25))
    zoom = float(np.exp(rng.uniform(np.log(low), np.log(high)))) if rng.random() < hard else 1.0
    span = side / zoom
    if zoom < 1.0:
        pad = int(np.ceil((span - side) / 2)) + 2
        image = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), mode="reflect")
        side = image.shape[0]
    x0, y0 = (rng.uniform(0, side - span) for _ in range(2))
    out = augment.crop(image, (x0, y0, x0 + span, y0 + span), size, rng)
    out = augment.turn_image(out, int(rng.integers(4)), bool(rng.random() < 0.5))
    return augment.spoil(out, rng) if rng.random() < hard else out


def load_street_scenes() -> dict[str, dict[str, float]]:
    """Our coarse classes of the 15 cm tiles: file -> shares of UCM classes."""
    path = Path(__file__).parent / "annotations" / "street_scenes.json"
    shares: dict[str, dict[str, float]] = json.loads(path.read_text())
    return shares


class Batches:
    """Draws batches of one set at one size, each epoch in a new order."""

    def __init__(self, samples: list[data.Sample], rng: Generator) -> None:
        self.samples, self.rng = samples, rng
        self.order: list[int] = []

    def draw(self, n: int, size: int, hard: float = 0.8) -> tuple[Tensor, list[data.Sample]]:
        """float32[n, 3, size, size] in 0..255 and the samples."""
        if len(self.order) < n:
            self.order += self.rng.permutation(len(self.samples)).tolist()
        take, self.order = self.order[:n], self.order[n:]
        chosen = [self.samples[i] for i in take]
        views = np.stack([draw_view(s, size, self.rng, hard) for s in chosen])
        x = torch.from_numpy(views).permute(0, 3, 1, 2).float()
        return augment.photometric(x, self.rng), chosen


def train(data_dir: Path, work: Path, cfg: dict[str, Any], max_steps: int | None = None) -> None:
    """Train from ImageNet weights into ``work/scene/last.pt``; resumes."""
    torch.manual_seed(cfg["seed"])
    rng = np.random.default_rng(cfg["seed"])
    ucm = [s for s in data.load_set(data_dir, "ucm") if s.split == "train"]
    euro = [s for s in data.load_set(data_dir, "eurosat") if s.split == "train"]
    shares = load_street_scenes()
    streets = [
        s for s in data.load_set(data_dir, "rsvqa") if s.split == "train" and s.file in shares
    ]
    batches = {"ucm": Batches(ucm, rng), "eurosat": Batches(euro, rng),
               "rsvqa": Batches(streets, rng)}  # fmt: skip
    model = SceneTower().to(memory_format=torch.channels_last)
    load_imagenet(model.trunk, model.head)
    heads = [p for m in (model.ucm, model.eurosat, model.labels) for p in m.parameters()]
    trunk = [p for m in (model.trunk, model.head) for p in m.parameters()]
    turn = [0]
    model.train()

    def look(x: Tensor) -> list[Tensor]:
        with torch.autocast("cpu", torch.bfloat16, enabled=cfg["bfloat16"]):
            return [y.float() for y in model(x.contiguous(memory_format=torch.channels_last))]

    def street_loss(size: int) -> Tensor:
        x, chosen = batches["rsvqa"].draw(8, size)
        logits = look(x)[0]
        rows = [[shares[s.file].get(c, 0.0) for c in splits.UCM_CLASSES] for s in chosen]
        return F.cross_entropy(logits, torch.tensor(rows), label_smoothing=0.1)

    def one(name: str, progress: float) -> tuple[Tensor, Tensor]:
        sizes = cfg["sizes"][name]
        hard = 0.8 if progress < cfg["grow_at"] else cfg["hard_late"]
        k = min(int(progress / cfg["grow_at"] * (len(sizes) - 1)), len(sizes) - 1)
        x, chosen = batches[name].draw(cfg["batch"], sizes[k], hard)
        out_ucm, out_euro, out_labels = look(x)
        names = splits.UCM_CLASSES if name == "ucm" else splits.EUROSAT_CLASSES
        y = torch.tensor([names.index(s.row["class"]) for s in chosen])
        logits = out_ucm if name == "ucm" else out_euro
        loss = F.cross_entropy(logits, y, label_smoothing=0.1)
        if name == "ucm":
            if rng.random() < cfg["streets_share"]:
                loss = loss + cfg["streets_weight"] * street_loss(sizes[k])
            want = [[float(c in s.row["labels"]) for c in splits.UCM_LABELS] for s in chosen]
            loss = loss + F.binary_cross_entropy_with_logits(out_labels, torch.tensor(want))
        return loss, (logits.argmax(1) == y).float().mean()

    def step(progress: float) -> dict[str, Tensor]:
        if progress > cfg["freeze_at"]:
            freeze_start(model.trunk, 3)
        turn[0] += 1
        name = "ucm" if turn[0] % 2 else "eurosat"
        loss, acc = one(name, progress)
        zero = torch.zeros(())
        is_ucm = name == "ucm"
        return {
            "loss": loss,
            "acc_ucm": 2 * acc if is_ucm else zero,
            "acc_eurosat": zero if is_ucm else 2 * acc,
        }

    groups = [(trunk, cfg["lr"]), (heads, cfg["lr_head"])]
    loop.run(
        model, groups, step, work / "scene", minutes=cfg["minutes"], max_steps=max_steps,
        weight_decay=cfg["weight_decay"],
    )  # fmt: skip
