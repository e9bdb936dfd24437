"""Every name the plugin takes from ``qgis.PyQt``, looked up in PyQt6: what is gone shows.

PyQt6 lives in a virtual environment of its own (``.venv-qt6``), made when missing; it is only read,
so no display is needed. QGIS's own shim gives back ``QVariant`` types and ``QAction``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv-qt6"

LOOK = r"""
import ast, importlib, sys
from pathlib import Path
folder, bad, seen = Path(sys.argv[1]), [], 0
SHIM = {"QAction"}
for path in sorted(folder.rglob("*.py")):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("qgis.PyQt"):
            part = node.module[len("qgis.PyQt"):].lstrip(".")
            if not part:
                continue
            module = importlib.import_module("PyQt6." + part)
            for alias in node.names:
                seen += 1
                if not hasattr(module, alias.name) and alias.name not in SHIM:
                    bad.append(f"{path.name}:{node.lineno} PyQt6.{part} has no {alias.name}")
                else:
                    names[alias.asname or alias.name] = getattr(module, alias.name, None)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        chain, inner = [node.attr], node.value
        while isinstance(inner, ast.Attribute):
            chain.append(inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name) or names.get(inner.id) is None:
            continue
        thing = names[inner.id]
        for name in reversed(chain):
            seen += 1
            if not hasattr(thing, name):
                said = inner.id + "." + ".".join(reversed(chain))
                bad.append(f"{path.name}:{node.lineno} {said}: no {name} in Qt 6")
                break
            thing = getattr(thing, name)
print("\n".join(bad))
print(f"{seen} names looked up, {len(bad)} problems")
sys.exit(1 if bad else 0)
"""


def main(arguments: list[str]) -> int:
    """Look every name up."""
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "PyQt6"], check=True)
    folder = arguments[0] if arguments else str(ROOT / "qgis_plugin" / "rsvlm_geo_qgis")
    return subprocess.run([str(python), "-c", LOOK, folder], check=False).returncode
