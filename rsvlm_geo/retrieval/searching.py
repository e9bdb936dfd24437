"""Search a scene by words: ranked tiles and a heat map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import CoverageWarning, SceneContentError, TaskError
from rsvlm_geo.retrieval.embedder import Embedder, load_embedder
from rsvlm_geo.retrieval.heatmap import HeatMap, make_heatmap
from rsvlm_geo.retrieval.index import TileIndex, read_index
from rsvlm_geo.retrieval.ranking import odds_of, rank_tiles, tile_line

if TYPE_CHECKING:
    import geopandas as gpd

    from rsvlm_geo.scene import Scene

__all__ = ["SearchResult", "index_scene", "search"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What was found."""

    text: str
    tiles: gpd.GeoDataFrame
    """Best first; the index's columns, ``rank``, ``similarity`` and ``p``: the probability that
    these words fit the tile better than any of a fixed list of other descriptions."""
    heat: HeatMap
    scene: Scene
    index: TileIndex
    failed: int
    """Tiles that could not be read."""
    notes: tuple[str, ...] = ()

    def write(self, path: str | Path) -> Path:
        """The heat map as a cloud-optimised GeoTIFF."""
        return self.heat.write(path, self.scene)

    def __str__(self) -> str:
        lines = [f"{self.text!r} in {self.scene.name}: {len(self.index)} tiles searched"]
        lines += [tile_line(row) for row in self.tiles.itertuples()]
        return "\n".join([*lines, *(f"  note: {n}" for n in self.notes)])


def index_scene(
    scene: Scene | str | Path,
    embedder: Embedder | str | Path | None = None,
    *,
    scales: Sequence[float] = (1.0, 2.0),
    aoi: Any = None,
    progress: Progress | None = None,
) -> tuple[TileIndex, int]:
    """Embed overlapping tiles of a scene, half a tile apart, at one or more sizes.

    Args:
        scene: Open, or its path.
        embedder: Open, a pack, or None for the one that comes with the package.
        scales: Tile sizes as multiples of the model's own for this scene.
        aoi: Area of interest, as for every verb.
        progress: Called with ``(done, all)``.

    Returns:
        The index, and how many tiles could not be read.

    Raises:
        SceneContentError: No tile holds data.
    """
    import geopandas as gpd
    import shapely

    from rsvlm_geo.georef.place import place_boxes
    from rsvlm_geo.scene import Scene as SceneClass
    from rsvlm_geo.scene import iter_batches, open_scene, plan_tiles

    opened = scene if isinstance(scene, SceneClass) else open_scene(scene)
    model = embedder if isinstance(embedder, Embedder) else load_embedder(embedder)
    info = model.info
    if not scales or min(scales) <= 0:
        raise TaskError(f"scales are multiples of a tile, above 0; got {list(scales)}")
    plans = []
    for scale in scales:
        shown = replace(info, image_size=max(1, round(info.image_size * scale)))
        first = plan_tiles(opened, info)
        if first.gsd_m is None:
            # without a GSD a larger tile is a larger window, read at full size and shrunk below
            plans.append((scale, plan_tiles(opened, shown) if scale != 1 else first))
        else:
            gsd = first.gsd_m * scale
            quarter = gsd * info.image_size / 4
            plans.append((scale, plan_tiles(opened, info, gsd_m=gsd, margin_m=quarter, aoi=aoi)))
    total = sum(len(plan) for _, plan in plans)
    rows: list[dict[str, Any]] = []
    vectors: list[NDArray[np.float32]] = []
    failed = done = 0
    for scale, plan in plans:
        with closing(iter_batches(opened, plan, batch=info.batch)) as batches:
            for batch in batches:
                failed += sum(item.status == "failed" for item in batch.items)
                done += len(batch.items)
                if len(batch.images):
                    images = _fit(batch.images, info.image_size)
                    vectors.append(model.embed_images(images))
                    for item in batch.shown:
                        w = item.tile.window
                        rows.append({
                            "scene": opened.name, "tile_id": f"{scale:g}:{item.tile.tile_id}",
                            "scale": float(scale), "gsd_m": plan.gsd_m, "col_off": w.col_off,
                            "row_off": w.row_off, "width": w.width, "height": w.height,
                            "valid_frac": item.valid_frac,
                        })  # fmt: skip
                if progress is not None:
                    progress(done, total)
    if not rows:
        raise SceneContentError(
            f"{opened.href} has no tile with data to search ({failed} of {total} could not be read)"
        )
    boxes = np.array(
        [(r["col_off"], r["row_off"], r["col_off"] + r["width"], r["row_off"] + r["height"])
         for r in rows], dtype=np.float64,
    )  # fmt: skip
    limits = [opened.width, opened.height] * 2
    rings = place_boxes(np.clip(boxes, 0, limits), opened)
    frame = gpd.GeoDataFrame(
        rows, geometry=[shapely.Polygon(ring) for ring in rings], crs=opened.ground.crs_wkt
    )
    return TileIndex(frame, np.concatenate(vectors), info.name, info.sha256), failed


