"""One scene from pixels to tables: exact with a model that knows, honest when things go wrong."""

from __future__ import annotations

import json
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from factories import (
    footprint_errors,
    make_scene,
    make_transform,
    metres_per_unit,
    scatter,
    true_rings,
)
from oracle_cli import Seer

import rsvlm_geo
from rsvlm_geo.answers import Coverage
from rsvlm_geo.errors import (
    CoverageWarning,
    ModelError,
    ModelWarning,
    OutputError,
    ResumeError,
    TaskError,
)
from rsvlm_geo.pipeline import Total, gate, iter_answers, plan_job, questions_for, run_task
from rsvlm_geo.tasks import make_question
from rsvlm_geo.vlm import ScaleRule

WORLDS = {
    "north_up": {},
    "rotated": {"rotation": 30.0},
    "degrees": {"crs": "EPSG:4326", "res": (6.7e-6, 4.5e-6), "origin": (11.0, 47.0)},
    "feet": {"crs": "EPSG:2272", "res": 1.64, "origin": (2_690_000.0, 240_000.0)},
    "small": {"width": 90, "height": 70},
    "odd": {"width": 1000, "height": 333},
}


def rings_of(frame: Any) -> np.ndarray:
    """float64[n, 4, 2] of a table's polygons."""
    return np.array([np.asarray(shape.exterior.coords)[:4] for shape in frame.geometry])


@pytest.mark.parametrize("world", WORLDS)
def test_counts_and_footprints_are_exact(tmp_path: Path, world: str) -> None:
    made = {"width": 700, "height": 700, "crs": "EPSG:32633", "res": 0.5, **WORLDS[world]}
    objects = scatter(made["width"], made["height"], 60, size=(6, 16), gap=6, seed=1)
    path = make_scene(tmp_path / "s.tif", objects=objects, **made)
    result = rsvlm_geo.count(path, "thing", model=Seer())
    assert result.total is not None and result.total.complete
    assert result.total.value == len(objects) == len(result.objects)
    assert result.coverage == Coverage(seen=1.0, nodata=0.0, failed=0.0)
    # the column adds up to the total: each object is one tile's
    assert result.answers["value"].sum() == len(objects)
    transform = make_transform(
        made["res"], made.get("rotation", 0.0), made.get("origin", (500_000.0, 5_200_000.0))
    )
    errors = footprint_errors(rings_of(result.objects), true_rings(objects, transform))
    tile = 128 * (made["res"] if isinstance(made["res"], float) else made["res"][0])
    assert errors.max() <= tile / 2000
    metre = metres_per_unit(made["crs"])
    assert metre > 0 and result.objects["area_m2"].notna().all()


