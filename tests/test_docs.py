"""Every command and code block that a reader may copy is run.

``console`` blocks run line by line (``$ ``) in a shell, ``python`` blocks run in one namespace a
page; both in an empty folder that holds only ``examples/``. A line that is meant to fail says so:
``$ rsvlm-geo count missing.tif car  # exits with 1``. ``sh`` blocks set a machine up: they may hold
nothing but the commands that CI itself runs, and installing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^( *)```(\w+)[^\n]*\n(.*?)^\1```", re.M | re.S)
_SETUP = re.compile(
    r"^(git clone \S+.*|cd \S+|scripts/(quickstart|check)( +#.*)?|source \S+|"
    r"(python -m )?pip install .*|python3? -m venv \S+|#.*|)$"
)


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    return [body for _, name, body in _BLOCK.findall(text) if name == language]


def pages_with(language: str) -> list[Path]:
    return [page for page in PAGES if blocks(page, language)]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty folder with a copy of the examples."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    yield tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_with("console"), ids=lambda page: page.name)
def test_console_blocks(page: Path, folder: Path) -> None:
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for block in blocks(page, "console"):
        if "rsvlm-geo export" in block:
            pytest.importorskip("torch", reason="exporting needs the extra 'export'")
            pytest.importorskip("transformers", reason="exporting needs the extra 'export'")
        for command in re.findall(r"^ *\$ (.*?(?:\\\n.*?)*)$", block, re.M):
            if _SETUP.match(command) or "plugin.py" in command or "&& ruff" in command:
                continue
            expected = re.search(r"# exits with (\d+)", command)
            done = subprocess.run(
                ["bash", "-c", command], cwd=folder, env=env, capture_output=True, text=True
            )
            assert done.returncode == (int(expected.group(1)) if expected else 0), (
                f"{page.name}: {command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            )


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_with("python"), ids=lambda page: page.name)
def test_python_blocks(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    namespace: dict[str, object] = {"__name__": "__docs__"}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", pages_with("sh"), ids=lambda page: page.name)
def test_set_up_blocks_hold_only_what_ci_runs(page: Path) -> None:
    for block in blocks(page, "sh"):
        for line in block.splitlines():
            assert _SETUP.match(line.strip().removeprefix("$ ")), f"{page.name}: {line}"


def test_the_readme_names_the_two_commands_and_shows_a_real_picture() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "scripts/quickstart" in text and "scripts/check" in text
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).stat().st_size > 10_000
