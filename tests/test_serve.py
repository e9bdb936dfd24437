"""The engine on its pipes: every event keeps to the schema, and nothing else comes out."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import jsonschema
import pytest
from factories import make_scene, scatter

from rsvlm_geo.protocol import PROTOCOL, load_schema

DRIVER = Path(__file__).with_name("oracle_cli.py")
SCHEMA = load_schema()
OBJECTS = scatter(700, 700, 40, seed=6)
WAIT_S = 60.0


class Engine:
    """A client of one engine process."""

    def __init__(self, **settings: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", str(DRIVER), "serve", "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **settings},
        )
        self.lines: queue.Queue[bytes | None] = queue.Queue()
        self.seen: list[dict[str, Any]] = []
        self.errors = b""
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._drain, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def _drain(self) -> None:
        assert self.process.stderr is not None
        self.errors = self.process.stderr.read()

    def send(self, message: Any) -> None:
        """A request, or raw text."""
        assert self.process.stdin is not None
        text = message if isinstance(message, str) else json.dumps(message)
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def next(self) -> dict[str, Any] | None:
        """The next event, checked against the schema; None when the engine is gone."""
        line = self.lines.get(timeout=WAIT_S)
        if line is None:
            return None
        event: dict[str, Any] = json.loads(line)
        part = {"$defs": SCHEMA["$defs"], "$ref": f"#/$defs/event_{event['type']}"}
        jsonschema.Draft202012Validator(part).validate(event)
        self.seen.append(event)
        return event

    def until(self, *kinds: str, ident: str | None = None) -> dict[str, Any]:
        """Read on to an event of one of these types, of one request."""
        beats = 0
        while True:
            event = self.next()
            assert event is not None, self.errors.decode()[-2000:]
            beats += event["type"] == "heartbeat"
            assert beats < 300, "the engine lives, but nothing comes of it"
            if event["type"] in kinds and ident in (None, event.get("id")):
                return event

    def close(self) -> int:
        """Close its stdin and wait."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(WAIT_S)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_scene(tmp_path_factory.mktemp("scene") / "yard.tif", objects=OBJECTS))


@pytest.fixture
def start() -> Iterator[Any]:
    started: list[Engine] = []

    def make(**settings: str) -> Engine:
        started.append(Engine(**settings))
        assert started[-1].next()["type"] == "hello"  # type: ignore[index]
        return started[-1]

    yield make
    for engine in started:
        engine.process.kill()
        engine.process.wait()


def request(scene: str, ident: str, task: str = "count", **more: Any) -> dict[str, Any]:
    more.setdefault("target", "thing")
    return {"type": "run", "id": ident, "task": task, "source": scene, **more}


