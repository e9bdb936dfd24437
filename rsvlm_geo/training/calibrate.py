"""Thresholds, temperatures and Platt scalings, set on the calibration split only."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.grid import Grid
from rsvlm_geo.metrics import match_boxes
from rsvlm_geo.model.mini_boxes import (
    ClassRule,
    Found,
    count_distribution,
    find_boxes,
    logistic,
)
from rsvlm_geo.model.mini_close import enlarged_crops, plan_crops, read_crops, too_coarse
from rsvlm_geo.training import data, splits, tiles
from rsvlm_geo.training.lexicon import LABEL_SAID

SET_OF = {"airplane": "ucm", "storage_tank": "ucm", "tennis_court": "ucm",
          "baseball_diamond": "ucm", "car": "cars", "tree": "trees",
          "ship": "ucm", "mobile_home": "ucm"}  # fmt: skip
IOU_OF = {"tree": 0.4}

BOX_M = {"airplane": (6.0, 75.0), "storage_tank": (4.0, 80.0), "tennis_court": (14.0, 45.0),
         "baseball_diamond": (18.0, 70.0), "car": (1.2, 16.0), "tree": (1.0, 25.0),
         "ship": (2.0, 60.0), "mobile_home": (5.0, 30.0)}  # fmt: skip
"""Believable ``sqrt(width * height)`` of a whole object in metres."""
INVENTED = 0.02
"""Share of land-cover words in captions that may be wrong on the calibration split (bar: .05)."""
LOW_CONFIDENCE = 0.02
"""Share of in-domain tiles that may be refused as ``low_confidence``."""

Array = NDArray[np.float64]


def fit_platt(
    score: Array,
    hit: Array,
    steps: int = 400,
    ridge: float = 1.0,
    toward: tuple[float, float] = (1.0, 0.0),
) -> tuple[float, float]:
    """Slope and offset of P(hit) = logistic(slope * logit(score) + offset), by Newton's method.

    ``ridge`` pulls towards ``toward`` with the weight of that many observations.
    """
    x = np.stack([logit(score), np.ones(len(score))], 1)
    w = fit_logistic(x, hit, np.array(toward), ridge, steps)
    return float(w[0]), float(w[1])


def logit(score: Array) -> Array:
    """Log-odds, finite."""
    p = np.clip(score, 1e-6, 1 - 1e-6)
    out: Array = np.log(p) - np.log1p(-p)
    return out


def fit_logistic(x: Array, hit: Array, start: Array, ridge: float, steps: int = 400) -> Array:
    """Weights of a logistic regression float64[n, k] -> P(hit), pulled towards ``start``."""
    w = start.astype(np.float64)
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        grad = x.T @ (p - hit) + ridge * (w - start)
        hess = (x * (p * (1 - p))[:, None]).T @ x + ridge * np.eye(len(w))
        move = np.linalg.solve(hess, grad)
        w = w - np.clip(move, -0.5, 0.5)
        if np.abs(move).max() < 1e-6:
            break
    return w


def fit_temperature(logits: Array, truth: NDArray[np.int64]) -> float:
    """The temperature of least log loss."""

    def loss(t: float) -> float:
        z = logits / t
        z = z - z.max(1, keepdims=True)
        log_p = z - np.log(np.exp(z).sum(1, keepdims=True))
        return float(-log_p[np.arange(len(truth)), truth].mean())

    grid = np.exp(np.linspace(np.log(0.1), np.log(4.0), 120))
    return float(min(grid, key=loss))


def raw_rule(channel: int, nms_iou: float = 0.5) -> ClassRule:
    """A class read with no calibration yet."""
    name = splits.OBJECTS[channel]
    return ClassRule(name, channel, 0.3, 0.3, 1.0, 0.0, 1.0, 0.0, nms_iou, box_m=BOX_M[name])


@dataclass(frozen=True, slots=True)
class Maps:
    """The dense head's maps of all tiles of one image, kept so that the towers run once."""

    sample: data.Sample
    cuts: list[tiles.Cut]
    peaks: NDArray[np.float32]
    """float32[n, 8, 32, 32]."""
    edges: NDArray[np.float32]
    """float32[n, 4, 32, 32]."""
    grid: Grid | None = None
    """The crops of a closer look at each tile, for classes looked for at a finer scale."""
    close: tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...] = ()
    """For each tile, the maps of its crops."""

    def find(self, rule: ClassRule) -> list[Found]:
        """Candidate boxes of a class in each tile."""
        gsd_m = tiles.read_gsd(self.sample)
        if self.grid is not None and rule.name in tiles.READ_GSD_M:
            return [read_crops(p, e, self.grid, rule, gsd_m) for p, e in self.close]
        return [
            find_boxes(p, e, rule, tiles.SIZE, gsd_m=gsd_m)
            for p, e in zip(self.peaks[:, rule.channel], self.edges, strict=True)
        ]


