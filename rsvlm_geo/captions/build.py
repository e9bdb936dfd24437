"""Build a captioned set: one record an image, resumable, every image accounted for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
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
from rsvlm_geo.captions.records import Accounts, Caption, Record, read_records, resume
from rsvlm_geo.captions.rules import fuse_by_rule, rule_captions, rule_text
from rsvlm_geo.errors import DataError, EndpointError, OutputError

__all__ = ["Accounts", "Caption", "Record", "build", "caption_image", "read_records"]

RULE = "rule"
FALLBACK_LIMIT = 5
"""So many images in a row without any answer, and the endpoint is called down."""


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
    annotated = _annotated(image)
    counts = rejected if rejected is not None else Counter()
    made: list[Caption] = []
    checks: list[Check] = []

    def add(text: str, kind: str, by: str, prompt: str = "", instead_of: str = "") -> None:
        check = _check(text, facts, truth, annotated=annotated)
        checks.append(check)
        made.append(
            Caption(text, kind, by, prompt, check.kept, check.facts, check.invented, instead_of)
        )

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


def _annotated(image: AnnotatedImage) -> bool:
    """Whether anything is known that a caption could contradict."""
    return bool(image.boxes or image.labels or image.scene or image.complete)


def _check(text: str, facts: Sequence[Fact], truth: frozenset[str], *, annotated: bool) -> Check:
    """Of an image of which nothing is known, nothing that is said can be called invented."""
    check = check_caption(text, facts, truth)
    return check if annotated else replace(check, invented=())


def _phrase(fact: Fact) -> str:
    return f"{fact.kind} {fact.subject}: {fact.phrase}" if fact.subject else fact.phrase


def _fingerprint(style: str, writer: Writer | None, merger: Writer | None) -> str:
    said = [style, writer.name if writer else RULE, merger.name if merger else RULE, CAPTION]
    return sha256(json.dumps([*said, PERSPECTIVE]).encode()).hexdigest()[:16]


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
        done = resume(file, about, fingerprint)
        before = _spent(folder) if done else {}
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
        _finish(folder, accounts, report, writer, merger, before)
    except OSError as error:
        if isinstance(error, EndpointError):
            raise
        raise OutputError(f"cannot write captions to {folder} ({error})") from error
    if down is not None:
        raise down
    return accounts, report


def _run(
    images: Iterable[AnnotatedImage], done: Mapping[str, Sequence[Caption]],
    write: Callable[[str], Any], accounts: Accounts, report: FactReport, style: str,
    writer: Writer | None, merger: Writer | None, filters: FilterSettings | None,
    progress: Callable[[int, int], None] | None,
) -> EndpointError | None:  # fmt: skip
    silent = 0
    for image in images:
        kept = done.get(f"{image.dataset}/{image.id}")
        if kept is not None:
            accounts.resumed += 1
            facts, truth, known = facts_of(image), truth_of(image), _annotated(image)
            checks = [_check(c.text, facts, truth, annotated=known) for c in kept]
            _count(accounts, report, kept, checks)
            accounts.rejected.update(c.instead_of for c in kept if c.instead_of)
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
        _count(accounts, report, record.captions, checks)
        if progress is not None and accounts.done % 50 == 0:
            progress(accounts.done + accounts.resumed, accounts.asked)
    return None


def _count(
    accounts: Accounts, report: FactReport, captions: Sequence[Caption], checks: Sequence[Check]
) -> None:
    accounts.bare += not captions
    for caption, check in zip(captions, checks, strict=True):
        accounts.captions[f"{caption.kind} by {caption.by}"] += 1
        report.add(caption.kind, check)


def _spent(folder: Path) -> dict[str, dict[str, float]]:
    """What earlier runs of the folder asked of endpoints; a killed run has left no count."""
    try:
        told = json.loads((folder / "accounts.json").read_text(encoding="utf-8"))
        return {role: dict(told[role]) for role in ("writer", "merger") if role in told}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _finish(
    folder: Path, accounts: Accounts, report: FactReport, writer: Writer | None,
    merger: Writer | None, before: Mapping[str, Mapping[str, float]],
) -> None:  # fmt: skip
    told = accounts.as_dict()
    for role, who in (("writer", writer), ("merger", merger)):
        counts = getattr(who, "counts", None)
        if counts is not None:
            told[role] = {k: v + before.get(role, {}).get(k, 0) for k, v in counts().items()}
    (folder / "accounts.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    (folder / "facts.json").write_text(json.dumps(report.as_dict(), indent=1), encoding="utf-8")
