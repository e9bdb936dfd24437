"""Small rasters and Items for the STAC and batch tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.warp
from affine import Affine

__all__ = ["make_collection", "make_item", "make_raster"]


def make_raster(
    path: Path, *, size: int = 384, bands: int = 3, dtype: str = "uint8", res: float = 0.5,
    left: float = 500_000.0, top: float = 5_000_000.0, crs: str = "EPSG:32633", seed: int = 0,
    nodata: float | None = None, spots: int = 12, compress: str = "deflate",
) -> Path:  # fmt: skip
    """A tiled GeoTIFF of dim noise with so many bright squares of 12 pixels, none touching."""
    rng = np.random.default_rng(seed)
    top_value = 90 if dtype == "uint8" else 3000
    pixels = rng.integers(10, top_value, (bands, size, size)).astype(dtype)
    cells = size // 32  # at most one square to a cell of 32 pixels, so that none touch
    for cell in rng.choice(cells * cells, spots, replace=False):
        row, col = (np.array(divmod(int(cell), cells)) * 32 + rng.integers(4, 16, 2)).tolist()
        bright = rng.integers(230, 255, (bands, 12, 12)).astype(dtype)
        pixels[:, row : row + 12, col : col + 12] = bright * (1 if dtype == "uint8" else 40)
    if nodata is not None:
        pixels[:, : size // 4] = nodata
    profile = {
        "driver": "GTiff", "width": size, "height": size, "count": bands, "dtype": dtype,
        "crs": crs, "transform": Affine(res, 0, left, 0, -res, top), "tiled": True,
        "blockxsize": 128, "blockysize": 128, "compress": compress, "nodata": nodata,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as dst:
        dst.write(pixels)
        if bands >= 3:
            dst.colorinterp = [
                rasterio.enums.ColorInterp.red, rasterio.enums.ColorInterp.green,
                rasterio.enums.ColorInterp.blue,
            ][:bands] + [rasterio.enums.ColorInterp.undefined] * (bands - 3)  # fmt: skip
    return path


def make_item(
    path: Path, href: str, *, item_id: str | None = None, collection: str = "aerial",
    datetime: str = "2024-06-01T10:00:00Z", self_href: str | None = None, **properties: Any,
) -> dict[str, Any]:  # fmt: skip
    """An Item with one ``visual`` asset for a raster."""
    with rasterio.open(path) as src:
        box = rasterio.warp.transform_bounds(src.crs, "EPSG:4326", *src.bounds)
        epsg, shape = src.crs.to_epsg(), [src.height, src.width]
        transform = list(src.transform)[:6]
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    links = [] if self_href is None else [{"rel": "self", "href": self_href}]
    return {
        "type": "Feature", "stac_version": "1.1.0", "stac_extensions": [],
        "id": item_id or path.stem, "collection": collection,
        "geometry": {"type": "Polygon", "coordinates": [ring]}, "bbox": list(box),
        "properties": {
            "datetime": datetime, "proj:code": f"EPSG:{epsg}", "proj:shape": shape,
            "proj:transform": transform, **properties,
        },
        "links": links,
        "assets": {
            "visual": {
                "href": href, "type": "image/tiff; application=geotiff", "roles": ["data"],
                "bands": [{"name": n, "eo:common_name": n} for n in ("red", "green", "blue")],
            },
            "thumbnail": {"href": "thumb.png", "type": "image/png", "roles": ["thumbnail"]},
        },
    }  # fmt: skip


def make_collection(name: str) -> dict[str, Any]:
    """A Collection for Items of :func:`make_item`."""
    return {
        "type": "Collection", "stac_version": "1.1.0", "id": name, "description": name,
        "license": "other", "links": [],
        "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]},
                   "temporal": {"interval": [["2024-01-01T00:00:00Z", None]]}},
    }  # fmt: skip
