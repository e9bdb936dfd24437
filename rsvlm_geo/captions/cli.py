"""``rsvlm-geo captions``: build a captioned set, check it, thin it out, and export it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rsvlm_geo.annotated import AnnotatedImage
    from rsvlm_geo.captions.backends import Writer

__all__ = ["captions"]


@click.group()
def captions() -> None:
    """Captions of many images, with provenance and their facts checked."""


_FORMATS = click.option(
    "--format", "formats", multiple=True,
    type=click.Choice(["open_clip", "webdataset", "llava", "rsicd", "croissant"]),
    help="Also write the set in this format; may be given more than once.",
)  # fmt: skip


def _common(function: Any) -> Any:
    options = [
        click.argument("sources", nargs=-1, required=True,
                       type=click.Path(exists=True, path_type=Path)),
        click.option("--images", multiple=True,
                     type=click.Path(exists=True, file_okay=False, path_type=Path),
                     help="Folder of the images, one for each of SOURCES; beside them by default."),
        click.option("--out", required=True, type=click.Path(path_type=Path),
                     help="Folder to write to."),
        click.option("--licence", multiple=True,
                     help="Of the images: once for all SOURCES, or once for each."),
        click.option("--same", multiple=True, help="CLASS=CLASS: the first counts as the second."),
        click.option("--split", default=None, help="Only images of this split."),
        click.option("--limit", type=click.IntRange(1), default=None,
                     help="At most so many images of each of SOURCES, evenly drawn."),
        click.option("--name", default="captions", show_default=True),
        click.option("--mixed-licences", is_flag=True,
                     help="Let images of several licences into one output."),
        click.option("--max-words", default=160, show_default=True,
                     help="Longer texts of a model are not taken."),
        click.option("--per-minute", type=float, default=None,
                     help="Requests a minute at an endpoint."),
        click.option("--max-cost", type=float, default=None, help="Stop an endpoint there."),
        click.option("--price", nargs=2, type=float, default=(0.0, 0.0), show_default=True,
                     help="Of an endpoint: per million tokens in, and out."),
        click.option("--max-requests", type=int, default=None),
        click.option("--timeout", default=60.0, show_default=True, help="Seconds a request."),
        _FORMATS,
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


@captions.command()
@_common
@click.option("--model", default=None, help="Pack, or http(s)://host/v1#model, that sees images.")
@click.option("--merge", default=None, help="http(s)://host/v1#model that joins the texts.")
def mpgi(model: str | None, merge: str | None, **options: Any) -> None:
    """Six captions an image from annotated SOURCES, by rule and, with --model, by a model."""
    _build("mpgi", model, merge, options)


@captions.command()
@_common
@click.option("--model", default=None, help="Pack or endpoint; the embedded pack by default.")
def versad(model: str | None, **options: Any) -> None:
    """One detailed caption an image by a model, from SOURCES with or without annotations."""
    _build("versad", model or "", None, options)


def _writer(name: str | None, options: dict[str, Any], *, sees: bool) -> Writer | None:
    if name is None:
        return None
    from rsvlm_geo.captions.backends import Endpoint, Limits, LocalWriter

    if name.startswith(("http://", "https://")):
        limits = Limits(
            per_minute=options["per_minute"], max_requests=options["max_requests"],
            max_cost=options["max_cost"], price_in=options["price"][0],
            price_out=options["price"][1], timeout_s=options["timeout"],
        )  # fmt: skip
        return Endpoint(name, limits, sees=sees)
    from rsvlm_geo.model import load_model

    return LocalWriter(load_model(name or None))


def _read(options: dict[str, Any]) -> tuple[list[AnnotatedImage], dict[str, int]]:
    from rsvlm_geo.annotated import Skipped, merge_annotated, read_annotated

    sources, images, licence = options["sources"], options["images"], options["licence"]
    if images and len(images) != len(sources):
        raise click.UsageError(f"{len(sources)} sources need as many --images; got {len(images)}")
    if len(licence) > 1 and len(licence) != len(sources):
        raise click.UsageError(f"give --licence once, or once for each of {len(sources)} sources")
    if any("=" not in pair for pair in options["same"]):
        raise click.UsageError("--same is CLASS=CLASS, as in --same bus=car")
    skipped = Skipped()
    rows = []
    for i, source in enumerate(sources):
        read = read_annotated(
            source, images[i] if images else None, skipped=skipped,
            licence=licence[i % len(licence)] if licence else "",
            aliases=dict(pair.split("=", 1) for pair in options["same"]),
        )  # fmt: skip
        limit = options["limit"]
        if limit is not None and len(read) > limit:
            read = [read[round(j * (len(read) - 1) / max(limit - 1, 1))] for j in range(limit)]
        rows += read
    rows = merge_annotated(rows)
    if options["split"] is not None:
        rows = [r for r in rows if r.split == options["split"]]
    return rows, skipped.summary()


def _build(style: str, model: str | None, merge: str | None, options: dict[str, Any]) -> None:
    from rsvlm_geo.captions.build import build, read_records
    from rsvlm_geo.captions.filters import FilterSettings
    from rsvlm_geo.captions.write import write_format

    rows, skipped = _read(options)
    if not rows:
        raise click.ClickException("no image to caption")
    for why, n in skipped.items():
        click.echo(f"left out {n} boxes: {why}", err=True)
    out: Path = options["out"]
    accounts, report = build(
        rows, out, style=style, writer=_writer(model, options, sees=True),
        merger=_writer(merge, options, sees=False), name=options["name"],
        filters=FilterSettings(max_words=options["max_words"]),
        mixed_licences=options["mixed_licences"],
    )  # fmt: skip
    click.echo(f"{out / 'captions.jsonl'}: {accounts}")
    if report.rows:
        click.echo(str(report))
    for kind in options["formats"]:
        for path in write_format(kind, read_records(out), out, name=options["name"]):
            click.echo(f"{kind}: {path}")
    if accounts.failed or accounts.pending:
        raise SystemExit(3)


@captions.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--format", "kind", required=True,
    type=click.Choice(["open_clip", "webdataset", "llava", "rsicd", "croissant"]),
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), default=None, help="FOLDER by default.")
@click.option("--name", default="captions", show_default=True)
def export(folder: Path, kind: str, out: Path | None, name: str) -> None:
    """Write the set in FOLDER in another format."""
    from rsvlm_geo.captions.build import read_records
    from rsvlm_geo.captions.write import write_format

    for path in write_format(kind, read_records(folder), out or folder, name=name):
        click.echo(str(path))


@captions.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--against", multiple=True, type=click.Path(exists=True, path_type=Path),
    help="Folder of a benchmark the set must not leak into; may be given more than once.",
)  # fmt: skip
@click.option("--threshold", default=0.97, show_default=True, help="Cosine of thumbnails.")
@click.option("--remove", is_flag=True, help="Write captions.jsonl anew without them.")
def dedup(folder: Path, against: tuple[Path, ...], threshold: float, remove: bool) -> None:
    """List (and remove) near-duplicate images of the set in FOLDER, and leaks into benchmarks."""
    from rsvlm_geo.captions import dedup as d
    from rsvlm_geo.captions.build import read_records

    records = list(read_records(folder))
    vectors = d.embed_thumbnails([Path(r.file) for r in records])
    rows, gone = [], set()
    for pair in d.find_duplicates(vectors, threshold):
        gone.add(pair.second)
        rows.append(("duplicate", records[pair.first].file, records[pair.second].file,
                     pair.similarity))  # fmt: skip
    for place in against:
        files = d.image_files(place)
        for pair in d.find_leaks(vectors, d.embed_thumbnails(files), threshold) if files else ():
            gone.add(pair.second)
            rows.append(("leak", str(files[pair.first]), records[pair.second].file,
                         pair.similarity))  # fmt: skip
    path = folder / "duplicates.jsonl"
    path.write_text(
        "".join(
            json.dumps({"why": w, "of": a, "image": b, "similarity": round(s, 4)}) + "\n"
            for w, a, b, s in rows
        ),
        encoding="utf-8",
    )
    leaks = sum(r[0] == "leak" for r in rows)
    click.echo(f"{len(records)} images: {len(rows) - leaks} near-duplicates, {leaks} leaks; {path}")
    if remove and gone:
        part = folder / "captions.jsonl.part"
        kept = [r for i, r in enumerate(records) if i not in gone]
        part.write_text(
            "".join(json.dumps(r.as_dict(), ensure_ascii=False) + "\n" for r in kept),
            encoding="utf-8",
        )
        part.replace(folder / "captions.jsonl")
        click.echo(f"{len(kept)} images are left")


@captions.command()
@click.argument("scenes", nargs=-1, required=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write to.")
@click.option("--size", default=256, show_default=True, type=click.IntRange(32))
@click.option("--gsd", type=float, default=None, help="Metres per pixel; the scene's by default.")
@click.option("--vectors", type=click.Path(exists=True, path_type=Path), default=None,
              help="Features to make boxes of.")  # fmt: skip
@click.option("--class-column", default=None, help="Attribute that names a feature's class.")
@click.option("--class-name", default=None, help="Class of features without one.")
@click.option("--licence", default="", help="Of the imagery.")
def tiles(
    scenes: tuple[str, ...], out: Path, size: int, gsd: float | None, vectors: Path | None,
    class_column: str | None, class_name: str | None, licence: str,
) -> None:  # fmt: skip
    """Cut SCENES into images with boxes, a source for the other commands."""
    from rsvlm_geo.captions.tiles import cut_tiles

    for scene in scenes:
        path = cut_tiles(
            scene, out, size_px=size, gsd_m=gsd, vectors=vectors, class_column=class_column,
            default_class=class_name, licence=licence,
        )  # fmt: skip
        click.echo(str(path))
