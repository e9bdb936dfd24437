# SPDX-License-Identifier: GPL-2.0-or-later
"""Ask many scenes: a STAC item collection, a search, or a list of files."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputString,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtGui import QIcon

from .. import settings
from ..i18n import tr
from ..provider import icon
from .command import CommandAlgorithm

__all__ = ["BatchStacAlgorithm"]

TASKS = ("describe", "caption", "classify", "count", "locate", "presence", "ask")


class BatchStacAlgorithm(CommandAlgorithm):
    """Runs ``rsvlm-geo batch``; a run that was cut off is taken up where it stopped."""

    def name(self) -> str:
        return "batchstac"

    def displayName(self) -> str:
        return tr("Ask many scenes (STAC)")

    def group(self) -> str:
        return tr("Many scenes")

    def groupId(self) -> str:
        return "many"

    def icon(self) -> QIcon:
        return icon("batch")

    def shortDescription(self) -> str:
        return tr("One question to every item of a STAC collection or folder, resumable.")

    def shortHelpString(self) -> str:
        return (
            self.shortDescription()
            + "<br><br>"
            + tr("Items: a STAC ItemCollection (file or URL), an item, or a raster. "
                 "Results lie in the folder as parts, one a scene; run it again to go on.")
        )  # fmt: skip

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        self.addParameter(QgsProcessingParameterString("ITEMS", tr("STAC items: file or URL")))
        self.addParameter(
            QgsProcessingParameterEnum("TASK", tr("Task"), list(TASKS), defaultValue=1)
        )
        self.addParameter(
            QgsProcessingParameterString(
                "WORDS", tr("What to look for, or the question"), "", optional=True
            )
        )
        self.addParameter(
            QgsProcessingParameterString("MODEL", tr("Model pack"), "", optional=True)
        )
        self.addParameter(QgsProcessingParameterFolderDestination("OUTPUT", tr("Folder")))
        self.addOutput(QgsProcessingOutputString("SUMMARY", tr("Summary")))

    def processAlgorithm(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, Any]:
        task = TASKS[self.parameterAsEnum(parameters, "TASK", context)]
        words = self.parameterAsString(parameters, "WORDS", context).strip()
        if task in ("count", "locate", "presence", "ask") and not words:
            raise QgsProcessingException(tr("Say what to look for, or type the question."))
        folder = self.parameterAsString(parameters, "OUTPUT", context)
        arguments = ["batch", self.parameterAsString(parameters, "ITEMS", context).strip(),
                     "--task", task, "--output", folder, "--json"]  # fmt: skip
        if words:
            arguments += ["--question" if task == "ask" else "--target", words]
        model = self.parameterAsString(parameters, "MODEL", context) or str(
            settings.get("engine/model")
        )
        if model:
            arguments += ["--model", model]
        _, last = self.run_command(arguments, feedback)
        return {"OUTPUT": folder, "SUMMARY": str(last.get("summary", ""))}
