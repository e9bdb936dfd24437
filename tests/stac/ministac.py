"""A STAC API in memory, as small as it can be, with the manners of real ones.

Pages of two, an empty list for an unknown collection, an empty list for a bbox across the
antimeridian, a bare 500 for a bad filter; ``fail_first`` answers 503 to that many requests.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import cql2
import shapely
import shapely.geometry

CONFORMS = [
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/item-search",
    "https://api.stacspec.org/v1.0.0/item-search#filter",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
]


class MiniStac(ThreadingHTTPServer):
    """Serves the items it is given; use as a context manager."""

    daemon_threads = True

    def __init__(self, items: list[dict[str, Any]], *, page: int = 2, fail_first: int = 0) -> None:
        self.items, self.page, self.fail_first = items, page, fail_first
        self.requests: list[tuple[str, str, Any]] = []
        self.token: str | None = None
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> MiniStac:
        options = {"poll_interval": 0.05}
        threading.Thread(target=self.serve_forever, kwargs=options, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.shutdown()
        self.server_close()

    def collections(self) -> list[str]:
        return sorted({item["collection"] for item in self.items})

    def search(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        found = self.items
        if query.get("collections"):
            found = [i for i in found if i["collection"] in query["collections"]]
        if query.get("ids"):
            found = [i for i in found if i["id"] in query["ids"]]
        if query.get("bbox"):
            west, south, east, north = query["bbox"]
            if west > east:
                return []
            box = shapely.box(west, south, east, north)
            found = [i for i in found if shapely.geometry.shape(i["geometry"]).intersects(box)]
        if query.get("intersects"):
            shape = shapely.geometry.shape(query["intersects"])
            found = [i for i in found if shapely.geometry.shape(i["geometry"]).intersects(shape)]
        if query.get("datetime"):
            start, _, end = query["datetime"].partition("/")
            end = end or start
            found = [
                i
                for i in found
                if (start in ("", "..") or i["properties"]["datetime"] >= start)
                and (end in ("", "..") or i["properties"]["datetime"] <= end)
            ]
        if query.get("filter"):
            expression = cql2.Expr(query["filter"])
            found = [i for i in found if _matches(expression, i)]
        return found


def _matches(expression: Any, item: dict[str, Any]) -> bool:
    try:
        return bool(expression.matches(item))
    except Exception:
        return False


class _Handler(BaseHTTPRequestHandler):
    server: MiniStac

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer("GET", None)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self._answer("POST", json.loads(self.rfile.read(length) or b"{}"))

    def _answer(self, method: str, body: Any) -> None:
        server = self.server
        server.requests.append((method, self.path, body))
        if server.fail_first > 0:
            server.fail_first -= 1
            return self._send({"detail": "busy"}, 503)
        if server.token and self.headers.get("Authorization") != f"Bearer {server.token}":
            return self._send({"detail": "who"}, 401)
        parts = urlsplit(self.path)
        root = server.url
        if parts.path in ("", "/"):
            return self._send(
                {
                    "type": "Catalog", "stac_version": "1.1.0", "id": "mini", "description": "m",
                    "conformsTo": CONFORMS,
                    "links": [
                        {"rel": "self", "href": root}, {"rel": "root", "href": root},
                        {"rel": "data", "href": f"{root}/collections"},
                        {"rel": "search", "href": f"{root}/search", "method": "GET",
                         "type": "application/geo+json"},
                        {"rel": "search", "href": f"{root}/search", "method": "POST",
                         "type": "application/geo+json"},
                    ],
                }
            )  # fmt: skip
        if parts.path == "/collections":
            return self._send(
                {"collections": [self._collection(c) for c in server.collections()], "links": []}
            )
        if parts.path == "/search":
            query = body if body is not None else self._query(parse_qs(parts.query))
            try:
                found = server.search(query)
            except Exception:
                return self._send({"detail": "internal"}, 500)
            start = int(query.get("token") or 0)
            links = []
            if start + server.page < len(found):
                following = {**query, "token": str(start + server.page)}
                links.append(
                    {"rel": "next", "href": f"{root}/search", "method": "POST", "body": following}
                )
            features = found[start : start + server.page]
            return self._send({"type": "FeatureCollection", "features": features, "links": links})
        return self._send({"detail": "no such path"}, 404)

    def _collection(self, name: str) -> dict[str, Any]:
        return {
            "type": "Collection", "stac_version": "1.1.0", "id": name, "description": name,
            "license": "other", "links": [],
            "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]},
                       "temporal": {"interval": [[None, None]]}},
        }  # fmt: skip

    def _query(self, raw: dict[str, list[str]]) -> dict[str, Any]:
        query: dict[str, Any] = {k: v[0] for k, v in raw.items()}
        for key in ("collections", "ids"):
            if key in query:
                query[key] = query[key].split(",")
        if "bbox" in query:
            query["bbox"] = [float(v) for v in query["bbox"].split(",")]
        return query

    def _send(self, data: Any, status: int = 200) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
