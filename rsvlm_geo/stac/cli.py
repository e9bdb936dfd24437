"""``rsvlm-geo stac``: search an API or catalogue; validate documents."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from rsvlm_geo.errors import RsvlmError

__all__ = ["stac"]


@click.group()
def stac() -> None:
    """Search STAC APIs and catalogues; check STAC documents."""


def search_options(command: Any) -> Any:
    """The options that say what to search for, shared with ``batch``."""
    for option in reversed(
        [
            click.option("-c", "--collection", "collections", multiple=True, help="Collection id."),
            click.option("--bbox", metavar="W,S,E,N", help="Degrees; west > east crosses 180."),
            click.option("--datetime", "datetime_", metavar="T", help="2024-06-01/2024-06-30."),
            click.option(
                "--intersects", type=click.Path(exists=True), help="GeoJSON geometry or feature."
            ),
            click.option("--filter", "filter_", metavar="CQL2", help="Text, or JSON."),
            click.option("--ids", metavar="A,B", help="Item ids."),
            click.option(
                "--max-items", type=int, default=10_000, show_default=True,
                help="More matches are an error; 0 takes all.",
            ),
            click.option("--signer", metavar="S", help="planetary-computer, sas:URL, bearer:ENV, "
                         "requester-pays, gdal:K=V, module:name."),
        ]
    ):  # fmt: skip
        command = option(command)
    return command


def make_query(
    collections: tuple[str, ...],
    bbox: str | None,
    datetime_: str | None,
    intersects: str | None,
    filter_: str | None,
    ids: str | None,
    max_items: int,
) -> Any:
    """The options as a :class:`rsvlm_geo.stac.SearchQuery`."""
    from rsvlm_geo.errors import StacError
    from rsvlm_geo.stac.query import SearchQuery

    box: Any = None
    if bbox is not None:
        try:
            box = tuple(float(v) for v in bbox.replace(" ", ",").split(",") if v)
        except ValueError:
            raise StacError(
                f"bbox takes four numbers west,south,east,north; got {bbox!r}"
            ) from None
    shape = None
    if intersects is not None:
        shape = json.loads(Path(intersects).read_text("utf-8"))
        while shape.get("type") in ("Feature", "FeatureCollection"):
            shape = shape["geometry"] if shape["type"] == "Feature" else shape["features"][0]
    text: Any = filter_
    if filter_ is not None and filter_.lstrip().startswith("{"):
        text = json.loads(filter_)
    return SearchQuery(
        collections=tuple(collections),
        bbox=box,
        datetime=datetime_,
        intersects=shape,
        filter=text,
        ids=tuple(v.strip() for v in ids.split(",") if v.strip()) if ids else (),
        max_items=max_items,
    )


@stac.command()
@click.argument("url")
@search_options
@click.option("-o", "--output", type=click.Path(), help="File; standard output by default.")
@click.option("--ndjson", is_flag=True, help="One Item a line instead of an ItemCollection.")
def search(url: str, output: str | None, ndjson: bool, signer: str | None, **options: Any) -> None:
    """Find Items at URL (an API, a catalogue, a path); ItemCollection on standard output."""
    from rsvlm_geo.stac.searching import search as find

    try:
        items = [dict(item.data) for item in find(url, make_query(**options), signer=signer)]
        if ndjson:
            text = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
        else:
            whole = {"type": "FeatureCollection", "features": items}
            text = json.dumps(whole, ensure_ascii=False) + "\n"
        if output is None:
            click.echo(text, nl=False)
        else:
            Path(output).write_text(text, encoding="utf-8")
    except (RsvlmError, OSError, ValueError) as error:
        _fail(error)
    click.echo(f"{len(items)} items", err=True)


@stac.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True))
def validate(paths: tuple[str, ...]) -> None:
    """Check Items and Collections, without a network."""
    from rsvlm_geo.stac.validation import validate as check

    bad = 0
    for path in paths:
        try:
            check(json.loads(Path(path).read_text("utf-8")))
            click.echo(f"{path}: valid")
        except (RsvlmError, ValueError) as error:
            bad += 1
            click.echo(f"{path}: {error}", err=True)
    if bad:
        sys.exit(1)


def _fail(error: Exception) -> None:
    click.echo(f"error: {' '.join(str(error).split())}", err=True)
    sys.exit(1)
