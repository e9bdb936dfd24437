"""Batches on this machine: complete, resumable, honest about what is missing."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from fault_server import FaultServer
from ministac import MiniStac
from worlds import make_item, make_raster

from rsvlm_geo.batch import Ask, BatchSpec, estimate, load_recipe, run, scene_refs
from rsvlm_geo.batch.backends import Lost
from rsvlm_geo.batch.cli import batch
from rsvlm_geo.batch.parts import Band, missing_bands
from rsvlm_geo.errors import Cancelled, ModelError, ResumeError, StacError, TaskError
from rsvlm_geo.remote import ReadPolicy
from rsvlm_geo.stac import validate

FAST = ReadPolicy(tries=6, first_delay_s=0.01, max_delay_s=0.05, read_timeout_s=2)
COUNT = (Ask("count", ("spot",)),)
LEFT_OUT = ["elapsed_ms", "run_id"]


def spec(**options: Any) -> BatchSpec:
    return BatchSpec(**{"asks": COUNT, "model": "oracle:SpotCounter", "policy": FAST, **options})


def tables(folder: Path) -> dict[str, pd.DataFrame]:
    """The tables of a run, in one order, without what depends on the clock."""
    found = {}
    for name in ("answers", "objects"):
        frame = gpd.read_parquet(folder / f"{name}.parquet")
        frame["wkt"] = frame.geometry.to_wkt()
        frame = pd.DataFrame(frame.drop(columns=["geometry", "bbox", *LEFT_OUT], errors="ignore"))
        keys = [c for c in ("scene_id", "tile_id", "question", "object_id") if c in frame]
        found[name] = frame.sort_values(keys).reset_index(drop=True)
    return found


def same(one: Path, other: Path) -> None:
    a, b = tables(one), tables(other)
    for name in a:
        pd.testing.assert_frame_equal(a[name], b[name])


@pytest.fixture
def scenes(tmp_path: Path) -> list[str]:
    folder = tmp_path / "scenes"
    folder.mkdir()
    return [
        str(make_raster(folder / f"s{i}.tif", seed=i, left=500_000 + 400 * i)) for i in range(3)
    ]


def test_counts_are_right_and_files_complete(scenes: list[str], tmp_path: Path) -> None:
    result = run(spec(), scenes, tmp_path / "out", tiles_per_task=4)
    assert result.complete
    assert [s.totals[0]["value"] for s in result.scenes] == [12.0, 12.0, 12.0]
    answers = gpd.read_parquet(result.folder / "answers.parquet")
    assert len(answers) == result.tiles == result.asked
    assert not answers.duplicated(["scene_id", "tile_id", "question"]).any()
    layers = gpd.list_layers(result.folder / "results.gpkg")["name"].tolist()
    assert {"answers", "objects", "run"} <= set(layers)
    assert len(gpd.read_file(result.folder / "results.gpkg", layer="run")) == 3
    assert "bbox" in json.loads(
        __import__("pyarrow.parquet").parquet.read_schema(result.folder / "answers.parquet")
        .metadata[b"geo"]
    )["columns"]["geometry"]["covering"]  # fmt: skip


def test_running_again_asks_nothing(scenes: list[str], tmp_path: Path) -> None:
    first = run(spec(), scenes, tmp_path / "out", tiles_per_task=4)
    again = run(spec(), scenes, tmp_path / "out", tiles_per_task=64)
    assert again.asked == 0
    same(first.folder, again.folder)


def test_cancelled_run_goes_on_and_equals_one_that_was_not(
    scenes: list[str], tmp_path: Path
) -> None:
    calls = iter(range(1000))
    with pytest.raises(Cancelled, match="run the same command again"):
        run(spec(), scenes, tmp_path / "a", tiles_per_task=4, cancel=lambda: next(calls) > 4)
    resumed = run(spec(), scenes, tmp_path / "a", tiles_per_task=4)
    assert 0 < resumed.asked < resumed.tiles
    same(resumed.folder, run(spec(), scenes, tmp_path / "b").folder)


def test_more_scenes_later_reuse_the_parts(scenes: list[str], tmp_path: Path) -> None:
    run(spec(), scenes[:2], tmp_path / "out")
    result = run(spec(), scenes, tmp_path / "out")
    assert len(result.scenes) == 3
    assert result.asked == result.scenes[0].tiles


def test_a_changed_scene_is_asked_again(scenes: list[str], tmp_path: Path) -> None:
    run(spec(), scenes, tmp_path / "out")
    make_raster(Path(scenes[0]), seed=9, spots=5)
    result = run(spec(), scenes, tmp_path / "out")
    assert result.asked == result.scenes[0].tiles
    assert result.scenes[0].totals[0]["value"] == 5.0


def test_folder_of_another_run_is_refused_and_kept(scenes: list[str], tmp_path: Path) -> None:
    first = run(spec(), scenes[:1], tmp_path / "out")
    before = sorted(p.name for p in first.folder.rglob("*"))
    other = spec(asks=(Ask("presence", ("spot",)),))
    with pytest.raises(ResumeError, match=r"asks was .*count.*, is .*presence") as caught:
        run(other, scenes[:1], tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert sorted(p.name for p in first.folder.rglob("*")) == before
    beside = run(other, scenes[:1], tmp_path / "out", alongside=True)
    assert beside.folder != first.folder
    assert first.folder.exists()


def test_damaged_parts_are_done_again(scenes: list[str], tmp_path: Path) -> None:
    first = run(spec(), scenes[:1], tmp_path / "out", tiles_per_task=4)
    parts = sorted(first.folder.glob("parts/*/*/*.parquet"))
    parts[0].write_bytes(parts[0].read_bytes()[:100])
    parts[1].write_bytes(b"")
    (parts[2].parent / ".r000000-000000.dead.part").write_bytes(b"half")
    again = run(spec(), scenes[:1], tmp_path / "out", tiles_per_task=4)
    assert again.complete
    assert 0 < again.asked < again.tiles
    assert len(list(first.folder.glob("parts/*/*/*.damaged"))) == 2


def test_unusable_scene_is_reported_and_the_rest_done(scenes: list[str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"II*\0 nothing")
    result = run(spec(), [*scenes, str(broken), str(tmp_path / "none.tif")], tmp_path / "out")
    assert not result.complete
    assert [bool(s.error) for s in result.scenes] == [False, False, False, True, True]
    assert "INCOMPLETE" in result.summary()
    assert result.scenes[3].coverage["failed"] == 1.0


def test_a_refusal_is_an_answer_and_a_refused_count_is_short(tmp_path: Path) -> None:
    path = make_raster(tmp_path / "s.tif")
    asks = (*COUNT, Ask("presence", ("unicorn",)))
    result = run(spec(asks=asks), [str(path)], tmp_path / "out")
    assert result.complete and result.scenes[0].coverage["refused"] == 1.0
    result = run(spec(asks=(*COUNT, Ask("count", ("unicorn",)))), [str(path)], tmp_path / "two")
    assert not result.complete
    assert "refused: number of unicorns 100.0%" in result.summary()


def test_failed_tiles_are_told_and_tried_again(tmp_path: Path) -> None:
    path = make_raster(tmp_path / "s.tif", spots=12, size=700)
    whole = path.read_bytes()
    import rasterio

    with rasterio.open(path) as src:
        start = int(src.get_tag_item("BLOCK_OFFSET_5_5", "TIFF", bidx=1))
    path.write_bytes(whole[:start] + b"\xff" * 400 + whole[start + 400 :])
    stamp = path.stat().st_mtime_ns
    result = run(spec(), [str(path)], tmp_path / "out")
    scene = result.scenes[0]
    assert not scene.complete
    assert 0 < scene.coverage["failed"] < 1
    assert scene.statuses["failed"] >= 1
    assert scene.totals[0]["complete"] is False
    path.write_bytes(whole)
    os.utime(path, ns=(stamp, stamp))
    result = run(spec(), [str(path)], tmp_path / "out")
    assert result.complete
    assert result.asked < result.tiles
    assert not list(result.folder.glob("parts/*/*/*.failed.parquet"))


def test_broken_model_stops_the_run(scenes: list[str], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such luck"):
        run(spec(model="oracle:Broken"), scenes, tmp_path / "out", tiles_per_task=4)
    with pytest.raises(ModelError, match="no model"):
        run(spec(model="oracle:Nobody"), scenes, tmp_path / "out")


def test_area_of_interest_skips_scenes(tmp_path: Path) -> None:
    near = make_raster(tmp_path / "near.tif")
    far = make_raster(tmp_path / "far.tif", left=700_000)
    with __import__("rasterio").open(near) as src:
        box = __import__("rasterio.warp").warp.transform_bounds(src.crs, "EPSG:4326", *src.bounds)
    result = run(spec(aoi=tuple(box)), [str(near), str(far)], tmp_path / "out")
    assert len(result.scenes) == 1
    assert result.skipped == 1


def test_mixed_crs_merge_in_lon_lat(tmp_path: Path) -> None:
    one = make_raster(tmp_path / "one.tif")
    two = make_raster(tmp_path / "two.tif", crs="EPSG:32634")
    result = run(spec(), [str(one), str(two)], tmp_path / "out")
    frame = gpd.read_parquet(result.folder / "answers.parquet")
    assert frame.crs.to_epsg() in (4326, None) or frame.crs.is_geographic
    assert frame.total_bounds[2] <= 180
    own = gpd.read_parquet(result.folder / "scenes" / result.scenes[0].key / "answers.parquet")
    assert own.crs.to_epsg() == 32633
    assert "2 CRS (EPSG:32633, EPSG:32634)" in result.summary()
    # what was measured was measured in each scene's own metres, and is not touched by the change
    merged = gpd.read_parquet(result.folder / "objects.parquet")
    both = [
        gpd.read_parquet(result.folder / "scenes" / scene.key / "objects.parquet")
        for scene in result.scenes
    ]
    assert sorted(merged["area_m2"]) == sorted(v for frame in both for v in frame["area_m2"])


def test_items_are_valid_without_a_network(
    scenes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError("no network here")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    result = run(spec(), scenes, tmp_path / "out")
    documents = [p for p in result.files if p.suffix == ".json"]
    assert len(documents) == 5
    for path in documents:
        validate(json.loads(path.read_text()))
    item = json.loads((result.folder / "scenes" / result.scenes[0].key / "item.json").read_text())
    assert {link["rel"] for link in item["links"]} >= {"derived_from", "collection"}
    broken = json.loads(json.dumps(item))
    broken["assets"]["answers"]["file:checksum"] = "zz"
    with pytest.raises(StacError, match="file extension at assets/answers"):
        validate(broken)
    for change in (
        {"proj:code": "32633"}, {"proj:shape": [1]}, {"table:columns": []},
        {"processing:software": {}}, {"datetime": "yesterday"},
    ):  # fmt: skip
        with pytest.raises(StacError):
            validate({**item, "properties": {**item["properties"], **change}})
    model = json.loads((result.folder / "model.json").read_text())
    del model["properties"]["mlm:input"]
    with pytest.raises(StacError, match="mlm"):
        validate(model)


def test_poison_band_is_isolated_tile_by_tile(tmp_path: Path) -> None:
    """The driver's side of it, with a backend that plays dead; the real thing is in test_dask."""
    from rsvlm_geo.batch.backends import Lost, SerialBackend
    from rsvlm_geo.batch.work import run_band

    class Deadly(SerialBackend):
        def next(self) -> tuple[Any, Any]:
            tag, task, args = self._waiting[0]
            if task is run_band:
                band = args[3]
                if band.first <= 1 <= band.last and band.col in (None, 2):
                    self._waiting.pop(0)
                    return tag, Lost("KilledWorker")
            return super().next()

    path = make_raster(tmp_path / "s.tif", size=600)
    result = run(spec(), [str(path)], tmp_path / "out", backend=Deadly(), tiles_per_task=8)
    answers = gpd.read_parquet(result.folder / "answers.parquet")
    assert answers.loc[answers.status == "failed", "tile_id"].tolist() == ["1/2"]
    assert len(answers) == result.tiles
    assert "killed its worker" in answers.loc[answers.status == "failed", "answer"].iloc[0]


