"""An index of tiles: their vectors and footprints in one GeoParquet file, searched exactly."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import DataError, ResumeError

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["TileIndex", "VectorSearch", "read_index"]

_META = "rsvlm_index"


class VectorSearch:
    """The nearest of many unit vectors, exactly as far as it matters.

    Up to ``small`` vectors, one product in float32. Beyond, all are first compared in eight bits
    (a quarter of the memory to walk through), by usearch where it is installed, and the best
    ``rescore`` of those are compared again in float32.

    Args:
        vectors: float32[n, D], unit length.
        rescore: How many are compared in full.
        small: Up to so many, all are.
    """

    def __init__(
        self, vectors: NDArray[np.float32], *, rescore: int = 512, small: int = 50_000
    ) -> None:
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        self.rescore, self.small = rescore, small
        self._bytes: NDArray[np.int8] | None = None
        if len(self.vectors) > small:
            self._bytes = self._quantise(self.vectors)

    @staticmethod
    def _quantise(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
        out = np.empty(vectors.shape, dtype=np.int8)
        for start in range(0, len(vectors), 1 << 16):  # never a second copy in float
            part = vectors[start : start + (1 << 16)]
            top = np.maximum(np.abs(part).max(axis=1, keepdims=True), 1e-12)
            out[start : start + (1 << 16)] = np.rint(part * (127.0 / top)).astype(np.int8)
        return out

    def search(
        self, query: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """The ``k`` nearest.

        Args:
            query: float32[D], unit length.
            k: At most so many.

        Returns:
            ``(int[k], float32[k])``: indices, best first, and cosines.
        """
        n = len(self.vectors)
        k = min(k, n)
        if k == 0:
            return np.zeros(0, np.intp), np.zeros(0, np.float32)
        if self._bytes is None:
            near = np.arange(n)
        else:
            near = self._coarse(query, min(max(self.rescore, 4 * k), n))
        scores = self.vectors[near] @ np.asarray(query, dtype=np.float32)
        best = np.argpartition(-scores, k - 1)[:k]
        best = best[np.argsort(-scores[best], kind="stable")]
        return near[best], scores[best]

    def _coarse(self, query: NDArray[np.float32], m: int) -> NDArray[np.intp]:
        assert self._bytes is not None
        try:
            # onnxruntime 1.31 crashes the process when it is loaded after usearch 2.26
            import_module("onnxruntime")
            usearch = import_module("usearch.index")
        except ImportError:
            scores = np.empty(len(self.vectors), dtype=np.float32)
            np.dot(self.vectors, query, out=scores)
            return np.argpartition(-scores, m - 1)[:m]
        small = self._quantise(np.asarray(query, dtype=np.float32)[None])[0]
        matches = usearch.search(self._bytes, small, m, usearch.MetricKind.Cos, exact=True)
        return np.asarray(matches.keys, dtype=np.intp)


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
        frame["embedding"] = list(self.vectors)
        frame.attrs = {}
        said = json.dumps({"model": self.model, "sha256": self.sha256})

        def write(part: Path) -> None:
            import pyarrow.parquet as pq

            frame.to_parquet(part, index=False)
            table = pq.read_table(part)
            meta = {**(table.schema.metadata or {}), _META.encode(): said.encode()}
            pq.write_table(table.replace_schema_metadata(meta), part, compression="zstd")

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
        DataError: It is missing, or no such index.
    """
    import geopandas as gpd
    import pyarrow.parquet as pq

    file = Path(path).expanduser()
    if not file.is_file():
        raise DataError(f"no index at {file}")
    try:
        meta: dict[bytes, Any] = pq.read_schema(file).metadata or {}
        said = json.loads(meta[_META.encode()])
        frame = gpd.read_parquet(file)
        vectors = (
            np.stack(frame["embedding"].to_numpy()).astype(np.float32)
            if len(frame)
            else np.zeros((0, 1), np.float32)
        )
    except (KeyError, ValueError, OSError) as error:
        raise DataError(f"{file} is not an index of tiles ({error})") from error
    return TileIndex(frame.drop(columns="embedding"), vectors, said["model"], said["sha256"])
