# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run would cost, asked of the engine while the form is being filled in."""

from __future__ import annotations

from typing import Any

from qgis.PyQt.QtCore import QObject, pyqtSignal

from . import service
from .i18n import tr
from .runner import Background

__all__ = ["Estimator"]


class Estimator(QObject):
    """Asks one question at a time; an answer that came too late is dropped."""

    said = pyqtSignal(str)
    """Why there is no estimate."""
    came = pyqtSignal(str, dict)
    """The layer's id, and what the engine answered."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._number = 0

    def forget(self) -> None:
        """Drop the answer that is still to come."""
        self._number += 1

    def ask(self, task: str, parameters: dict[str, Any]) -> None:
        """Ask for an estimate of the algorithm's parameters."""
        from .algorithms.estimate import estimate_request

        try:
            request = estimate_request(task, parameters)
        except Exception as error:
            self.said.emit(str(error))
            return
        if request is None:
            self.said.emit(tr("The layer is drawn for the engine first."))
            return
        self.forget()
        number, layer_id = self._number, parameters["INPUT"].id()
        asker = Background(lambda: service.engine().call("estimate", request), self)
        asker.ready.connect(lambda got, bad: self._answered(number, layer_id, got, bad))
        asker.start()

    def _answered(self, number: int, layer_id: str, got: Any, problem: Any) -> None:
        if number != self._number:
            return
        if problem is not None:
            self.said.emit(" ".join(service.explain(problem)))
        else:
            self.came.emit(layer_id, got)
