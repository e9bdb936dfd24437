"""A whole scene against its model alone, memory against scene size, import, and the warm engine.

    python benchmarks/bench_scene.py [--rounds 3] [--scene SCENE] [--model PACK] [--quick] [--long]

Tiles a second of a whole run (read ahead, asked, placed, merged, tables made) over those of the
same model on the same images, already in memory; rounds in turn. The scene is a tiled JPEG GeoTIFF
with overviews, as large scenes come, and the same once more without them. Peak memory of a scene of
24,576 x 8,192 pixels beside one of 3,072 x 1,024, each in a fresh process, with a model that costs
nothing: windows side by side, and windows that overlap by a quarter.
CPU time of ``import rsvlm_geo`` over that of bare Python. What a click waits for: a warm ``ask`` on
a small area through the engine's pipes, and the time from a cancel to its end.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from bench_read import repeat
from harness import Row, interleave, ratio_row, record
from rasterio.enums import Resampling

ROOT = Path(__file__).parent.parent
SMALL = (3072, 1024)


def stretch_to(source: Path, path: Path, size: tuple[int, int]) -> Path:
    """The scene's pixels, mirrored as often as it takes, as a tiled GeoTIFF of this size."""
    with rasterio.open(source) as dataset:
        image = dataset.read([1, 2, 3])
        profile = dataset.profile
    width, height = size
    image = np.pad(
        image,
        ((0, 0), (0, max(0, height - image.shape[1])), (0, max(0, width - image.shape[2]))),
        mode="symmetric",
    )[:, :height, :width]
    profile.update(
        width=width, height=height, count=3, driver="GTiff", tiled=True, blockxsize=512,
        blockysize=512, compress="jpeg", photometric="ycbcr", interleave="pixel", nodata=None,
    )  # fmt: skip
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(image)
    return path


def with_overviews(source: Path, path: Path) -> Path:
    """A copy that holds itself at a half, a quarter and an eighth of its size too."""
    shutil.copy(source, path)
    kind = {"COMPRESS_OVERVIEW": "JPEG", "PHOTOMETRIC_OVERVIEW": "YCBCR",
            "INTERLEAVE_OVERVIEW": "PIXEL"}  # fmt: skip
    with rasterio.Env(**kind), rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4, 8], Resampling.average)
    return path


def throughput(
    scene_path: Path,
    pack: str | None,
    rounds: int,
    tasks: tuple[str, ...],
    note: str = "",
) -> list[Row]:
    """Whole run over model alone: ``classify`` is one pass, ``describe`` also counts and speaks."""
    from rsvlm_geo.model import load_model
    from rsvlm_geo.pipeline import execute, plan_job, questions_for
    from rsvlm_geo.scene import iter_batches, open_scene

    model, scene = load_model(pack), open_scene(scene_path)
    rows = []
    for task in tasks:
        questions = questions_for(task, model.info, gsd_m=scene.gsd_m)
        job = plan_job(scene, task, questions, model)
        with closing(iter_batches(scene, job.plan, batch=job.batch)) as batches:
            images = [batch.images for batch in batches if len(batch.images)]

        def alone(images: Any = images, job: Any = job) -> None:
            for batch in images:
                model.ask(batch, job.questions)

        alone()
        walls: dict[str, list[float]] = {"model": [], "whole": []}

        def timed(name: str, run: Any, walls: Any = walls) -> Any:
            def go() -> None:
                began = time.perf_counter()
                run()
                walls[name].append(time.perf_counter() - began)

            return go

        whole = timed("whole", lambda job=job: execute(job))
        seconds = interleave({"model": timed("model", alone), "whole": whole}, rounds,
                             time.process_time)  # fmt: skip
        n = sum(len(batch) for batch in images)
        rate = [n / wall for wall in walls["whole"]]
        rows.append(Row(f"{task}{note}: whole scene of {n} tiles", statistics.median(rate),
                        "tiles/s", rounds, min(rate), max(rate)))  # fmt: skip
        rows.append(
            ratio_row(
                f"{task}{note}: whole scene over model alone", walls["model"], walls["whole"],
                compared_with="the same model on the same images in memory", bar=0.95,
            )
        )  # fmt: skip
        ratios = [m / w for m, w in zip(seconds["model"], seconds["whole"], strict=True)]
        rows.append(Row(f"{task}{note}: the same in CPU time, reads included",
                        statistics.median(ratios), "x", rounds, min(ratios), max(ratios),
                        "the same"))  # fmt: skip
    return rows


