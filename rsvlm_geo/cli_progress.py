"""A progress bar on stderr: tiles, tiles a second, time to go."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from typing import Any, TextIO

__all__ = ["ProgressBar", "duration"]


def duration(seconds: float) -> str:
    """``45 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class ProgressBar:
    """One line that is drawn over on a terminal; a line every tenth elsewhere.

    Args:
        enabled: Draw nothing when False; :meth:`say` still speaks.
        stream: Where; stderr by default.
    """

    def __init__(self, *, enabled: bool = True, stream: TextIO | None = None) -> None:
        self._enabled, self._stream = enabled, stream or sys.stderr
        self._live = enabled and self._stream.isatty()
        self._shown, self._tenth = 0, -1

    def say(self, text: str) -> None:
        """A line of its own above the bar."""
        self._wipe()
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def start(self, event: Mapping[str, Any]) -> None:
        """From the ``started`` event."""
        if not self._enabled:
            return
        resumed = f", {event['resumed']} already done" if event["resumed"] else ""
        where = f" on {event['provider']}" if event["provider"] else ""
        self.say(f"{event['tiles']} tiles{resumed}, {event['model']}{where}")

    def update(self, event: Mapping[str, Any]) -> None:
        """From a ``progress`` event."""
        if not self._enabled:
            return
        done, total = int(event["done"]), max(1, int(event["total"]))
        rate, eta = event["tiles_per_s"], event["eta_s"]
        words = f"{done}/{total} tiles"
        if rate:
            words += f"  {rate:.1f} tiles/s"
        if eta and done < total:
            words += f"  {duration(eta)} to go"
        if self._live:
            room = max(10, min(40, shutil.get_terminal_size().columns - len(words) - 4))
            full = room * done // total
            line = f"[{'#' * full}{'.' * (room - full)}] {words}"
            self._stream.write("\r" + line.ljust(self._shown))
            self._shown = len(line)
            self._stream.flush()
        elif done * 10 // total > self._tenth:
            self._tenth = done * 10 // total
            self._stream.write(words + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Leave the terminal clean."""
        self._wipe()

    def _wipe(self) -> None:
        if self._live and self._shown:
            self._stream.write("\r" + " " * self._shown + "\r")
            self._stream.flush()
            self._shown = 0
