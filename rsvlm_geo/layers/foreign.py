"""Whether a file that is in the way holds somebody's own layers, or an earlier run of ours."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pyogrio
from pyarrow.lib import ArrowException
from pyogrio.errors import DataSourceError

__all__ = ["foreign_layers"]

_OURS = frozenset({"run", "answers", "objects", "layer_styles"})
_RUN_COLUMNS = frozenset({"run_id", "provenance"})
_ROW_COLUMNS = frozenset({"run_id", "scene_id", "tile_id"})
_MARK = b'"rsvlm_run"'
_CHUNK = 1 << 22


def foreign_layers(path: Path) -> tuple[str, ...]:
    """What writing to ``path`` would destroy that no run of ours wrote.

    Args:
        path: Of any format that a run writes.

    Returns:
        Names of its layers; empty when nothing is there, or only ours.
    """
    if not path.is_file() or path.stat().st_size == 0:
        return ()
    suffix = path.suffix.lower()
    if suffix == ".gpkg":
        return _of_geopackage(path)
    if suffix == ".geojson":
        return () if _has_mark(path) else (path.stem,)
    if suffix in (".parquet", ".fgb"):
        return () if _columns(path) >= _ROW_COLUMNS else (path.stem,)
    return ()


def _of_geopackage(path: Path) -> tuple[str, ...]:
    # immutable leaves no files of its own beside it, but does not see what a writer still holds
    held = path.with_name(f"{path.name}-wal").exists()
    uri = f"{path.absolute().as_uri()}?{'mode=ro' if held else 'immutable=1'}"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as database:
            found = database.execute("SELECT table_name FROM gpkg_contents").fetchall()
            info = database.execute("SELECT name FROM pragma_table_info('run')").fetchall()
    except sqlite3.Error:
        return (path.stem,)
    names = [str(name) for (name,) in found]
    ours = {name for (name,) in info} >= _RUN_COLUMNS and "answers" in names
    return tuple(name for name in names if not (ours and name in _OURS))


def _columns(path: Path) -> set[str]:
    try:
        if path.suffix.lower() == ".parquet":
            return set(pq.read_schema(path).names)
        return set(pyogrio.read_info(path)["fields"])
    except (ArrowException, DataSourceError, OSError):
        return set()


def _has_mark(path: Path) -> bool:
    """Whether a run's provenance is in it; ours stands at the end of the file."""
    kept = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if _MARK in kept + chunk:
                return True
            kept = chunk[-len(_MARK) :]
    return False
