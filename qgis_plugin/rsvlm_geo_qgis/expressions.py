# SPDX-License-Identifier: GPL-2.0-or-later
"""An expression function for map tips: a small picture of what a tile shows."""

from __future__ import annotations

import json
from typing import Any

from qgis.core import (
    QgsCoordinateTransform,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionFunction,
    QgsFeature,
    QgsGeometry,
    QgsMapRendererCustomPainterJob,
    QgsMapSettings,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QBuffer, QByteArray, QIODevice, QSize
from qgis.PyQt.QtGui import QImage, QPainter

from . import source
from .i18n import tr

__all__ = ["register", "thumbnail", "unregister"]

NAME = "rsvlm_thumbnail"
SIDE_PX = 224


class _Thumbnail(QgsExpressionFunction):
    def __init__(self) -> None:
        super().__init__(
            NAME, 0, "rsvlm_geo",
            tr("An HTML picture of the part of its scene that a feature of rsvlm_geo lies on."),
            True,
        )  # fmt: skip

    def func(
        self, values: Any, context: QgsExpressionContext, parent: QgsExpression, node: Any
    ) -> str:
        layer = context.variable("layer")
        layer = QgsProject.instance().mapLayer(context.variable("layer_id") or "")
        if not isinstance(layer, QgsVectorLayer):
            return ""
        return thumbnail(layer, context.feature())


_function: Any = None


def register() -> None:
    """Make the function known to QGIS."""
    global _function
    _function = _Thumbnail()
    QgsExpression.registerFunction(_function)


def unregister() -> None:
    """Take it away."""
    QgsExpression.unregisterFunction(NAME)


def _scene_of(layer: QgsVectorLayer) -> Any:
    """The raster layer a result layer came from, while it is in the project."""
    try:
        run = json.loads(layer.customProperty("rsvlm_geo/run", "{}"))
    except ValueError:
        return None
    wanted = run.get("source") or ""
    for other in QgsProject.instance().mapLayers().values():
        if not isinstance(other, QgsRasterLayer) or not other.isValid():
            continue
        if source.layer_path(other) == wanted if wanted else other.name() == run.get("layer"):
            return other
    return None


def thumbnail(layer: QgsVectorLayer, feature: QgsFeature) -> str:
    """``<img>`` of the scene under a feature, its outline drawn; empty when there is no scene."""
    scene = _scene_of(layer)
    shape = QgsGeometry(feature.geometry())
    if scene is None or shape.isEmpty() or scene.providerType() != "gdal":
        return ""
    try:
        shape.transform(QgsCoordinateTransform(layer.crs(), scene.crs(), QgsProject.instance()))
    except Exception:
        return ""
    box = shape.boundingBox()
    box.scale(1.15)
    settings = QgsMapSettings()
    settings.setLayers([scene])
    settings.setDestinationCrs(scene.crs())
    settings.setOutputSize(QSize(SIDE_PX, SIDE_PX))
    settings.setExtent(box)
    image = QImage(SIDE_PX, SIDE_PX, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFF)
    painter = QPainter(image)
    QgsMapRendererCustomPainterJob(settings, painter).renderSynchronously()
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "JPG", 82)
    text = bytes(data.toBase64()).decode("ascii")
    return f"<img width='{SIDE_PX}' height='{SIDE_PX}' src='data:image/jpeg;base64,{text}'/><br>"
