# SPDX-License-Identifier: GPL-2.0-or-later
"""How the engine's process is started: its command, its environment, its end. No Qt here.

QGIS sets PYTHONHOME, PROJ_LIB, GDAL_DATA and more for itself. Inherited by another Python they stop
it from starting, or give it the wrong projection database; so the child gets none of them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

__all__ = [
    "candidate_pythons",
    "clean_environment",
    "end_group",
    "engine_command",
    "spawn",
    "venv_python",
]

ENGINE_ARGUMENTS = ("-I", "-u", "-X", "utf8", "-m", "rsvlm_geo", "serve", "--stdio")
"""-I: nothing of QGIS's Python leaks in; -X utf8 because -I also ignores PYTHONUTF8."""

_STRIPPED = ("PYTHON", "PROJ_", "GDAL_", "QT_", "QML", "OSGEO", "CPL_")
_STRIPPED_EXACT = frozenset(
    ("VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH",
     "DYLD_INSERT_LIBRARIES", "DYLD_FRAMEWORK_PATH", "GEOTIFF_CSV", "SSL_CERT_FILE", "SSL_CERT_DIR",
     "__PYVENV_LAUNCHER__")
)  # fmt: skip


def clean_environment(
    environ: Mapping[str, str], extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment without what QGIS set for its own libraries.

    Args:
        environ: Usually ``os.environ``.
        extra: Added at the end, a proxy for example.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if name not in _STRIPPED_EXACT and not name.startswith(_STRIPPED)
    }
    kept.update(extra or {})
    return kept


def engine_command(python: str) -> list[str]:
    """The command line of an engine run by this Python."""
    return [python, *ENGINE_ARGUMENTS]


def venv_python(folder: str) -> str:
    """Where a virtual environment keeps its Python."""
    if os.name == "nt":
        return str(Path(folder) / "Scripts" / "python.exe")
    return str(Path(folder) / "bin" / "python")


def candidate_pythons(managed: str, environ: Mapping[str, str]) -> list[str]:
    """Where an engine may be when the user has named none, best first; only those that exist.

    Never ``sys.executable``: inside QGIS that is QGIS itself on Windows and macOS.

    Args:
        managed: Folder of the environment that *Set up engine* makes.
        environ: For ``RSVLM_ENGINE_PYTHON`` and ``PATH``.
    """
    found = []
    named = environ.get("RSVLM_ENGINE_PYTHON", "")
    if named:
        found.append(named)
    found.append(venv_python(managed))
    script = "rsvlm-geo.exe" if os.name == "nt" else "rsvlm-geo"
    for folder in environ.get("PATH", "").split(os.pathsep):
        if folder and (Path(folder) / script).is_file():
            python = Path(folder) / ("python.exe" if os.name == "nt" else "python")
            found.append(str(python))
    return _existing(found)


def _existing(paths: Iterable[str]) -> list[str]:
    kept = []
    for path in paths:
        if path not in kept and Path(path).is_file():
            kept.append(path)
    return kept


def spawn(
    command: Sequence[str], environ: Mapping[str, str], cwd: str | None = None
) -> subprocess.Popen[bytes]:
    """Start a child in a group of its own, with pipes, and without a console window.

    Raises:
        OSError: It cannot be started.
    """
    flags = 0
    if os.name == "nt":
        flags = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(
            subprocess, "CREATE_NEW_PROCESS_GROUP", 0
        )
    return subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environ),
        cwd=cwd,
        start_new_session=os.name != "nt",
        creationflags=flags,
    )


def end_group(process: subprocess.Popen[bytes], wait_s: float = 2.0) -> None:
    """Kill a child and everything it started, then wait for it."""
    if os.name == "nt":
        taskkill = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "taskkill.exe"
        if process.poll() is None:
            subprocess.run(
                [str(taskkill), "/F", "/T", "/PID", str(process.pid)],
                capture_output=True,
                timeout=10,
                check=False,
            )
    else:
        try:
            # the group outlives its leader while a grandchild runs
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            if process.poll() is None:
                process.kill()
    try:
        process.wait(wait_s)
    except subprocess.TimeoutExpired:
        print(f"rsvlm_geo: process {process.pid} does not end", file=sys.stderr)