PEAK = """
import sys
import numpy as np
import rsvlm_geo
from rsvlm_geo.vlm import ModelInfo, Reply, ClassInfo
class Free:
    info = ModelInfo("free", 256, frozenset({"count", "classify"}), (ClassInfo("car", size_m=6),))
    def ask(self, images, questions):
        boxes = np.array([[10.0, 10, 30, 30], [100, 100, 120, 130], [200, 50, 220, 80]])
        one = [Reply("3", boxes=boxes, labels=("car",) * 3, scores=np.full(3, 0.5))]
        return [one for _ in images]
result = rsvlm_geo.count(sys.argv[1], "car", model=Free(), margin_m=float(sys.argv[3]))
result.save(sys.argv[2])
peak = [line for line in open("/proc/self/status") if line.startswith("VmHWM")][0]
print(int(peak.split()[1]) / 1024, result.tiles)
"""


def memory(scene: Path, folder: Path) -> list[Row]:
    """Peak RSS with the layers written, large beside small."""
    small = stretch_to(scene, folder / "small.tif", SMALL)
    large = repeat(small, folder / "large.tif", 8, dtype="uint8")
    rows = []
    for words, margin_m in (("side by side", 0), ("overlapping by a quarter", 4.8)):
        peaks, tiles = [], []
        for path in (small, large):
            done = subprocess.run(
                [sys.executable, "-c", PEAK, str(path), str(folder / "out.gpkg"), str(margin_m)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            peak, count = done.stdout.split()
            peaks.append(float(peak))
            tiles.append(int(count))
        more = peaks[1] - peaks[0]
        rows += [
            Row(f"peak memory, {tiles[0]} tiles, {words}", peaks[0], "MB"),
            Row(f"more for {tiles[1]} tiles, {words}", more, "MB", 1, None, None,
                f"{tiles[0]} tiles of the same scene", "<= 100", more <= 100),
        ]  # fmt: skip
    return rows


def imports(rounds: int) -> Row:
    """CPU seconds of ``import rsvlm_geo`` beyond those of bare Python."""

    def cpu(code: str) -> float:
        before = os.times()
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
        after = os.times()
        return (after.children_user + after.children_system) - (
            before.children_user + before.children_system
        )

    extra = []
    for _ in range(rounds):
        bare = cpu("pass")
        extra.append(cpu("import rsvlm_geo") - bare)
    middle = statistics.median(extra)
    return Row("import rsvlm_geo, CPU beyond bare Python", middle, "s", rounds, min(extra),
               max(extra), "python -c pass", "<= 0.05", middle <= 0.05)  # fmt: skip


class Engine:
    """A client of ``rsvlm-geo serve --stdio``."""

    def __init__(self, pack: str | None) -> None:
        self.pack = pack
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "rsvlm_geo", "serve", "--stdio"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def send(self, **message: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def cpu(self) -> float:
        """Seconds of CPU it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def until(self, *kinds: str) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event: dict[str, Any] = json.loads(line)
            if event["type"] == "error":
                raise RuntimeError(event)
            if event["type"] in kinds:
                return event
        raise RuntimeError("the engine is gone")


def engine(scene: Path, pack: str | None, rounds: int, folder: Path) -> list[Row]:
    """What a click waits for."""
    from rsvlm_geo.scene import open_scene

    began = time.perf_counter()
    client = Engine(pack)
    client.until("hello")
    hello = time.perf_counter() - began
    west, south, east, north = open_scene(scene).bbox()
    lon, lat = (west + east) / 2, (south + north) / 2
    bbox = [lon - 2e-5, lat - 2e-5, lon + 2e-5, lat + 2e-5]
    common = {"source": str(scene), "bbox": bbox}
    waits: dict[str, list[float]] = {"count": [], "ask": []}
    cpus: dict[str, list[float]] = {"count": [], "ask": []}
    for i in range(rounds + 1):
        for task in waits:
            out = str(folder / f"{task}{i}.gpkg")
            began, cpu = time.perf_counter(), client.cpu()
            client.send(type="run", id=f"{task}{i}", task=task, target="car",
                        question="Is there a car?", options={"model": pack, "out": [out]},
                        **common)  # fmt: skip
            client.until("done")
            waits[task].append(time.perf_counter() - began)
            cpus[task].append(client.cpu() - cpu)
    cancels, cancel_cpus = [], []
    for i in range(rounds):
        client.send(type="run", id=f"c{i}", task="describe", source=str(scene),
                    options={"model": pack, "resume": False})  # fmt: skip
        client.until("progress")
        began, cpu = time.perf_counter(), client.cpu()
        client.send(type="cancel", id=f"c{i}")
        client.until("done")
        cancels.append(time.perf_counter() - began)
        cancel_cpus.append(client.cpu() - cpu)
    client.send(type="shutdown")
    client.process.wait()
    rows = [Row("engine: start to hello", hello, "s")]
    for task, seconds in waits.items():
        warm = seconds[1:]
        middle = statistics.median(warm)
        rows.append(Row(f"engine: warm {task} on one tile, to a styled GeoPackage", middle, "s",
                        len(warm), min(warm), max(warm), None, "<= 1", middle <= 1))  # fmt: skip
        warm = cpus[task][1:]
        middle = statistics.median(warm)
        rows.append(Row(f"engine: warm {task}, CPU", middle, "s", len(warm), min(warm),
                        max(warm)))  # fmt: skip
    middle = statistics.median(cancels)
    rows.append(Row("engine: cancel to its end", middle, "s", rounds, min(cancels), max(cancels),
                    None, "<= 0.5", middle <= 0.5))  # fmt: skip
    middle = statistics.median(cancel_cpus)
    rows.append(Row("engine: cancel to its end, CPU", middle, "s", rounds, min(cancel_cpus),
                    max(cancel_cpus)))  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", type=Path, default=ROOT / "examples" / "street_15cm.tif")
    parser.add_argument("--model", help="name or folder of a pack; the embedded one by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--long", action="store_true", help="a larger scene, seven rounds")
    parser.add_argument("--quick", action="store_true", help="a smaller scene, two rounds")
    options = parser.parse_args()
    # idle threads that burn a core would be counted as work, here and in the baseline
    os.environ.setdefault("RSVLM_SPINNING", "0")
    rounds = 2 if options.quick else 7 if options.long else options.rounds
    size = (1024, 512) if options.quick else (16384, 8192) if options.long else (8192, 6144)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = stretch_to(options.scene, folder / "plain.tif", size)
        scene = with_overviews(plain, folder / "scene.tif")
        # describe shows each pixel several times, so that a quarter of the scene takes as long
        half = stretch_to(options.scene, folder / "half.tif", (size[0] // 2, size[1] // 2))
        rows = throughput(scene, options.model, rounds, ("classify",))
        rows += throughput(
            with_overviews(half, folder / "part.tif"), options.model, rounds, ("describe",)
        )
        rows += throughput(plain, options.model, rounds, ("classify",), ", no overviews")
        rows += engine(scene, options.model, rounds, folder)
        rows += memory(options.scene, folder)
    rows.append(imports(4 * rounds))
    load = os.getloadavg()[0]
    record("scene", rows, f"model {options.model or 'embedded'}; load average {load:.1f}")


if __name__ == "__main__":
    main()
