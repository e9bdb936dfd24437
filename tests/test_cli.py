"""The command line: what it prints where, exit codes, resume after a kill, one line for errors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner
from factories import make_scene, scatter
from oracle_cli import Seer

from rsvlm_geo.cli import COMMANDS, main
from rsvlm_geo.errors import ModelWarning
from rsvlm_geo.protocol import load_schema

DRIVER = Path(__file__).with_name("oracle_cli.py")
OBJECTS = scatter(700, 700, 40, seed=5)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_scene(tmp_path_factory.mktemp("scene") / "yard.tif", objects=OBJECTS)


def env(**settings: str) -> dict[str, str]:
    return {**os.environ, **settings}


def run(*words: str, cwd: Path | None = None, **settings: str) -> subprocess.CompletedProcess[str]:
    """The command line with an oracle behind it."""
    return subprocess.run(
        [sys.executable, str(DRIVER), *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=env(**settings),
    )


class Done:
    """What :func:`call` gives, named as of a subprocess."""

    def __init__(self, result: Any) -> None:
        self.returncode, self.stdout, self.stderr = result.exit_code, result.stdout, result.stderr


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The command line with an oracle behind it, in this process."""
    monkeypatch.setattr("rsvlm_geo.model.load_model", lambda *_, **__: Seer())
    monkeypatch.setenv("RSVLM_CACHE", str(tmp_path_factory.mktemp("cache")))
    return lambda *words: Done(CliRunner().invoke(main, [str(word) for word in words]))


