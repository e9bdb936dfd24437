# SPDX-License-Identifier: GPL-2.0-or-later
"""The Processing algorithms: every door of the plugin leads through these."""

from __future__ import annotations

from qgis.core import QgsProcessingAlgorithm

__all__ = ["all_algorithms"]


def all_algorithms() -> list[QgsProcessingAlgorithm]:
    """One new instance of each."""
    from .batch import BatchStacAlgorithm
    from .scene import ALGORITHMS
    from .search import SearchAlgorithm

    return [*(kind() for kind in ALGORITHMS), SearchAlgorithm(), BatchStacAlgorithm()]
