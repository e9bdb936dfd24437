# SPDX-License-Identifier: GPL-2.0-or-later
"""Run one command of the engine's command line and follow its JSON events. No Qt here."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import engine_env

__all__ = ["CommandFailed", "follow"]


class CommandFailed(Exception):
    """It ended with an error; the text is its last words."""


def follow(
    python: str,
    arguments: Sequence[str],
    environ: Mapping[str, str],
    *,
    on_event: Callable[[dict[str, Any]], None],
    on_line: Callable[[str], None] = lambda line: None,
    cancelled: Callable[[], bool] = lambda: False,
    grace_s: float = 3.0,
) -> int:
    """Run ``python -m rsvlm_geo ARGUMENTS`` to its end.

    Args:
        python: The engine's Python.
        arguments: Command and its options.
        environ: Cleaned environment.
        on_event: Called with every line that is a JSON object.
        on_line: Called with every other line.
        cancelled: Asked ten times a second; an interrupt first, then a kill.
        grace_s: Between the two.

    Returns:
        The exit code: 0 all seen, 3 finished incomplete, 130 cancelled.

    Raises:
        CommandFailed: It could not be started, or ended with another code.
    """
    command = [python, "-I", "-u", "-X", "utf8", "-m", "rsvlm_geo", *arguments]
    try:
        process = engine_env.spawn(command, environ)
    except OSError as error:
        raise CommandFailed(f"{command[0]}: {error.strerror or error}") from error
    if process.stdin is not None:
        process.stdin.close()
    lines: queue.Queue[tuple[str, bytes]] = queue.Queue()
    for name, stream in (("out", process.stdout), ("err", process.stderr)):
        threading.Thread(target=_pump, args=(name, stream, lines), daemon=True).start()
    last: deque[str] = deque(maxlen=12)
    told_at, open_streams = 0.0, 2
    try:
        while open_streams:
            if not told_at and cancelled():
                told_at = time.monotonic()
                _interrupt(process)
            if told_at and time.monotonic() - told_at > grace_s:
                return 130
            try:
                name, raw = lines.get(timeout=0.1)
            except queue.Empty:
                continue
            if not raw:
                open_streams -= 1
                continue
            line = raw.decode("utf-8", "replace").rstrip()
            event = _event(line) if name == "out" else None
            if event is not None:
                on_event(event)
            elif line:
                last.append(line)
                on_line(line)
        code = process.wait(5)
    except subprocess.TimeoutExpired:
        code = -9
    finally:
        engine_env.end_group(process)
    if told_at:
        return 130
    if code not in (0, 3):
        raise CommandFailed("\n".join(last) or f"it ended with code {code}")
    return code


def _pump(name: str, stream: Any, lines: queue.Queue[tuple[str, bytes]]) -> None:
    for raw in stream:
        lines.put((name, raw))
    lines.put((name, b""))


def _event(line: str) -> Any:
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    sent = getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT)
    try:
        process.send_signal(sent)
    except (OSError, ValueError):
        process.kill()
