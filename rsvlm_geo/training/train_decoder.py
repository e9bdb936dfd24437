"""Train the decoder on the frozen towers' evidence of many views."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from rsvlm_geo.training import data, forty, lexicon, loop, questions, splits, tokens
from rsvlm_geo.training.decoder import DecoderConfig, Talker
from rsvlm_geo.training.evidence import BLOCKS, VisionGraph
from rsvlm_geo.training.facts import Facts, make_view
from rsvlm_geo.training.towers import ObjectTower, SceneTower

_STOP = """
is there a an the in image are any this of what please does do you see can tile picture
here visible remote sensing just answer or . ? , it
"""
STOP = frozenset(_STOP.split())
"""Words that may turn into <unk> without changing what is asked."""


def load_towers(work: Path) -> VisionGraph:
    """The vision graph with the EMA weights of both towers' last checkpoints."""
    scene, objects = SceneTower(), ObjectTower()
    for name, model in (("scene", scene), ("objects", objects)):
        model.load_state_dict(torch.load(work / name / "last.pt", weights_only=False)["ema"])
    return VisionGraph(scene, objects).eval()


def draw_samples(data_dir: Path, split: str) -> dict[str, list[data.Sample]]:
    """Images of a split by set; UCM's boxed images follow the split of their boxes."""
    out: dict[str, list[data.Sample]] = {}
    for name in ("ucm", "eurosat", "neon_trees", "neon_trees_416", "aerial_cars", "rsvqa"):
        samples = data.load_set(data_dir, name)
        if name == "ucm":
            # A boxed image held out from the object tower is not evidence it was trained on.
            out[name] = [
                s for s in samples
                if (splits.ucm_box_split(s.file, "val" if s.split == "val" else "train")
                    if len(s.boxes) else s.split) == split
            ]  # fmt: skip
        else:
            out[name] = [s for s in samples if s.split == split]
    return out


def cache_views(
    data_dir: Path,
    graph: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    split: str,
    views: dict[str, int],
    seed: int,
    path: Path,
) -> list[tuple[NDArray[np.float32], Facts]]:
    """Evidence and facts of ``views[set]`` augmented views an image; kept in ``path``.

    ``graph`` turns uint8[B, 256, 256, 3] into evidence float32[B, E].
    """
    if path.exists():
        with path.open("rb") as f:
            return list(pickle.load(f))
    rng = np.random.default_rng(seed)
    out: list[tuple[NDArray[np.float32], Facts]] = []
    for name, samples in draw_samples(data_dir, split).items():
        jobs = [s for s in samples for _ in range(views[name])]
        if name == "eurosat" and views[name] == 1 and split == "train":
            jobs = jobs[::6]
        for i in range(0, len(jobs), 16):
            drawn = [make_view(s, rng, plain=split != "train") for s in jobs[i : i + 16]]
            evidence = graph(np.stack([d[0] for d in drawn]))
            out += [(e, d[1]) for e, d in zip(evidence, drawn, strict=True)]
    with path.open("wb") as f:
        pickle.dump(out, f)
    return out


UNSEEN = frozenset(tuple(tokens.words_of(q)) for q in forty.every_question())
"""Questions written by hand to measure with: never trained on, word for word."""


