"""A real QGIS desktop under a virtual X server, with real clicks; screenshots are kept.

``RSVLM_ARTEFACTS`` names the folder for the screenshots, ``out/qgis`` by default.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import desktop
import pytest

HERE = Path(__file__).resolve().parent
ARTEFACTS = Path(os.environ.get("RSVLM_ARTEFACTS", HERE.parents[1] / "out" / "qgis"))
WHY_NOT = desktop.available()
pytestmark = [
    pytest.mark.qgis,
    pytest.mark.slow,
    pytest.mark.skipif(bool(WHY_NOT), reason=f"NO QGIS DESKTOP HERE: {WHY_NOT}"),
]


def make_scene(path: Path, *, crs: bool = True) -> str:
    rasterio = pytest.importorskip("rasterio")
    import numpy as np
    from rasterio.transform import from_origin

    side = np.linspace(60, 180, 640, dtype=np.float32)
    pixels = (side[None, :, None] * 0.6 + side[None, None, :] * 0.4).repeat(3, 0)
    pixels += np.random.default_rng(0).normal(0, 6, pixels.shape)
    where: dict[str, Any] = {}
    warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
    if crs:
        where = {"crs": "EPSG:32633", "transform": from_origin(500000, 5000000, 0.25, 0.25)}
    with rasterio.open(
        path, "w", driver="GTiff", width=640, height=640, count=3, dtype="uint8", **where
    ) as sink:
        sink.write(pixels.clip(1, 255).astype("uint8"))
    return str(path)


def fakes(folder: Path, **tricks: str) -> dict[str, str]:
    made = {}
    for name, words in tricks.items():
        path = folder / f"engine_{name}"
        line = f"FAKE_ENGINE='{words}' exec {sys.executable} -u {HERE / 'fake_engine.py'}"
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)
        made[name] = str(path)
    return made


def test_the_whole_way_with_the_real_engine(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    folder = os.environ.get("RSVLM_DATA")
    scene = Path(folder or "/") / "scenes" / "usgs_hro_blockA_15cm.tif"
    raster = str(scene) if folder and scene.exists() else make_scene(tmp_path / "scene.tif")
    project = str(tmp_path / "project.qgz")
    facts = desktop.run_desktop(
        HERE / "scenario_brochure.py", ARTEFACTS, engine=sys.executable,
        data={"raster": raster, "name": "Scene", "project": project,
              "questions": ["Is there a building?", "How many cars are there?"]},
    )  # fmt: skip
    assert facts["ok"], facts.get("trace")
    assert facts["python_errors"] == [] and facts["returncode"] == 0
    assert facts["rows"] == sum(facts["counts"].values()) > 0
    assert "Cancelled" in facts["cancel_text"]
    assert {"Answers", "Asked here"} <= set(facts["layers"])
    again = desktop.run_desktop(
        HERE / "scenario_reopen.py", ARTEFACTS, engine=sys.executable, data={"project": project}
    )
    assert again["ok"], again.get("trace")
    assert again["layers"] == sorted(facts["layers"]) and again["valid"]
    assert set(again["renderers"].values()) == {"RuleRenderer"}
    assert again["rows"] == facts["rows"] and all(again["metadata"].values())


def test_what_goes_wrong_is_said(tmp_path: Path) -> None:
    engines = fakes(
        tmp_path, old="old", crash="crash", nopack="nopack", full="error=OutputError",
        unreadable="error=SceneUnreadableError", slow="slow=100,tiles=1000", quick="slow=20",
    )  # fmt: skip
    facts = desktop.run_desktop(
        HERE / "scenario_bad.py", ARTEFACTS, engine=engines["slow"],
        data={"raster": make_scene(tmp_path / "scene.tif"), "project": str(tmp_path / "p.qgz"),
              "bare": make_scene(tmp_path / "bare.tif", crs=False), "engines": engines},
    )  # fmt: skip
    assert facts["ok"], facts.get("trace")
    said = {case: " ".join(lines) for case, lines in facts["said"].items()}
    for case, words in {
        "no raster": "open one",
        "no CRS": "Set Layer CRS",
        "wrong engine path": "/nowhere/python",
        "engine too old": "Update it",
        "engine without our package": "has no rsvlm_geo",
        "disk full": "free the disk",
        "unreadable source": "Try something else",
        "engine without a pack": "options",
        "engine killed": "Run it again",
        "two runs at once": "Cancel it, or wait",
        "layer removed while running, then cancelled": "Cancelled",
        "layer removed while running": "seen",
    }.items():
        assert words in said[case], (case, said[case])
    assert facts["python_errors"] == []
    pid = facts["engine_pid"]
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            break
        time.sleep(0.1)
    assert not Path(f"/proc/{pid}").exists(), "QGIS was closed while running and left its engine"
    assert not list(tmp_path.rglob("*.part*"))


def test_the_gui_comes_round_while_ten_thousand_rows_arrive(tmp_path: Path) -> None:
    engines = fakes(tmp_path, many="tiles=10000")
    facts = desktop.run_desktop(
        HERE / "scenario_gap.py", ARTEFACTS, engine=engines["many"],
        data={"raster": make_scene(tmp_path / "scene.tif"), "project": str(tmp_path / "p.qgz")},
    )  # fmt: skip
    assert facts["ok"], facts.get("trace")
    assert facts["rows"] == 10000
    # how long the gaps are is told, not tested: it depends on who else uses the machine
    print({key: value for key, value in facts.items() if key.endswith("_s")})
