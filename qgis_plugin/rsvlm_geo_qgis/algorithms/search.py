# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the tiles of a scene that look like a sentence."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorDestination,
)
from qgis.PyQt.QtGui import QIcon

from .. import compat
from ..i18n import tr
from ..provider import icon
from .command import CommandAlgorithm

__all__ = ["SearchAlgorithm"]


class SearchAlgorithm(CommandAlgorithm):
    """Needs an index that ``rsvlm-geo index`` made."""

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
        return tr(
            "The tiles that look most like a sentence, best first, from an index made before."
        )

    def shortHelpString(self) -> str:
        return (
            self.shortDescription()
            + "<br><br>"
            + tr("Make the index once with the command line: rsvlm-geo index SCENE... --out FOLDER. "  # noqa: E501
                 "It needs a model pack that can embed text and images.")
        )  # fmt: skip

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        self.addParameter(QgsProcessingParameterFile("INDEX", tr("Index"), compat.FILE_FOLDER))
        self.addParameter(QgsProcessingParameterString("TEXT", tr("Looks like")))
        self.addParameter(
            QgsProcessingParameterNumber("TOP", tr("How many tiles"), defaultValue=50, minValue=1)
        )
        self.addParameter(
            QgsProcessingParameterVectorDestination(
                "OUTPUT", tr("Tiles"), compat.VECTOR_DESTINATION_POLYGON
            )
        )
        self.addOutput(QgsProcessingOutputNumber("FOUND", tr("Tiles found")))

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
        _, last = self.run_command(
            ["search", self.parameterAsString(parameters, "INDEX", context), text,
             "--top", str(self.parameterAsInt(parameters, "TOP", context)), "--out", path, "--json"],  # noqa: E501
            feedback,
        )  # fmt: skip
        return {"OUTPUT": path, "FOUND": last.get("found", last.get("n", 0))}
