"""Shared by all tests: versions in the header, no network beyond this machine, painted scenes."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def pytest_report_header() -> list[str]:
    """Versions that matter, and what ONNX Runtime can run on."""
    found = []
    for name in ("numpy", "rasterio", "pyproj", "shapely", "geopandas", "pyogrio", "onnxruntime"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    lines = [", ".join(found)]
    try:
        import onnxruntime

        lines.append("execution providers: " + ", ".join(onnxruntime.get_available_providers()))
    except ImportError:
        pass
    return lines


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may depend on the internet; loopback servers are fine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if isinstance(address, tuple) and host not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"a test tried to reach {host}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def scene_file(tmp_path: Path) -> Callable[..., Path]:
    """``scene_file(name="a.tif", **options)`` writes one of ``factories.make_scene``'s worlds."""
    from factories import make_scene

    def make(name: str = "scene.tif", **options: Any) -> Path:
        return make_scene(tmp_path / name, **options)

    return make


@pytest.fixture
def data_folder() -> Path:
    """The folder of real labelled imagery, or skip."""
    folder = os.environ.get("RSVLM_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("RSVLM_DATA names no folder of real imagery")
    return Path(folder)
