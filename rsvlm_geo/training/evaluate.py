"""Measure a shipped pack on the validation splits, through its ONNX runtime.

``python -m rsvlm_geo.training.evaluate --data DIR --pack DIR --out FILE.json``. Needs no torch for
the numbers: only the splits, the rules that write questions, and the pack itself.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo import metrics
from rsvlm_geo.metrics import Measure
from rsvlm_geo.model.mini import MiniVlm
from rsvlm_geo.tasks import make_question
from rsvlm_geo.training import calibrate, damage, data, evaluate_words, forty, splits, tiles
from rsvlm_geo.vlm import Question, Reply

Numbers = dict[str, Measure]


@dataclass(frozen=True, slots=True)
class Said:
    """One yes or no."""

    p_yes: float
    truth: bool
    set: str
    """The set of images the tile is from."""


def ask_all(
    model: MiniVlm, images: Sequence[NDArray[np.uint8]], questions: Sequence[Question]
) -> list[list[Reply]]:
    """Ask every question of every image, eight at a time."""
    out: list[list[Reply]] = []
    for i in range(0, len(images), 8):
        out += model.ask(np.stack(images[i : i + 8]), questions)
    return out


def scenes(model: MiniVlm, data_dir: Path, *, robust: bool = True) -> Numbers:
    """Top-1 of both domains, its calibration, and how it bears damage."""
    out: Numbers = {}
    for domain, name, names, gsd in (
        ("fine", "ucm", splits.UCM_CLASSES, 0.3),
        ("coarse", "eurosat", splits.EUROSAT_CLASSES, 2.5),
    ):
        said = model.info.scene_classes[domain]
        samples = [s for s in data.load_set(data_dir, name) if s.split == "val"]
        gold = [said[names.index(s.row["class"])] for s in samples]
        images = [calibrate.scene_tile(s) for s in samples]
        question = make_question("classify", gsd_m=gsd)

        def top(
            pictures: list[NDArray[np.uint8]], q: Question = question
        ) -> tuple[list[str], list[float]]:
            replies = [r[0] for r in ask_all(model, pictures, [q])]
            return [r.text for r in replies], [max((r.candidates or {}).values()) for r in replies]

        pred, sure = top(images)
        hits = [p == g for p, g in zip(pred, gold, strict=True)]
        out[f"classify/{name}"] = metrics.classification(pred, gold)["accuracy"]
        for k, v in metrics.calibration(sure, hits).items():
            out[f"classify/{name}/{k}"] = v
        out[f"classify/{name}/constant"] = metrics.classification(
            [metrics.constant_answer(gold)] * len(gold), gold
        )["accuracy"]
        if robust:
            some = np.random.default_rng(1).permutation(len(images))[:210]
            for how, spoil in damage.DAMAGES.items():
                spoilt, _ = top([spoil(images[i]) for i in some])
                right = [gold[i] for i in some]
                whole = metrics.classification([pred[i] for i in some], right)["accuracy"]
                got = metrics.classification(spoilt, right)["accuracy"]
                out[f"robust/{name}/{how}"] = got
                out[f"robust/{name}/{how}/drop"] = Measure(
                    whole.value - got.value, len(some), float("nan"), float("nan"), better="zero"
                )
    return out


def tile_numbers(model: MiniVlm, data_dir: Path) -> Numbers:
    """Counts and presence on single tiles of the validation images."""
    out: Numbers = {}
    pools = tiles.object_samples(data_dir, "val")
    del pools["background"]
    pools["scenes"] = [s for s in data.load_set(data_dir, "ucm") if s.split == "val"]
    n = len(splits.OFFERED)
    said_yes: dict[str, list[Said]] = {c: [] for c in splits.OFFERED}
    for pool, samples in pools.items():
        pairs: dict[int, list[tuple[Reply, int]]] = {c: [] for c in range(n)}
        for sample in samples:
            image, boxes = tiles.scaled(sample)
            cuts = tiles.plan(image.shape[0], image.shape[1], overlap=0)
            gsd = tiles.read_gsd(sample)
            asked = [
                make_question(t, target=c, gsd_m=gsd)
                for c in splits.OFFERED
                for t in ("count", "presence")
            ]
            replies = ask_all(model, [tiles.window(image, c) for c in cuts], asked)
            for cut, row in zip(cuts, replies, strict=True):
                truth = calibrate.presence_truth(sample, boxes, cut)
                for c, name in enumerate(splits.OFFERED):
                    if pool != "scenes" and sample.known[c]:
                        pairs[c].append((row[2 * c], calibrate.count_truth(sample, boxes, cut, c)))
                    if not np.isnan(truth[c]):
                        p = (row[2 * c + 1].candidates or {})["yes"]
                        said_yes[name].append(Said(p, bool(truth[c]), sample.set))
        for c, name in enumerate(splits.OFFERED):
            if calibrate.SET_OF[name] == pool and pairs[c]:
                add_counts(out, name, pairs[c])
    add_presence(out, said_yes)
    return out


def add_counts(out: Numbers, name: str, pairs: list[tuple[Reply, int]]) -> None:
    """MAE, bias and calibration of one class's counts, and the constant baseline."""
    pred = [r.value for r, _ in pairs]
    gold = [float(g) for _, g in pairs]
    got = metrics.counting(pred, gold)
    constant = metrics.counting([metrics.best_constant(gold)] * len(gold), gold)
    for k in ("mae", "bias", "exact", "within_1"):
        out[f"count/{name}/{k}"] = got[k]
    out[f"count/{name}/constant_mae"] = constant["mae"]
    sure = [float(r.confidence or 0) for r, _ in pairs]
    hits = [p == g for p, g in zip(pred, gold, strict=True)]
    out[f"count/{name}/ece"] = metrics.ece(sure, hits)
    out[f"count/{name}/ece_if_calibrated"] = metrics.expected_ece(sure)