def test_areas_are_square_metres_on_the_ground(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif", objects=[(100, 100, 120, 110)], res=0.5)
    objects = rsvlm_geo.locate(path, "thing", model=Seer()).objects
    assert objects["area_m2"].iloc[0] == pytest.approx(20 * 0.5 * 10 * 0.5, rel=2e-3)


def test_every_tile_and_question_has_one_row(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif", objects=[(10, 10, 20, 20)])
    result = rsvlm_geo.describe(path, ["thing"], model=Seer())
    assert set(result.answers["task"]) == {"classify", "caption", "count"}
    assert len(result.answers) == 3 * result.tiles
    assert not result.answers.duplicated(["tile_id", "question"]).any()
    area = result.answers[result.answers["task"] == "caption"].geometry
    assert area.area.sum() == pytest.approx((700 * 0.5) ** 2)
    assert "1 thing" in result.summary()
    assert any(len(said.tile_ids) == 1 for said in result.statements if said.text == "1 thing.")


def test_an_image_is_encoded_once_for_all_its_questions(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif")
    model = Seer()
    result = rsvlm_geo.describe(path, ["thing", "ship"], model=model)
    assert model.shown == result.tiles
    # filled across rows of the grid: only the last batch is short
    assert model.batches[:-1] == [4] * (len(model.batches) - 1)


def test_nodata_tiles_are_never_shown(tmp_path: Path) -> None:
    path = make_scene(
        tmp_path / "s.tif", width=512, height=256, nodata=0, holes=[(0, 0, 256, 256)],
        objects=[(300, 100, 310, 110)],
    )  # fmt: skip
    model = Seer()
    result = rsvlm_geo.count(path, "thing", model=model, margin_m=0)
    states = result.answers["status"].value_counts()
    assert states["nodata"] == 4 and states["answered"] == 4 and model.shown == 4
    assert result.coverage.nodata == pytest.approx(0.5)
    assert result.complete and str(result.total) == "1 thing"


def test_a_refused_tile_makes_the_total_incomplete(tmp_path: Path) -> None:
    path = make_scene(
        tmp_path / "s.tif", width=256, height=256, objects=[(10, 10, 20, 20), (200, 200, 210, 210)]
    )
    model = Seer(refuse=lambda image: bool(image[10:20, 10:20].min() > 200))
    result = rsvlm_geo.count(path, "thing", model=model, margin_m=0)
    row = result.answers[result.answers["status"] == "refused"].iloc[0]
    assert row["reason"] == "invisible" and np.isnan(row["value"])
    assert result.coverage.refused == pytest.approx(0.25)
    assert not result.complete
    assert "INCOMPLETE: 25.0% refused" in str(result.total)
    with pytest.warns(CoverageWarning, match="INCOMPLETE"):
        assert int(result.total) == 1
    with pytest.warns(CoverageWarning):
        assert f"{result.total:.0f}" == "1"
    assert "refused in 1 of 4 tiles" in result.summary()


def test_a_refused_caption_is_an_answer(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif", width=128, height=128)
    result = rsvlm_geo.caption(path, model=Seer(refuse=lambda image: True))
    assert result.complete and result.counts == {"refused": 1}


def test_a_tile_that_fails_is_in_the_layer_and_the_run_goes_on(tmp_path: Path) -> None:
    path = make_scene(
        tmp_path / "s.tif", width=512, height=256, objects=[(130, 0, 250, 5), (300, 200, 310, 210)]
    )

    def trouble(image: np.ndarray) -> None:
        if image[0, 2:100, 0].min() > 200:
            raise RuntimeError("a bad tile")

    result = rsvlm_geo.count(path, "thing", model=Seer(trouble=trouble), margin_m=0)
    failed = result.answers[result.answers["status"] == "failed"]
    assert list(failed["tile_id"]) == ["0/1"]
    assert failed["answer"].iloc[0] == "RuntimeError: a bad tile"
    assert result.coverage.failed == pytest.approx(1 / 8) and not result.complete
    assert result.total.value == 1 and "12.5% failed" in str(result.total)


def test_a_model_that_never_works_is_an_error(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif")

    def trouble(image: np.ndarray) -> None:
        raise RuntimeError("no graph")

    with pytest.raises(ModelError, match="tiles in a row: RuntimeError: no graph"):
        rsvlm_geo.caption(path, model=Seer(trouble=trouble))
    small = make_scene(tmp_path / "one.tif", width=100, height=100)
    with pytest.raises(ModelError, match="failed on 1 tiles"):
        rsvlm_geo.caption(small, model=Seer(trouble=trouble))


def test_running_out_of_memory_halves_the_batch_and_says_so(tmp_path: Path) -> None:
    objects = scatter(700, 700, 20, seed=3)
    path = make_scene(tmp_path / "s.tif", objects=objects)

    class Small(Seer):
        def ask(self, images: Any, questions: Any) -> Any:
            if len(images) > 2:
                raise RuntimeError("CUDA failure 2: out of memory")
            return super().ask(images, questions)

    model = Small(batch=8)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", ModelWarning)
        result = rsvlm_geo.count(path, "thing", model=model)
    said = [str(item.message) for item in heard]
    assert said[0] == "the model ran out of memory with 8 images at once; going on with 4"
    assert said[1].endswith("going on with 2") and len(said) == 2
    assert result.total.value == len(objects) and max(model.batches) == 2


def test_a_model_that_miscounts_its_replies_is_caught(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif")

    class Short(Seer):
        def ask(self, images: Any, questions: Any) -> Any:
            return super().ask(images, questions)[:-1]

    with pytest.raises(ModelError, match="must answer each one"):
        rsvlm_geo.caption(path, model=Short())


def test_a_number_without_objects_is_an_estimate(tmp_path: Path) -> None:
    from rsvlm_geo.vlm import Reply

    path = make_scene(tmp_path / "s.tif", width=256, height=256)

    class Guesser(Seer):
        def answer(self, image: Any, boxes: Any, question: Any) -> Reply:
            return Reply("12")

    model = Guesser(tasks=frozenset({"count"}), classes=())
    result = rsvlm_geo.count(path, "thing", model=model, margin_m=0)
    assert result.total.estimated and str(result.total) == "about 48 things"


def test_only_the_asked_area_is_asked_about(tmp_path: Path) -> None:
    objects = [(100, 100, 110, 110), (600, 600, 610, 610)]
    path = make_scene(tmp_path / "s.tif", objects=objects)
    bbox = (500_000.0, 5_199_850.0, 500_150.0, 5_200_000.0)
    model = Seer()
    result = rsvlm_geo.count(path, "thing", model=model, aoi=bbox, aoi_crs="EPSG:32633")
    assert result.total.value == 1 and model.shown == result.tiles < 16
    assert result.run.geometry.area.iloc[0] == pytest.approx(150.0**2)


def test_progress_ends_at_the_total_and_a_cancel_keeps_what_is_done(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif")
    stop, seen = threading.Event(), []

    def progress(state: Any) -> None:
        seen.append(state)
        if state.done >= 8:
            stop.set()

    result = rsvlm_geo.caption(path, model=Seer(), progress=progress, cancel=stop)
    assert result.cancelled and result.done == 8 and not result.complete
    assert result.coverage.pending > 0.5 and "pending" in result.summary()
    seen.clear()
    whole = rsvlm_geo.caption(path, model=Seer(), progress=seen.append)
    assert seen[-1].done == seen[-1].total == whole.tiles and seen[-1].eta_s == 0


@pytest.mark.parametrize("times", [1, 3])
def test_a_resumed_run_is_the_same_and_asks_nothing_twice(tmp_path: Path, times: int) -> None:
    objects = scatter(700, 700, 50, seed=2)
    path = make_scene(tmp_path / "s.tif", objects=objects)
    whole = rsvlm_geo.describe(path, ["thing"], model=Seer())
    keep, asked = tmp_path / "keep", 0
    for round_ in range(times):
        count = 4 * (round_ + 1)
        model = Seer()
        part = rsvlm_geo.describe(
            path, ["thing"], model=model, keep=keep, resume=round_ > 0,
            cancel=lambda m=model, c=count: m.shown >= c,
        )  # fmt: skip
        assert part.cancelled
        asked += model.shown
    model = Seer()
    result = rsvlm_geo.describe(path, ["thing"], model=model, keep=keep, resume=True)
    assert asked + model.shown == whole.tiles
    same = ["tile_id", "question", "status", "answer", "value", "confidence", "geometry"]
    assert result.answers[same].equals(whole.answers[same])
    assert result.objects.geometry.geom_equals_exact(whole.objects.geometry, 0).all()
    assert result.totals == whole.totals and result.run_id == whole.run_id
    assert result.provenance["tiles_resumed"] == asked
    result.save(tmp_path / "out.gpkg")
    assert not keep.exists()


def test_a_torn_line_is_asked_again(tmp_path: Path) -> None:
    path, keep = make_scene(tmp_path / "s.tif"), tmp_path / "keep"
    first = Seer()
    rsvlm_geo.caption(path, model=first, keep=keep, cancel=lambda: first.shown >= 8)
    (part,) = keep.rglob("tiles-*.jsonl")
    part.write_bytes(part.read_bytes()[:-20])
    model = Seer()
    result = rsvlm_geo.caption(path, model=model, keep=keep, resume=True)
    assert not result.cancelled and first.shown + model.shown == result.tiles + 1


def test_what_belongs_to_another_run_is_not_taken_up(tmp_path: Path) -> None:
    path, keep = make_scene(tmp_path / "s.tif"), tmp_path / "keep"
    run = {"keep": keep, "cancel": lambda: True}
    rsvlm_geo.caption(path, model=Seer(), **run)
    with pytest.raises(ResumeError, match="leave out --resume"):
        rsvlm_geo.classify(path, model=Seer(), keep=keep, resume=True)
    with pytest.raises(ResumeError):
        rsvlm_geo.caption(path, model=Seer(version="2"), keep=keep, resume=True)
    # auto starts over where it must
    result = rsvlm_geo.classify(path, model=Seer(), keep=keep, resume="auto")
    assert not result.cancelled


def test_a_changed_file_is_another_run(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif")
    first = rsvlm_geo.caption(path, model=Seer())
    make_scene(path, objects=[(1, 1, 9, 9)])
    assert rsvlm_geo.caption(path, model=Seer()).run_id != first.run_id


def rules(question: Any, **facts: Any) -> str | None:
    known = {"native_gsd_m": 0.5, "read_gsd_m": 0.5, "panchromatic": False, **facts}
    closed = gate(question, Seer(scales=(ScaleRule((0.05, 2.0), (0.3, 1.0)),)).info, **known)
    return None if closed is None else closed.reason


def test_rules_refuse_before_the_model_is_asked() -> None:
    thing = make_question("count", target="thing")
    assert rules(thing) is None
    # 2 m things need pixels of a metre: two of them
    assert rules(thing, native_gsd_m=1.0, read_gsd_m=1.0) is None
    assert rules(thing, native_gsd_m=1.01, read_gsd_m=1.01) == "below_gsd"
    assert rules(thing, native_gsd_m=0.3, read_gsd_m=1.1) == "below_gsd"
    assert rules(thing, native_gsd_m=2.5) == "below_gsd"
    assert rules(thing, native_gsd_m=0.01) == "out_of_scope"
    assert rules(make_question("count", target="unicorn")) == "out_of_scope"
    assert rules(make_question("count", target="patches")) is None
    assert rules(thing, native_gsd_m=None, read_gsd_m=None) is None
    color = make_question("ask", text="What colour is the roof?")
    assert rules(color) is None and rules(color, panchromatic=True) == "panchromatic"
    assert rules(make_question("classify"), panchromatic=True) is None


def test_a_rule_refuses_everywhere_and_asks_nothing(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif", res=10.0)
    model = Seer()
    result = rsvlm_geo.count(path, "ship", model=model)
    assert model.shown == 0
    assert set(result.answers["reason"]) == {"below_gsd"}
    assert str(result.total).startswith("Ships not counted: refused (a ship of ")
    assert "refused everywhere" in result.summary() and "0 ships" not in result.summary()


def test_a_task_the_model_does_not_do_lists_those_it_does(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif")
    model = Seer(tasks=frozenset({"caption"}))
    with pytest.raises(TaskError, match="oracle does not do 'count'; it does caption"):
        rsvlm_geo.count(path, "thing", model=model)
    with pytest.raises(TaskError, match="no task 'paint'"):
        run_task("paint", path, model=model)
    with pytest.raises(TaskError, match="needs a class"):
        rsvlm_geo.count(path, "", model=Seer())
    with pytest.raises(TaskError, match="needs a question"):
        rsvlm_geo.ask(path, "  ", model=Seer())


def test_a_free_question_becomes_the_typed_one_it_is(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif", objects=[(50, 50, 60, 60)])
    result = rsvlm_geo.ask(path, "How many things are there?", model=Seer())
    assert result.total.value == 1 and set(result.answers["task"]) == {"count"}
    yes = rsvlm_geo.ask(path, "Is there a thing here?", model=Seer())
    assert set(yes.answers["answer"]) == {"yes", "no"} and yes.answers["value"].sum() == 1
    named = rsvlm_geo.ask(path, "Which season?", ["summer", "winter"], model=Seer())
    assert set(named.answers["answer"]) == {"summer", "winter"}


def test_classes_go_by_their_synonyms_and_several_at_once() -> None:
    asked = questions_for("count", Seer().info, target="patches, ship,ships")
    assert [question.target for question in asked] == ["thing", "ship", "ship"]
    objects = questions_for("describe", Seer().info, gsd_m=3.0)
    assert [q.target for q in objects if q.target] == ["ship"]


def test_without_georeference_it_runs_in_pixels(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        path = make_scene(tmp_path / "s.tif", crs=None, objects=[(100, 40, 120, 60)])
        result = rsvlm_geo.count(path, "thing", model=Seer())
    assert result.answers.crs is None
    # QGIS draws such a raster with rows going down from zero
    assert result.objects.geometry.iloc[0].bounds == pytest.approx((100, -60, 120, -40), abs=0.1)
    assert np.isnan(result.objects["area_m2"].iloc[0])
    with pytest.raises(OutputError, match="no longitude and latitude"):
        result.save(tmp_path / "x.geojson")
    result.save(tmp_path / "x.gpkg")


def test_a_result_shows_itself(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif", width=300, height=200, objects=[(50, 50, 60, 60)])
    result = rsvlm_geo.count(path, "thing", model=Seer())
    collection = result.__geo_interface__
    assert collection["type"] == "FeatureCollection" and len(collection["features"]) == result.tiles
    lon, lat = collection["features"][0]["geometry"]["coordinates"][0][0]
    assert 14 < lon < 16 and 46 < lat < 48
    assert "1 thing" in result._repr_html_() and "<script" not in result._repr_html_()
    assert json.dumps(result.provenance) and result.provenance["model"]["name"] == "oracle"
    axes = result.plot()
    assert "1 thing" in axes.get_title(loc="left")


def test_answers_come_one_batch_at_a_time(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif")
    scene, model = rsvlm_geo.open_scene(path), Seer()
    job = plan_job(scene, "caption", questions_for("caption", model.info), model)
    stream = iter_answers(job)
    first = next(stream)
    assert len(first) == 4 and model.shown == 4
    stream.close()


def test_a_complete_total_is_a_number() -> None:
    total = Total(1234.0, "storage_tank", Coverage(seen=0.9, nodata=0.1, failed=0.0))
    assert str(total) == "1,234 storage tanks" and int(total) == 1234 and float(total) == 1234.0
    assert str(Total(1.0, "car", total.coverage)) == "1 car"
