"""Who may read: signers are asked just before each read, and again when a server says no.

A signer is any callable ``(href, renew) -> Signed``; it must pickle, because a batch worker signs
for itself. Secrets come from the environment of the process that reads and go into requests only:
every message, log line and provenance record passes through :func:`redact`.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

from rsvlm_geo.errors import StacError
from rsvlm_geo.remote.policy import AccessError

__all__ = ["BearerSigner", "GdalOptions", "SasSigner", "Signed", "Signer", "make_signer", "redact"]

PLANETARY_COMPUTER = "https://planetarycomputer.microsoft.com/api/sas/v1/sign"
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Signed:
    """What to really ask for."""

    href: str
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS, repr=False)
    """Sent to the href's own host only."""
    expires: float | None = None
    """Unix time after which it is worthless; None when it lasts."""


class Signer(Protocol):
    """Turns the href of an asset into one that may be read."""

    def __call__(self, href: str, *, renew: bool = False) -> Signed:
        """Sign; with ``renew`` a cached signature must not be used again."""
        ...


def redact(href: str) -> str:
    """An href without user, password, query and fragment: fit for messages and files."""
    head = ""
    if href.startswith("/vsi") and "http" in href:
        head, href = href[: href.index("http")], href[href.index("http") :]
        head = head.partition("?")[0]
    parts = urlsplit(href)
    if not parts.scheme or len(parts.scheme) == 1:
        return head + href.partition("?")[0] if "://" in href else head + href
    host = parts.netloc.rpartition("@")[2]
    return head + urlunsplit((parts.scheme, host, parts.path, "", ""))


_QUERY = re.compile(r"(https?://[^\s'\"?]+)\?[^\s'\"]+")
_USER = re.compile(r"(https?://)[^\s/@'\"]+@")


def redact_text(text: str) -> str:
    """Any text with the queries and users of its URLs removed."""
    return _USER.sub(r"\1", _QUERY.sub(r"\1", text))


@dataclass(slots=True)
class SasSigner:
    """Short-lived signed URLs from a service that answers ``{"href", "msft:expiry"}``."""

    endpoint: str = PLANETARY_COMPUTER
    """Asked as ``<endpoint>?href=<asset>``."""
    key_env: str | None = None
    """Environment variable with a subscription key; sent as ``Ocp-Apim-Subscription-Key``."""
    margin_s: float = 1.0
    """A signature this close to its end counts as over."""
    _cache: dict[str, Signed] = field(default_factory=dict, repr=False)
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    def __call__(self, href: str, *, renew: bool = False) -> Signed:
        with self._lock:
            cached = self._cache.get(href)
        if (
            cached is not None
            and not renew
            and (cached.expires is None or cached.expires - self.margin_s > time.time())
        ):
            return cached
        from rsvlm_geo.remote.fetch import get_bytes

        headers = {}
        if self.key_env and os.environ.get(self.key_env):
            headers["Ocp-Apim-Subscription-Key"] = os.environ[self.key_env]
        try:
            body = json.loads(get_bytes(f"{self.endpoint}?href={quote(href, safe='')}", headers))
            signed = Signed(str(body["href"]), expires=_expiry(body))
        except (ValueError, KeyError, TypeError) as error:
            raise AccessError(
                f"{redact(self.endpoint)} did not sign {redact(href)}: it must answer JSON with "
                "an href; check the signer's address"
            ) from error
        with self._lock:
            self._cache[href] = signed
            while len(self._cache) > 4096:
                self._cache.pop(next(iter(self._cache)))
        return signed

    def __reduce__(self) -> tuple[Any, ...]:
        return SasSigner, (self.endpoint, self.key_env, self.margin_s)


def _expiry(body: Mapping[str, Any]) -> float | None:
    text = body.get("msft:expiry") or body.get("expiry") or body.get("expires")
    if text is None:
        text = parse_qs(urlsplit(str(body["href"])).query).get("se", [None])[0]
    if text is None:
        return None
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class BearerSigner:
    """``Authorization: Bearer <token>``, the token read from the environment at each use."""

    token_env: str
    hosts: tuple[str, ...] = ()
    """Hosts the token may be sent to; empty means the host of any asset of the search."""

    def __call__(self, href: str, *, renew: bool = False) -> Signed:
        host = (urlsplit(href).hostname or "").lower()
        if self.hosts and host not in self.hosts:
            return Signed(href)
        token = os.environ.get(self.token_env, "").strip()
        if not token:
            raise AccessError(
                f"no token for {host} in the environment; set {self.token_env} where the reading "
                "process runs"
            )
        return Signed(href, MappingProxyType({"Authorization": f"Bearer {token}"}))


@dataclass(frozen=True, slots=True)
class GdalOptions:
    """Options for object stores that GDAL signs for itself (S3, GCS, Azure)."""

    options: Mapping[str, str]
    """For example ``{"AWS_REQUEST_PAYER": "requester"}``; keys stay in the environment."""

    def __call__(self, href: str, *, renew: bool = False) -> Signed:
        return Signed(href)

    def __reduce__(self) -> tuple[Any, ...]:
        return GdalOptions, (dict(self.options),)


_SECRET_WORDS = re.compile(r"secret|password|token|access_key|signature", re.I)


def make_signer(spec: str | None) -> Signer | None:
    """A signer from its short spelling, as the command line and recipes have it.

    ``planetary-computer``; ``sas:<endpoint>``; ``bearer:<ENV_VAR>[@host,host]``;
    ``requester-pays``; ``gdal:KEY=VALUE,...``; or ``module:attribute`` for a plug-in. None and
    ``none`` mean nobody asks.

    Raises:
        StacError: It is none of these, or spells out a secret.
    """
    if spec is None or spec in ("", "none"):
        return None
    kind, _, rest = spec.partition(":")
    if spec == "planetary-computer":
        return SasSigner(key_env="PC_SDK_SUBSCRIPTION_KEY")
    if spec == "requester-pays":
        return GdalOptions({"AWS_REQUEST_PAYER": "requester"})
    if kind == "sas" and rest:
        return SasSigner(rest)
    if kind == "bearer" and rest:
        name, _, hosts = rest.partition("@")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise StacError(
                "bearer: takes the NAME of an environment variable, not a token; write "
                "bearer:MY_TOKEN and set MY_TOKEN"
            )
        return BearerSigner(name, tuple(h.lower() for h in hosts.split(",") if h))
    if kind == "gdal" and rest:
        options = dict(pair.split("=", 1) for pair in rest.split(",") if "=" in pair)
        if any(_SECRET_WORDS.search(key) for key in options):
            raise StacError("gdal: options with secrets belong in the environment, not in a recipe")
        return GdalOptions(options)
    if kind and rest and re.fullmatch(r"[\w.]+", kind) and re.fullmatch(r"\w+", rest):
        try:
            found = getattr(importlib.import_module(kind), rest)
        except (ImportError, AttributeError) as error:
            raise StacError(f"no signer {spec!r}: {error}") from error
        signer: Signer = found() if isinstance(found, type) else found
        return signer
    raise StacError(
        f"no signer {spec!r}; take planetary-computer, sas:URL, bearer:ENV_VAR, requester-pays, "
        "gdal:KEY=VALUE or module:attribute"
    )