def balanced(rows: Sequence[Said], seed: int = 6, *, paired: bool = False) -> list[Said]:
    """Every yes of a class and as many no, as POPE asks; of the same set of images where there are.

    A model that does not look then has nothing to go by but which set (resolution) it is, and not
    even that where they are ``paired``: as many yes as no within every set.
    """
    rng = np.random.default_rng(seed)
    pick = [rows[i] for i in rng.permutation(len(rows))]
    yes = [r for r in pick if r.truth]
    no: list[Said] = []
    rest: list[Said] = []
    for name in sorted({r.set for r in pick}):
        wanted = sum(r.set == name for r in yes)
        mine = [r for r in pick if not r.truth and r.set == name]
        no, rest = no + mine[:wanted], rest + mine[wanted:]
        if paired:
            extra = {id(r) for r in [r for r in yes if r.set == name][len(mine) :]}
            yes, rest = [r for r in yes if id(r) not in extra], []
    no += [rest[i] for i in rng.permutation(len(rest))[: max(len(yes) - len(no), 0)]]
    return [*yes[: len(no)], *no]


def add_presence(out: Numbers, said: Mapping[str, list[Said]]) -> None:
    """Balanced accuracy per class and together, calibration, and the image-blind answers.

    ``presence`` is on as many yes as no of every class, ``presence_paired`` within every set of
    images too; ``presence_all`` on every tile.
    """
    for key, rows in (
        ("presence", {c: balanced(r) for c, r in said.items()}),
        ("presence_paired", {c: balanced(r, paired=True) for c, r in said.items()}),
        ("presence_all", said),
    ):
        every = [(c, r) for c, mine in rows.items() for r in mine]
        gold = [r.truth for _, r in every]
        for k, v in metrics.yes_no([r.p_yes >= 0.5 for _, r in every], gold).items():
            out[f"{key}/{k}"] = v
        blind = {c: np.mean([r.truth for r in m]) > 0.5 for c, m in rows.items() if m}
        sets = {(c, r.set): 0 for c, r in every}
        for c, r in every:
            sets[c, r.set] += 1 if r.truth else -1
        for how, guess in (
            ("blind", [bool(blind[c]) for c, _ in every]),
            ("blind_knowing_set", [sets[c, r.set] > 0 for c, r in every]),
        ):
            got = metrics.yes_no(guess, gold)["balanced_accuracy"]
            out[f"{key}/{how}_balanced_accuracy"] = got
        for c, mine in rows.items():
            own = metrics.yes_no([r.p_yes >= 0.5 for r in mine], [r.truth for r in mine])
            out[f"{key}/{c}/balanced_accuracy"] = own["balanced_accuracy"]
    every = [(c, r) for c, mine in said.items() for r in mine]
    sure = [max(r.p_yes, 1 - r.p_yes) for _, r in every]
    hits = [(r.p_yes >= 0.5) == r.truth for _, r in every]
    for k, v in metrics.calibration(sure, hits).items():
        out[f"presence/{k}"] = v


