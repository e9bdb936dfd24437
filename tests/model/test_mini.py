"""What our own runtime reads out of maps and questions, without any graph."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from rsvlm_geo.model.mini import MiniVlm
from rsvlm_geo.model.mini_boxes import ClassRule, find_boxes, suppress
from rsvlm_geo.model.mini_colour import box_colour, common_colour
from rsvlm_geo.model.mini_talk import agree, common_place, direction_shares, parse_choices, tidy
from rsvlm_geo.model.registry import find_pack
from rsvlm_geo.pipeline.gates import gate
from rsvlm_geo.tasks import ask_question, make_question

RULE = ClassRule("car", 4, 0.3, 0.4, 1.0, 0.0, 2.0, 1.0)


def maps(peaks: dict[tuple[int, int], float], half: float = 8.0) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    heat = np.zeros((64, 64), np.float32)
    for (row, col), p in peaks.items():
        heat[row, col] = p
    return heat, np.full((4, 64, 64), half, np.float32)


def test_boxes_are_pixel_edges_best_first_and_clipped() -> None:
    found = find_boxes(*maps({(10, 20): 0.5, (0, 0): 0.9}), RULE, 256)
    np.testing.assert_allclose(found.boxes, [[0, 0, 10, 10], [74, 34, 90, 50]])
    assert found.scores.tolist() == pytest.approx([0.9, 0.5])
    assert found.probability[1] == pytest.approx(0.5)
    assert len(found.above(0.6).boxes) == 1


def test_presence_follows_the_highest_peak() -> None:
    low, high = (find_boxes(*maps({(5, 5): p}), RULE, 256).presence for p in (0.1, 0.8))
    assert low < 0.5 < high


def test_suppression_keeps_neighbours_and_drops_copies() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [9, 9, 19, 19]], float)
    assert suppress(boxes, 0.5).tolist() == [0, 2]


def test_choices_of_the_published_form() -> None:
    stem, options = parse_choices(
        "Where is the car? A: Sorry, the object is invisible B: right C: center"
    )
    assert stem == "Where is the car?"
    assert [o.letter for o in options] == ["A", "B", "C"]
    assert [o.refusal for o in options] == [True, False, False]
    assert parse_choices("Is B: a thing?")[1] == ()


def test_direction_of_an_option() -> None:
    _, options = parse_choices("x A: To the top right of the car B: To the left of the car")
    assert direction_shares(10, -10, options)[0] > 0.99
    assert direction_shares(-10, 1, options)[1] > 0.99


def test_sentences_are_tidied() -> None:
    assert tidy("an aerial image of a river . trees are visible .") == (
        "An aerial image of a river. Trees are visible."
    )


def test_many_unsure_boxes_are_counted_by_their_expected_number() -> None:
    spots = {(r, c): 0.25 for r in (4, 20, 40) for c in (4, 20, 40)}
    found = find_boxes(*maps({**spots, (60, 60): 0.9}), replace(RULE, offset=0.0), 256)
    assert len(RULE.counted(found).boxes) == 1
    expected = replace(RULE, count_scale=1.0).counted(found)
    assert len(expected.boxes) == round(9 * 0.25 + 0.9) == 3
    assert expected.scores[0] == found.scores[0]


def test_colour_and_place_are_those_of_most_boxes() -> None:
    image = np.full((256, 256, 3), 128, np.uint8)
    image[:60, :60] = (200, 30, 30)
    image[200:, 200:] = (30, 60, 200)
    red, blue = [5.0, 5, 50, 50], [210.0, 210, 250, 250]
    assert box_colour(image, np.array(red)) == "red"
    boxes, weight = np.array([blue, red, red]), np.array([0.9, 0.5, 0.6])
    assert common_colour(image, boxes, weight) == "red"
    assert common_place(boxes, weight, 256) == "top left"
    assert common_colour(image, np.zeros((0, 4)), np.zeros(0)) is None


def test_a_large_count_is_less_surely_exact() -> None:
    rule = replace(RULE, count_size=-0.5)
    assert rule.count_confidence(0.4, 20) < rule.count_confidence(0.4, 1)


def test_a_caption_says_what_was_counted() -> None:
    counted = {"tree": (2, "top"), "car": (0, None), "mobile home": (9, None)}
    empty = "An aerial view of open ground with no trees or cars."
    assert agree(empty, counted, "a forest") == "An aerial view of two trees at the top."
    assert agree(empty, {"tree": (0, None)}, "a forest") == empty
    park = "An aerial image of a mobile home park."
    assert agree(park, counted, "a park") == park
    assert agree("An aerial view of five trees.", counted, "a forest") == (
        "An aerial view of two trees at the top."
    )


@pytest.fixture(scope="module")
def embedded() -> MiniVlm:
    return MiniVlm(find_pack(None), "cpu", 1)


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("How many litres flow here?", True),
        ("What is the warranty of the roof?", True),
        ("Who is the landlord?", True),
        ("How many planes can you count?", False),
        ("What colour is the airplane?", False),
        ("Please describe the panorama.", False),
    ],
)
def test_a_question_for_a_word_never_learnt_is_out_of_scope(
    embedded: MiniVlm, text: str, unknown: bool
) -> None:
    assert embedded.talk.asks_unknown(text) is unknown
    reply = embedded.ask(np.full((1, 256, 256, 3), 90, np.uint8), [ask_question(text, gsd_m=0.3)])
    if unknown:
        assert (reply[0][0].reason, reply[0][0].p_unanswerable) == ("out_of_scope", 1.0)


def test_the_embedded_pack_offers_what_it_measured(embedded: MiniVlm) -> None:
    assert embedded.info.find_class("mobile home") is None
    car = embedded.info.find_class("cars")
    assert car is not None and car.read_gsd_m == 0.15


@pytest.mark.parametrize(("times", "refused"), [(1.005, False), (1.015, False), (1.03, True)])
def test_what_the_rule_lets_through_the_model_answers(
    embedded: MiniVlm, times: float, refused: bool
) -> None:
    tree = embedded.info.find_class("tree")
    assert tree is not None and tree.max_gsd_m is not None
    gsd_m = times * tree.max_gsd_m
    question = replace(make_question("count", target="tree"), gsd_m=gsd_m)
    closed = gate(question, embedded.info, native_gsd_m=gsd_m, read_gsd_m=gsd_m, panchromatic=False)
    ((reply,),) = embedded.ask(np.zeros((1, 256, 256, 3), np.uint8), [question])
    assert (reply.reason == "below_gsd") == (closed is not None) == refused


def test_none_is_no_answer_where_the_labels_see_some(embedded: MiniVlm) -> None:
    """Trees over a parking lot: too blurred for boxes, plain to the label head."""
    with rasterio.open(Path(__file__).parents[2] / "examples" / "parking_15cm.tif") as scene:
        pixels = scene.read([1, 2, 3], window=Window(0, 256, 256, 256))
    image = np.moveaxis(pixels, 0, -1)[None]
    asked = [make_question(task, target="tree", gsd_m=0.15) for task in ("count", "presence")]
    count, presence = embedded.ask(image, asked)[0]
    assert count.reason == "low_confidence" and (count.p_unanswerable or 0.0) > 0.9
    assert presence.text == "yes"
