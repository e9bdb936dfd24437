# SPDX-License-Identifier: GPL-2.0-or-later
"""Names that moved between QGIS 3.22 (Qt 5) and 4 (Qt 6), each in the first place it is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qgis import core
from qgis.PyQt import QtCore, QtGui, QtWidgets

__all__ = [
    "ADVANCED", "FILE_FOLDER", "GEOMETRY_POLYGON", "Q_ACTION", "RASTER_FILTER", "RIGHT",
    "SOURCE_VECTOR_POLYGON", "VECTOR_DESTINATION_POLYGON",
]  # fmt: skip


def _first(*homes: Callable[[], Any]) -> Any:
    for home in homes:
        try:
            return home()
        except AttributeError:
            continue
    raise ImportError("this QGIS has none of the names the plugin knows; report its version")


ADVANCED = _first(
    lambda: core.Qgis.ProcessingParameterFlag.Advanced,
    lambda: core.QgsProcessingParameterDefinition.Flag.FlagAdvanced,
)
SOURCE_VECTOR_POLYGON = _first(
    lambda: core.Qgis.ProcessingSourceType.VectorPolygon,
    lambda: core.QgsProcessing.SourceType.TypeVectorPolygon,
)
VECTOR_DESTINATION_POLYGON = SOURCE_VECTOR_POLYGON
FILE_FOLDER = _first(
    lambda: core.Qgis.ProcessingFileParameterBehavior.Folder,
    lambda: core.QgsProcessingParameterFile.Behavior.Folder,
)
GEOMETRY_POLYGON = _first(
    lambda: core.Qgis.GeometryType.Polygon, lambda: core.QgsWkbTypes.GeometryType.PolygonGeometry
)
RASTER_FILTER = _first(
    lambda: core.Qgis.LayerFilter.RasterLayer,
    lambda: core.QgsMapLayerProxyModel.Filter.RasterLayer,
)
_RIGHT = QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter
RIGHT = int(getattr(_RIGHT, "value", _RIGHT))
"""Qt 6's flags are no numbers, and Qt 5's models want one."""
Q_ACTION = _first(lambda: QtGui.QAction, lambda: QtWidgets.QAction)
"""Qt 6 moved it from QtWidgets to QtGui."""
