"""Rasters behind a network: ranges over HTTP, signatures that expire, servers that fail.

``open_raster(source)`` gives something that reads like a rasterio dataset, for a local path and for
every kind of remote one::

    with open_raster("https://host/a.tif") as src:       # or RasterSource(href, signer=...)
        pixels = src.read((1, 2, 3), window=window, out_shape=(3, 512, 512))

HTTP(S) goes through :class:`~rsvlm_geo.remote.http.HttpFile`, our own range reader: GDAL's
``/vsicurl/`` remembers a failed request for the life of the process and answers the next one from
memory, so that a retry never reaches the server; it does not retry a connection that is cut; and a
signature cannot be renewed under an open dataset. Object stores (``s3://``, ``gs://``, ``az://``)
and explicit ``/vsi.../`` names stay with GDAL, whose failure memory is wiped before each retry.
"""

from __future__ import annotations

from rsvlm_geo.remote.auth import Signed, Signer, make_signer, redact
from rsvlm_geo.remote.dataset import RasterSource, is_remote, open_raster
from rsvlm_geo.remote.http import HttpFile
from rsvlm_geo.remote.policy import AccessError, ReadPolicy

__all__ = [
    "AccessError",
    "HttpFile",
    "RasterSource",
    "ReadPolicy",
    "Signed",
    "Signer",
    "is_remote",
    "make_signer",
    "open_raster",
    "redact",
]