def locate(model: MiniVlm, data_dir: Path) -> Numbers:
    """Precision, recall and F1 of boxes on whole images, tiles merged by their cores."""
    out: Numbers = {}
    pools = tiles.object_samples(data_dir, "val")
    nothing = (np.zeros((0, 4)), np.zeros(0))

    def detect(
        images: NDArray[np.uint8], gsd_m: float
    ) -> list[list[tuple[NDArray[np.float64], NDArray[np.float64]]]]:
        questions = [make_question("locate", target=c, gsd_m=gsd_m) for c in splits.OFFERED]
        return [
            [nothing if r.boxes is None or r.scores is None else (r.boxes, r.scores) for r in row]
            for row in model.ask(images, questions)
        ]

    car = splits.OFFERED.index("car")
    parked = [s for s in pools["ucm"] if s.known[car] and (s.labels == car).any()]
    for how, samples in (("", parked), ("_doubled", [tiles.doubled(s) for s in parked])):
        rows = [tiles.detect_image(s, partial(detect, gsd_m=tiles.read_gsd(s))) for s in samples]
        boxes = [s.boxes[s.labels == car] for s in samples]
        pred, scores = ([r[car][k] for r in rows] for k in (0, 1))
        got = metrics.detection(pred, boxes, iou=0.5, scores=scores) if parked else {}
        for k, v in got.items():
            out[f"locate/parked_car{how}/{k}@0.5"] = v
    found = {
        pool: [tiles.detect_image(s, partial(detect, gsd_m=tiles.read_gsd(s))) for s in samples]
        for pool, samples in pools.items()
    }
    for channel, name in enumerate(splits.OFFERED):
        pool = calibrate.SET_OF[name]
        iou = calibrate.IOU_OF.get(name, 0.5)
        sure = [k for k, s in enumerate(pools[pool]) if s.known[channel]]
        if not sure:
            continue
        gold = [tiles.scaled(pools[pool][k])[1][pools[pool][k].labels == channel] for k in sure]
        pred, scores = ([found[pool][j][channel][k] for j in sure] for k in (0, 1))
        for k, v in metrics.detection(pred, gold, iou=iou, scores=scores).items():
            out[f"locate/{name}/{k}@{iou:g}"] = v
        line = [float(len(g)) for g in gold]
        totals = metrics.counting([float(len(p)) for p in pred], line)
        out[f"count_image/{name}/mae"] = totals["mae"]
        out[f"count_image/{name}/bias"] = totals["bias"]
        constant = [metrics.best_constant(line)] * len(line)
        out[f"count_image/{name}/constant_mae"] = metrics.counting(constant, line)["mae"]
        false = [
            float(len(row[channel][0]))
            for s, row in zip(pools["background"], found["background"], strict=True)
            if s.known[channel]
        ]
        out[f"background/{name}/false_boxes_per_image"] = metrics.mean_measure(false, better="low")
    return out


def evaluate(
    data_dir: Path,
    pack: Path,
    *,
    threads: int | None = None,
    variant: str | None = None,
    parts: Sequence[str] = ("scenes", "tiles", "locate", "words"),
) -> Numbers:
    """Every number of the table, each with its n and interval."""
    model = MiniVlm(pack, "cpu", threads, variant)
    out: Numbers = {}
    if "scenes" in parts:
        out |= scenes(model, data_dir, robust=variant is None)
    if "tiles" in parts:
        out |= tile_numbers(model, data_dir)
    if "locate" in parts:
        out |= locate(model, data_dir)
    if "words" in parts:
        out |= evaluate_words.honesty(model, data_dir)
        out |= evaluate_words.captions(model, data_dir)
        out |= forty.forty(model, data_dir)
    return out


def main() -> None:
    """Print the table and write it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m rsvlm_geo.training.evaluate")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--variant", default=None)
    parser.add_argument("--parts", nargs="+", default=["scenes", "tiles", "locate", "words"])
    args = parser.parse_args()
    got = evaluate(
        args.data, args.pack, threads=args.threads, variant=args.variant, parts=args.parts
    )
    print(metrics.format_table(got))
    if args.out is not None:
        rows: dict[str, Any] = {}
        for k, v in got.items():
            row = v.as_dict()
            row.pop("extra", None)
            rows[k] = {a: round(b, 5) if isinstance(b, float) else b for a, b in row.items()}
        args.out.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
