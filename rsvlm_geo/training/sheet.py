"""Contact sheets of what a pack says about real validation tiles, to be looked at by a person.

``python -m rsvlm_geo.training.sheet --data DIR --pack DIR --out docs/model``
"""

from __future__ import annotations

import argparse
import textwrap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from rsvlm_geo.model.mini import MiniVlm
from rsvlm_geo.tasks import ask_question, make_question
from rsvlm_geo.training import calibrate, data, splits, tiles
from rsvlm_geo.vlm import Reply

COLOURS = {"airplane": "#ff3333", "storage_tank": "#33c1ff", "tennis_court": "#ffd500",
           "baseball_diamond": "#ff8c1a", "car": "#ff40ff", "tree": "#39ff14",
           "ship": "#ffffff", "mobile_home": "#b26bff"}  # fmt: skip
ODD = ("What colour is the airplane?", "Where is the tennis court?",
       "How many giraffes are there?",
       "When was this picture taken?", "What is the price of this house?",
       "What does the thermal band show?",
       "Who owns this place?", "Is there a dinosaur?")  # fmt: skip
TEXT_H, SIDE = 128, 256


@dataclass(frozen=True, slots=True)
class Shown:
    """A tile, what is true of it and at which resolution it is asked."""

    image: NDArray[np.uint8]
    title: str
    gsd_m: float
    truth: str
    counts: dict[str, int]
    """True counts of the classes that are completely boxed."""


def show(sample: data.Sample, which: int = 0) -> Shown:
    """A tile of a sample, with its true counts."""
    gsd = 2.5 if sample.set == "eurosat" else tiles.read_gsd(sample)
    if sample.set in ("eurosat", "ucm"):
        cut, image = tiles.Cut(0, 0, (0, 0, 256, 256)), calibrate.scene_tile(sample)
    else:
        cuts, images = tiles.cut_image(sample)
        cut, image = cuts[which % len(cuts)], images[which % len(cuts)]
    boxes = tiles.scaled(sample)[1]
    counts = {
        c: calibrate.count_truth(sample, boxes, cut, k)
        for k, c in enumerate(splits.OFFERED)
        if sample.known[k] and (sample.set != "eurosat")
    }
    return Shown(image, sample.file, gsd, str(sample.row.get("class", "")), counts)


def pick(data_dir: Path, rng: np.random.Generator) -> list[Shown]:
    """48 validation tiles of all sets."""
    pools = tiles.object_samples(data_dir, "val")
    ucm = [s for s in data.load_set(data_dir, "ucm") if s.split == "val"]
    euro = [s for s in data.load_set(data_dir, "eurosat") if s.split == "val"]
    streets = [s for s in pools["background"] if s.set == "rsvqa"]
    out = []
    for samples, n in ((pools["ucm"], 14), (ucm, 13), (euro, 7), (pools["trees"], 6),
                       (pools["cars"], 5), (streets, 3)):  # fmt: skip
        for i in rng.permutation(len(samples))[:n]:
            out.append(show(samples[i], int(rng.integers(32))))
    return out


def draw_cell(shown: Shown, replies: dict[str, Reply], odd: tuple[str, Reply]) -> Image.Image:
    """One tile with its boxes, and below it what was said."""
    cell = Image.new("RGB", (SIDE + 8, SIDE + TEXT_H), "white")
    picture = Image.fromarray(shown.image).copy()
    pen = ImageDraw.Draw(picture)
    counts = []
    for name in splits.OFFERED:
        reply = replies[name]
        n = 0 if reply.boxes is None else len(reply.boxes)
        true = shown.counts.get(name)
        if n or true:
            counts.append(f"{name} {n}" + ("" if true is None else f" (true {true})"))
        for box in reply.boxes if reply.boxes is not None else ():
            pen.rectangle([float(v) for v in box], outline=COLOURS[name], width=2)
    cell.paste(picture, (4, 0))
    best = replies["classify"]
    sure = max((best.candidates or {"": 0.0}).values())
    asked, said = odd
    verdict = said.text if said.reason is None else f"refused ({said.reason})"
    lines = [f"{shown.title[:30]}  {shown.gsd_m:g} m"]
    lines.append(
        f"class: {best.text} {sure:.2f}" + (f" (true {shown.truth})" if shown.truth else "")
    )
    lines += textwrap.wrap("count: " + (", ".join(counts) or "nothing"), 46)
    lines += textwrap.wrap(replies["caption"].text, 46)
    lines += textwrap.wrap(f"{asked} -> {verdict}", 46)
    font = ImageFont.load_default(11)
    ImageDraw.Draw(cell).multiline_text(
        (4, SIDE + 2), "\n".join(lines[:9]), fill="black", font=font, spacing=2
    )
    return cell


