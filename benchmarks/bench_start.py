"""Import and start-up: how long before anything happens, beside the packages it stands on.

    python benchmarks/bench_start.py [--rounds 7] [--quick]

Every line is a fresh process, taken in turn, processor time (with that of its children) beyond bare
Python. ``rsvlm-geo count`` is the whole of a first answer: process, imports, model, scene, layers.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import Row, record

ROOT = Path(__file__).parent.parent


def cpu(command: list[str]) -> float:
    """Processor seconds of a process that succeeds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        command, check=True, capture_output=True, env={**os.environ, "RSVLM_SPINNING": "0"}
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="two rounds")
    options = parser.parse_args()
    rounds = 2 if options.quick else options.rounds
    python, tool = [sys.executable, "-c"], [sys.executable, "-m", "rsvlm_geo"]
    scene = str(ROOT / "examples" / "street_15cm.tif")
    with tempfile.TemporaryDirectory() as held:
        out = str(Path(held) / "cars.gpkg")
        commands = {
            "bare": [*python, "pass"],
            "import rsvlm_geo": [*python, "import rsvlm_geo"],
            "rsvlm-geo --version": [*tool, "--version"],
            "rsvlm-geo count --help": [*tool, "count", "--help"],
            "import rasterio": [*python, "import rasterio"],
            "import geopandas": [*python, "import geopandas"],
            "import onnxruntime": [*python, "import onnxruntime"],
            "first answer: rsvlm-geo count on 512 x 512 pixels, to a GeoPackage":
                [*tool, "count", scene, "car", "-o", out],
        }  # fmt: skip
        if importlib.util.find_spec("torch") and importlib.util.find_spec("transformers"):
            commands["import torch, transformers' LLaVA"] = [
                *python, "import torch; from transformers import LlavaForConditionalGeneration"
            ]  # fmt: skip
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for command in commands.values():
            cpu(command)  # compiled and cached
        for _ in range(rounds):
            for name, command in commands.items():
                seconds[name].append(cpu(command))
    bare = seconds.pop("bare")
    rows = []
    for name, took in seconds.items():
        beyond = [max(0.0, t - b) for t, b in zip(took, bare, strict=True)]
        middle = statistics.median(beyond)
        bar = ("<= 0.05", middle <= 0.05) if name == "import rsvlm_geo" else (None, None)
        rows.append(Row(name, middle, "s", rounds, min(beyond), max(beyond), None,
                        *bar))  # fmt: skip
    record("start", rows, "processor time of fresh processes beyond bare Python, files cached")


if __name__ == "__main__":
    main()
