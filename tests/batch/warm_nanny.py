"""Loaded by each nanny: its workers fork from a server that has imported what they need."""

from __future__ import annotations

from typing import Any

PRELOAD = [
    "distributed", "distributed.worker", "distributed.nanny", "dask", "numpy", "pandas",
    "geopandas", "pyogrio", "pyarrow.parquet", "rasterio", "oracle", "rsvlm_geo.remote.fast",
    "rsvlm_geo.batch.finish", "rsvlm_geo.stac.item", "rsvlm_geo.stac.out", "urllib3",
]  # fmt: skip


def dask_setup(nanny: Any) -> None:
    """Called by the nanny before it starts its worker."""
    from distributed.utils import get_mp_context

    get_mp_context().set_forkserver_preload(PRELOAD)
