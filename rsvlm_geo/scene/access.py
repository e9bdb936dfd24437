"""Paths and URLs as GDAL spells them, and opening them with errors that say what to do."""

from __future__ import annotations

import re
import threading
import warnings
from pathlib import Path
from typing import Any

import rasterio
from rasterio.errors import RasterioError, RasterioIOError

from rsvlm_geo.errors import SceneNotFoundError, SceneUnreadableError

__all__ = ["gdal_path", "is_remote", "open_dataset"]

_FILTERS = threading.Lock()


def gdal_path(href: str) -> str:
    """A path or URL as GDAL spells it: ``https://`` becomes ``/vsicurl/https://``."""
    for scheme, prefix in (("s3://", "/vsis3/"), ("gs://", "/vsigs/"), ("az://", "/vsiaz/")):
        if href.startswith(scheme):
            return prefix + href[len(scheme) :]
    if re.match(r"(https?|ftp)://", href):
        return "/vsicurl/" + href
    if href.startswith("file://"):
        return href[len("file://") :]
    if href.startswith(("/vsi", "<")) or "://" in href:
        return href
    return str(Path(href).absolute())


def is_remote(href: str) -> bool:
    """Whether reading it goes over a network."""
    return gdal_path(href).startswith(
        ("/vsicurl", "/vsis3", "/vsigs", "/vsiaz", "/vsiadls", "/vsioss", "/vsiswift", "/vsihdfs")
    )


def open_dataset(href: str, *, shown: str | None = None) -> Any:
    """``rasterio.open`` with errors that say what and what next.

    Raises:
        SceneNotFoundError: Nothing there.
        SceneUnreadableError: Not a raster, or a broken one.
    """
    shown = shown or href
    local = not is_remote(href) and "://" not in href and not href.startswith(("/vsi", "<"))
    # subdatasets and drivers have a colon: NETCDF:"a.nc":var
    if local and not Path(href).exists() and not re.match(r"^[A-Za-z0-9_]{2,}:", href):
        raise SceneNotFoundError(f"no file {shown}; check the path")
    if local and Path(href).is_dir() and not any(Path(href).iterdir()):
        raise SceneUnreadableError(f"{shown} is an empty folder; pass a raster file")
    try:
        # the filters are global: two reader threads must not swap them at once
        with _FILTERS, warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            return rasterio.open(href)
    except RasterioIOError as error:
        raise _open_error(shown, error) from error
    except RasterioError as error:
        raise SceneUnreadableError(f"cannot open {shown}: {_first_line(error)}") from error


def _open_error(shown: str, error: Exception) -> Exception:
    text = _first_line(error)
    if re.search(r"No such file|does not exist|HTTP response code: (404|410)", text):
        return SceneNotFoundError(f"nothing found at {shown}: {text}; check the path or URL")
    if re.search(r"response code: (401|403)|AccessDenied|InvalidCredentials", text):
        return SceneUnreadableError(
            f"no access to {shown}: {text}; sign the URL or set the provider's credentials"
        )
    if "not recognized" in text:
        return SceneUnreadableError(
            f"{shown} is not a raster that GDAL {rasterio.__gdal_version__} knows; "
            "pass a GeoTIFF, or convert it with gdal_translate"
        )
    return SceneUnreadableError(f"cannot open {shown}: {text}; check that the file is whole")


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
