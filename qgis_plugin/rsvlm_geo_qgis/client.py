# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin's side of the engine's protocol: JSON lines over pipes. No Qt here.

One engine process is kept warm. Calls come from worker threads and block there; a reader thread per
process hands each event to the call it belongs to. A cancel is first a message and, when the engine
does not react within a grace, a kill; the next call starts a new engine by itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import engine_env

__all__ = [
    "PROTOCOL",
    "EngineCancelled",
    "EngineClient",
    "EngineDied",
    "EngineError",
    "EngineMissing",
    "EngineTooOld",
]

PROTOCOL = 1
"""The version of the protocol this client speaks."""

Event = dict[str, Any]
_POLL_S = 0.05
_BURST, _REST_S = 24, 0.006
_LAST = frozenset(("done", "estimate", "info"))


class EngineError(Exception):
    """The engine answered with an error; ``kind`` is its class, ``next_step`` what to do."""

    def __init__(self, message: str, kind: str = "", next_step: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.next_step = next_step


class EngineMissing(EngineError):
    """It could not be started at all."""


class EngineTooOld(EngineError):
    """It speaks another version of the protocol."""


class EngineDied(EngineError):
    """It ended in the middle of something."""


class EngineCancelled(EngineError):
    """The user stopped it."""

    def __init__(self, message: str, done: Event | None = None) -> None:
        super().__init__(message, "Cancelled")
        self.done = done


class _Process:
    """One engine process and the calls that wait on it."""

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], log: Callable[[str], None]
    ) -> None:
        try:
            self.popen = engine_env.spawn(command, environ)
        except OSError as error:
            raise EngineMissing(
                f"the engine could not be started: {command[0]}: {error.strerror or error}",
                "EngineMissing",
            ) from error
        self.hello: Event | None = None
        self.last_heard = time.monotonic()
        self._log = log
        self._jobs: dict[str, queue.Queue[Event]] = {}
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._stderr: deque[str] = deque(maxlen=40)
        self._readers = [
            threading.Thread(target=target, name=f"rsvlm-{name}", daemon=True)
            for name, target in (("stdout", self._read_events), ("stderr", self._read_log))
        ]
        for reader in self._readers:
            reader.start()

    @property
    def alive(self) -> bool:
        return not self._ended.is_set() and self.popen.poll() is None

    def wait_ready(self, timeout_s: float) -> Event:
        """Its first message, the hello."""
        limit = time.monotonic() + timeout_s
        while not self._ready.wait(_POLL_S):
            if self._ended.is_set():
                break
            if time.monotonic() > limit:
                self.kill()
                raise EngineMissing(
                    f"the engine did not say hello within {timeout_s:.0f} s{self.tail()}",
                    "EngineMissing",
                )
        if self.hello is None:
            with contextlib.suppress(Exception):
                self.popen.wait(1.0)
            code = self.popen.poll()
            self.kill()
            raise EngineMissing(
                f"the engine ended at once with code {code}{self.tail()}", "EngineMissing"
            )
        return self.hello

    def open_job(self, job: str) -> queue.Queue[Event]:
        events: queue.Queue[Event] = queue.Queue()
        with self._lock:
            self._jobs[job] = events
        return events

    def close_job(self, job: str) -> None:
        with self._lock:
            self._jobs.pop(job, None)

    def send(self, message: Mapping[str, Any]) -> None:
        line = json.dumps(message, ensure_ascii=False, separators=(",", ":")) + "\n"
        stdin = self.popen.stdin
        if stdin is None:
            raise EngineDied("the engine has no input", "EngineDied")
        try:
            with self._lock:
                stdin.write(line.encode("utf-8"))
                stdin.flush()
        except (OSError, ValueError) as error:
            raise self.death() from error

    def death(self) -> EngineDied:
        """What to say of an engine that ended by itself."""
        with contextlib.suppress(Exception):
            self.popen.wait(1.0)
        code = self.popen.poll()
        for reader in self._readers:
            if reader is not threading.current_thread():
                reader.join(0.5)
        how = f"was ended by signal {-code}" if code is not None and code < 0 else f"code {code}"
        return EngineDied(f"the engine stopped unexpectedly ({how}){self.tail()}", "EngineDied")

    def tail(self) -> str:
        """Its last words on stderr."""
        lines = [line for line in list(self._stderr)[-6:] if line.strip()]
        return ":\n" + "\n".join(lines) if lines else ""

    def kill(self) -> None:
        engine_env.end_group(self.popen)
        self._ended.set()
        for reader in self._readers:
            if reader is not threading.current_thread():
                reader.join(0.5)
        for stream in (self.popen.stdin, self.popen.stdout, self.popen.stderr):
            with contextlib.suppress(OSError, ValueError):
                if stream is not None:
                    stream.close()

    def shut_down(self, grace_s: float) -> None:
        """Ask it to end, close its input, then make sure."""
        with contextlib.suppress(EngineError):
            self.send({"type": "shutdown"})
        with contextlib.suppress(OSError, ValueError):
            if self.popen.stdin is not None:
                self.popen.stdin.close()
        with contextlib.suppress(Exception):
            self.popen.wait(grace_s)
        self.kill()

    def _read_events(self) -> None:
        stream = self.popen.stdout
        for number, raw in enumerate(stream if stream is not None else ()):
            self.last_heard = time.monotonic()
            if number % _BURST == _BURST - 1:
                # a flood of events must not keep the GUI's thread from Python
                time.sleep(_REST_S)
            try:
                event = json.loads(raw)
            except ValueError:
                self._log("engine said what is not JSON: " + raw[:200].decode("utf-8", "replace"))
                continue
            if not isinstance(event, dict):
                continue
            if event.get("type") == "hello" and not self._ready.is_set():
                self.hello = event
                self._ready.set()
            job = event.get("id")
            with self._lock:
                events = self._jobs.get(str(job)) if job is not None else None
            if events is not None:
                events.put(event)
        self._ended.set()
        self._ready.set()

    def _read_log(self) -> None:
        stream = self.popen.stderr
        for raw in stream if stream is not None else ():
            line = raw.decode("utf-8", "replace").rstrip()
            self._stderr.append(line)
            self._log(line)


