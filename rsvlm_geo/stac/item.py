"""A STAC Item as a scene."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from rsvlm_geo.errors import StacError
from rsvlm_geo.remote.auth import Signer, redact
from rsvlm_geo.remote.dataset import is_remote
from rsvlm_geo.remote.policy import ReadPolicy
from rsvlm_geo.remote.source import RemoteSource
from rsvlm_geo.scene.source import BandPart

__all__ = ["StacItem", "item_source", "open_item"]


@dataclass(frozen=True, slots=True)
class StacItem:
    """An Item and where it came from; pickles."""

    data: Mapping[str, Any]
    """The Item's JSON."""
    base: str = ""
    """Path or URL it was read from, to resolve relative hrefs; may be empty."""
    network: bool = field(default=False)
    """Whether it came over a network: then it may not point at local files."""

    def __post_init__(self) -> None:
        kind = self.data.get("type")
        if kind != "Feature" or not isinstance(self.data.get("assets"), Mapping):
            raise StacError(
                f"{redact(self.base) or 'this'} is no STAC Item: its type is {kind!r} and it has "
                f"{'assets' if 'assets' in self.data else 'no assets'}; pass an Item"
            )

    @classmethod
    def of(cls, item: Any) -> StacItem:
        """From a :class:`StacItem`, a ``pystac.Item`` or an Item's JSON."""
        if isinstance(item, StacItem):
            return item
        if hasattr(item, "to_dict") and hasattr(item, "get_self_href"):
            href = item.get_self_href() or ""
            data = item.to_dict(include_self_link=True, transform_hrefs=False)
            return cls(data, href, _is_http(href))
        if isinstance(item, Mapping):
            href = _self_href(item)
            return cls(item, href, _is_http(href))
        raise StacError(f"a {type(item).__name__} is no STAC Item; pass an Item or its JSON")

    @property
    def id(self) -> str:
        """Unique within its collection."""
        return str(self.data.get("id", ""))

    @property
    def collection(self) -> str:
        """Id of its collection, or empty."""
        return str(self.data.get("collection") or "")

    @property
    def properties(self) -> Mapping[str, Any]:
        """Its properties, never None."""
        return self.data.get("properties") or {}

    @property
    def datetime(self) -> str | None:
        """Acquisition, ISO 8601; the start of an interval."""
        value = self.properties.get("datetime") or self.properties.get("start_datetime")
        return None if value is None else str(value)

    @property
    def name(self) -> str:
        """``collection/id``, for messages."""
        return f"{self.collection}/{self.id}" if self.collection else self.id

    @property
    def href(self) -> str:
        """Its own address, unsigned; ``collection/id`` when it has none."""
        return redact(_self_href(self.data) or self.base) or self.name

    def asset_href(self, key: str, *, allow_local: bool = False) -> str:
        """The absolute href of an asset.

        Raises:
            StacError: Unknown key, no href, or a local file asked for by a remote Item.
        """
        assets = self.data["assets"]
        if key not in assets:
            raise StacError(
                f"item {self.name} has no asset {key!r}; it has {', '.join(assets) or 'none'}"
            )
        href = str(assets[key].get("href") or "")
        if not href:
            raise StacError(f"asset {key!r} of item {self.name} has no href")
        base = self.base or _self_href(self.data)
        scheme = urlsplit(href).scheme
        if not scheme or len(scheme) == 1:
            if not href.startswith(("/", "\\")) and base:
                href = _join(base, href)
            elif self.network and href.startswith("/") and not href.startswith("/vsi"):
                href = _refuse_or_keep(self, key, href, allow_local)
        if self.network and not allow_local:
            remote = is_remote(href) and urlsplit(href).scheme in _NETWORK_SCHEMES
            if not remote:
                _refuse_or_keep(self, key, href, allow_local)
        return href.removeprefix("file://") if href.startswith("file://") else href

    def __reduce__(self) -> tuple[Any, ...]:
        # through JSON: pickles of a mapping proxy or of pystac's own types would not travel
        return _restore, (json.dumps(dict(self.data)), self.base, self.network)


_NETWORK_SCHEMES = ("http", "https", "s3", "gs", "az", "abfs", "oss")


def _restore(text: str, base: str, network: bool) -> StacItem:
    return StacItem(json.loads(text), base, network)


