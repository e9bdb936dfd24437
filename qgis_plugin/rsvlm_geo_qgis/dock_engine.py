# SPDX-License-Identifier: GPL-2.0-or-later
"""Meet the engine in the background: which models it has, or why there is none."""

from __future__ import annotations

from typing import Any

from qgis.PyQt.QtCore import QObject, pyqtSignal

from . import service, settings
from .i18n import tr
from .runner import Background

__all__ = ["EngineMeeting"]


class EngineMeeting(QObject):
    """Knows the engine's model packs once it was met."""

    asking = pyqtSignal(str)
    """The engine is being started: words for it."""
    met = pyqtSignal()
    missing = pyqtSignal(str)
    """Why nothing can be asked."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.packs: list[dict[str, Any]] = []
        self._asking = False

    def pack(self, name: Any) -> dict[str, Any]:
        """The pack of that name, else the first, else nothing."""
        for pack in self.packs:
            if pack.get("name") == name:
                return pack
        return self.packs[0] if self.packs else {}

    def forget(self) -> None:
        """Drop what is known and the engine's process: it may be another one now."""
        self.packs = []
        service.restart()

    def meet(self) -> None:
        """Say hello; ``met`` or ``missing`` follows."""
        if self._asking:
            return
        if not settings.engine_python():
            self.missing.emit(tr("No engine is set up yet."))
            return
        self._asking = True
        self.asking.emit(tr("Starting the engine…"))
        asker = Background(lambda: service.engine().hello(), self)
        asker.ready.connect(self._answered)
        asker.start()

    def _answered(self, hello: Any, problem: Any) -> None:
        self._asking = False
        if problem is not None:
            self.missing.emit(" ".join(service.explain(problem)))
            return
        self.packs = list(hello.get("packs", ()))
        self.met.emit()
        if not self.packs:
            self.missing.emit(
                tr("The engine has no model pack; set one up in the options, then try again.")
            )
