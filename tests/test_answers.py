"""Replies become typed answers, and what does not parse is said not to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsvlm_geo.answers import (
    REASONS,
    Answer,
    Coverage,
    answer_from_reply,
    is_degenerate,
    parse_number,
)
from rsvlm_geo.errors import AnswerError
from rsvlm_geo.tasks import make_question
from rsvlm_geo.vlm import ModelInfo, Reply

INFO = ModelInfo(
    "oracle",
    256,
    frozenset({"caption", "classify", "count", "locate", "presence", "ask"}),
    refuse_above={"count": 0.3},
    min_confidence={"classify": 0.6},
)
COUNT = make_question("count", target="car")


def test_a_count_is_read_from_value_then_boxes_then_words() -> None:
    boxes = np.array([[0.0, 0.0, 4.0, 4.0], [8.0, 8.0, 12.0, 12.0]])
    with_value = answer_from_reply("0/0", COUNT, Reply("two", value=2.4), INFO)
    assert (with_value.value, with_value.text, with_value.unit) == (2.4, "2.4", "objects")
    with_boxes = answer_from_reply("0/0", COUNT, Reply("?", boxes=boxes, labels=("car",) * 2), INFO)
    assert (with_boxes.value, with_boxes.n_objects) == (2.0, 2)
    assert answer_from_reply("0/0", COUNT, Reply("There are twelve cars."), INFO).value == 12


@pytest.mark.parametrize("text", ["", "many", "between 3 and 9", "-4", "nan cars, I think"])
def test_a_count_that_states_no_one_number_is_unreadable(text: str) -> None:
    answer = answer_from_reply("0/0", COUNT, Reply(text), INFO)
    assert (answer.status, answer.value, answer.text) == ("unreadable", None, text)


def test_refusal_follows_the_threshold_of_the_task_and_keeps_its_reason() -> None:
    below = answer_from_reply("0/0", COUNT, Reply("3", p_unanswerable=0.29), INFO)
    above = answer_from_reply(
        "0/0", COUNT, Reply("3", p_unanswerable=0.31, reason="modality"), INFO
    )
    assert below.status == "answered"
    assert (above.status, above.reason, above.value) == ("refused", "modality", None)
    assert above.confidence == pytest.approx(0.31)


def test_a_weak_best_class_is_refused_as_low_confidence() -> None:
    question = make_question("classify", candidates=("harbor", "beach"))
    weak = Reply("harbor", candidates={"harbor": 0.55, "beach": 0.45})
    strong = Reply("harbor", candidates={"harbor": 0.8, "beach": 0.2})
    assert answer_from_reply("0/0", question, weak, INFO).reason == "low_confidence"
    answer = answer_from_reply("0/0", question, strong, INFO)
    assert (answer.text, answer.confidence) == ("harbor", pytest.approx(0.8))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Yes.", 1.0), ("No, there is not.", 0.0), ("yes and no", None), ("nothing", None)],
)
def test_yes_and_no_in_free_text(text: str, expected: float | None) -> None:
    question = make_question("presence", target="ship")
    answer = answer_from_reply("0/0", question, Reply(text), INFO)
    assert answer.value == expected
    assert answer.status == ("unreadable" if expected is None else "answered")


@pytest.mark.parametrize(
    "text",
    ["", " . ", "may" * 12, "a car " * 9, "the tree and " * 8, "no no no no no no no no"],
)
def test_loops_and_emptiness_are_degenerate(text: str) -> None:
    assert is_degenerate(text)
    caption = make_question("caption")
    assert answer_from_reply("0/0", caption, Reply(text), INFO).status == "unreadable"


@pytest.mark.parametrize(
    "text",
    ["12", "Two cars, two trees and two houses.", "A very, very long beach beside the sea."],
)
def test_ordinary_repetition_is_not_a_loop(text: str) -> None:
    assert not is_degenerate(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,024", 1024), ("0.25", 0.25), ("There are three.", 3), ("3 of 3", 3), ("3 or 4", None),
     ("none", 0), ("B2", None), ("about -2.5 m", -2.5)],
)  # fmt: skip
def test_the_one_number_a_text_states(text: str, number: float | None) -> None:
    assert parse_number(text) == number


@given(
    st.text(max_size=60), st.sampled_from(["caption", "count", "classify", "presence", "locate"])
)
def test_no_text_breaks_the_parser(text: str, task: str) -> None:
    question = make_question(task, target="car")
    answer = answer_from_reply("1/2", question, Reply(text), INFO)
    assert answer.status in ("answered", "unreadable")
    if answer.status == "unreadable":
        assert answer.text == text


def test_an_answer_holds_its_invariants() -> None:
    with pytest.raises(AnswerError, match="needs a reason"):
        Answer("0/0", "count", "?", "refused")
    with pytest.raises(AnswerError, match="needs a reason"):
        Answer("0/0", "count", "?", "answered", reason="invisible")
    with pytest.raises(AnswerError, match="confidence"):
        Answer("0/0", "count", "?", "answered", confidence=1.2)
    assert Answer("0/0", "count", "?", "refused", reason=REASONS[0]).value is None  # type: ignore[arg-type]


def test_coverage_sums_to_one_and_knows_when_it_is_whole() -> None:
    assert Coverage(seen=0.8, nodata=0.2, failed=0.0).complete
    assert not Coverage(seen=0.8, nodata=0.2, failed=0.0, refused=0.1).complete
    assert not Coverage(seen=0.5, nodata=0.2, failed=0.0, pending=0.3).complete
    assert (
        str(Coverage(seen=0.8, nodata=0.1, failed=0.1)) == "80.0% seen, 10.0% nodata, 10.0% failed"
    )
    with pytest.raises(AnswerError, match="sum to 1"):
        Coverage(seen=0.8, nodata=0.1, failed=0.0)
