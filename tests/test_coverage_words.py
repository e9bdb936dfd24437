"""What a run says of its numbers: candidates, refusals by question, and no zero for a refusal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from factories import make_scene, scatter
from oracle_cli import CLASSES, Seer

import rsvlm_geo
from rsvlm_geo.answers import Coverage
from rsvlm_geo.pipeline import Result, Total
from rsvlm_geo.report import build_payload
from rsvlm_geo.vlm import Question, Reply

UNSURE = {"min_confidence": {"classify": 0.8}}
"""A tile without objects is then classified too unsurely to say."""


def run_row(result: Result) -> dict[str, object]:
    return dict(result.run.drop(columns="geometry").to_dict("records")[0])


def test_locate_numbers_candidates_and_count_objects(tmp_path: Path) -> None:
    objects = scatter(700, 700, 20, seed=3)
    path = make_scene(tmp_path / "s.tif", objects=objects)
    found = rsvlm_geo.locate(path, "thing", model=Seer())
    assert str(found.total) == f"{len(objects)} possible things"
    assert found.total.value == len(objects) and found.total.unit == "candidates"
    assert "for a number, use count" in found.summary()
    assert "Possible things" in str(found.layers.style.questions)
    counted = rsvlm_geo.count(path, "thing", model=Seer())
    assert str(counted.total) == f"{len(objects)} things" and counted.total.unit == "objects"
    assert "possible" not in counted.summary()
    (total,) = json.loads(found.run["totals"].iloc[0])
    assert total["value"] == len(objects) and total["unit"] == "candidates"
    figure = build_payload(found.answers, found.objects, run_row(found), title="t")
    assert figure["totals"][0]["label"] == "possible thing"


class Blind(Seer):
    """Refuses to count things for the size of the pixels, and answers all else."""

    def answer(self, image: np.ndarray, boxes: np.ndarray, question: Question) -> Reply:  # type: ignore[type-arg]
        if question.target == "thing":
            return Reply("too coarse", p_unanswerable=1.0, reason="below_gsd")
        return super().answer(image, boxes, question)


def test_what_was_refused_everywhere_is_no_zero(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif", width=128, height=128, objects=[(10, 10, 30, 30)])
    classes = tuple(replace(c, max_gsd_m=0.5) if c.name == "thing" else c for c in CLASSES)
    result = rsvlm_geo.count(path, "thing", model=Blind(classes=classes))
    words = "Things not counted: refused (too small for these pixels: needs <= 0.5 m, shown 0.5 m)"
    assert str(result.total) == words and not result.total.counted and result.total.value == 0
    assert result.summary().count("too small") == 1 and "0 things" not in result.summary()
    assert {s.text: s.tile_ids for s in result.statements}[f"{words}."] == ("0/0",)
    payload = build_payload(result.answers, result.objects, run_row(result), title="t")
    assert payload["totals"][0]["value"] == "–"
    assert payload["totals"][0]["note"].startswith("not counted: refused (too small")


@pytest.mark.parametrize(
    ("coverage", "words"),
    [
        (Coverage(0.0, 1.0, 0.0), "Cars not counted: no data"),
        (Coverage(0.0, 0.0, 1.0), "Cars not counted: failed"),
        (Coverage(0.6, 0.0, 0.4, refused=0.6), "Cars not counted: 60.0% refused, 40.0% failed"),
        (Coverage(1.0, 0.0, 0.0), "0 cars"),
    ],
)
def test_a_zero_is_said_only_of_what_was_answered(coverage: Coverage, words: str) -> None:
    assert str(Total(0.0, "car", coverage)) == words


def test_a_refusal_is_said_of_its_question_not_of_the_run(tmp_path: Path) -> None:
    path = make_scene(
        tmp_path / "s.tif", width=256, height=128, nodata=0, holes=[(192, 0, 256, 128)],
        objects=[(10, 10, 30, 30)],
    )  # fmt: skip
    result = rsvlm_geo.describe(path, ["thing"], model=Seer(**UNSURE), margin_m=0)
    assert result.complete and result.coverage.refused == pytest.approx(0.25)
    assert result.coverage_words == "75.0% seen, 25.0% nodata; refused: scene class 25.0%"
    assert f"Coverage: {result.coverage_words}." in result.summary()
    row = result.run.iloc[0]
    assert row["coverage"] == result.coverage_words and row["refused"] == pytest.approx(0.25)
    both = rsvlm_geo.describe(path, ["thing"], model=Blind(**UNSURE), margin_m=0)
    assert not both.complete
    assert both.coverage_words.endswith("refused: scene class 25.0%, number of things 75.0%")
    single = rsvlm_geo.classify(path, model=Seer(**UNSURE), margin_m=0)
    assert single.coverage_words == str(single.coverage)
    payload = build_payload(both.answers, both.objects, run_row(both), title="t")
    # 3 of 6 answers of the tiles that have data, not every one
    assert payload["coverage"]["refused"] == pytest.approx(0.375)


def test_what_every_question_refused_is_said_once(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif", width=128, height=128)
    result = rsvlm_geo.describe(path, ["thing"], model=Seer(refuse=lambda image: True))
    assert result.coverage_words == "100.0% seen; refused: every question 100.0%"
