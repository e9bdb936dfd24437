# SPDX-License-Identifier: GPL-2.0-or-later
"""Run one of our algorithms in the background and report it live, without holding up the GUI."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
)
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from .answers_model import RowTuple, row_of_event
from .client import EngineCancelled
from .i18n import tr
from .provider import PROVIDER_ID
from .service import explain

__all__ = ["Background", "Run", "RunFeedback"]

TICK_MS = 120
ROWS_A_TICK = 1500


class RunFeedback(QgsProcessingFeedback):
    """Keeps the engine's events until the GUI takes them."""

    def __init__(self) -> None:
        super().__init__(False)
        self.events: deque[dict[str, Any]] = deque()
        self.rows: deque[RowTuple] = deque()
        self.engine_error: BaseException | None = None
        self.done_event: dict[str, Any] | None = None
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.doubts: list[str] = []
        """What the engine had to assume of the layer or the model, and what follows for the run."""

    def engine_event(self, event: dict[str, Any]) -> None:
        """Called on the worker's thread."""
        if event.get("type") == "answer":
            self.rows.append(row_of_event(event))
            return
        if event.get("type") == "warning" and event.get("class") != "Note":
            self.doubts.append(event.get("message", ""))
        self.events.append(event)

    def reportError(self, error: str, fatalError: bool = False) -> None:
        self.errors.append(error)

    def pushWarning(self, warning: str) -> None:
        self.warnings.append(warning)


class Run(QObject):
    """One run of one algorithm; its signals come on the main thread."""

    started = pyqtSignal(dict)
    queued = pyqtSignal(int)
    answered = pyqtSignal(list)
    progressed = pyqtSignal(dict)
    finished = pyqtSignal(bool, dict)
    """Whether it went well, and the algorithm's results."""

    def __init__(self, algorithm: str, parameters: dict[str, Any], parent: QObject) -> None:
        super().__init__(parent)
        self.algorithm = algorithm
        self.parameters = parameters
        self.feedback = RunFeedback()
        self.cancelled = False
        self._context = QgsProcessingContext()
        self._context.setProject(QgsProject.instance())
        self._outcome: tuple[bool, dict[str, Any]] | None = None
        self._task: QgsProcessingAlgRunnerTask | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin; every end comes as ``finished``."""
        registry = QgsApplication.processingRegistry()
        algorithm = registry.createAlgorithmById(f"{PROVIDER_ID}:{self.algorithm}")
        self._timer.start()
        if algorithm is None:
            self.feedback.errors.append(tr("The plugin's algorithms are not there; restart QGIS."))
            self._outcome = (False, {})
            return
        able, why = algorithm.canExecute()
        if able:
            able, why = algorithm.checkParameterValues(self.parameters, self._context)
        if not able:
            self.feedback.errors.append(why)
            self._outcome = (False, {})
            return
        self._task = QgsProcessingAlgRunnerTask(
            algorithm, self.parameters, self._context, self.feedback
        )
        if self._task.isCanceled():
            # its preparation failed; the manager would drop it without a word
            self._task = None
            self._outcome = (False, {})
            return
        self._task.executed.connect(self._executed)
        QgsApplication.taskManager().addTask(self._task)

    def cancel(self) -> None:
        """Ask it to stop."""
        self.cancelled = True
        self.feedback.cancel()

    def message(self) -> tuple[str, str]:
        """What went wrong and what to do, when ``finished`` said it went wrong."""
        error = self.feedback.engine_error
        if isinstance(error, EngineCancelled):
            return tr("Cancelled."), tr(
                "No file was written; the finished tiles are taken up again."
            )
        if error is not None:
            return explain(error)
        errors = [e for e in self.feedback.errors if e.strip()]
        return (errors[0] if errors else tr("The run failed; see the log panel."), "")

    def _executed(self, good: bool, results: dict[str, Any]) -> None:
        self._task = None
        self._outcome = (good, results)

    def _tick(self) -> None:
        progress = None
        events, rows = self.feedback.events, self.feedback.rows
        while events:
            event = events.popleft()
            kind = event.get("type")
            if kind == "started":
                self.started.emit(event)
            elif kind == "progress":
                progress = event
            elif kind == "queued":
                self.queued.emit(int(event.get("ahead", 1)))
        answers = [rows.popleft() for _ in range(min(len(rows), ROWS_A_TICK))]
        if progress is not None:
            self.progressed.emit(progress)
        if answers:
            self.answered.emit(answers)
        if self._outcome is not None and not events and not rows:
            self._timer.stop()
            good, results = self._outcome
            self.finished.emit(good, results)


class Background(QObject):
    """A question to the engine on a thread of its own; the answer comes on the main thread."""

    ready = pyqtSignal(object, object)
    """Result, or None and the exception."""

    def __init__(self, work: Callable[[], Any], parent: QObject) -> None:
        super().__init__(parent)
        self._work = work

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._go, name="rsvlm-background", daemon=True).start()

    def _go(self) -> None:
        result: Any = None
        problem: BaseException | None = None
        try:
            result = self._work()
        except Exception as error:
            problem = error
        try:
            self.ready.emit(result, problem)
        except RuntimeError:
            # the dock that asked is gone
            return
