"""Files that do not answer, as far as this process knows: patience is for a file, not for a tile.

Without it every tile of a file that is gone for good would be waited for in full: seven tries,
three times over, 15 seconds a tile. Here a file from which nothing came for ``patience_s`` is down:
what wants to read it fails at once, and one request every ``probe_s`` asks whether it is back.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from rsvlm_geo.remote.policy import FileDownError, ReadPolicy

__all__ = ["check", "down", "failed", "worked"]

_MOST = 4096


@dataclass(slots=True)
class _Silence:
    since: float
    """First failed try with none that worked after it, monotonic seconds."""
    last: float
    """Last failed try."""
    why: str = ""
    probe_at: float | None = None
    """When it may be asked again; None while it is not yet down."""


_silent: dict[str, _Silence] = {}
_lock = threading.Lock()


def check(name: str, policy: ReadPolicy) -> bool:
    """Before a request: whether it is the one that asks if a file is back.

    Args:
        name: Of the file, without secrets.
        policy: Its patience.

    Raises:
        FileDownError: It is down, and was asked a moment ago.
    """
    now = time.monotonic()
    with _lock:
        state = _silent.get(name)
        if state is None or state.probe_at is None:
            return False
        if now < state.probe_at:
            raise down(state.why or name, now - state.since)
        state.probe_at = now + policy.probe_s  # the others keep failing while we ask
        return True


def failed(name: str, policy: ReadPolicy, why: str = "") -> float | None:
    """After a failed try: the seconds of silence when the file counts as down, else None."""
    now = time.monotonic()
    # a failure long ago, with nothing asked since, says nothing of now
    old = 2 * (policy.connect_timeout_s + policy.read_timeout_s + policy.max_delay_s)
    with _lock:
        state = _silent.get(name)
        if state is None or now - state.last > max(old, 2 * policy.probe_s):
            state = _silent[name] = _Silence(now, now)
            while len(_silent) > _MOST:
                _silent.pop(next(iter(_silent)))
        state.last, state.why = now, why or state.why
        if now - state.since < policy.patience_s:
            return None
        state.probe_at = now + policy.probe_s
        return now - state.since


def worked(name: str) -> None:
    """After an answer: the file is there."""
    if name in _silent:
        with _lock:
            _silent.pop(name, None)


def down(why: str, silent_s: float) -> FileDownError:
    """The error for a file that is down."""
    return FileDownError(
        f"{why}; nothing came for {silent_s:.0f} s, so it counts as down: run again later"
    )
