"""Finished tiles as files: one GeoParquet part per task, written whole or not at all.

A part is named by the rows (or the one tile) it holds, so writing it twice changes nothing; the
folder is named by the run's and the scene's fingerprints, so a part never answers another question.
``.failed`` in the name says that some tile in it failed: the next run tries those again.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from rsvlm_geo.errors import OutputError
from rsvlm_geo.pipeline.store import TileAnswers, decode_tile, encode_tile
from rsvlm_geo.vlm import Question

__all__ = ["Band", "Part", "list_parts", "read_parts", "write_part"]


@dataclass(frozen=True, slots=True, order=True)
class Band:
    """Some rows of a scene's grid, or one tile of one row."""

    first: int
    """First grid row."""
    last: int
    """Last grid row, included."""
    col: int | None = None
    """The one column, for a single tile."""

    @property
    def stem(self) -> str:
        """The name of its part, without suffix."""
        if self.col is not None:
            return f"t{self.first:06d}-{self.col:06d}"
        return f"r{self.first:06d}-{self.last:06d}"


@dataclass(frozen=True, slots=True)
class Part:
    """A part on disk."""

    path: Path
    band: Band
    failed: bool
    """Whether a tile in it failed."""


_NAME = re.compile(r"^(?P<kind>[rt])(?P<a>\d{6,})-(?P<b>\d{6,})(?P<failed>\.failed)?\.parquet$")


def write_part(
    folder: Path,
    band: Band,
    tiles: Sequence[TileAnswers],
    rings: np.ndarray,
    crs_json: str | None,
) -> Path:
    """Write the tiles of a band; replaces an earlier part of the same band.

    Args:
        folder: Of the scene, under the fingerprint.
        band: What was done.
        tiles: Every tile of the band that is in the area of interest.
        rings: float64[n, 5, 2], cores of the tiles in the scene's CRS.
        crs_json: PROJJSON of that CRS, or None.

    Raises:
        OutputError: It cannot be written.
    """
    shapes = shapely.polygons(rings) if len(tiles) else np.zeros(0, dtype=object)
    table = pa.table(
        {
            "tile_id": pa.array([t.tile_id for t in tiles], pa.string()),
            "state": pa.array([t.state for t in tiles], pa.string()),
            "valid_frac": pa.array([t.valid_frac for t in tiles], pa.float64()),
            "answers": pa.array([encode_tile(t).decode() for t in tiles], pa.string()),
            "geometry": pa.array(list(shapely.to_wkb(shapes)), pa.binary()),
        }
    )
    column = {"encoding": "WKB", "geometry_types": ["Polygon"]}
    column["crs"] = json.loads(crs_json) if crs_json else None  # type: ignore[assignment]
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    table = table.replace_schema_metadata({"geo": json.dumps(geo)})
    failed = any(tile.state == "failed" for tile in tiles)
    good, bad = folder / f"{band.stem}.parquet", folder / f"{band.stem}.failed.parquet"
    target = bad if failed else good
    part = folder / f".{band.stem}.{uuid.uuid4().hex[:8]}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, part, compression="zstd")
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
        if target == good:
            bad.unlink(missing_ok=True)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(
            f"cannot write {target}: {error.strerror or error}; free some space, then run again"
        ) from error
    return target


def list_parts(folder: Path) -> list[Part]:
    """The parts of a scene that can be read; one that a crash cut short is moved aside."""
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        match = _NAME.match(path.name)
        if match is None:
            continue
        try:
            pq.read_metadata(path)
        except (OSError, pa.ArrowInvalid):
            path.replace(path.with_name(path.name + ".damaged"))
            continue
        a, b = int(match["a"]), int(match["b"])
        band = Band(a, b) if match["kind"] == "r" else Band(a, a, b)
        found.append(Part(path, band, match["failed"] is not None))
    return found


def read_parts(parts: Iterable[Part], questions: Sequence[Question]) -> Iterator[TileAnswers]:
    """The tiles of parts, each once: an answered one wins over a failed one.

    A tile whose row cannot be decoded is left out, so that it counts as not done.
    """
    done: dict[str, TileAnswers] = {}
    for part in parts:
        try:
            lines = pq.read_table(part.path, columns=["answers"])["answers"].to_pylist()
        except (OSError, pa.ArrowInvalid):
            continue
        for line in lines:
            try:
                tile = decode_tile(line.encode(), questions)
            except (ValueError, KeyError, TypeError):
                continue
            earlier = done.get(tile.tile_id)
            if earlier is None or earlier.state == "failed":
                done[tile.tile_id] = tile
    yield from done.values()


def missing_bands(
    parts: Iterable[Part], rows: int, cols: int, tiles_per_task: int, *, retry_failed: bool = True
) -> list[Band]:
    """The bands of a grid that still have to be done.

    Args:
        parts: What there is.
        rows, cols: Of the grid.
        tiles_per_task: Rows are put together until a band has about so many tiles.
        retry_failed: Whether a part with failed tiles counts as missing.
    """
    done = np.zeros((rows, cols), dtype=bool)
    for part in parts:
        if part.failed and retry_failed:
            continue
        band = part.band
        if band.col is None:
            done[band.first : band.last + 1] = True
        elif band.first < rows and band.col < cols:
            done[band.first, band.col] = True
    whole = [bool(row.all()) for row in done]
    height = max(1, round(tiles_per_task / max(cols, 1)))
    found: list[Band] = []
    row = 0
    while row < rows:
        if whole[row]:
            row += 1
            continue
        last = row
        while last + 1 < rows and last + 1 - row < height and not whole[last + 1]:
            last += 1
        found.append(Band(row, last))
        row = last + 1
    return found
