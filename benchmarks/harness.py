"""What every benchmark script shares: interleaved timing, and one way to write results down.

A script ``benchmarks/bench_NAME.py`` has a ``main()`` that calls :func:`record`; it can be run
alone, and ``rsvlm-geo bench`` runs them all and makes the table in the documentation.
Only ratios measured in one run are compared with a bar: these machines are noisy.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_BEGAN, _LOAD = time.time(), os.getloadavg()[0]
"""When the script began, and how busy the machine was then."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measured thing."""

    what: str
    """What was measured, in a reader's words."""
    value: float
    unit: str
    n: int = 1
    """Rounds measured."""
    low: float | None = None
    """Smallest of the rounds, in ``unit``."""
    high: float | None = None
    """Largest of the rounds, in ``unit``."""
    compared_with: str | None = None
    """The baseline, in a reader's words; measured in the same run."""
    bar: str | None = None
    """The bar it is held to, as text (``>= 0.9``); None when there is none."""
    met: bool | None = None


def interleave(
    runs: Mapping[str, Callable[[], Any]], rounds: int = 5, clock: Callable[[], float] | None = None
) -> dict[str, list[float]]:
    """Seconds of each callable over some rounds, taken in turn so that noise hits all alike."""
    clock = clock or time.perf_counter
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = clock()
            run()
            seconds[name].append(clock() - start)
    return seconds


def ratio_row(
    what: str, baseline: Sequence[float], ours: Sequence[float], *, compared_with: str, bar: float
) -> Row:
    """How many times faster than the baseline, from the median of the rounds' own ratios."""
    ratios = [b / o for b, o in zip(baseline, ours, strict=True)]
    middle = statistics.median(ratios)
    return Row(
        what, middle, "x", len(ratios), min(ratios), max(ratios), compared_with,
        f">= {bar:g}", middle >= bar,
    )  # fmt: skip


def record(name: str, rows: Sequence[Row], note: str = "") -> Path:
    """Write ``results/NAME.json``: rows, machine, versions, date, load, note; print the rows."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    content = {
        "name": name,
        "note": note,
        "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime(_BEGAN)),
        "load": [round(_LOAD, 1), round(os.getloadavg()[0], 1)],
        "seconds": round(time.time() - _BEGAN),
        "machine": machine(),
        "rows": [asdict(row) for row in rows],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    for row in rows:
        spread = "" if row.low is None else f" ({row.low:.3g} .. {row.high:.3g})"
        verdict = "" if row.met is None else f"  bar {row.bar}: {'met' if row.met else 'MISSED'}"
        print(f"{row.what}: {row.value:.3g} {row.unit}{spread}, n={row.n}{verdict}")
    return path


def machine() -> dict[str, str]:
    """Processor, cores and the versions that matter."""
    versions = {}
    for package in ("rsvlm-geo", "onnxruntime", "rasterio", "numpy", "torch", "transformers"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        **versions,
    }


def _processor() -> str:
    try:
        listing = subprocess.run(["lscpu"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return platform.processor()
    fields = dict(line.split(":", 1) for line in listing.splitlines() if ":" in line)
    flags = fields.get("Flags", "").split()
    special = [flag for flag in ("avx512_vnni", "amx_tile") if flag in flags]
    return f"{fields.get('Model name', '').strip()} {' '.join(special)}".strip()