def _fit(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    if images.shape[1] == size:
        return images
    from PIL import Image

    return np.stack(
        [np.asarray(Image.fromarray(i).resize((size, size), Image.Resampling.BOX)) for i in images]
    )


def _tiles_of(index: TileIndex, scene: Scene, aoi: Any) -> NDArray[np.bool_]:
    """Which tiles of an index are of this scene, and touch the area of interest: bool[n]."""
    own: NDArray[np.bool_] = (index.tiles["scene"] == scene.name).to_numpy()
    if not own.any():
        raise TaskError(f"the index holds no tile of {scene.name}; make it from this scene")
    if aoi is not None:
        import shapely

        from rsvlm_geo.scene.aoi import aoi_in_pixels

        x, y, wide, high = (
            index.tiles[c].to_numpy(float) for c in ("col_off", "row_off", "width", "height")
        )
        area = aoi_in_pixels(scene, aoi)
        own = own & shapely.intersects(shapely.box(x, y, x + wide, y + high), area)
        if not own.any():
            raise TaskError(f"the index holds no tile of {scene.name} in the area of interest")
    return own


def search(
    scene: Scene | str | Path,
    text: str,
    *,
    model: Embedder | str | Path | None = None,
    index: TileIndex | str | Path | None = None,
    k: int = 10,
    scales: Sequence[float] = (1.0, 2.0),
    aoi: Any = None,
    progress: Progress | None = None,
) -> SearchResult:
    """Find the places of a scene that some words describe.

    Args:
        scene: Open, or its path.
        text: What to look for: ``"tanks beside water"``.
        model: An embedder, or a pack that can search.
        index: Of this scene, made before; otherwise it is made now (and is in the result).
        k: Tiles to return; tiles that overlap by a third count once.
        scales: Tile sizes as multiples of the model's own.
        aoi: Area of interest.
        progress: Called with ``(done, all)`` while the index is made.

    Raises:
        TaskError: No words, or none that the model knows.
        ResumeError: The index was made with another model.
    """
    import warnings

    from rsvlm_geo.scene import Scene as SceneClass
    from rsvlm_geo.scene import open_scene

    if not text.strip():
        raise TaskError("a search needs words; got an empty text")
    embedder = model if isinstance(model, Embedder) else load_embedder(model)
    query = embedder.embed_texts([text])[0]
    opened = scene if isinstance(scene, SceneClass) else open_scene(scene)
    failed = 0
    if index is None:
        made, failed = index_scene(opened, embedder, scales=scales, aoi=aoi, progress=progress)
    else:
        made = index if isinstance(index, TileIndex) else read_index(index)
        made.check(embedder.info.name, embedder.info.sha256)
    own = _tiles_of(made, opened, aoi if index is not None else None)
    vectors = made.vectors[own]
    frame = made.tiles[own].reset_index(drop=True)
    similarity = vectors @ query
    order = np.argsort(-similarity, kind="stable")
    found, notes = rank_tiles(embedder, text, query, frame, vectors, order, k)
    windows = frame[["col_off", "row_off", "width", "height"]].to_numpy(np.float64)
    heat = make_heatmap(
        windows, similarity, (opened.height, opened.width), text=text, model=embedder.info.name,
        valid=None if (frame["valid_frac"] >= 1).all() else opened.preview()[1],
        p=odds_of(embedder, text, vectors, query)[0],
    )  # fmt: skip
    if failed:
        notes.append(f"{failed} tiles could not be read and were not searched")
        warnings.warn(notes[-1], CoverageWarning, stacklevel=2)
    return SearchResult(text, found, heat, opened, made, failed, tuple(notes))