class _TakesOthersDown:
    """A worker that holds four tasks and dies with all of them when one holds tile 1/1."""

    name, window = "fake", 4

    def __init__(self) -> None:
        self.waiting: list[tuple[Any, Any, Any]] = []
        self.dead: list[Any] = []

    def submit(self, tag: Any, task: Any, *args: Any, gpu: bool = True) -> None:
        self.waiting.append((tag, task, args))

    def next(self) -> tuple[Any, Any]:
        if not self.dead and any(self._poison(tag) for tag, _, _ in self.waiting):
            self.dead, self.waiting = [tag for tag, _, _ in self.waiting], []
        if self.dead:
            return self.dead.pop(0), Lost("killed")
        tag, task, args = self.waiting.pop(0)
        return tag, task(*args)

    @staticmethod
    def _poison(tag: Any) -> bool:
        if tag[0] != "band":
            return False
        band = tag[2]
        return bool(band.first <= 1 <= band.last and band.col in (None, 1))

    def close(self) -> None:
        pass


def test_tiles_that_die_beside_the_poison_are_answered(tmp_path: Path) -> None:
    path = make_raster(tmp_path / "s.tif", size=384)
    result = run(
        spec(margin_m=0.0), [str(path)], tmp_path / "out", backend=_TakesOthersDown(),
        tiles_per_task=3,
    )  # fmt: skip
    answers = gpd.read_parquet(result.folder / "answers.parquet")
    assert len(answers) == result.tiles == 9
    assert answers[answers.status == "failed"]["tile_id"].tolist() == ["1/1"]


