"""``rsvlm-geo search`` and ``rsvlm-geo index``: find places by words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import geopandas as gpd

    from rsvlm_geo.retrieval import Found, SearchResult

__all__ = ["index", "search"]

_MODEL = click.option(
    "--model", default=None, help="Pack that can search; the one of the package by default."
)
_SCALES = click.option(
    "--scales", default="1,2", show_default=True,
    help="Tile sizes as multiples of the model's own, comma-separated.",
)  # fmt: skip


def _scales(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise click.UsageError(f"--scales takes numbers such as 1,2; got {text!r}") from None


@click.command()
@click.argument("scene")
@click.argument("text")
@_MODEL
@_SCALES
@click.option("-o", "--out", type=click.Path(path_type=Path), default=None,
              help="Write the heat map as a cloud-optimised GeoTIFF.")  # fmt: skip
@click.option("--tiles", type=click.Path(path_type=Path), default=None,
              help="Write the ranked tiles (.gpkg, .geojson or .parquet).")  # fmt: skip
@click.option("--index", "index_file", type=click.Path(path_type=Path), default=None,
              help="Index of this scene: read when it is there, else made and kept.")  # fmt: skip
@click.option("-k", "--top", default=10, show_default=True, type=click.IntRange(1))
@click.option("--bbox", default=None, help="west,south,east,north in degrees.")
@click.option("--json", "as_json", is_flag=True, help="Print the tiles as JSON.")
def search(
    scene: str, text: str, model: str | None, scales: str, out: Path | None, tiles: Path | None,
    index_file: Path | None, top: int, bbox: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Rank the tiles of SCENE by how well TEXT describes them, and map it.

    SCENE may also be the .parquet that `rsvlm-geo index` made of many scenes: its tiles are then
    ranked over all of them, without a heat map.
    """
    if scene.lower().endswith(".parquet"):
        if out is not None or index_file is not None or bbox is not None:
            raise click.UsageError(
                "an index of many scenes is searched without -o, --index and --bbox"
            )
        _search_collection(scene, text, model, tiles, top, as_json)
        return
    from rsvlm_geo.retrieval import searching
    from rsvlm_geo.scene import open_scene

    opened = open_scene(scene)
    aoi = bbox or None
    have = index_file if index_file is not None and index_file.is_file() else None
    found = searching.search(
        opened, text, model=model, index=have, k=top, scales=_scales(scales), aoi=aoi
    )
    if index_file is not None and have is None:
        found.index.write(index_file)
        click.echo(f"index: {index_file}", err=True)
    if out is not None:
        click.echo(f"heat map: {found.write(out)}", err=True)
    _tell(found, tiles, as_json)
    if found.failed:
        raise SystemExit(3)


def _search_collection(
    file: str, text: str, model: str | None, tiles: Path | None, top: int, as_json: bool
) -> None:
    from rsvlm_geo.retrieval.collection import Collection

    _tell(Collection(file, model).search(text, top), tiles, as_json)


def _tell(found: SearchResult | Found, tiles: Path | None, as_json: bool) -> None:
    if tiles is not None:
        _write_tiles(found.tiles, tiles)
        click.echo(f"tiles: {tiles}", err=True)
    if as_json:
        rows = json.loads(found.tiles.drop(columns="geometry").to_json(orient="records"))
        click.echo(json.dumps({"text": found.text, "tiles": rows, "notes": list(found.notes)}))
    else:
        click.echo(str(found))


def _write_tiles(frame: gpd.GeoDataFrame, path: Path) -> None:
    from rsvlm_geo.errors import OutputError

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if path.suffix == ".parquet":
            frame.to_parquet(path, index=False)
        elif path.suffix in (".geojson", ".json"):
            lonlat = frame.to_crs("OGC:CRS84") if frame.crs is not None else frame
            lonlat.to_file(path, driver="GeoJSON")
        elif path.suffix == ".gpkg":
            frame.to_file(path, driver="GPKG", layer="tiles")
        else:
            raise click.UsageError(f"--tiles takes .gpkg, .geojson or .parquet; got {path.suffix}")
    except OSError as error:
        raise OutputError(f"cannot write {path} ({error})") from error


@click.command()
@click.argument("scenes", nargs=-1, required=True)
@_MODEL
@_SCALES
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="GeoParquet file."
)
def index(scenes: tuple[str, ...], model: str | None, scales: str, out: Path) -> None:
    """Embed the tiles of SCENES into one index for later searches."""
    from rsvlm_geo.retrieval import TileIndex, index_scene, load_embedder
    from rsvlm_geo.retrieval.collection import join_indexes

    embedder = load_embedder(model)
    parts: list[TileIndex] = []
    failed = 0
    for name in scenes:
        made, lost = index_scene(name, embedder, scales=_scales(scales))
        parts.append(made)
        failed += lost
        click.echo(f"{name}: {len(made)} tiles", err=True)
    whole = join_indexes(parts)
    whole.write(out)
    click.echo(f"{out}: {len(whole)} tiles of {len(scenes)} scenes")
    if failed:
        click.echo(f"{failed} tiles could not be read", err=True)
        raise SystemExit(3)
