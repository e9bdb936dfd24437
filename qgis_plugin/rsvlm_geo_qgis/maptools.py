# SPDX-License-Identifier: GPL-2.0-or-later
"""Map tools: ask here (click or drag), and draw an area (drag, or click its corners)."""

from __future__ import annotations

from collections.abc import Callable

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
)
from qgis.gui import QgsMapCanvas, QgsMapMouseEvent, QgsMapTool, QgsRubberBand
from qgis.PyQt.QtCore import QPoint, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor, QKeyEvent

from . import compat

__all__ = ["AreaTool", "AskTool", "band", "flash"]

DRAG_PX = 6


def band(canvas: QgsMapCanvas, colour: str = "#0f8b8d") -> QgsRubberBand:
    """An outline over the map."""
    made = QgsRubberBand(canvas, compat.GEOMETRY_POLYGON)
    line, fill = QColor(colour), QColor(colour)
    fill.setAlpha(40)
    made.setStrokeColor(line)
    made.setFillColor(fill)
    made.setSecondaryStrokeColor(QColor(255, 255, 255, 210))
    made.setWidth(2)
    return made


def flash(canvas: QgsMapCanvas, shape: QgsGeometry, crs: QgsCoordinateReferenceSystem) -> None:
    """Go to ``shape`` and blink it; nothing where it cannot be shown in the map's CRS."""
    to_map = QgsCoordinateTransform(
        crs, canvas.mapSettings().destinationCrs(), QgsProject.instance()
    )
    try:
        box = to_map.transformBoundingBox(shape.boundingBox())
    except QgsCsException:
        return
    box.scale(1.7)
    canvas.setExtent(box)
    canvas.refresh()
    clear, bright = QColor("#ffd21f"), QColor("#ffd21f")
    clear.setAlpha(0)
    canvas.flashGeometries([shape], crs, bright, clear, 4, 350)


class _BoxTool(QgsMapTool):
    """Press, drag, release; Esc takes it back."""

    escaped = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._band = band(canvas)
        self._from: QPoint | None = None
        self.setCursor(Qt.CursorShape.CrossCursor)

    def _box(self, start: QPoint, end: QPoint) -> QgsRectangle:
        return QgsRectangle(self.toMapCoordinates(start), self.toMapCoordinates(end))

    @staticmethod
    def _dragged(start: QPoint, end: QPoint) -> bool:
        return (end - start).manhattanLength() > DRAG_PX

    def canvasPressEvent(self, event: QgsMapMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._from = event.pos()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
            self.escaped.emit()

    def clear(self) -> None:
        """Take the outline off the map."""
        self._from = None
        self._band.reset(compat.GEOMETRY_POLYGON)

    def deactivate(self) -> None:
        self._from = None
        super().deactivate()

    def dispose(self) -> None:
        """Leave the canvas as it was; call before dropping the tool."""
        self._canvas.unsetMapTool(self)
        self._canvas.scene().removeItem(self._band)


class AskTool(_BoxTool):
    """Click for a square of the size the model sees, drag for a rectangle."""

    chosen = pyqtSignal(QgsGeometry, QPoint)
    """The area in the map's CRS, and where the pointer is on the canvas."""

    def __init__(self, canvas: QgsMapCanvas, side: Callable[[QgsPointXY], float]) -> None:
        """Args:
        canvas: The map.
        side: Side of a click's square at a place, in map units.
        """
        super().__init__(canvas)
        self._side = side

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:
        if self._from is not None and self._dragged(self._from, event.pos()):
            self._band.setToGeometry(QgsGeometry.fromRect(self._box(self._from, event.pos())), None)

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._from is None:
            return
        start, self._from = self._from, None
        if self._dragged(start, event.pos()):
            box = self._box(start, event.pos())
        else:
            centre = self.toMapCoordinates(event.pos())
            half = self._side(centre) / 2
            box = QgsRectangle(
                centre.x() - half, centre.y() - half, centre.x() + half, centre.y() + half
            )
        area = QgsGeometry.fromRect(box)
        self._band.setToGeometry(area, None)
        self.chosen.emit(area, event.pos())


class AreaTool(_BoxTool):
    """Drag a rectangle, or click corners and end with a right click."""

    drawn = pyqtSignal(QgsGeometry)

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self._corners: list[QgsPointXY] = []

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:
        if self._from is not None and not self._corners:
            if self._dragged(self._from, event.pos()):
                box = self._box(self._from, event.pos())
                self._band.setToGeometry(QgsGeometry.fromRect(box), None)
        elif self._corners:
            ring = [*self._corners, self.toMapCoordinates(event.pos())]
            self._band.setToGeometry(QgsGeometry.fromPolygonXY([ring]), None)

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:
        if event.button() == Qt.MouseButton.RightButton:
            self._close()
            return
        start, self._from = self._from, None
        if start is None:
            return
        if not self._corners and self._dragged(start, event.pos()):
            self.drawn.emit(QgsGeometry.fromRect(self._box(start, event.pos())))
            return
        self._corners.append(self.toMapCoordinates(event.pos()))

    def canvasDoubleClickEvent(self, event: QgsMapMouseEvent) -> None:
        self._close()

    def _close(self) -> None:
        corners, self._corners = self._corners, []
        if len(corners) >= 3:
            self.drawn.emit(QgsGeometry.fromPolygonXY([corners]))
        else:
            self.clear()

    def clear(self) -> None:
        self._corners = []
        super().clear()

    def show(self, area: QgsGeometry | None) -> None:
        """Outline an area drawn before."""
        if area is None:
            self.clear()
        else:
            self._band.setToGeometry(area, None)