def test_help_lists_the_table_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from rsvlm_geo.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('numpy', 'rasterio', 'geopandas', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name in COMMANDS:
        assert f"\n  {name}" in done.stdout
    assert done.stdout.rstrip().endswith("[]")


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_of_the_table_has_help(name: str) -> None:
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("Usage:")


def test_count_writes_layers_and_prints_the_total(scene: Path, tmp_path: Path) -> None:
    out, picture = tmp_path / "map.gpkg", tmp_path / "map.png"
    done = run("count", str(scene), "thing", "-o", str(out), "-o", str(picture))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == [
        f"{len(OBJECTS)} things.",
        f"wrote {out}",
        f"wrote {picture}",
    ]
    assert "tiles/s" in done.stderr and "tiles/s" not in done.stdout
    assert len(gpd.read_file(out, layer="objects")) == len(OBJECTS)
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["map.gpkg", "map.png"]


def test_json_prints_the_protocol_and_nothing_else(scene: Path, tmp_path: Path) -> None:
    done = run("count", str(scene), "thing", "--json", "-o", str(tmp_path / "o.gpkg"))
    events = [json.loads(line) for line in done.stdout.splitlines()]
    schema = load_schema()
    for event in events:
        part = {"$defs": schema["$defs"], "$ref": f"#/$defs/event_{event['type']}"}
        jsonschema.Draft202012Validator(part).validate(event)
    kinds = [event["type"] for event in events]
    assert kinds[0] == "started" and kinds[-1] == "done" and kinds.count("done") == 1
    assert kinds.count("answer") == events[0]["tiles"]
    assert events[-1]["totals"][0]["value"] == len(OBJECTS) and done.stderr == ""


def test_dry_run_measures_and_writes_nothing(scene: Path, tmp_path: Path, call: Any) -> None:
    done = call("count", str(scene), "thing", "--dry-run", "-o", str(tmp_path / "o.gpkg"))
    assert done.returncode == 0 and "tiles/s, measured with oracle" in done.stdout
    assert "MB of memory" in done.stdout and not list(tmp_path.iterdir())


def test_an_area_by_bbox_and_by_file(scene: Path, tmp_path: Path, call: Any) -> None:
    inside = [b for b in OBJECTS if b[0] + b[2] < 700 and b[1] + b[3] < 700]
    words = ["--bbox", "500000,5199825,500175,5200000", "--aoi-crs", "EPSG:32633"]
    done = call("count", scene, "thing", *words)
    assert f"{len(inside)} things." in done.stdout, done.stderr
    from shapely.geometry import box

    area = tmp_path / "area.gpkg"
    frame = gpd.GeoDataFrame(geometry=[box(500000, 5199825, 500175, 5200000)], crs="EPSG:32633")
    frame.to_crs(4326).to_file(area)
    done = call("count", scene, "thing", "--aoi", area)
    assert f"{len(inside)} things." in done.stdout, done.stderr


def test_incomplete_is_exit_code_3_and_says_why(scene: Path, call: Any) -> None:
    done = call("count", scene, "unicorn", "--quiet")
    assert done.returncode == 3
    assert "incomplete: 100.0% seen, 100.0% refused" in done.stderr
    assert "was not taught 'unicorn'; it knows thing, ship" in done.stderr


def test_a_class_nearly_spelled_is_named_before_the_tiles(scene: Path, call: Any) -> None:
    done = call("count", scene, "thingg")
    lines = done.stderr.splitlines()
    assert lines[0].startswith("warning: refused everywhere: oracle was not taught 'thingg'")
    assert lines[0].endswith("; did you mean 'thing'?") and "tiles" in lines[1]
    assert done.returncode == 3 and done.stdout.splitlines()[1].endswith("did you mean 'thing'?")
    dry = call("count", scene, "thingg", "--dry-run")
    assert "did you mean 'thing'?" in dry.stdout


def test_the_scene_is_no_output(tmp_path: Path, call: Any) -> None:
    own = make_scene(tmp_path / "own.png", driver="PNG", tiled=False, crs=None)
    before = own.read_bytes()
    done = call("count", own, "thing", "--quiet", "-o", tmp_path / ".." / tmp_path.name / "own.png")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.splitlines()[-1].endswith("the run reads it; give another -o path")
    assert own.read_bytes() == before and list(tmp_path.glob("*")) == [own]


def test_the_area_is_no_output(scene: Path, tmp_path: Path, call: Any) -> None:
    from shapely.geometry import box

    area = tmp_path / "area.geojson"
    call("count", scene, "thing", "-o", area)  # a run of ours, so it might be replaced
    gpd.GeoDataFrame(geometry=[box(14.9, 46.9, 15.1, 47.1)], crs=4326).to_file(tmp_path / "a.gpkg")
    before = area.read_bytes()
    done = call("count", scene, "thing", "--quiet", "--aoi", area, "-o", area)
    assert done.returncode == 1 and "the run reads it" in done.stderr
    assert area.read_bytes() == before


def test_an_output_named_twice_is_written_once(
    scene: Path, tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("caption", scene, "-o", "o.gpkg", "-o", "./o.gpkg", "-o", tmp_path / "o.gpkg")
    assert done.returncode == 0 and done.stdout.count("wrote ") == 1


def test_an_ordinary_scene_has_no_notes(scene: Path, call: Any) -> None:
    assert call("count", scene, "thing", "--quiet").stderr == ""


def test_a_scene_of_unknown_scale_says_so(tmp_path: Path, call: Any) -> None:
    path = make_scene(tmp_path / "plain.tif", crs=None, objects=OBJECTS)
    done = call("count", path, "thing", "--quiet")
    warning, note = done.stderr.splitlines()
    assert warning.startswith(f"warning: {path}: ground scale unknown") and "--scene-gsd" in warning
    assert note == f"note: {path}: not georeferenced: results stay in pixels"
    assert "at an unknown ground scale" in done.stdout.splitlines()[0]
    told = call("count", path, "thing", "--quiet", "--scene-gsd", "0.5")
    assert told.stderr == f"{note}\n" and "unknown" not in told.stdout
    dry = call("count", path, "thing", "--dry-run")
    assert "warning" in dry.stderr and "ground scale unknown" in dry.stderr


def test_a_guess_at_the_bands_is_told_once(tmp_path: Path, call: Any) -> None:
    path = make_scene(tmp_path / "four.tif", bands=4, dtype="uint16", objects=OBJECTS)
    (line,) = call("count", path, "thing", "--quiet").stderr.splitlines()
    assert line.startswith(f"warning: {path}: 4 bands and no colours named: shows bands 1, 2, 3")
    assert call("count", path, "thing", "--quiet", "--bands", "3,2,1").stderr == ""
    events = call("count", path, "thing", "--json").stdout.splitlines()
    assert [json.loads(e)["class"] for e in events if '"warning"' in e] == ["RadiometryWarning"]


def test_nodata_is_what_one_says(tmp_path: Path, call: Any) -> None:
    path = make_scene(tmp_path / "holes.tif", nodata=0, holes=[(0, 0, 700, 350)])
    assert "50.0% nodata" in call("count", path, "thing", "--quiet").stdout
    assert "nodata" not in call("count", path, "thing", "--quiet", "--nodata", "none").stdout
    assert "nodata" not in call("count", path, "thing", "--quiet", "--nodata", "7").stdout


def test_a_refused_answer_is_no_failure_and_no_data_is_not_missing(
    tmp_path: Path, call: Any
) -> None:
    coarse = make_scene(tmp_path / "coarse.tif", res=10.0)
    for words in (("presence", coarse, "ship"), ("ask", coarse, "Is there a ship?")):
        assert call(*words, "--quiet").returncode == 0
    half = make_scene(tmp_path / "half.tif", nodata=0, holes=[(0, 0, 350, 700)])
    assert call("count", half, "thing", "--quiet").returncode == 0
    done = call("count", coarse, "ship", "--quiet")
    assert done.returncode == 3 and "0 ships" not in done.stdout


def test_a_refused_count_among_other_questions_is_named(scene: Path, call: Any) -> None:
    done = call("count", scene, "thing,unicorn", "--quiet")
    assert done.returncode == 3
    assert "incomplete: 100.0% seen; refused: number of unicorns 100.0%" in done.stderr


def spoil(folder: Path, name: str) -> str:
    """A source that cannot be used, by name."""
    path = folder / f"{name}.tif"
    if name == "text":
        path.write_text("this is no raster")
    elif name == "truncated":
        whole = make_scene(path, noise=True, width=1024, height=1024).read_bytes()
        path.write_bytes(whole[: len(whole) // 3])
    elif name == "complex":
        import rasterio

        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            width=64,
            height=64,
            count=1,
            dtype="complex64",
            crs="EPSG:32633",
            transform=rasterio.transform.from_origin(5e5, 5e6, 1, 1),
        ) as dataset:
            dataset.write(np.ones((1, 64, 64), "complex64"))  # fmt: skip
    elif name == "one_pixel":
        make_scene(path, width=1, height=1, tiled=False)
    elif name == "all_nodata":
        make_scene(path, nodata=0, holes=[(0, 0, 700, 700)], dtype="uint16")
    elif name == "absurd":
        make_scene(path, res=1e-12)
    return str(path)


BAD = {
    "missing": "check the path",
    "text": "",
    "truncated": "",
    "complex": "",
    "one_pixel": "at least 2 x 2",
    "all_nodata": "nodata",
    "absurd": "",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_source_is_one_line_and_exit_code_1(name: str, tmp_path: Path, call: Any) -> None:
    source = spoil(tmp_path, name)
    before = sorted(tmp_path.iterdir())
    done = call("count", source, "thing", "--quiet", "-o", str(tmp_path / "o.gpkg"))
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 1 and len(errors) == 1, done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""
    assert BAD[name] in errors[0] and source in errors[0] and ";" in errors[0]
    assert sorted(tmp_path.iterdir()) == before


WRONG = {
    "aoi_outside": (("count", "SCENE", "thing", "--bbox", "1,1,2,2"), 1, "lies outside"),
    "aoi_missing": (("count", "SCENE", "thing", "--aoi", "nowhere.gpkg"), 1, "no such file"),
    "aoi_numbers": (("count", "SCENE", "thing", "--bbox", "a,b"), 2, "numbers with commas"),
    "aoi_three": (("count", "SCENE", "thing", "--bbox", "1,2,3"), 2, "W,S,E,N"),
    "both_areas": (("count", "SCENE", "thing", "--bbox", "1,1,2,2", "--aoi", "x"), 2, "not both"),
    "no_folder": (("count", "SCENE", "thing", "-o", "/no/where/o.gpkg"), 1, "create it first"),
    "no_format": (("count", "SCENE", "thing", "-o", "o.shp"), 1, "suffix names the format"),
    "no_target": (("count", "SCENE"), 2, "Missing argument"),
    "no_command": (("paint", "SCENE"), 2, "No such command"),
    "no_question": (("ask", "SCENE", " "), 1, "needs a question"),
    "bands": (("count", "SCENE", "thing", "--bands", "1,2,9"), 1, "band"),
    "nodata": (("count", "SCENE", "thing", "--nodata", "x"), 2, "a number, or none"),
    "choices": (("ask", "SCENE", "What?", "--choices", ","), 1, "at least 2 different choices"),
    "no_choices": (("ask", "SCENE", "What?", "--choices", ""), 1, "at least 2 different choices"),
    "one_choice": (("ask", "SCENE", "What?", "--choices", "a"), 1, "at least 2 different choices"),
    "gsd": (("count", "SCENE", "thing", "--gsd", "-1"), 2, "not in the range"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_words_say_what_to_do(name: str, scene: Path, call: Any) -> None:
    words, code, text = WRONG[name]
    done = call(*(scene if word == "SCENE" else word for word in words))
    assert done.returncode == code, done.stderr
    assert text in done.stderr and "Traceback" not in done.stderr and done.stdout == ""


def test_an_unknown_model_lists_what_there_is(scene: Path) -> None:
    done = CliRunner().invoke(main, ["caption", str(scene), "--model", "no-such-model"])
    assert done.exit_code == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: no model 'no-such-model'")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc, where none may write")
def test_a_folder_without_rights_is_found_before_the_run(scene: Path, call: Any) -> None:
    done = call("count", scene, "thing", "-o", "/proc/o.gpkg")
    assert done.returncode == 1 and "choose a folder you may write to" in done.stderr


def table(path: Path) -> Any:
    frame = gpd.read_file(path, layer="answers")
    return frame.drop(columns=["elapsed_ms"])


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_after_kill_9_resume_gives_the_same_and_asks_nothing_twice(
    scene: Path, tmp_path: Path
) -> None:
    whole, out = tmp_path / "whole.gpkg", tmp_path / "out.gpkg"
    log = tmp_path / "asked.txt"
    assert run("describe", str(scene), "-o", str(whole)).returncode == 0
    words = ("describe", str(scene), "-o", str(out))
    died = run(*words, ORACLE_LOG=str(log), ORACLE_DIE_AFTER="18")
    assert died.returncode == -signal.SIGKILL and not out.exists()
    again = run(*words, "--resume", ORACLE_LOG=str(log), ORACLE_DIE_AFTER="31")
    assert again.returncode == -signal.SIGKILL
    done = run(*words, "--resume", ORACLE_LOG=str(log))
    assert done.returncode == 0, done.stderr
    assert "already done" in done.stderr
    left, right = table(whole), table(out)
    assert left.equals(right)
    objects = [gpd.read_file(path, layer="objects") for path in (whole, out)]
    assert objects[0].equals(objects[1])
    # a batch in the model when the process died is asked again, one that was answered is not
    asked = len(log.read_text().splitlines())
    tiles = left["tile_id"].nunique()
    assert asked <= tiles + 2 * 3
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


@pytest.mark.skipif(os.name != "posix", reason="needs SIGINT")
def test_ctrl_c_keeps_what_is_done(scene: Path, tmp_path: Path) -> None:
    out, log = tmp_path / "out.gpkg", tmp_path / "asked.txt"
    words = [sys.executable, str(DRIVER), "caption", str(scene), "-o", str(out)]
    process = subprocess.Popen(
        words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=env(ORACLE_SLEEP="0.05", ORACLE_LOG=str(log)),
    )  # fmt: skip
    while not log.exists() or log.read_text().count("\n") < 6:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert process.returncode == 130, stderr
    assert "the same command with --resume goes on" in stderr and "Traceback" not in stderr
    assert not out.exists() and "Coverage:" in stdout
    before = log.read_text().count("\n")
    done = run(*words[2:], "--resume", ORACLE_LOG=str(log))
    assert done.returncode == 0 and f"{before} already done" in done.stderr
    assert log.read_text().count("\n") == gpd.read_file(out, layer="answers")["tile_id"].nunique()


def test_resume_of_another_run_is_refused_and_a_new_one_starts_over(
    scene: Path, tmp_path: Path
) -> None:
    out, log = tmp_path / "out.gpkg", tmp_path / "asked.txt"
    run("caption", str(scene), "-o", str(out), ORACLE_LOG=str(log), ORACLE_DIE_AFTER="9")
    done = run("classify", str(scene), "-o", str(out), "--resume")
    assert done.returncode == 1 and "leave out --resume to start over" in done.stderr
    done = run("classify", str(scene), "-o", str(out))
    assert done.returncode == 0 and "starting over" in done.stderr


def test_it_is_a_rasterio_plugin_too(scene: Path) -> None:
    from rasterio.rio.main import main_group

    done = CliRunner().invoke(main_group, ["rsvlm", "count", "--help"])
    assert done.exit_code == 0, done.output
    assert "Count the TARGETs" in done.output


def test_doctor_reports_as_json_and_as_text() -> None:
    done = CliRunner().invoke(main, ["doctor", "--json"])
    facts = json.loads(done.stdout)
    assert facts["versions"]["rasterio"] and facts["gdal"]["gdal"] and facts["protocol"] == 1
    assert facts["gdal"]["drivers"]["GPKG"] is True
    assert done.exit_code == (1 if facts["problems"] else 0)
    if facts["active"]:
        assert set(facts["active"]["graphs"].values()) <= set(facts["providers"])
        assert all(rate > 0 for rate in facts["active"]["tiles_per_s"].values())


def test_doctor_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import rsvlm_geo.doctor as doctor

    monkeypatch.setattr(doctor, "list_packs", list)
    monkeypatch.setattr(
        "rsvlm_geo.model.providers.installed_wheels", lambda: ("onnxruntime", "onnxruntime-gpu")
    )
    with pytest.warns(ModelWarning, match="installed into one folder"):
        facts = doctor.report(load=False)
    assert any("no model pack found" in text for text in facts["problems"])
    assert any("overwrite each other" in text for text in facts["problems"])
