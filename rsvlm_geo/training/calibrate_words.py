"""The refusal decision of free questions: its temperature, and the threshold by risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from rsvlm_geo.training import phrases, questions, splits
from rsvlm_geo.training.facts import Facts, make_view
from rsvlm_geo.training.train_decoder import draw_samples

FALSE_REFUSALS = 0.03
"""Share of answerable questions that may be refused on the calibration split (the bar is 5 %)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a view, and its true answer."""

    view: int
    pair: questions.Pair
    gsd_m: float
    strategy: str
    """How the absent class was chosen, or the kind of question."""

    @property
    def unanswerable(self) -> bool:
        """Whether the right thing is to refuse."""
        return self.pair.answer.startswith("<unans>")


def draw_views(
    data_dir: Path, split: str, per_set: int, seed: int
) -> tuple[NDArray[np.uint8], list[Facts]]:
    """Plain views of a split, ``per_set`` of each set at most; up to five of a car frame."""
    rng = np.random.default_rng(seed)
    images, facts = [], []
    for samples in draw_samples(data_dir, split).values():
        again = 5 if samples and samples[0].set == "aerial_cars" else 1
        for i in np.tile(rng.permutation(len(samples)), again)[:per_set]:
            image, known = make_view(samples[i], rng, plain=True)
            images.append(image)
            facts.append(known)
    return np.stack(images), facts


def draw_questions(
    facts: Sequence[Facts], rng: Generator, *, held_out: bool, share_out: float = 0.3
) -> list[Asked]:
    """Four or so questions a view, and one about the colour and place of every class that has one.

    Args:
        facts: Of the views.
        rng: Draws.
        held_out: Out-of-scope questions only from templates and things never trained on.
        share_out: Share of views that also get an out-of-scope question.
    """
    asks, nouns = questions.held_out()
    out = []
    for i, f in enumerate(facts):
        for name in splits.OBJECTS:
            out += [Asked(i, p, f.gsd_m, p.kind) for p in questions.about_one(f, name, rng)]
        for make in (questions.colour, questions.place, questions.simple, questions.compare):
            pair = make(f, rng)
            sure = make not in (questions.colour, questions.place)
            if pair is not None and (sure or pair.answer.startswith("<unans>")):
                out.append(Asked(i, pair, f.gsd_m, pair.kind))
        for strategy in ("random", "popular", "adversarial"):
            absent = questions.negatives(f, strategy, rng)
            if absent is None or f.domain == "coarse" or rng.random() < 0.5:
                continue
            s, p = questions._forms(absent, rng)
            kind = phrases.PLACE if rng.random() < 0.5 or f.grey else phrases.COLOUR
            text = phrases.pick(kind, rng).format(s=s, p=p)
            pair = questions.Pair("absent", text, questions.unans("invisible"))
            out.append(Asked(i, pair, f.gsd_m, strategy))
        if rng.random() < share_out:
            pools = {"asks": asks, "nouns": nouns} if held_out and rng.random() < 0.5 else (
                {"nouns": nouns} if held_out else {})  # fmt: skip
            out.append(Asked(i, questions.out_of_scope(rng, **pools), f.gsd_m, "out_of_scope"))
    return out


def fit(folder: Path, data_dir: Path, threads: int) -> dict[str, float]:
    """Temperature of least log loss and the threshold of the wanted false-refusal rate."""
    from rsvlm_geo.model.mini import MiniVlm

    model = MiniVlm(folder, "cpu", threads)
    images, facts = draw_views(data_dir, "calib", 60, seed=21)
    asked = draw_questions(facts, np.random.default_rng(22), held_out=True)
    z = refusal_logits(model, images, asked)
    truth = np.array([a.unanswerable for a in asked], float)

    def loss(t: float) -> float:
        p = np.clip(1 / (1 + np.exp(-z / t)), 1e-7, 1 - 1e-7)
        return float(-(truth * np.log(p) + (1 - truth) * np.log(1 - p)).mean())

    temperature = float(min(np.exp(np.linspace(-1, 1.6, 80)), key=loss))
    model.calibration = {**model.calibration, "ask": {"temperature": temperature, "score": 1.0}}
    from rsvlm_geo.training.evaluate_words import answer

    p = np.array([float(r.p_unanswerable or 0.0) for r in answer(model, images, asked)])
    limit = float(np.quantile(p[truth == 0], 1 - FALSE_REFUSALS))
    return {"temperature": round(temperature, 4),
            "refuse_above": round(float(np.clip(limit, 0.3, 0.98)), 4)}  # fmt: skip


def refusal_logits(
    model: object, images: NDArray[np.uint8], asked: Sequence[Asked]
) -> NDArray[np.float64]:
    """Log-odds of <unans> at the first answer position, one per question."""
    from rsvlm_geo.model.mini import MiniVlm

    assert isinstance(model, MiniVlm)
    out = np.zeros(len(asked))
    cross = np.concatenate(
        [model.encode(images[i : i + 8]).outputs["cross.key_values"]
         for i in range(0, len(images), 8)]
    )  # fmt: skip
    for i in range(0, len(asked), 64):
        part = asked[i : i + 64]
        prompts = [model.talk.prompt(a.pair.question, a.gsd_m) for a in part]
        logits, _ = model.talk.run(prompts, cross[[a.view for a in part]])
        p = model.talk.unanswerable(logits[:, -1], 1.0)
        p = np.clip(p, 1e-9, 1 - 1e-9)
        out[i : i + 64] = np.log(p / (1 - p))
    return out
