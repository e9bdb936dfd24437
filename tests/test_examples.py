"""The example scripts run as they stand, with the embedded model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
pytestmark = pytest.mark.slow


def run(*words: str, cwd: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        words,
        cwd=cwd,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_python_door(tmp_path: Path) -> None:
    said = run(sys.executable, str(EXAMPLES / "python_door.py"), "out", cwd=tmp_path)
    assert "cars" in said and "parking_15cm: " in said
    objects = gpd.read_file(tmp_path / "out" / "cars.gpkg", layer="objects")
    assert str(len(objects)) in said and (tmp_path / "out" / "cars.png").exists()


def test_command_line(tmp_path: Path) -> None:
    said = run("bash", str(EXAMPLES / "command_line.sh"), "out", cwd=tmp_path)
    assert "measured with rsvlm-mini" in said and "refused everywhere" in said
    assert '"type": "done"' in said.splitlines()[-1]
    assert len(gpd.read_file(tmp_path / "out" / "land.gpkg", layer="answers")) > 0


def test_xarray_door(tmp_path: Path) -> None:
    pytest.importorskip("rioxarray")
    assert "trees" in run(sys.executable, str(EXAMPLES / "xarray_door.py"), cwd=tmp_path)


def test_every_scene_has_its_credit_and_all_are_small() -> None:
    scenes = [path for path in EXAMPLES.iterdir() if path.suffix == ".tif"]
    credits = (EXAMPLES / "CREDITS.md").read_text(encoding="utf-8")
    assert scenes and all(path.name in credits for path in scenes)
    assert sum(path.stat().st_size for path in scenes) <= 3_000_000
