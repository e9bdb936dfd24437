"""Write a run's layers, all or nothing, in the format that the file's suffix names."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import geopandas as gpd
import pyarrow.parquet as pq
import pyogrio
import shapely
from pyogrio.errors import DataSourceError

from rsvlm_geo.errors import OutputError
from rsvlm_geo.georef import place
from rsvlm_geo.layers.foreign import foreign_layers
from rsvlm_geo.layers.geopackage import write_geopackage
from rsvlm_geo.layers.tables import Layers

__all__ = [
    "SUFFIXES",
    "check_not_read",
    "check_outputs",
    "output_files",
    "replace_with",
    "to_lonlat",
    "write_layers",
]

SUFFIXES = (".gpkg", ".parquet", ".fgb", ".geojson")
ROW_GROUP = 50_000


def check_outputs(paths: Sequence[Path], *, also: Sequence[str] = ()) -> None:
    """Say early that a path cannot be written, before hours of work.

    Args:
        paths: Where results will go.
        also: Suffixes that someone else writes, ``.png``.

    Raises:
        OutputError: Unknown suffix, no such folder, not writable, or somebody's own layers.
    """
    for path in paths:
        suffix = path.suffix.lower()
        if suffix not in (*SUFFIXES, *also):
            known = ", ".join((*SUFFIXES, *also))
            raise OutputError(f"cannot write {path.name!r}: the suffix names the format; {known}")
        folder = path.parent
        if not folder.is_dir():
            raise OutputError(f"cannot write {path}: no folder {folder}; create it first")
        if path.is_dir():
            raise OutputError(f"cannot write {path}: it is a folder; give a file name")
        for target in _may_write(path):
            theirs = foreign_layers(target)
            if theirs:
                raise OutputError(
                    f"cannot write {target}: it holds layers that rsvlm-geo did not write "
                    f"({', '.join(theirs)}); give another -o path, or move it away"
                )
        probe = folder / f".{path.name}.{uuid.uuid4().hex[:8]}.part"
        try:
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise OutputError(
                f"cannot write {path}: {error.strerror or error}; choose a folder you may write to"
            ) from error


def check_not_read(paths: Sequence[Path], sources: Iterable[str | os.PathLike[str]]) -> None:
    """Say that an output would replace what the run reads.

    Args:
        paths: Where results will go.
        sources: Files of the scene and of its area; URLs and files that are not there do no harm.

    Raises:
        OutputError: They are one file, whatever way it is spelled or linked.
    """
    read = [Path(source) for source in sources if os.path.exists(source)]  # noqa: PTH110
    for path in paths:
        for target in _may_write(path):
            if target.exists() and any(target.samefile(source) for source in read):
                raise OutputError(f"cannot write {target}: the run reads it; give another -o path")


def _may_write(path: Path) -> list[Path]:
    """The path, and what may be written beside it."""
    if path.suffix.lower() in _WRITERS:
        return [path, _beside(path)]
    return [path]


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}.objects{path.suffix}")


def output_files(layers: Layers, path: Path) -> list[Path]:
    """The files that writing to ``path`` makes.

    A GeoPackage holds every layer. The other formats hold one each: the answers under the name
    given, the objects beside it as ``name.objects.suffix``.
    """
    if path.suffix.lower() == ".gpkg" or layers.objects is None:
        return [path]
    return [path, _beside(path)]


def write_layers(layers: Layers, path: Path) -> list[Path]:
    """Write the layers; what was there is replaced only when all is written.

    Args:
        layers: The tables of a run.
        path: Where; its suffix is one of :data:`SUFFIXES`.

    Returns:
        The files written.

    Raises:
        OutputError: It cannot be written, or the disk is full; nothing half-written stays.
    """
    check_outputs([path])
    suffix = path.suffix.lower()
    if suffix == ".gpkg":
        replace_with(path, lambda part: write_geopackage(layers, part))
        return [path]
    tables = [table for table in (layers.answers, layers.objects) if table is not None]
    facts = str(layers.run["provenance"].iloc[0])
    written = output_files(layers, path)
    for table, target in zip(tables, written, strict=True):
        replace_with(target, _writer(_WRITERS[suffix], table, facts))
    return written


_Write = Callable[[gpd.GeoDataFrame, Path, str], None]


def _writer(write: _Write, table: gpd.GeoDataFrame, facts: str) -> Callable[[Path], None]:
    return lambda part: write(table, part, facts)


def replace_with(path: Path, write: Callable[[Path], None]) -> None:
    """Write to a temporary name beside ``path``, then move it into place.

    Raises:
        OutputError: It cannot be written; what was there is unchanged.
    """
    part = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.part{path.suffix}")
    try:
        write(part)
        _sync(part)
    except (OSError, sqlite3.Error, DataSourceError, RuntimeError) as error:
        _discard(part)
        why = " ".join(str(getattr(error, "strerror", None) or error).split()) or "write failed"
        raise OutputError(
            f"cannot write {path}: {why}; nothing was changed there; "
            "check the free space or give another -o path"
        ) from error
    except BaseException:
        _discard(part)
        raise
    try:
        part.replace(path)
    except OSError as error:
        _discard(part)
        raise OutputError(
            f"cannot replace {path}: {error.strerror or error}, it may be open in another "
            "program; close it there or give another name"
        ) from error


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _discard(part: Path) -> None:
    for stray in part.parent.glob(f"{part.name}*"):
        with contextlib.suppress(OSError):
            stray.unlink()


def _write_parquet(table: gpd.GeoDataFrame, path: Path, facts: str) -> None:
    """GeoParquet 1.1: covering bbox, sorted along a Hilbert curve, groups of 50k rows."""
    if len(table) > 1:
        table = table.iloc[table.hilbert_distance().argsort(kind="stable")]
    table = table.reset_index(drop=True)
    table.to_parquet(
        path,
        index=False,
        compression="zstd",
        write_covering_bbox=True,
        schema_version="1.1.0",
        row_group_size=ROW_GROUP,
    )
    if pq.read_metadata(path).num_rows != len(table):
        raise OSError(f"{path.name} holds fewer rows than were written")


def _write_flatgeobuf(table: gpd.GeoDataFrame, path: Path, facts: str) -> None:
    pyogrio.write_dataframe(table, path, driver="FlatGeobuf", geometry_type="Polygon")


def _write_geojson(table: gpd.GeoDataFrame, path: Path, facts: str) -> None:
    """RFC 7946: longitude and latitude, cut at the antimeridian, outer rings anticlockwise."""
    collection = json.loads(to_lonlat(table).to_json(na="null", drop_id=True))
    collection.pop("crs", None)
    collection["rsvlm_run"] = json.loads(facts)
    path.write_text(json.dumps(collection, ensure_ascii=False), encoding="utf-8")


_WRITERS: Mapping[str, _Write] = MappingProxyType(
    {".parquet": _write_parquet, ".fgb": _write_flatgeobuf, ".geojson": _write_geojson}
)


def to_lonlat(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The table in longitude and latitude; what crosses the antimeridian is cut there.

    Raises:
        OutputError: The scene has no place on Earth.
    """
    if table.crs is None:
        raise OutputError(
            "cannot write GeoJSON of a scene without georeference: it has no longitude and "
            "latitude; write .gpkg or .parquet, which keep pixel coordinates"
        )
    moved = place.to_lonlat(list(table.geometry), table.crs)
    shapes = list(shapely.orient_polygons(moved)) if moved else []
    return table.set_geometry(gpd.GeoSeries(shapes, index=table.index, crs="OGC:CRS84"))
