"""Where tasks run: here, one after the other, or on a Dask cluster, a bounded number at a time."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from rsvlm_geo.batch.spec import BatchSpec
from rsvlm_geo.errors import RsvlmError, require

_AGAIN = 20
_SILENCE_S = 60.0
"""Longest that a scheduler on a busy machine may not answer."""

__all__ = ["Backend", "DaskBackend", "Lost", "SchedulerLostError", "SerialBackend", "open_backend"]


class SchedulerLostError(RsvlmError, ConnectionError):
    """The cluster is gone; what was done is kept."""


class Lost(Exception):
    """A task killed every worker that tried it."""


class Backend(Protocol):
    """Runs functions with plain arguments, in any order, a few at a time."""

    name: str

    @property
    def window(self) -> int:
        """How many tasks to keep in flight."""
        ...

    def submit(self, tag: Any, task: Callable[..., Any], *args: Any, gpu: bool = True) -> None:
        """Start a task; ``tag`` comes back with its outcome."""
        ...

    def next(self) -> tuple[Any, Any]:
        """Wait for one task: its tag, and its result or the exception that ended it."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class SerialBackend:
    """This process, one task after the other."""

    name = "serial"
    window = 1

    def __init__(self) -> None:
        self._waiting: list[tuple[Any, Callable[..., Any], tuple[Any, ...]]] = []

    def submit(self, tag: Any, task: Callable[..., Any], *args: Any, gpu: bool = True) -> None:
        """See :class:`Backend`."""
        self._waiting.append((tag, task, args))

    def next(self) -> tuple[Any, Any]:
        """See :class:`Backend`; the task runs now."""
        tag, task, args = self._waiting.pop(0)
        try:
            return tag, task(*args)
        except Exception as error:
            return tag, error

    def close(self) -> None:
        """Nothing to let go of."""


@dataclass(frozen=True, slots=True)
class _Work:
    tag: Any
    task: Callable[..., Any]
    args: tuple[Any, ...]
    gpu: bool
    again: int = 0
    """How often its result was lost with a worker."""


