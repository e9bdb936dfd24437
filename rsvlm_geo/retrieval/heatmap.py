"""Semantic localisation: similarity of overlapping tiles, averaged per cell, as a map."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.grid import compose_affine

if TYPE_CHECKING:
    from rsvlm_geo.scene import Scene

__all__ = ["HeatMap", "make_heatmap"]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """How near each place is to some words."""

    similarity: NDArray[np.float32]
    """float32[rows, columns], mean cosine of the tiles that cover a cell; NaN where nothing is."""
    cell_px: float
    """Side of a cell, scene pixels."""
    text: str
    model: str
    p: NDArray[np.float32] | None = None
    """float32[rows, columns], mean probability that the words fit a tile better than other
    descriptions do: near 0 everywhere where what was asked for is nowhere."""

    @property
    def heat(self) -> NDArray[np.float32]:
        """float32[rows, columns], stretched to 0..1 within this scene; NaN where nothing is.

        The warmest place of a scene is always 1: heat compares places, it does not say that what
        was asked for is there.
        """
        seen = self.similarity[np.isfinite(self.similarity)]
        if not len(seen):
            return self.similarity
        low, high = float(seen.min()), float(seen.max())
        out: NDArray[np.float32] = (self.similarity - low) / max(high - low, 1e-6)
        return np.clip(out, 0.0, 1.0)

    def write(self, path: str | Path, scene: Scene) -> Path:
        """A cloud-optimised GeoTIFF: heat 0..1, mean cosine and, if known, p; NaN is nodata.

        Raises:
            OutputError: It cannot be written, or is the scene itself.
        """
        import rasterio
        from rasterio.io import MemoryFile
        from rasterio.shutil import copy
        from rasterio.transform import Affine

        from rsvlm_geo.layers.write import check_not_read, replace_with

        rows, columns = self.similarity.shape
        bands = [
            (self.heat, "heat, 0..1 within this scene"), (self.similarity, "mean cosine similarity")
        ]  # fmt: skip
        if self.p is not None:
            bands.append((self.p, "probability against other descriptions"))
        profile: dict[str, Any] = {
            "driver": "GTiff", "dtype": "float32", "count": len(bands), "height": rows,
            "width": columns, "nodata": float("nan"),
        }  # fmt: skip
        ground = scene.ground
        if ground.kind == "affine" and ground.transform is not None:
            cell = (self.cell_px, 0.0, 0.0, 0.0, self.cell_px, 0.0)
            profile["transform"] = Affine(*compose_affine(ground.transform, cell))
            profile["crs"] = ground.crs_wkt
        target = Path(path).expanduser()
        check_not_read([target], scene.files)
        target.parent.mkdir(parents=True, exist_ok=True)

        def write(part: Path) -> None:
            import warnings

            with warnings.catch_warnings(), MemoryFile() as memory:
                warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
                with memory.open(**profile) as raw:
                    for i, (values, said) in enumerate(bands, 1):
                        raw.write(values, i)
                        raw.set_band_description(i, said)
                    raw.update_tags(text=self.text, model=self.model, scene=scene.href)
                    if ground.kind == "gcps":
                        raw.gcps = _gcps(ground.gcps, self.cell_px), ground.crs_wkt
                with memory.open() as raw:
                    copy(raw, part, driver="COG", compress="deflate", blocksize=256)

        replace_with(target, write)
        return target


def _gcps(gcps: Any, cell: float) -> list[Any]:
    from rasterio.control import GroundControlPoint

    return [GroundControlPoint(row / cell, col / cell, x, y, z) for row, col, x, y, z in gcps]


def make_heatmap(
    windows: NDArray[np.float64],
    similarity: NDArray[np.float32],
    shape: tuple[int, int],
    *,
    text: str,
    model: str,
    cells: int = 8,
    valid: NDArray[np.bool_] | None = None,
    p: NDArray[np.float64] | None = None,
) -> HeatMap:
    """Average the similarity of all tiles over each cell.

    Args:
        windows: float64[n, 4], ``(col_off, row_off, width, height)``, scene pixels.
        similarity: float32[n], cosine of each tile with the words.
        shape: ``(height, width)`` of the scene, pixels.
        text, model: For the map's tags.
        cells: Cells across the smallest tile.
        valid: bool of any shape laid over the scene, where there is data; all by default.
        p: float[n], each tile's probability, for a map of it.

    References:
        Overlapping tiles of several sizes, averaged per pixel: Yuan et al. (2022). Their median
        filter is left to whoever draws the map.
    """
    side = float(np.minimum(windows[:, 2], windows[:, 3]).min()) if len(windows) else 1.0
    cell = max(side / cells, 1.0)
    rows, columns = max(1, int(np.ceil(shape[0] / cell))), max(1, int(np.ceil(shape[1] / cell)))
    x0 = np.clip(np.rint(windows[:, 0] / cell), 0, columns).astype(np.intp)
    y0 = np.clip(np.rint(windows[:, 1] / cell), 0, rows).astype(np.intp)
    x1 = np.clip(np.rint((windows[:, 0] + windows[:, 2]) / cell), 0, columns).astype(np.intp)
    y1 = np.clip(np.rint((windows[:, 1] + windows[:, 3]) / cell), 0, rows).astype(np.intp)
    corners = ((y0, x0, 1.0), (y0, x1, -1.0), (y1, x0, -1.0), (y1, x1, 1.0))

    def sums(values: NDArray[Any] | float) -> NDArray[np.float64]:
        """Add at a window's corners, then cumulate once."""
        table = np.zeros((rows + 1, columns + 1))
        for y, x, sign in corners:
            np.add.at(table, (y, x), sign * values)
        return table.cumsum(0).cumsum(1)[:rows, :columns]

    count = np.rint(sums(1.0))
    seen = count > 0
    if valid is not None:
        seen &= _laid_over(valid, (rows, columns), cell, shape)

    def means(values: NDArray[Any]) -> NDArray[np.float32]:
        mean = np.full((rows, columns), np.nan, dtype=np.float32)
        np.divide(sums(values), count, out=mean, where=seen, casting="unsafe")
        return mean

    return HeatMap(means(similarity), cell, text, model, None if p is None else means(p))


def _laid_over(
    valid: NDArray[np.bool_], cells: tuple[int, int], cell: float, shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """The mask at the middle of each cell: bool[rows, columns]."""
    at = [
        np.clip((np.arange(n) + 0.5) * cell / side * have, 0, have - 1).astype(np.intp)
        for n, side, have in zip(cells, shape, valid.shape, strict=True)
    ]
    out: NDArray[np.bool_] = valid[np.ix_(*at)]
    return out
