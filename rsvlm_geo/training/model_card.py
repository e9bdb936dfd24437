"""Put measured numbers into the pack's card and into ``docs/model-card.md``.

``python -m rsvlm_geo.training.model_card --eval FILE.json --pack DIR --out docs/model-card.md``
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
BARS: tuple[tuple[str, str, str, float | str], ...] = (
    # what, key, "min", "max" (of the absolute value) or "worse", bar or the key compared with
    ("scene class, UCM, top-1", "classify/ucm", "min", 0.95),
    ("scene class, EuroSAT, top-1", "classify/eurosat", "min", 0.96),
    ("presence, balanced accuracy (as many yes as no)", "presence/balanced_accuracy", "min", 0.90),
    ("presence, image-blind", "presence/blind_balanced_accuracy", "max", 0.60),
    ("presence, image-blind but knowing class and set",
     "presence/blind_knowing_set_balanced_accuracy", "info", ""),
    ("presence, as many yes as no within every set", "presence_paired/balanced_accuracy",
     "info", ""),
    ("the same, image-blind but knowing class and set",
     "presence_paired/blind_knowing_set_balanced_accuracy", "info", ""),
    ("count trees, MAE a tile", "count/tree/mae", "half", "count/tree/constant_mae"),
    ("count trees, bias of the total", "count/tree/bias", "max", 0.10),
    ("count cars, MAE a tile", "count/car/mae", "half", "count/car/constant_mae"),
    ("count cars, bias of the total", "count/car/bias", "max", 0.10),
    ("locate trees, F1 at IoU .4", "locate/tree/f1@0.4", "min", 0.60),
    ("locate cars, F1 at IoU .5", "locate/car/f1@0.5", "min", 0.75),
    ("locate airplanes, F1 at IoU .5", "locate/airplane/f1@0.5", "min", 0.70),
    ("locate storage tanks, F1 at IoU .5", "locate/storage_tank/f1@0.5", "min", 0.70),
    ("locate tennis courts, F1 at IoU .5", "locate/tennis_court/f1@0.5", "min", 0.70),
    ("locate baseball diamonds, F1 at IoU .5", "locate/baseball_diamond/f1@0.5", "min", 0.70),
    ("locate ships, F1 at IoU .5", "locate/ship/f1@0.5", "info", ""),
    ("locate mobile homes, F1 at IoU .5", "locate/mobile_home/f1@0.5", "info", ""),
    ("locate parked cars, 0.3 m read at 0.15 m, F1 at IoU .5", "locate/parked_car_doubled/f1@0.5",
     "info", ""),
    ("the same in tiles of 0.3 m, by a closer look", "locate/parked_car/f1@0.5", "info", ""),
    ("refusals, F1", "refuse/refusal_f1", "min", 0.90),
    ("refusals, false refusals", "refuse/false_refusals", "max", 0.05),
    ("refusals, adversarial recall", "refuse/adversarial/recall", "info", ""),
    ("refusals, out of scope recall (new words and templates)", "refuse/out_of_scope/recall",
     "info", ""),
    ("ECE, scene class UCM", "classify/ucm/ece", "max", 0.05),
    ("ECE, scene class EuroSAT", "classify/eurosat/ece", "max", 0.05),
    ("ECE, presence", "presence/ece", "max", 0.05),
    ("ECE, count trees", "count/tree/ece", "max", 0.05),
    ("ECE of a calibrated model at that n, count trees", "count/tree/ece_if_calibrated",
     "info", ""),
    ("ECE, count cars", "count/car/ece", "max", 0.05),
    ("ECE of a calibrated model at that n, count cars", "count/car/ece_if_calibrated", "info", ""),
    ("ECE, refusals", "refuse/ece", "max", 0.05),
    ("captions, invented objects of all mentions (17 labels)", "caption/chair_i", "max", 0.05),
    ("captions, invented objects (our boxed classes)", "caption/boxed_objects/chair_i", "max",
     0.05),
    *((f"robustness, {name}, {how}: accuracy lost", f"robust/{key}/{how}/drop", "worse", 0.03)
      for key, name in (("ucm", "UCM"), ("eurosat", "EuroSAT"))
      for how in ("grey", "2x_coarser", "16_bit_stretch", "rotated_90")),
    ("forty unknowable, refused", "forty/unknowable_refused", "info", ""),
    ("forty answerable, answered", "forty/answerable_answered", "info", ""),
    ("forty more unknowable, refused", "forty/unknowable_refused_2", "info", ""),
    ("forty more answerable, answered", "forty/answerable_answered_2", "info", ""),
    ("captions, CIDEr-D to UCM's own captions", "caption/cider_d", "info", ""),
    ("captions, CIDEr-D of a constant caption", "caption/constant/cider_d", "info", ""),
    ("captions, CIDEr-D of shuffled captions (blind)", "caption/blind/cider_d", "info", ""),
)  # fmt: skip


def verdict(row: Row, how: str, bar: float | str, rows: Mapping[str, Row]) -> tuple[str, str]:
    """The bar in words, and whether it is met."""
    value = float(row["value"])
    if how == "info":
        return "reported", ""
    if how == "half":
        limit = 0.5 * float(rows[str(bar)]["value"])
        return f"<= {limit:.2f} (half of constant)", "yes" if value <= limit else "**no**"
    assert isinstance(bar, float)
    if how == "min":
        return f">= {bar:g}", "yes" if value >= bar else f"**no**, by {bar - value:.3f}"
    if how == "worse":
        return f"<= {bar:g}", "yes" if value <= bar else f"**no**, by {value - bar:.3f}"
    return f"<= {bar:g}", "yes" if abs(value) <= bar else f"**no**, by {abs(value) - bar:.3f}"


def number(row: Row) -> str:
    """``0.951 [0.92, 0.97]``."""
    text = f"{row['value']:.3f}"
    if row.get("low") is not None and row.get("high") is not None:
        text += f" [{row['low']:.3f}, {row['high']:.3f}]"
    return text


def bars_table(rows: Mapping[str, Row]) -> str:
    """The bars with what was measured, as Markdown."""
    out = ["| task | measured [95 %] | n | bar | met |", "| --- | --- | --- | --- | --- |"]
    for what, key, how, bar in BARS:
        if key in rows and rows[key]["value"] is not None:
            asked, met = verdict(rows[key], how, bar, rows)
            out.append(f"| {what} | {number(rows[key])} | {rows[key]['n']} | {asked} | {met} |")
    return "\n".join(out)


def all_table(rows: Mapping[str, Row], prefixes: tuple[str, ...]) -> str:
    """Every other number, as Markdown."""
    out = ["| number | measured [95 %] | n |", "| --- | --- | --- |"]
    for key, row in rows.items():
        if key.startswith(prefixes) and row["value"] is not None:
            out.append(f"| {key} | {number(row)} | {row['n']} |")
    return "\n".join(out)


def update_pack(folder: Path, rows: Mapping[str, Row]) -> None:
    """Write the bars' numbers into ``rsvlm.json``."""
    path = folder / "rsvlm.json"
    card = json.loads(path.read_text())
    keep = {key for _, key, _, _ in BARS}
    card["evaluation"] = [
        {"name": k, **{f: r[f] for f in ("value", "low", "high", "n")}}
        for k, r in rows.items()
        if k in keep
    ]
    path.write_text(json.dumps(card, indent=1) + "\n")


def fill(text: str, rows: Mapping[str, Row]) -> str:
    """Replace what stands between the ``<!-- numbers:NAME -->`` marks of a page."""
    parts = {
        "bars": bars_table(rows),
        "all": all_table(
            rows,
            ("robust", "locate", "count", "presence", "background", "ask", "refuse", "caption",
             "classify", "forty"),
        ),
    }  # fmt: skip
    for name, table in parts.items():
        start, end = f"<!-- numbers:{name} -->", f"<!-- /numbers:{name} -->"
        if start in text and end in text:
            head, rest = text.split(start, 1)
            text = f"{head}{start}\n{table}\n{end}{rest.split(end, 1)[1]}"
    return text


def main() -> None:
    """Fill the page and the pack's card."""
    parser = argparse.ArgumentParser(prog="python -m rsvlm_geo.training.model_card")
    parser.add_argument("--eval", type=Path, required=True)
    parser.add_argument("--pack", type=Path, default=None)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    rows = json.loads(args.eval.read_text())
    if args.pack is not None:
        update_pack(args.pack, rows)
    args.out.write_text(fill(args.out.read_text(), rows))


if __name__ == "__main__":
    main()
