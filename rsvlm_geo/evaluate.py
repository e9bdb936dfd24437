"""Evaluate any model on a benchmark: strict measures, three baselines, nothing left out."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo import metrics
from rsvlm_geo.answers import Answer, answer_from_reply
from rsvlm_geo.errors import DataError
from rsvlm_geo.metrics import Measure, parse
from rsvlm_geo.metrics.benchmarks import Item
from rsvlm_geo.tasks import ask_question, route_question
from rsvlm_geo.vlm import ModelInfo, Question, Reply, Vlm

__all__ = ["Record", "Report", "evaluate", "fit_image", "score"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Record:
    """One item and what the model made of it."""

    item: Item
    answer: Answer
    raw: str
    """The model's own words."""
    box: tuple[float, float, float, float] | None = None
    """The answered box in pixels of the item's image."""


@dataclass(frozen=True, slots=True)
class Report:
    """Measures of a model on a benchmark, beside its baselines."""

    model: str
    benchmark: str
    n: int
    seconds: float
    tables: Mapping[str, Mapping[str, Measure]]
    """Kind of question -> its measures."""
    baselines: Mapping[str, Mapping[str, Mapping[str, Measure]]] = field(default_factory=dict)
    """Baseline -> kind -> its measures."""
    records: tuple[Record, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, records left out."""

        def plain(tables: Mapping[str, Mapping[str, Measure]]) -> dict[str, Any]:
            return {k: {n: m.as_dict() for n, m in t.items()} for k, t in tables.items()}

        return {
            "model": self.model, "benchmark": self.benchmark, "n": self.n,
            "seconds": round(self.seconds, 2), "measures": plain(self.tables),
            "baselines": {name: plain(t) for name, t in self.baselines.items()},
        }  # fmt: skip

    def __str__(self) -> str:
        head = f"{self.model} on {self.benchmark}: {self.n} questions in {self.seconds:.1f} s"
        parts = [head]
        for kind, table in self.tables.items():
            parts.append(f"\n{kind}\n{metrics.format_table(table)}")
            for name, tables in self.baselines.items():
                if kind in tables:
                    said = ", ".join(
                        f"{k} {m.value:.4g}" for k, m in tables[kind].items() if m.n and k in table
                    )
                    parts.append(f"  {name}: {said}")
        return "\n".join(parts)

    def write_records(self, path: Path) -> None:
        """One JSON line an item: question, truth, answer, status, raw text."""
        with path.open("w", encoding="utf-8") as out:
            for r in self.records:
                row = {
                    "id": r.item.id, "image": str(r.item.image), "kind": r.item.kind,
                    "type": r.item.type, "query": r.item.question, "answer": r.item.answer,
                    "references": list(r.item.references), "truth_box": r.item.box,
                    "pred": r.raw, "status": r.answer.status, "text": r.answer.text,
                    "value": r.answer.value, "reason": r.answer.reason,
                    "confidence": r.answer.confidence, "box": r.box,
                }  # fmt: skip
                out.write(json.dumps(row) + "\n")


def fit_image(path: Path, size: int) -> tuple[NDArray[np.uint8], float]:
    """Read an image, pad it to a square on the right and bottom, and scale it.

    Args:
        path: Of the image; grey becomes three equal bands, 16-bit is stretched by its 2-98 %.
        size: Side of the model's image, pixels.

    Returns:
        ``(uint8[size, size, 3], pixels of the image per pixel of the model's)``.

    Raises:
        DataError: It cannot be read.
    """
    from PIL import Image

    try:
        with Image.open(path) as opened:
            if opened.mode in ("I;16", "I", "F", "I;16B"):
                wide = np.asarray(opened, dtype=np.float64)
                low, high = np.percentile(wide, (2, 98))
                grey = np.clip((wide - low) / max(high - low, 1e-9) * 255, 0, 255)
                image = Image.fromarray(grey.astype(np.uint8)).convert("RGB")
            else:
                image = opened.convert("RGB")
    except OSError as error:
        raise DataError(f"{path} cannot be read as an image ({error})") from error
    side = max(image.size)
    if image.size != (side, side):
        square = Image.new("RGB", (side, side), (122, 116, 104))
        square.paste(image, (0, 0))
        image = square
    if side != size:
        image = image.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.uint8), side / size


def _question(item: Item, info: ModelInfo) -> Question:
    if item.kind == "caption":
        return Question("caption", item.question, gsd_m=item.gsd_m)
    if item.kind == "classify":
        return Question("classify", item.question, None, item.options or None, item.gsd_m)
    if item.kind == "box":
        return Question("locate", item.question, item.type or item.question, None, item.gsd_m)
    if item.kind == "yes_no":
        return ask_question(item.question, candidates=("yes", "no"), gsd_m=item.gsd_m)
    if item.kind == "count":
        routed = route_question(item.question, info)
        return routed or ask_question(item.question, gsd_m=item.gsd_m)
    options = item.options if item.kind == "vqa" and item.options else None
    return ask_question(item.question, candidates=options, gsd_m=item.gsd_m)


def _ask_all(
    model: Vlm, items: Sequence[Item], *, blind: bool, progress: Progress | None
) -> list[Record]:
    info = model.info
    questions = [_question(item, info) for item in items]
    by_image: dict[Path, list[int]] = {}
    for i, item in enumerate(items):
        by_image.setdefault(item.image, []).append(i)
    # images that are asked the same questions go in one batch
    by_questions: dict[tuple[Question, ...], list[Path]] = {}
    for path, where in by_image.items():
        by_questions.setdefault(tuple(questions[i] for i in where), []).append(path)
    out: list[Record | None] = [None] * len(items)
    done = 0
    for asked, paths in by_questions.items():
        for start in range(0, len(paths), max(info.batch, 1)):
            chunk = paths[start : start + max(info.batch, 1)]
            fitted = [fit_image(path, info.image_size) for path in chunk]
            images = np.stack([image for image, _ in fitted])
            if blind:
                images = np.full_like(images, 124)
            replies = model.ask(images, list(asked))
            for path, (_, scale), row in zip(chunk, fitted, replies, strict=True):
                for i, question, reply in zip(by_image[path], asked, row, strict=True):
                    out[i] = _record(items[i], question, reply, info, scale)
                    done += 1
            if progress is not None:
                progress(done, len(items))
    return [r for r in out if r is not None]


def _record(item: Item, question: Question, reply: Reply, info: ModelInfo, scale: float) -> Record:
    answer = answer_from_reply(item.id, question, reply, info)
    box = None
    if item.kind == "box" and answer.status != "refused":
        if reply.boxes is not None and len(reply.boxes):
            best = 0 if reply.scores is None else int(np.argmax(reply.scores))
            x0, y0, x1, y1 = (float(v) * scale for v in reply.boxes[best])
            box = (x0, y0, x1, y1)
        else:
            side = round(info.image_size * scale)
            box = parse.parse_box(reply.text, (side, side))
    return Record(item, answer, reply.text, box)


def _refused(record: Record) -> bool:
    return record.answer.status == "refused" or metrics.is_refusal_text(record.raw)


def _said(record: Record) -> str | None:
    return record.answer.text if record.answer.status == "answered" else None


def _letter(text: str, item: Item) -> str | None:
    return parse.parse_choice(text, dict(zip("ABCDE", item.options, strict=False)) or None)


def score(records: Sequence[Record]) -> dict[str, dict[str, Measure]]:
    """Strict measures of recorded answers, by kind; a refusal is wrong where there is an answer."""
    by_kind: dict[str, list[Record]] = {}
    for record in records:
        by_kind.setdefault(record.item.kind, []).append(record)
    if {"yes_no", "count", "vqa"} & set(by_kind) and any(r.item.type for r in records):
        asked = [r for k in ("yes_no", "count", "vqa") for r in by_kind.get(k, [])]
        by_kind["by_type"] = asked
    out: dict[str, dict[str, Measure]] = {}
    for kind, rows in by_kind.items():
        out[kind] = _score_kind(kind, rows)
    judged = [r for r in records if r.item.unanswerable is not None]
    if judged:
        out["refusals"] = metrics.refusals(
            [_refused_item(r) for r in judged], [bool(r.item.unanswerable) for r in judged]
        )
    sure = [(r.answer.confidence, right) for r in records if (right := _right(r)) is not None
            and r.answer.status == "answered" and r.answer.confidence is not None]  # fmt: skip
    if len(sure) >= 20:
        out["confidence"] = metrics.calibration([p for p, _ in sure if p is not None],
                                                [bool(h) for _, h in sure])  # fmt: skip
    return out


def _refused_item(r: Record) -> bool:
    if r.item.kind != "choice":
        return _refused(r)
    letter = _letter(r.raw, r.item)
    if letter is None:
        return _refused(r)
    return metrics.is_refusal_text(r.item.options["ABCDE".index(letter)])


def _right(r: Record) -> bool | None:
    if r.item.kind in ("classify", "vqa", "yes_no"):
        same = metrics.classification([_said(r)], [r.item.answer])["accuracy"].value
        return same == 1.0
    if r.item.kind == "count":
        value = _count(r)
        return value is not None and round(value) == _number(r.item.answer)
    return None


def _count(r: Record) -> float | None:
    if r.answer.status != "answered":
        return None
    return r.answer.value if r.answer.value is not None else _number(r.answer.text)


def _number(text: str) -> float | None:
    return parse.parse_count(text)


def _score_kind(kind: str, rows: Sequence[Record]) -> dict[str, Measure]:
    gold = [r.item.answer for r in rows]
    if kind == "classify":
        return metrics.classification([_said(r) for r in rows], gold)
    if kind == "by_type":
        return metrics.vqa([_said(r) for r in rows], gold, [r.item.type for r in rows])
    if kind == "vqa":
        return metrics.classification([_said(r) for r in rows], gold, compact=False)
    if kind == "yes_no":
        said = [parse.parse_yes_no(r.answer.text) if r.answer.status == "answered" else None
                for r in rows]  # fmt: skip
        return metrics.yes_no(said, [g.lower().startswith("y") for g in gold])
    if kind == "choice":
        picked = [_letter(r.raw, r.item) for r in rows]
        return metrics.classification(picked, [g[:1].upper() for g in gold])
    if kind == "count":
        pairs = [(_count(r), _number(r.item.answer)) for r in rows]
        kept = [(p, g) for p, g in pairs if g is not None]
        return metrics.counting([p for p, _ in kept], [g for _, g in kept])
    if kind == "caption":
        refs = [r.item.references for r in rows]
        return metrics.caption_measures([_said(r) or "" for r in rows], refs)
    if kind == "box":
        return metrics.grounding([r.box for r in rows], [r.item.box or (0, 0, 0, 0) for r in rows])
    if kind == "numbers":
        said_numbers = [parse.parse_numbers(r.raw) if not _refused(r) else None for r in rows]
        return metrics.number_errors(said_numbers, [parse.parse_numbers(g) for g in gold])
    if kind == "labels":
        names = sorted({x.strip() for g in gold for x in g.split(",")})
        found = [parse.parse_labels(r.raw, names) for r in rows]
        return metrics.multi_label(found, [{x.strip() for x in g.split(",")} for g in gold], names)
    if kind == "colour":
        open_rows = [r for r in rows if not r.item.unanswerable]
        hits = [
            not _refused(r)
            and set(parse_words(r.item.answer)) <= set(parse_words(r.raw))
            for r in open_rows
        ]  # fmt: skip
        return {"accuracy": metrics.share_measure(hits)}
    if kind == "outline":
        sizes = [_size(r.item.image) for r in rows]
        drawn = [parse.parse_outline(r.raw, s) for r, s in zip(rows, sizes, strict=True)]
        truth = [parse.parse_outline(g, s) for g, s in zip(gold, sizes, strict=True)]
        if None in truth:
            raise DataError("a true outline does not parse; is it the published file?")
        return metrics.outlines(drawn, [t or [] for t in truth])
    raise DataError(f"no measures for questions of kind {kind!r}")


def parse_words(text: str) -> list[str]:
    """Lower-case words, without ``and``."""
    return [w for w in metrics.tokenize(text) if w != "and"]


def _size(path: Path) -> tuple[int, int]:
    from PIL import Image

    with Image.open(path) as opened:
        return int(opened.size[0]), int(opened.size[1])


def _constant(items: Sequence[Item]) -> list[Record]:
    """Always the commonest answer of its kind and type: what no look at the image can miss."""
    common: dict[tuple[str, str], str] = {}
    groups: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        groups.setdefault((item.kind, item.type), []).append(item)
    boxes: dict[tuple[str, str], tuple[float, float, float, float]] = {}
    for key, group in groups.items():
        if key[0] == "caption":
            texts = Counter(t for item in group for t in item.references)
            common[key] = min(texts, key=lambda t: (-texts[t], t))
        elif key[0] == "count":
            values = [v for item in group if (v := _number(item.answer)) is not None]
            common[key] = f"{metrics.best_constant(values):.0f}" if values else ""
        elif key[0] == "box":
            middle = np.median(np.array([item.box for item in group]), axis=0)
            boxes[key] = (float(middle[0]), float(middle[1]), float(middle[2]), float(middle[3]))
            common[key] = ""
        else:
            common[key] = metrics.constant_answer([item.answer for item in group])
    out = []
    for item in items:
        key = (item.kind, item.type)
        text = common[key]
        value = _number(text) if item.kind == "count" else None
        answer = Answer(item.id, "ask", item.question, "answered", text=text, value=value)
        out.append(Record(item, answer, text, boxes.get(key)))
    return out


def evaluate(
    model: Vlm,
    items: Iterable[Item],
    *,
    benchmark: str = "",
    baselines: bool = True,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Ask a model every question of a benchmark and measure it.

    Args:
        model: Anything with the shape of :class:`~rsvlm_geo.vlm.Vlm`.
        items: From :func:`~rsvlm_geo.metrics.benchmarks.load_benchmark`.
        benchmark: Its name, for the report.
        baselines: Also measure the constant answer, the same model shown a grey image, and
            always or never refusing where refusals are asked for.
        limit: Only so many items, drawn evenly over the list.
        progress: Called with ``(done, all)`` after each batch.

    Raises:
        DataError: No items, or an image that cannot be read.
    """
    chosen = list(items)
    if limit is not None and limit < len(chosen):
        at = np.linspace(0, len(chosen) - 1, limit).round().astype(int)
        chosen = [chosen[i] for i in at]
    if not chosen:
        raise DataError("nothing to evaluate: the benchmark has no items")
    start = time.perf_counter()
    records = _ask_all(model, chosen, blind=False, progress=progress)
    seconds = time.perf_counter() - start
    others: dict[str, Mapping[str, Mapping[str, Measure]]] = {}
    if baselines:
        others["constant answer"] = score(_constant(chosen))
        others["image-blind"] = score(_ask_all(model, chosen, blind=True, progress=None))
        truths = [item.unanswerable for item in chosen if item.unanswerable is not None]
        if truths:
            for name, table in metrics.honesty_baselines(truths).items():
                others[name.replace("_", " ")] = {"refusals": table}
    return Report(model.info.name, benchmark, len(chosen), seconds, score(records), others,
                  tuple(records))  # fmt: skip
