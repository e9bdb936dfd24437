"""Which assets and bands of an Item to show, from what the Item says. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rsvlm_geo.errors import StacError

if TYPE_CHECKING:
    from rsvlm_geo.stac.item import StacItem

__all__ = ["AssetBand", "auth_hint", "band_parts", "check_projections", "raster_assets"]

RGB = ("red", "green", "blue")
_RASTER_TYPES = ("image/tiff", "image/jp2", "image/vnd.stac.geotiff", "application/x-hdf")
_RASTER_SUFFIXES = (".tif", ".tiff", ".jp2", ".vrt", ".img", ".jpg", ".jpeg", ".png", ".webp")
_PICTURE_ROLES = {"thumbnail", "overview", "metadata", "browse", "quicklook"}


@dataclass(frozen=True, slots=True)
class AssetBand:
    """One band of one asset."""

    key: str
    """Of the asset."""
    index: int
    """1-based; 0 is the whole file."""
    name: str = ""
    """Common name where it has one, else its own name."""
    scale: float | None = None
    offset: float | None = None
    nodata: float | None = None


def raster_assets(item: StacItem) -> list[str]:
    """Keys of the assets that hold pixels worth showing, in the Item's order."""
    found = []
    for key, asset in item.data["assets"].items():
        roles = {str(r).lower() for r in asset.get("roles") or []}
        if roles & _PICTURE_ROLES and "data" not in roles:
            continue
        kind = str(asset.get("type") or "").lower()
        path = str(asset.get("href") or "").lower().partition("?")[0]
        if kind.startswith(_RASTER_TYPES) or path.endswith(_RASTER_SUFFIXES):
            found.append(key)
    return found


def band_parts(
    item: StacItem, *, bands: Sequence[str] | None = None, assets: Sequence[str] | None = None
) -> list[AssetBand]:
    """The bands to show.

    Asked assets or bands first; else an asset that holds red, green and blue together; else red,
    green and blue from three assets; else the panchromatic band; else the only raster there is.

    Raises:
        StacError: Nothing usable, or something asked for is not there.
    """
    if assets is not None:
        return _asked_assets(item, assets)
    rasters = raster_assets(item)
    if not rasters:
        keys = ", ".join(item.data["assets"]) or "none"
        raise StacError(
            f"item {item.name} has no raster assets among its {len(item.data['assets'])} ({keys}); "
            "pass assets= if one of them can be read"
        )
    rows = {key: _asset_bands(item, key) for key in rasters}
    if bands is not None:
        return [_named(item, rows, name) for name in bands]
    order = sorted(rasters, key=lambda key: _visual_last(item, key))
    for key in order:
        found = [_pick(rows[key], name) for name in RGB]
        if all(found):
            return [band for band in found if band is not None]
    every = [band for key in rasters for band in rows[key]]
    found = [_pick(every, name) for name in RGB]
    if all(found):
        return [band for band in found if band is not None]
    pan = _pick(every, "pan")
    if pan is not None:
        return [pan]
    whole = [key for key in order if key in ("visual", "image", "data")] or order
    if len(rasters) == 1 or whole[0] in ("visual", "image", "data"):
        return [AssetBand(whole[0], 0)]
    raise StacError(
        f"item {item.name} does not say which of its rasters are red, green and blue: "
        f"{', '.join(rasters)}; pass assets= with one key, or three"
    )


def check_projections(item: StacItem, keys: Sequence[str]) -> None:
    """Raise StacError when the Item itself says that assets lie in different CRS."""
    said: dict[str, str] = {}
    for key in dict.fromkeys(keys):
        for place in (item.data["assets"][key], item.properties):
            code = place.get("proj:code") or place.get("proj:epsg")
            if code:
                said[key] = f"EPSG:{code}" if isinstance(code, int) else str(code)
                break
    if len(set(said.values())) > 1:
        shown = ", ".join(f"{key} is {crs}" for key, crs in said.items())
        raise StacError(
            f"assets of item {item.name} have different CRS and cannot be stacked: {shown}; "
            "pass assets= of one CRS"
        )


