# SPDX-License-Identifier: GPL-2.0-or-later
"""The dock's earlier runs: their menu, and reading one back into the table."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from qgis.core import QgsCoordinateReferenceSystem, QgsFeature, QgsProject
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import QMenu

from . import results
from .answers_model import row_of_event
from .dock_form import DockForm
from .i18n import tr

__all__ = ["RunHistory"]

_READ = ("tile_id", "task", "question", "status", "answer", "confidence", "reason")


class RunHistory(QObject):
    """What the project remembers of its runs."""

    picked = pyqtSignal(dict)
    """A run of the menu was clicked: its entry."""

    def __init__(self, form: DockForm, parent: QObject) -> None:
        super().__init__(parent)
        self._form = form
        self._reading: Any = None
        self._timer = QTimer(self)
        self._timer.setInterval(12)
        self._timer.timeout.connect(self._read_more)
        form.runs_menu.aboutToShow.connect(self._fill_menu)

    def _fill_menu(self) -> None:
        menu: QMenu = self._form.runs_menu
        menu.clear()
        runs = results.history(QgsProject.instance())
        if not runs:
            menu.addAction(tr("No runs in this project yet")).setEnabled(False)
        for entry in runs[:25]:
            text = f"{str(entry.get('when', ''))[:16].replace('T', ' ')}  {entry.get('title', '')}"
            action = menu.addAction(text.strip())
            action.triggered.connect(lambda _=False, run=entry: self.picked.emit(run))

    def read(self, path: str) -> QgsCoordinateReferenceSystem | None:
        """Fill the table from a run's file, a piece at a time; its CRS, or None when it is gone."""
        layer = results.open_layer(path, "answers", "answers") if Path(path).exists() else None
        if layer is None:
            return None
        self._form.table.model.clear()
        self._reading = (layer, layer.getFeatures())
        self._timer.start()
        return layer.crs()

    def reading(self) -> bool:
        """Whether rows are still coming."""
        return bool(self._timer.isActive())

    def stop(self) -> None:
        """Read no further."""
        self._timer.stop()

    def _read_more(self) -> None:
        _layer, features = self._reading
        rows, feature = [], QgsFeature()
        enough = time.perf_counter() + 0.008
        while time.perf_counter() < enough:
            if not features.nextFeature(feature):
                self._timer.stop()
                break
            shape = feature.geometry()
            values = {name: feature[name] for name in _READ if feature.fields().indexOf(name) >= 0}
            event = {k: (None if str(v) == "NULL" else v) for k, v in values.items()}
            polygon = shape.asMultiPolygon()[0] if shape.isMultipart() else shape.asPolygon()
            ring = [[p.x(), p.y()] for p in (polygon[0] if polygon else ())]
            event["geometry"] = {"type": "Polygon", "coordinates": [ring]}
            rows.append(row_of_event(event))
        self._form.table.model.add(rows)
        self._form.table.refresh()