def test_secrets_stay_out_of_everything(tmp_path: Path, monkeypatch: Any) -> None:
    path = make_raster(tmp_path / "s.tif")
    monkeypatch.setenv("MY_TOKEN", "s3cret-token")
    with FaultServer(tmp_path) as server:
        data = make_item(path, f"{server.url}/bearer/s.tif?key=QUERYSECRET", self_href=None)
        result = run(spec(signer="bearer:MY_TOKEN"), data, tmp_path / "out")
        assert result.complete, result.summary()
        denied = run(spec(), data, tmp_path / "denied")
        assert not denied.complete
    for place in (tmp_path / "out", tmp_path / "denied"):
        for file in place.rglob("*"):
            if file.is_file():
                body = file.read_bytes()
                assert b"s3cret" not in body, file
                assert b"QUERYSECRET" not in body, file


def test_flaky_server_is_complete_dead_asset_is_told(tmp_path: Path) -> None:
    paths = [make_raster(tmp_path / f"s{i}.tif", seed=i) for i in range(2)]
    with FaultServer(tmp_path) as server:
        flaky = [f"{server.url}/flakyreset-40/{p.name}" for p in paths]
        assert run(spec(), flaky, tmp_path / "a").complete
        mixed = [flaky[0], f"{server.url}/503/{paths[1].name}"]
        result = run(spec(policy=ReadPolicy(tries=8, first_delay_s=0.01)), mixed, tmp_path / "b")
    assert [s.complete for s in result.scenes] == [True, False]
    assert result.scenes[1].coverage["failed"] == 1.0


