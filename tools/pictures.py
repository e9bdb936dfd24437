#!/usr/bin/env python3
"""Retake every picture of the documentation with the embedded model, in one command.

    python tools/pictures.py [quickstart] [report] [qgis] [--scene SCENE]

``quickstart.jpg`` is what ``rsvlm-geo describe`` draws; ``report.jpg`` and ``report-phone.jpg`` are
the report of the same run in a real Chromium with the network cut (``pip install playwright`` and a
Chromium on the PATH); ``qgis.png`` and ``qgis-panel.png`` are the plugin in a real QGIS
(``tools/plugin_picture.py``).
Without names all are taken; what cannot be taken here is said, and the exit code is then 1.
Imagery: ``examples/street_15cm.tif``, public domain.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "img"
SCENE = ROOT / "examples" / "street_15cm.tif"
CHROMIUM = [
    "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


def rsvlm_geo(*words: object, may_refuse: bool = False) -> None:
    """Run the command line; 3 says that a part was honestly refused."""
    command = [sys.executable, "-m", "rsvlm_geo", *map(str, words)]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if code and not (may_refuse and code == 3):
        raise RuntimeError(f"{' '.join(map(str, words))} ended with {code}")


def save_jpeg(source: Path, target: Path, width: int) -> None:
    """Not wider than ``width``, small enough for a repository."""
    from PIL import Image

    picture = Image.open(source).convert("RGB")
    if picture.width > width:
        size = (width, round(picture.height * width / picture.width))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    picture.save(target, quality=86, optimize=True, progressive=True)
    print(f"{target.relative_to(ROOT)}: {picture.size}, {target.stat().st_size // 1024} kB")


def take_quickstart(folder: Path, scene: Path) -> None:
    """The map that ``describe`` draws."""
    if not (folder / "run.gpkg").exists():
        rsvlm_geo("describe", scene, "-o", folder / "run.gpkg", "-o", folder / "run.png",
                  may_refuse=True)  # fmt: skip
    save_jpeg(folder / "run.png", IMAGES / "quickstart.jpg", 1200)


def take_report(folder: Path, scene: Path) -> None:
    """The page of the same run, on a desk and on a phone."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise RuntimeError("no Chromium on the PATH (apt-get install chromium)")
    if not (folder / "run.gpkg").exists():
        rsvlm_geo("describe", scene, "-o", folder / "run.gpkg", may_refuse=True)
    rsvlm_geo("report", folder / "run.gpkg", "-o", folder / "run.html", "--scene", scene)
    sizes = {"report": (1440, 1180, 1.0), "report-phone": (390, 1000, 2.0)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
        for name, (width, height, scale) in sizes.items():
            context = browser.new_context(
                viewport={"width": width, "height": height}, device_scale_factor=scale, offline=True
            )
            page = context.new_page()
            complaints: list[str] = []
            page.on("pageerror", lambda error, kept=complaints: kept.append(str(error)))
            page.goto((folder / "run.html").as_uri(), timeout=180_000)
            page.wait_for_selector(".row", timeout=60_000)
            if name == "report":
                question = page.locator("#filter-question option", has_text="car").first
                if question.count():
                    page.get_by_label("Question").select_option(question.get_attribute("value"))
                page.wait_for_timeout(2000)
                box = page.locator("#map canvas").bounding_box()
                page.mouse.click(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4)
            page.wait_for_timeout(3000)
            page.screenshot(path=folder / f"{name}.png")
            if complaints:
                raise RuntimeError(f"the page complained: {complaints}")
            save_jpeg(folder / f"{name}.png", IMAGES / f"{name}.jpg", 1440)
            context.close()
        browser.close()


def take_qgis(folder: Path, scene: Path) -> None:
    """The plugin's panel, its layers and its table."""
    script = ROOT / "tools" / "plugin_picture.py"
    name = "Manhattan, 15 cm" if scene == SCENE else scene.stem
    asked = ("count", "car", "How many cars are there?", "What does the taxi cost?")
    command = [sys.executable, str(script), str(scene), name, *asked]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise RuntimeError("tools/plugin_picture.py failed (see above)")
    from PIL import Image

    # the panel alone, before a run and after it
    shots = [Image.open(ROOT / "out" / "qgis" / f"{name}.png") for name in ("1_ready", "3_done")]
    left, top = round(shots[0].width * 0.752), round(shots[0].height * 0.1)
    panels = [shot.convert("RGB").crop((left, top, shot.width, 960)) for shot in shots]
    width, height = panels[0].size
    both = Image.new("RGB", (2 * width + 24, height), "white")
    for place, panel in enumerate(panels):
        both.paste(panel, (place * (width + 24), 0))
    target = IMAGES / "qgis-panel.png"
    both.quantize(128).save(target, optimize=True)
    print(f"{target.relative_to(ROOT)}: {both.size}, {target.stat().st_size // 1024} kB")


PICTURES: dict[str, Callable[[Path, Path], None]] = {
    "quickstart": take_quickstart,
    "report": take_report,
    "qgis": take_qgis,
}


def main() -> int:
    """Take what was asked for; 1 when one could not be taken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help=", ".join(PICTURES))
    parser.add_argument("--scene", type=Path, default=SCENE)
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in PICTURES]
    if unknown:
        parser.error(f"no picture {', '.join(unknown)}; take of {', '.join(PICTURES)}")
    IMAGES.mkdir(parents=True, exist_ok=True)
    failed = []
    with tempfile.TemporaryDirectory() as name:
        for picture in options.names or PICTURES:
            print(f"== {picture}", flush=True)
            try:
                PICTURES[picture](Path(name), options.scene.resolve())
            except (RuntimeError, ImportError, OSError) as error:
                failed.append(picture)
                print(f"{picture} was not taken: {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
