"""Both for the ordinary environment and for QGIS's own Python, so it imports neither's packages."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "qgis_plugin"))
