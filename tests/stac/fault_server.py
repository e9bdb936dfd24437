"""A web server that misbehaves on purpose, one fault per path prefix.

``/<fault>/<file>`` serves ``<root>/<file>`` with that fault; faults that take a number have it
after a dash: ``/flaky-40/a.tif`` answers 503 to 40 % of the requests. Every request is counted
per path, so that a test can tell "asked again and was refused" from "never asked".

Run it as a script for benchmarks: ``python fault_server.py ROOT [LATENCY_S] [PORT]``.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

__all__ = ["FaultServer"]


class FaultServer(ThreadingHTTPServer):
    """Serves a folder with faults; use as a context manager."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        root: Path,
        *,
        latency_s: float = 0.0,
        port: int = 0,
        seed: int = 0,
        ttl_s: float = 2.0,
    ) -> None:
        self.root = Path(root)
        self.latency_s = latency_s
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.headers_seen: list[dict[str, str]] = []
        self.ttl_s = ttl_s
        self.signed = 0
        self.stop = threading.Event()
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        """Where it listens, without a trailing slash."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> FaultServer:
        threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are part of the game."""

    def token(self) -> str:
        """A signature that is good for ``ttl_s`` seconds."""
        return f"{time.time() + self.ttl_s:.3f}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultServer

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        server = self.server
        parts = urlsplit(self.path)
        with server.lock:
            server.counts[parts.path] += 1
            server.headers_seen.append(dict(self.headers))
            count, dice = server.counts[parts.path], server.random.random()
        if server.latency_s:
            time.sleep(server.latency_s)
        if parts.path == "/sign":
            return self._sign(parse_qs(parts.query)["href"][0])
        fault, _, name = parts.path.lstrip("/").partition("/")
        fault, _, number = fault.partition("-")
        value = float(number or 0)
        if fault in ("404", "403", "401", "500", "503", "429"):
            return self._plain(int(fault), b"no")
        if fault == "flaky" and dice < value / 100:
            return self._plain(503, b"busy")
        if fault == "dies" and count > value:
            return self._plain(503, b"gone for good")
        if fault == "first" and count <= value:
            return self._plain(503, b"busy")
        if fault == "flakyreset":
            if dice < value / 200:
                return self._plain(503, b"busy")
            if dice < value / 100:
                return self._file(name, reset=True)
        if fault == "firstreset" and count <= value:
            return self._file(name, reset=True)
        if fault == "reset":
            return self._file(name, reset=True)
        if fault == "hang" or (fault == "firsthang" and count <= value):
            server.stop.wait(30)
            self.close_connection = True
            return None
        if fault == "drip":
            return self._file(name, drip=True)
        if fault == "wronglength":
            return self._file(name, lie=1000)
        if fault == "short":
            return self._file(name, short=True)
        if fault == "html":
            return self._plain(200, b"<html>please log in</html>", "text/html")
        if fault == "norange":
            return self._file(name, ranges=False)
        if fault == "sas":
            sig = parse_qs(parts.query).get("sig", ["0"])[0]
            if float(sig) < time.time():
                return self._plain(403, b"signature expired")
        if fault == "bearer" and self.headers.get("Authorization") != "Bearer s3cret-token":
            return self._plain(401, b"who are you")
        if fault == "redirect":
            return self._redirect(f"/ok/{name}")
        if fault == "elsewhere":
            host = f"http://localhost:{server.server_address[1]}"
            return self._redirect(f"{host}/ok/{name}")
        return self._file(name)

    def _sign(self, href: str) -> None:
        with self.server.lock:
            self.server.signed += 1
        token = self.server.token()
        expiry = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(float(token)))
        body = json.dumps({"href": f"{href}?sig={token}", "msft:expiry": expiry}).encode()
        self._plain(200, body, "application/json")

    def _redirect(self, where: str) -> None:
        self.send_response(302)
        self.send_header("Location", where)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _plain(self, status: int, body: bytes, kind: str = "text/plain") -> None:
        with self.server.lock:
            self.server.statuses[status] += 1
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _file(
        self,
        name: str,
        *,
        ranges: bool = True,
        reset: bool = False,
        drip: bool = False,
        lie: int = 0,
        short: bool = False,
    ) -> None:
        path = self.server.root / name
        if not path.is_file():
            return self._plain(404, b"no such file")
        size = path.stat().st_size
        start, stop = 0, size
        asked = self.headers.get("Range") if ranges else None
        if asked:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start = int(first)
            stop = min(int(last) + 1 if last else size, size)
            if start >= size:
                return self._plain(416, b"")
        with path.open("rb") as file:
            file.seek(start)
            body = file.read(stop - start)
        with self.server.lock:
            self.server.statuses[206 if asked else 200] += 1
        self.send_response(206 if asked else 200)
        self.send_header("Content-Type", "image/tiff")
        self.send_header("Content-Length", str(len(body) + lie))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        elif ranges:
            self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if self.command == "HEAD":
            return None
        if reset:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif drip:
            for i in range(len(body)):
                if self.server.stop.wait(0.2):
                    return None
                self.wfile.write(body[i : i + 1])
                self.wfile.flush()
        elif short:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        else:
            self.wfile.write(body)
            self.close_connection = bool(lie)
        return None


if __name__ == "__main__":
    folder, *rest = sys.argv[1:]
    latency = float(rest[0]) if rest else 0.0
    with FaultServer(Path(folder), latency_s=latency, port=int(rest[1]) if rest[1:] else 0) as s:
        print(s.url, flush=True)
        s.stop.wait()
