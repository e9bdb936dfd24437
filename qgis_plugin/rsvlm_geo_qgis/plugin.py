# SPDX-License-Identifier: GPL-2.0-or-later
"""What QGIS loads: toolbar, menu, dock, provider, options page. ``unload`` undoes ``initGui``."""

from __future__ import annotations

import gc
from typing import Any

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import Qt

from . import compat
from .i18n import install_translator, remove_translator, tr
from .provider import RsvlmProvider, icon

__all__ = ["RsvlmPlugin"]

MENU = "rsvlm_geo"


class RsvlmPlugin:
    """Starts nothing by itself: the engine begins when the dock opens or an algorithm runs."""

    def __init__(self, iface: Any) -> None:
        self.iface = iface
        self.provider: RsvlmProvider | None = None
        self.dock: Any = None
        self._actions: list[Any] = []
        self._toolbar: Any = None
        self._options: Any = None
        self._translator = install_translator()

    def initProcessing(self) -> None:
        """Called alone by ``qgis_process``."""
        self.provider = RsvlmProvider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self) -> None:
        """Called by the desktop."""
        self.initProcessing()
        from . import expressions
        from .options import OptionsFactory

        expressions.register()
        window = self.iface.mainWindow()
        self._toolbar = self.iface.addToolBar("rsvlm_geo")
        self._toolbar.setObjectName("RsvlmGeoToolbar")
        self.open_action = compat.Q_ACTION(icon(), tr("Ask the map"), window)
        self.open_action.setObjectName("rsvlmOpenDock")
        self.open_action.setCheckable(True)
        self.open_action.setToolTip(tr("Ask the map: describe, count, locate, ask"))
        self.open_action.triggered.connect(self._show_dock)
        self.ask_action = compat.Q_ACTION(icon("askhere"), tr("Ask here"), window)
        self.ask_action.setObjectName("rsvlmAskHereAction")
        self.ask_action.setToolTip(tr("Ask here: click the map, or drag a rectangle"))
        self.ask_action.triggered.connect(self._ask_here)
        for action in (self.open_action, self.ask_action):
            self._toolbar.addAction(action)
            self.iface.addPluginToRasterMenu(MENU, action)
            self._actions.append(action)
        self._options = OptionsFactory(self._engine_changed)
        self.iface.registerOptionsWidgetFactory(self._options)

    def _show_dock(self, on: bool = True) -> None:
        if self.dock is None:
            from .dock import RsvlmDock

            self.dock = RsvlmDock(self.iface)
            # QGIS's start leaves Python a full garbage collection to do, 0.3 s long; have it now,
            # behind the opening of the dock, and not in the middle of a run
            gc.collect()
            self.dock.visibilityChanged.connect(self._dock_seen)
            self.iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.dock)
            self.dock.resize(400, self.dock.height())
        self.dock.setUserVisible(on)

    def _dock_seen(self, seen: bool) -> None:
        if self.dock is not None:
            self.open_action.setChecked(self.dock.isUserVisible() or seen)

    def _ask_here(self) -> None:
        self._show_dock(True)
        self.dock.form.ask_button.setChecked(True)

    def _engine_changed(self) -> None:
        if self.dock is not None:
            self.dock.engine_changed()
        else:
            from . import service

            service.restart()

    def unload(self) -> None:
        """Leave QGIS as it was, and no process behind."""
        from . import expressions, service

        dock, self.dock = self.dock, None
        if dock is not None:
            dock.dispose()
            dock.hide()
            self.iface.removeDockWidget(dock)
            dock.deleteLater()
        service.close()
        if self._options is not None:
            self.iface.unregisterOptionsWidgetFactory(self._options)
            self._options = None
        for action in self._actions:
            self.iface.removePluginRasterMenu(MENU, action)
            action.deleteLater()
        self._actions = []
        if self._toolbar is not None:
            expressions.unregister()
            self._toolbar.deleteLater()
            self._toolbar = None
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
        remove_translator(self._translator)
        self._translator = None
