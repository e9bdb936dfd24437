"""Measures against hand-computed cases and independent libraries."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsvlm_geo import metrics
from rsvlm_geo.errors import DataError
from rsvlm_geo.metrics import parse

GOLDEN = json.loads((Path(__file__).parent / "golden" / "captions.json").read_text())


def test_wilson_of_nineteen_of_twenty() -> None:
    low, high = metrics.wilson_interval(19, 20)
    assert (round(low, 3), round(high, 3)) == (0.764, 0.991)


def test_captions_equal_the_published_scorer() -> None:
    cands = [c.split() for c in GOLDEN["captions"]]
    refs = [[r.split() for r in group] for group in GOLDEN["references"]]
    scores = metrics.bleu(cands, refs)
    for k in range(4):
        assert scores[f"bleu_{k + 1}"].value == pytest.approx(GOLDEN["bleu"][k], abs=1e-9)
    assert metrics.rouge_l(cands, refs).value == pytest.approx(GOLDEN["rouge_l"], abs=1e-9)
    assert metrics.cider_d(cands, refs).value == pytest.approx(GOLDEN["cider_d"], abs=1e-6)


def test_tokenizer_splits_clitics_and_keeps_hyphens() -> None:
    assert metrics.tokenize("The dock's tree-lined road (3.5 m) isn't wide; cannot pass!") == [
        "the", "dock", "'s", "tree-lined", "road", "3.5", "m", "is", "n't", "wide", "can", "not",
        "pass",
    ]  # fmt: skip


def test_empty_captions_score_nothing_and_do_not_crash() -> None:
    out = metrics.caption_measures(["", "a car"], [["a car"], ["a car"]])
    assert out["rouge_l"].value == pytest.approx(0.5)
    with pytest.raises(DataError, match="no reference"):
        metrics.caption_measures(["a"], [[]])


def test_invented_objects() -> None:
    vocabulary = {"car": ("vehicle",), "storage_tank": ("tank",), "ship": ()}
    out = metrics.invented_objects(
        ["Three vehicles and a storage tank.", "No ships, two cars.", "A ship beside cars"],
        [{"car"}, {"car"}, {"car", "ship"}],
        vocabulary,
    )
    assert out["chair_i"].value == pytest.approx(1 / 5)
    assert out["chair_s"].value == pytest.approx(1 / 3)
    assert out["chair_i"].extra["invented"] == {"storage_tank": 1}


def test_classification_counts_what_does_not_parse_as_wrong() -> None:
    out = metrics.classification(
        ["Tennis Court", None, "air", "port"], ["tenniscourt", "a b", "airport", "port"]
    )
    assert out["accuracy"].value == 0.5
    assert out["accuracy"].parse_failures == 1


def test_pope_five_by_hand() -> None:
    out = metrics.yes_no(
        [True, True, False, None, None, False], [True, False, False, True, False, True]
    )
    # tp 1, fp 1 + 1 unparsed on a no, fn 1 + 1 unparsed on a yes, tn 1
    assert out["accuracy"].value == pytest.approx(2 / 6)
    assert out["precision"].value == pytest.approx(1 / 3)
    assert out["recall"].value == pytest.approx(1 / 3)
    assert out["f1"].value == pytest.approx(1 / 3)
    assert out["yes_ratio"].value == pytest.approx(2 / 6)
    assert out["balanced_accuracy"].value == pytest.approx(1 / 3)
    assert out["accuracy"].parse_failures == 2


def test_vqa_average_and_overall_differ() -> None:
    out = metrics.vqa(
        ["yes", "no", "3", "The urban"], ["yes", "yes", "4", "urban"], ["p", "p", "count", "r"]
    )
    assert out["overall"].value == 0.5
    assert out["average"].value == pytest.approx((0.5 + 0 + 1) / 3)
    assert out["average_no_count"].value == pytest.approx(0.75)


def test_counting_by_hand() -> None:
    out = metrics.counting([2, 5, None, 0], [2, 3, 4, 0])
    assert out["mae"].value == pytest.approx((0 + 2 + 4 + 0) / 4)
    assert out["mape"].value == pytest.approx((0 + 2 / 3 + 1) / 3)
    assert out["bias"].value == pytest.approx((0 + 2 - 4) / 9)
    assert out["exact"].value == 0.5
    assert out["exact/0"].value == 1.0
    assert out["mae"].parse_failures == 1
    with pytest.raises(DataError, match="0 or more"):
        metrics.counting([1], [-1])


def test_rambling_is_never_better_than_answering() -> None:
    rambling = metrics.number_errors([(1.0, 2.0)], [(3.0,)])
    answering = metrics.number_errors([(2.0,)], [(3.0,)])
    assert rambling["mae"].value > answering["mae"].value
    assert rambling["mae"].parse_failures == 1


def test_detection_matches_best_first_and_ignores_zones() -> None:
    gold = [[[0, 0, 10, 10], [20, 20, 30, 30]]]
    pred = [[[0, 0, 10, 9], [0, 0, 10, 10], [50, 50, 60, 60]]]
    out = metrics.detection(pred, gold, iou=0.5, scores=[[0.6, 0.9, 0.8]])
    assert out["f1"].extra == {"tp": 1, "fp": 2, "fn": 1, "iou": 0.5}
    eased = metrics.detection(
        pred, gold, iou=0.5, scores=[[0.6, 0.9, 0.8]], ignore=[[[45, 45, 99, 99]]]
    )
    assert eased["f1"].extra["fp"] == 1
    with pytest.raises(DataError, match="n, 4"):
        metrics.detection([[[1, 2, 3]]], gold)


def test_average_precision_equals_faster_coco_eval() -> None:
    pytest.importorskip("faster_coco_eval")
    from faster_coco_eval import COCO, COCOeval_faster

    rng = np.random.default_rng(3)
    gold, pred, scores = [], [], []
    for _ in range(25):
        n = int(rng.integers(0, 8))
        xy = rng.uniform(0, 200, (n, 2))
        boxes = np.concatenate([xy, xy + rng.uniform(8, 40, (n, 2))], axis=1)
        kept = boxes[rng.random(n) < 0.8] + rng.normal(0, 3, (1, 4))
        extra = rng.uniform(0, 150, (int(rng.integers(0, 3)), 2))
        found = np.concatenate([kept, np.concatenate([extra, extra + 20], axis=1)])
        gold.append(boxes)
        pred.append(found)
        scores.append(np.round(rng.random(len(found)), 2))  # ties on purpose

    def row(box: np.ndarray) -> list[float]:
        return [box[0], box[1], box[2] - box[0], box[3] - box[1]]

    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": i + 1, "width": 300, "height": 300} for i in range(25)],
        "categories": [{"id": 1, "name": "x"}],
        "annotations": [
            {"id": 1 + k, "image_id": i + 1, "category_id": 1, "bbox": row(b), "iscrowd": 0,
             "area": float(row(b)[2] * row(b)[3])}
            for k, (i, b) in enumerate((i, b) for i in range(25) for b in gold[i])
        ],
    }  # fmt: skip
    truth.createIndex()
    found = truth.loadRes(
        [
            {"image_id": i + 1, "category_id": 1, "bbox": row(b), "score": float(s)}
            for i in range(25)
            for b, s in zip(pred[i], scores[i], strict=True)
        ]
    )
    judge = COCOeval_faster(truth, found, iouType="bbox")
    judge.params.iouThrs = np.array([0.5])
    judge.evaluate()
    judge.accumulate()
    precision = judge.eval["precision"][0, :, 0, 0, 2]
    expected = float(precision[precision > -1].mean())
    assert metrics.average_precision(pred, scores, gold).value == pytest.approx(expected, abs=1e-9)


def test_grounding_and_outlines_by_hand() -> None:
    out = metrics.grounding([[0, 0, 10, 10], None], [[0, 0, 10, 8], [0, 0, 5, 5]])
    assert out["acc@0.5"].value == 0.5
    assert out["acc@0.7"].value == 0.5
    assert out["miou"].value == pytest.approx(0.4)
    assert out["ciou"].value == pytest.approx(80 / 125)
    square = [(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)]
    five = [(0, 0), (5, 0), (10, 0), (10, 10), (0, 10)]
    assert metrics.outline_iou(five, square) == pytest.approx((1.0, 1 - 1 / 9))
    assert metrics.outlines([None], [square])["c_iou"].value == 0.0


def test_multi_label_by_hand() -> None:
    out = metrics.multi_label([{"a", "b"}, None], [{"a"}, {"b"}], ["a", "b", "c"])
    assert out["micro_f1"].value == pytest.approx(2 / 4)
    assert out["macro_f1"].value == pytest.approx((1 + 0) / 2)
    assert out["exact"].value == 0
    with pytest.raises(DataError, match="not in the list"):
        metrics.multi_label([{"a"}], [{"z"}], ["a"])


def test_refusals_and_their_baselines() -> None:
    out = metrics.refusals([True, False, True, False], [True, True, False, False])
    assert {k: m.value for k, m in out.items()} == {
        "refusal_recall": 0.5, "false_refusals": 0.5, "refusal_precision": 0.5, "refusal_f1": 0.5,
        "balanced_accuracy": 0.5,
    }  # fmt: skip
    base = metrics.honesty_baselines([True, True, False, False])
    assert base["always_refuse"]["false_refusals"].value == 1.0
    assert base["never_refuse"]["refusal_recall"].value == 0.0
    assert base["always_refuse"]["balanced_accuracy"].value == 0.5


def test_refusal_words() -> None:
    for text in (
        "The tennis court is invisible in the provided image, so I cannot provide an answer.",
        "Sorry, the object is invisible", "I can't tell from this image.", "<unans>",
        "The image provided is panchromatic, which makes it impossible to determine the colors.",
    ):  # fmt: skip
        assert metrics.is_refusal_text(text), text
    for text in ("no", "white", "There are no cars.", "A", "It cannot be white."):
        assert not metrics.is_refusal_text(text), text


def test_calibration_by_hand() -> None:
    p = [0.9, 0.9, 0.9, 0.9, 0.3, 0.3]
    hit = [True, True, True, False, False, True]
    out = metrics.calibration(p, hit)
    assert out["ece"].value == pytest.approx((abs(3.6 - 3) + abs(0.6 - 1)) / 6)
    assert out["brier"].value == pytest.approx((3 * 0.01 + 0.81 + 0.09 + 0.49) / 6)
    coverage, risk = metrics.risk_coverage([0.9, 0.8, 0.7], [True, False, True])
    assert coverage.tolist() == pytest.approx([1 / 3, 2 / 3, 1])
    assert risk.tolist() == pytest.approx([0, 1 / 2, 1 / 3])
    assert metrics.aurc([0.9, 0.8, 0.1], [True, True, False]).extra["excess"] == pytest.approx(0)
    with pytest.raises(DataError, match=r"0\.\.1"):
        metrics.ece([1.2], [True])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.9]), st.booleans()), min_size=1), st.randoms()
)
def test_risk_coverage_does_not_depend_on_the_order(pairs: list, rng: object) -> None:
    shuffled = list(pairs)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    one = metrics.risk_coverage(*zip(*pairs, strict=True))[1]
    two = metrics.risk_coverage(*zip(*shuffled, strict=True))[1]
    assert one == pytest.approx(two)


def test_retrieval_against_brute_force_and_ties() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(30, 60))
    owner = [i // 2 for i in range(60)]
    out = metrics.retrieval(table, owner)
    order = np.argsort(-table, axis=1)
    brute = np.mean([any(owner[c] == i for c in order[i, :5]) for i in range(30)])
    assert out["i2t_r@5"].value == pytest.approx(brute)
    flat = metrics.retrieval(np.zeros((30, 60)), owner)
    assert flat["mr"].value == 0.0
    draws = [metrics.retrieval(rng.normal(size=(30, 60)), owner)["mr"].value for _ in range(60)]
    assert np.mean(draws) == pytest.approx(out["mr"].extra["chance"], abs=0.02)


def test_intervals_are_seeded_and_cover() -> None:
    rng = np.random.default_rng(1)
    inside = 0
    for i in range(60):
        m = metrics.mean_measure(rng.normal(2, 1, 50), seed=i)
        inside += m.low <= 2 <= m.high
    assert inside >= 50
    assert metrics.mean_measure([1.0, 2, 4], seed=3) == metrics.mean_measure([1.0, 2, 4], seed=3)
    assert math.isnan(metrics.mean_measure([]).value)
    assert "no data" in metrics.format_table({"x": metrics.mean_measure([])})


@pytest.mark.parametrize(
    ("text", "value"),
    [("Yes.", True), ("No.", False), ("yes, not far", True), ("maybe", None), ("", None),
     ("There are not any", False), ("It is false", False), ("yes or no", True),
     ("I say yes and no", None), ("nothing", None)],
)  # fmt: skip
def test_yes_no_words(text: str, value: bool | None) -> None:
    assert parse.parse_yes_no(text) is value


OPTIONS = {"A": "Sorry, the object is invisible", "B": "right", "C": "center", "D": "left", "E": "bottom right"}  # fmt: skip  # noqa: E501


@pytest.mark.parametrize(
    ("text", "letter"),
    [("B", "B"), ("(C)", "C"), ("D: left", "D"), ("The Answer is C", "C"), 
     ("A plane is here", None),
     ("bottom right", "E"), ("right", "B"), ("Sorry, the object is invisible", "A"), ("", None),
     ("B or C", None), ("E.", "E"), ("answer: a", "A")],
)  # fmt: skip
def test_choice_letters(text: str, letter: str | None) -> None:
    assert parse.parse_choice(text, OPTIONS) == letter


def test_other_parsers() -> None:
    assert parse.parse_numbers("41.15m by 1,024 m") == (41.15, 1024.0)
    assert parse.parse_count("1,024") == 1024
    assert parse.parse_count("between 2 and 3") is None
    assert parse.parse_box("[[100, 200, 300, 400]]", (500, 1000)) == (50.0, 200.0, 150.0, 400.0)
    assert parse.parse_box("[[1,2,3,4],[1,2,5,6]]") is None
    assert parse.parse_box("no box") is None
    assert parse.parse_outline("points at [(0, 0), (10, 0), (10, 10)]") == [
        (0, 0),
        (10, 0),
        (10, 10),
    ]
    assert parse.parse_class("The image is an Airport.", ["airport", "port"]) == "airport"
    assert parse.parse_class("tennis court", ["tenniscourt", "beach"]) == "tenniscourt"
    assert parse.parse_class("", ["airport"]) is None
    assert parse.parse_class("air", ["airport"]) is None
    assert parse.parse_labels("farmland, forest.", ["farmland", "forest", "water"]) == {"farmland", "forest"}  # fmt: skip  # noqa: E501


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_parsers_never_crash(text: str) -> None:
    parse.parse_yes_no(text)
    parse.parse_choice(text, OPTIONS)
    parse.parse_box(text, (10, 10))
    parse.parse_outline(text)
    parse.parse_class(text, ["airport", "beach"])
    parse.parse_numbers(text)
    parse.parse_labels(text, ["a", "b"])
    metrics.tokenize(text)


def test_the_ece_of_a_calibrated_model_is_not_zero_for_few_answers() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.2, 0.9, 180)
    few, many = metrics.expected_ece(p), metrics.expected_ece(np.tile(p, 40))
    assert few.value > 0.05 > many.value > 0
    assert few.low < metrics.ece(p, rng.random(180) < p).value < few.high
    assert metrics.ece(p, np.ones(180, bool)).value > few.high