def auth_hint(item: StacItem, key: str) -> str:
    """What an Item says about getting in, as a next step; empty when it says nothing."""
    asset = item.data["assets"].get(key, {})
    if asset.get("storage:requester_pays") or item.properties.get("storage:requester_pays"):
        return "the bucket bills its readers; pass signer='requester-pays' to accept that"
    schemes = item.properties.get("auth:schemes") or item.data.get("auth:schemes") or {}
    for ref in asset.get("auth:refs") or []:
        scheme = schemes.get(ref, {})
        kind = str(scheme.get("type", "")).lower()
        if kind == "http" and str(scheme.get("scheme", "")).lower() == "bearer":
            return "it asks for a bearer token; pass signer='bearer:NAME_OF_VARIABLE'"
        if kind == "signedurl":
            return "its hrefs must be signed; pass signer='sas:URL_OF_THE_SIGNING_SERVICE'"
        if kind == "s3":
            return "it asks for S3 credentials; set AWS_PROFILE or the AWS_ variables"
        if kind:
            return f"it asks for {kind}; pass signer="
    return ""


def _asked_assets(item: StacItem, assets: Sequence[str]) -> list[AssetBand]:
    known = item.data["assets"]
    for key in assets:
        if key not in known:
            raise StacError(
                f"item {item.name} has no asset {key!r}; it has {', '.join(known) or 'none'}"
            )
    if len(assets) == 1:
        bands = _asset_bands(item, assets[0])
        rgb = [_pick(bands, name) for name in RGB]
        if all(rgb):
            return [band for band in rgb if band is not None]
        return [AssetBand(assets[0], 0)]
    if len(assets) != 3:
        raise StacError(f"assets= takes one key, or three for red, green, blue; got {len(assets)}")
    return [
        AssetBand(b.key, b.index, name, b.scale, b.offset, b.nodata)
        for name, b in zip(RGB, (_asset_bands(item, key)[0] for key in assets), strict=True)
    ]


def _asset_bands(item: StacItem, key: str) -> list[AssetBand]:
    """The bands that an asset says it has; one nameless band when it says nothing."""
    asset = item.data["assets"][key]
    named = asset.get("bands") or asset.get("eo:bands") or []
    raster = asset.get("raster:bands") or []
    count = max(len(named), len(raster), 1)
    found = []
    for i in range(count):
        name: Mapping[str, Any] = named[i] if i < len(named) else {}
        facts: Mapping[str, Any] = raster[i] if i < len(raster) else {}
        common = name.get("eo:common_name") or name.get("common_name") or ""
        if not common and count == 1 and not name.get("name"):
            common = key if key in (*RGB, "nir", "pan") else ""
        found.append(
            AssetBand(
                key,
                i + 1,
                str(common or name.get("name") or "").lower(),
                _number(_first(name, facts, asset, "raster:scale", "scale")),
                _number(_first(name, facts, asset, "raster:offset", "offset")),
                _number(_first(name, facts, asset, "nodata", "nodata")),
            )
        )
    return found


def _first(
    band: Mapping[str, Any], raster: Mapping[str, Any], asset: Mapping[str, Any],
    new: str, old: str,
) -> Any:  # fmt: skip
    for place, name in ((band, new), (raster, old), (asset, new)):
        if place.get(name) is not None:
            return place[name]
    return None


def _number(value: Any) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) or number != number else None


def _pick(bands: Sequence[AssetBand], name: str) -> AssetBand | None:
    for band in bands:
        if band.name == name or (name == "pan" and band.name == "panchromatic"):
            return band
    return None


def _named(item: StacItem, rows: Mapping[str, Sequence[AssetBand]], name: str) -> AssetBand:
    wanted = name.lower()
    singles = [row[0] for row in rows.values() if len(row) == 1]
    for bands in (singles, [band for row in rows.values() for band in row]):
        for band in bands:
            if wanted in (band.name, band.key.lower()):
                return band
    known = sorted({band.name or band.key for row in rows.values() for band in row})
    raise StacError(f"item {item.name} has no band {name!r}; it has {', '.join(known)}")


def _visual_last(item: StacItem, key: str) -> tuple[int, int]:
    roles = {str(r).lower() for r in item.data["assets"][key].get("roles") or []}
    return (0 if key == "visual" or "visual" in roles else 1, 0 if "data" in roles else 1)
