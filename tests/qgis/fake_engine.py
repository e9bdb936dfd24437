"""A small engine that speaks the protocol and makes its answers up from the area asked.

It answers for the tests of the plugin where the real engine would cost seconds, and misbehaves on
command: ``FAKE_ENGINE`` holds comma-separated tricks.

    slow=MS       per tile                     tiles=N      in every run
    stuck         the first tile never ends    die=N        exit 9 at tile N
    old           protocol 0                   mute         no hello
    nopack        no packs                     crash        exits before hello
    error=CLASS   every run ends in this error noise        prints on fd 1 and stderr
    child         leaves a grandchild running  gpu          claims CUDA
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path

TRICKS = dict(
    [*part.split("=", 1), ""][:2] for part in os.environ.get("FAKE_ENGINE", "").split(",") if part
)
WIRE = os.fdopen(os.dup(1), "wb", buffering=0)
os.dup2(2, 1)
LOCK = threading.Lock()
PROVIDER = "CUDAExecutionProvider" if "gpu" in TRICKS else "CPUExecutionProvider"
TASKS = ["describe", "caption", "classify", "count", "locate", "presence", "ask"]
PACK = {
    "name": "fake-mini", "version": "1", "path": "/nowhere", "licence": "Apache-2.0",
    "sha256": "00", "tasks": TASKS[1:], "classes": ["car", "ship", "storage_tank"],
    "gsd_range_m": [0.05, 30.0], "embedded": True,
}  # fmt: skip


def send(**event: object) -> None:
    with LOCK:
        WIRE.write(json.dumps(event, separators=(",", ":")).encode() + b"\n")


def tile_boxes(bbox: list[float], n: int) -> list[tuple[str, list[list[float]]]]:
    left, bottom, right, top = bbox
    columns = max(1, math.ceil(math.sqrt(n)))
    width, height = (right - left) / columns, (top - bottom) / columns
    tiles = []
    for i in range(n):
        row, col = divmod(i, columns)
        x, y = left + col * width, top - row * height
        ring = [[x, y], [x + width, y], [x + width, y - height], [x, y - height], [x, y]]
        tiles.append((f"{row}/{col}", ring))
    return tiles


def answer_for(i: int, request: dict, ring: list[list[float]]) -> dict:
    task = request["task"]
    status = ("answered",) * 7 + ("refused", "nodata", "unreadable")
    status = status[i % 10]
    row = {
        "task": "caption" if task == "describe" else task,
        "question": request.get("question") or f"{task} {request.get('target') or ''}".strip(),
        "status": status, "answer": "", "value": None, "unit": None, "confidence": None,
        "reason": "below_gsd" if status == "refused" else None, "n_objects": None,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }  # fmt: skip
    if status == "answered":
        row["confidence"] = 0.6 + (i % 4) / 10
        if task in ("count", "locate"):
            row.update(answer=str(i % 6), value=float(i % 6), unit="objects", n_objects=i % 6)
        elif task in ("presence", "ask"):
            row.update(answer="yes" if i % 2 == 0 else "no", value=float(i % 2 == 0))
        else:
            row["answer"] = f"A residential area with {i % 6} cars beside a road."
    elif status == "unreadable":
        row["answer"] = "may may may may"
    return row


def write_gpkg(path: Path, rows: list[dict], crs: str, request: dict) -> None:
    import geopandas
    import pandas
    from shapely.geometry import shape

    part = path.with_name(path.stem + ".part.gpkg")
    frame = pandas.DataFrame([{k: v for k, v in row.items() if k != "geometry"} for row in rows])
    frame.insert(0, "run_id", "fake0001")
    frame["gsd_m"], frame["valid_frac"], frame["model"] = 0.2, 1.0, "fake-mini"
    answers = geopandas.GeoDataFrame(frame, geometry=[shape(r["geometry"]) for r in rows], crs=crs)
    try:
        answers.to_file(part, layer="answers", driver="GPKG", VERSION="1.3")
        if request["task"] in ("count", "locate"):
            some = answers[answers.value.fillna(0) > 0].copy()
            some["label"], some["score"], some["area_m2"] = request.get("target"), 0.8, 12.0
            some["object_id"] = [str(i) for i in range(len(some))]
            some = some[["run_id", "tile_id", "object_id", "label", "score", "area_m2", "geometry"]]
            some.geometry = some.geometry.scale(0.2, 0.2)
            some.to_file(part, layer="objects", driver="GPKG", VERSION="1.3")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def run(request: dict, cancelled: threading.Event) -> None:
    ident, options = request["id"], request.get("options") or {}
    error = TRICKS.get("error")
    if error:
        send(**{"type": "error", "id": ident, "class": error, "exit_code": 1,
                "message": f"{error} made on purpose", "next_step": "try something else"})  # fmt: skip  # noqa: E501
        return
    if not request["source"].startswith("/vsi") and not Path(request["source"]).exists():
        send(**{"type": "error", "id": ident, "class": "SceneNotFoundError", "exit_code": 1,
                "message": f"no such file: {request['source']}", "next_step": "check the path"})  # fmt: skip  # noqa: E501
        return
    n = int(TRICKS.get("tiles", 0) or 25)
    polygon = request.get("polygon")
    bbox = request.get("bbox")
    if bbox is None and polygon:
        ring = polygon["coordinates"][0]
        xs, ys = [p[0] for p in ring], [p[1] for p in ring]
        bbox = [min(xs), min(ys), max(xs), max(ys)]
        n = 1 if n == 25 else n
    bbox, crs = bbox or [0.0, 0.0, 100.0, 100.0], request.get("crs") or "EPSG:4326"
    send(type="started", id=ident, run_id="fake0001", task=request["task"], questions=["q"],
         tiles=n, resumed=0, eta_s=1.0, crs=crs, gsd_m=0.2, model="fake-mini", provider=PROVIDER,
         bounds=bbox)  # fmt: skip
    began, rows, counts = time.monotonic(), [], {}
    pause = float(TRICKS.get("slow") or 0) / 1000
    for i, (tile_id, ring) in enumerate(tile_boxes(bbox, n)):
        if "stuck" in TRICKS:
            time.sleep(3600)
        if cancelled.wait(pause):
            break
        if "die" in TRICKS and i == int(TRICKS["die"]):
            print("fake engine: dying on purpose", file=sys.stderr, flush=True)
            os._exit(9)
        row = {"tile_id": tile_id, **answer_for(i, request, ring)}
        rows.append(row)
        counts[row["status"]] = counts.get(row["status"], 0) + 1
        if options.get("tile_events", True):
            send(type="answer", id=ident, **row)
        if i % 8 == 7:
            rate = (i + 1) / max(1e-3, time.monotonic() - began)
            send(
                type="progress",
                id=ident,
                done=i + 1,
                total=n,
                tiles_per_s=rate,
                eta_s=(n - i) / rate,
            )
    done = len(rows) / n
    coverage = {
        "seen": done,
        "nodata": 0.0,
        "failed": 0.0,
        "pending": 1 - done,
        "refused": 0.1 * done,
    }
    stopped = cancelled.is_set()
    paths = []
    if rows and not stopped:
        for out in options.get("out", []):
            write_gpkg(Path(out), rows, crs, request)
            paths.append(out)
    total = sum(r["value"] or 0 for r in rows)
    totals = []
    if request["task"] in ("count", "locate"):
        totals = [{"label": request.get("target") or "thing", "value": total, "unit": "objects",
                   "complete": False, "coverage": coverage, "text": f"{total:g} at least"}]  # fmt: skip  # noqa: E501
    final: dict = dict(  # noqa: C408
        type="done", id=ident, run_id="fake0001",
        outcome="cancelled" if stopped else "incomplete", paths=paths,
        layers=["answers", "objects"] if totals else ["answers"], coverage=coverage,
        totals=totals, counts=counts, summary=f"{len(rows)} of {n} tiles.",
        elapsed_s=time.monotonic() - began, tiles=n, crs=crs,
    )  # fmt: skip
    if options.get("inline"):
        final["answers"] = [
            {"type": "Feature", "geometry": r["geometry"],
             "properties": {k: v for k, v in r.items() if k != "geometry"}} for r in rows
        ]  # fmt: skip
        final["objects"] = []
    send(**final)


class Engine:
    """One run at a time; others wait."""

    def __init__(self) -> None:
        self.waiting: deque[dict] = deque()
        self.cancels: dict[str, threading.Event] = {}
        self.wake = threading.Condition()
        threading.Thread(target=self.work, daemon=True).start()

    def work(self) -> None:
        while True:
            with self.wake:
                while not self.waiting:
                    self.wake.wait()
                request = self.waiting[0]
            try:
                run(request, self.cancels[request["id"]])
            except Exception as error:
                send(**{"type": "error", "id": request["id"], "class": "OutputError",
                        "message": str(error), "next_step": "choose another file"})  # fmt: skip
            with self.wake:
                self.waiting.popleft()

    def take(self, request: dict) -> bool:
        kind, ident = request["type"], request.get("id")
        if kind == "shutdown":
            return False
        if kind == "info":
            send(type="info", id=ident, protocol=1, version="0.0", python="3.11.0",
                 executable=sys.executable, versions={"onnxruntime": "0"}, gdal={}, providers=[PROVIDER],  # noqa: E501
                 packs=[] if "nopack" in TRICKS else [PACK],
                 active={"name": "fake-mini", "provider": PROVIDER, "tiles_per_s": 40.0},
                 problems=["no model pack is installed; run: rsvlm-geo packs"] if "nopack" in TRICKS else [])  # fmt: skip  # noqa: E501
        elif kind == "estimate":
            send(type="estimate", id=ident, tiles=25, tile_m=40.0, gsd_m=0.2, read_gsd_m=0.2,
                 seconds=1.2, memory_mb=310.0, tiles_per_s=20.0, model="fake-mini",
                 provider=PROVIDER, questions=["q"], refused={}, warnings=[])  # fmt: skip
        elif kind == "cancel":
            if ident in self.cancels:
                self.cancels[ident].set()
        elif kind == "run":
            with self.wake:
                self.cancels[ident] = threading.Event()
                if self.waiting:
                    send(type="queued", id=ident, ahead=len(self.waiting))
                self.waiting.append(request)
                self.wake.notify()
        return True


def main() -> None:
    if "crash" in TRICKS:
        print("ModuleNotFoundError: No module named 'rsvlm_geo'", file=sys.stderr)
        sys.exit(1)
    if "mute" in TRICKS:
        time.sleep(3600)
    if "child" in TRICKS:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    if "noise" in TRICKS:
        print("a stray print of some library")
        os.write(1, b"a stray write on fd 1\n")
    send(type="hello", protocol=0 if "old" in TRICKS else 1, version="0.0", python="3.11.0",
         pid=os.getpid(), versions={"onnxruntime": "0"}, tasks=TASKS,
         packs=[] if "nopack" in TRICKS else [PACK])  # fmt: skip
    engine = Engine()
    for line in sys.stdin.buffer:
        if not engine.take(json.loads(line)):
            break
    os._exit(0)


main()
