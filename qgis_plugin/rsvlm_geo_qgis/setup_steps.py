# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands that set an engine up: made here, shown, copied, and only then run. No Qt here."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import engine_env

__all__ = ["SetupChoice", "as_text", "base_pythons", "run_steps", "steps"]

SUPPORTED = ("3.13", "3.12", "3.11", "3.10")


@dataclass(frozen=True)
class SetupChoice:
    """What the user chose."""

    base_python: str
    """The Python that makes the environment."""
    folder: str
    """Where the environment goes."""
    package: str = "rsvlm-geo[cpu]"
    """What is installed: a requirement, or a wheel's path."""
    tool: str = "pip"
    """``pip`` or ``uv``."""
    index: str = ""
    """Another package index, or none."""
    wheels: str = ""
    """A folder of wheels; when given, no network is used."""
    proxy: str = ""


def base_pythons(environ: Mapping[str, str]) -> list[str]:
    """Pythons on the PATH that could run the engine, newest supported first."""
    names = [f"python{version}" for version in SUPPORTED] + ["python3", "python"]
    if os.name == "nt":
        names = ["py", "python3", "python"]
    found = []
    for name in names:
        path = shutil.which(name, path=environ.get("PATH", ""))
        if path and path not in found and "qgis" not in path.lower():
            found.append(path)
    return found


def steps(choice: SetupChoice) -> list[list[str]]:
    """The commands, in order.

    Raises:
        ValueError: Something is missing; says what to do.
    """
    if not choice.base_python:
        raise ValueError("no Python 3.10 to 3.13 was found; install one from python.org")
    if choice.wheels and not Path(choice.wheels).is_dir():
        raise ValueError(f"there is no folder {choice.wheels}; choose the folder of wheels")
    python = engine_env.venv_python(choice.folder)
    source: list[str] = []
    if choice.wheels:
        source = ["--no-index", "--find-links", choice.wheels]
    elif choice.index:
        source = ["--index-url", choice.index]
    if choice.tool == "uv":
        uv = shutil.which("uv") or "uv"
        return [
            [uv, "venv", "--python", choice.base_python, choice.folder],
            [uv, "pip", "install", "--python", python, *source, choice.package],
        ]
    proxy = ["--proxy", choice.proxy] if choice.proxy and not choice.wheels else []
    return [
        [choice.base_python, "-m", "venv", choice.folder],
        [python, "-m", "pip", "install", "--disable-pip-version-check", *source, *proxy,
         choice.package],
    ]  # fmt: skip


def as_text(commands: list[list[str]]) -> str:
    """The commands as one would type them."""
    if os.name == "nt":
        return "\n".join(subprocess.list2cmdline(command) for command in commands)
    return "\n".join(shlex.join(command) for command in commands)


def run_steps(
    commands: list[list[str]],
    environ: Mapping[str, str],
    *,
    proxy: str = "",
    on_line: Callable[[str], None],
    cancelled: Callable[[], bool] = lambda: False,
) -> str | None:
    """Run the commands one after the other.

    Returns:
        None when all went well, else what went wrong.
    """
    extra = {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy} if proxy else {}
    cleaned = engine_env.clean_environment(environ, extra)
    for command in commands:
        on_line("$ " + as_text([command]))
        try:
            process = engine_env.spawn(command, cleaned)
        except OSError as error:
            return f"{command[0]}: {error.strerror or error}"
        if process.stdin is not None:
            process.stdin.close()
        pumps = [
            threading.Thread(target=_pump, args=(stream, on_line), daemon=True)
            for stream in (process.stdout, process.stderr)
        ]
        for pump in pumps:
            pump.start()
        try:
            while process.poll() is None:
                if cancelled():
                    return "cancelled"
                try:
                    process.wait(0.1)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            engine_env.end_group(process)
        for pump in pumps:
            pump.join(2)
        if process.returncode:
            return f"{Path(command[0]).name} ended with code {process.returncode}"
    return None


def _pump(stream: object, on_line: Callable[[str], None]) -> None:
    for raw in stream:  # type: ignore[attr-defined]
        on_line(raw.decode("utf-8", "replace").rstrip())
