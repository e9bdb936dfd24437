"""Static catalogues: walk the links, filter here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from rsvlm_geo.errors import StacError
from rsvlm_geo.remote.auth import Signer, redact
from rsvlm_geo.remote.policy import ReadPolicy
from rsvlm_geo.stac.item import StacItem
from rsvlm_geo.stac.load import fetch_json
from rsvlm_geo.stac.query import SearchQuery, check_filter, parse_datetimes

__all__ = ["walk"]

MAX_DOCUMENTS = 200_000


def walk(
    url: str,
    root: Mapping[str, Any],
    query: SearchQuery,
    signer: Signer | None,
    policy: ReadPolicy | None = None,
) -> Iterator[StacItem]:
    """The Items of a static catalogue that a query matches, breadth first, each document once."""
    expression = None if query.filter is None else check_filter(query.filter)
    queue: list[tuple[str, Mapping[str, Any] | None]] = [(url, root)]
    seen = {url}
    known: set[str] = set()
    while queue:
        href, document = queue.pop(0)
        data = document if document is not None else fetch_json(href, signer, policy)
        kind = data.get("type") if isinstance(data, Mapping) else None
        if kind == "Feature":
            item = StacItem(data, href, href.startswith(("http://", "https://")))
            if _matches(item, query, expression):
                yield item
            continue
        if kind == "FeatureCollection":
            for feature in data.get("features") or []:
                item = StacItem(feature, href, href.startswith(("http://", "https://")))
                if _matches(item, query, expression):
                    yield item
            continue
        if kind not in ("Catalog", "Collection"):
            raise StacError(f"{redact(href)} is a {kind}; expected a STAC catalogue or Item")
        if kind == "Collection":
            known.add(str(data.get("id")))
            if query.collections and data.get("id") not in query.collections:
                wanted: tuple[str, ...] = ("child",)
            else:
                wanted = ("child", "item", "items")
        else:
            wanted = ("child", "item", "items")
        for link in data.get("links") or []:
            if link.get("rel") not in wanted or not link.get("href"):
                continue
            target = _join(href, str(link["href"]))
            if _leaves(href, target) or target in seen:
                continue
            if len(seen) >= MAX_DOCUMENTS:
                raise StacError(
                    f"{redact(url)} links to more than {MAX_DOCUMENTS} documents; search a "
                    "collection of it"
                )
            seen.add(target)
            queue.append((target, None))
    for name in query.collections:
        if name not in known:
            listed = ", ".join(sorted(known)[:10]) or "none"
            raise StacError(f"no collection {name!r} in {redact(url)}; it has {listed}")


def _join(base: str, href: str) -> str:
    if base.startswith(("http://", "https://")) or "://" in href:
        return urljoin(base, href)
    return str((Path(base.removeprefix("file://")).parent / href).resolve())


def _leaves(base: str, target: str) -> bool:
    """Whether a remote catalogue points at this machine's files."""
    remote = ("http://", "https://")
    return base.startswith(remote) and not target.startswith(remote)


def _matches(item: StacItem, query: SearchQuery, expression: Any) -> bool:
    if query.ids and item.id not in query.ids:
        return False
    if query.collections and item.collection and item.collection not in query.collections:
        return False
    if query.times is not None and not _in_time(item, query.times):
        return False
    if (query.bbox is not None or query.intersects is not None) and not _in_space(item, query):
        return False
    if expression is None:
        return True
    try:
        return bool(expression.matches(dict(item.data)))
    except Exception:
        return False  # a property the item lacks is null, and null matches nothing


def _in_time(item: StacItem, wanted: tuple[datetime | None, datetime | None]) -> bool:
    first = item.properties.get("start_datetime") or item.properties.get("datetime")
    last = item.properties.get("end_datetime") or item.properties.get("datetime")
    if first is None or last is None:
        return False
    start, _ = parse_datetimes(str(first))
    end, _ = parse_datetimes(str(last))
    low = wanted[0] or datetime.min.replace(tzinfo=timezone.utc)
    high = wanted[1] or datetime.max.replace(tzinfo=timezone.utc)
    return start is not None and end is not None and start <= high and end >= low


def _in_space(item: StacItem, query: SearchQuery) -> bool:
    import shapely
    import shapely.geometry

    geometry = item.data.get("geometry")
    if geometry is None:
        return False
    mine = shapely.geometry.shape(geometry)
    if query.intersects is not None:
        return bool(mine.intersects(shapely.geometry.shape(dict(query.intersects))))
    return any(mine.intersects(shapely.box(*part)) for part in query.parts() if part is not None)
