"""How patient a remote read is, and which failures are worth asking again."""

from __future__ import annotations

import random
from dataclasses import dataclass

from rsvlm_geo.errors import SceneError, SceneNotFoundError, TileReadError

__all__ = ["RETRY_STATUSES", "AccessError", "FileDownError", "GoneError", "ReadPolicy"]

RETRY_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that a server may not give the next time."""


class AccessError(SceneError, PermissionError):
    """The server knows the file but not us, or would send our credentials elsewhere."""

    again = False
    """Whether reading it again at once may help; it was tried with a new signature."""


class GoneError(SceneNotFoundError):
    """The server says that there is no such file."""

    again = False


class FileDownError(TileReadError):
    """Nothing came from the file for so long that it is asked now and then only."""

    again = False


@dataclass(frozen=True, slots=True)
class ReadPolicy:
    """Timeouts and retries of one request, and bounds on what is kept."""

    tries: int = 7
    """Requests per range before it counts as failed; at 40 % failures 1 in 600 is lost."""
    first_delay_s: float = 0.1
    """Pause after the first failure; doubles each time, with jitter."""
    max_delay_s: float = 5.0
    """Longest pause, ``Retry-After`` included."""
    connect_timeout_s: float = 10.0
    """For the connection."""
    read_timeout_s: float = 30.0
    """Longest silence on an open connection."""
    min_rate: float = 20_000.0
    """Bytes per second, averaged over a request, below which a connection is a drip and is cut."""
    patience_s: float = 60.0
    """A file from which nothing came for so long, though asked, is down: its tiles fail at once."""
    probe_s: float = 10.0
    """How often a file that is down is asked whether it is back."""
    max_download_bytes: int = 1 << 30
    """Largest file fetched whole from a server that cannot send ranges."""
    cache_bytes: int = 64 << 20
    """Compressed bytes kept per open file."""
    in_flight: int = 16
    """Requests at a time per process."""
    fast: bool = False
    """Decode with async-tiff where it is installed and gives GDAL's very pixels. Off, because on
    two cores it was measured slower than GDAL behind the same look-ahead, at more CPU a tile; it
    decodes outside Python's lock, so try it where there are cores to spare."""
    lookahead: int = 12
    """Windows fetched ahead of the one being read."""

    def delay_s(self, attempt: int, retry_after: str | None = None) -> float:
        """How long to wait after the given attempt, 0-based."""
        if retry_after is not None and retry_after.strip().isdigit():
            return min(float(retry_after), self.max_delay_s)
        delay = min(self.first_delay_s * 2.0**attempt, self.max_delay_s)
        return delay * random.uniform(0.5, 1.0)

    def deadline_s(self, n_bytes: int) -> float:
        """Longest time a request for so many bytes may take in all."""
        return self.read_timeout_s + n_bytes / self.min_rate
