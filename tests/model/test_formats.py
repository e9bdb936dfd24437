"""What models write about places, both ways; junk is told from answers and never guessed at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsvlm_geo.answers import answer_from_reply
from rsvlm_geo.model.families import read_boxes, task_words
from rsvlm_geo.model.formats import CONVENTIONS, FoundBoxes, ParseError, format_boxes, parse_boxes
from rsvlm_geo.model.vhm import TASKS, Outline, Refusal, parse_choice, vhm_prompt
from rsvlm_geo.tasks import make_question
from rsvlm_geo.vlm import ModelInfo, Reply

SIDE = 448
UNIT = {"vhm": 0.448, "geochat": 4.48, "falcon": 0.448, "florence": 0.448, "paligemma": 0.4375,
        "qwen2": 0.448, "qwen2_5": 1.0}  # fmt: skip
LABELLED = tuple(name for name in CONVENTIONS if name != "vhm")

coordinate = st.floats(0, SIDE, allow_nan=False)


@st.composite
def some_boxes(draw: st.DrawFn) -> np.ndarray:
    n = draw(st.integers(1, 6))
    corners = np.array(draw(st.lists(coordinate, min_size=4 * n, max_size=4 * n))).reshape(n, 2, 2)
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)


@pytest.mark.parametrize("name", CONVENTIONS)
@settings(max_examples=60, deadline=None)
@given(boxes=some_boxes())
def test_boxes_come_back_within_half_a_unit(name: str, boxes: np.ndarray) -> None:
    labels = ["" if name == "vhm" else f"storage tank {i % 2}" for i in range(len(boxes))]
    text = format_boxes(name, boxes, labels, SIDE)
    found = parse_boxes(name, text, SIDE)
    assert isinstance(found, FoundBoxes), text
    limit = UNIT[name] / 2 + 1e-9
    if CONVENTIONS[name].bins:
        limit *= 2  # the far edge falls into the last bin
    assert np.abs(found.boxes - boxes).max() <= limit
    assert found.labels == tuple(labels)


@pytest.mark.parametrize("name", CONVENTIONS)
@pytest.mark.parametrize(
    "text",
    [
        "", " ", "none", "There is a plane on the left.", "[[1, 2, 3]]", "[[1, 2, 3, 4]", "1 2 3 4",
        "[[a, b, c, d]]", "[[5, 5, 1, 1]]", "[[0, 0, 9999, 10]]", "[[1,2,3,4]] and [[",
        "[[-1,0,5,5]]",
        "<box><1><2><3></box>", "car<loc_1><loc_2><loc_3>", "{<1><2><3><4>", "(1,2),(3", "[{}]",
        '[{"bbox_2d": [1, 2, 3]}]', '[{"bbox_2d": "x"}]', "<loc0001><loc0002> car", "[" * 5000,
        '[{"bbox_2d": [1, 2, NaN, 4]}]', "{<500><0><600><1>|<0>}", "nan",
        "<loc_5><loc_5><loc_1><loc_1>",
    ],
)  # fmt: skip
def test_junk_is_a_parse_error(name: str, text: str) -> None:
    found = parse_boxes(name, text, SIDE)
    assert isinstance(found, ParseError) and found.text == text and found.why


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet="[]{}<>()|,.0123456789 -locbx_eva\n\"':", max_size=80))
def test_no_text_breaks_a_parser(text: str) -> None:
    for name in CONVENTIONS:
        found = parse_boxes(name, text, SIDE)
        if isinstance(found, FoundBoxes):
            assert (found.boxes >= 0).all() and (found.boxes <= SIDE).all()
            assert (found.boxes[:, :2] <= found.boxes[:, 2:]).all()
    for task in TASKS.values():
        task.parse(text, ("left", "right"))


def test_published_spellings() -> None:
    def read(name: str, text: str) -> tuple[list[list[float]], tuple[str, ...]]:
        found = parse_boxes(name, text, 1000)
        assert isinstance(found, FoundBoxes), found
        return found.boxes.tolist(), found.labels

    assert read("vhm", "[[120, 40, 200, 90]]") == ([[120, 40, 200, 90]], ("",))
    assert read("vhm", "The plane is at [[1, 2, 3, 4], [5, 6, 7, 8]].")[0][1] == [5, 6, 7, 8]
    assert read("vhm", "[]") == ([], ())
    text = "<p>the ship</p> {<10><20><30><40>|<57>}<delim>{<1><2><3><4>|<90>}"
    assert read("geochat", text) == ([[100, 200, 300, 400], [10, 20, 30, 40]], ("the ship",) * 2)
    found = parse_boxes("geochat", text, 1000)
    assert isinstance(found, FoundBoxes) and found.angles == (57, 90)
    assert read("falcon", "car<box><1><2><3><4></box><box><5><6><7><8></box>")[1] == ("car", "car")
    assert read("florence", "</s><s>car<loc_52><loc_333><loc_932><loc_774></s>") == (
        [[52.5, 333.5, 932.5, 774.5]], ("car",),
    )  # fmt: skip
    boxes, labels = read("paligemma", "<loc0256><loc0128><loc0512><loc0768> ship ; "
                         "<loc0000><loc0000><loc1023><loc1023> ship")  # fmt: skip
    assert labels == ("ship", "ship") and boxes[0][0] < boxes[0][1]
    text = (
        "<|object_ref_start|>a ship<|object_ref_end|><|box_start|>(1,2),(3,4)<|box_end|><|im_end|>"
    )
    assert read("qwen2", text) == ([[1, 2, 3, 4]], ("a ship",))
    assert read("qwen2", "a ship(1,2),(3,4)") == ([[1, 2, 3, 4]], ("a ship",))
    text = '```json\n[\n\t{"bbox_2d": [10, 20, 30, 40], "label": "ship"}\n]\n```'
    assert read("qwen2_5", text) == ([[10, 20, 30, 40]], ("ship",))


PROMPTS = {
    "caption": ({}, "Please describe the remote sensing image."),
    "classify": (
        {"options": "airport, beach"},
        "{CLS} Classify the image within one of the given classes: airport, beach.",
    ),
    "vqa": ({"question": "Is it rural?"}, "{VQA} Is it rural?"),
    "ground": (
        {"target": "a airplane is similar in size to the airplane on the top"},
        "{VG} a airplane is similar in size to the airplane on the top",
    ),
    "count": (
        {"targets": "ships"},
        "{IT} How many ships are there in the image? Just answer the number.",
    ),
    "presence": (
        {"target": "large vehicle"},
        "{IDK} Is there a large vehicle in the image? Just answer yes or no.",
    ),
    "colour": (
        {"target": "plane"},
        "{IDK} What is the actual color of the plane in the remote sensing image? If this question "
        "is unanswerable, please provide the reason.",
    ),
    "outline": (
        {"box": "656,696,850,976"},
        "{IT} Please output the outlines of buildings in the vicinity of [656,696,850,976].",
    ),
}


@pytest.mark.parametrize("task", PROMPTS)
def test_questions_are_vhms_own(task: str) -> None:
    needs, wanted = PROMPTS[task]
    assert vhm_prompt(task, **needs) == wanted


def test_five_tags() -> None:
    assert {task.tag for task in TASKS.values()} == {"", "CLS", "VQA", "VG", "IDK", "IT"}


RING = ((656, 973), (700, 973), (700, 990), (656, 973))
ANSWERS = [
    ("classify", "storage tanks", ("airport", "storage tanks")),
    ("vqa", "rural", ()),
    ("count", 4, ()),
    ("gsd", 0.25, ()),
    ("image_type", "Panchromatic image", ()),
    ("measure", (41.15, 38.89), ()),
    ("outline", Outline(RING), ()),
    ("land_cover", ("farmland", "forest"), ("built-up", "farmland", "forest")),
    ("presence", True, ()),
    ("presence", False, ()),
    ("colour", "white", ()),
]


@pytest.mark.parametrize(("task", "value", "options"), ANSWERS)
def test_answers_come_back(task: str, value: object, options: tuple[str, ...]) -> None:
    row = TASKS[task]
    assert row.parse(row.format(value), options) == value


def test_published_answers() -> None:
    def read(task: str, text: str, options: tuple[str, ...] = ()) -> object:
        return TASKS[task].parse(text, options)

    said = "The actual length of this object is: 41.15m, and the actual width is: 38.89m."
    assert read("measure", said) == (41.15, 38.89)
    said = (
        "The vectorized key points of the outline of this building are <04> in number, with "
        "specific point coordinates at [(656, 973), (700, 973), (700, 990), (656, 973)]."
    )
    assert read("outline", said) == Outline(RING)
    assert read("count", "There are 1,024 ships.") == 1024
    assert read("count", "four") == 4
    assert read("image_type", "A") == "Color image"
    said = (
        "The image provided is panchromatic, which makes it impossible to determine the actual "
        "colors."
    )
    assert read("colour", said) == Refusal("panchromatic")
    said = "The tennis court is invisible in the provided image, so I cannot provide an answer."
    assert read("colour", said) == Refusal("invisible") and read("ground", said) == Refusal(
        "invisible"
    )
    found = read("ground", "[[1, 2, 3, 4]]")
    assert isinstance(found, FoundBoxes) and found.boxes.tolist() == [[1, 2, 3, 4]]


JUNK = [
    ("classify", "", ("airport",)), ("classify", "air", ("airport",)),
    ("classify", "an aerodrome", ("airport",)), ("count", "several", ()), ("count", "3 or 4", ()),
    ("count", "2.5", ()), ("count", "-1", ()), ("gsd", "0", ()), ("gsd", "between 0.2 and 0.5", ()),
    ("measure", "about 40 metres", ()), ("presence", "maybe", ()), ("presence", "", ()),
    ("outline", "<05> in number, at [(1, 1), (2, 2), (3, 1), (1, 1)]", ()),
    ("outline", "<04> in number, at [(1, 1), (2, 2), (3, 1), (1, 2)]", ()),
    ("outline", "<04> in number, at [(1, 1), (2, 2), (3, 1001), (1, 1)]", ()),
    ("land_cover", "farmland, moon", ("farmland", "forest")), ("land_cover", "", ("farmland",)),
    ("image_type", "E", ()), ("position", "The Answer is", ("a", "b")),
    ("vqa", "no no no no no", ()),
    ("ground", "left", ()), ("caption", "may" * 30, ()),
]  # fmt: skip


@pytest.mark.parametrize(("task", "text", "options"), JUNK)
def test_junk_is_never_an_answer(task: str, text: str, options: tuple[str, ...]) -> None:
    assert isinstance(TASKS[task].parse(text, options), ParseError)


@pytest.mark.parametrize(
    "text", ["D", "D.", "(D)", "D: left", "The answer is D", "Answer: D", "left", "Left."]
)
def test_ways_to_pick_an_option(text: str) -> None:
    options = ("Sorry, the object is invisible", "right", "center", "left", "bottom right")
    assert parse_choice(text, options) == "left"
    assert parse_choice("A", options) == Refusal("invisible")
    assert isinstance(parse_choice("D: right", options), ParseError)
    assert isinstance(parse_choice("d", options), ParseError)
    assert isinstance(parse_choice("B or C", options), ParseError)


def test_unreadable_and_refused_reach_the_answer() -> None:
    info = ModelInfo("x", 448, frozenset({"locate"}))
    question = make_question("locate", target="ship")
    assert read_boxes("vhm", "over there", question, 448) is None
    unreadable = answer_from_reply("0/0", question, Reply("over there"), info)
    assert unreadable.status == "unreadable" and unreadable.text == "over there"
    said = "The ship is invisible in the provided image, so I cannot provide an answer."
    reason = read_boxes("vhm", said, question, 448)
    assert isinstance(reason, str)
    refused = answer_from_reply("0/0", question, Reply(said, reason=reason), info)
    assert (refused.status, refused.reason, refused.confidence) == ("refused", "invisible", None)


def test_tasks_in_each_kind_of_words() -> None:
    locate = make_question("locate", target="storage_tank")
    assert task_words("vhm", locate).text(locate) == "{VG} storage tank"
    said = "[refer] Give me the location of <p> storage tank </p>"
    assert task_words("geochat", locate).text(locate) == said
    assert task_words("paligemma", locate).text(locate) == "detect storage tank"
    assert task_words("florence", locate).text(locate) == "Locate storage tank in the image."
    assert task_words("talk", locate) is None
    count = make_question("count", target="ship")
    assert task_words("vhm", count).text(count) == (
        "{IT} How many ships are there in the image? Just answer the number."
    )
