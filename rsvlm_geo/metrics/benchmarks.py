"""Published benchmarks read from a local folder, in the layout their authors give them.

Every benchmark becomes a list of :class:`Item`: an image, a question and what is true. Nothing is
downloaded. What is missing or not as published is a :class:`~rsvlm_geo.errors.DataError` that says
which file and where it was looked for.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET  # nosec B405 - local annotation files, entities refused below
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rsvlm_geo.errors import DataError
from rsvlm_geo.metrics.honesty import is_refusal_text

__all__ = ["BENCHMARKS", "Item", "guess_benchmark", "load_benchmark"]

_IMAGES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")


@dataclass(frozen=True, slots=True)
class Item:
    """One question of a benchmark."""

    id: str
    image: Path
    kind: str
    """classify, vqa, yes_no, choice, count, caption, box, colour, numbers, labels or outline."""
    question: str
    answer: str
    """The truth as published; empty for captions and boxes."""
    type: str = ""
    """The benchmark's own type of question: what results are grouped by."""
    options: tuple[str, ...] = ()
    """The closed set of answers, where there is one."""
    references: tuple[str, ...] = ()
    """Captions of the image."""
    box: tuple[float, float, float, float] | None = None
    """``(x0, y0, x1, y1)`` in pixels of the image."""
    unanswerable: bool | None = None
    """Whether the truth is a refusal; None where the benchmark does not ask that."""
    gsd_m: float | None = None


def load_benchmark(name: str, folder: str | Path, *, split: str = "test") -> list[Item]:
    """Read a benchmark.

    Args:
        name: A name of :data:`BENCHMARKS`.
        folder: Where it was unpacked.
        split: ``test`` by default, for those that have splits.

    Raises:
        DataError: Unknown benchmark, missing folder or file, or not laid out as published.
    """
    if name not in BENCHMARKS:
        raise DataError(f"no benchmark {name!r}; take one of {', '.join(sorted(BENCHMARKS))}")
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise DataError(f"no folder {root} to read {name} from; unpack the benchmark there")
    items = BENCHMARKS[name](root, split)
    if not items:
        raise DataError(f"{name} in {root} has no question in split {split!r}")
    return items


def guess_benchmark(folder: str | Path) -> str:
    """Which benchmark a folder holds, from its files.

    Raises:
        DataError: None, or more than one could be meant.
    """
    root = Path(folder).expanduser()
    marks = {
        "rsvqa_lr": "LR_split_*_questions.json", "rsvqa_hr": "USGS_split_*_questions.json",
        "vrsbench": "VRSBench_EVAL_*.json", "rsicd": "dataset_*.json",
        "hnstd": "*_dota-test*.json", "dior_rsvg": "Annotations",
    }  # fmt: skip
    found = [name for name, mark in marks.items() if any(root.glob(mark))]
    if not found and any(_class_folders(root)):
        found = ["folders"]
    if len(found) != 1:
        said = " and ".join(found) or "none"
        raise DataError(f"cannot tell which benchmark {root} holds ({said}); pass --benchmark")
    return found[0]


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"no file {path}; it is part of the published layout") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{path} is not readable JSON ({error}); unpack it again") from error


def _field(row: Mapping[str, Any], name: str, path: Path, i: int) -> Any:
    if not isinstance(row, Mapping) or name not in row:
        raise DataError(f"record {i} of {path} has no {name!r}; is it the published file?")
    return row[name]