def test_signature_that_keeps_expiring(tmp_path: Path) -> None:
    make_raster(tmp_path / "s.tif", size=900, compress="none")
    with FaultServer(tmp_path, ttl_s=0.5) as server:
        asked = spec(
            signer=f"sas:{server.url}/sign", model="oracle:SlowSpotCounter",
            policy=ReadPolicy(first_delay_s=0.01, lookahead=0, cache_bytes=1 << 18),
        )  # fmt: skip
        result = run(asked, [f"{server.url}/sas/s.tif"], tmp_path / "out", tiles_per_task=8)
        assert result.complete, result.summary()
        assert server.signed >= 3


def command(*arguments: str, stdin: str | None = None) -> Any:
    return CliRunner().invoke(batch, list(arguments), input=stdin)


def test_cli_exit_codes(scenes: list[str], tmp_path: Path) -> None:
    base = ["-m", "oracle:SpotCounter", "-t", "count", "--target", "spot"]
    done = command(*scenes, *base, "-o", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    assert "3 scenes" in done.stdout
    done = command(*scenes, str(tmp_path / "no.tif"), *base, "-o", str(tmp_path / "out"))
    assert done.exit_code == 3, done.output
    for arguments, code in (
        ([*base, "-o", str(tmp_path / "out")], 2),
        ([*scenes, *base], 2),
        ([*scenes, "-m", "oracle:SpotCounter", "-t", "nope", "-o", str(tmp_path / "x")], 1),
        ([*scenes, *base, "--signer", "wat", "-o", str(tmp_path / "x2")], 1),
        ([*scenes, *base, "--backend", "wat", "-o", str(tmp_path / "x3")], 1),
        ([str(tmp_path / "*.nope"), *base, "-o", str(tmp_path / "x4")], 1),
        ([*scenes, "-m", "oracle:SpotCounter", "-t", "presence", "--target", "spot",
          "-o", str(tmp_path / "out")], 1),
    ):  # fmt: skip
        done = command(*arguments)
        assert done.exit_code == code, (arguments, done.output)
        if code == 1:
            assert done.stderr.count("\n") == 1
            assert done.stderr.startswith("error: ")


def test_cli_search_to_batch_by_pipe_and_by_option(tmp_path: Path) -> None:
    paths = [make_raster(tmp_path / f"s{i}.tif", seed=i, left=500_000 + 400 * i) for i in range(3)]
    base = ["-m", "oracle:SpotCounter", "-t", "count", "--target", "spot"]
    with FaultServer(tmp_path) as files:
        items = [make_item(p, f"{files.url}/ok/{p.name}") for p in paths]
        with MiniStac(items) as api:
            found = command("--search", api.url, "-c", "aerial", *base, "-o", str(tmp_path / "a"))
            assert found.exit_code == 0, found.output
            nothing = command(
                "--search", api.url, "--bbox", "0,0,1,1", *base, "-o", str(tmp_path / "n")
            )
            assert nothing.exit_code == 1
            assert "no scenes" in nothing.stderr
        text = json.dumps({"type": "FeatureCollection", "features": items})
        piped = command("-", *base, "-o", str(tmp_path / "b"), stdin=text)
        assert piped.exit_code == 0, piped.output
    (one,), (two,) = ([p.parent for p in (tmp_path / x).glob("*/run.json")] for x in "ab")
    same(one, two)


def test_recipe_runs_and_mistakes_are_told(tmp_path: Path) -> None:
    (tmp_path / "scenes").mkdir()
    make_raster(tmp_path / "scenes" / "s.tif")
    recipe = {
        "files": ["scenes/*.tif"], "model": "oracle:SpotCounter", "out": "out",
        "questions": [{"task": "count", "target": "spot"}, "Is there a spot?"],
    }  # fmt: skip
    path = tmp_path / "r.yaml"
    path.write_text(yaml.safe_dump(recipe))
    done = command("--recipe", str(path))
    assert done.exit_code == 0, done.output
    answers = gpd.read_parquet(next((tmp_path / "out").glob("*/answers.parquet")))
    assert answers["task"].value_counts().to_dict() == {"count": 16, "ask": 16}
    for change, error, said in (
        ({"qestions": []}, StacError, "did you mean questions:"),
        ({"files": None}, StacError, "names no scenes"),
        ({"questions": []}, TaskError, "asks nothing"),
        ({"questions": [{"taks": "count"}]}, StacError, "did you mean task:"),
        ({"files": None, "search": {"collections": ["a"]}}, StacError, "needs a url"),
    ):
        path.write_text(yaml.safe_dump({**recipe, **change}))
        with pytest.raises(error, match=said):
            load_recipe(path)
    path.write_text("a: [")
    with pytest.raises(StacError, match="not YAML"):
        load_recipe(path)


def test_dry_run_counts_what_a_run_does(scenes: list[str], tmp_path: Path) -> None:
    told = estimate(spec(), [*scenes, str(tmp_path / "no.tif")])
    result = run(spec(), scenes, tmp_path / "out")
    assert (told.scenes, told.unusable, told.tiles) == (4, 1, result.tiles)
    assert told.seconds_per_tile is not None
    assert told.hours(2) == pytest.approx(told.hours(1) / 2)
    done = command(*scenes, "-m", "oracle:SpotCounter", "-t", "count", "--target", "spot",
                   "--dry-run")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert f"{result.tiles} tiles" in done.stdout
    assert "GB of pixels" in done.stdout
    assert "as fast as this machine" in done.stdout


def test_scene_keys_are_unique_and_stable(tmp_path: Path) -> None:
    refs = list(scene_refs(["/a/x.tif", "/b/x.tif", "/a/x.tif", "https://h/x.tif?sig=1"]))
    assert len(refs) == 3
    again = list(scene_refs(["https://h/x.tif?sig=2"]))
    assert refs[2].key == again[0].key
    assert "sig" not in refs[2].name


@pytest.mark.parametrize("size", [1, 4, 7, 64])
def test_missing_bands_cover_each_row_once(size: int) -> None:
    bands = missing_bands([], 10, 4, size)
    rows = [r for b in bands for r in range(b.first, b.last + 1)]
    assert rows == list(range(10))
    assert all((b.last - b.first + 1) * 4 <= max(size + 2, 4) for b in bands)
    assert Band(0, 0).stem != Band(0, 0, 0).stem


def test_model_is_made_once_per_process(
    scenes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORACLE_LOG", str(tmp_path))
    run(spec(model="oracle:Logged"), scenes, tmp_path / "out", tiles_per_task=4)
    assert len(list(tmp_path.glob("made-*"))) == 1
