"""Finished tiles on disk, so that a run that is killed goes on where it was.

One folder a run, named by its fingerprint: everything that decides an answer. One JSON line a
tile, handed to the operating system as soon as its batch is answered; a line that a crash cut in
two is not counted. Every process writes a file of its own, so nothing is ever appended to a torn
line. Failed tiles are not kept: a resumed run tries them again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal

import numpy as np

import rsvlm_geo
from rsvlm_geo.answers import Answer
from rsvlm_geo.errors import OutputError, ResumeError
from rsvlm_geo.vlm import ModelInfo, Question

__all__ = ["Store", "TileAnswers", "decode_tile", "encode_tile", "fingerprint"]

CODE_FORMAT = 1
"""Raised when tiles written by older code would answer differently."""


@dataclass(frozen=True, slots=True)
class TileAnswers:
    """One tile, asked everything."""

    tile_id: str
    state: str
    """``ok`` (shown, or refused by rule), ``nodata`` or ``failed``."""
    valid_frac: float
    """Share of the core that has data."""
    answers: tuple[Answer, ...]
    """One per question, in order."""
    elapsed_ms: float | None = None
    """Its share of the batch's time in the model."""


def fingerprint(
    *,
    scene: Mapping[str, Any],
    plan: Mapping[str, Any],
    questions: Sequence[Question],
    info: ModelInfo,
    extra: Mapping[str, Any] | None = None,
) -> str:
    """Sixteen hex digits of everything that decides the answers of a run.

    Args:
        scene: Its provenance: href, etag, bands, stretch.
        plan: Grid, margin, GSD and area of interest.
        questions: As asked.
        info: The model; its sha256, or name and version where it has none.
        extra: What else decides, for example the least valid share.
    """
    facts = {
        "code": [rsvlm_geo.__version__, CODE_FORMAT],
        "scene": dict(scene),
        "plan": dict(plan),
        "questions": [
            [q.task, q.text, q.target, list(q.candidates) if q.candidates else None]
            for q in questions
        ],
        "model": [info.name, info.version, info.sha256, info.image_size],
        "thresholds": [dict(info.refuse_above), dict(info.min_confidence)],
        "extra": dict(extra or {}),
    }
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Store:
    """The finished tiles of one run.

    Args:
        root: Folder for the unfinished runs of one output.
        run_id: The fingerprint.
        resume: Take up what is there; else start over. ``auto``: if it is this run.

    Raises:
        ResumeError: Asked to resume, and only other runs are there.
        OutputError: The folder cannot be written.
    """

    def __init__(self, root: Path, run_id: str, *, resume: bool | Literal["auto"]) -> None:
        self.root, self.folder = root, root / run_id
        others = [p.name for p in root.iterdir() if p.is_dir()] if root.is_dir() else []
        if resume == "auto":
            resume = run_id in others
        if resume and others and run_id not in others:
            raise ResumeError(
                f"cannot resume in {root}: what is there is another run (scene, question, model "
                f"or grid differ); leave out --resume to start over"
            )
        try:
            if not resume and root.exists():
                shutil.rmtree(root)
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot keep finished tiles in {root}: {error.strerror or error}; "
                "choose another -o folder"
            ) from error
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def load(self, questions: Sequence[Question]) -> dict[str, TileAnswers]:
        """Tile id -> what it answered, from every process that wrote here."""
        done: dict[str, TileAnswers] = {}
        for path in sorted(self.folder.glob("tiles-*.jsonl")):
            for line in path.read_bytes().split(b"\n"):
                try:
                    tile = decode_tile(line, questions)
                except (ValueError, KeyError, TypeError):
                    continue  # torn by a crash: that tile is asked again
                done[tile.tile_id] = tile
        return done

    def add(self, tiles: Iterable[TileAnswers]) -> None:
        """Keep tiles; they survive this process as soon as this returns."""
        lines = b"".join(encode_tile(tile) for tile in tiles if tile.state != "failed")
        if not lines:
            return
        try:
            if self._file is None:
                taken = len(list(self.folder.glob("tiles-*.jsonl")))
                name = f"tiles-{taken:04d}-{os.getpid()}.jsonl"
                self._file = (self.folder / name).open("ab", buffering=0)
            self._file.write(lines)
        except OSError as error:
            raise OutputError(
                f"cannot keep finished tiles in {self.folder}: {error.strerror or error}; "
                "free some space, then run again with --resume"
            ) from error

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def remove(self) -> None:
        """The run is written: its parts are of no more use."""
        self.close()
        shutil.rmtree(self.root, ignore_errors=True)


def encode_tile(tile: TileAnswers) -> bytes:
    """One JSON line that :func:`decode_tile` reads back exactly."""
    row = {
        "t": tile.tile_id,
        "s": tile.state,
        "v": tile.valid_frac,
        "e": tile.elapsed_ms,
        "a": [
            {
                "s": a.status, "x": a.text, "v": a.value, "u": a.unit, "c": a.confidence,
                "r": a.reason, "l": list(a.labels),
                "b": None if a.boxes is None else a.boxes.tolist(),
                "p": None if a.scores is None else a.scores.tolist(),
            }
            for a in tile.answers
        ],
    }  # fmt: skip
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def decode_tile(line: bytes, questions: Sequence[Question]) -> TileAnswers:
    """A tile from its line; the questions are those it was asked, in order."""
    row: Mapping[str, Any] = json.loads(line)
    answers = tuple(
        Answer(
            tile_id=row["t"],
            task=question.task,
            question=question.text,
            status=a["s"],
            text=a["x"],
            value=a["v"],
            unit=a["u"],
            confidence=a["c"],
            reason=a["r"],
            labels=tuple(a["l"]),
            boxes=None if a["b"] is None else np.array(a["b"], dtype=np.float64).reshape(-1, 4),
            scores=None if a["p"] is None else np.array(a["p"], dtype=np.float64),
        )
        for question, a in zip(questions, row["a"], strict=True)
    )
    return TileAnswers(row["t"], row["s"], row["v"], answers, row["e"])
