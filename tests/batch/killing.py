"""Kill workers, driver or scheduler of a batch at seeded moments, and compare with a calm run.

A moment is "when so many parts lie on disk"; which number, and which victim, the seed decides.
Used by the tests (two seeds) and by ``benchmarks/kill_batch.py`` (ten).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import pandas as pd
import psutil
from worlds import make_raster

HERE = Path(__file__).parent
CLI = [sys.executable, "-c", "from rsvlm_geo.batch.cli import batch; batch()"]
MODEL = ["-m", "oracle:SlowSpotCounter", "-t", "count", "--target", "spot"]
N_SCENES, SIZE, PER_TASK = 3, 700, 7


def environment() -> dict[str, str]:
    """For every process: the helpers can be imported, and nobody starts threads of their own."""
    paths = [HERE, HERE.parent / "stac", HERE.parent.parent]
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(str(p) for p in paths)}
    found |= {"OMP_NUM_THREADS": "1", "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "6"}
    return found


@dataclass
class Cluster:
    """``dask scheduler`` and two ``dask worker`` processes, each with its nanny."""

    folder: Path
    workers: int = 2
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Cluster:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = self.folder / "scheduler.json"
        here = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(self.file)]
        self._start("distributed.cli.dask_scheduler", "--port", "0", *here)
        wait_for(self.file.exists, "the scheduler")
        for _ in range(self.workers):
            scratch = ["--local-directory", str(self.folder)]
            self._start("distributed.cli.dask_worker", "--nthreads", "1", *here, *scratch)
        import json

        self.address = json.loads(self.file.read_text())["address"]
        return self

    def _start(self, module: str, *arguments: str) -> None:
        log = (self.folder / "log.txt").open("ab")
        command = [sys.executable, "-m", module, *arguments]
        self.processes.append(
            subprocess.Popen(command, env=environment(), stdout=log, stderr=log, cwd=self.folder)
        )

    def kill_worker(self, dice: random.Random) -> bool:
        """SIGKILL one worker process; its nanny starts another."""
        victims = []
        for nanny in self.processes[1:]:
            for child in psutil.Process(nanny.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):  # it may just have died
                    if "spawn_main" in " ".join(child.cmdline()):
                        victims.append(child)
        if not victims:
            return False
        dice.choice(victims).send_signal(signal.SIGKILL)
        return True

    def kill_scheduler(self) -> None:
        self.processes[0].send_signal(signal.SIGKILL)

    def __exit__(self, *exc: object) -> None:
        for process in self.processes:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
            process.wait()


def wait_for(ready: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
    ends = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > ends:
            raise AssertionError(f"{what} did not come in {seconds:.0f} s")
        time.sleep(0.02)


def make_scenes(folder: Path) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    return [
        str(make_raster(folder / f"s{i}.tif", seed=i, size=SIZE, left=500_000 + 400 * i))
        for i in range(N_SCENES)
    ]


def command(sources: list[str], out: Path, backend: str) -> list[str]:
    return [*CLI, *sources, *MODEL, "-o", str(out), "--tiles-per-task", str(PER_TASK),
            "--backend", backend]  # fmt: skip


def run_calm(sources: list[str], out: Path, backend: str = "serial") -> None:
    subprocess.run(command(sources, out, backend), env=environment(), check=True)


def parts(out: Path) -> int:
    return len(list(out.glob("*/parts/*/*/*.parquet")))


def run_hunted(
    sources: list[str], out: Path, cluster: Cluster, seed: int, *, workers: int = 3,
    drivers: int = 1, scheduler: bool = False,
) -> dict[str, int]:  # fmt: skip
    """Run with kills at seeded moments; start again until it is done. Returns what happened."""
    dice = random.Random(seed)
    total = N_SCENES * -(-SIZE // 112)
    kinds = ["worker"] * workers + ["driver"] * drivers + ["scheduler"] * scheduler
    moments = sorted(dice.randrange(1, total - 3) for _ in kinds)
    dice.shuffle(kinds)
    plan = list(zip(moments, kinds, strict=True))
    happened = {"worker": 0, "driver": 0, "scheduler": 0, "starts": 0}
    while True:
        happened["starts"] += 1
        driver = subprocess.Popen(
            command(sources, out, cluster.address), env=environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        again = False
        while driver.poll() is None:
            if plan and parts(out) >= plan[0][0]:
                kind = plan[0][1]
                if kind == "worker":
                    if not cluster.kill_worker(dice):
                        time.sleep(0.05)
                        continue
                elif kind == "driver":
                    driver.send_signal(signal.SIGKILL)
                    again = True
                else:
                    cluster.kill_scheduler()
                    again = True
                plan.pop(0)
                happened[kind] += 1
                if kind == "scheduler":
                    return happened | {"code": finish(driver)}
            time.sleep(0.005)
        code = finish(driver)
        if code == 1 and happened["starts"] < 6:
            continue  # the cluster was too slow to come back: what a person would do
        if not again:
            return happened | {"code": code}


def finish(driver: subprocess.Popen[bytes]) -> int:
    """Wait for a driver; its last words go to stderr when it failed."""
    _, words = driver.communicate(timeout=300)
    if driver.returncode not in (0, -signal.SIGKILL):
        sys.stderr.write(words.decode(errors="replace")[-2000:])
    return driver.returncode


def answers(out: Path) -> pd.DataFrame:
    """Every answer of a run, in one order, without what depends on the clock."""
    found = list(out.glob("*/answers.parquet"))
    frame = gpd.read_parquet(found[0])
    frame["wkt"] = frame.geometry.to_wkt()
    frame = pd.DataFrame(frame.drop(columns=["geometry", "elapsed_ms", "bbox"], errors="ignore"))
    return frame.sort_values(["scene_id", "tile_id", "question"]).reset_index(drop=True)


def compare(out: Path, calm: Path) -> dict[str, int]:
    """Rows lost, duplicated and different, against the calm run."""
    keys = ["scene_id", "tile_id", "question"]
    got, want = answers(out), answers(calm)
    lost = len(want.merge(got[keys], on=keys, how="left", indicator=True).query("_merge != 'both'"))
    different = 0
    if len(got) == len(want):
        same = (got.astype(object) == want.astype(object)) | (got.isna() & want.isna())
        different = int((~same).any(axis=1).sum())
    stray = len(list(out.glob("*/parts/*/*/*.damaged")))
    return {"rows": len(got), "lost": lost, "duplicated": int(got.duplicated(keys).sum()),
            "different": different, "damaged": stray}  # fmt: skip
