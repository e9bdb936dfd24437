# SPDX-License-Identifier: GPL-2.0-or-later
"""What the form asks for, as the parameters of an algorithm."""

from __future__ import annotations

from typing import Any

from .dock_area import AreaChoice
from .dock_form import DockForm
from .dock_tasks import task_takes
from .i18n import tr

__all__ = ["model_fields", "run_parameters"]


def model_fields(form: DockForm) -> dict[str, Any]:
    """The model that answers, its device, and how it sees the layer."""
    return {
        "MODEL": form.model.currentData() or "",
        "DEVICE": form.device.currentIndex(),
        "SEEN": form.seen.isChecked(),
    }


def run_parameters(task: str, form: DockForm, area: AreaChoice) -> dict[str, Any]:
    """A task's parameters, without the output; raises ValueError with what to do."""
    layer = form.layer.currentLayer()
    if layer is None:
        raise ValueError(tr("There is no raster to ask; open one first."))
    parameters: dict[str, Any] = {
        "INPUT": layer,
        "MARGIN": form.margin.value(),
        **model_fields(form),
    }
    takes = task_takes(task)
    words = form.words.currentText().strip()
    if takes:
        if not words:
            raise ValueError(
                tr("Say what to look for, for example: car")
                if takes == "TARGET"
                else tr("Type a question, for example: is there a bridge?")
            )
        parameters[takes] = words
    parameters.update(area.fields(layer))
    return parameters
