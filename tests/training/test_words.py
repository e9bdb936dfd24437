"""Questions are true of what they ask about; captions name nothing that is not there."""

from __future__ import annotations

import numpy as np
import pytest

from rsvlm_geo.training import captions, phrases, questions, splits
from rsvlm_geo.training.facts import Facts, place_of
from rsvlm_geo.training.lexicon import OBJECT_WORDS

SEEN = np.ones(len(splits.OBJECTS), np.float32)


def facts(**changes: object) -> Facts:
    given: dict[str, object] = {
        "domain": "fine", "scene": "airplane", "labels": frozenset({"airplane", "pavement"}),
        "boxes": np.array([[10, 10, 60, 60], [20, 30, 70, 80]], np.float32),
        "classes": np.zeros(2, np.int64), "known": np.ones_like(SEEN), "grey": False,
        "gsd_m": 0.3, "colours": ("white", "white"),
    }  # fmt: skip
    return Facts(**(given | changes))  # type: ignore[arg-type]


def test_answers_agree_with_the_facts() -> None:
    rng = np.random.default_rng(0)
    f = facts()
    for _ in range(400):
        pair = questions.draw_pair(f, SEEN, rng)
        about_planes = any(w in pair.question for forms in OBJECT_WORDS["airplane"] for w in forms)
        if pair.kind == "count":
            assert pair.answer == ("2" if about_planes else "0")
        if pair.kind == "place" and about_planes:
            assert pair.answer == "top left"
        if pair.kind == "colour":
            assert pair.answer == ("white" if about_planes else "<unans> <invisible>")
        if pair.kind == "out":
            assert pair.answer.startswith("<unans>")


def test_grey_has_no_colour() -> None:
    rng = np.random.default_rng(1)
    f = facts(grey=True, colours=("?", "?"))
    answers = {p.answer for _ in range(200) if (p := questions.colour(f, rng))}
    assert answers == {"<unans> <panchromatic>"}


def test_coarse_tiles_do_not_show_cars() -> None:
    rng = np.random.default_rng(2)
    f = facts(domain="coarse", scene="Forest", gsd_m=2.5, boxes=np.zeros((0, 4), np.float32),
              classes=np.zeros(0, np.int64), labels=None, colours=())  # fmt: skip
    answers = {p.answer for _ in range(200) if (p := questions.count(f, rng))}
    assert answers == {"<unans> <below_gsd>"}


def test_captions_name_only_what_is_there_and_seen() -> None:
    rng = np.random.default_rng(3)
    said = captions.write_caption(facts(), SEEN, rng)
    assert said is not None and "two airplanes" in said and "tank" not in said
    unseen = captions.write_caption(facts(), np.zeros_like(SEEN), rng)
    assert unseen is not None and "two airplanes" not in unseen
    nothing = facts(scene=None, labels=None, boxes=np.zeros((0, 4), np.float32),
                    classes=np.zeros(0, np.int64), known=np.zeros_like(SEEN),
                    colours=())  # fmt: skip
    assert captions.write_caption(nothing, SEEN, rng) is None


def test_negatives_are_absent() -> None:
    rng = np.random.default_rng(4)
    f = facts()
    for strategy in ("random", "popular", "adversarial"):
        for _ in range(50):
            assert questions.negatives(f, strategy, rng) != "airplane"
    unknown = facts(known=np.zeros_like(SEEN), labels=None)
    assert questions.negatives(unknown, "random", rng) is None


def test_held_out_templates_are_never_trained_on() -> None:
    asks, nouns = questions.held_out()
    assert len(asks) >= 15 and len(nouns) >= 30
    assert not set(asks) & set(questions.train_asks())
    assert not set(nouns) & set(questions.train_nouns())


@pytest.mark.parametrize(
    ("x", "y", "place"),
    [
        (0.1, 0.1, "top left"),
        (0.5, 0.5, "center"),
        (0.99, 0.5, "right"),
        (1.0, 1.0, "bottom right"),
    ],
)
def test_places(x: float, y: float, place: str) -> None:
    assert place_of(x, y) == place


def test_tokenizer_is_the_same_every_time_and_keeps_numbers_whole() -> None:
    tokens = pytest.importorskip("rsvlm_geo.training.tokens")
    a, b = tokens.build(), tokens.build()
    assert a.get_vocab() == b.get_vocab()
    assert len(splits.OBJECTS) == 8
    assert a.encode("How many cars? 42").tokens == ["how", "many", "cars", "?", "42"]
    assert tokens.UNK in a.encode("is there a zeppelinoid").tokens


def test_every_pattern_becomes_a_sentence() -> None:
    rng = np.random.default_rng(5)
    lists = {k: v for k, v in vars(phrases).items() if k.isupper() and not k.startswith("_")}
    assert {"PRESENCE", "PLACE", "COLOUR", "ABOUT_THING"} <= set(lists)
    for patterns in lists.values():
        for pattern in patterns:
            for _ in range(10):
                said = phrases.draw(pattern, rng)
                assert said and not set("()|") & set(said), pattern
    assert phrases.draw("a (b|c (d|e) f) g", np.random.default_rng(0)) in (
        "a b g", "a c d f g", "a c e f g",
    )  # fmt: skip


def test_a_tiles_colour_and_place_are_asked_for_every_class_that_has_one() -> None:
    pairs = questions.about_one(facts(), "airplane", np.random.default_rng(6))
    assert [(p.kind, p.answer) for p in pairs] == [("colour", "white"), ("place", "top left")]
    assert questions.about_one(facts(), "car", np.random.default_rng(6)) == []


def test_hand_written_questions_are_not_trained_on() -> None:
    forty = pytest.importorskip("rsvlm_geo.training.forty")
    train_decoder = pytest.importorskip("rsvlm_geo.training.train_decoder")
    evidence = pytest.importorskip("rsvlm_geo.training.evidence")
    assert len(set(forty.every_question())) == 160
    e = np.zeros(sum(evidence.BLOCKS.values()), np.float32)
    draw = train_decoder.Sequences([(e, facts())], np.random.default_rng(7))
    seen = set()
    keep = draw.encode
    draw.encode = lambda pair, gsd: (seen.add(pair.question), keep(pair, gsd))[1]
    for _ in range(20):
        draw.draw(50)
    from rsvlm_geo.training.tokens import words_of

    asked = {tuple(words_of(q)) for q in seen}
    assert len(asked) > 300
    assert not asked & {tuple(words_of(q)) for q in forty.every_question()}


def test_presence_is_measured_on_as_many_yes_as_no() -> None:
    evaluate = pytest.importorskip("rsvlm_geo.training.evaluate")
    groups = ((6, 0.9, True, "a"), (2, 0.1, False, "a"), (50, 0.1, False, "b"), (3, 0.8, True, "b"))
    rows = [evaluate.Said(*given) for n, *given in groups for _ in range(n)]
    whole, paired = evaluate.balanced(rows), evaluate.balanced(rows, paired=True)
    assert sum(r.truth for r in whole) == 9 and len(whole) == 18
    for name, k in (("a", 2), ("b", 3)):
        mine = [r.truth for r in paired if r.set == name]
        assert len(mine) == 2 * k and sum(mine) == k
    assert evaluate.balanced([evaluate.Said(0.9, True, "a")]) == []
