# SPDX-License-Identifier: GPL-2.0-or-later
"""Which part of a layer the dock asks about: visible, whole, selected polygons, or drawn."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QObject, pyqtSignal

from . import compat, settings
from .dock_form import DockForm
from .i18n import tr
from .maptools import AreaTool

__all__ = ["AreaChoice", "covers"]


class AreaChoice(QObject):
    """The form's area box, its draw button and the tool behind it."""

    changed = pyqtSignal()

    def __init__(self, iface: Any, form: DockForm, parent: QObject) -> None:
        super().__init__(parent)
        self._iface, self._form, self._canvas = iface, form, iface.mapCanvas()
        self._drawn: tuple[QgsGeometry, QgsCoordinateReferenceSystem] | None = None
        self.tool = AreaTool(self._canvas)
        self.tool.drawn.connect(self._take)
        form.area.currentIndexChanged.connect(self._chosen)
        form.draw_button.toggled.connect(self._draw_toggled)

    def _chosen(self) -> None:
        form, kind = self._form, self._form.area.currentData()
        settings.put("dock/area", kind)
        form.draw_button.setVisible(kind == "drawn")
        if kind == "drawn" and self._drawn is None and form.isVisible():
            form.draw_button.setChecked(True)
        if kind != "drawn":
            form.draw_button.setChecked(False)
        self.tool.show(self._drawn[0] if kind == "drawn" and self._drawn else None)
        self.changed.emit()

    def _draw_toggled(self, on: bool) -> None:
        if on:
            self._drawn = None
            self.tool.clear()
            self._canvas.setMapTool(self.tool)
        elif self._canvas.mapTool() is self.tool:
            self._canvas.unsetMapTool(self.tool)

    def _take(self, area: QgsGeometry) -> None:
        self._drawn = (QgsGeometry(area), self._canvas.mapSettings().destinationCrs())
        self._form.draw_button.setChecked(False)
        self.tool.show(area)
        self.changed.emit()

    def fields(self, layer: QgsRasterLayer) -> dict[str, Any]:
        """The algorithm's EXTENT or AOI, or none; raises ValueError with what to do."""
        kind = self._form.area.currentData()
        if kind == "visible":
            box = self._canvas.extent()
            crs = self._canvas.mapSettings().destinationCrs()
            to_layer = QgsCoordinateTransform(crs, layer.crs(), QgsProject.instance())
            try:
                seen = to_layer.transformBoundingBox(box)
            except QgsCsException:
                raise ValueError(
                    tr("The visible area does not reach the layer; zoom to it.")
                ) from None
            seen = seen.intersect(layer.extent())
            if seen.isEmpty():
                raise ValueError(tr("The visible area does not reach the layer; zoom to it."))
            return {"EXTENT": seen}
        if kind == "selected":
            chosen = self._iface.activeLayer()
            if (
                not isinstance(chosen, QgsVectorLayer)
                or chosen.geometryType() != compat.GEOMETRY_POLYGON
            ):
                chosen = _layer_with_selection()
            if chosen is None or not chosen.selectedFeatureCount():
                raise ValueError(tr("Select a polygon of a vector layer first."))
            shapes = [feature.geometry() for feature in chosen.selectedFeatures()]
            return {"AOI": _memory_layer(shapes, chosen.crs())}
        if kind == "drawn":
            if self._drawn is None:
                raise ValueError(tr("Draw an area on the map first."))
            return {"AOI": _memory_layer([self._drawn[0]], self._drawn[1])}
        return {}

    def dispose(self) -> None:
        """Leave the canvas as it was."""
        self.tool.dispose()


def covers(layer: QgsRasterLayer, place: QgsPointXY, crs: QgsCoordinateReferenceSystem) -> bool:
    """Whether ``place`` in ``crs`` lies inside the layer's extent."""
    try:
        here = QgsCoordinateTransform(crs, layer.crs(), QgsProject.instance()).transform(place)
    except QgsCsException:
        return False
    return bool(layer.extent().contains(here))


def _layer_with_selection() -> QgsVectorLayer | None:
    for layer in QgsProject.instance().mapLayers().values():
        if (
            isinstance(layer, QgsVectorLayer)
            and layer.geometryType() == compat.GEOMETRY_POLYGON
            and layer.selectedFeatureCount()
        ):
            return layer
    return None


def _memory_layer(shapes: list[QgsGeometry], crs: QgsCoordinateReferenceSystem) -> QgsVectorLayer:
    layer = QgsVectorLayer("Polygon", "area", "memory")
    layer.setCrs(crs)
    features = []
    for shape in shapes:
        feature = QgsFeature()
        feature.setGeometry(shape)
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    layer.updateExtents()
    return layer
