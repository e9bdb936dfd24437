"""Build a captioned set: one record an image, resumable, every image accounted for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from rsvlm_geo.annotated import AnnotatedImage
from rsvlm_geo.captions.backends import BudgetReached, Writer
from rsvlm_geo.captions.check import Check, FactReport, check_caption
from rsvlm_geo.captions.facts import Fact, facts_of, truth_of
from rsvlm_geo.captions.filters import FilterSettings, why_rejected
from rsvlm_geo.captions.prompts import (
    CAPTION,
    PERSPECTIVE,
    merge_prompt,
    prompt_hash,
    relay_prompt,
)
from rsvlm_geo.captions.rules import fuse_by_rule, rule_captions, rule_text
from rsvlm_geo.errors import DataError, EndpointError, OutputError, ResumeError

__all__ = ["Accounts", "Caption", "Record", "build", "caption_image", "read_records"]

RULE = "rule"
FALLBACK_LIMIT = 5
"""So many images in a row without any answer, and the endpoint is called down."""


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
    """``kind by`` -> captions."""
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
            "rejected": dict(self.rejected), "captions": dict(self.captions),
            "stopped": self.stopped,
        }  # fmt: skip

    def __str__(self) -> str:
        said = (
            f"{self.asked} images: {self.done} captioned, {self.resumed} from before, "
            f"{len(self.failed)} failed, {len(self.skipped)} of which nothing is known, "
            f"{self.pending} not reached"
        )
        if self.rejected:
            why = ", ".join(f"{n} {r}" for r, n in self.rejected.most_common())
            said += f"; texts not taken: {why}"
        return said + (f"; stopped: {self.stopped}" if self.stopped else "")


def caption_image(
    image: AnnotatedImage,
    writer: Writer | None = None,
    merger: Writer | None = None,
    *,
    style: str = "mpgi",
    filters: FilterSettings | None = None,
    rejected: Counter[str] | None = None,
) -> tuple[Record, list[Check]]:
    """Caption one image.

    ``mpgi`` gives six captions. By rule alone: five perspectives and their fusion. With a writer
    that follows prompts: the relay of the rules' text, four perspectives, and the fusion; one that
    only captions adds its caption in place of the relations. A text that a filter rejects is
    replaced by the rules' own, and says so. The fusion is the merger's where there is one and
    every fact survives it, else the rules'. ``versad`` gives the writer's one caption.

    Args:
        image: With what is known of it.
        writer: Sees the image.
        merger: Joins the texts; need not see.
        style: ``mpgi`` or ``versad``.
        filters: Limits of what is taken.
        rejected: Counts the reasons.

    Returns:
        The record, and one check a caption.

    Raises:
        EndpointError: The writer is silent; nothing of the image is kept then.
    """
    facts, truth = facts_of(image), truth_of(image)
    annotated = bool(image.boxes or image.labels or image.scene or image.complete)
    counts = rejected if rejected is not None else Counter()
    made: list[Caption] = []
    checks: list[Check] = []

    def add(text: str, kind: str, by: str, prompt: str = "", instead_of: str = "") -> None:
        check = check_caption(text, facts, truth)
        checks.append(check)
        invented = check.invented if annotated else ()
        made.append(Caption(text, kind, by, prompt, check.kept, check.facts, invented, instead_of))

    def ask(
        who: Writer, prompt: str, kind: str, instead: str | None, limits: FilterSettings | None
    ) -> None:
        text = " ".join(who.write(prompt, image.path if who.sees else None).split())
        why = why_rejected(text, facts, truth, limits, annotated=annotated)
        if why is None:
            add(text, kind, who.name, prompt_hash(prompt))
            return
        counts[why] += 1
        if instead is not None:
            add(instead, kind, RULE, instead_of=why)

    if style == "versad":
        if writer is None:
            raise DataError("captions from the image alone need a model; pass --model")
        ask(writer, CAPTION, "caption", None, filters)
    else:
        by_rule = rule_captions(image, facts)
        if writer is None:
            for kind, text in by_rule.items():
                add(text, kind, RULE)
        elif writer.follows:
            said = rule_text(image, facts)
            ask(writer, relay_prompt(said), "relay", said, filters)
            for kind, prompt in PERSPECTIVE.items():
                ask(writer, prompt, kind, by_rule[kind], filters)
        else:
            ask(writer, CAPTION, "model", by_rule["relations"], filters)
            for kind in PERSPECTIVE:
                add(by_rule[kind], kind, RULE)
        fused = fuse_by_rule(image, facts)
        if merger is None:
            add(fused, "fused", RULE)
        else:
            strict = FilterSettings(min_kept_facts=1.0)
            prompt = merge_prompt([c.text for c in made], [f.phrase for f in facts])
            ask(merger, prompt, "fused", fused, strict)
    phrases = tuple(_phrase(f) for f in facts)
    record = Record(
        image.id, str(image.path.resolve()), image.size, image.dataset, image.split, image.licence,
        tuple(made), phrases,
    )  # fmt: skip
    return record, checks


def _phrase(fact: Fact) -> str:
    return f"{fact.kind} {fact.subject}: {fact.phrase}" if fact.subject else fact.phrase


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


def _fingerprint(style: str, writer: Writer | None, merger: Writer | None) -> str:
    said = [style, writer.name if writer else RULE, merger.name if merger else RULE, CAPTION]
    return sha256(json.dumps([*said, PERSPECTIVE]).encode()).hexdigest()[:16]


def _resume(file: Path, about: Path, fingerprint: str) -> set[str]:
    """Ids that are done; a line cut off by a crash is removed."""
    if not file.is_file():
        return set()
    try:
        told = json.loads(about.read_text(encoding="utf-8")).get("fingerprint")
    except (OSError, ValueError):
        told = None
    if told != fingerprint:
        raise ResumeError(
            f"{file} was made with another style, model or prompt; take another --out folder"
        )
    done: set[str] = set()
    good: list[str] = []
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    for i, line in enumerate(lines):
        try:
            row = json.loads(line)
            if not line.endswith("\n"):
                raise ValueError("cut off")
        except ValueError as error:
            if i == len(lines) - 1:
                break
            raise ResumeError(f"line {i + 1} of {file} is damaged ({error})") from error
        done.add(f"{row['dataset']}/{row['id']}")
        good.append(line)
    if len(good) < len(lines):
        part = file.with_suffix(".jsonl.part")
        part.write_text("".join(good), encoding="utf-8")
        part.replace(file)
    return done


def build(
    images: Sequence[AnnotatedImage],
    out: str | Path,
    *,
    style: str = "mpgi",
    writer: Writer | None = None,
    merger: Writer | None = None,
    filters: FilterSettings | None = None,
    mixed_licences: bool = False,
    name: str = "captions",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Accounts, FactReport]:
    """Caption many images into ``<out>/captions.jsonl``, with ``accounts.json`` and ``facts.json``.

    Runs again where it stopped. An image whose captions fail is listed and the others go on; when
    a budget is reached, or the endpoint is down, what was made is kept and the rest is pending.

    Args:
        images: What to caption.
        out: Folder.
        style: ``mpgi`` or ``versad``.
        writer, merger: As in :func:`caption_image`.
        filters: Limits of what is taken.
        mixed_licences: Let images of several licences into one output.
        name: Of the set.
        progress: Called with ``(done, all)``.

    Raises:
        DataError: Several licences, or two images of one name in one set.
        ResumeError: The folder holds another run.
        EndpointError: The endpoint is down; what was made is kept.
        OutputError: The folder cannot be written to.
    """
    licences = sorted({image.licence or "not stated" for image in images})
    if len(licences) > 1 and not mixed_licences:
        raise DataError(
            f"images of {len(licences)} licences in one output ({'; '.join(licences)}); make one "
            "output each, or pass --mixed-licences"
        )
    ids = Counter(f"{image.dataset}/{image.id}" for image in images)
    twice = [key for key, n in ids.items() if n > 1]
    if twice:
        raise DataError(f"{len(twice)} names occur twice, {twice[0]} among them; merge them first")
    folder = Path(out).expanduser()
    file, about = folder / "captions.jsonl", folder / "about.json"
    fingerprint = _fingerprint(style, writer, merger)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        done = _resume(file, about, fingerprint)
        about.write_text(json.dumps({
            "name": name, "style": style, "fingerprint": fingerprint, "licences": licences,
            "writer": writer.name if writer else RULE, "merger": merger.name if merger else RULE,
        }, indent=1), encoding="utf-8")  # fmt: skip
        accounts = Accounts(asked=len(images))
        report = FactReport()
        down: EndpointError | None = None
        with file.open("a", encoding="utf-8") as lines:
            try:
                down = _run(
                    images, done, lines.write, accounts, report, style, writer, merger, filters,
                    progress,
                )  # fmt: skip
            except KeyboardInterrupt:
                accounts.stopped = "interrupted"
        _finish(folder, accounts, report, writer, merger)
    except OSError as error:
        if isinstance(error, EndpointError):
            raise
        raise OutputError(f"cannot write captions to {folder} ({error})") from error
    if down is not None:
        raise down
    return accounts, report


def _run(
    images: Iterable[AnnotatedImage], done: set[str], write: Callable[[str], Any],
    accounts: Accounts, report: FactReport, style: str, writer: Writer | None,
    merger: Writer | None, filters: FilterSettings | None,
    progress: Callable[[int, int], None] | None,
) -> EndpointError | None:  # fmt: skip
    silent = 0
    for image in images:
        if f"{image.dataset}/{image.id}" in done:
            accounts.resumed += 1
            continue
        if writer is None and not (image.boxes or image.labels or image.scene):
            accounts.skipped.append((f"{image.dataset}/{image.id}", "nothing is known of it"))
            continue
        try:
            record, checks = caption_image(
                image, writer, merger, style=style, filters=filters, rejected=accounts.rejected
            )
        except BudgetReached as error:
            accounts.stopped = str(error)
            return None
        except EndpointError as error:
            accounts.failed.append((f"{image.dataset}/{image.id}", str(error)))
            silent += 1
            if silent >= FALLBACK_LIMIT:
                accounts.stopped = f"no answer for {silent} images in a row"
                return error
            continue
        silent = 0
        write(json.dumps(record.as_dict(), ensure_ascii=False) + "\n")
        accounts.done += 1
        for caption, check in zip(record.captions, checks, strict=True):
            accounts.captions[f"{caption.kind} by {caption.by}"] += 1
            report.add(caption.kind, check)
        if progress is not None and accounts.done % 50 == 0:
            progress(accounts.done + accounts.resumed, accounts.asked)
    return None


def _finish(
    folder: Path, accounts: Accounts, report: FactReport, writer: Writer | None,
    merger: Writer | None,
) -> None:  # fmt: skip
    told = accounts.as_dict()
    for role, who in (("writer", writer), ("merger", merger)):
        counts = getattr(who, "counts", None)
        if counts is not None:
            told[role] = counts()
    (folder / "accounts.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    (folder / "facts.json").write_text(json.dumps(report.as_dict(), indent=1), encoding="utf-8")