def test_hello_comes_first_and_imports_nothing_heavy(start: Any) -> None:
    engine = start()
    hello = engine.seen[0]
    assert hello["protocol"] == PROTOCOL and hello["pid"] == engine.process.pid
    assert hello["versions"]["rasterio"] and "count" in hello["tasks"]
    code = (
        "import sys; import rsvlm_geo.serve as s; s.hello_event()\n"
        "print([m for m in ('numpy', 'rasterio', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # a model's card may be read with numpy loaded, never with a raster or a session
    assert "rasterio" not in done.stdout and "onnxruntime" not in done.stdout


def test_a_run_ends_with_its_file_in_place(start: Any, scene: str, tmp_path: Path) -> None:
    engine, out = start(), tmp_path / "o.gpkg"
    engine.send(request(scene, "r1", options={"out": [str(out)]}))
    done = engine.until("done", "error")
    assert done["type"] == "done" and done["outcome"] == "complete"
    assert done["paths"] == [str(out)] and done["totals"][0]["value"] == len(OBJECTS)
    started = next(e for e in engine.seen if e["type"] == "started")
    answers = [e for e in engine.seen if e["type"] == "answer"]
    assert started["crs"] == "EPSG:32633" and len(answers) == started["tiles"] == done["tiles"]
    assert [e for e in engine.seen if e["type"] == "progress"][-1]["done"] == done["tiles"]
    frame = gpd.read_file(out, layer="answers")
    by_tile = {row.tile_id: row.geometry for row in frame.itertuples()}
    for event in answers[:5]:
        ring = event["geometry"]["coordinates"][0]
        assert list(by_tile[event["tile_id"]].exterior.coords) == [tuple(xy) for xy in ring]
    assert engine.close() == 0


def test_a_warm_question_here_needs_no_file(start: Any, scene: str) -> None:
    engine = start()
    area = {"bbox": [500100.0, 5199800.0, 500150.0, 5199850.0], "crs": "EPSG:32633"}
    options = {"inline": True}
    for ident in ("a", "b"):
        began = time.perf_counter()
        engine.send(request(scene, ident, "ask", question="Is there a thing?", **area,
                            options=options))  # fmt: skip
        done = engine.until("done", "error", ident=ident)
        took = time.perf_counter() - began
    assert done["type"] == "done" and done["paths"] == []
    assert {f["properties"]["status"] for f in done["answers"]} == {"answered"}
    assert took > 0  # how long it takes is a benchmark's business
    assert not [e for e in engine.seen if e["type"] == "queued"]


def test_the_same_polygon_gives_the_same_area(start: Any, scene: str) -> None:
    engine = start()
    ring = [[500000, 5199850], [500150, 5199850], [500150, 5200000], [500000, 5200000]]
    polygon = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    engine.send(request(scene, "p", polygon=polygon, crs="EPSG:32633"))
    done = engine.until("done", "error")
    inside = [b for b in OBJECTS if b[0] + b[2] < 600 and b[1] + b[3] < 600]
    assert done["totals"][0]["value"] == len(inside)


def test_a_raster_without_a_place_is_asked_where_qgis_draws_it(start: Any, tmp_path: Path) -> None:
    path = make_scene(tmp_path / "plain.tif", crs=None, objects=[(100, 40, 120, 60)])
    engine = start()
    options = {"inline": True}
    for ident, bbox in (("up", [80, -80, 150, -20]), ("down", [80, 20, 150, 80])):
        engine.send(request(str(path), ident, bbox=bbox, options=options))
        done = engine.until("done", "error", ident=ident)
        assert done["totals"][0]["value"] == 1 and done["crs"] is None
        ring = done["objects"][0]["geometry"]["coordinates"][0]
        assert min(y for _, y in ring) == pytest.approx(-60, abs=0.5)
    ring = [[80, -80], [150, -80], [150, -20], [80, -20], [80, -80]]
    polygon = {"type": "Polygon", "coordinates": [ring]}
    engine.send(request(str(path), "p", polygon=polygon))
    assert engine.until("done", "error", ident="p")["totals"][0]["value"] == 1


def test_a_cancel_is_heard_and_the_rest_is_kept(start: Any, scene: str, tmp_path: Path) -> None:
    engine = start(ORACLE_SLEEP="0.05")
    out = tmp_path / "o.gpkg"
    engine.send(request(scene, "r1", options={"out": [str(out)]}))
    engine.until("progress")
    began = time.perf_counter()
    engine.send({"type": "cancel", "id": "r1"})
    done = engine.until("done", "error")
    assert done["outcome"] == "cancelled" and not out.exists()
    assert 0 < done["coverage"]["pending"] < 1
    assert time.perf_counter() - began < WAIT_S
    engine.send(request(scene, "r2", options={"out": [str(out)]}))
    started = engine.until("started")
    assert started["resumed"] > 0
    assert engine.until("done")["outcome"] == "complete" and out.exists()


def test_a_cancelled_run_may_write_what_it_has(start: Any, scene: str, tmp_path: Path) -> None:
    engine, out = start(ORACLE_SLEEP="0.05"), tmp_path / "o.gpkg"
    engine.send(request(scene, "r1", options={"out": [str(out)], "keep_partial": True}))
    engine.until("progress")
    engine.send({"type": "cancel", "id": "r1"})
    done = engine.until("done", "error")
    assert done["paths"] == [str(out)]
    run = gpd.read_file(out, layer="run").iloc[0]
    assert run["pending"] == pytest.approx(done["coverage"]["pending"], abs=1e-6)
    assert not run["complete"]


def test_runs_wait_for_each_other_and_can_be_taken_back(start: Any, scene: str) -> None:
    engine = start(ORACLE_SLEEP="0.02")
    for ident in ("a", "b", "c"):
        engine.send(request(scene, ident))
    engine.send({"type": "cancel", "id": "b"})
    engine.send({"type": "cancel", "id": "nobody"})
    engine.send(request(scene, "a"))
    ends = {}
    while set(ends) != {"a", "b", "c"}:
        event = engine.until("done", "error")
        if event["type"] == "done":
            ends[event["id"]] = event["outcome"]
        else:
            assert event["class"] == "ProtocolError" and "use a new one" in event["next_step"]
    assert ends == {"a": "complete", "b": "cancelled", "c": "complete"}
    assert [e["ahead"] for e in engine.seen if e["type"] == "queued"] == [1, 2]


def test_errors_are_structured_and_the_engine_lives_on(start: Any, scene: str) -> None:
    engine = start()
    engine.send("nonsense")
    assert engine.until("error")["id"] is None
    engine.send({"type": "run", "id": "x", "task": "paint", "source": scene})
    assert engine.until("error")["class"] == "TaskError"
    for ident, message, kind in (
        ("missing", request("/no/such.tif", "missing"), "SceneNotFoundError"),
        ("outside", request(scene, "outside", bbox=[1, 1, 2, 2]), "AoiError"),
        ("folder", request(scene, "folder", options={"out": ["/no/o.gpkg"]}), "OutputError"),
        ("band", request(scene, "band", options={"bands": [9]}), "SceneContentError"),
    ):
        engine.send(message)
        error = engine.until("error", "done", ident=ident)
        assert error["type"] == "error" and error["class"] == kind, error
        assert error["next_step"] and "\n" not in error["message"]
    engine.send(request(scene, "fine"))
    assert engine.until("done", "error", ident="fine")["type"] == "done"


def test_an_estimate_says_what_will_be_refused(start: Any, scene: str) -> None:
    engine = start()
    engine.send({"type": "estimate", "id": "e", "task": "count", "source": scene,
                 "target": "thing,unicorn"})  # fmt: skip
    cost = engine.until("estimate", "error")
    assert cost["tiles"] > 0 and cost["seconds"] > 0 and cost["memory_mb"] > 0
    assert list(cost["refused"]) == [cost["questions"][1]]
    assert "not taught 'unicorn'" in cost["refused"][cost["questions"][1]]


def test_info_is_the_doctors_report(start: Any) -> None:
    engine = start()
    engine.send({"type": "info", "id": "i"})
    info = engine.until("info", "error")
    assert info["type"] == "info" and info["gdal"]["gdal"] and info["executable"]


def test_a_long_call_has_a_heartbeat(start: Any, scene: str) -> None:
    engine = start(ORACLE_SLEEP="1.3")
    area = {"bbox": [500100.0, 5199800.0, 500110.0, 5199810.0], "crs": "EPSG:32633"}
    engine.send(request(scene, "slow", **area))
    beat = engine.until("heartbeat", "done")
    assert beat["type"] == "heartbeat" and beat["id"] == "slow"
    engine.until("done")


def test_end_of_input_ends_it_even_in_a_long_call(start: Any, scene: str) -> None:
    engine = start(ORACLE_SLEEP="600")
    engine.send(request(scene, "r"))
    engine.until("started")
    assert engine.close() == 0


def test_shutdown_ends_it(start: Any) -> None:
    engine = start()
    engine.send({"type": "shutdown"})
    assert engine.process.wait(WAIT_S) == 0


PRINTING = """
import os, sys
sys.path.insert(0, {tests!r})
import rsvlm_geo.model
from oracle_cli import Seer
def noisy(image):
    print("a stray print")
    os.write(1, b"a native library speaks\\n")
rsvlm_geo.model.load_model = lambda *_, **__: Seer(trouble=noisy)
from rsvlm_geo.serve import serve_stdio
serve_stdio()
"""


def test_stray_prints_never_reach_the_protocol(scene: str) -> None:
    code = PRINTING.format(tests=str(DRIVER.parent))
    lines = [json.dumps(request(scene, "r")), ""]
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("\n".join(lines))
    process.stdin.flush()
    kinds = []
    for line in process.stdout:
        kinds.append(json.loads(line)["type"])
        if kinds[-1] in ("done", "error"):
            break
    _, errors = process.communicate()
    assert kinds[-1] == "done"
    assert "a stray print" in errors and "a native library speaks" in errors
