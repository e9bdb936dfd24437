"""GDAL's own network file systems: how they are set up, and how their failures are forgotten."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from pathlib import Path
from typing import Any

from rsvlm_geo.remote.policy import ReadPolicy

__all__ = ["forget_failures", "gdal_env", "vsi_name"]


def gdal_env(policy: ReadPolicy | None = None) -> dict[str, Any]:
    """Options for ``rasterio.Env`` when GDAL itself asks a server.

    Measured on one COG at 50 ms a request: without them opening and one window took 14 requests,
    with them 5. ``GDAL_CACHEMAX`` is left to the reader, and must be given in *bytes* through
    ``rasterio.Env`` (in megabytes through the environment).
    """
    policy = policy or ReadPolicy()
    return {
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
        "GDAL_HTTP_MULTIRANGE": "YES",
        "GDAL_HTTP_VERSION": "2",
        "GDAL_INGESTED_BYTES_AT_OPEN": 65536,
        "CPL_VSIL_CURL_CACHE_SIZE": policy.cache_bytes,
        "GDAL_HTTP_TIMEOUT": int(policy.read_timeout_s),
        "GDAL_HTTP_CONNECTTIMEOUT": int(policy.connect_timeout_s),
        "GDAL_HTTP_LOW_SPEED_LIMIT": int(policy.min_rate),
        "GDAL_HTTP_LOW_SPEED_TIME": int(policy.read_timeout_s),
        "GDAL_HTTP_MAX_RETRY": 4,
        "GDAL_HTTP_RETRY_DELAY": policy.first_delay_s,
    }


_SCHEMES = {
    "http": "/vsicurl/http", "https": "/vsicurl/https", "s3": "/vsis3/", "gs": "/vsigs/",
    "az": "/vsiaz/", "abfs": "/vsiadls/", "oss": "/vsioss/",
}  # fmt: skip


def vsi_name(href: str) -> str:
    """The name by which GDAL opens an href."""
    scheme, separator, rest = href.partition("://")
    if not separator or href.startswith("/vsi"):
        return href
    prefix = _SCHEMES[scheme.lower()]
    return f"{prefix}://{rest}" if prefix.startswith("/vsicurl") else prefix + rest


@lru_cache(maxsize=1)
def _libgdal() -> Any:
    """The very libgdal that rasterio uses, or None where its symbols cannot be reached."""
    import rasterio

    home = Path(rasterio.__file__).parent
    folders = (home.parent / "rasterio.libs", home / ".dylibs", home)
    for folder in folders:
        for path in sorted(folder.glob("*gdal*")):
            if ".so" in path.name or path.suffix in (".dylib", ".dll"):
                try:
                    library = ctypes.CDLL(str(path))
                    library.VSICurlPartialClearCache.argtypes = [ctypes.c_char_p]
                except (OSError, AttributeError):
                    continue
                return library
    try:
        library = ctypes.CDLL(None)
        library.VSICurlPartialClearCache.argtypes = [ctypes.c_char_p]
    except (OSError, AttributeError, TypeError):
        return None
    return library


def forget_failures(name: str) -> bool:
    """Wipe what GDAL remembers of a network file, failures included.

    Without it a 503, a cut connection or a 404 is answered from memory for the life of the process,
    and a retry never reaches the server.

    Returns:
        Whether the memory could be reached.
    """
    library = _libgdal()
    if library is None:
        return False
    library.VSICurlPartialClearCache(name.encode())
    return True
