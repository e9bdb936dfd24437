"""An index of tiles: their vectors and footprints in one GeoParquet file.

Format 2 holds the vectors as lists of one fixed length; format 1, which is read as well, as lists
of any.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import DataError, ResumeError

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["FORMAT", "TileIndex", "read_index"]

FORMAT = 2
"""Of the files written here."""
_META = b"rsvlm_index"


@dataclass(frozen=True, slots=True)
class TileIndex:
    """Tiles of one or more scenes, and their vectors."""

    tiles: gpd.GeoDataFrame
    """Columns: scene, tile_id, scale, gsd_m, col_off, row_off, width, height, valid_frac, geometry
    (the tile's window on the map)."""
    vectors: NDArray[np.float32]
    """float32[n, D], unit length."""
    model: str
    """Name of the embedder."""
    sha256: str
    """Of its pack."""

    def __post_init__(self) -> None:
        if len(self.tiles) != len(self.vectors):
            raise DataError(f"{len(self.tiles)} tiles have {len(self.vectors)} vectors")

    def __len__(self) -> int:
        return len(self.vectors)

    def write(self, path: str | Path) -> Path:
        """GeoParquet with an ``embedding`` column; model and version in its metadata."""
        from rsvlm_geo.layers.write import replace_with

        target = Path(path).expanduser()
        target.parent.mkdir(parents=True, exist_ok=True)
        frame = self.tiles.copy()
        frame.attrs = {}
        said = {"format": FORMAT, "model": self.model, "sha256": self.sha256}

        def write(part: Path) -> None:
            import pyarrow as pa
            import pyarrow.parquet as pq

            frame.to_parquet(part, index=False)
            table = pq.read_table(part)
            meta = {**(table.schema.metadata or {}), _META: json.dumps(said).encode()}
            values = pa.array(np.ascontiguousarray(self.vectors, np.float32).ravel())
            lists = pa.FixedSizeListArray.from_arrays(values, self.vectors.shape[1])
            table = table.append_column("embedding", lists).replace_schema_metadata(meta)
            pq.write_table(table, part, compression="zstd", row_group_size=50_000)

        replace_with(target, write)
        return target

    def check(self, name: str, sha256: str) -> None:
        """Refuse another model's questions.

        Raises:
            ResumeError: The index was made with another model.
        """
        if (self.model, self.sha256) != (name, sha256):
            raise ResumeError(
                f"this index was made with {self.model}; search it with that model, or make it "
                "again"
            )


def read_index(path: str | Path) -> TileIndex:
    """An index written by :meth:`TileIndex.write`.

    Raises:
        DataError: It is missing, no such index, damaged, or of a later format.
    """
    import geopandas as gpd
    import pyarrow.parquet as pq

    file = Path(path).expanduser()
    if not file.is_file():
        raise DataError(f"no index at {file}")
    try:
        schema = pq.read_schema(file)
        said: dict[str, Any] = json.loads((schema.metadata or {})[_META])
        made = int(said.get("format", 1))
    except (KeyError, ValueError, OSError) as error:
        raise DataError(
            f"{file} is not an index of tiles ({error}); make one with rsvlm-geo index"
        ) from error
    if made > FORMAT:
        raise DataError(
            f"{file} is an index of format {made} and this rsvlm-geo reads up to {FORMAT}; upgrade "
            "rsvlm-geo, or make the index again"
        )
    try:
        frame = gpd.read_parquet(file, columns=[n for n in schema.names if n != "embedding"])
        vectors = _vectors(pq.read_table(file, columns=["embedding"])["embedding"])
        return TileIndex(frame, vectors, said["model"], said["sha256"])
    except (KeyError, ValueError, OSError) as error:
        raise DataError(f"{file} is a damaged index ({error}); make it again") from error


def _vectors(column: Any) -> NDArray[np.float32]:
    """A column of lists of one length as float32[n, D], without an object a row."""
    parts = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    values = np.concatenate(parts) if parts else np.zeros(0)
    if not len(column):
        return np.zeros((0, 1), np.float32)
    if len(values) % len(column):
        raise ValueError("its vectors are of several lengths")
    out: NDArray[np.float32] = values.astype(np.float32, copy=False).reshape(len(column), -1)
    return out
