# SPDX-License-Identifier: GPL-2.0-or-later
"""Load a run's layers a piece a turn of the event loop, so that the GUI comes round."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProject
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from . import results

__all__ = ["LayerLoader"]


class LayerLoader(QObject):
    """Adds the styled layers of one run after another."""

    loaded = pyqtSignal(list)
    """The layers of a run; empty when its file cannot be opened."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._steps: Any = None

    def load(self, path: str, title: str, done: dict[str, Any], facts: dict[str, Any]) -> None:
        """Begin in the next turn of the event loop, not in this one."""
        QTimer.singleShot(0, lambda: self._begin(path, title, done, facts))

    def stop(self) -> None:
        """Load no further."""
        self._steps = None

    def _begin(self, path: str, title: str, done: dict[str, Any], facts: dict[str, Any]) -> None:
        self._steps = results.add_run(QgsProject.instance(), path, title, done, facts)
        self._step()

    def _step(self) -> None:
        steps = self._steps
        if steps is None:
            return
        layers = next(steps, None)
        if layers is None:
            QTimer.singleShot(0, self._step)
            return
        self._steps = None
        self.loaded.emit(layers)
