"""Train the object tower on crops of four sets, each telling only what it knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from rsvlm_geo.training import augment, data, loop, object_loss, splits
from rsvlm_geo.training.lite0 import freeze_start, load_imagenet
from rsvlm_geo.training.towers import ObjectTower

Arrays = tuple[
    NDArray[np.uint8],
    NDArray[np.float32],
    NDArray[np.float32],
    NDArray[np.float32],
    NDArray[np.float32],
]


def draw_crop(
    sample: data.Sample,
    size: int,
    scales: tuple[float, float],
    rng: Generator,
    turned: float = 0.0,
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_]]:
    """A crop at a random scale: image, boxes, labels, and which boxes to ignore.

    Objects of which less than a third is inside, and those under 6 px, are ignored.
    """
    h, w = sample.image.shape[:2]
    scale = float(np.exp(rng.uniform(*np.log(scales))))
    span = size / scale
    if len(sample.boxes) and rng.random() < 0.7:
        b = sample.boxes[rng.integers(len(sample.boxes))]
        cx, cy = (b[0] + b[2]) / 2, (b[1] + b[3]) / 2
        x0, y0 = cx - rng.uniform(0.1, 0.9) * span, cy - rng.uniform(0.1, 0.9) * span
        slack = 0.15 * span
        x0 = float(np.clip(x0, min(-slack, (w - span) / 2), max(w - span + slack, (w - span) / 2)))
        y0 = float(np.clip(y0, min(-slack, (h - span) / 2), max(h - span + slack, (h - span) / 2)))
    else:
        x0 = float(rng.uniform(min(0, w - span), max(0, w - span)))
        y0 = float(rng.uniform(min(0, h - span), max(0, h - span)))
    if rng.random() < turned:
        angle = float(rng.uniform(0, 2 * np.pi))
        centre = (x0 + span / 2, y0 + span / 2)
        image = augment.rotate_crop(sample.image, centre, scale, angle, size)
        boxes = augment.rotate_boxes(sample.boxes, centre, scale, angle, size)
    else:
        image = augment.crop(sample.image, (x0, y0, x0 + span, y0 + span), size, rng)
        boxes = (sample.boxes - np.array([x0, y0, x0, y0], np.float32)) * np.float32(scale)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    cut = boxes.clip(0, size)
    seen = (cut[:, 2] - cut[:, 0]).clip(0) * (cut[:, 3] - cut[:, 1]).clip(0)
    keep = seen > 0
    ignore = (seen < area / 3) | (np.sqrt(area.clip(0)) < 6)
    k, flip = int(rng.integers(4)), bool(rng.random() < 0.5)
    image = augment.spoil(augment.turn_image(image, k, flip), rng, corner=0.02)
    return image, augment.turn_boxes(cut[keep], k, flip, size), sample.labels[keep], ignore[keep]


def make_target(sample: data.Sample, size: int, pool: dict[str, Any], rng: Generator) -> Arrays:
    """A crop with its drawn targets; classes the set does not know are not cared about."""
    image, boxes, labels, ignore = draw_crop(
        sample, size, pool["scale"], rng, pool.get("turned", 0.0)
    )
    heat, care, edges, weight = object_loss.draw_targets(boxes, labels, ignore, size)
    known = sample.known[:, None, None]
    # An incomplete class still teaches near its boxes.
    care = care * np.maximum(known, (heat > 0.1).astype(np.float32))
    return image, heat, care, edges, weight


def load_pools(data_dir: Path) -> dict[str, list[data.Sample]]:
    """Training images by pool: trees, cars, ucm_boxes, ucm_cars, ucm_small and so on."""

    def train(n: str) -> list[data.Sample]:
        return [s for s in data.load_set(data_dir, n) if s.split == "train"]

    ucm = train("ucm")
    boxed = {
        r["file"]: r for r in data.read_rows(Path(__file__).parent / "annotations", "ucm_boxes")
    }
    mine = [s for s in ucm if s.file in boxed]
    mine = [s for s in mine if splits.ucm_box_split(s.file, "train") == "train"]
    held = {f: {b["label"] for b in r["boxes"]} for f, r in boxed.items()}
    small = {f for f, names in held.items() if not names <= set(splits.LARGE)}
    pools = {"trees": train("neon_trees") + train("neon_trees_416"), "cars": train("aerial_cars")}
    pools["ucm_boxes"] = [s for s in mine if s.file not in small]
    pools["ucm_cars"] = [s for s in mine if s.file in small and "car" in held[s.file]]
    pools["ucm_small"] = [s for s in mine if s.file in small and "car" not in held[s.file]]
    pools["ucm_other"] = [s for s in ucm if s.file not in boxed]
    pools["eurosat"] = train("eurosat")
    pools["streets"] = train("rsvqa")
    return pools


def pool_weights(name: str, pool: list[data.Sample]) -> NDArray[np.float64]:
    """Drawing probabilities: frames of one car sequence share its weight by their square root."""
    if name != "cars":
        return np.full(len(pool), 1 / len(pool))
    prefix = [s.file[:5] for s in pool]
    size = {p: prefix.count(p) for p in prefix}
    w = np.array([size[p] ** -0.5 for p in prefix])
    return w / w.sum()


def train(data_dir: Path, work: Path, cfg: dict[str, Any], max_steps: int | None = None) -> None:
    """Train from ImageNet weights into ``work/objects/last.pt``; resumes."""
    torch.manual_seed(cfg["seed"])
    rng = np.random.default_rng(cfg["seed"])
    pools = load_pools(data_dir)
    weights = {k: pool_weights(k, v) for k, v in pools.items() if v}
    names = [n for n in cfg["pools"] if pools[n]]
    share = np.array([cfg["pools"][n]["share"] for n in names])
    model = ObjectTower().to(memory_format=torch.channels_last)
    load_imagenet(model.trunk)
    freeze_start(model.trunk, cfg["freeze_blocks"])
    trunk = list(model.trunk.parameters())
    ids = {id(p) for p in trunk}
    heads = [p for p in model.parameters() if id(p) not in ids]
    model.train()

    def step(progress: float) -> dict[str, Tensor]:
        rows = []
        for name in rng.choice(names, cfg["batch"], p=share / share.sum()):
            sample = pools[name][rng.choice(len(pools[name]), p=weights[name])]
            rows.append(make_target(sample, cfg["size"], cfg["pools"][name], rng))
        images, heat, care, edges, weight = (np.stack(column) for column in zip(*rows, strict=True))
        x = augment.photometric(torch.from_numpy(images).permute(0, 3, 1, 2).float(), rng)
        with torch.autocast("cpu", torch.bfloat16, enabled=cfg["bfloat16"]):
            logits, dist = model(x.contiguous(memory_format=torch.channels_last))
        logits, dist = logits.float(), dist.float()
        heat_l = object_loss.heat_loss(logits, torch.from_numpy(heat), torch.from_numpy(care))
        edge_l = object_loss.edge_loss(dist, torch.from_numpy(edges), torch.from_numpy(weight))
        return {"loss": heat_l + 2.0 * edge_l, "heat": heat_l, "edge": edge_l}

    groups = [(trunk, cfg["lr"]), (heads, cfg["lr_head"])]
    loop.run(
        model, groups, step, work / "objects", minutes=cfg["minutes"], max_steps=max_steps,
        weight_decay=cfg["weight_decay"],
    )  # fmt: skip
