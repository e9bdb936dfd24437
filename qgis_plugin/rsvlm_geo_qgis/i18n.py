# SPDX-License-Identifier: GPL-2.0-or-later
"""Words for people, in their language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QTranslator

__all__ = ["install_translator", "remove_translator", "tr"]

CONTEXT = "rsvlm_geo"


def tr(text: str, **values: Any) -> str:
    """A sentence in the user's language, its ``{placeholders}`` filled in."""
    said = QCoreApplication.translate(CONTEXT, text)
    return said.format(**values) if values else said


def install_translator() -> QTranslator | None:
    """Load the plugin's words for QGIS's language, when there are any."""
    locale = QgsApplication.locale() or "en"
    folder = Path(__file__).parent / "i18n"
    for name in (locale, locale.split("_")[0]):
        path = folder / f"rsvlm_geo_{name}.qm"
        if path.is_file():
            translator = QTranslator()
            if translator.load(str(path)):
                QCoreApplication.installTranslator(translator)
                return translator
    return None


def remove_translator(translator: QTranslator | None) -> None:
    """Undo :func:`install_translator`."""
    if translator is not None:
        QCoreApplication.removeTranslator(translator)