def draw_sheet(model: MiniVlm, shown: list[Shown], columns: int) -> Image.Image:
    """All cells on one page."""
    cells = []
    for k, one in enumerate(shown):
        g = one.gsd_m
        questions = [make_question("classify", gsd_m=g), make_question("caption", gsd_m=g)]
        questions += [make_question("count", target=c, gsd_m=g) for c in splits.OFFERED]
        questions.append(ask_question(ODD[k % len(ODD)], gsd_m=g))
        row = model.ask(one.image[None], questions)[0]
        replies = {"classify": row[0], "caption": row[1]}
        replies |= dict(zip(splits.OFFERED, row[2:-1], strict=True))
        cells.append(draw_cell(one, replies, (ODD[k % len(ODD)], row[-1])))
    w, h = cells[0].size
    page = Image.new("RGB", (columns * w, -(-len(cells) // columns) * h), "white")
    for k, cell in enumerate(cells):
        page.paste(cell, ((k % columns) * w, (k // columns) * h))
    return page


def worst(model: MiniVlm, data_dir: Path) -> list[Shown]:
    """The surest wrong classes, the worst counts and the worst background tiles: ten in all."""
    bad: list[tuple[float, Shown]] = []
    for name, names, domain in (("ucm", splits.UCM_CLASSES, "fine"),
                                ("eurosat", splits.EUROSAT_CLASSES, "coarse")):  # fmt: skip
        said = model.info.scene_classes[domain]
        for s in [x for x in data.load_set(data_dir, name) if x.split == "val"][::1]:
            one = show(s)
            reply = model.ask(one.image[None], [make_question("classify", gsd_m=one.gsd_m)])[0][0]
            if reply.text != said[names.index(s.row["class"])]:
                bad.append((max((reply.candidates or {}).values()), one))
    out = [one for _, one in sorted(bad, key=lambda b: -b[0])[:4]]
    pools = tiles.object_samples(data_dir, "val")
    for pool, n in (("ucm", 2), ("trees", 2), ("cars", 1), ("background", 1)):
        scored = []
        for i, s in enumerate(pools[pool]):
            one = show(s, i)
            questions = [make_question("count", target=c, gsd_m=one.gsd_m) for c in one.counts]
            row = model.ask(one.image[None], questions)[0]
            error = sum(
                abs(float(r.value or 0) - one.counts[c])
                for c, r in zip(one.counts, row, strict=True)
            )
            scored.append((error, i, one))
        out += [one for _, _, one in sorted(scored, key=lambda b: (-b[0], b[1]))[:n]]
    return out


def main() -> None:
    """Write ``contact-sheet.jpg`` and ``failures.jpg``."""
    parser = argparse.ArgumentParser(prog="python -m rsvlm_geo.training.sheet")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=None)
    args = parser.parse_args()
    model = MiniVlm(args.pack, "cpu", args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    sheet = draw_sheet(model, pick(args.data, np.random.default_rng(8)), 8)
    sheet.save(args.out / "contact-sheet.jpg", quality=72)
    draw_sheet(model, worst(model, args.data), 5).save(args.out / "failures.jpg", quality=75)


if __name__ == "__main__":
    main()
