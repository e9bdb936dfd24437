"""Search the index of many scenes at once: which tiles, of which scenes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rsvlm_geo.errors import DataError, TaskError
from rsvlm_geo.retrieval.embedder import Embedder, load_embedder
from rsvlm_geo.retrieval.index import TileIndex, read_index
from rsvlm_geo.retrieval.ranking import rank_tiles, tile_line
from rsvlm_geo.retrieval.scan import VectorSearch

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["Collection", "Found", "join_indexes"]


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a collection."""

    text: str
    tiles: gpd.GeoDataFrame
    """Best first; the index's columns, ``rank``, ``similarity`` and ``p``."""
    searched: int
    """Tiles of the index."""
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.text!r}: {self.searched} tiles searched"]
        lines += [f"{tile_line(row)}  {row.scene}" for row in self.tiles.itertuples()]
        return "\n".join([*lines, *(f"  note: {n}" for n in self.notes)])


class Collection:
    """An index of one or many scenes, held ready for many searches.

    Args:
        index: Made before, or its file.
        model: An embedder, or a pack that can search; the one the index was made with.
        threads: CPU threads; None is all.

    Raises:
        DataError: The file is no index.
        ResumeError: The index was made with another model.
    """

    def __init__(
        self, index: TileIndex | str | Path, model: Embedder | str | Path | None = None,
        threads: int | None = None,
    ) -> None:  # fmt: skip
        self.index = index if isinstance(index, TileIndex) else read_index(index)
        self.embedder = model if isinstance(model, Embedder) else load_embedder(model)
        self.index.check(self.embedder.info.name, self.embedder.info.sha256)
        self._search = VectorSearch(self.index.vectors, threads=threads)

    def search(self, text: str, k: int = 10) -> Found:
        """The tiles that some words describe best, over all scenes.

        Args:
            text: What to look for.
            k: At most so many; tiles of a scene that overlap by a third count once.

        Raises:
            TaskError: No words, or none that the model knows.
        """
        if not text.strip():
            raise TaskError("a search needs words; got an empty text")
        query = self.embedder.embed_texts([text])[0]
        order, _ = self._search.search(query, max(20 * k, 200))
        # only the candidates: a table of a million tiles is not walked through again
        frame = self.index.tiles.iloc[order].reset_index(drop=True)
        found, notes = rank_tiles(
            self.embedder, text, query, frame, self.index.vectors[order], np.arange(len(order)), k
        )
        return Found(text, found, len(self.index), tuple(notes))


def join_indexes(parts: Iterable[TileIndex]) -> TileIndex:
    """One index of several scenes, in the CRS of the first.

    Raises:
        DataError: None, two models, two scenes of one name, or georeferenced ones and others.
    """
    import pandas as pd

    indexes = list(parts)
    if not indexes:
        raise DataError("an index needs at least one scene")
    first = indexes[0]
    seen: set[str] = set()
    frames = []
    for part in indexes:
        if (part.model, part.sha256) != (first.model, first.sha256):
            raise DataError(f"indexes of two models, {first.model} and {part.model}")
        names = set(part.tiles["scene"])
        if names & seen:
            raise DataError(
                f"two scenes are called {sorted(names & seen)[0]}; an index tells scenes by their "
                "names: rename one, or make two indexes"
            )
        seen |= names
        frame = part.tiles
        if frame.crs != first.tiles.crs:
            if frame.crs is None or first.tiles.crs is None:
                raise DataError("scenes with and without a CRS do not fit one index")
            frame = frame.to_crs(first.tiles.crs)
        frames.append(frame)
    vectors = np.concatenate([p.vectors for p in indexes])
    return TileIndex(pd.concat(frames, ignore_index=True), vectors, first.model, first.sha256)
