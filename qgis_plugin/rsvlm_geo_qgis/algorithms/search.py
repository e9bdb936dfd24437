# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the tiles of a scene that look like a sentence."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorDestination,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QIcon

from .. import compat, source
from ..i18n import tr
from ..provider import icon
from .command import CommandAlgorithm

__all__ = ["SearchAlgorithm"]


class SearchAlgorithm(CommandAlgorithm):
    """Needs a model pack that can embed text and images."""

    def __init__(self) -> None:
        super().__init__()
        self._scene = ""

    def name(self) -> str:
        return "search"

    def displayName(self) -> str:
        return tr("Search tiles by text")

    def group(self) -> str:
        return tr("Many scenes")

    def groupId(self) -> str:
        return "many"

    def icon(self) -> QIcon:
        return icon("search")

    def shortDescription(self) -> str:
        return tr("The tiles that look most like a sentence, best first.")

    def shortHelpString(self) -> str:
        return self.shortDescription()

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        self.addParameter(QgsProcessingParameterRasterLayer("INPUT", tr("Raster layer")))
        self.addParameter(QgsProcessingParameterString("TEXT", tr("Looks like")))
        self.addParameter(
            QgsProcessingParameterNumber("TOP", tr("How many tiles"), defaultValue=50, minValue=1)
        )
        self.addParameter(
            QgsProcessingParameterString("MODEL", tr("Model pack"), "", optional=True)
        )
        self.addParameter(
            QgsProcessingParameterVectorDestination(
                "OUTPUT", tr("Tiles"), compat.VECTOR_DESTINATION_POLYGON
            )
        )
        self.addOutput(QgsProcessingOutputNumber("FOUND", tr("Tiles found")))

    def prepareAlgorithm(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> bool:
        layer = self.parameterAsRasterLayer(parameters, "INPUT", context)
        self._scene = source.layer_path(layer) if layer is not None else ""
        if not self._scene:
            raise QgsProcessingException(
                tr("There is no raster to ask; open one and choose it as the layer.")
            )
        return True

    def processAlgorithm(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, Any]:
        text = self.parameterAsString(parameters, "TEXT", context).strip()
        if not text:
            raise QgsProcessingException(
                tr("Say what to look for, for example: a harbour with ships")
            )
        path = self.parameterAsOutputLayer(parameters, "OUTPUT", context)
        top = self.parameterAsInt(parameters, "TOP", context)
        arguments = ["search", self._scene, text, "--top", str(top), "--tiles", path]
        model = self.parameterAsString(parameters, "MODEL", context)
        if model:
            arguments += ["--model", model]
        self.run_command(arguments, feedback)
        made = QgsVectorLayer(path, "tiles", "ogr")
        return {"OUTPUT": path, "FOUND": made.featureCount() if made.isValid() else 0}
