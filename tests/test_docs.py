"""Every command and code block that a reader may copy is run.

``console`` blocks run line by line (``$ ``) in a shell, ``python`` blocks run in one namespace a
page; both in an empty folder that holds only ``examples/``. A line that is meant to fail says so:
``$ rsvlm-geo count missing.tif car  # exits with 1``. ``sh`` blocks set a machine up: they may hold
nothing but the commands that CI itself runs, and installing.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.M | re.S)
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


_ELSEWHERE = re.compile(
    r"(qgis_process(\.bin)? |python -m rsvlm_geo\.training|python onnx/\w+\.py|"
    r"CUDA_VISIBLE_DEVICES=\S+ dask worker )"
)
"""Commands that need QGIS, a GPU, a checkpoint or hours; each has tests of its own."""


def shown_commands(page: Path) -> list[str]:
    """Commands of the blocks that are not run: what needs a network or a scene of the reader's."""
    found = []
    for body in [*blocks(page, "text"), *blocks(page, "")]:
        joined = body.replace("\\\n", " ")
        for line in joined.splitlines():
            line = line.strip().removeprefix("$ ")
            if re.match(r"(rsvlm-geo|python|qgis_process|CUDA_VISIBLE_DEVICES=)", line):
                found.append(line)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_are_only_shown_have_the_options_they_use(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rsvlm_geo.cli import main

    monkeypatch.chdir(tmp_path)
    for line in shown_commands(page):
        if _ELSEWHERE.match(line):
            continue
        words = shlex.split(re.sub(r"<(\w+)>", "0" * 40, line), comments=True)
        assert words.pop(0) == "rsvlm-geo", f"{page.name}: {line}"
        for word in words:  # options ask whether a file is there
            if word.endswith("/"):
                Path(word).mkdir(parents=True, exist_ok=True)
            elif re.fullmatch(r"[\w-]+\.[a-z]+", word):
                Path(word).touch()
        command: click.Command = main
        context = click.Context(main, info_name="rsvlm-geo")
        while isinstance(command, click.Group):
            child = command.get_command(context, words.pop(0))
            assert child is not None, f"{page.name}: no such command: {line}"
            command = child
        try:
            command.make_context(command.name or "", words, parent=context)
        except click.UsageError as error:
            pytest.fail(f"{page.name}: {line}\n{error.format_message()}")


def options_of(command: click.Command, context: click.Context) -> set[str]:
    found = {name for option in command.params for name in option.opts}
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            found |= options_of(child, context)
    return found


def test_options_named_in_the_text_are_there() -> None:
    from rsvlm_geo.cli import main

    known = options_of(main, click.Context(main)) | {"--preload-nanny", "--max-steps"}
    for page in PAGES:
        named = set(re.findall(r"`(--[a-z][a-z-]+)", page.read_text(encoding="utf-8")))
        assert named <= known, f"{page.name}: {sorted(named - known)}"


@pytest.mark.parametrize("page", pages_with("yaml"), ids=lambda page: page.name)
def test_recipes_are_recipes(page: Path, tmp_path: Path) -> None:
    pytest.importorskip("yaml", reason="recipes need the extra 'batch'")
    from rsvlm_geo.batch import load_recipe

    for block in blocks(page, "yaml"):
        if "CITATION.cff" not in block:
            (tmp_path / "recipe.yaml").write_text(block, encoding="utf-8")
            assert load_recipe(tmp_path / "recipe.yaml").spec.asks


def test_the_readme_names_the_two_commands_and_shows_a_real_picture() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "scripts/quickstart" in text and "scripts/check" in text
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).stat().st_size > 10_000


def test_the_architecture_page_is_the_import_contract() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    layers = re.search(r"^layers = \[\n(.*?)^\]", text, re.M | re.S)
    assert layers is not None
    contract = [re.findall(r"[a-z_]\w*", line) for line in layers.group(1).splitlines()][::-1]
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = [re.findall(r"`(\w+)/?`", row.split("|")[1]) for row in page.splitlines()
            if row.startswith("| `")]  # fmt: skip
    place = {name: number for number, row in enumerate(rows) for name in row}
    below = -1
    for names in contract:
        names = [name for name in names if not name.startswith("cli_") and name != "__main__"]
        if names:
            assert set(names) <= set(place), f"not on the page: {set(names) - set(place)}"
            assert min(place[name] for name in names) >= below, f"{names} stands too low"
            below = max(below, min(place[name] for name in names))
