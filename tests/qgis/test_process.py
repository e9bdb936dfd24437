"""``qgis_process`` end to end: the plugin enabled, a scene counted, JSON back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
BINARY = "/usr/bin/qgis_process.bin"
pytestmark = [
    pytest.mark.qgis,
    pytest.mark.skipif(
        not Path(BINARY).exists(),
        reason=f"{BINARY} IS NOT INSTALLED: run tests/qgis/setup.sh as root",
    ),
]


@pytest.fixture
def world(tmp_path: Path) -> dict[str, Any]:
    """A throw-away profile with the plugin enabled, and a scene."""
    rasterio = pytest.importorskip("rasterio")
    import numpy as np
    from rasterio.transform import from_origin

    profile = tmp_path / "profiles" / "default" / "QGIS"
    profile.mkdir(parents=True)
    (profile / "QGIS3.ini").write_text("[PythonPlugins]\nrsvlm_geo_qgis=true\nprocessing=true\n")
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    scene = tmp_path / "scene.tif"
    pixels = np.random.default_rng(0).integers(0, 255, (3, 512, 512), dtype=np.uint8)
    with rasterio.open(
        scene, "w", driver="GTiff", width=512, height=512, count=3, dtype="uint8",
        crs="EPSG:32633", transform=from_origin(500000, 5000000, 0.2, 0.2),
    ) as sink:  # fmt: skip
        sink.write(pixels)
    fake = tmp_path / "fake_python"
    fake.write_text(f"#!/bin/sh\nexec {sys.executable} -u {HERE / 'fake_engine.py'}\n")
    fake.chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "QT_", "QGIS_"))}
    kept.pop("VIRTUAL_ENV", None)
    env = {
        **kept, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(runtime),
        "QT_QPA_PLATFORM": "offscreen", "QGIS_CUSTOM_CONFIG_PATH": str(tmp_path),
        "GDAL_PAM_ENABLED": "NO",
        "QGIS_PLUGINPATH": str(HERE.parents[1] / "qgis_plugin"), "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "RSVLM_ENGINE_PYTHON": str(fake),
    }  # fmt: skip
    return {"env": env, "scene": str(scene), "folder": tmp_path}


def process(world: dict[str, Any], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BINARY, *words], env=world["env"], capture_output=True, text=True, check=False
    )


def test_count_returns_number_layer_and_coverage(world: dict[str, Any]) -> None:
    out = world["folder"] / "cars.gpkg"
    done = process(
        world, "--json", "run", "rsvlm_geo:count", "--", f"INPUT={world['scene']}", "TARGET=car",
        f"OUTPUT={out}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout)["results"]
    assert results["TOTAL"] == 48 and results["COVERAGE"] == 1 and results["TILES"] == 25
    assert results["OUTPUT"] == f"{out}|layername=answers" and out.exists()


def test_the_real_engine_counts_on_the_real_model(world: dict[str, Any]) -> None:
    pytest.importorskip("onnxruntime")
    world["env"]["RSVLM_ENGINE_PYTHON"] = sys.executable
    folder = os.environ.get("RSVLM_DATA")
    scene = Path(folder or "/") / "scenes" / "usgs_hro_blockA_15cm.tif"
    source = str(scene) if folder and scene.exists() else world["scene"]
    out = world["folder"] / "cars.gpkg"
    words = [f"INPUT={source}", "TARGET=car", f"OUTPUT={out}"]
    if source == str(scene):
        words.append("EXTENT=-8051800,-8051700,5027850,5027950 [EPSG:3857]")
    done = process(world, "--json", "run", "rsvlm_geo:count", "--", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout)["results"]
    assert results["TILES"] >= 1 and 0 <= results["COVERAGE"] <= 1
    assert results["OUTCOME"] in ("complete", "incomplete") and out.exists()
    statuses = ("ANSWERED", "REFUSED", "UNREADABLE", "NODATA", "FAILED")
    assert sum(results[name] for name in statuses) == results["TILES"]


def test_what_is_wrong_is_said_and_nothing_is_written(world: dict[str, Any]) -> None:
    out = world["folder"] / "x.gpkg"
    done = process(world, "run", "rsvlm_geo:ask", "--", f"INPUT={world['scene']}", f"OUTPUT={out}")
    assert done.returncode != 0 and not out.exists()
    world["env"]["RSVLM_ENGINE_PYTHON"] = "/nowhere/python"
    done = process(
        world, "run", "rsvlm_geo:caption", "--", f"INPUT={world['scene']}", f"OUTPUT={out}"
    )
    assert done.returncode != 0 and not out.exists()
    assert "no engine is set up" in (done.stdout + done.stderr).lower()


def test_killing_qgis_leaves_no_engine_and_no_file(world: dict[str, Any]) -> None:
    world["env"]["FAKE_ENGINE"] = "slow=100,tiles=1000"
    out = world["folder"] / "k.gpkg"
    running = subprocess.Popen(
        [BINARY, "run", "rsvlm_geo:caption", "--", f"INPUT={world['scene']}", f"OUTPUT={out}"],
        env=world["env"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def engines() -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    line = (entry / "cmdline").read_bytes()
                    mine = f"HOME={world['folder']}".encode() in (entry / "environ").read_bytes()
                except OSError:
                    continue
                if b"fake_engine.py" in line and mine:
                    found.append(int(entry.name))
        return found

    for _ in range(1200):
        if engines():
            break
        time.sleep(0.05)
    assert engines()
    running.send_signal(signal.SIGKILL)
    running.wait()
    for _ in range(400):
        if not engines():
            break
        time.sleep(0.05)
    assert not engines() and not list(world["folder"].glob("k*"))
