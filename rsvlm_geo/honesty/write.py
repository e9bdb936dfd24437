"""Write honest questions: with their provenance, and in the published evaluation layout."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rsvlm_geo.annotated import AnnotatedImage
from rsvlm_geo.errors import DataError, OutputError
from rsvlm_geo.honesty.colours import read_rgb, write_grey
from rsvlm_geo.honesty.questions import HonestQuestion

__all__ = ["eval_file", "read_questions", "write_questions"]


def eval_file(q: HonestQuestion, name: str) -> str:
    """The published file a question belongs to: ``abspos_false_<name>_popular_mc.json``."""
    if q.task == "presence":
        return f"presence_mo_{name}.json"
    if q.task == "color":
        if q.reason == "panchromatic":
            return f"color_false_pan_{name}.json"
        return (
            f"color_false_{name}_{q.strategy}_open.json"
            if q.strategy
            else f"color_{name}_open.json"
        )
    return (
        f"{q.task}_false_{name}_{q.strategy}_mc.json" if q.strategy else f"{q.task}_{name}_mc.json"
    )


def write_questions(
    questions: Iterable[HonestQuestion],
    images: Sequence[AnnotatedImage],
    out: str | Path,
    *,
    name: str = "set",
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """Write ``questions.jsonl``, the grey copies, and one evaluation file a task and strategy.

    Args:
        questions: From :func:`~rsvlm_geo.honesty.generate_questions`.
        images: What they were made from.
        out: Folder; made when missing.
        name: The set's name in the file names.
        settings: Written to ``about.json`` beside the licences.

    Returns:
        ``questions.jsonl``.

    Raises:
        OutputError: The folder cannot be written to.
    """
    folder = Path(out).expanduser()
    by_id = {image.id: image for image in images}
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    try:
        (folder / "eval").mkdir(parents=True, exist_ok=True)
        part = folder / "questions.jsonl.part"
        grey: set[str] = set()
        n = 0
        with part.open("w", encoding="utf-8") as file:
            for q in questions:
                file.write(json.dumps(q.as_dict(), ensure_ascii=False) + "\n")
                n += 1
                image = by_id[q.source]
                pan = q.image.startswith("pan/")
                if pan and q.image not in grey:
                    write_grey(read_rgb(image.path), folder / q.image)
                    grey.add(q.image)
                groups[eval_file(q, name)].append(_published(q, image, folder, pan))
        for stem, rows in groups.items():
            (folder / "eval" / stem).write_text(json.dumps(rows, indent=1), encoding="utf-8")
        about = {
            "questions": n, "name": name, "settings": dict(settings or {}),
            "sources": _sources(images), "grey_copies": len(grey),
        }  # fmt: skip
        (folder / "about.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
        part.replace(folder / "questions.jsonl")
    except OSError as error:
        raise OutputError(f"cannot write honest questions to {folder} ({error})") from error
    return folder / "questions.jsonl"


def _sources(images: Sequence[AnnotatedImage]) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str], int] = defaultdict(int)
    for image in images:
        rows[image.dataset, image.licence] += 1
    return [{"dataset": d, "licence": x, "images": n} for (d, x), n in sorted(rows.items())]


def _published(q: HonestQuestion, image: AnnotatedImage, folder: Path, pan: bool) -> dict[str, Any]:
    """One record; ``size`` is (height, width), the order the published evaluator reads it in."""
    home = (folder / "pan").resolve() if pan else image.path.parent.resolve()
    return {
        "image": Path(q.image).name, "image_path": str(home), "size": [q.size[1], q.size[0]],
        "conversations": [
            {"from": "human", "value": f"<image>\n{q.question}"}, {"from": "gpt", "value": q.answer}
        ],
    }  # fmt: skip


def read_questions(path: str | Path) -> list[HonestQuestion]:
    """``questions.jsonl`` back.

    Raises:
        DataError: It is missing or not such a file.
    """
    file = Path(path).expanduser()
    file = file / "questions.jsonl" if file.is_dir() else file
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        return [HonestQuestion.from_dict(json.loads(line)) for line in lines if line.strip()]
    except FileNotFoundError:
        raise DataError(f"no questions at {file}") from None
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{file} does not hold honest questions ({error})") from error
