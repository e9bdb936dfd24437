"""Requests for one href: signed, retried, redirects only where credentials may go."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

from rsvlm_geo.errors import RsvlmError, SceneNotFoundError, SceneUnreadableError, TileReadError
from rsvlm_geo.remote import outage
from rsvlm_geo.remote.auth import Signer, redact, redact_text
from rsvlm_geo.remote.policy import RETRY_STATUSES, AccessError, GoneError, ReadPolicy

__all__ = ["Again", "Fetch", "NoRanges", "get_bytes", "total_size"]


@lru_cache(maxsize=1)
def _pool_manager(pid: int) -> Any:
    import urllib3

    return urllib3.PoolManager(num_pools=64, maxsize=32, retries=False, block=False)


class Again(Exception):
    """A failure worth another try."""

    def __init__(self, message: str, retry_after: str | None = None, denied: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.denied = denied


class NoRanges(Exception):
    """The server sends the whole file whatever is asked."""


def get_bytes(
    href: str, headers: Mapping[str, str] | None = None, *, policy: ReadPolicy | None = None
) -> bytes:
    """A small resource in whole, with retries: an Item, a signature."""
    policy = policy or ReadPolicy()
    fetch = Fetch(href, None, policy, dict(headers or {}))
    body: bytes = fetch.retrying(lambda: fetch.once(None, limit=64 << 20))[0]
    return body


class Fetch:
    """Asks for one href: signs, retries, follows redirects that stay on the host."""

    def __init__(
        self, href: str, signer: Signer | None, policy: ReadPolicy, headers: dict[str, str]
    ) -> None:
        self.href, self.signer, self.policy, self.headers = href, signer, policy, headers
        self.requests = 0

    def retrying(self, ask: Any) -> Any:
        """Run ``ask`` until it works, gives a final error, or patience is used up.

        Raises:
            FileDownError: Nothing has come from the file for long.
            TileReadError: Every try failed.
        """
        denials, name = 0, redact(self.href)
        probing = outage.check(name, self.policy)
        for attempt in range(self.policy.tries):
            try:
                found = ask()
            except Again as error:
                last = error
                if error.denied:
                    denials += 1
                    if self.signer is None or denials > 2:
                        raise AccessError(f"{error}; is a signer or token needed?") from None
                    self.signer(self.href, renew=True)
                    continue
                silent_s = outage.failed(name, self.policy, str(error))
                if silent_s is not None and (probing or attempt > 0):
                    raise outage.down(str(error), silent_s) from None
                if attempt + 1 < self.policy.tries:
                    time.sleep(self.policy.delay_s(attempt, error.retry_after))
            else:
                outage.worked(name)
                return found
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
            raise Again(f"{name}: {type(error).__name__}: {redact_text(str(error))}") from error

    def _body(
        self, name: str, response: Any, span: tuple[int, int] | None, limit: int, sink: Any
    ) -> tuple[bytes, Any]:
        status = response.status
        if status in (401, 403):
            response.close()
            raise Again(f"{name} answers {status}", denied=True)
        if status in (404, 410):
            response.close()
            raise GoneError(f"{name} does not exist (HTTP {status}); check the address")
        if status in RETRY_STATUSES:
            response.close()
            raise Again(f"{name} answers {status}", response.headers.get("Retry-After"))
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
            raise NoRanges
        wanted = None
        if span is not None:
            wanted = span[1] - span[0]
            total = total_size(response)
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
                raise Again(
                    f"{name} drips: {got} bytes in {self.policy.deadline_s(wanted or 0):.0f} s"
                )
        if wanted is not None and got < wanted:
            response.close()
            raise Again(f"{name} was cut off after {got} of {wanted} bytes")
        body = b"".join(pieces)
        if wanted is not None and len(body) > wanted:
            body = body[:wanted]
        response.release_conn() if response.length_remaining == 0 else response.close()
        return body, response


def total_size(response: Any) -> int | None:
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
