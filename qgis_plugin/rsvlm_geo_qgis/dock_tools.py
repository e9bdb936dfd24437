# SPDX-License-Identifier: GPL-2.0-or-later
"""The dock's map tools and their buttons: ask here, and draw an area."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from qgis.core import QgsPointXY, QgsRasterLayer
from qgis.PyQt.QtCore import QObject, pyqtSignal

from .ask_here import AskHere
from .dock_area import AreaChoice, covers
from .dock_form import DockForm
from .dock_request import model_fields

__all__ = ["DockTools"]


class DockTools(QObject):
    """Owns both tools; a button is down while its tool is the canvas's."""

    asking = pyqtSignal()
    """The ask tool was taken up."""

    def __init__(self, iface: Any, form: DockForm, parent: QObject) -> None:
        super().__init__(parent)
        self._form, self._canvas = form, iface.mapCanvas()
        self._tile_m: dict[str, float] = {}
        self.area = AreaChoice(iface, form, parent)
        self.ask_here = AskHere(
            self._canvas, self._layer_at, self._side_m, lambda: model_fields(form), parent
        )
        form.ask_button.toggled.connect(self._ask_toggled)
        self._canvas.mapToolSet.connect(self._tool_set)

    def remember_tile(self, layer_id: str, tile_m: float) -> None:
        """Keep the side of a layer's tiles, metres, for a click on that layer."""
        self._tile_m[layer_id] = tile_m

    def dispose(self) -> None:
        """Leave the canvas as it was."""
        with suppress(TypeError):
            self._canvas.mapToolSet.disconnect(self._tool_set)
        self.ask_here.dispose()
        self.area.dispose()

    def _ask_toggled(self, on: bool) -> None:
        if on:
            self._canvas.setMapTool(self.ask_here.tool)
            self.asking.emit()
        elif self._canvas.mapTool() is self.ask_here.tool:
            self._canvas.unsetMapTool(self.ask_here.tool)

    def _tool_set(self, tool: Any, *_: Any) -> None:
        for button, own in (
            (self._form.ask_button, self.ask_here.tool),
            (self._form.draw_button, self.area.tool),
        ):
            if tool is not own and button.isChecked():
                button.setChecked(False)

    def _layer_at(self, place: QgsPointXY) -> QgsRasterLayer | None:
        crs = self._canvas.mapSettings().destinationCrs()
        chosen = self._form.layer.currentLayer()
        for layer in [chosen, *self._canvas.layers()]:
            if isinstance(layer, QgsRasterLayer) and layer.isValid() and covers(layer, place, crs):
                return layer
        return None

    def _side_m(self) -> float:
        layer = self._form.layer.currentLayer()
        known = self._tile_m.get(layer.id()) if layer is not None else None
        # a little less than what the model sees, so that a click is one tile
        return 0.92 * (known or 60.0)