class DaskBackend:
    """A Dask cluster: one of our own on this machine, one at an address, or any ``Client``."""

    name = "dask"

    def __init__(
        self,
        spec: BatchSpec,
        *,
        workers: int | None = None,
        address: str | None = None,
        client: Any = None,
        gpu: bool = False,
        timeout_s: float = 60.0,
        patience_s: float = 180.0,
    ) -> None:
        distributed = require("distributed", extra="batch")
        self._distributed = distributed
        self._spec = spec
        self._gpu = gpu
        self._patience_s = patience_s
        self._owned: list[Any] = []
        self._gone = False
        if client is None:
            if address is None:
                cluster = distributed.LocalCluster(
                    n_workers=workers or os.cpu_count() or 1,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address="127.0.0.1:0",
                    resources={"GPU": 1} if gpu else None,
                )
                self._owned += [cluster, _nannies_stay()]
                address = cluster.scheduler_address
            try:
                client = distributed.Client(address, timeout=timeout_s, set_as_default=False)
            except (OSError, TimeoutError) as error:
                raise SchedulerLostError(
                    f"no Dask scheduler answers at {address}; start it with: dask scheduler"
                ) from error
            self._owned.insert(0, client)
        self._client = client
        self._plugin = _ModelPlugin(spec)
        self._guard(lambda: client.register_plugin(self._plugin))
        self._guard(lambda: client.wait_for_workers(1, timeout=timeout_s))
        self._flying: dict[Any, _Work] = {}
        self._completed = distributed.as_completed(loop=client.loop, raise_errors=False)

    @property
    def window(self) -> int:
        """Two tasks a worker and a few to spare, so that none waits for the driver."""
        with contextlib.suppress(Exception):
            return 2 * max(1, len(self._client.scheduler_info(n_workers=-1)["workers"])) + 2
        return 4

    def submit(self, tag: Any, task: Callable[..., Any], *args: Any, gpu: bool = True) -> None:
        """See :class:`Backend`; a task that dies with its worker is tried elsewhere."""
        self._start(_Work(tag, task, args, gpu))

    def _start(self, work: _Work) -> None:
        options: dict[str, Any] = {"pure": False, "retries": 2}
        if self._gpu and work.gpu:
            options["resources"] = {"GPU": 1}
        future = self._guard(lambda: self._client.submit(work.task, *work.args, **options))
        self._flying[future.key] = work
        self._completed.add(future)

    def next(self) -> tuple[Any, Any]:
        """See :class:`Backend`.

        Raises:
            SchedulerLostError: The scheduler does not answer any more.
        """
        from concurrent.futures import CancelledError

        if not self._flying:
            raise RuntimeError("nothing was submitted")
        while True:
            self._wait()
            future = next(self._completed)
            work = self._flying.pop(future.key)
            if future.status == "error":
                error = future.exception(timeout=60)
                if type(error).__name__ == "KilledWorker":
                    return work.tag, Lost(" ".join(str(error).split())[:300])
                return work.tag, error
            if future.status == "finished":
                try:
                    return work.tag, future.result(timeout=10)
                except (OSError, CancelledError, TimeoutError):
                    pass  # the worker died with the result: the part is there, ask again
            if work.again >= _AGAIN or self._client.status != "running":
                raise self._lost()
            self._start(replace(work, again=work.again + 1))

    def _wait(self) -> None:
        """Until something finished."""
        started = working = reachable = time.monotonic()
        while not self._completed.has_ready():
            with self._completed.thread_condition:
                self._completed.thread_condition.wait(timeout=0.1)
            now = time.monotonic()
            if self._client.status == "running":
                reachable = now
            if now - started < 1.0 or self._has_workers():
                working = now
            # workers come back, their nannies see to it; a scheduler that is gone does not
            silent = now - reachable > _SILENCE_S or self._client.status == "closed"
            if silent or now - working > self._patience_s:
                raise self._lost()

    def _has_workers(self) -> bool:
        """Whether the scheduler knows of a worker."""
        with contextlib.suppress(Exception):
            return bool(self._client.scheduler_info(n_workers=1)["workers"])
        return False

    def _guard(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except (OSError, TimeoutError) as error:
            if isinstance(error, RsvlmError):
                raise
            raise self._lost() from error

    def _lost(self) -> SchedulerLostError:
        self._gone = True
        return SchedulerLostError(
            "the Dask scheduler or its last worker is gone; what was done is kept: "
            "start a cluster and run the same command again"
        )

    def close(self) -> None:
        """Close the client and the cluster that are ours."""
        # a client whose scheduler is gone logs tracebacks while it closes; ours is said in one line
        logger = logging.getLogger("distributed.client")
        level = logger.level
        if self._gone:
            logger.setLevel(logging.CRITICAL)
        try:
            for thing in self._owned:
                with contextlib.suppress(Exception):
                    options = {"timeout": 10} if hasattr(thing, "scheduler_address") else {}
                    thing.close(**options)
        finally:
            logger.setLevel(level)


def _nannies_stay() -> contextlib.ExitStack:
    """Until closed, Dask keeps a nanny whose worker died.

    Its local clusters look once, 15 s after a death, and close the nanny for good if the worker is
    away just then: restarting, or dead again.
    """
    import dask

    held = contextlib.ExitStack()
    held.enter_context(dask.config.set({"distributed.deploy.lost-worker-timeout": "1 day"}))
    return held


def _plugin_base() -> Any:
    try:
        from distributed import WorkerPlugin
    except ImportError:
        return object
    return WorkerPlugin


class _ModelPlugin(_plugin_base()):  # type: ignore[misc]
    """Loads the model once per worker, before its first task, and again after a restart."""

    name = "rsvlm-model"

    def __init__(self, spec: BatchSpec) -> None:
        self._spec = spec

    def setup(self, worker: Any) -> None:
        """Called by Dask on every worker, new ones included."""
        from rsvlm_geo.batch.work import load_vlm

        load_vlm(self._spec)


def open_backend(spec: BatchSpec, backend: Any, *, gpu: bool = False) -> Backend:
    """A backend from its short spelling.

    Args:
        spec: For the model that workers load.
        backend: ``serial``; ``dask`` or ``dask:4`` for workers on this machine; an address such as
            ``tcp://host:8786``; a ``distributed.Client``; or a backend, returned as it is.
        gpu: Tasks need the resource ``GPU`` of a worker: one at a time on each.
    """
    if isinstance(backend, str):
        if backend == "serial":
            return SerialBackend()
        if "://" in backend:
            return DaskBackend(spec, address=backend, gpu=gpu)
        kind, _, number = backend.partition(":")
        if kind == "dask" and (not number or number.isdigit()):
            return DaskBackend(spec, workers=int(number) if number else None, gpu=gpu)
        raise RsvlmError(
            f"no backend {backend!r}; take serial, dask, dask:4 or a scheduler's address"
        )
    if hasattr(backend, "submit") and hasattr(backend, "scheduler_info"):
        return DaskBackend(spec, client=backend, gpu=gpu)
    made: Backend = backend
    return made
