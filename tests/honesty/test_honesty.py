"""Honest questions: invariants by property, POPE's strategies, the published layout."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rsvlm_geo.annotated import AnnotatedImage, Box, Skipped, read_annotated
from rsvlm_geo.errors import DataError
from rsvlm_geo.honesty import (
    ClassStatistics,
    Settings,
    check_questions,
    generate_questions,
    pick_absent,
    read_questions,
    write_questions,
)
from rsvlm_geo.honesty.check import letters_p_value
from rsvlm_geo.honesty.cli import questions as command
from rsvlm_geo.honesty.colours import name_colour
from rsvlm_geo.honesty.questions import place_of, relation_of
from rsvlm_geo.metrics.benchmarks import load_benchmark

CLASSES = ("airplane", "car", "ship", "storage_tank", "tennis_court", "tree")


def world(seed: int, n: int = 40, folder: Path = Path("nowhere")) -> list[AnnotatedImage]:
    rng = np.random.default_rng(seed)
    out = []
    for i in range(n):
        boxes = []
        for name in CLASSES:
            for _ in range(int(rng.choice([0, 0, 1, 1, 3]))):
                x, y = rng.uniform(0, 90, 2)
                boxes.append(Box(name, (x, y, x + 8, y + 8)))
        complete = frozenset(CLASSES if i % 5 else CLASSES[:4])
        kept = tuple(b for b in boxes if b.label in complete)
        out.append(
            AnnotatedImage(
                f"i{i}", folder / f"i{i}.png", (100, 100), "w", "", "CC0", kept, complete
            )
        )
    return out


NO_PIXELS = Settings(colours=False, panchromatic=True)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_every_invariant_holds_for_any_boxes(seed: int, per_image: int) -> None:
    images = world(seed, 25)
    made = list(generate_questions(images, replace(NO_PIXELS, seed=seed, per_image=per_image)))
    report = check_questions(made, images)
    assert [b for b in report.broken if "uniform" not in b] == []
    by_id = {i.id: i for i in images}
    for q in made:
        present = by_id[q.source].present
        if q.strategy:
            assert any(t not in present for t in q.targets)
        assert q.unanswerable == bool(q.reason)


def test_letters_are_uniform_on_both_sides() -> None:
    images = world(1, 900)
    report = check_questions(generate_questions(images, NO_PIXELS), images)
    assert report.holds
    for side in ("abspos/answerable", "abspos/unanswerable", "relpos/unanswerable"):
        assert sum(report.letters[side].values()) > 300
        assert report.p_values[side] > 0.001
    # where the refusal stands when it is not the answer is uniform too
    spots = Counter(
        "ABCDE"[[("Sorry" in o) for o in q.options].index(True)]
        for q in generate_questions(images, NO_PIXELS)
        if q.task == "abspos" and not q.unanswerable
    )
    assert letters_p_value(spots) > 0.001
    assert letters_p_value({"A": 900, "B": 10, "C": 10, "D": 10, "E": 10}) < 1e-6


def test_the_same_seed_gives_the_same_set_and_images_are_independent() -> None:
    images = world(2)
    one = list(generate_questions(images, NO_PIXELS))
    assert one == list(generate_questions(images, NO_PIXELS))
    assert one != list(generate_questions(images, replace(NO_PIXELS, seed=1)))
    fewer = list(generate_questions(images, replace(NO_PIXELS, tasks=("abspos",))))
    assert fewer == [q for q in one if q.task == "abspos"]


def test_strategies() -> None:
    box = (0.0, 0.0, 9.0, 9.0)
    images = [
        AnnotatedImage(f"{i}", Path("x"), (10, 10), boxes=tuple(Box(c, box) for c in names),
                       complete=frozenset("abcd"))
        for i, names in enumerate(["ab", "ab", "c", "c", "c", "cd", "a"])
    ]  # fmt: skip
    statistics = ClassStatistics.of(images)
    rng = np.random.default_rng(0)
    only_a = images[-1]
    assert pick_absent(only_a, "popular", statistics, rng) == "c"
    assert pick_absent(only_a, "popular", statistics, rng, asked=["c"]) == "b"
    assert pick_absent(only_a, "adversarial", statistics, rng, partner="a") == "b"
    drawn = Counter(pick_absent(only_a, "random", statistics, rng) for _ in range(600))
    assert set(drawn) == {"b", "c", "d"}
    assert min(drawn.values()) > 150
    assert pick_absent(only_a, "random", statistics, rng, asked=["b", "c", "d"]) is None
    with pytest.raises(DataError, match="take one of"):
        pick_absent(only_a, "rare", statistics, rng)


def test_what_is_broken_is_found() -> None:
    images = world(3)
    made = list(generate_questions(images, NO_PIXELS))
    choice = next(q for q in made if q.task == "abspos" and not q.unanswerable)
    wrong = "ABCDE"[("ABCDE".index(choice.answer) + 1) % 5]
    for bad in (
        replace(choice, answer=wrong),
        replace(choice, options=choice.options[:4]),
        replace(choice, source="gone"),
        replace(choice, targets=("zeppelin",)),
        replace(next(q for q in made if q.task == "presence"), answer="maybe"),
    ):
        assert not check_questions([bad], images).holds, bad


def test_positions_by_hand() -> None:
    def box(x: float, y: float) -> Box:
        return Box("a", (x - 2, y - 2, x + 2, y + 2))

    assert place_of(box(10, 10), (100, 100)) == "top left"
    assert place_of(box(50, 90), (100, 100)) == "bottom"
    assert place_of(box(34, 50), (100, 100)) is None
    assert place_of(box(100, 50), (200, 100)) == "center"
    assert relation_of(box(80, 50), box(20, 50), (100, 100)) == "right"
    assert relation_of(box(50, 10), box(50, 80), (100, 100)) == "top"
    assert relation_of(box(80, 80), box(20, 20), (100, 100)) == "bottom right"
    assert relation_of(box(50, 50), box(51, 51), (100, 100)) is None


@pytest.mark.parametrize(
    ("rgb", "name"),
    [((250, 250, 250), "white"), ((10, 10, 12), "black"), ((120, 120, 122), "grey"),
     ((200, 20, 20), "red"), ((30, 60, 200), "blue"), ((40, 140, 50), "green"),
     ((170, 170, 175), None), ((150, 60, 20), "brown"), ((240, 220, 30), "yellow")],
)  # fmt: skip
def test_colours(rgb: tuple[int, int, int], name: str | None) -> None:
    assert name_colour(np.array(rgb, dtype=float)) == name


def painted(folder: Path) -> list[AnnotatedImage]:
    images = world(4, 6, folder)
    for image in images:
        canvas = np.full((100, 100, 3), (60, 120, 60), np.uint8)
        for b in image.boxes:
            x0, y0, x1, y1 = (int(v) for v in b.bbox)
            canvas[y0 : y1 + 1, x0 : x1 + 1] = (230, 20, 20)
        Image.fromarray(canvas).save(image.path)
    return images


def test_written_sets_load_as_a_published_benchmark(tmp_path: Path) -> None:
    images = painted(tmp_path)
    made = list(generate_questions(images))
    assert any(q.answer == "red" for q in made)
    write_questions(made, images, tmp_path / "out", name="dota-test")
    assert read_questions(tmp_path / "out") == made
    items = load_benchmark("hnstd", tmp_path / "out" / "eval")
    assert len(items) == len(made)
    for task, kind in (("abspos", "choice"), ("color", "colour")):
        theirs = Counter(i.unanswerable for i in items if i.kind == kind and task in i.type)
        assert theirs == Counter(q.unanswerable for q in made if q.task == task)
    grey = np.asarray(Image.open(next((tmp_path / "out" / "pan").iterdir())))
    assert grey.ndim == 2
    names = {p.name for p in (tmp_path / "out" / "eval").iterdir()}
    assert "abspos_false_dota-test_adversarial_mc.json" in names
    assert "color_false_pan_dota-test.json" in names
    with pytest.raises(DataError, match="no questions"):
        read_questions(tmp_path / "gone.jsonl")


def test_command_makes_and_checks(tmp_path: Path) -> None:
    images = painted(tmp_path)
    rows = [
        {"file": i.path.name, "size": i.size,
         "boxes": [{"label": b.label, "bbox": b.bbox} for b in i.boxes]} for i in images
    ]  # fmt: skip
    source = tmp_path / "set.jsonl"
    source.write_text("\n".join(json.dumps(r) for r in rows))
    run = CliRunner().invoke(command, ["make", str(source), "--out", str(tmp_path / "q")])
    assert run.exit_code == 0, run.output
    assert "0 broken" in run.output
    again = CliRunner().invoke(command, ["check", str(tmp_path / "q"), str(source)])
    assert again.exit_code == 0
    rows[0]["boxes"] = []
    source.write_text("\n".join(json.dumps(r) for r in rows))
    bad = CliRunner().invoke(command, ["check", str(tmp_path / "q"), str(source)])
    assert bad.exit_code == 1
    assert "BROKEN" in bad.output


def test_annotations_of_every_format_and_what_is_left_out(tmp_path: Path) -> None:
    Image.new("RGB", (100, 80)).save(tmp_path / "a.png")
    edges = {"in": [10, 10, 20, 20], "cut": [90, 70, 130, 95], "out": [200, 0, 210, 9], "nan": [0, 0, float("nan"), 3]}  # fmt: skip  # noqa: E501
    row = {"file": "a.png", "boxes": [{"label": "Storage Tank", "bbox": e} for e in edges.values()]}
    (tmp_path / "s.jsonl").write_text(json.dumps(row))
    skipped = Skipped()
    image = read_annotated(tmp_path / "s.jsonl", skipped=skipped)[0]
    assert [b.bbox for b in image.boxes] == [(10, 10, 20, 20), (90, 70, 100, 80)]
    assert image.boxes[0].label == "storage_tank"
    assert sum(skipped.summary().values()) == 2
    coco = {
        "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 80}],
        "categories": [{"id": 3, "name": "ship"}],
        "annotations": [{"image_id": 1, "category_id": 3, "bbox": [1, 2, 10, 20]}],
    }
    (tmp_path / "c.json").write_text(json.dumps(coco))
    assert read_annotated(tmp_path / "c.json")[0].boxes[0].bbox == (1, 2, 11, 22)
    dota = tmp_path / "dota"
    (dota / "images").mkdir(parents=True)
    Image.new("RGB", (100, 80)).save(dota / "images" / "p.png")
    (dota / "labelTxt").mkdir()
    (dota / "labelTxt" / "p.txt").write_text(
        "imagesource:X\ngsd:0.15\n1 1 9 2 8 9 0 8 large-vehicle 0\n"
    )
    read = read_annotated(dota)[0]
    assert read.boxes == (Box("large_vehicle", (0.0, 1.0, 9.0, 9.0)),)
    assert read.gsd_m == 0.15
    for text, said in (
        ("{", "not JSON"),
        ("[]", "not an object"),
        ('{"file": "no.png"}', "no image"),
    ):
        (tmp_path / "bad.jsonl").write_text(text)
        with pytest.raises(DataError, match=said):
            read_annotated(tmp_path / "bad.jsonl")


def test_a_split_is_checked_against_itself(tmp_path: Path) -> None:
    """What is popular in a split may not be in the whole set."""
    from PIL import Image

    rows = []
    kinds = {"val": ("car", "car", "tree", "ship"), "train": ("tree",) * 9}
    for split, labels in kinds.items():
        for i, label in enumerate(labels):
            name = f"{split}{i}.png"
            Image.new("RGB", (64, 64)).save(tmp_path / name)
            boxes = [{"label": label, "bbox": [4, 4, 20, 20]}]
            rows.append({"file": name, "split": split, "boxes": boxes})
    source = tmp_path / "boxes.jsonl"
    source.write_text("".join(json.dumps(r) + "\n" for r in rows))
    out = str(tmp_path / "q")
    made = CliRunner().invoke(command, ["make", str(source), "--out", out, "--split", "val"])
    assert made.exit_code == 0, made.output
    checked = CliRunner().invoke(command, ["check", out, str(source)])
    assert checked.exit_code == 0, checked.output
    (tmp_path / "q" / "about.json").unlink()
    whole = CliRunner().invoke(command, ["check", out, str(source)])
    assert "is more frequent than" in whole.output