def _refuse_or_keep(item: StacItem, key: str, href: str, allow_local: bool) -> str:
    if allow_local:
        return href
    raise StacError(
        f"asset {key!r} of item {item.name} points at a local file, {redact(href)}, and the item "
        "came from the network; pass allow_local=True if you trust it"
    )


def _join(base: str, href: str) -> str:
    if _is_http(base):
        return urljoin(base, href)
    from pathlib import Path

    return str((Path(base.removeprefix("file://")).parent / href).resolve())


def _is_http(href: str) -> bool:
    return href.startswith(("http://", "https://"))


def _self_href(data: Mapping[str, Any]) -> str:
    for link in data.get("links") or []:
        if isinstance(link, Mapping) and link.get("rel") == "self":
            return str(link.get("href") or "")
    return ""


def item_source(
    item: Any,
    *,
    bands: Sequence[str] | None = None,
    assets: Sequence[str] | None = None,
    gsd_m: float | None = None,
    signer: Signer | str | None = None,
    policy: ReadPolicy | None = None,
    allow_local: bool = False,
) -> RemoteSource:
    """Where the pixels of an Item come from: one asset, or bands stacked from several.

    Args:
        item: A :class:`StacItem`, ``pystac.Item`` or an Item's JSON.
        bands: Common names or band names to show, ``("nir", "red", "green")``; red, green, blue.
        assets: Asset keys to take, instead of looking at bands.
        gsd_m: Pixel size of a stack, metres; None takes that of its finest band.
        signer: Asked before each read, or its spelling for
            :func:`rsvlm_geo.remote.make_signer`.
        policy: Patience with servers.
        allow_local: Let an Item from the network point at local files.

    Raises:
        StacError: No usable assets, an unknown key or band, or different CRS.
    """
    from rsvlm_geo.remote.auth import make_signer
    from rsvlm_geo.stac.assets import band_parts, check_projections

    item = StacItem.of(item)
    rows = band_parts(item, bands=bands, assets=assets)
    check_projections(item, [row.key for row in rows])
    parts = tuple(
        BandPart(
            item.asset_href(row.key, allow_local=allow_local),
            row.index,
            row.name,
            row.scale,
            row.offset,
            row.nodata,
        )
        for row in rows
    )
    extra: dict[str, Any] = {}
    if item.datetime:
        extra["datetime"] = item.datetime
    return RemoteSource(
        parts,
        signer=make_signer(signer) if isinstance(signer, str) else signer,
        policy=policy or ReadPolicy(),
        label=item.href,
        res=gsd_m,
        extra=extra,
    )


def only_item_source(place: str, **choices: Any) -> RemoteSource:
    """As :func:`item_source`, for a path or URL that holds one Item.

    Raises:
        StacError: It holds none, or several.
    """
    from rsvlm_geo.stac.load import load_items

    found = list(load_items(place, signer=choices.get("signer")))
    if len(found) != 1:
        raise StacError(
            f"{redact(place)} holds {len(found)} items; pass one of them, or run a batch"
        )
    return item_source(found[0], **choices)


def open_item(
    item: Any,
    *,
    bands: Sequence[str] | None = None,
    assets: Sequence[str] | None = None,
    gsd_m: float | None = None,
    signer: Signer | str | None = None,
    policy: ReadPolicy | None = None,
    allow_local: bool = False,
    **options: Any,
) -> Any:
    """Open an Item as a scene.

    Args:
        item: A :class:`StacItem`, ``pystac.Item``, an Item's JSON, or a path or URL of one.
        bands, assets, gsd_m, signer, policy, allow_local: As for :func:`item_source`.
        **options: As for :func:`rsvlm_geo.open_scene`.

    Returns:
        A :class:`rsvlm_geo.Scene`.

    Raises:
        StacError: No usable assets, an unknown key or band, or different CRS.
        SceneError: The assets cannot be read.
    """
    from rsvlm_geo.scene import open_scene

    choices: dict[str, Any] = {
        "bands": bands, "assets": assets, "gsd_m": gsd_m, "signer": signer, "policy": policy,
        "allow_local": allow_local,
    }  # fmt: skip
    if isinstance(item, str) or hasattr(item, "__fspath__"):
        source = only_item_source(str(item), **choices)
    else:
        source = item_source(item, **choices)
    return open_scene(source, **options)
