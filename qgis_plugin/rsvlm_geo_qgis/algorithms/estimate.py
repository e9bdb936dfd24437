# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run would ask of the engine, without running it."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
)

from .engine_run import area_fields
from .scene import ALGORITHMS

__all__ = ["estimate_request"]


def estimate_request(task: str, parameters: dict[str, Any]) -> dict[str, Any] | None:
    """The fields of an ``estimate`` request; None when the layer must be rendered first.

    Raises:
        QgsProcessingException: The parameters make no request; says what to do.
    """
    algorithm = next(kind for kind in ALGORITHMS if task == kind.TASK)()
    algorithm.initAlgorithm()
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    try:
        algorithm.prepareAlgorithm(parameters, context, QgsProcessingFeedback(False))
    except QgsProcessingException:
        raise
    request = dict(algorithm.request)
    if not request.get("source"):
        return None
    if algorithm.area is not None:
        request.update(area_fields(algorithm.area))
    return request
