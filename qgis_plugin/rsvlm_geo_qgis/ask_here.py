# SPDX-License-Identifier: GPL-2.0-or-later
"""Ask here: a place on the map, a question, and the answer as a feature with a callout."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsUnitTypes,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QEvent, QObject, QPoint, QStringListModel, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QCompleter,
    QFrame,
    QGraphicsDropShadowEffect,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
)

from . import results, settings, source
from .i18n import tr
from .maptools import AskTool
from .runner import Run

__all__ = ["AskHere", "AskPopup"]

EXAMPLES = (
    "What is here?",
    "How many cars are there?",
    "Is there a building?",
    "Is there water?",
)


class AskPopup(QFrame):
    """A question box that floats over the map."""

    asked = pyqtSignal(str)
    closed = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self.setObjectName("rsvlmAskPopup")
        self.setStyleSheet(
            "#rsvlmAskPopup{background:palette(base);border:1px solid #0f8b8d;border-radius:8px}"
            "#rsvlmAskPopup QLineEdit{padding:5px 7px;border:1px solid palette(mid);border-radius:5px}"  # noqa: E501
            "#rsvlmAskGo{background:#0f8b8d;color:white;border:0;border-radius:5px;"
            "padding:6px 14px;font-weight:600}#rsvlmAskGo:disabled{background:#9bb8b8}"
        )
        shadow = QGraphicsDropShadowEffect(self)
        shadow.setBlurRadius(18)
        shadow.setOffset(0, 3)
        self.setGraphicsEffect(shadow)
        self.line = QLineEdit()
        self.line.setObjectName("rsvlmAskLine")
        self.line.setPlaceholderText(tr("Ask about this place…"))
        self.line.setMinimumWidth(260)
        self.line.returnPressed.connect(self._go)
        self.line.installEventFilter(self)
        words = QStringListModel([*settings.recent_questions(), *map(tr, EXAMPLES)], self)
        completer = QCompleter(words, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.line.setCompleter(completer)
        self.button = QPushButton(tr("Ask"))
        self.button.setObjectName("rsvlmAskGo")
        self.button.clicked.connect(self._go)
        self.note = QLabel("")
        self.note.setStyleSheet("color:palette(dark)")
        self.note.hide()
        row = QHBoxLayout()
        row.addWidget(self.line, 1)
        row.addWidget(self.button)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(10, 9, 10, 9)
        whole.addLayout(row)
        whole.addWidget(self.note)
        self.adjustSize()

    def place(self, at: QPoint) -> None:
        """Put it beside a point of the canvas, inside of it."""
        canvas = self.parentWidget()
        self.adjustSize()
        x = min(max(6, at.x() + 18), max(6, canvas.width() - self.width() - 6))
        y = min(max(6, at.y() + 18), max(6, canvas.height() - self.height() - 6))
        self.move(x, y)
        self.show()
        self.raise_()
        self.line.setFocus()

    def waiting(self, text: str) -> None:
        """Show that the question is on its way."""
        self.button.setEnabled(False)
        self.line.setReadOnly(True)
        self.note.setText(text)
        self.note.show()
        self.adjustSize()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
            return True
        return super().eventFilter(watched, event)

    def _go(self) -> None:
        text = self.line.text().strip()
        if text and self.button.isEnabled():
            self.asked.emit(text)


class AskHere(QObject):
    """The tool, its popup, and the layer that keeps what was asked."""

    failed = pyqtSignal(str, str)
    answered = pyqtSignal(QgsVectorLayer, dict)

    def __init__(
        self,
        canvas: QgsMapCanvas,
        layer_at: Callable[[QgsPointXY], QgsRasterLayer | None],
        side_m: Callable[[], float],
        extra: Callable[[], dict[str, Any]],
        parent: QObject,
    ) -> None:
        """Args:
        canvas: The map.
        layer_at: The raster that is asked at a place of the map.
        side_m: Side of a click's square, metres.
        extra: More parameters for the algorithm (model, device).
        parent: Owner.
        """
        super().__init__(parent)
        self._canvas = canvas
        self._layer_at = layer_at
        self._side_m = side_m
        self._extra = extra
        self._popup: AskPopup | None = None
        self._run: Run | None = None
        self._area: QgsGeometry | None = None
        self._raster = ""
        self._temporary = ""
        self.tool = AskTool(canvas, self._side)
        self.tool.chosen.connect(self._choose)
        self.tool.escaped.connect(self._dismiss)
        self.tool.deactivated.connect(self._dismiss)

    def dispose(self) -> None:
        """Take tool and popup off the map."""
        self._dismiss()
        if self._run is not None:
            self._run.cancel()
        self.tool.dispose()

    @property
    def busy(self) -> bool:
        """Whether a question is on its way."""
        return self._run is not None

    def _side(self, centre: QgsPointXY) -> float:
        crs = self._canvas.mapSettings().destinationCrs()
        box = QgsGeometry.fromPointXY(centre).boundingBox()
        box.grow(self._canvas.mapUnitsPerPixel())
        try:
            unit_m = source.gsd_of(box, crs) or 1.0
        except Exception:
            unit_m = QgsUnitTypes.fromUnitToUnitFactor(crs.mapUnits(), 0)
        return self._side_m() / unit_m

    def _choose(self, area: QgsGeometry, at: QPoint) -> None:
        if self._run is not None:
            return
        self._close_popup()
        self._area = area
        self._popup = AskPopup(self._canvas)
        self._popup.asked.connect(self.ask)
        self._popup.closed.connect(self._dismiss)
        self._popup.place(at)

    def _close_popup(self) -> None:
        popup, self._popup = self._popup, None
        if popup is not None:
            popup.hide()
            popup.deleteLater()

    def _dismiss(self) -> None:
        self._close_popup()
        if self._run is None:
            self.tool.clear()

    def ask(self, question: str) -> None:
        """Ask about the chosen area."""
        if self._area is None or self._run is not None:
            return
        layer = self._layer_at(self._area.boundingBox().center())
        if layer is None:
            self._dismiss()
            self.failed.emit(
                tr("There is no raster here to ask."),
                tr("Open one, or click on one that is there."),
            )
            return
        settings.remember_question(question)
        if self._popup is not None:
            self._popup.waiting(tr("Asking…"))
        crs = self._canvas.mapSettings().destinationCrs()
        box = self._area.boundingBox()
        self._raster = source.layer_path(layer)
        project = QgsProject.instance()
        home = asked_layer(project, layer.crs(), "answers")
        self._temporary = ""
        try:
            if home is None:
                when = datetime.now().strftime("%Y%m%d-%H%M%S")
                path = results.output_path(project, self._raster, "asked", when)
            else:
                path = self._temporary = str(Path(tempfile.mkdtemp(prefix="rsvlm_")) / "asked.gpkg")
        except OSError as error:
            self._dismiss()
            self.failed.emit(str(error), tr("Save the project in a folder that can be written."))
            return
        parameters = {
            # by id, not by pointer: the layer may be removed while the task runs
            "INPUT": layer.id(),
            "QUESTION": question,
            "EXTENT": f"{box.xMinimum():.10f},{box.xMaximum():.10f},{box.yMinimum():.10f},"
                      f"{box.yMaximum():.10f} [{crs.authid()}]",
            "OUTPUT": path,
            **self._extra(),
        }  # fmt: skip
        self._run = Run("ask", parameters, self)
        self._run.finished.connect(self._finished)
        self._run.start()

    def _finished(self, good: bool, found: dict[str, Any]) -> None:
        run, self._run = self._run, None
        if run is None:
            return
        path = str(run.parameters["OUTPUT"])
        self._close_popup()
        self.tool.clear()
        if not good:
            self._forget(path)
            self.failed.emit(*run.message())
            return
        done = run.feedback.done_event or {}
        layer = self._keep(path, run, done)
        self._forget(path)
        if layer is None:
            self.failed.emit(tr("The answer could not be put on the map."), path)
            return
        self.answered.emit(layer, done)
        run.deleteLater()

    def _keep(self, path: str, run: Run, done: dict[str, Any]) -> QgsVectorLayer | None:
        project = QgsProject.instance()
        facts = {"task": "ask", "question": run.parameters["QUESTION"], "source": self._raster}
        kept: QgsVectorLayer | None = None
        for table in ("answers", "objects"):
            fresh = results.open_layer(path, table, tr("Asked here"))
            if fresh is None or (table == "objects" and not fresh.featureCount()):
                continue
            home = asked_layer(project, fresh.crs(), table)
            if home is None:
                file = path
                if self._temporary and kept is not None:
                    file = kept.source().split("|")[0]
                home = results.open_layer(file, table, tr("Asked here"))
                if home is None:
                    continue
                self._show(project, home, table, done, facts)
            if self._temporary:
                copy_features(fresh, home)
            if table == "answers":
                kept = home
        if kept is not None:
            results.remember_run(
                project, kept.source().split("|")[0], tr("Asked here"), done, facts
            )
        return kept

    def _show(
        self,
        project: QgsProject,
        layer: QgsVectorLayer,
        table: str,
        done: dict[str, Any],
        facts: dict[str, Any],
    ) -> None:
        results.dress(layer, table, done, facts)
        if table == "answers":
            results.load_style(layer, "asked")
            results.dress_tip(layer, table)
        else:
            layer.setName(tr("Asked here: objects"))
        layer.setCustomProperty("rsvlm_geo/asked", table)
        project.addMapLayer(layer, False)
        project.layerTreeRoot().insertLayer(0 if table == "answers" else 1, layer)

    def _forget(self, path: str) -> None:
        if self._temporary:
            # after the layers that read it are gone
            QTimer.singleShot(0, lambda: _remove(path))


def _remove(path: str) -> None:
    for name in (path, path + "-wal", path + "-shm"):
        Path(name).unlink(missing_ok=True)
    try:
        Path(path).parent.rmdir()
    except OSError:
        return


def asked_layer(project: QgsProject, crs: Any, table: str) -> QgsVectorLayer | None:
    """The project's layer of asked answers in a CRS, or None."""
    for layer in project.mapLayers().values():
        own = isinstance(layer, QgsVectorLayer) and layer.isValid()
        if own and layer.customProperty("rsvlm_geo/asked") == table and layer.crs() == crs:
            return layer
    return None


def copy_features(fresh: QgsVectorLayer, home: QgsVectorLayer) -> bool:
    """Append one layer's features to another by the names of their fields."""
    names = [field.name() for field in fresh.fields()]
    place = [(i, home.fields().indexOf(name)) for i, name in enumerate(names) if name != "fid"]
    to_home = QgsCoordinateTransform(fresh.crs(), home.crs(), QgsProject.instance())
    made = []
    for feature in fresh.getFeatures():
        copy = QgsFeature(home.fields())
        shape = feature.geometry()
        shape.transform(to_home)
        copy.setGeometry(shape)
        for here, there in place:
            if there >= 0:
                copy.setAttribute(there, feature.attribute(here))
        made.append(copy)
    good, _ = home.dataProvider().addFeatures(made)
    home.updateExtents()
    home.triggerRepaint()
    return bool(good)
