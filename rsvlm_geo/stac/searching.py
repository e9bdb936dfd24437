"""Search: STAC APIs through pystac-client, static catalogues by walking them."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import Any

from rsvlm_geo.errors import RsvlmError, StacError, require
from rsvlm_geo.remote.auth import BearerSigner, Signer, make_signer, redact, redact_text
from rsvlm_geo.remote.policy import RETRY_STATUSES, ReadPolicy
from rsvlm_geo.stac.item import StacItem
from rsvlm_geo.stac.load import fetch_json
from rsvlm_geo.stac.query import SearchQuery

__all__ = ["search"]


def search(
    url: str,
    query: SearchQuery | None = None,
    *,
    signer: Signer | str | None = None,
    policy: ReadPolicy | None = None,
    **options: Any,
) -> Iterator[StacItem]:
    """Find Items; each once, also across the antimeridian.

    Args:
        url: Root of a STAC API, or a static catalogue or collection (path or URL).
        query: What to look for; or its fields as keywords.
        signer: For an API that wants a bearer token.
        policy: Patience with the server.
        **options: Fields of :class:`SearchQuery`.

    Yields:
        Items, as pages arrive.

    Raises:
        StacError: The server cannot be used, a collection is unknown, the query is bad, or more
            than ``max_items`` match.
    """
    if query is None:
        for name in ("collections", "ids"):
            if isinstance(options.get(name), str):
                options[name] = (options[name],)
            elif name in options:
                options[name] = tuple(options[name] or ())
        if options.get("bbox") is not None:
            options["bbox"] = tuple(options["bbox"])
        query = SearchQuery(**options)
    asked = make_signer(signer) if isinstance(signer, str) else signer
    return _bounded(url, query, asked, policy or ReadPolicy())


def _bounded(
    url: str, query: SearchQuery, signer: Signer | None, policy: ReadPolicy
) -> Iterator[StacItem]:
    root = fetch_json(url, signer, policy)
    if not isinstance(root, dict) or root.get("type") not in ("Catalog", "Collection"):
        kind = root.get("type") if isinstance(root, dict) else type(root).__name__
        raise StacError(f"{redact(url)} is a {kind}, not a STAC API or catalogue")
    conforms = " ".join(str(c) for c in root.get("conformsTo") or [])
    if "item-search" in conforms:
        found = _search_api(url, query, signer, policy)
    else:
        from rsvlm_geo.stac.static import walk

        found = walk(url, root, query, signer, policy)
    seen: set[tuple[str, str]] = set()
    for item in found:
        key = (item.collection, item.id)
        if key in seen:
            continue
        if query.max_items and len(seen) >= query.max_items:
            raise StacError(
                f"more than {query.max_items} items match ({query.describe()}); narrow the search, "
                "or raise max_items"
            )
        seen.add(key)
        yield item


def _search_api(
    url: str, query: SearchQuery, signer: Signer | None, policy: ReadPolicy
) -> Iterator[StacItem]:
    client = _open_client(url, signer, policy)
    with _plain_errors(url):
        _check_collections(client, query.collections)
    for part in query.parts():
        arguments: dict[str, Any] = {"max_items": None, "limit": 200}
        if query.collections:
            arguments["collections"] = list(query.collections)
        if part is not None:
            arguments["bbox"] = list(part)
        if query.datetime:
            arguments["datetime"] = query.datetime
        if query.ids:
            arguments["ids"] = list(query.ids)
        if query.intersects is not None:
            arguments["intersects"] = dict(query.intersects)
        if query.filter is not None:
            arguments["filter"] = _as_json(query.filter)
            arguments["filter_lang"] = "cql2-json"
        with _plain_errors(url):
            for data in client.search(**arguments).items_as_dicts():
                yield StacItem(data, _item_href(url, data), network=True)


def _open_client(url: str, signer: Signer | None, policy: ReadPolicy) -> Any:
    pystac_client = require("pystac_client", extra="stac")
    from pystac_client.stac_api_io import StacApiIO
    from urllib3 import Retry

    headers = dict(signer(url).headers) if isinstance(signer, BearerSigner) else None
    # an int here would retry connections only, and a timeout here would be lost on open
    retry = Retry(
        total=policy.tries - 1,
        backoff_factor=policy.first_delay_s,
        backoff_max=policy.max_delay_s,
        status_forcelist=sorted(RETRY_STATUSES),
        allowed_methods=None,
        respect_retry_after_header=False,
    )
    with _plain_errors(url):
        return pystac_client.Client.open(
            url,
            headers=headers,
            stac_io=StacApiIO(headers=headers, max_retries=retry),
            timeout=(policy.connect_timeout_s, policy.read_timeout_s),
        )


def _check_collections(client: Any, wanted: tuple[str, ...]) -> None:
    """An API answers an unknown collection with an empty list, which reads like 'nothing there'."""
    if not wanted:
        return
    known = {collection.id for collection in client.get_collections()}
    for name in wanted:
        if name in known:
            continue
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"it has {_some(known)}"
        raise StacError(f"no collection {name!r} at {redact(str(client.get_self_href()))}; {hint}")


def _some(names: set[str]) -> str:
    shown = sorted(names)[:10]
    more = len(names) - len(shown)
    return (", ".join(shown) or "none") + (f" and {more} more" if more > 0 else "")


def _as_json(text: Any) -> Any:
    if not isinstance(text, str):
        return dict(text)
    cql2 = require("cql2", extra="stac")
    return json.loads(json.dumps(cql2.Expr(text).to_json()))


def _item_href(url: str, data: dict[str, Any]) -> str:
    for link in data.get("links") or []:
        if link.get("rel") == "self" and link.get("href"):
            return str(link["href"])
    return f"{url.rstrip('/')}/collections/{data.get('collection')}/items/{data.get('id')}"


class _plain_errors:
    """Whatever a client library raises, as one StacError line."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, RsvlmError) or not isinstance(error, Exception):
            return
        said = " ".join(redact_text(str(error)).split())[:200] or type(error).__name__
        raise StacError(f"the STAC API at {redact(self.url)} failed: {said}") from error
