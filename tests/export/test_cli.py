"""``rsvlm-geo export`` and ``verify``, and the scripts of ``onnx/``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

pytestmark = pytest.mark.export

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_export_then_verify(tmp_path: Path) -> None:
    from rsvlm_geo.cli import main
    from rsvlm_geo.export.tiny_files import write_tiny

    source, pack = str(tmp_path / "source"), tmp_path / "pack"
    write_tiny("clip", tmp_path / "source")
    run = CliRunner()
    made = run.invoke(main, ["export", source, "-o", str(pack), "--licence", "MIT"])
    assert made.exit_code == 0, made.output
    assert "fp32 graphs: equal to torch" in made.output
    card = json.loads((pack / "rsvlm.json").read_text())
    assert card["licence"] == "MIT" and card["name"] == "pack"
    assert [check["variant"] for check in card["verification"]] == ["fp32", "fp32-stored"]

    checked = run.invoke(main, ["verify", pack.as_posix(), source, "--seed", "7"])
    assert checked.exit_code == 0, checked.output
    assert "fp32-stored: not equal to torch; lowest cosine 0.99999" in checked.output
    again = json.loads((pack / "rsvlm.json").read_text())
    assert [check["variant"] for check in again["verification"]] == ["fp32-stored"]
    assert again["sha256"] == card["sha256"]

    other = tmp_path / "other"
    write_tiny("clip", other, seed=5)
    full = tmp_path / "full"
    assert run.invoke(main, ["export", source, "-o", str(full), "--variant", "fp32",
                             "--no-verify"]).exit_code == 0  # fmt: skip
    wrong = run.invoke(main, ["verify", str(full), str(other), "--no-write"])
    assert wrong.exit_code == 1
    assert "fp32: not equal" in wrong.output
    assert "verification" not in json.loads((full / "rsvlm.json").read_text())


def test_error_is_one_line(tmp_path: Path) -> None:
    from rsvlm_geo.cli import main

    said = CliRunner().invoke(main, ["export", "owner/name", "-o", str(tmp_path / "pack")])
    assert said.exit_code == 1
    [last] = [line for line in said.output.splitlines() if line.startswith("error: ")]
    assert last.startswith("error: owner/name needs --revision")
    assert said.output.rstrip().endswith(last)


@pytest.mark.parametrize("script", ["export.py", "verify.py", "table.py"])
def test_scripts_run_by_path(script: str, tmp_path: Path) -> None:
    """The folder is called onnx: run by path, it must not hide the PyPI package."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "onnx" / script), "--help"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("Usage: ")
    assert not (ROOT / "onnx" / "__init__.py").exists()


def test_package_imports_without_torch() -> None:
    """Help costs no torch; asking for a name brings it."""
    code = (
        "import sys, rsvlm_geo.export, rsvlm_geo.export.cli; "
        "assert 'torch' not in sys.modules and 'onnx' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
