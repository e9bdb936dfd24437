"""Which scripts there are, how they are run, and what they left behind."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rsvlm_geo.errors import DataError

__all__ = [
    "Run", "Script", "Section", "chosen", "find_sections", "note_run", "read_results", "read_runs",
    "run_script",
]  # fmt: skip

_RUNS = "runs.json"


@dataclass(frozen=True, slots=True)
class Script:
    """One script and how it is called."""

    name: str
    """What it records its results under."""
    path: Path
    args: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """As one would type it."""
        return " ".join(["python", f"{self.path.parent.name}/{self.path.name}", *self.args])


@dataclass(frozen=True, slots=True)
class Section:
    """Scripts that belong together on the page."""

    title: str
    how: str
    """How to read it, a sentence or two."""
    scripts: tuple[Script, ...]

    @property
    def slug(self) -> str:
        """For file names and links."""
        return "-".join("".join(c if c.isalnum() else " " for c in self.title.lower()).split())

    @property
    def names(self) -> tuple[str, ...]:
        """Of its scripts."""
        return tuple(script.name for script in self.scripts)


@dataclass(frozen=True, slots=True)
class Run:
    """How a script ended."""

    name: str
    ok: bool
    seconds: float
    said: str
    """Its last line."""
    when: str
    """UTC, to the minute."""


def find_sections(folder: Path) -> tuple[Section, ...]:
    """The page's sections, from ``plan.json``; scripts that it leaves out come last.

    Raises:
        DataError: There is no ``bench_*.py``.
    """
    found = {path.stem.removeprefix("bench_"): path for path in sorted(folder.glob("bench_*.py"))}
    if not found:
        raise DataError(
            f"no bench_*.py in {folder}; run this in a checkout of the repository, or pass --folder"
        )
    plan = folder / "plan.json"
    sections = []
    for row in json.loads(plan.read_text("utf-8")) if plan.exists() else []:
        scripts = []
        for call in row["scripts"]:
            file, *args = call.split()
            path = folder / file
            name = path.stem.removeprefix("bench_")
            if path.exists():
                scripts.append(Script(name, path, tuple(args)))
            found.pop(name, None)
        sections.append(Section(row["title"], row["how"], tuple(scripts)))
    if found:
        rest = tuple(Script(name, path) for name, path in found.items())
        sections.append(Section("Others", "", rest))
    return tuple(sections)


def chosen(sections: Sequence[Section], names: Sequence[str]) -> list[Script]:
    """The scripts of these names; all, when there is no name.

    Raises:
        DataError: A name that no script has.
    """
    scripts = {script.name: script for section in sections for script in section.scripts}
    unknown = [name for name in names if name not in scripts]
    if unknown:
        raise DataError(f"no benchmark {', '.join(unknown)}; take one of {', '.join(scripts)}")
    return [scripts[name] for name in names] if names else list(scripts.values())


def run_script(script: Script, timeout_s: float) -> Run:
    """Run one script to its end, whatever it is; what it prints goes to standard error."""
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    began = time.monotonic()
    command = [sys.executable, str(script.path), *script.args]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        output, _ = process.communicate(timeout=timeout_s)
        ok = process.returncode == 0
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        said = lines[-1] if lines else f"exit code {process.returncode}, no message"
    except subprocess.TimeoutExpired:
        process.terminate()
        try:
            output, _ = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
        ok, said = False, f"stopped after {timeout_s:g} s"
    sys.stderr.write(output)
    return Run(script.name, ok, round(time.monotonic() - began, 1), said, when)


def note_run(folder: Path, run: Run) -> None:
    """Keep how a script ended, for the page."""
    runs = {**read_runs(folder), run.name: run}
    path = folder / "results" / _RUNS
    path.parent.mkdir(exist_ok=True)
    kept = [asdict(one) for one in runs.values()]
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def read_runs(folder: Path) -> dict[str, Run]:
    """How each script ended when it was last run by :func:`run_script`."""
    path = folder / "results" / _RUNS
    if not path.exists():
        return {}
    return {row["name"]: Run(**row) for row in json.loads(path.read_text("utf-8"))}


def read_results(folder: Path) -> dict[str, dict[str, Any]]:
    """Name -> what its script recorded; a report in Markdown of its own as ``report``."""
    results: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.json")):
        found = json.loads(path.read_text("utf-8"))
        if isinstance(found, Mapping) and "name" in found:
            results[str(found["name"])] = dict(found)
    for path in sorted(folder.glob("*.md")):
        name = path.stem.removeprefix("bench_")
        results.setdefault(name, {"name": name})["report"] = path.read_text("utf-8").strip()
    return results
