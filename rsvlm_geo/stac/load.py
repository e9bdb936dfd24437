"""Items from wherever they are: a path, a URL, standard input, an ItemCollection, a catalogue."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rsvlm_geo.errors import SceneError, StacError
from rsvlm_geo.remote.auth import Signer, make_signer, redact
from rsvlm_geo.remote.policy import ReadPolicy
from rsvlm_geo.stac.item import StacItem

__all__ = ["fetch_json", "is_stac_path", "load_items"]

_LIMIT = 512 << 20


def load_items(source: Any, *, signer: Signer | str | None = None) -> Iterator[StacItem]:
    """The Items of a source.

    Args:
        source: ``-`` for standard input; a path or URL of an Item, ItemCollection, or newline
            delimited Items; a ``pystac`` Item, ItemCollection or Catalog; an Item's JSON; or a
            sequence of these.
        signer: For URLs that want credentials.

    Raises:
        StacError: It holds no Items.
    """
    if isinstance(source, Mapping) or hasattr(source, "get_self_href"):
        if isinstance(source, Mapping):
            yield from _from_json(source, "", network=_from_network(source))
        elif hasattr(source, "get_items"):
            yield from (StacItem.of(item) for item in source.get_items(recursive=True))
        else:
            yield StacItem.of(source)
    elif hasattr(source, "items") and not callable(source.items):
        yield from (StacItem.of(item) for item in source.items)
    elif isinstance(source, (str, Path)):
        yield from _from_text_place(str(source), signer)
    elif isinstance(source, StacItem):
        yield source
    else:
        try:
            parts = iter(source)
        except TypeError:
            raise StacError(f"a {type(source).__name__} holds no STAC Items") from None
        for part in parts:
            yield from load_items(part, signer=signer)


def is_stac_path(source: str) -> bool:
    """Whether a path or URL may be an Item rather than a raster, by its looks only."""
    path = source.partition("?")[0].rstrip("/").lower()
    if path.endswith((".json", ".geojson", ".ndjson", ".jsonl")):
        return True
    return path.startswith(("http://", "https://")) and "/items/" in path


def fetch_json(
    place: str, signer: Signer | str | None = None, policy: ReadPolicy | None = None
) -> Any:
    """JSON from a path or URL, with retries.

    Raises:
        StacError: There is none, or it is not JSON.
    """
    return _parse(_fetch(place, signer, policy), place)


def _fetch(place: str, signer: Signer | str | None, policy: ReadPolicy | None = None) -> bytes:
    if not place.startswith(("http://", "https://")):
        path = Path(place.removeprefix("file://"))
        try:
            return path.read_bytes()
        except OSError as error:
            raise StacError(f"cannot read {path}: {error.strerror or error}") from error
    from rsvlm_geo.remote.fetch import get_bytes

    headers: dict[str, str] = {}
    url = place
    asked = make_signer(signer) if isinstance(signer, str) else signer
    from rsvlm_geo.remote.auth import BearerSigner

    if isinstance(asked, BearerSigner):
        signed = asked(place)
        url, headers = signed.href, dict(signed.headers)
    try:
        return get_bytes(url, headers, policy=policy or ReadPolicy(read_timeout_s=15.0))
    except SceneError as error:
        raise StacError(str(error)) from error


def _parse(body: bytes, place: str) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        looks = "an HTML page" if body.lstrip()[:1] == b"<" else "no JSON"
        raise StacError(
            f"{redact(place)} is {looks}, not STAC; check the address, or whether it needs a login"
        ) from error


def _from_text_place(place: str, signer: Signer | str | None) -> Iterator[StacItem]:
    if place == "-":
        body, base, network = sys.stdin.buffer.read(_LIMIT), "", True
        # what comes through a pipe came from a search: not trusted with local files
    else:
        body, base = _fetch(place, signer), place
        network = place.startswith(("http://", "https://"))
    shown = "standard input" if place == "-" else place
    try:
        data = json.loads(body)
    except ValueError:
        lines = [line for line in body.splitlines() if line.strip()]
        if len(lines) < 2:
            _parse(body, shown)
        for line in lines:
            yield from _from_json(_parse(line, shown), base, network=network)
        return
    if isinstance(data, list):
        for part in data:
            yield from _from_json(part, base, network=network)
        return
    if isinstance(data, Mapping) and data.get("type") in ("Catalog", "Collection"):
        from rsvlm_geo.stac.query import SearchQuery
        from rsvlm_geo.stac.searching import search

        yield from search(place, SearchQuery(), signer=signer)
        return
    yield from _from_json(data, base, network=network)


def _from_json(data: Any, base: str, *, network: bool) -> Iterator[StacItem]:
    kind = data.get("type") if isinstance(data, Mapping) else None
    if kind == "FeatureCollection":
        for feature in data.get("features") or []:
            href = next(
                (str(link["href"]) for link in feature.get("links") or []
                 if link.get("rel") == "self" and link.get("href")), base,
            )  # fmt: skip
            yield StacItem(feature, href, network or _is_http(href))
        return
    if kind == "Feature":
        yield StacItem(data, base, network)
        return
    raise StacError(
        f"{redact(base) or 'the input'} is a {kind or type(data).__name__}; expected a STAC "
        "Item or ItemCollection"
    )


def _is_http(href: str) -> bool:
    return href.startswith(("http://", "https://"))


def _from_network(data: Mapping[str, Any]) -> bool:
    links = data.get("links") or []
    return any(
        link.get("rel") == "self" and _is_http(str(link.get("href") or "")) for link in links
    )
