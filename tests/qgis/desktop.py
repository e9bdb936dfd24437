"""Runs a scenario in a real QGIS desktop under Xvfb, and says what came of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
QGIS = "/usr/bin/qgis.bin"

INI = """[PythonPlugins]
rsvlm_geo_qgis=true

[qgis]
checkVersion=false
enableMacros=Never
stylesheet\\fontPointSize=10
stylesheet\\fontFamily=Open Sans
Projections\\defaultBehavior=UseCrsOfFirstLayerAdded
askToSaveProjectChanges=false
iconSize=24

[app]
projections\\defaultProjectCrs=EPSG:3857
projections\\newProjectCrsBehavior=UseCrsOfFirstLayerAdded

[core]
NewsFeed\\httpsfeedqgisorg\\disabled=true

[locale]
overrideFlag=true
userLocale={locale}
"""


def available() -> str:
    """Why a desktop cannot be run here, or an empty text."""
    if not Path(QGIS).exists():
        return f"{QGIS} is not installed; run tests/qgis/setup.sh as root"
    for tool in ("xvfb-run", "xdotool"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed; run tests/qgis/setup.sh as root"
    return ""


def run_desktop(
    scenario: Path,
    artefacts: Path,
    *,
    engine: str,
    data: dict[str, Any],
    locale: str = "en_US",
    screen: str = "1600x1000x24",
    timeout_s: int = 240,
    environ: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Start QGIS with a startup script; what the script writes as JSON is given back.

    Args:
        scenario: Startup script; reads ``SCENARIO`` (JSON) from its environment.
        artefacts: Folder for screenshots and logs.
        engine: Path of the engine's Python.
        data: For the script.
        locale: Of QGIS.
        screen: Of the virtual X server.
        timeout_s: A guard against a hang, not a measure.
        environ: More of the environment.
    """
    artefacts.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rsvlm_qgis_") as home:
        profile = Path(home) / "p" / "profiles" / "default" / "QGIS"
        profile.mkdir(parents=True)
        (profile / "QGIS3.ini").write_text(INI.format(locale=locale))
        runtime = Path(home) / "run"
        runtime.mkdir(mode=0o700)
        outcome = Path(home) / "outcome.json"
        env = {k: v for k, v in os.environ.items() if not k.startswith(("QT_", "QGIS_", "PYTHON"))}
        env.update(
            HOME=home, XDG_RUNTIME_DIR=str(runtime), LIBGL_ALWAYS_SOFTWARE="1",
            QGIS_PLUGINPATH=str(ROOT / "qgis_plugin"), RSVLM_ENGINE_PYTHON=engine,
            SCENARIO=json.dumps({**data, "artefacts": str(artefacts), "outcome": str(outcome)}),
            PYTHONPATH=str(HERE), PYTHONFAULTHANDLER="1", PYTHONDONTWRITEBYTECODE="1",
            LC_ALL="C.UTF-8",
            # no .aux.xml beside the scenes
            GDAL_PAM_ENABLED="NO",
            # a Python of pyenv first on the PATH would become QGIS's own
            PATH="/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", **(environ or {}),
        )  # fmt: skip
        command = [
            "timeout", "-k", "5", str(timeout_s), "xvfb-run", "-a", "-s", f"-screen 0 {screen}",
            QGIS, "--nologo", "--noversioncheck", "--profiles-path", str(Path(home) / "p"),
            "--code", str(scenario),
        ]  # fmt: skip
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        log = artefacts / (scenario.stem + ".log")
        log.write_text(done.stdout + "\n--- stderr\n" + done.stderr)
        if not outcome.exists():
            raise AssertionError(
                f"the scenario ended with {done.returncode} and no outcome; see {log}\n"
                + done.stderr[-3000:]
            )
        result: dict[str, Any] = json.loads(outcome.read_text())
        result["returncode"] = done.returncode
        return result
