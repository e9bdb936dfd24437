# SPDX-License-Identifier: GPL-2.0-or-later
"""Algorithms that run one command of the engine's command line."""

from __future__ import annotations

import os
from typing import Any

from qgis.core import QgsProcessingAlgorithm, QgsProcessingException, QgsProcessingFeedback

from .. import cli_job, engine_env, settings
from ..i18n import tr

__all__ = ["CommandAlgorithm"]


class CommandAlgorithm(QgsProcessingAlgorithm):
    """Shared by search and batch."""

    def createInstance(self) -> QgsProcessingAlgorithm:
        return type(self)()

    def canExecute(self) -> tuple[bool, str]:
        if settings.engine_python():
            return True, ""
        return False, tr(
            "No engine is set up yet. Open Settings ▸ Options ▸ rsvlm_geo and press Set up."
        )

    def run_command(
        self, arguments: list[str], feedback: QgsProcessingFeedback
    ) -> tuple[int, dict[str, Any]]:
        """The command's exit code and last event.

        Raises:
            QgsProcessingException: It failed, or was cancelled.
        """
        last: dict[str, Any] = {}

        def take(event: dict[str, Any]) -> None:
            done, total = event.get("done"), event.get("total")
            if isinstance(done, (int, float)) and isinstance(total, (int, float)) and total:
                feedback.setProgress(100.0 * done / total)
            if event.get("type") == "warning":
                feedback.pushWarning(str(event.get("message", "")))
            elif event.get("type") == "error":
                feedback.pushWarning(
                    f"{event.get('message', '')} {event.get('next_step') or ''}".strip()
                )
            last.clear()
            last.update(event)

        environ = engine_env.clean_environment(os.environ, settings.proxy_environment())
        feedback.pushInfo("rsvlm-geo " + " ".join(arguments))
        try:
            code = cli_job.follow(
                settings.engine_python(), arguments, environ, on_event=take,
                on_line=feedback.pushInfo, cancelled=feedback.isCanceled,
            )  # fmt: skip
        except cli_job.CommandFailed as error:
            text = str(error)
            if "No such command" in text:
                raise QgsProcessingException(
                    tr("The engine has no command “{name}”; update it in the options.",
                       name=arguments[0])
                ) from error  # fmt: skip
            raise QgsProcessingException(text) from error
        if code == 130:
            raise QgsProcessingException(tr("Cancelled; what was done is taken up again."))
        return code, last
