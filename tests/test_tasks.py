"""Words become questions; classes are found by the words people use."""

from __future__ import annotations

import numpy as np
import pytest

from rsvlm_geo.errors import AnswerError, TaskError
from rsvlm_geo.tasks import TASKS, ask_question, class_phrase, make_question, route_question
from rsvlm_geo.vlm import ClassInfo, ModelInfo, Reply, ScaleRule, Vlm

INFO = ModelInfo(
    "oracle",
    256,
    frozenset(TASKS),
    classes=(
        ClassInfo("car", synonyms=("vehicle", "automobile")),
        ClassInfo("storage_tank", synonyms=("tank",)),
        ClassInfo("baseball_diamond"),
    ),
    scales=(
        ScaleRule((0.02, 1.0), (0.1, 0.3), "aerial"),
        ScaleRule((5.0, 20.0), (2.5, 2.5), "sentinel2"),
    ),
)


@pytest.mark.parametrize(
    ("text", "task", "target"),
    [
        ("How many cars are there in the image?", "count", "car"),
        ("how many storage tanks are visible here?", "count", "storage_tank"),
        ("What is the number of vehicles?", "count", "car"),
        ("Where are the baseball diamonds?", "locate", "baseball_diamond"),
        ("Find all tanks", "locate", "storage_tank"),
    ],
)
def test_a_free_question_about_a_known_class_is_typed(text: str, task: str, target: str) -> None:
    question = route_question(text, INFO)
    assert question is not None
    assert (question.task, question.target, question.text) == (task, target, text)


@pytest.mark.parametrize(
    "text", ["How many dinosaurs are there?", "Where is Paris?", "What is this?", "Is it a car?"]
)
def test_other_questions_stay_free(text: str) -> None:
    assert route_question(text, INFO) is None


def test_only_yes_no_questions_get_a_closed_set() -> None:
    assert ask_question("Is there a bridge?").candidates == ("yes", "no")
    assert ask_question("Is this a rural or an urban area?").candidates is None
    assert ask_question("What colour is the roof?").candidates is None


@pytest.mark.parametrize("choices", [("",), ("", " "), ("yes",), ("yes", " Yes "), ()])
def test_a_closed_set_needs_two_choices(choices: tuple[str, ...]) -> None:
    with pytest.raises(TaskError, match=r"at least 2 different choices; got .*; name them all"):
        make_question("ask", text="Is it urban?", candidates=choices)


def test_a_closed_set_has_each_choice_once_and_no_blanks() -> None:
    asked = make_question("ask", text="What?", candidates=(" a b", "", "a  b", "c", "C"))
    assert asked.candidates == ("a b", "c")


def test_a_word_near_a_class_names_it() -> None:
    near = [INFO.near_class(word) for word in ("carr", "Storage-tnk", "vehicel", "unicorn")]
    assert [found and found.name for found in near] == ["car", "storage_tank", "car", None]


def test_prompts_speak_of_the_class_in_words() -> None:
    assert make_question("count", target="storage_tank").text.startswith("How many storage tanks")
    assert class_phrase("lorry", plural=True) == "lorries"
    assert class_phrase("bus", plural=True) == "buses"


def test_what_a_task_cannot_take_is_said() -> None:
    with pytest.raises(TaskError, match="no task 'paint'; take one of caption"):
        make_question("paint")
    with pytest.raises(TaskError, match="needs a class"):
        make_question("count")
    with pytest.raises(TaskError, match="needs a question"):
        make_question("ask", text="  ")


def test_scales_choose_the_reading_gsd_or_none() -> None:
    fine, coarse = INFO.scale_for(0.05), INFO.scale_for(10.0)
    assert fine is not None and fine.read_gsd_m(0.05) == 0.1
    assert coarse is not None and (coarse.read_gsd_m(10.0), coarse.domain) == (2.5, "sentinel2")
    assert INFO.scale_for(2.0) is None
    assert INFO.gsd_range_m == (0.02, 20.0)


def test_a_reply_whose_boxes_and_labels_disagree_is_refused() -> None:
    with pytest.raises(AnswerError, match="1 boxes need 1 labels"):
        Reply("", boxes=np.zeros((1, 4)))


def test_an_oracle_is_a_vlm() -> None:
    class Oracle:
        info = INFO

        def ask(self, images: object, questions: object) -> list[list[Reply]]:
            return []

    assert isinstance(Oracle(), Vlm)
