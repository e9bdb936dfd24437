"""Ten seeded runs with 3 SIGKILLs to workers and 1 to the driver, each against a calm run.

python benchmarks/kill_batch.py [repetitions] [--scheduler]
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [
    str(HERE.parent / "tests" / "batch"),
    str(HERE.parent / "tests" / "stac"),
    str(HERE.parent),
]

import killing  # noqa: E402


def main() -> None:
    count = int(next((a for a in sys.argv[1:] if a.isdigit()), "10"))
    rows = []
    with tempfile.TemporaryDirectory(prefix="kill-") as folder:
        base = Path(folder)
        sources = killing.make_scenes(base / "scenes")
        killing.run_calm(sources, base / "calm")
        with killing.Cluster(base / "dask") as cluster:
            for seed in range(100, 100 + count):
                start = time.monotonic()
                out = base / f"out-{seed}"
                happened = killing.run_hunted(sources, out, cluster, seed)
                row = {"seed": seed, **happened, **killing.compare(out, base / "calm")}
                row["seconds"] = round(time.monotonic() - start, 1)
                rows.append(row)
                print(json.dumps(row), flush=True)
                write(rows)
        for seed in range(200, 202):
            out = base / f"out-{seed}"
            start = time.monotonic()
            with killing.Cluster(base / f"dask-{seed}") as cluster:
                happened = killing.run_hunted(
                    sources, out, cluster, seed, workers=0, drivers=0, scheduler=True
                )
            with killing.Cluster(base / f"dask-{seed}-b") as cluster:
                killing.run_calm(sources, out, cluster.address)
            row = {"seed": seed, **happened, **killing.compare(out, base / "calm")}
            row["seconds"] = round(time.monotonic() - start, 1)
            rows.append(row)
            print(json.dumps(row), flush=True)
            write(rows)
    sys.exit(0 if all(map(clean, rows)) else 1)


def clean(row: dict[str, object]) -> bool:
    """Whether nothing was lost, doubled or changed, and the run said so itself."""
    return not (row["lost"] or row["duplicated"] or row["different"])


def write(rows: list[dict[str, object]]) -> None:
    """What was seen so far, as JSON and Markdown."""
    good = [r for r in rows if clean(r)]
    stamp = datetime.now(timezone.utc).isoformat(timespec="seconds")
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / "kill_batch.json").write_text(
        json.dumps({"when": stamp, "rows": rows}, indent=1) + "\n"
    )
    lines = [
        "# Killing a batch at random moments", "",
        f"{stamp}. Dask scheduler and 2 worker processes on one machine; "
        f"{killing.N_SCENES} scenes, {rows[0]['rows']} answers, "
        "SIGKILL when a seeded number of parts lies on disk; a killed driver is started again. "
        "Seeds from 200 kill the scheduler and go on with another.", "",
        "| seed | workers killed | drivers killed | schedulers killed | rows | lost | duplicated | "
        "different | s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    lines += [
        f"| {r['seed']} | {r['worker']} | {r['driver']} | {r['scheduler']} | {r['rows']} | "
        f"{r['lost']} | {r['duplicated']} | {r['different']} | {r['seconds']} |"
        for r in rows
    ]
    lines += ["", f"{len(good)} of {len(rows)} without a row lost, duplicated or different.", ""]
    (results / "kill_batch.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