class Sequences:
    """Draws question-answer sequences over cached views."""

    def __init__(self, views: list[tuple[NDArray[np.float32], Facts]], rng: Generator) -> None:
        self.views, self.rng = views, rng
        self.tokenizer = tokens.build()
        self.vocab = self.tokenizer.get_vocab()
        sizes = list(BLOCKS.values())
        self.block = np.repeat(np.arange(len(sizes)), sizes)
        first = sum(sizes[:4])
        step = sizes[4]
        self.peaks = [first + i * step for i in range(len(splits.OBJECTS))]

    def encode(self, pair: questions.Pair, gsd_m: float | None) -> tuple[list[int], int]:
        """Token ids of a whole sequence and where its answer begins."""
        gsd = "<gsd_unknown>" if gsd_m is None else f"<gsd_{gsd_m:g}>"
        asked = self.tokenizer.encode(pair.question.replace("?", " ? ")).tokens
        if pair.kind == "out":
            known = lexicon.PLACE_NOUNS
            asked = [
                tokens.UNK if w not in STOP and w not in known and self.rng.random() < 0.25 else w
                for w in asked
            ]
        else:
            p = 0.15 if self.rng.random() < 0.3 else 0.0
            asked = [tokens.UNK if w in STOP and self.rng.random() < p else w for w in asked]
            if self.rng.random() < 0.3:
                asked = [w for w in asked if w not in ("?", ".")]
        said = self.tokenizer.encode(pair.answer).tokens
        words = [gsd, *asked, tokens.ANSWER, *said, tokens.EOS]
        ids = [self.vocab.get(w, self.vocab[tokens.UNK]) for w in words]
        return ids[:95], len(asked) + 2

    def draw(self, n: int) -> tuple[Tensor, Tensor, Tensor]:
        """Evidence float[n, E], ids int64[n, T], and the mask of what is learnt, bool[n, T]."""
        rows, evidence = [], []
        for i in self.rng.integers(len(self.views), size=n):
            e, facts = self.views[i]
            pair = questions.draw_pair(facts, e[self.peaks], self.rng)
            gsd = None if self.rng.random() < 0.1 else facts.gsd_m
            while tuple(tokens.words_of(pair.question)) in UNSEEN:
                pair = questions.draw_pair(facts, e[self.peaks], self.rng)
            if pair.kind == "gsd" and gsd is None:
                pair = questions.Pair("gsd", pair.question, questions.unans("out_of_scope"))
            rows.append(self.encode(pair, gsd))
            noise = 1 + 0.06 * self.rng.standard_normal(e.shape)
            evidence.append((e * noise).astype(np.float32))
        t = max(len(ids) for ids, _ in rows)
        ids = np.zeros((n, t), np.int64)
        learn = np.zeros((n, t), bool)
        for j, (row, start) in enumerate(rows):
            ids[j, : len(row)] = row
            learn[j, start : len(row)] = True
        return torch.from_numpy(np.stack(evidence)), torch.from_numpy(ids), torch.from_numpy(learn)


def train(
    views: list[tuple[NDArray[np.float32], Facts]],
    work: Path,
    cfg: dict[str, Any],
    max_steps: int | None = None,
    start_from: Path | None = None,
) -> None:
    """Train into ``work/decoder/last.pt``; resumes, or starts from another checkpoint."""
    torch.manual_seed(cfg["seed"])
    rng = np.random.default_rng(cfg["seed"])
    draw = Sequences(views, rng)
    model = Talker(DecoderConfig(vocab=draw.tokenizer.get_vocab_size()))
    if start_from is not None and start_from.exists():
        model.load_state_dict(torch.load(start_from, weights_only=False)["ema"])
    model.train()

    def step(progress: float) -> dict[str, Tensor]:
        evidence, ids, learn = draw.draw(cfg["batch"])
        logits = model(evidence, ids[:, :-1])
        target, on = ids[:, 1:], learn[:, 1:]
        nll = F.cross_entropy(logits[on], target[on], reduction="none")
        # Short answers count as much as long captions.
        share = (1.0 / on.sum(1).clamp(min=1).float().sqrt())[:, None].expand_as(target)[on]
        loss = (nll * share).sum() / share.sum()
        hit = (logits[on].argmax(1) == target[on]).float().mean()
        return {"loss": loss, "hit": hit}

    loop.run(
        model, [(list(model.parameters()), cfg["lr"])], step, work / "decoder",
        minutes=cfg["minutes"], max_steps=max_steps, weight_decay=cfg["weight_decay"],
        ema_decay=0.998,
    )  # fmt: skip


def train_on_towers(
    data_dir: Path, work: Path, cfg: dict[str, Any], threads: int, max_steps: int | None = None
) -> None:
    """Cache the evidence of many views with the towers as they are now, then train."""
    from rsvlm_geo.training import export_pack, make_pack

    path = work / "vision.onnx"
    export_pack.export_vision(load_towers(work), None, path)
    run = make_pack.open_vision(path, threads)

    def evidence(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        out: NDArray[np.float32] = run(images)["evidence"]
        return out

    views = cache_views(data_dir, evidence, "train", cfg["views"], cfg["seed"], work / "views.pkl")
    start = Path(cfg["start"]) if cfg.get("start") else None
    train(views, work, cfg, max_steps, start)