def read_maps(vision: Any, samples: list[data.Sample]) -> list[Maps]:
    """Run the towers over all tiles of some images, and over crops of tiles that are coarse."""

    def run(images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        rows = [vision(images[i : i + 8]) for i in range(0, len(images), 8)]
        peaks, edges = (np.concatenate([r[k] for r in rows]) for k in ("peaks", "edges"))
        return peaks, edges

    out = []
    for sample in samples:
        cuts, images = tiles.cut_image(sample)
        gsd_m, finest = tiles.read_gsd(sample), min(tiles.READ_GSD_M.values())
        grid = plan_crops(tiles.SIZE, gsd_m / finest) if too_coarse(gsd_m, finest) else None
        close = () if grid is None else tuple(run(enlarged_crops(i, grid)) for i in images)
        out.append(Maps(sample, cuts, *run(images), grid, close))
    return out


def fit_objects(vision: Any, data_dir: Path) -> list[dict[str, Any]]:
    """Thresholds and scalings of every object class.

    Args:
        vision: ``uint8[B, 256, 256, 3]`` -> dict of the vision graph's outputs.
        data_dir: Folder of the open sets.

    Returns:
        Rows for :class:`ClassRule`.
    """
    pools = {k: read_maps(vision, v) for k, v in tiles.object_samples(data_dir, "calib").items()}
    every = [m for maps in pools.values() for m in maps]
    out = []
    for channel, name in enumerate(splits.OBJECTS):
        rule = raw_rule(channel)
        mine = [m for m in pools[SET_OF[name]] if m.sample.known[channel]]
        maps = mine + [m for m in pools["background"] if m.sample.known[channel]]
        scores, hits, n_true = collect(maps, rule)
        locate = best_f1(scores, hits, n_true)
        count = unbiased(scores, n_true)
        slope, offset = fit_platt(scores, hits)
        top, there = highest_peaks(every, rule)
        ps, po = fit_platt(top, there)
        fitted = replace(
            rule, locate_above=locate, count_above=count, slope=slope, offset=offset,
            presence_slope=ps, presence_offset=po,
        )  # fmt: skip
        fitted = replace(fitted, count_scale=fit_count_scale(mine, fitted))
        cs, co, size = fit_count_confidence(mine, fitted)
        row = asdict(replace(fitted, count_slope=cs, count_offset=co, count_size=size))
        out.append({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()})
    return out


def collect(maps: list[Maps], rule: ClassRule) -> tuple[Array, Array, int]:
    """Scores of all boxes of a class, whether each is right, and the number of true boxes."""
    scores, hits, total = [np.zeros(0)], [np.zeros(0)], 0
    for m in maps:
        boxes, s = tiles.merge(m.cuts, [(f.boxes, f.scores) for f in m.find(rule)])
        mine = tiles.scaled(m.sample)[1][m.sample.labels == rule.channel]
        taken = match_boxes(boxes, mine, IOU_OF.get(rule.name, 0.5), s)
        scores.append(s)
        hits.append((taken >= 0).astype(np.float64))
        total += len(mine)
    return np.concatenate(scores), np.concatenate(hits), total


def fit_count_scale(maps: list[Maps], rule: ClassRule, least: int = 100) -> float:
    """How to count on tiles: 0 (boxes above the line) or a factor on their expected number.

    The factor of the smallest mean error, bias weighed in; only where the calibration images hold
    at least ``least`` objects and it beats the line.
    """
    rows = [
        (found, count_truth(m.sample, tiles.scaled(m.sample)[1], cut, rule.channel))
        for m in maps
        for cut, found in zip(m.cuts, m.find(rule), strict=True)
    ]
    truth = np.array([t for _, t in rows], float)
    if truth.sum() < least:
        return 0.0

    def cost(scale: float) -> float:
        r = replace(rule, count_scale=scale)
        got = np.array([len(r.counted(f).boxes) for f, _ in rows], float)
        bias = abs((got - truth).sum()) / truth.sum()
        return float(np.abs(got - truth).mean() * (1 + bias))

    return float(min((0.0, *np.round(np.arange(0.8, 1.5, 0.02), 2)), key=cost))


def fit_count_confidence(maps: list[Maps], rule: ClassRule) -> tuple[float, float, float]:
    """Slope, offset and weight of the count's size in the chance that a count is exactly right."""
    sure, size, right = [], [], []
    for m in maps:
        _, boxes = tiles.scaled(m.sample)
        for cut, found in zip(m.cuts, m.find(rule), strict=True):
            n = len(rule.counted(found).boxes)
            sure.append(count_distribution(found.probability)[n])
            size.append(np.log1p(n))
            right.append(n == count_truth(m.sample, boxes, cut, rule.channel))
    x = np.stack([logit(np.array(sure)), np.ones(len(sure)), np.array(size)], 1)
    w = fit_logistic(x, np.array(right, float), np.array([1.0, 0.0, 0.0]), 3.0)
    return float(w[0]), float(w[1]), float(w[2])


def count_truth(
    sample: data.Sample, boxes: NDArray[np.float32], cut: tiles.Cut, channel: int
) -> int:
    """True boxes of a class whose centre lies in a window."""
    b = boxes[sample.labels == channel]
    cx, cy = (b[:, 0] + b[:, 2]) / 2 - cut.x, (b[:, 1] + b[:, 3]) / 2 - cut.y
    inside = (cx >= 0) & (cx < tiles.SIZE) & (cy >= 0) & (cy < tiles.SIZE)
    return int(inside.sum())


def highest_peaks(maps: list[Maps], rule: ClassRule) -> tuple[Array, Array]:
    """Highest score of a class in each tile where its presence is known, and that presence."""
    tops, truths = [], []
    for m in maps:
        _, boxes = tiles.scaled(m.sample)
        for cut, found in zip(m.cuts, m.find(rule), strict=True):
            tops.append(found.presence)  # of a rule with no calibration yet: the score itself
            truths.append(presence_truth(m.sample, boxes, cut)[rule.channel])
    top, truth = np.array(tops), np.array(truths)
    on = ~np.isnan(truth)
    return top[on], truth[on]


def best_f1(scores: Array, hits: Array, n_true: int) -> float:
    """The threshold of the highest F1, from a smoothed curve."""
    grid = np.linspace(0.06, 0.8, 75)
    f1 = []
    for t in grid:
        on = scores >= t
        tp = hits[on].sum()
        f1.append(2 * tp / max(on.sum() + n_true, 1))
    smooth = np.convolve(np.pad(f1, 2, mode="edge"), np.ones(5) / 5, "valid")
    # The lowest of equals: on new places scores come out lower than on the calibration split.
    return float(grid[int(np.flatnonzero(smooth >= smooth.max() - 0.01)[0])])


def unbiased(scores: Array, n_true: int) -> float:
    """The threshold at which as many boxes are found as there are."""
    ordered = np.sort(scores)[::-1]
    if n_true >= len(ordered):
        return 0.06
    return float(np.clip((ordered[max(n_true - 1, 0)] + ordered[n_true]) / 2, 0.06, 0.9))


def presence_truth(sample: data.Sample, boxes: NDArray[np.float32], cut: tiles.Cut) -> Array:
    """1, 0 or nan (not known, or only a cut-off piece) for each class in one window."""
    b = boxes - np.array([cut.x, cut.y, cut.x, cut.y])
    area = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    inside = b.clip(0, tiles.SIZE)
    seen = (inside[:, 2] - inside[:, 0]).clip(0) * (inside[:, 3] - inside[:, 1]).clip(0)
    share = seen / np.maximum(area, 1e-6)
    out = np.full(len(splits.OBJECTS), np.nan)
    for c, name in enumerate(splits.OBJECTS):
        of = share[sample.labels == c]
        if (of >= 0.5).any():
            out[c] = 1.0
        elif sample.known[c] and not (of > 0).any():
            out[c] = 0.0
        elif sample.set == "ucm" and name in ("car", "tree") and not len(of):
            out[c] = float({"car": "cars", "tree": "trees"}[name] in sample.row["labels"])
    return out


def fit_scenes(vision: Any, data_dir: Path) -> dict[str, float]:
    """Temperatures of both closed sets of scene classes, and the least confidence to say."""
    out, tops = {}, []
    for domain, name, head, names in (
        ("fine", "ucm", "ucm_logits", splits.UCM_CLASSES),
        ("coarse", "eurosat", "eurosat_logits", splits.EUROSAT_CLASSES),
    ):
        samples = [s for s in data.load_set(data_dir, name) if s.split == "calib"]
        logits = scene_logits(vision, samples, head)
        truth = np.array([names.index(s.row["class"]) for s in samples])
        t = fit_temperature(logits, truth)
        z = np.exp((logits - logits.max(1, keepdims=True)) / t)
        tops.append((z / z.sum(1, keepdims=True)).max(1))
        out[f"temperature_{domain}"] = round(t, 4)
    out["min_confidence"] = round(min(float(np.quantile(p, LOW_CONFIDENCE)) for p in tops), 4)
    return out


def scene_tile(sample: data.Sample) -> NDArray[np.uint8]:
    """The 256 px tile of a scene image; a EuroSAT patch is read at 2.5 m."""
    if sample.image.shape[0] == tiles.SIZE:
        return sample.image
    size = (tiles.SIZE, tiles.SIZE)
    return resize(sample.image, size)


def resize(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Bilinear."""
    from PIL import Image

    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))


def scene_logits(vision: Any, samples: list[data.Sample], head: str) -> Array:
    """Logits of one head over scene images: float64[n, classes]."""
    parts = []
    for i in range(0, len(samples), 8):
        parts.append(vision(np.stack([scene_tile(s) for s in samples[i : i + 8]]))[head])
    return np.concatenate(parts).astype(np.float64)


def read_labels(vision: Any, data_dir: Path) -> tuple[Array, Array]:
    """Raw probability and truth of every land-cover label on the calibration split: [n, 17]."""
    samples = [s for s in data.load_set(data_dir, "ucm") if s.split == "calib"]
    p = 1 / (1 + np.exp(-scene_logits(vision, samples, "label_logits")))
    hit = np.array([[float(c in s.row["labels"]) for c in splits.UCM_LABELS] for s in samples])
    return p, hit


def fit_labels(p: Array, hit: Array) -> list[tuple[float, float]]:
    """Platt scaling of every label, pulled towards one of all labels together."""
    shared = fit_platt(p.ravel(), hit.ravel())
    return [fit_platt(p[:, i], hit[:, i], ridge=4.0, toward=shared) for i in range(p.shape[1])]


def fit_said(
    p: Array, hit: Array, scaling: list[tuple[float, float]], invented: float = INVENTED
) -> dict[str, dict[str, float]]:
    """Raw probability above which each land-cover word may be said in a caption.

    One calibrated probability for all words: the lowest at which, on the calibration split, neither
    the words that would be wrong nor the mean chance of being wrong exceeds ``invented``.
    """
    sure = np.stack([logistic(p[:, i], *scaling[i]) for i in range(p.shape[1])], 1)
    limit = 0.98
    for t in np.arange(0.98, 0.5, -0.01):
        on = sure >= t
        if max((1 - hit[on]).mean(), (1 - sure[on]).mean()) > invented:
            break
        limit = float(t)
    grid = np.linspace(0.5, 0.9999, 2000)
    out = {}
    for i, label in enumerate(splits.UCM_LABELS):
        fine = np.flatnonzero(logistic(grid, *scaling[i]) >= limit)
        above = float(grid[fine[0]]) if len(fine) else 1.1
        out[LABEL_SAID[label]] = {"index": i, "say_above": round(above, 4)}
    return out
