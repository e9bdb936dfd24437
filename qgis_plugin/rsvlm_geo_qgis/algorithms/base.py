# SPDX-License-Identifier: GPL-2.0-or-later
"""What the algorithms that ask one scene share: parameters, the run, outputs."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsGeometry,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingOutputVectorLayer,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorDestination,
)
from qgis.PyQt.QtGui import QIcon

from .. import compat, settings, source
from ..i18n import tr
from ..provider import icon
from .engine_run import area_fields, check_output, crs_text, run

__all__ = ["DEVICES", "SceneAlgorithm"]

DEVICES = ("auto", "cpu", "cuda", "directml", "coreml")
STATUSES = ("answered", "refused", "unreadable", "nodata", "failed")


class SceneAlgorithm(QgsProcessingAlgorithm):
    """Asks every tile of one raster layer one task."""

    ID = ""
    TASK = ""
    ICON = "ask"
    NEEDS_TARGET = False
    NEEDS_QUESTION = False
    HAS_OBJECTS = False

    def __init__(self) -> None:
        super().__init__()
        self._source = source.LayerSource("")
        self._clone: Any = None
        self.request: dict[str, Any] = {}
        self.area: Any = None
        self._render_gsd = 0.3
        self._crs = QgsCoordinateReferenceSystem()

    # -- who it is

    def createInstance(self) -> QgsProcessingAlgorithm:
        return type(self)()

    def name(self) -> str:
        return self.ID

    def group(self) -> str:
        return tr("Ask a scene")

    def groupId(self) -> str:
        return "scene"

    def icon(self) -> QIcon:
        return icon(self.ICON)

    def tags(self) -> list[str]:
        return ["vlm", "remote sensing", "ai", "onnx", "question", "caption", "count", "detect"]

    def helpUrl(self) -> str:
        return ""

    def shortHelpString(self) -> str:
        return "<br><br>".join(
            (
                self.shortDescription(),
                tr("The scene is cut into tiles; each is shown to the model and its answer becomes "
                   "a polygon. An answer is <b>answered</b>, <b>refused</b> (with the reason), "
                   "<b>unreadable</b>, <b>nodata</b> or <b>failed</b>; a total is only called "
                   "complete when every tile with data was answered."),
                tr("The work is done by the engine, a process of its own; set it up in "
                   "Settings ▸ Options ▸ rsvlm_geo."),
            )
        )  # fmt: skip

    def canExecute(self) -> tuple[bool, str]:
        python = settings.engine_python()
        if not python:
            return False, tr(
                "No engine is set up yet. Open Settings ▸ Options ▸ rsvlm_geo and press Set up."
            )
        if not Path(python).is_file():
            return False, tr(
                "The engine's Python is not there: {path}. "
                "Open Settings ▸ Options ▸ rsvlm_geo and choose another.",
                path=python,
            )
        return True, ""

    # -- what it takes and gives

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        self.addParameter(QgsProcessingParameterRasterLayer("INPUT", tr("Raster layer")))
        if self.NEEDS_TARGET:
            self.addParameter(
                QgsProcessingParameterString(
                    "TARGET",
                    tr("What to look for (a class, or several separated by commas)"),
                    "car",
                )
            )
        if self.NEEDS_QUESTION:
            self.addParameter(QgsProcessingParameterString("QUESTION", tr("Question")))
        self.addParameter(
            QgsProcessingParameterExtent("EXTENT", tr("Extent to ask about"), optional=True)
        )
        self.addParameter(
            QgsProcessingParameterFeatureSource(
                "AOI", tr("Polygons to ask about"), [compat.SOURCE_VECTOR_POLYGON], optional=True
            )
        )
        for parameter in (
            QgsProcessingParameterString(
                "MODEL", tr("Model pack (name or folder; empty: the default)"), "", optional=True
            ),
            QgsProcessingParameterEnum(
                "DEVICE", tr("Runs on"), list(DEVICES), defaultValue=0, optional=True
            ),
            QgsProcessingParameterNumber(
                "MARGIN", tr("Margin of a tile, metres (0: the model's own)"),
                QgsProcessingParameterNumber.Type.Double, 0.0, True, 0.0,
            ),
            QgsProcessingParameterNumber(
                "GSD", tr("Metres per pixel shown to the model (0: the model's own)"),
                QgsProcessingParameterNumber.Type.Double, 0.0, True, 0.0,
            ),
            QgsProcessingParameterBoolean(
                "SEEN", tr("Show the model what I see (the layer's own bands and stretch)"), False
            ),
            QgsProcessingParameterBoolean(
                "KEEP_PARTIAL", tr("When cancelled, keep what was done"), False
            ),
        ):  # fmt: skip
            parameter.setFlags(parameter.flags() | compat.ADVANCED)
            self.addParameter(parameter)
        self.addParameter(
            QgsProcessingParameterVectorDestination(
                "OUTPUT", tr("Answers"), compat.VECTOR_DESTINATION_POLYGON
            )
        )
        if self.HAS_OBJECTS:
            self.addOutput(
                QgsProcessingOutputVectorLayer(
                    "OBJECTS", tr("Objects"), compat.VECTOR_DESTINATION_POLYGON
                )
            )
            self.addOutput(QgsProcessingOutputNumber("TOTAL", tr("Total of the objects")))
        for status in STATUSES:
            self.addOutput(QgsProcessingOutputNumber(status.upper(), status))
        self.addOutput(QgsProcessingOutputNumber("TILES", tr("Tiles")))
        self.addOutput(QgsProcessingOutputNumber("COVERAGE", tr("Share of the area seen, 0 to 1")))
        self.addOutput(QgsProcessingOutputString("OUTCOME", tr("complete or incomplete")))
        self.addOutput(QgsProcessingOutputString("SUMMARY", tr("Summary")))
        self.addOutput(QgsProcessingOutputString("RUN_ID", tr("Run")))

    def checkParameterValues(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        if (
            self.NEEDS_QUESTION
            and not self.parameterAsString(parameters, "QUESTION", context).strip()
        ):
            return False, tr("Type a question, for example: is there a bridge?")
        if self.NEEDS_TARGET and not self.parameterAsString(parameters, "TARGET", context).strip():
            return False, tr("Say what to look for, for example: car")
        return super().checkParameterValues(parameters, context)

    # -- the run

    def prepareAlgorithm(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> bool:
        layer = self.parameterAsRasterLayer(parameters, "INPUT", context)
        if layer is None:
            raise QgsProcessingException(
                tr("There is no raster to ask; open one and choose it as the layer.")
            )
        try:
            seen = self.parameterAsBool(parameters, "SEEN", context)
            self._source = source.source_of(layer, seen=seen)
        except source.SourceError as error:
            raise QgsProcessingException(str(error)) from error
        self._crs = layer.crs()
        gsd = self.parameterAsDouble(parameters, "GSD", context)
        self.area = self._asked_area(parameters, context)
        options = {
            "model": self.parameterAsString(parameters, "MODEL", context)
            or settings.get("engine/model"),
            "provider": DEVICES[self.parameterAsEnum(parameters, "DEVICE", context)],
            "threads": settings.get("engine/threads"),
            "margin": self.parameterAsDouble(parameters, "MARGIN", context),
            "gsd": gsd,
            "bands": self._source.bands,
            "stretch": self._source.stretch,
        }
        request: dict[str, Any] = {
            "task": self.TASK,
            "source": self._source.href,
            "crs": crs_text(self._crs),
            "options": {key: value for key, value in options.items() if value},
        }
        if self.parameterAsBool(parameters, "KEEP_PARTIAL", context):
            request["options"]["keep_partial"] = True
        if self.NEEDS_TARGET:
            request["target"] = self.parameterAsString(parameters, "TARGET", context).strip()
        if self.NEEDS_QUESTION:
            request["question"] = self.parameterAsString(parameters, "QUESTION", context).strip()
        self.request = request
        if not self._source.href:
            self._clone = layer.clone()
            self._clone.moveToThread(None)
            self._render_gsd = gsd or 0.0
        return True

    def _asked_area(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> QgsGeometry | None:
        """What is asked about in the layer's CRS, or None for all of it."""
        aoi = self.parameterAsSource(parameters, "AOI", context)
        if aoi is not None:
            to_layer = QgsCoordinateTransform(
                aoi.sourceCrs(), self._crs, context.transformContext()
            )
            shapes = []
            for feature in aoi.getFeatures():
                shape = QgsGeometry(feature.geometry())
                if not shape.isEmpty():
                    shape.transform(to_layer)
                    shapes.append(shape)
            if not shapes:
                raise QgsProcessingException(
                    tr("The layer of areas has no polygon in it; draw one, or leave it empty.")
                )
            return QgsGeometry.unaryUnion(shapes)
        if parameters.get("EXTENT"):
            extent = self.parameterAsExtent(parameters, "EXTENT", context, self._crs)
            if not extent.isEmpty():
                return QgsGeometry.fromRect(extent)
        return None

    def processAlgorithm(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, Any]:
        path = self.parameterAsOutputLayer(parameters, "OUTPUT", context)
        check_output(path)
        request = dict(self.request)
        temporary = ""
        try:
            if not request["source"]:
                temporary = self._render(feedback)
                request["source"] = temporary
            if self.area is not None:
                request.update(area_fields(self.area))
            request["options"] = {**request["options"], "out": [path]}
            done = run(request, feedback)
        finally:
            if temporary:
                Path(temporary).unlink(missing_ok=True)
        return self._results(done, path, context, feedback)

    def _render(self, feedback: QgsProcessingFeedback) -> str:
        feedback.pushInfo(tr("Drawing the layer for the engine; its provider's terms apply."))
        layer = self._clone
        area = self.area.boundingBox() if self.area is not None else layer.extent()
        gsd = self._render_gsd or 0.3
        handle, path = tempfile.mkstemp(".tif", "rsvlm_")
        os.close(handle)
        try:
            empty = source.render(
                layer, area, self._crs, gsd, path,
                cancelled=feedback.isCanceled,
                progress=lambda share: feedback.setProgress(share * 10),
            )  # fmt: skip
        except source.SourceError as error:
            Path(path).unlink(missing_ok=True)
            raise QgsProcessingException(str(error)) from error
        if feedback.isCanceled():
            Path(path).unlink(missing_ok=True)
            raise QgsProcessingException(tr("Cancelled."))
        if empty:
            feedback.pushWarning(
                tr("{share} % of the picture came back empty and counts as nodata.",
                   share=f"{empty * 100:.0f}")
            )  # fmt: skip
        return path

    def _results(
        self,
        done: dict[str, Any],
        path: str,
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, Any]:
        from .. import results

        counts = done.get("counts", {})
        found: dict[str, Any] = {status.upper(): counts.get(status, 0) for status in STATUSES}
        found.update(
            OUTPUT=f"{path}|layername=answers",
            TILES=done.get("tiles", 0),
            COVERAGE=done.get("coverage", {}).get("seen", 0.0),
            OUTCOME=done.get("outcome", ""),
            SUMMARY=done.get("summary", ""),
            RUN_ID=done.get("run_id", ""),
        )
        if self.HAS_OBJECTS:
            if "objects" in done.get("layers", ()):
                found["OBJECTS"] = f"{path}|layername=objects"
            found["TOTAL"] = sum(total.get("value", 0) for total in done.get("totals", ()))
        for total in done.get("totals", ()):
            feedback.pushInfo(total.get("text", ""))
        feedback.pushInfo(str(done.get("summary", "")))
        for status in ("refused", "unreadable", "failed"):
            if counts.get(status):
                feedback.pushWarning(
                    tr("{n} of {total} answers are {status}.", n=counts[status],
                       total=sum(counts.values()), status=results.status_name(status))
                )  # fmt: skip
        if hasattr(feedback, "done_event"):
            feedback.done_event = done
        results.style_on_load(context, path, done)
        return found
