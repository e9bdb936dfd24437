"""Captioned sets in the formats others train on; licence and split travel with every row."""

from __future__ import annotations

import csv
import io
import json
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from rsvlm_geo.captions.records import Record
from rsvlm_geo.errors import DataError, OutputError
from rsvlm_geo.metrics.captions import tokenize

__all__ = ["FORMATS", "write_format"]

_ASKS = (
    "Please describe the remote sensing image.", "Describe this image in detail.",
    "What can be seen in this image?", "Give a detailed description of the image.",
)  # fmt: skip


def write_format(kind: str, records: Iterable[Record], out: str | Path, *, name: str) -> list[Path]:
    """Write a set in one format.

    Args:
        kind: A name of :data:`FORMATS`.
        records: From :func:`~rsvlm_geo.captions.records.read_records`.
        out: Folder.
        name: Of the set, in file names.

    Returns:
        The files written.

    Raises:
        DataError: Unknown format, or a set without captions.
        OutputError: The folder cannot be written to.
    """
    if kind not in FORMATS:
        raise DataError(f"no format {kind!r}; take one of {', '.join(sorted(FORMATS))}")
    rows = [r for r in records if r.captions]
    if not rows:
        raise DataError("nothing to write: no image has a caption")
    folder = Path(out).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return FORMATS[kind](rows, folder, re.sub(r"[^\w.-]+", "-", name))
    except OSError as error:
        raise OutputError(f"cannot write {kind} to {folder} ({error})") from error


def _open_clip(rows: Sequence[Record], folder: Path, name: str) -> list[Path]:
    """Tab-separated, ``filepath`` and ``title`` first: open_clip's own defaults."""
    path = folder / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_MINIMAL)
        out.writerow(["filepath", "title", "kind", "by", "dataset", "split", "licence"])
        for r in rows:
            for c in r.captions:
                out.writerow([r.file, c.text, c.kind, c.by, r.dataset, r.split, r.licence])
    return [path]


def _webdataset(rows: Sequence[Record], folder: Path, name: str, per: int = 1000) -> list[Path]:
    """Tar shards of image, ``.txt`` (the fused caption) and ``.json`` (everything)."""
    paths = []
    for shard in range(-(-len(rows) // per)):
        path = folder / f"{name}-{shard:05d}.tar"
        with tarfile.open(path, "w") as tar:
            for i, r in enumerate(rows[shard * per : (shard + 1) * per]):
                key = f"{shard * per + i:08d}"
                best = next((c.text for c in r.captions if c.kind == "fused"), r.captions[-1].text)
                told = {**r.as_dict(), "file": Path(r.file).name}
                _add(tar, key + Path(r.file).suffix.lower(), Path(r.file).read_bytes())
                _add(tar, f"{key}.txt", best.encode())
                _add(tar, f"{key}.json", json.dumps(told, ensure_ascii=False).encode())
        paths.append(path)
    return paths


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)  # mtime stays 0, so that a set is the same file every time
    tar.addfile(member, io.BytesIO(data))


def _llava(rows: Sequence[Record], folder: Path, name: str) -> list[Path]:
    """Conversations, one a caption; image relative to ``source_dataset`` as VHM's training has."""
    out = []
    for r in rows:
        for i, c in enumerate(r.captions):
            ask = _ASKS[zlib.crc32(f"{r.id}/{i}".encode()) % len(_ASKS)]
            out.append({
                "id": f"{r.dataset}/{r.id}/{i}", "image": Path(r.file).name,
                "source_dataset": str(Path(r.file).parent), "licence": r.licence, "split": r.split,
                "conversations": [
                    {"from": "human", "value": f"<image>\n{ask}"}, {"from": "gpt", "value": c.text}
                ],
            })  # fmt: skip
    path = folder / f"{name}_llava.json"
    path.write_text(json.dumps(out, ensure_ascii=False, indent=1), encoding="utf-8")
    return [path]


def _rsicd(rows: Sequence[Record], folder: Path, name: str) -> list[Path]:
    """``dataset_<name>.json``: what retrieval and captioning benchmarks read."""
    images, sentence = [], 0
    for i, r in enumerate(rows):
        sentences = []
        for c in r.captions:
            sentences.append(
                {"raw": c.text, "tokens": tokenize(c.text), "imgid": i, "sentid": sentence}
            )
            sentence += 1
        images.append({
            "filename": Path(r.file).name, "filepath": str(Path(r.file).parent), "imgid": i,
            "split": r.split or "train", "sentences": sentences, "licence": r.licence,
            "sentids": [s["sentid"] for s in sentences],
        })  # fmt: skip
    path = folder / f"dataset_{name}.json"
    told = {"dataset": name, "images": images}
    path.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    return [path]


def _croissant(rows: Sequence[Record], folder: Path, name: str) -> list[Path]:
    """Croissant 1.0 metadata of the captions, with the licences and the captions file's sha256."""
    data = folder / f"{name}_captions.csv"
    with data.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        columns = ("image", "caption", "kind", "by", "dataset", "split", "licence")
        out.writerow(columns)
        for r in rows:
            for c in r.captions:
                out.writerow([r.file, c.text, c.kind, c.by, r.dataset, r.split, r.licence])
    licences = sorted({r.licence or "not stated" for r in rows})
    said = (
        f"{sum(len(r.captions) for r in rows)} captions of {len(rows)} images seen from above, "
        "written by rule from annotations or by the models named in each row."
    )
    told = {
        "@context": {
            "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/",
            "cr": "http://mlcommons.org/croissant/", "dct": "http://purl.org/dc/terms/",
            "citeAs": "cr:citeAs", "column": "cr:column", "conformsTo": "dct:conformsTo",
            "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "extract": "cr:extract",
            "field": "cr:field", "fileObject": "cr:fileObject", "recordSet": "cr:recordSet",
            "source": "cr:source",
        },
        "@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0", "name": name,
        "description": said, "license": licences if len(licences) > 1 else licences[0],
        "version": "1.0.0",
        "distribution": [{
            "@type": "cr:FileObject", "@id": "captions", "name": data.name,
            "contentUrl": data.name, "encodingFormat": "text/csv",
            "contentSize": f"{data.stat().st_size} B",
            "sha256": sha256(data.read_bytes()).hexdigest(),
        }],
        "recordSet": [{
            "@type": "cr:RecordSet", "@id": "rows", "name": "rows",
            "field": [{
                "@type": "cr:Field", "@id": f"rows/{c}", "name": c, "dataType": "sc:Text",
                "source": {"fileObject": {"@id": "captions"}, "extract": {"column": c}},
            } for c in columns],
        }],
    }  # fmt: skip
    path = folder / "croissant.json"
    path.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return [path, data]


FORMATS: Mapping[str, Callable[[Sequence[Record], Path, str], list[Path]]] = {
    "open_clip": _open_clip, "webdataset": _webdataset, "llava": _llava, "rsicd": _rsicd,
    "croissant": _croissant,
}  # fmt: skip
"""Format -> its writer."""