def _image(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise DataError(f"no image {path}; it is named by the annotations")
    return path


def _class_folders(root: Path) -> Iterable[Path]:
    for path in sorted(root.iterdir()):
        if path.is_dir() and any(p.suffix.lower() in _IMAGES for p in path.iterdir()):
            yield path


def _folders(root: Path, split: str) -> list[Item]:
    """A folder per class (AID, RESISC45, WHU-RS19, UCM, EuroSAT), whole or below ``split/``."""
    for inner in (root / split, root, *sorted(p for p in root.iterdir() if p.is_dir())):
        folders = list(_class_folders(inner)) if inner.is_dir() else []
        if len(folders) > 1:
            break
    else:
        raise DataError(f"{root} has no folder per class with images in it")
    names = tuple(f.name for f in folders)
    items = []
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in _IMAGES:
                items.append(
                    Item(
                        f"{folder.name}/{path.name}", path, "classify",
                        "What kind of scene is this?", folder.name, options=names,
                    )
                )  # fmt: skip
    return items


_VQA_KIND = {"presence": "yes_no", "comp": "yes_no", "count": "count"}


def _rsvqa(prefix: str, images: str) -> Callable[[Path, str], list[Item]]:
    def read(root: Path, split: str) -> list[Item]:
        qpath = root / f"{prefix}_split_{split}_questions.json"
        apath = root / f"{prefix}_split_{split}_answers.json"
        questions = _field(_read_json(qpath), "questions", qpath, 0)
        answers = _field(_read_json(apath), "answers", apath, 0)
        said = {}
        for i, row in enumerate(answers):
            if row.get("active", True):
                said[_field(row, "question_id", apath, i)] = str(_field(row, "answer", apath, i))
        items = []
        for i, row in enumerate(questions):
            if not row.get("active", True):
                continue
            key = _field(row, "id", qpath, i)
            if key not in said:
                raise DataError(f"question {key} of {qpath} has no answer in {apath.name}")
            kind = str(_field(row, "type", qpath, i))
            options = ("rural", "urban") if kind == "rural_urban" else ()
            items.append(
                Item(
                    str(key), _image(root / images, f"{_field(row, 'img_id', qpath, i)}.tif"),
                    _VQA_KIND.get(kind, "vqa"), str(_field(row, "question", qpath, i)), said[key],
                    kind, options,
                )
            )  # fmt: skip
        return items

    return read


def _dior_rsvg(root: Path, split: str) -> list[Item]:
    """Sentences and boxes; ``<split>.txt`` holds running numbers of objects, files sorted."""
    listing = root / f"{split}.txt"
    try:
        wanted = {int(line) for line in listing.read_text().split()}
    except FileNotFoundError:
        raise DataError(f"no file {listing}; it is part of the published layout") from None
    except ValueError as error:
        raise DataError(f"{listing} holds one number a line; got {error}") from error
    files = sorted((root / "Annotations").glob("*.xml"))
    if not files:
        raise DataError(f"no annotations in {root / 'Annotations'}")
    items, count = [], 0
    for path in files:
        tree = _read_xml(path)
        name = tree.findtext("filename") or path.with_suffix(".jpg").name
        for thing in tree.findall("object"):
            if count in wanted:
                edges = [thing.findtext(f"bndbox/{k}") for k in ("xmin", "ymin", "xmax", "ymax")]
                text = thing.findtext("description")
                if text is None or None in edges:
                    raise DataError(f"object {count} of {path} has no box or description")
                x0, y0, x1, y1 = (float(e or 0) for e in edges)
                items.append(
                    Item(str(count), _image(root / "JPEGImages", name), "box", text, "",
                         thing.findtext("name") or "", box=(x0, y0, x1, y1))
                )  # fmt: skip
            count += 1
    if wanted and max(wanted) >= count:
        raise DataError(f"{listing} asks for object {max(wanted)}; the annotations hold {count}")
    return items


def _read_xml(path: Path) -> ET.Element:
    text = path.read_text(encoding="utf-8", errors="replace")
    if "<!ENTITY" in text:
        raise DataError(f"{path} declares entities, which annotations never need; not read")
    try:
        return ET.fromstring(text)  # nosec B314 - entities refused above
    except ET.ParseError as error:
        raise DataError(f"{path} is not readable XML ({error})") from error


def _vrsbench(root: Path, split: str) -> list[Item]:
    """Captions, questions and referring boxes (hundredths of the side) of the validation images."""
    from PIL import Image

    items: list[Item] = []
    files = {k: root / f"VRSBench_EVAL_{k}.json" for k in ("Cap", "vqa", "referring")}
    present = {k: p for k, p in files.items() if p.is_file()}
    if not present:
        raise DataError(f"no VRSBench_EVAL_Cap/vqa/referring.json in {root}")
    for part, path in present.items():
        for i, row in enumerate(_read_json(path)):
            image = _image(root / "Images_val", str(_field(row, "image_id", path, i)))
            truth = str(_field(row, "ground_truth", path, i))
            question = str(_field(row, "question", path, i))
            key = f"{part}/{row.get('question_id', i)}"
            if part == "Cap":
                items.append(Item(key, image, "caption", question, "", references=(truth,)))
            elif part == "vqa":
                low = truth.strip().lower()
                kind = "yes_no" if low in ("yes", "no") else "vqa"
                items.append(Item(key, image, kind, question, truth, str(row.get("type", ""))))
            else:
                numbers = [float(x) for x in re.findall(r"<\s*([\d.]+)\s*>", truth)]
                if len(numbers) != 4:
                    raise DataError(f"record {i} of {path} has no box in {truth!r}")
                with Image.open(image) as opened:
                    width, height = opened.size
                x0, y0, x1, y1 = (
                    v * s / 100 for v, s in zip(numbers, (width, height) * 2, strict=True)
                )
                unique = "unique" if row.get("is_unique") else "other"
                items.append(Item(key, image, "box", question, "", unique, box=(x0, y0, x1, y1)))
    return items


def _captioned(root: Path, split: str) -> list[Item]:
    """RSICD, RSITMD, UCM- and Sydney-captions: ``dataset_<name>.json`` beside its images."""
    files = sorted(root.glob("dataset*.json")) or sorted(root.glob("*/dataset*.json"))
    if len(files) != 1:
        raise DataError(f"{root} needs one dataset_<name>.json; found {len(files)}")
    path = files[0]
    places = [p for p in (path.parent, *sorted(path.parent.iterdir())) if p.is_dir()]
    items = []
    for i, row in enumerate(_field(_read_json(path), "images", path, 0)):
        if row.get("split", split) != split:
            continue
        name = str(_field(row, "filename", path, i))
        texts = tuple(str(s["raw"]).strip() for s in _field(row, "sentences", path, i))
        image = next((p / name for p in places if (p / name).is_file()), None)
        if image is None:
            raise DataError(f"no image {name} in {path.parent} or a folder of it")
        if not any(texts):
            raise DataError(f"image {name} of {path} has no sentence")
        items.append(
            Item(str(row.get("imgid", i)), image, "caption",
                 "Please describe the remote sensing image.", "", references=texts)
        )  # fmt: skip
    return items


_HNSTD_KIND = (
    ("presence", "yes_no"), ("relpos", "choice"), ("abspos", "choice"), ("imgType", "choice"),
    ("counting", "count"), ("color", "colour"), ("gsd", "numbers"), ("obj_meas", "numbers"),
    ("cls", "classify"), ("RSVQA", "vqa"), ("VG", "box"), ("bfv", "outline"), ("mlc", "labels"),
)  # fmt: skip


def _hnstd(root: Path, split: str) -> list[Item]:
    """The eval files of VHM (honest and specialised tasks): conversations in a list, by file."""
    items = []
    files = sorted(root.glob("*.json"))
    for path in files:
        kind = next((k for mark, k in _HNSTD_KIND if mark.lower() in path.stem.lower()), None)
        if kind is None:
            continue
        for i, row in enumerate(_read_json(path)):
            talk = _field(row, "conversations", path, i)
            if len(talk) < 2:
                raise DataError(f"record {i} of {path} needs a question and an answer")
            question = str(_field(talk[0], "value", path, i)).replace("<image>", "").strip()
            answer = str(_field(talk[1], "value", path, i)).strip()
            base = Path(str(row.get("image_path", "")))
            image = _image(base if base.is_absolute() else root / base, str(row["image"]))
            items.append(_honest_item(path.stem, i, image, kind, question, answer))
    if not items:
        raise DataError(f"none of the {len(files)} .json files in {root} is a published eval file")
    return items


def _honest_item(stem: str, i: int, image: Path, kind: str, question: str, answer: str) -> Item:
    options: tuple[str, ...] = ()
    unanswerable: bool | None = None
    box = None
    if kind == "choice":
        listed = re.findall(r"([A-E])\s*[:.]\s*(.*?)(?=\s+[A-E]\s*[:.]|$)", question, re.S)
        options = tuple(words.strip() for _, words in listed)
        letters = dict(listed)
        if any(is_refusal_text(w) for w in options):
            unanswerable = is_refusal_text(letters.get(answer[:1], ""))
    elif kind == "colour":
        unanswerable = is_refusal_text(answer)
    elif kind == "classify":
        tail = question.split(":", 1)
        options = tuple(c.strip(" .") for c in tail[1].split(",")) if len(tail) == 2 else ()
    elif kind == "box":
        numbers = [float(x) for x in re.findall(r"[-+]?\d*\.?\d+", answer)]
        if len(numbers) != 4:
            raise DataError(f"record {i} of {stem} has no box in {answer!r}")
        box = (numbers[0], numbers[1], numbers[2], numbers[3])
    elif kind == "yes_no" and answer.lower().strip(" .") not in ("yes", "no"):
        raise DataError(f"record {i} of {stem} should be answered yes or no; got {answer!r}")
    return Item(f"{stem}/{i}", image, kind, question, answer, stem, options, box=box,
                unanswerable=unanswerable)  # fmt: skip


BENCHMARKS: Mapping[str, Callable[[Path, str], list[Item]]] = {
    "aid": _folders, "resisc45": _folders, "whu_rs19": _folders, "ucm": _folders,
    "eurosat": _folders, "folders": _folders, "rsvqa_lr": _rsvqa("LR", "Images_LR"),
    "rsvqa_hr": _rsvqa("USGS", "Data"), "dior_rsvg": _dior_rsvg, "vrsbench": _vrsbench,
    "rsicd": _captioned, "rsitmd": _captioned, "ucm_captions": _captioned,
    "sydney_captions": _captioned, "hnstd": _hnstd, "rseval": _hnstd,
}  # fmt: skip
"""Benchmark -> its reader ``(folder, split) -> items``."""
