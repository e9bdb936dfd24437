"""The scenes of the kill tests behind a real STAC API: pgstac, stac-fastapi, COGs behind nginx."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rasterio.shutil
from killing import make_scenes
from real_api import RealApi
from worlds import make_collection, make_item


@contextmanager
def real_world(folder: Path) -> Iterator[list[str]]:
    """What ``rsvlm-geo batch`` is told to find them: ``--search URL -c aerial``."""
    web = folder / "web"
    web.mkdir(parents=True)
    folder.chmod(0o755)
    with RealApi(web) as api:
        items = []
        for path in map(Path, make_scenes(folder / "plain")):
            cog = web / path.name
            rasterio.shutil.copy(path, cog, driver="COG", compress="ZSTD", blocksize=128)
            items.append(make_item(cog, f"{api.files}/{cog.name}"))
        api.load([make_collection("aerial")], items)
        yield ["--search", api.url, "-c", "aerial"]
