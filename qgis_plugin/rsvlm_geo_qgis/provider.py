# SPDX-License-Identifier: GPL-2.0-or-later
"""The Processing provider."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .i18n import tr

__all__ = ["PROVIDER_ID", "RsvlmProvider", "icon"]

PROVIDER_ID = "rsvlm_geo"


def icon(name: str = "rsvlm_geo") -> QIcon:
    """One of the plugin's icons."""
    return QIcon(str(Path(__file__).parent / "icons" / f"{name}.svg"))


class RsvlmProvider(QgsProcessingProvider):
    """Algorithms that ask a scene; ids are part of what scripts rely on and never change."""

    def id(self) -> str:
        return PROVIDER_ID

    def name(self) -> str:
        return "rsvlm_geo"

    def longName(self) -> str:
        return tr("rsvlm_geo: ask an image of the Earth")

    def icon(self) -> QIcon:
        return icon()

    def supportedOutputVectorLayerExtensions(self) -> list[str]:
        return ["gpkg"]

    def defaultVectorFileExtension(self, hasGeometry: bool = True) -> str:
        return "gpkg"

    def loadAlgorithms(self) -> None:
        from .algorithms import all_algorithms

        for algorithm in all_algorithms():
            self.addAlgorithm(algorithm)
