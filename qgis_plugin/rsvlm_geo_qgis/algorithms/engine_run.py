# SPDX-License-Identifier: GPL-2.0-or-later
"""One request to the engine: its fields, its progress, its errors."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsGeometry,
    QgsProcessingException,
    QgsProcessingFeedback,
)

from .. import service
from ..client import EngineCancelled, EngineError
from ..i18n import tr

__all__ = ["area_fields", "check_output", "crs_text", "run"]


def crs_text(crs: QgsCoordinateReferenceSystem) -> str:
    """A CRS as the engine reads it: an authority code, else WKT."""
    authority = crs.authid()
    if authority and not authority.startswith("USER:"):
        return authority
    return crs.toWkt(QgsCoordinateReferenceSystem.WktVariant.WKT2_2019)


def run(request: dict[str, Any], feedback: QgsProcessingFeedback) -> dict[str, Any]:
    """Run a request with progress; raises QgsProcessingException in words for people."""
    watch = _Watch(feedback)
    try:
        return service.engine().call(
            "run", request, on_event=watch.take, cancelled=feedback.isCanceled
        )
    except EngineCancelled as stop:
        _leave_error(feedback, stop)
        raise QgsProcessingException(tr("Cancelled; no file was written.")) from stop
    except EngineError as error:
        _leave_error(feedback, error)
        what, advice = service.explain(error)
        service.log(f"{type(error).__name__} {error.kind}: {error}")
        raise QgsProcessingException(f"{what} {advice}".strip()) from error


class _Watch:
    """Turns the engine's events into progress, and keeps them for whoever shows them live."""

    def __init__(self, feedback: QgsProcessingFeedback) -> None:
        self._feedback = feedback
        self._listener = getattr(feedback, "engine_event", None)
        self._seen = 0
        self._total = 0
        self._failed = 0

    def take(self, event: dict[str, Any]) -> None:
        feedback, kind = self._feedback, event.get("type")
        if kind == "started":
            self._total = max(1, event["tiles"] * max(1, len(event.get("questions", ())) or 1))
            feedback.pushInfo(
                tr("{tiles} tiles; {model} on {provider}.", tiles=event["tiles"],
                   model=event["model"], provider=event["provider"])
            )  # fmt: skip
        elif kind == "progress":
            feedback.setProgress(100.0 * event["done"] / max(1, event["total"]))
        elif kind == "answer":
            if event.get("status") == "failed":
                self._failed += 1
                if self._failed <= 20:
                    feedback.pushWarning(
                        tr("Tile {tile}: {message}", tile=event["tile_id"], message=event["answer"])
                    )
        elif kind == "warning":
            push = feedback.pushInfo if event.get("class") == "Note" else feedback.pushWarning
            push(event.get("message", ""))
        elif kind == "queued":
            feedback.pushInfo(tr("Waiting for {n} other runs to end.", n=event.get("ahead", 1)))
        if self._listener is not None:
            self._listener(event)


def _leave_error(feedback: QgsProcessingFeedback, error: EngineError) -> None:
    if hasattr(feedback, "engine_error"):
        feedback.engine_error = error


def area_fields(area: QgsGeometry) -> dict[str, Any]:
    """An area as the protocol has it: a bbox when it is one, else a polygon."""
    box = area.boundingBox()
    if area.isGeosEqual(QgsGeometry.fromRect(box)):
        return {"bbox": [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()]}
    return {"polygon": json.loads(area.asJson(9))}


def check_output(path: str) -> None:
    """Raise QgsProcessingException where no GeoPackage can be written."""
    if not path.lower().endswith(".gpkg"):
        raise QgsProcessingException(
            tr("Results are GeoPackages; choose a file that ends in .gpkg instead of {path}.",
               path=path)
        )  # fmt: skip
    folder = Path(path).parent
    if not folder.is_dir():
        raise QgsProcessingException(
            tr("There is no folder {folder}; make it, or choose another.", folder=str(folder))
        )
    if not os.access(folder, os.W_OK):
        raise QgsProcessingException(
            tr("The folder {folder} cannot be written; choose another.", folder=str(folder))
        )
