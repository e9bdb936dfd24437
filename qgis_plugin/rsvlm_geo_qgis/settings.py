# SPDX-License-Identifier: GPL-2.0-or-later
"""What the user chose, kept in QGIS's settings under ``rsvlm_geo/``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from qgis.core import QgsApplication, QgsSettings

from . import engine_env

__all__ = [
    "engine_python", "get", "managed_folder", "proxy_environment", "put", "recent_questions",
    "remember_question",
]  # fmt: skip

DEFAULTS: dict[str, Any] = {
    "engine/python": "",
    "engine/device": "auto",
    "engine/model": "",
    "engine/threads": 0,
    "setup/tool": "pip",
    "setup/index": "",
    "setup/wheels": "",
    "setup/proxy": "",
    "setup/package": "rsvlm-geo[cpu]",
    "dock/task": "describe",
    "dock/area": "visible",
    "dock/margin": 0.0,
    "dock/seen": False,
    "ask/recent": [],
}


def get(name: str) -> Any:
    """A setting, of the type of its default."""
    default = DEFAULTS[name]
    value = QgsSettings().value(f"rsvlm_geo/{name}", default)
    if isinstance(default, bool):
        return value in (True, "true", "True", 1, "1")
    if isinstance(default, list):
        return list(value) if isinstance(value, (list, tuple)) else ([value] if value else [])
    try:
        return type(default)(value)
    except (TypeError, ValueError):
        return default


def put(name: str, value: Any) -> None:
    """Keep a setting."""
    QgsSettings().setValue(f"rsvlm_geo/{name}", value)


def managed_folder() -> str:
    """Where *Set up engine* puts its environment: beside the profile, outside of QGIS's Python."""
    return str(Path(QgsApplication.qgisSettingsDirPath()) / "rsvlm_geo" / "engine")


def engine_python() -> str:
    """The Python that runs the engine, or an empty text when none is known."""
    named = str(get("engine/python")).strip()
    if named:
        return named
    found = engine_env.candidate_pythons(managed_folder(), os.environ)
    return found[0] if found else ""


def proxy_environment() -> dict[str, str]:
    """QGIS's own proxy, for a child that may read rasters over HTTP."""
    qgis = QgsSettings()
    if qgis.value("proxy/proxyEnabled", False) not in (True, "true"):
        return {}
    host, port = qgis.value("proxy/proxyHost", ""), qgis.value("proxy/proxyPort", "")
    if not host:
        return {}
    url = f"http://{host}:{port}" if port else f"http://{host}"
    return {"HTTP_PROXY": url, "HTTPS_PROXY": url}


def recent_questions() -> list[str]:
    """The last questions asked, newest first."""
    return [str(item) for item in get("ask/recent")][:12]


def remember_question(text: str) -> None:
    """Put a question first among the recent ones."""
    text = text.strip()
    if text:
        put("ask/recent", [text, *[q for q in recent_questions() if q != text]][:12])
