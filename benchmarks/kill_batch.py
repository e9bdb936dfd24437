"""A batch over a real STAC API with everything killed at random moments, against a calm run.

    python benchmarks/kill_batch.py [repetitions]

pgstac behind stac-fastapi and COGs behind nginx are started here (``python tests/stac/real_api.py``
installs them). Each repetition: ``rsvlm-geo batch --search`` on a Dask scheduler and two workers,
3 SIGKILLs to workers and 1 to the driver, resumed until it is done; then answers and objects are
compared, row by row and column by column, with those of a serial run that nobody disturbed. A
quarter as many repetitions more kill the scheduler too. 3 by default; the full form is 10.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from harness import Row, record

HERE = Path(__file__).resolve().parent
sys.path[:0] = [
    str(HERE.parent / "tests" / "batch"),
    str(HERE.parent / "tests" / "stac"),
    str(HERE.parent),
]

import killing  # noqa: E402
from real_world import real_world  # noqa: E402

KILLED = "3 workers and the driver"


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # or the servers would outlive us
    count = int(sys.argv[1]) if sys.argv[1:] else 3
    seeds = [(seed, 0) for seed in range(100, 100 + count)]
    seeds += [(seed, 1) for seed in range(200, 200 + max(1, count // 4))]
    found: list[dict[str, Any]] = []
    # readable by nginx, which may run as another user
    with tempfile.TemporaryDirectory(prefix="kill-") as name:
        base = Path(name)
        base.chmod(0o755)
        with real_world(base / "world") as sources, killing.Cluster(base / "dask") as cluster:
            killing.run_calm(sources, base / "calm")
            killing.run_calm(sources, base / "calm-dask", cluster.address)
            assert killing.parts(base / "calm") == killing.N_PARTS
            calm = killing.compare(base / "calm-dask", base / "calm")
            print(json.dumps({"undisturbed on Dask": calm}), flush=True)
            for seed, schedulers in seeds:
                start = time.monotonic()
                out = base / f"out-{seed}"
                happened = killing.run_hunted(sources, out, cluster, seed, schedulers=schedulers)
                row = {"seed": seed, **happened, **killing.compare(out, base / "calm")}
                row["clean"] = clean(row, schedulers)
                row["seconds"] = round(time.monotonic() - start, 1)
                found.append(row)
                print(json.dumps(row), flush=True)
    write(calm, found)
    sys.exit(0 if all(row["clean"] for row in found) and not wrong(calm) else 1)


def wrong(row: dict[str, Any]) -> int:
    """Rows that are not what the calm run says."""
    return int(row["lost"] + row["duplicated"] + row["different"])


def clean(row: dict[str, Any], schedulers: int) -> bool:
    """Whether everything was killed as planned, and no row is missing, twice or different."""
    killed = (row["worker"], row["driver"], row["scheduler"]) == (3, 1, schedulers)
    said = row.get("code_without_scheduler", 1) == 1
    return killed and said and row["code"] == 0 and not wrong(row)


def write(calm: dict[str, Any], found: list[dict[str, Any]]) -> None:
    """What was seen, for the one table."""
    rows = [Row("serial and Dask undisturbed: rows that differ", wrong(calm), "rows", bar="== 0",
                met=not wrong(calm))]  # fmt: skip
    for kinds, some in (
        (KILLED, [r for r in found if not r["scheduler"]]),
        (f"{KILLED} and the scheduler", [r for r in found if r["scheduler"]]),
    ):
        good = sum(r["clean"] for r in some)
        if some:
            rows.append(
                Row(f"{kinds} killed: repetitions without a row lost, twice or different", good,
                    f"of {len(some)}", len(some), bar=f"== {len(some)}", met=good == len(some))
            )  # fmt: skip
    for r in found:
        kinds = f"{KILLED} and the scheduler" if r["scheduler"] else KILLED
        starts = f"{r['starts']} starts, {r['rows']} rows"
        rows.append(
            Row(f"seed {r['seed']}, {kinds} killed, {starts}: lost, twice or different", wrong(r),
                "rows", bar="== 0", met=r["clean"])
        )  # fmt: skip
    seconds = ", ".join(f"{r['seconds']:.0f}" for r in found)
    record(
        "kill_batch", rows,
        f"`rsvlm-geo batch --search` over pgstac and nginx, {killing.N_SCENES} scenes, "
        f"{killing.N_PARTS} tasks, Dask scheduler and 2 worker processes with their nannies, "
        "SIGKILL when a seeded number of parts lies on disk and a seeded moment later; answers and "
        f"objects compared with an undisturbed serial run. Seconds per repetition: {seconds}.",
    )  # fmt: skip


if __name__ == "__main__":
    main()
