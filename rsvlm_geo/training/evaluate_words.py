"""Measure what a pack says: refusals, free answers, captions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rsvlm_geo import metrics
from rsvlm_geo.metrics import Measure
from rsvlm_geo.model.mini import MiniVlm
from rsvlm_geo.tasks import ask_question, make_question
from rsvlm_geo.training import calibrate, data, lexicon, splits
from rsvlm_geo.training.calibrate_words import Asked, draw_questions, draw_views
from rsvlm_geo.vlm import Question, Reply

Numbers = dict[str, Measure]


def answer(model: MiniVlm, images: np.ndarray, asked: Sequence[Asked]) -> list[Reply]:  # type: ignore[type-arg]
    """One reply per question, each view's questions together."""
    out: list[Reply | None] = [None] * len(asked)
    by_view: dict[int, list[int]] = {}
    for k, a in enumerate(asked):
        by_view.setdefault(a.view, []).append(k)
    for view, ks in by_view.items():
        questions: list[Question] = [
            ask_question(asked[k].pair.question, gsd_m=asked[k].gsd_m) for k in ks
        ]
        for k, reply in zip(ks, model.ask(images[view][None], questions)[0], strict=True):
            out[k] = reply
    return [r for r in out if r is not None]


def is_right(pair_answer: str, reply: Reply) -> bool:
    """Whether a free answer says the same as the true one."""
    said = " ".join(reply.text.lower().strip(" .").split())
    if reply.candidates:
        said = max(reply.candidates, key=lambda c: (reply.candidates or {})[c])
    want = pair_answer.replace("<gsd_", "").replace(">", "").strip(" .")
    return said == want


def honesty(model: MiniVlm, data_dir: Path) -> Numbers:
    """Refusals on the HnstD mixture, by how the absent class was chosen; answers by kind."""
    images, facts = draw_views(data_dir, "val", 240, seed=31)
    asked = draw_questions(facts, np.random.default_rng(32), held_out=True)
    replies = answer(model, images, asked)
    limit = model.info.refuse_above.get("ask", 0.5)
    p_no = [float(r.p_unanswerable or 0.0) for r in replies]
    refused = [p > limit for p in p_no]
    truth = [a.unanswerable for a in asked]
    out: Numbers = {f"refuse/{k}": v for k, v in metrics.refusals(refused, truth).items()}
    for name, rows in metrics.honesty_baselines(truth).items():
        out[f"refuse/{name}/f1"] = rows["refusal_f1"]
    sure = [max(p, 1 - p) for p in p_no]
    out["refuse/ece"] = metrics.ece(
        sure, [(p > 0.5) == t for p, t in zip(p_no, truth, strict=True)]
    )
    answerable = [k for k, t in enumerate(truth) if not t]
    for group in ("random", "popular", "adversarial", "out_of_scope"):
        ks = [k for k, a in enumerate(asked) if a.strategy == group and a.unanswerable]
        out[f"refuse/{group}/recall"] = metrics.refusals(
            [refused[k] for k in ks], [True] * len(ks))["refusal_recall"]  # fmt: skip
        both = ks + answerable
        out[f"refuse/{group}/f1"] = metrics.refusals(
            [refused[k] for k in both], [truth[k] for k in both])["refusal_f1"]  # fmt: skip
    kinds: dict[str, list[bool]] = {}
    blind: dict[str, list[str]] = {}
    for k in answerable:
        kind = asked[k].pair.kind
        kinds.setdefault(kind, []).append(
            not refused[k] and is_right(asked[k].pair.answer, replies[k])
        )
        blind.setdefault(kind, []).append(asked[k].pair.answer)
    for kind, hits in kinds.items():
        out[f"ask/{kind}/accuracy"] = metrics.share_measure(np.array(hits))
        top = Counter(blind[kind]).most_common(1)[0][1]
        out[f"ask/{kind}/constant"] = metrics.share_measure(
            np.arange(len(hits)) < top)  # fmt: skip
    return out


def captions(model: MiniVlm, data_dir: Path) -> Numbers:
    """Invented objects, and the distance to UCM's own captions (never trained on)."""
    samples = [s for s in data.load_set(data_dir, "ucm") if s.split == "val"]
    question = make_question("caption", gsd_m=0.3)
    said: list[str] = []
    for i in range(0, len(samples), 8):
        batch = np.stack([calibrate.scene_tile(s) for s in samples[i : i + 8]])
        said += [r[0].text for r in model.ask(batch, [question])]
    vocabulary = {c: set(lexicon.LABEL_WORDS[c]) for c in splits.UCM_LABELS}
    truths = [set(s.row["labels"]) for s in samples]
    references = [s.row["captions"] for s in samples]
    out: Numbers = {}
    for k, v in metrics.invented_objects(said, truths, vocabulary).items():
        out[f"caption/{k}"] = v
    whole = [splits.OBJECTS[c] for c in range(4)]
    words = {
        c: {w for pair in lexicon.OBJECT_WORDS[c] for w in pair} - {"tank", "tanks"} for c in whole
    }
    own = [{splits.OBJECTS[c] for c in s.labels} | {c for c in whole if c.replace("_", "") in (
        s.row["class"] + " " + s.row["class"].rstrip("s"))} for s in samples]  # fmt: skip
    got = metrics.invented_objects(said, own, words)
    out["caption/boxed_objects/chair_i"] = got["chair_i"]
    out["caption/boxed_objects/chair_s"] = got["chair_s"]
    variants = {
        "": said,
        "constant/": [Counter(said).most_common(1)[0][0]] * len(said),
        "blind/": list(np.random.default_rng(5).permutation(said)),
    }
    for k in ("cider", "cider_d", "bleu_4", "bleu4", "rouge_l"):
        for name, texts in variants.items():
            rows = metrics.caption_measures([str(t) for t in texts], references)
            if k in rows:
                out[f"caption/{name}{k}"] = rows[k]
    return out
