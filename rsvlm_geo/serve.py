"""``rsvlm-geo serve --stdio``: the engine behind the QGIS plugin, JSON lines on stdin and stdout.

Threads: the main one runs requests one after the other; one reads stdin, so that a cancel is heard
while a request runs; one sends a heartbeat. File descriptor 1 belongs to the protocol alone: what
Python code or a native library prints goes to stderr. When stdin ends, the client is gone, and so
is this process soon after.
"""

from __future__ import annotations

import contextlib
import os
import platform
import queue
import signal
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, BinaryIO

import rsvlm_geo
from rsvlm_geo.doctor import installed_versions, list_packs
from rsvlm_geo.engine import Engine
from rsvlm_geo.protocol import (
    PROTOCOL,
    RUN_TASKS,
    ProtocolError,
    Request,
    decode_request,
    encode_event,
    error_event,
)

__all__ = ["Server", "serve_stdio"]

HEARTBEAT_S = 1.0
MAX_CALL_S = 0.25
GRACE_S = 2.0
_LAST = frozenset({"done", "error", "estimate"})


class Server:
    """Requests in, events out.

    Args:
        requests: Lines of JSON.
        events: Where events go.
        engine: Holds the models; a new one by default.
    """

    def __init__(self, requests: BinaryIO, events: BinaryIO, engine: Engine | None = None) -> None:
        self._requests, self._events = requests, events
        self._engine = engine or Engine(max_call_s=MAX_CALL_S)
        self._queue: queue.Queue[Request | None] = queue.Queue()
        self._write_lock, self._lock = threading.Lock(), threading.Lock()
        self._waiting: dict[str, Request] = {}
        self._cancelled: set[str] = set()
        self._current: str | None = None
        self._began = 0.0
        self._stop = threading.Event()

    def emit(self, event: Mapping[str, Any]) -> None:
        """Send one event; a client that is gone ends the process."""
        line = encode_event(event)
        try:
            with self._write_lock:
                self._events.write(line)
                self._events.flush()
        except (OSError, ValueError):
            self._stop.set()
            self._queue.put(None)

    def serve(self) -> None:
        """Answer until shutdown or the end of the requests."""
        self.emit(hello_event())
        for target, name in ((self._read, "read"), (self._beat, "beat"), (_warm_up, "warm")):
            threading.Thread(target=target, name=f"rsvlm-{name}", daemon=True).start()
        while True:
            request = self._queue.get()
            if request is None or self._stop.is_set():
                return
            self._answer(request)

    def _emit_of_job(self, event: Mapping[str, Any]) -> None:
        """Send an event of the running request; the last one frees the engine first.

        Otherwise the client could answer it with a request that finds us busy.
        """
        if event["type"] in _LAST:
            with self._lock:
                self._current = None
        self.emit(event)

    def _read(self) -> None:
        for line in self._requests:
            if not line.strip():
                continue
            try:
                request = decode_request(line)
            except Exception as error:
                self.emit(error_event(_id_of(line), error, exit_code=2))
                continue
            if request.type == "shutdown":
                break
            self._take(request)
        self._leave()

    def _take(self, request: Request) -> None:
        ident = request.id or ""
        if request.type == "cancel":
            self._cancel(ident)
            return
        if request.type == "info":
            self._queue.put(request)
            return
        with self._lock:
            taken = ident in self._waiting or ident == self._current
            ahead = len(self._waiting) + (self._current is not None)
            if not taken:
                self._waiting[ident] = request
                self._cancelled.discard(ident)
        if taken:
            error = ProtocolError(f"id {ident!r} is of a request that goes on; use a new one")
            self.emit(error_event(ident, error, exit_code=2))
            return
        if ahead:
            self.emit({"type": "queued", "id": ident, "ahead": ahead})
        self._queue.put(request)

    def _cancel(self, ident: str) -> None:
        """Too late or unknown ids are let pass: the request may just have ended."""
        with self._lock:
            if ident == self._current:
                self._cancelled.add(ident)
                return
            waiting = self._waiting.pop(ident, None)
        if waiting is not None:
            self.emit(_never_started(ident))

    def _leave(self) -> None:
        """The client is gone: stop what runs, then end, at the latest after a grace."""
        self._stop.set()
        self._queue.put(None)
        time.sleep(GRACE_S)
        if threading.main_thread().is_alive() and self._current is not None:
            os._exit(0)

    def _answer(self, request: Request) -> None:
        ident = request.id or ""
        if request.type == "info":
            self._guarded(ident, lambda: self.emit(self._info(ident)))
            return
        with self._lock:
            if self._waiting.pop(ident, None) is None:
                return  # cancelled while it waited
            self._current, self._began = ident, time.monotonic()
        try:
            if request.type == "estimate":
                self._guarded(ident, lambda: self._emit_of_job(self._engine.estimate(request)))
            else:
                self._guarded(ident, lambda: self._run(request))
        finally:
            with self._lock:
                self._current = None
                self._cancelled.discard(ident)

    def _run(self, request: Request) -> None:
        ident = request.id or ""
        self._engine.run(
            request,
            self._emit_of_job,
            cancel=lambda: self._stop.is_set() or ident in self._cancelled,
            resume="auto" if request.options.resume else "no",
        )

    def _guarded(self, ident: str, work: Any) -> None:
        try:
            work()
        except Exception as error:
            from rsvlm_geo.errors import RsvlmError

            if not isinstance(error, RsvlmError):
                import traceback

                traceback.print_exc()
            self._emit_of_job(error_event(ident, error))

    def _info(self, ident: str) -> dict[str, Any]:
        from rsvlm_geo.doctor import report

        loaded = self._engine.loaded
        facts = report(loaded[0][0] if loaded else None, load=False)
        if loaded and facts["active"] is not None:
            facts["active"]["last_tiles_per_s"] = loaded[0][1]
        return {"type": "info", "id": ident, **facts}

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT_S):
            current = self._current
            if current is not None:
                elapsed = round(time.monotonic() - self._began, 3)
                self.emit({"type": "heartbeat", "id": current, "busy": True, "elapsed_s": elapsed})


