# SPDX-License-Identifier: GPL-2.0-or-later
"""One engine for the session: every algorithm, dock and map tool asks here for it."""

from __future__ import annotations

import os
import threading

from qgis.core import Qgis, QgsMessageLog

from . import engine_env, settings
from .client import EngineClient, EngineError, EngineMissing, EngineTooOld
from .i18n import tr

__all__ = ["LOG_TAG", "close", "engine", "explain", "log", "restart"]

LOG_TAG = "rsvlm_geo"

_lock = threading.Lock()
_client: EngineClient | None = None
_python = ""


def log(text: str, level: Qgis.MessageLevel | None = None) -> None:
    """A line in QGIS's log panel; safe from any thread."""
    QgsMessageLog.logMessage(text, LOG_TAG, level or Qgis.MessageLevel.Info, False)


def engine() -> EngineClient:
    """The session's engine, started when first called upon.

    Raises:
        EngineMissing: No Python is known that could run it.
    """
    global _client, _python
    python = settings.engine_python()
    if not python:
        raise EngineMissing(tr("no engine is set up yet"), "EngineMissing")
    with _lock:
        if _client is None or python != _python:
            if _client is not None:
                _client.close()
            environ = engine_env.clean_environment(os.environ, settings.proxy_environment())
            _client = EngineClient(engine_env.engine_command(python), environ=environ, log=log)
            _python = python
        return _client


def restart() -> None:
    """End the engine; the next call starts one with the settings of then."""
    close()


def close() -> None:
    """End the engine."""
    global _client
    with _lock:
        client, _client = _client, None
    if client is not None:
        client.close()


def explain(error: BaseException) -> tuple[str, str]:
    """What went wrong and what to do about it, in two sentences for a person."""
    text = str(error).strip()
    head = text.split("\n", 1)[0]
    set_up = tr("Open Settings ▸ Options ▸ rsvlm_geo and press Test or Set up.")
    if isinstance(error, EngineTooOld):
        return (
            tr("The engine does not fit this plugin: {detail}.", detail=head),
            tr("Update it: Settings ▸ Options ▸ rsvlm_geo ▸ Set up."),
        )
    if isinstance(error, EngineMissing):
        if "No module named" in text:
            return tr("This Python has no rsvlm_geo in it: {path}.", path=_python), set_up
        return tr("The engine does not start: {detail}.", detail=head.rstrip(".:")), set_up
    kind = getattr(error, "kind", "")
    if kind == "EngineDied":
        return (
            tr("The engine stopped in the middle: {detail}.", detail=head.rstrip(".:")),
            tr("Nothing was written. Run it again; the log panel has the engine's last words."),
        )
    advice = getattr(error, "next_step", "")
    if isinstance(error, EngineError) and kind in _ADVICE:
        advice = _ADVICE[kind]()
    return _sentence(head), _sentence(advice) if advice else ""


_ADVICE = {
    "OutputError": lambda: tr(
        "Choose another output file, or free the disk; close the file if another program has it."
    ),
    "MissingCRSError": lambda: tr(
        "Set its CRS: right click the layer ▸ Layer CRS ▸ Set Layer CRS."
    ),
    "SceneNotFoundError": lambda: tr(
        "The file was moved or removed; repair the layer's data source."
    ),
    "InternalError": lambda: tr("Please report this, with the text of the log panel."),
}


def _sentence(text: str) -> str:
    text = text.strip()
    if not text:
        return ""
    text = text[0].upper() + text[1:] if text[0].islower() and "/" not in text.split()[0] else text
    return text if text[-1] in ".!?" else text + "."
