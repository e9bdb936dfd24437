"""What a captioned set is made of: captions, records, and the accounts of a run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rsvlm_geo.errors import DataError, ResumeError

__all__ = ["Accounts", "Caption", "Record", "read_records", "resume"]


@dataclass(frozen=True, slots=True)
class Caption:
    """One caption and where it comes from."""

    text: str
    kind: str
    """``relay``, a perspective, ``model``, ``fused`` or ``caption``."""
    by: str
    """``rule``, or the model's name."""
    prompt: str = ""
    """Hash of the prompt; empty for rules."""
    kept: int = 0
    facts: int = 0
    invented: tuple[str, ...] = ()
    instead_of: str = ""
    """Why a model's text was not taken and the rules' stands here; empty otherwise."""


@dataclass(frozen=True, slots=True)
class Record:
    """One image with its captions."""

    id: str
    file: str
    """Absolute path of the image."""
    size: tuple[int, int]
    dataset: str
    split: str
    licence: str
    captions: tuple[Caption, ...]
    facts: tuple[str, ...] = ()
    """Phrases of the facts the captions were held against."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Record:
        """The other way round."""
        captions = tuple(
            Caption(**{**c, "invented": tuple(c.get("invented", ()))}) for c in row["captions"]
        )
        return cls(
            row["id"], row["file"], tuple(row["size"]), row["dataset"], row["split"],
            row["licence"], captions, tuple(row.get("facts", ())),
        )  # fmt: skip


@dataclass(slots=True)
class Accounts:
    """What became of every image; ``asked`` is the sum of all the others."""

    asked: int = 0
    done: int = 0
    resumed: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    """``(image, error)``."""
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """``(image, why)``: by rule, nothing can be said where nothing is known."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Why models' texts were not taken."""
    captions: Counter[str] = field(default_factory=Counter)
    """``kind by`` -> captions, those from before included."""
    bare: int = 0
    """Of those done or resumed, how many have no caption: no text of a model was taken."""
    stopped: str = ""
    """Why it ended early; empty when it did not."""

    @property
    def pending(self) -> int:
        """Not reached."""
        return self.asked - self.done - self.resumed - len(self.failed) - len(self.skipped)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "asked": self.asked, "done": self.done, "resumed": self.resumed,
            "failed": [list(f) for f in self.failed], "pending": self.pending,
            "skipped": [list(f) for f in self.skipped],
            "rejected": dict(self.rejected), "captions": dict(self.captions), "bare": self.bare,
            "stopped": self.stopped,
        }  # fmt: skip

    def __str__(self) -> str:
        said = (
            f"{self.asked} images: {self.done} captioned, {self.resumed} from before, "
            f"{len(self.failed)} failed, {len(self.skipped)} of which nothing is known, "
            f"{self.pending} not reached"
        )
        if self.bare:
            said += f"; {self.bare} of them without a caption, as no text was taken"
        if self.rejected:
            why = ", ".join(f"{n} {r}" for r, n in self.rejected.most_common())
            said += f"; texts not taken: {why}"
        return said + (f"; stopped: {self.stopped}" if self.stopped else "")


def read_records(path: str | Path) -> Iterator[Record]:
    """Records of a ``captions.jsonl``.

    Raises:
        DataError: It is missing, or a line is not a record.
    """
    file = Path(path).expanduser()
    file = file / "captions.jsonl" if file.is_dir() else file
    if not file.is_file():
        raise DataError(f"no captions at {file}")
    with file.open(encoding="utf-8") as lines:
        for i, line in enumerate(lines, 1):
            try:
                yield Record.from_dict(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f"line {i} of {file} is not a caption record ({error})") from error


def resume(file: Path, about: Path, fingerprint: str) -> dict[str, tuple[Caption, ...]]:
    """``dataset/id`` -> captions of what is done; a line cut off by a crash is removed.

    Raises:
        ResumeError: The file was made in another way, or is damaged.
    """
    if not file.is_file():
        return {}
    try:
        told = json.loads(about.read_text(encoding="utf-8")).get("fingerprint")
    except (OSError, ValueError):
        told = None
    if told != fingerprint:
        raise ResumeError(
            f"{file} was made with another style, model or prompt; take another --out folder"
        )
    done: dict[str, tuple[Caption, ...]] = {}
    good: list[str] = []
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    for i, line in enumerate(lines):
        try:
            row = json.loads(line)
            if not line.endswith("\n"):
                raise ValueError("cut off")
            record = Record.from_dict(row)
        except (ValueError, KeyError, TypeError) as error:
            if i == len(lines) - 1:
                break
            raise ResumeError(f"line {i + 1} of {file} is damaged ({error})") from error
        done[f"{record.dataset}/{record.id}"] = record.captions
        good.append(line)
    if len(good) < len(lines):
        part = file.with_suffix(".jsonl.part")
        part.write_text("".join(good), encoding="utf-8")
        part.replace(file)
    return done
