"""One file over HTTP, read in ranges: every failure is asked again, nothing failed is remembered.

``HttpFile`` is a seekable file object, so that GDAL can open it. Pages of compressed bytes are kept
in a bounded cache; ``will_read`` fetches what is about to be read in parallel, which hides latency.
Safe to use from several threads.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from rsvlm_geo.errors import SceneUnreadableError
from rsvlm_geo.remote.auth import Signer, redact
from rsvlm_geo.remote.fetch import Fetch, NoRanges, total_size
from rsvlm_geo.remote.policy import ReadPolicy

__all__ = ["HttpFile"]

PAGE = 1 << 16
MAX_RUN = 32
"""Pages per request at most: 2 MiB."""


@lru_cache(maxsize=4)
def _workers(pid: int, size: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(size, thread_name_prefix="rsvlm-range")


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
        """What a reader that cannot pass an exception on left here: GDAL."""
        self._fetch = Fetch(href, signer, self.policy, {})
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
            self.size = total_size(response) or len(body)
            self._etag = response.headers.get("ETag")
            self._pages[0] = body
        except NoRanges:
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
        # all of it now: a page that is on its way already must not hold up those behind it
        self._start(list(range(first, last + 1)))
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
                future.result()
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
        except NoRanges as error:
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