class EngineClient:
    """One warm engine, started when first needed."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environ: Mapping[str, str] | None = None,
        log: Callable[[str], None] = lambda line: None,
        grace_s: float = 2.0,
        start_timeout_s: float = 60.0,
    ) -> None:
        """Args:
        command: The engine's command line.
        environ: Its environment; this process's, cleaned, when None.
        log: Called from reader threads with each line of the engine's stderr.
        grace_s: From a cancel message to the kill.
        start_timeout_s: From the start to its hello.
        """
        self._command = list(command)
        self._environ = environ
        self._log = log
        self._grace_s = grace_s
        self._start_timeout_s = start_timeout_s
        self._process: _Process | None = None
        self._lock = threading.Lock()
        self._next = 0
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Of the live engine, or None."""
        process = self._process
        return process.popen.pid if process is not None and process.alive else None

    def hello(self) -> Event:
        """What the engine said of itself; starts it when need be.

        Raises:
            EngineMissing: It cannot be started.
            EngineTooOld: Its protocol is another.
        """
        return self._live().hello or {}

    def call(
        self,
        kind: str,
        fields: Mapping[str, Any] | None = None,
        *,
        on_event: Callable[[Event], None] = lambda event: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Event:
        """Send one request and wait for its end, on the calling thread.

        Args:
            kind: The request's type: ``run``, ``estimate``, ``info``.
            fields: The rest of the message.
            on_event: Called on this thread with every event before the last.
            cancelled: Asked about twenty times a second.

        Returns:
            The last event.

        Raises:
            EngineCancelled: ``cancelled`` said so.
            EngineDied: The process ended first; the next call starts another.
            EngineError: The engine answered with an error.
        """
        process = self._live()
        with self._lock:
            self._next += 1
            job = f"{os.getpid()}-{self._next}"
        events = process.open_job(job)
        try:
            process.send({"type": kind, "id": job, **(fields or {})})
            return self._wait(process, job, events, on_event, cancelled)
        finally:
            process.close_job(job)

    def _wait(
        self,
        process: _Process,
        job: str,
        events: queue.Queue[Event],
        on_event: Callable[[Event], None],
        cancelled: Callable[[], bool],
    ) -> Event:
        told_at: float | None = None
        while True:
            if told_at is None and cancelled():
                told_at = time.monotonic()
                with contextlib.suppress(EngineDied):
                    process.send({"type": "cancel", "id": job})
            if told_at is not None and time.monotonic() - told_at > self._grace_s:
                process.kill()
                raise EngineCancelled("cancelled; the engine did not react and was ended")
            try:
                event = events.get(timeout=_POLL_S)
            except queue.Empty:
                if process.alive or not events.empty():
                    continue
                if told_at is not None:
                    raise EngineCancelled("cancelled") from None
                raise process.death() from None
            name = event.get("type")
            if name == "error":
                kind, message = str(event.get("class", "")), str(event.get("message", ""))
                if kind == "Cancelled":
                    raise EngineCancelled(message, event)
                raise EngineError(message, kind, str(event.get("next_step") or ""))
            if name == "done" and event.get("outcome") == "cancelled":
                raise EngineCancelled(str(event.get("summary") or "cancelled"), event)
            if name in _LAST:
                return event
            on_event(event)

    def _live(self) -> _Process:
        with self._lock:
            if self._closed:
                raise EngineMissing("the engine was closed", "EngineMissing")
            process = self._process
            if process is not None and process.alive:
                return process
            if process is not None:
                process.kill()
            environ = self._environ
            if environ is None:
                environ = engine_env.clean_environment(os.environ)
            process = _Process(self._command, environ, self._log)
            hello = process.wait_ready(self._start_timeout_s)
            spoken = hello.get("protocol")
            if spoken != PROTOCOL:
                process.shut_down(0.2)
                raise EngineTooOld(
                    f"the engine speaks protocol {spoken!r}, this plugin speaks {PROTOCOL}",
                    "EngineTooOld",
                )
            self._process = process
            return process

    def stop(self) -> None:
        """End the engine now; the next call starts a new one."""
        process, self._process = self._process, None
        if process is not None:
            process.shut_down(0.2)

    def close(self) -> None:
        """End the engine for good."""
        self._closed = True
        self.stop()
