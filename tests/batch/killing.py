"""Kill workers, driver or scheduler of a batch at seeded moments, and compare with a calm run.

A moment is "when so many parts lie on disk, and a little later"; which number, how much later, and
which victim, the seed decides. Used by the tests and by ``benchmarks/kill_batch.py``.

Workers fork from a server that has imported everything (see ``warm_nanny.py``): a killed one is
back in a fraction of a second, where a fresh interpreter spends two seconds of CPU on imports.
"""

from __future__ import annotations

import contextlib
import json
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
N_SCENES, SIZE, PER_TASK = 4, 540, 5
N_PARTS = N_SCENES * 6
"""6 rows of 6 tiles a scene, a row a task."""


def environment() -> dict[str, str]:
    """For every process: the helpers can be imported, and nobody starts threads of their own."""
    paths = [HERE, HERE.parent / "stac", HERE.parent.parent]
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(str(p) for p in paths)}
    found |= {"OMP_NUM_THREADS": "1", "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "6"}
    found["DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD"] = "forkserver"
    return found


@dataclass
class Cluster:
    """``dask scheduler`` and two ``dask worker`` processes, each with its nanny."""

    folder: Path
    workers: int = 2
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    address: str = ""

    def __enter__(self) -> Cluster:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        here = ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0"]
        here += ["--scheduler-file", str(file)]
        self._start("distributed.cli.dask_scheduler", "--port", "0", *here)
        wait_for(lambda: file.exists() and file.stat().st_size > 0, "the scheduler")
        for _ in range(self.workers):
            more = ["--local-directory", str(self.folder), "--preload-nanny", "warm_nanny"]
            self._start("distributed.cli.dask_worker", "--nthreads", "1", *here, *more)
        self.address = json.loads(file.read_text())["address"]
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
            for server in psutil.Process(nanny.pid).children():
                with contextlib.suppress(psutil.Error):  # it may just have died
                    victims += server.children()
        if not victims:
            return False
        dice.choice(victims).send_signal(signal.SIGKILL)
        return True

    def kill_scheduler(self) -> None:
        self.processes[0].send_signal(signal.SIGKILL)

    def restart(self) -> None:
        """Another scheduler, at another address, and workers for it."""
        self.__exit__()
        self.__enter__()

    def __exit__(self, *exc: object) -> None:
        for process in self.processes:
            with contextlib.suppress(psutil.Error):
                for child in psutil.Process(process.pid).children(recursive=True):
                    with contextlib.suppress(psutil.Error):
                        child.kill()
            process.kill()
            process.wait()
        self.processes.clear()


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
    """``sources`` are paths, or ``--search`` and what belongs to it."""
    return [*CLI, *sources, *MODEL, "-o", str(out), "--tiles-per-task", str(PER_TASK),
            "--backend", backend]  # fmt: skip


def run_calm(sources: list[str], out: Path, backend: str = "serial") -> None:
    subprocess.run(
        command(sources, out, backend), env=environment(), check=True, stdout=subprocess.DEVNULL
    )


def parts(out: Path) -> int:
    return len(list(out.glob("*/parts/*/*/*.parquet")))


def run_hunted(
    sources: list[str], out: Path, cluster: Cluster, seed: int, *, workers: int = 3,
    drivers: int = 1, schedulers: int = 0,
) -> dict[str, int]:  # fmt: skip
    """Run with kills at seeded moments; start again until it is done. Returns what happened.

    A killed driver is started again; after a killed scheduler the driver must end by itself, with
    exit code 1, and is started again with another cluster.
    """
    dice = random.Random(seed)
    kinds = ["worker"] * workers + ["driver"] * drivers + ["scheduler"] * schedulers
    moments = sorted(dice.randrange(1, N_PARTS - 8) for _ in kinds)
    dice.shuffle(kinds)
    plan = [(n, kind, dice.uniform(0.0, 0.2)) for n, kind in zip(moments, kinds, strict=True)]
    happened = {"worker": 0, "driver": 0, "scheduler": 0, "starts": 0, "code": -1}
    while happened["starts"] < 6:
        happened["starts"] += 1
        driver = subprocess.Popen(
            command(sources, out, cluster.address), env=environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        gone, before = False, parts(out)
        while driver.poll() is None and not gone:
            time.sleep(0.02)
            # nobody is killed before this driver is at work: what the last one had in flight
            # still comes to an end
            at_least = before + 3 if happened["starts"] > 1 else 1
            if not plan or parts(out) < max(plan[0][0], at_least):
                continue
            kind, later = plan[0][1:]
            time.sleep(later)
            if driver.poll() is not None:
                break
            if kind == "worker":
                if not cluster.kill_worker(dice):
                    continue  # both are on their way back
            elif kind == "driver":
                driver.send_signal(signal.SIGKILL)
            else:
                cluster.kill_scheduler()
            gone = kind != "worker"
            plan.pop(0)
            happened[kind] += 1
        happened["code"] = finish(driver)
        if gone and kind == "scheduler":
            happened["code_without_scheduler"] = happened["code"]
            cluster.restart()
        if happened["code"] in (0, 3):
            break
    return happened


def finish(driver: subprocess.Popen[bytes]) -> int:
    """Wait for a driver; its last words go to stderr when it failed."""
    _, words = driver.communicate(timeout=300)
    if driver.returncode not in (0, -signal.SIGKILL):
        sys.stderr.write(words.decode(errors="replace")[-2000:])
    return driver.returncode


def table(out: Path, name: str) -> pd.DataFrame:
    """A table of a run, in one order, without what depends on the clock."""
    (found,) = out.glob(f"*/{name}.parquet")
    frame = gpd.read_parquet(found)
    frame["wkt"] = frame.geometry.to_wkt()
    frame = pd.DataFrame(frame.drop(columns=["geometry", "elapsed_ms", "bbox"], errors="ignore"))
    return frame.sort_values(KEYS[name]).reset_index(drop=True)


KEYS = {
    "answers": ["scene_id", "tile_id", "question"],
    "objects": ["scene_id", "label", "wkt"],
}


def compare(out: Path, calm: Path) -> dict[str, int]:
    """Rows lost, duplicated and different in answers and objects, against the calm run."""
    total = {"rows": 0, "lost": 0, "duplicated": 0, "different": 0}
    for name, keys in KEYS.items():
        got, want = table(out, name), table(calm, name)
        both = want[keys].merge(got[keys], on=keys, how="left", indicator=True)
        total["rows"] += len(got)
        total["lost"] += int((both["_merge"] != "both").sum())
        total["duplicated"] += int(got.duplicated(keys).sum())
        if len(got) == len(want):
            same = (got.astype(object) == want.astype(object)) | (got.isna() & want.isna())
            total["different"] += int((~same).any(axis=1).sum())
        else:
            total["different"] += abs(len(got) - len(want))
    total["damaged"] = len(list(out.glob("*/parts/*/*/*.damaged")))
    return total
