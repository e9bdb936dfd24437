#!/usr/bin/env python3
"""Package and check the QGIS plugin.

    python tools/plugin.py zip     out/rsvlm_geo_qgis-VERSION.zip, reproducible
    python tools/plugin.py gate    the plugin repository's rules; prints findings, exits 1 with any
    python tools/plugin.py qt6     every Qt name of the plugin against PyQt6, in a venv of its own
    python tools/plugin.py i18n    translations: .ts from the code, .qm from the .ts, both checked

The gate needs bandit, detect-secrets and flake8 (extra ``dev``); i18n needs ``lrelease``.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import plugin_gate
import plugin_i18n
import plugin_qt6
import plugin_zip

COMMANDS = {
    "zip": plugin_zip.main,
    "gate": plugin_gate.main,
    "qt6": plugin_qt6.main,
    "i18n": plugin_i18n.main,
}


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(__doc__)
        return 2
    return COMMANDS[sys.argv[1]](sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
