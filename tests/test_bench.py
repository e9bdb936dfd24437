"""``rsvlm-geo bench``: runs what there is, goes on past what fails, and tells both."""

from __future__ import annotations

import importlib
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from rsvlm_geo.bench import bench, find_sections, plot_rows
from rsvlm_geo.bench.plot import number
from rsvlm_geo.errors import DataError

ROOT = Path(__file__).parent.parent

GOOD = """
import json, pathlib
row = dict(what="a <b> | c", value=VALUE, unit="x", n=3, low=0.5, high=2.5, compared_with="theirs",
           bar=">= 1", met=VALUE >= 1)
path = pathlib.Path(__file__).parent / "results" / "NAME.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps(dict(name="NAME", note="a note", date="2026-01-02 03:04",
                                load=[0.1, 0.2], seconds=1, machine={"processor": "Z80"},
                                rows=[row, row])))
"""


def row(value: float, **more: Any) -> dict[str, Any]:
    base = {"what": "a thing", "value": value, "unit": "x", "n": 3, "low": None, "high": None,
            "compared_with": "theirs", "bar": None, "met": None}  # fmt: skip
    return base | more


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    scripts = tmp_path / "benchmarks"
    scripts.mkdir()
    for name, value in (("fast", 2.0), ("slow", 0.25)):
        text = GOOD.replace("VALUE", str(value)).replace("NAME", name)
        (scripts / f"bench_{name}.py").write_text(text)
    (scripts / "bench_broken.py").write_text("raise SystemExit('no such <thing>')")
    plan = [
        {"title": "Two things", "how": "Look.", "scripts": ["bench_broken.py", "bench_slow.py"]}
    ]
    (scripts / "plan.json").write_text(json.dumps(plan))
    return scripts


def invoke(*args: object) -> Any:
    return CliRunner().invoke(bench, [str(arg) for arg in args])


def test_one_failure_stops_nothing_and_is_told(folder: Path) -> None:
    out = folder.parent / "page.md"
    done = invoke("--folder", folder, "-o", out)
    assert isinstance(done.exception, DataError) and "broken" in str(done.exception)
    page = out.read_text()
    assert "Of 4 bars 2 are met" in page and page.count("**0.25 x**") == 2
    assert "no such &lt;thing>" in page and "`broken` failed on" in page
    assert "a &lt;b> \\| c" in page and "Z80" in page and "load 0.1 to 0.2" in page
    assert page.index("## Two things") < page.index("## Others")
    ET.parse(folder.parent / "page-two-things.svg")

    again = invoke("--folder", folder, "-o", out, "--from-results")
    assert again.exit_code == 0 and out.read_text() == page

    (folder / "bench_broken.py").write_text("print('all is well')")
    assert invoke("--folder", folder, "-o", out, "--only", "broken").exit_code == 0
    assert "`broken` failed" not in out.read_text()
    assert "Nothing is recorded: it said “all is well”" in out.read_text()


def test_a_script_that_hangs_is_stopped(folder: Path) -> None:
    (folder / "bench_fast.py").write_text("import time; time.sleep(600)")
    out = folder.parent / "page.md"
    done = invoke("--folder", folder, "-o", out, "--timeout", 1, "fast")
    assert isinstance(done.exception, DataError)
    assert "stopped after 1 s" in out.read_text()


def test_what_is_not_there_is_said(folder: Path, tmp_path: Path) -> None:
    assert "take one of broken" in str(invoke("--folder", folder, "fsat").exception)
    with pytest.raises(DataError, match="checkout"):
        find_sections(tmp_path)


def test_every_script_of_the_checkout_has_its_place() -> None:
    sections = find_sections(ROOT / "benchmarks")
    assert "Others" not in [section.title for section in sections]
    assert all(section.scripts and section.how for section in sections)
    names = [name for section in sections for name in section.names]
    assert len(names) == len(set(names)) and {"kill_batch", "batch", "cost"} <= set(names)


def test_plots_hold_far_and_near_ratios_bars_and_odd_names() -> None:
    name = "a very long name <of> a thing & of how it was measured, at length"
    far = row(0.05, met=False, bar=">= 1", low=0.04, high=0.06)
    rows = [far, row(300.0, met=True, bar=">= 5"), row(1.0, what=name)]
    drawing = plot_rows(rows)
    assert drawing is not None
    texts = ["".join(node.itertext()) for node in ET.fromstring(drawing).iter()]
    assert "0.05 x missed" in texts and "300 x" in texts and "the baseline" in texts
    for node in ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}rect"):
        assert float(node.get("x", 0)) + float(node.get("width", 0)) <= 760
    assert plot_rows([row(0.0, unit="rows"), row(0.0, unit="rows")]) is None
    assert plot_rows([row(1.0)]) is None
    values = plot_rows([row(20.0, unit="s"), row(40.0, unit="s"), row(3.0)])
    assert values is not None and ">the baseline<" not in values


@pytest.mark.parametrize(
    ("value", "text"),
    [(3612.0, "3,610"), (0.8954, "0.895"), (0.00021, "2.1e-04"), (0.0, "0"), (float("nan"), "")],
)
def test_numbers_read_like_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_the_merging_world_knows_its_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    world = importlib.import_module("bench_merge").World(400)
    assert world.wrong(world.objects) == 0
    assert world.wrong(world.ours()) == 0
    doubled = np.concatenate([world.objects, world.objects[:1]])
    assert world.wrong(doubled) == pytest.approx(100 / len(world.objects))
    assert len(world.nms_loop()) == len(world.nms_index()) > len(world.objects)