def hello_event() -> dict[str, Any]:
    """The first line; costs milliseconds."""
    return {
        "type": "hello",
        "protocol": PROTOCOL,
        "version": rsvlm_geo.__version__,
        "python": platform.python_version(),
        "pid": os.getpid(),
        "versions": installed_versions(),
        "tasks": list(RUN_TASKS),
        "packs": list_packs(),
    }


def _never_started(ident: str) -> dict[str, Any]:
    coverage = {"seen": 0.0, "nodata": 0.0, "failed": 0.0, "pending": 1.0, "refused": 0.0}
    return {
        "type": "done", "id": ident, "run_id": "", "outcome": "cancelled", "paths": [],
        "layers": [], "coverage": coverage, "totals": [], "counts": {},
        "summary": "Cancelled before it began.", "elapsed_s": 0.0, "tiles": 0, "crs": None,
    }  # fmt: skip


def _id_of(line: bytes) -> str | None:
    """The id of a line that is no valid request, when it has one."""
    import json

    with contextlib.suppress(ValueError, RecursionError):
        message = json.loads(line)
        if isinstance(message, dict) and isinstance(message.get("id"), str) and message["id"]:
            return str(message["id"])
    return None


def _warm_up() -> None:
    """Import what a run needs while the client is still deciding."""
    with contextlib.suppress(Exception):
        import rsvlm_geo.events
        import rsvlm_geo.pipeline  # noqa: F401


def _protect_stdout() -> BinaryIO:
    """A private copy of descriptor 1; whoever writes to 1 from now on writes to stderr."""
    sys.stdout.flush()
    protocol = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return protocol


def serve_stdio(engine: Engine | None = None) -> None:
    """Serve on this process's stdin and stdout until the client goes."""
    events = _protect_stdout()
    requests = sys.stdin.buffer
    with contextlib.suppress(ValueError):
        # the client decides when to stop; a Ctrl-C in its terminal is not ours
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    Server(requests, events, engine).serve()
    sys.stderr.flush()
    # threads may hang in native code; nothing is left to be written
    os._exit(0)
