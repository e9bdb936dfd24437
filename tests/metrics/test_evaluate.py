"""Benchmarks in their published layouts, small and generated; and evaluating a model on them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from rsvlm_geo.errors import DataError
from rsvlm_geo.evaluate import evaluate, fit_image
from rsvlm_geo.metrics.benchmarks import guess_benchmark, load_benchmark
from rsvlm_geo.vlm import ModelInfo, Question, Reply


def paint(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (20, 20)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


class Oracle:
    """Answers from the colour of the image, so that it knows right from wrong."""

    def __init__(self) -> None:
        self.info = ModelInfo("oracle", 16, frozenset({"ask", "caption", "classify"}), batch=3)
        self.calls = 0

    def ask(self, images: NDArray[np.uint8], questions: Sequence[Question]) -> list[list[Reply]]:
        self.calls += 1
        return [[self._one(image, q) for q in questions] for image in images]

    def _one(self, image: NDArray[np.uint8], question: Question) -> Reply:
        red = bool(image[0, 0, 0] > 200)
        words = question.text.lower()
        if question.task == "locate":
            box = np.array([[0.0, 0.0, 8.0, 8.0]]) if red else np.array([[9.0, 9.0, 12.0, 12.0]])
            return Reply("", boxes=box, labels=("x",), scores=np.array([0.9]))
        if question.task == "caption":
            return Reply("A red field." if red else "Water.")
        if "a: sorry" in words:
            return Reply("B" if red else "A")
        if "color" in words:
            return Reply("red" if red else "The roof is invisible in the provided image.")
        if "how many" in words:
            return Reply("2" if red else "some of them", candidates={"2": 0.9} if red else None)
        if question.candidates == ("yes", "no"):
            return Reply("", candidates={"yes": 0.8, "no": 0.2} if red else {"yes": 0.1, "no": 0.9})
        names = question.candidates or ("rural", "urban")
        return Reply("", candidates={names[0]: 0.7 if red else 0.2, names[1]: 0.3 if red else 0.8})


def test_folder_per_class(tmp_path: Path) -> None:
    for i in range(3):
        paint(tmp_path / "AID" / "Airport" / f"airport_{i}.jpg", (250, 0, 0))
        paint(tmp_path / "AID" / "Beach" / f"beach_{i}.jpg", (0, 0, 250))
    items = load_benchmark("aid", tmp_path)
    assert {i.answer for i in items} == {"Airport", "Beach"}
    model = Oracle()
    report = evaluate(model, items, benchmark="aid")
    assert report.tables["classify"]["accuracy"].value == 1.0
    assert report.baselines["constant answer"]["classify"]["accuracy"].value == 0.5
    assert report.baselines["image-blind"]["classify"]["accuracy"].value == 0.5
    assert model.calls == 4  # batches of three images, twice
    assert guess_benchmark(tmp_path / "AID") == "folders"
    assert "macro_recall" in str(report)


def rsvqa(root: Path) -> None:
    paint(root / "Images_LR" / "0.tif", (250, 0, 0))
    paint(root / "Images_LR" / "1.tif", (0, 0, 250))
    rows = [
        (0, 0, "presence", "Is there a road?", "yes"), (1, 1, "presence", "Is there a road?", "no"),
        (2, 0, "count", "How many roads are there?", "2"),
        (3, 1, "count", "How many roads are there?", "4"),
        (4, 0, "rural_urban", "Is it a rural or an urban area?", "rural"),
    ]  # fmt: skip
    (root / "LR_split_test_questions.json").write_text(json.dumps({"questions": [
        {"id": i, "img_id": m, "type": t, "question": q, "active": True} for i, m, t, q, _ in rows
    ]}))  # fmt: skip
    (root / "LR_split_test_answers.json").write_text(json.dumps({"answers": [
        {"id": i, "question_id": i, "answer": a, "active": True} for i, *_, a in rows
    ]}))  # fmt: skip


def test_rsvqa(tmp_path: Path) -> None:
    rsvqa(tmp_path)
    assert guess_benchmark(tmp_path) == "rsvqa_lr"
    report = evaluate(Oracle(), load_benchmark("rsvqa_lr", tmp_path), benchmark="rsvqa_lr")
    table = report.tables["by_type"]
    assert table["accuracy/presence"].value == 1.0
    assert table["accuracy/count"].value == 0.5
    assert report.tables["count"]["mae"].parse_failures == 1
    assert report.tables["count"]["mae"].value == 2.0  # unparsed: the whole 4, over two
    assert table["overall"].value == pytest.approx(4 / 5)


def test_dior_rsvg(tmp_path: Path) -> None:
    for i, colour in enumerate([(250, 0, 0), (0, 0, 250)]):
        paint(tmp_path / "JPEGImages" / f"{i}.jpg", colour, (32, 32))
        (tmp_path / "Annotations").mkdir(exist_ok=True)
        (tmp_path / "Annotations" / f"{i}.xml").write_text(
            f"<annotation><filename>{i}.jpg</filename><object><name>ship</name><bndbox>"
            "<xmin>0</xmin><ymin>0</ymin><xmax>16</xmax><ymax>16</ymax></bndbox>"
            "<description>A ship at the top</description></object></annotation>"
        )
    (tmp_path / "test.txt").write_text("0\n1\n")
    items = load_benchmark("dior_rsvg", tmp_path)
    report = evaluate(Oracle(), items)
    assert report.tables["box"]["acc@0.5"].value == 0.5
    (tmp_path / "test.txt").write_text("0\n7\n")
    with pytest.raises(DataError, match="object 7"):
        load_benchmark("dior_rsvg", tmp_path)


def test_vrsbench(tmp_path: Path) -> None:
    paint(tmp_path / "Images_val" / "a.png", (250, 0, 0), (200, 100))
    (tmp_path / "VRSBench_EVAL_referring.json").write_text(json.dumps([
        {"image_id": "a.png", "question": "The ship", "ground_truth": "{<0><0><50><100>}",
         "question_id": 1, "is_unique": True}
    ]))  # fmt: skip
    (tmp_path / "VRSBench_EVAL_vqa.json").write_text(json.dumps([
        {"image_id": "a.png", "question": "Is it red?", "ground_truth": "Yes", "question_id": 2,
         "type": "object color"}
    ]))  # fmt: skip
    items = load_benchmark("vrsbench", tmp_path)
    assert next(i for i in items if i.kind == "box").box == (0, 0, 100, 100)
    report = evaluate(Oracle(), items)
    assert report.tables["yes_no"]["accuracy"].value == 1.0
    assert report.tables["box"]["acc@0.7"].value == 1.0


def test_rsicd(tmp_path: Path) -> None:
    for i, colour in enumerate([(250, 0, 0), (0, 0, 250)]):
        paint(tmp_path / "RSICD_images" / f"{i}.jpg", colour)
    images = [
        {"filename": f"{i}.jpg", "imgid": i, "split": s, "sentences": [{"raw": t}]}
        for i, s, t in ((0, "test", "A red field ."), (1, "train", "Water ."))
    ]
    (tmp_path / "dataset_rsicd.json").write_text(json.dumps({"images": images}))
    items = load_benchmark("rsicd", tmp_path)
    assert len(items) == 1
    assert evaluate(Oracle(), items).tables["caption"]["bleu_1"].value == pytest.approx(1, abs=1e-6)


def test_hnstd(tmp_path: Path) -> None:
    paint(tmp_path / "images" / "r.jpg", (250, 0, 0))
    paint(tmp_path / "images" / "b.jpg", (0, 0, 250))
    ask = ("Where is the car located in the image? A: Sorry, the object is invisible B: right "
           "C: center D: left E: bottom right")  # fmt: skip

    def rows(question: str, red: str, blue: str) -> str:
        return json.dumps([
            {"image": f"{n}.jpg", "image_path": "images",
             "conversations": [{"value": "<image>\n" + question}, {"value": a}]}
            for n, a in (("r", red), ("b", blue))
        ])  # fmt: skip

    (tmp_path / "abspos_dota-test_mc.json").write_text(rows(ask, "B", "A"))
    colour = "What is the actual color of the roof?"
    (tmp_path / "color_dota-test_fair1m-val_open.json").write_text(
        rows(colour, "red", "The roof is invisible in the provided image, so I cannot answer.")
    )
    items = load_benchmark("hnstd", tmp_path)
    report = evaluate(Oracle(), items)
    assert report.tables["choice"]["accuracy"].value == 1.0
    assert report.tables["refusals"]["refusal_f1"].value == 1.0
    assert report.tables["colour"]["accuracy"].value == 1.0
    never = report.baselines["never refuse"]["refusals"]
    assert never["refusal_recall"].value == 0.0
    path = tmp_path / "records.jsonl"
    report.write_records(path)
    assert len(path.read_text().splitlines()) == 4
    json.dumps(report.as_dict(), allow_nan=False)


def test_what_is_not_as_published_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="take one of"):
        load_benchmark("nothing", tmp_path)
    with pytest.raises(DataError, match="no folder"):
        load_benchmark("aid", tmp_path / "gone")
    with pytest.raises(DataError, match=r"no file .*LR_split_test_questions"):
        load_benchmark("rsvqa_lr", tmp_path)
    rsvqa(tmp_path)
    (tmp_path / "Images_LR" / "1.tif").unlink()
    with pytest.raises(DataError, match=r"no image .*1\.tif"):
        load_benchmark("rsvqa_lr", tmp_path)
    (tmp_path / "LR_split_test_answers.json").write_text("<html>")
    with pytest.raises(DataError, match="not readable JSON"):
        load_benchmark("rsvqa_lr", tmp_path)
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match="cannot be read"):
        fit_image(tmp_path / "broken.jpg", 16)


def test_fitting_keeps_the_corner(tmp_path: Path) -> None:
    paint(tmp_path / "wide.png", (250, 0, 0), (40, 20))
    image, scale = fit_image(tmp_path / "wide.png", 20)
    assert scale == 2.0
    assert image[0, 0, 0] > 240
    assert image[15, 5].tolist() == [122, 116, 104]
