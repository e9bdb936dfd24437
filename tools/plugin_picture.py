#!/usr/bin/env python3
"""Take the documentation's picture of the plugin: the desktop scenario on a real scene.

    python tools/plugin_picture.py SCENE NAME [TASK [WORDS [QUESTION...]]]

Writes ``docs/img/qgis.png`` (at most 400 kB); every screenshot stays in ``out/qgis``.
"""

# ruff: noqa: E402
from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "qgis"))

import desktop
from PIL import Image

MAX_BYTES = 400_000


def shrink(source: Path, target: Path) -> None:
    """A palette picture small enough for the docs."""
    target.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.open(source).convert("RGB")
    for width in (1600, 1440, 1280, 1120, 960):
        size = (width, round(picture.height * width / picture.width))
        smaller = picture.resize(size, Image.Resampling.LANCZOS)
        smaller.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(target, optimize=True)
        if target.stat().st_size <= MAX_BYTES:
            return


def main() -> int:
    """Run the scenario, choose the picture."""
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    scene, name = Path(sys.argv[1]).resolve(), sys.argv[2]
    task = sys.argv[3] if len(sys.argv) > 3 else "count"
    words = sys.argv[4] if len(sys.argv) > 4 else "car"
    questions = sys.argv[5:] or ["How many cars are there?", "Is there a building?"]
    folder = ROOT / "out" / "qgis_picture"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    facts = desktop.run_desktop(
        ROOT / "tests" / "qgis" / "scenario_brochure.py", ROOT / "out" / "qgis",
        engine=sys.executable, timeout_s=480,
        data={"raster": str(scene), "name": name, "project": str(folder / "project.qgz"),
              "task": task, "words": words, "questions": questions[:2],
              "places": [[0.33, 0.3], [0.6, 0.58]]},
    )  # fmt: skip
    print(json.dumps(facts, indent=1))
    if not facts["ok"]:
        return 1
    target = ROOT / "docs" / "img" / "qgis.png"
    shrink(ROOT / "out" / "qgis" / "5_asked.png", target)
    print(f"{target}: {target.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
