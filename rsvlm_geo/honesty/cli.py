"""``rsvlm-geo questions``: make honest questions from boxes, and check a set of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rsvlm_geo.annotated import AnnotatedImage

__all__ = ["questions"]


@click.group()
def questions() -> None:
    """Honest questions (presence, colour, position) from annotated images."""


_SOURCE = click.argument("annotations", type=click.Path(exists=True, path_type=Path), nargs=-1)
_IMAGES = click.option(
    "--images", type=click.Path(exists=True, file_okay=False, path_type=Path), multiple=True,
    help="Folder of the images, one for each ANNOTATIONS; beside them by default.",
)  # fmt: skip
_CLASSES = click.option("--classes", help="Comma-separated classes to keep; all by default.")
_COMPLETE = click.option(
    "--complete", multiple=True,
    help="Classes of which every object is boxed (or none is there), once for all ANNOTATIONS or "
    "once for each; all that occur in a file by default.",
)  # fmt: skip
_SAME = click.option("--same", multiple=True, help="CLASS=CLASS: the first counts as the second.")


@questions.command()
@_SOURCE
@_IMAGES
@_CLASSES
@_COMPLETE
@_SAME
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write to.")
@click.option("--name", default="set", show_default=True, help="Name in the evaluation files.")
@click.option("--seed", default=0, show_default=True)
@click.option("--per-image", default=3, show_default=True, type=click.IntRange(1))
@click.option("--licence", default="", help="Of the images; written beside the questions.")
@click.option("--split", default=None, help="Only images of this split.")
def make(
    annotations: tuple[Path, ...], images: tuple[Path, ...], classes: str | None,
    complete: tuple[str, ...], same: tuple[str, ...], out: Path, name: str, seed: int,
    per_image: int, licence: str, split: str | None,
) -> None:  # fmt: skip
    """Make questions from ANNOTATIONS (.jsonl, COCO .json, folders of DOTA .txt or VOC .xml)."""
    from dataclasses import asdict

    from rsvlm_geo.honesty import Settings, check_questions, generate_questions, write_questions

    rows, skipped = _read(annotations, images, classes, complete, same, licence)
    rows = [r for r in rows if split is None or r.split == split]
    settings = Settings(seed=seed, per_image=per_image)
    made = list(generate_questions(rows, settings))
    if not made:
        raise click.ClickException("no question can be made: no class is boxed, or known absent")
    told = {**asdict(settings), "split": split}
    path = write_questions(made, rows, out, name=name, settings=told)
    report = check_questions(made, rows)
    (out / "check.json").write_text(json.dumps(report.as_dict(), indent=1), encoding="utf-8")
    for why, n in skipped.items():
        click.echo(f"left out {n} boxes: {why}", err=True)
    click.echo(f"{path}: {report}")
    if not report.holds:
        raise click.ClickException("an invariant does not hold; see check.json")


@questions.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@_SOURCE
@_IMAGES
@_CLASSES
@_COMPLETE
@_SAME
def check(
    folder: Path, annotations: tuple[Path, ...], images: tuple[Path, ...], classes: str | None,
    complete: tuple[str, ...], same: tuple[str, ...],
) -> None:  # fmt: skip
    """Check the questions in FOLDER against the ANNOTATIONS they were made from."""
    from rsvlm_geo.honesty import check_questions, read_questions

    rows, _ = _read(annotations, images, classes, complete, same, "")
    split = _split_of(folder)
    rows = [r for r in rows if split is None or r.split == split]
    report = check_questions(read_questions(folder), rows)
    click.echo(str(report))
    if not report.holds:
        raise click.ClickException(f"{len(report.broken)} invariants do not hold")


def _split_of(folder: Path) -> str | None:
    """The split the questions were made of: what is frequent is counted over it alone."""
    about = (folder if folder.is_dir() else folder.parent) / "about.json"
    try:
        split = json.loads(about.read_text(encoding="utf-8"))["settings"].get("split")
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return None if split is None else str(split)


def _read(
    annotations: tuple[Path, ...], images: tuple[Path, ...], classes: str | None,
    complete: tuple[str, ...], same: tuple[str, ...], licence: str,
) -> tuple[list[AnnotatedImage], dict[str, int]]:  # fmt: skip
    from rsvlm_geo.annotated import Skipped, read_annotated

    if not annotations:
        raise click.UsageError("name at least one file or folder of annotations")
    if images and len(images) != len(annotations):
        raise click.UsageError(
            f"{len(annotations)} annotations need as many --images; got {len(images)}"
        )
    if len(complete) > 1 and len(complete) != len(annotations):
        raise click.UsageError(
            f"give --complete once, or once for each of {len(annotations)} annotations"
        )
    if any("=" not in pair for pair in same):
        raise click.UsageError("--same is CLASS=CLASS, as in --same bus=car")
    skipped = Skipped()
    rows = []
    for i, source in enumerate(annotations):
        rows += read_annotated(
            source, images[i] if images else None, licence=licence, skipped=skipped,
            classes=classes.split(",") if classes else None,
            complete=complete[i % len(complete)].split(",") if complete else None,
            aliases=dict(pair.split("=", 1) for pair in same),
        )  # fmt: skip
    return rows, skipped.summary()
