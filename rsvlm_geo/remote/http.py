"""One file over HTTP, read in ranges: every failure is asked again, nothing failed is remembered.

``HttpFile`` is a seekable file object, so that GDAL can open it. Pages of compressed bytes are kept
in a bounded cache; ``will_read`` fetches what is about to be read in parallel, which hides latency.
Safe to use from several threads.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from rsvlm_geo.errors import (
    RsvlmError,
    SceneNotFoundError,
    SceneUnreadableError,
    TileReadError,
)
from rsvlm_geo.remote.auth import Signer, redact, redact_text
from rsvlm_geo.remote.policy import RETRY_STATUSES, AccessError, ReadPolicy

__all__ = ["HttpFile", "get_bytes"]

PAGE = 1 << 16
MAX_RUN = 32
"""Pages per request at most: 2 MiB."""


@lru_cache(maxsize=1)
def _pool_manager(pid: int) -> Any:
    import urllib3

    return urllib3.PoolManager(num_pools=64, maxsize=32, retries=False, block=False)


@lru_cache(maxsize=4)
def _workers(pid: int, size: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(size, thread_name_prefix="rsvlm-range")


class _Again(Exception):
    """A failure worth another try."""

    def __init__(self, message: str, retry_after: str | None = None, denied: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.denied = denied


class _NoRanges(Exception):
    """The server sends the whole file whatever is asked."""


def get_bytes(
    href: str, headers: Mapping[str, str] | None = None, *, policy: ReadPolicy | None = None
) -> bytes:
    """A small resource in whole, with retries: an Item, a signature."""
    policy = policy or ReadPolicy()
    fetch = _Fetch(href, None, policy, dict(headers or {}))
    body: bytes = fetch.retrying(lambda: fetch.once(None, limit=64 << 20))[0]
    return body


class _Fetch:
    """Asks for one href: signs, retries, follows redirects that stay on the host."""

    def __init__(
        self, href: str, signer: Signer | None, policy: ReadPolicy, headers: dict[str, str]
    ) -> None:
        self.href, self.signer, self.policy, self.headers = href, signer, policy, headers
        self.requests = 0

    def retrying(self, ask: Any) -> Any:
        """Run ``ask`` until it works, gives a final error, or the tries are used up."""
        denials = 0
        for attempt in range(self.policy.tries):
            try:
                return ask()
            except _Again as error:
                if error.denied:
                    denials += 1
                    if self.signer is None or denials > 2:
                        raise AccessError(f"{error}; is a signer or token needed?") from None
                    self.signer(self.href, renew=True)
                elif attempt + 1 < self.policy.tries:
                    time.sleep(self.policy.delay_s(attempt, error.retry_after))
                last = error
        raise TileReadError(f"{last}, {self.policy.tries} times; try again later")

    def once(
        self, span: tuple[int, int] | None, *, limit: int, sink: Any = None
    ) -> tuple[bytes, Any]:
        """One request. Returns the body and the response, whose headers can still be read."""
        import urllib3

        url, headers = self.href, dict(self.headers)
        secret = bool(headers)
        if self.signer is not None:
            signed = self.signer(self.href)
            url = signed.href
            headers.update(signed.headers)
            secret = True
        headers.setdefault("Accept-Encoding", "identity")
        if span is not None:
            headers["Range"] = f"bytes={span[0]}-{span[1] - 1}"
        name = redact(self.href)
        timeout = urllib3.Timeout(
            connect=self.policy.connect_timeout_s, read=self.policy.read_timeout_s
        )
        try:
            for _ in range(6):
                self.requests += 1
                response = _pool_manager(os.getpid()).request(
                    "GET", url, headers=headers, preload_content=False, redirect=False,
                    timeout=timeout,
                )  # fmt: skip
                if response.status not in (301, 302, 303, 307, 308):
                    break
                target = urljoin(url, response.headers.get("Location", ""))
                if response.length_remaining == 0:
                    response.drain_conn()
                    response.release_conn()
                else:
                    response.close()
                _check_redirect(name, url, target, secret)
                url = target
            else:
                raise SceneUnreadableError(f"{name} redirects in circles")
            return self._body(name, response, span, limit, sink)
        except urllib3.exceptions.LocationParseError as error:
            raise SceneNotFoundError(f"{name} is not a URL that can be asked") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            if isinstance(error, RsvlmError):
                raise
            raise _Again(f"{name}: {type(error).__name__}: {redact_text(str(error))}") from error

    def _body(
        self, name: str, response: Any, span: tuple[int, int] | None, limit: int, sink: Any
    ) -> tuple[bytes, Any]:
        status = response.status
        if status in (401, 403):
            response.close()
            raise _Again(f"{name} answers {status}", denied=True)
        if status in (404, 410):
            response.close()
            raise SceneNotFoundError(f"{name} does not exist (HTTP {status}); check the address")
        if status in RETRY_STATUSES:
            response.close()
            raise _Again(f"{name} answers {status}", response.headers.get("Retry-After"))
        if status == 416:
            response.close()
            raise SceneUnreadableError(f"{name} ends before the bytes its own index points to")
        if status not in (200, 206):
            response.close()
            raise SceneUnreadableError(f"{name} answers {status}; expected 200 or 206")
        if span is not None and status == 200:
            response.close()
            if "html" in response.headers.get("Content-Type", ""):
                raise SceneUnreadableError(
                    f"{name} is an HTML page, not a raster; is a login needed?"
                )
            raise _NoRanges
        wanted = None
        if span is not None:
            wanted = span[1] - span[0]
            total = _total(response)
            if total is not None:
                wanted = max(0, min(span[1], total) - span[0])
        elif (length := response.headers.get("Content-Length", "")).isdigit():
            wanted = int(length)
        if wanted is not None and wanted > limit:
            response.close()
            raise SceneUnreadableError(
                f"{name} has {wanted / 1e6:.0f} MB, over the limit of {limit / 1e6:.0f} MB for a "
                "server that cannot send ranges; download it first, or raise max_download_bytes"
            )
        ends = time.monotonic() + self.policy.deadline_s(wanted or limit)
        got, pieces = 0, []
        while wanted is None or got < wanted:
            piece = response.read1(1 << 18)
            if not piece:
                break
            got += len(piece)
            if sink is None:
                pieces.append(piece)
            else:
                sink(piece)
            if got > limit:
                response.close()
                raise SceneUnreadableError(f"{name} is over the limit of {limit / 1e6:.0f} MB")
            if got < (wanted or 0) and time.monotonic() > ends:
                response.close()
                raise _Again(
                    f"{name} drips: {got} bytes in {self.policy.deadline_s(wanted or 0):.0f} s"
                )
        if wanted is not None and got < wanted:
            response.close()
            raise _Again(f"{name} was cut off after {got} of {wanted} bytes")
        body = b"".join(pieces)
        if wanted is not None and len(body) > wanted:
            body = body[:wanted]
        response.release_conn() if response.length_remaining == 0 else response.close()
        return body, response


def _total(response: Any) -> int | None:
    total = response.headers.get("Content-Range", "").rpartition("/")[2]
    return int(total) if total.isdigit() else None


def _check_redirect(name: str, source: str, target: str, secret: bool) -> None:
    a, b = urlsplit(source), urlsplit(target)
    if b.scheme not in ("http", "https"):
        raise AccessError(f"{name} redirects to {b.scheme or 'nowhere'}:, which is not followed")
    same = (a.hostname, a.port) == (b.hostname, b.port) and a.scheme == b.scheme
    if secret and not same:
        raise AccessError(
            f"{name} redirects to another host, {b.hostname}, and we hold credentials for "
            f"{a.hostname}; use the final address itself, or read it without a signer"
        )
    if a.scheme == "https" and b.scheme == "http":
        raise AccessError(f"{name} redirects from https to http, which is not followed")


class HttpFile:
    """A remote file, seekable and read only. Opening it asks for its first page.

    Raises:
        SceneNotFoundError: 404.
        AccessError: 401 or 403 in spite of the signer, or a redirect that would leak credentials.
        SceneUnreadableError: An HTML page, a changed file, or no ranges and too large.
        TileReadError: Nothing but failures, after all tries.
    """

    def __init__(
        self, href: str, *, signer: Signer | None = None, policy: ReadPolicy | None = None
    ) -> None:
        self.href = href
        self.policy = policy or ReadPolicy()
        self.error: Exception | None = None
        self._fetch = _Fetch(href, signer, self.policy, {})
        self._pages: OrderedDict[int, bytes] = OrderedDict()
        self._coming: dict[int, Future[None]] = {}
        self._lock = threading.Lock()
        self._position = 0
        self._whole: Path | None = None
        self._etag: str | None = None
        self.size = -1
        try:
            body, response = self._fetch.retrying(
                lambda: self._fetch.once((0, PAGE), limit=self.policy.max_download_bytes)
            )
            self.size = _total(response) or len(body)
            self._etag = response.headers.get("ETag")
            self._pages[0] = body
        except _NoRanges:
            self._download()

    @property
    def requests(self) -> int:
        """Requests made so far, failed ones included."""
        return self._fetch.requests

    @property
    def etag(self) -> str | None:
        """The server's name for this version of the file."""
        return self._etag

    def will_read(self, spans: Iterable[tuple[int, int]]) -> None:
        """Start to fetch byte ranges ``(start, stop)`` that will be read soon."""
        if self._whole is not None:
            return
        wanted: set[int] = set()
        for start, stop in spans:
            wanted.update(range(max(start, 0) // PAGE, -(-min(stop, self.size) // PAGE)))
        self._start(sorted(wanted))

    def read(self, size: int = -1) -> bytes:
        """The next bytes; fewer only at the end of the file."""
        data = self.read_at(self._position, self.size if size < 0 else size)
        self._position += len(data)
        return data

    def read_at(self, start: int, size: int) -> bytes:
        """Bytes from a place, without moving."""
        stop = min(start + size, self.size)
        if stop <= start:
            return b""
        if self._whole is not None:
            with self._whole.open("rb") as file:
                file.seek(start)
                return file.read(stop - start)
        first, last = start // PAGE, (stop - 1) // PAGE
        out = bytearray()
        for page in range(first, last + 1):
            data = self._page(page, last)
            low = start - page * PAGE if page == first else 0
            high = stop - page * PAGE if page == last else PAGE
            out += data[low:high]
        return bytes(out)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move, as files do."""
        base = (0, self._position, self.size)[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Where the next read starts."""
        return self._position

    def forget(self) -> None:
        """Drop every cached byte, as after corrupt data."""
        with self._lock:
            self._pages.clear()

    def close(self) -> None:
        """Drop caches and the temporary copy."""
        self.forget()
        if self._whole is not None:
            self._whole.unlink(missing_ok=True)
            self._whole = None

    def __enter__(self) -> HttpFile:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _page(self, page: int, last: int) -> bytes:
        for _ in range(3):
            with self._lock:
                data = self._pages.get(page)
                if data is not None:
                    self._pages.move_to_end(page)
                    return data
                future = self._coming.get(page)
            if future is None:
                self._start(list(range(page, last + 1)))
                with self._lock:
                    future = self._coming.get(page)
            if future is not None:
                try:
                    future.result()
                except Exception as error:
                    self.error = error
                    raise
        # evicted faster than read: fetch for ourselves
        return self._ask(page, 1)[0]

    def _start(self, pages: list[int]) -> None:
        pool = _workers(os.getpid(), self.policy.in_flight)
        with self._lock:
            missing = [p for p in pages if p not in self._pages and p not in self._coming]
            run: list[int] = []
            for page in [*missing, -1]:
                if run and (page != run[-1] + 1 or len(run) == MAX_RUN):
                    future = pool.submit(self._run, run[0], len(run))
                    self._coming.update(dict.fromkeys(run, future))
                    run = []
                run.append(page)

    def _run(self, first: int, count: int) -> None:
        try:
            bodies = self._ask(first, count)
            with self._lock:
                for i, body in enumerate(bodies):
                    self._pages[first + i] = body
                while len(self._pages) * PAGE > self.policy.cache_bytes:
                    self._pages.popitem(last=False)
        finally:
            with self._lock:
                for page in range(first, first + count):
                    self._coming.pop(page, None)

    def _ask(self, first: int, count: int) -> list[bytes]:
        span = (first * PAGE, min((first + count) * PAGE, self.size))
        try:
            body, response = self._fetch.retrying(
                lambda: self._fetch.once(span, limit=self.policy.max_download_bytes)
            )
        except _NoRanges as error:
            raise SceneUnreadableError(
                f"{redact(self.href)} stopped sending ranges while it was being read"
            ) from error
        etag = response.headers.get("ETag")
        if self._etag is not None and etag is not None and etag != self._etag:
            raise SceneUnreadableError(
                f"{redact(self.href)} changed while it was being read; run again"
            )
        if len(body) < span[1] - span[0]:
            raise SceneUnreadableError(f"{redact(self.href)} is shorter than it was when opened")
        return [body[i * PAGE : (i + 1) * PAGE] for i in range(count)]

    def _download(self) -> None:
        handle, name = tempfile.mkstemp(prefix="rsvlm-", suffix=".part")
        os.close(handle)
        path = Path(name)

        def ask() -> None:
            with path.open("wb") as file:
                self._fetch.once(None, limit=self.policy.max_download_bytes, sink=file.write)

        try:
            self._fetch.retrying(ask)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        self._whole, self.size = path, path.stat().st_size
