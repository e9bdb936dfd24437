"""The plugin inside QGIS, offscreen: algorithms, layers, model, styles, words."""

# ruff: noqa: E402

from __future__ import annotations

import os
import stat
import sys
import time
from pathlib import Path
from typing import Any

import pytest

qgis_core = pytest.importorskip("qgis.core", reason="QGIS is not installed: tests/qgis/setup.sh")
pytestmark = pytest.mark.qgis

from osgeo import gdal, osr
from qgis.core import (
    QgsApplication,
    QgsGeometry,
    QgsLayerMetadata,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterVectorDestination,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QCoreApplication, Qt, QTranslator
from qgis.PyQt.QtTest import QTest

HERE = Path(__file__).resolve().parent
FAKE = HERE / "fake_engine.py"
PYTHON = os.environ.get("RSVLM_TEST_PYTHON", "")


def wrapper(folder: Path, tricks: str) -> str:
    """A program that looks like the engine's Python and runs the fake with these tricks."""
    path = folder / ("fake_" + "".join(c if c.isalnum() else "_" for c in tricks))
    path.write_text(
        f"#!/bin/sh\nFAKE_ENGINE='{tricks}' exec {PYTHON or sys.executable} -u {FAKE}\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def make_raster(path: Path, *, crs: str = "EPSG:32633", bands: int = 3) -> str:
    driver = gdal.GetDriverByName("GTiff")
    data = driver.Create(str(path), 128, 128, bands, gdal.GDT_Byte)
    if crs:
        data.SetGeoTransform((500000, 0.5, 0, 5000000, 0, -0.5))
        reference = osr.SpatialReference()
        reference.SetFromUserInput(crs)
        data.SetProjection(reference.ExportToWkt())
    for band in range(1, bands + 1):
        line = bytes((x * band) % 256 for x in range(128))
        data.GetRasterBand(band).WriteRaster(0, 0, 128, 128, line * 128)
    data = None
    return str(path)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: Any) -> Any:
    from rsvlm_geo_qgis import service, settings

    def use(tricks: str = "") -> str:
        path = wrapper(tmp_path, tricks or "plain")
        settings.put("engine/python", path)
        return path

    use()
    yield use
    service.close()
    settings.put("engine/python", "")


@pytest.fixture
def provider(qgis_app: Any, engine: Any) -> Any:
    from rsvlm_geo_qgis.provider import RsvlmProvider

    made = RsvlmProvider()
    QgsApplication.processingRegistry().addProvider(made)
    yield made
    QgsApplication.processingRegistry().removeProvider(made)


@pytest.fixture
def raster(tmp_path: Path, qgis_new_project: Any) -> QgsRasterLayer:
    layer = QgsRasterLayer(make_raster(tmp_path / "scene.tif"), "scene")
    assert layer.isValid()
    QgsProject.instance().addMapLayer(layer)
    return layer


def run(name: str, parameters: dict[str, Any], feedback: Any = None) -> tuple[bool, dict, Any]:
    """Run an algorithm here and now, and say how it went."""
    from rsvlm_geo_qgis.runner import RunFeedback

    algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"rsvlm_geo:{name}")
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    feedback = feedback or RunFeedback()
    results, good = algorithm.run(parameters, context, feedback)
    return good, results, feedback


def wait_for(true: Any, seconds: float = 30.0) -> None:
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "waited in vain"
        QTest.qWait(10)


def test_ids_are_what_scripts_rely_on(provider: Any) -> None:
    assert sorted(algorithm.name() for algorithm in provider.algorithms()) == [
        "ask", "batchstac", "caption", "classify", "count", "describe", "locate", "presence", "search",  # noqa: E501
    ]  # fmt: skip
    for algorithm in provider.algorithms():
        assert (
            algorithm.displayName()
            and algorithm.shortHelpString()
            and not algorithm.icon().isNull()
        )
        assert "FlagNoThreading" not in str(algorithm.flags())


def test_count_gives_numbers_layer_and_coverage(provider: Any, raster: Any, tmp_path: Path) -> None:
    out = str(tmp_path / "out.gpkg")
    good, found, feedback = run("count", {"INPUT": raster, "TARGET": "car", "OUTPUT": out})
    assert good, feedback.errors
    assert found["ANSWERED"] == 19 and found["REFUSED"] == 2 and found["TILES"] == 25
    assert found["TOTAL"] == 48 and found["COVERAGE"] == 1.0 and found["OUTCOME"] == "incomplete"
    layer = QgsVectorLayer(found["OUTPUT"], "answers", "ogr")
    assert layer.isValid() and layer.featureCount() == 25 and layer.crs() == raster.crs()
    assert any("refused" in warning for warning in feedback.warnings)
    assert not list(tmp_path.glob("*.part*"))


def test_what_had_to_be_assumed_is_told_and_a_note_is_only_logged() -> None:
    from rsvlm_geo_qgis.algorithms.engine_run import _Watch
    from rsvlm_geo_qgis.runner import RunFeedback

    feedback = RunFeedback()
    watch = _Watch(feedback)
    for name, text in (("GeorefWarning", "ground scale unknown"), ("Note", "stays in pixels")):
        watch.take({"type": "warning", "class": name, "message": text})
    assert feedback.doubts == feedback.warnings == ["ground scale unknown"]


def test_extent_and_polygons_reach_the_engine(provider: Any, raster: Any, tmp_path: Path) -> None:
    box = QgsRectangle(500010, 4999950, 500030, 4999970)
    out = str(tmp_path / "a.gpkg")
    good, found, _ = run("caption", {"INPUT": raster, "EXTENT": box, "OUTPUT": out})
    assert good
    layer = QgsVectorLayer(found["OUTPUT"], "a", "ogr")
    assert box.buffered(0.01).contains(layer.extent())
    aoi = QgsVectorLayer("Polygon?crs=EPSG:4326", "aoi", "memory")
    feature = qgis_core.QgsFeature()
    feature.setGeometry(
        QgsGeometry.fromWkt("POLYGON((15 45.15,15.0002 45.15,15.0001 45.1502,15 45.15))")
    )
    aoi.dataProvider().addFeatures([feature])
    good, found, feedback = run("ask", {"INPUT": raster, "QUESTION": "?", "AOI": aoi,
                                        "OUTPUT": str(tmp_path / "b.gpkg")})  # fmt: skip
    assert good, feedback.errors
    assert QgsVectorLayer(found["OUTPUT"], "b", "ogr").featureCount() == 1


@pytest.mark.parametrize(
    ("tricks", "words"),
    [
        ("error=OutputError", "Choose another output file"),
        ("error=SceneUnreadableError", "Try something else"),
        ("die=3", "Nothing was written"),
        ("old", "Update it"),
        ("crash", "has no rsvlm_geo"),
    ],
)
def test_what_goes_wrong_says_what_to_do(
    provider: Any, engine: Any, raster: Any, tmp_path: Path, tricks: str, words: str
) -> None:
    engine(tricks)
    good, _, feedback = run("caption", {"INPUT": raster, "OUTPUT": str(tmp_path / "o.gpkg")})
    assert not good
    assert any(words in error for error in feedback.errors), feedback.errors
    assert not list(tmp_path.glob("o*.gpkg*"))


def test_layers_that_cannot_be_asked(provider: Any, tmp_path: Path, qgis_new_project: Any) -> None:
    bare = QgsRasterLayer(make_raster(tmp_path / "bare.tif", crs=""), "bare")
    bare.setCrs(qgis_core.QgsCoordinateReferenceSystem())
    # in the project and by id: the exception keeps the frames alive that would own a layer
    QgsProject.instance().addMapLayer(bare)
    good, _, feedback = run("caption", {"INPUT": bare.id(), "OUTPUT": str(tmp_path / "o.gpkg")})
    assert not good and "has no CRS" in feedback.errors[0] and "Set Layer CRS" in feedback.errors[0]
    there = QgsRasterLayer(make_raster(tmp_path / "there.tif"), "there")
    QgsProject.instance().addMapLayer(there)
    (tmp_path / "there.tif").unlink()
    good, _, feedback = run("caption", {"INPUT": there.id(), "OUTPUT": str(tmp_path / "o.gpkg")})
    assert not good and "is gone" in feedback.errors[0]
    lost = {"INPUT": "/nowhere.tif", "OUTPUT": str(tmp_path / "o.gpkg")}
    good, _, feedback = run("caption", lost)
    assert not good
    good, _, feedback = run("caption", {"INPUT": there.id(), "OUTPUT": str(tmp_path / "o.shp")})
    assert not good


def test_no_engine_is_said_before_anything_runs(provider: Any, monkeypatch: Any) -> None:
    from rsvlm_geo_qgis import settings

    settings.put("engine/python", "/nowhere/python")
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("rsvlm_geo:caption")
    able, why = algorithm.canExecute()
    assert not able and "/nowhere/python" in why and "Options" in why


def test_cancel_leaves_no_file(provider: Any, engine: Any, raster: Any, tmp_path: Path) -> None:
    from rsvlm_geo_qgis.runner import Run

    engine("slow=40,tiles=500")
    out = tmp_path / "cancelled.gpkg"
    ends: list[bool] = []
    rows: list[Any] = []
    job = Run("caption", {"INPUT": raster, "OUTPUT": str(out)}, QCoreApplication.instance())
    job.answered.connect(rows.extend)
    job.finished.connect(lambda good, _found: ends.append(good))
    job.start()
    wait_for(lambda: rows)
    job.cancel()
    wait_for(lambda: ends)
    assert ends == [False] and not out.exists() and not list(tmp_path.glob("*.part*"))
    assert job.message()[0] == "Cancelled."


def test_a_run_becomes_a_group_with_history(
    provider: Any, raster: Any, tmp_path: Path, qgis_new_project: Any
) -> None:
    from rsvlm_geo_qgis import results

    project = QgsProject.instance()
    project.write(str(tmp_path / "p.qgz"))
    path = results.output_path(project, str(tmp_path / "scene.tif"), "count_car", "now")
    assert Path(path).parent == tmp_path / "p_rsvlm"
    _, _, feedback = run("count", {"INPUT": raster, "TARGET": "car", "OUTPUT": path})
    facts = {"task": "count", "target": "car", "title": "Count: car", "source": "scene.tif"}
    *_, layers = results.add_run(project, path, "Count: car", feedback.done_event, facts)
    assert [layer.name() for layer in layers] == ["Objects", "Answers"]
    group = project.layerTreeRoot().children()[0]
    assert group.name() == "Count: car" and len(group.findLayerIds()) == 2
    answers = layers[1]
    assert answers.renderer().type() == "RuleRenderer" and answers.labelsEnabled()
    assert "rsvlm_thumbnail" in answers.mapTipTemplate()
    assert answers.fields().field("gsd_m").alias()
    metadata: QgsLayerMetadata = answers.metadata()
    assert metadata.identifier() == "fake0001" and metadata.history()
    assert results.history(project)[0]["title"] == "Count: car"
    rules = {rule.label(): rule for rule in answers.renderer().rootRule().children()}
    hatched = rules["Refused: cannot be told"].symbol()
    kinds = {hatched.symbolLayer(i).layerType() for i in range(hatched.symbolLayerCount())}
    assert "LinePatternFill" in kinds
    plain = rules["No"].symbol()
    assert {plain.symbolLayer(i).layerType() for i in range(plain.symbolLayerCount())} == {
        "SimpleFill"
    }


def test_a_model_with_describe_and_a_filter_runs(
    provider: Any, raster: Any, tmp_path: Path, qgis_processing: Any
) -> None:
    model = QgsProcessingModelAlgorithm("refused", "test")
    model.addModelParameter(
        QgsProcessingParameterRasterLayer("raster"), QgsProcessingModelParameter("raster")
    )
    source = QgsProcessingModelChildParameterSource
    describe = QgsProcessingModelChildAlgorithm("rsvlm_geo:describe")
    describe.setChildId("describe")
    describe.addParameterSources("INPUT", [source.fromModelParameter("raster")])
    model.addChildAlgorithm(describe)
    pick = QgsProcessingModelChildAlgorithm("native:extractbyexpression")
    pick.setChildId("pick")
    pick.addParameterSources("INPUT", [source.fromChildOutput("describe", "OUTPUT")])
    pick.addParameterSources("EXPRESSION", [source.fromStaticValue("\"status\" = 'refused'")])
    output = QgsProcessingModelOutput("refused", "refused")
    output.setChildId("pick")
    output.setChildOutputName("OUTPUT")
    pick.setModelOutputs({"refused": output})
    model.addChildAlgorithm(pick)
    model.addModelParameter(
        QgsProcessingParameterVectorDestination("pick:refused"),
        QgsProcessingModelParameter("pick:refused"),
    )
    saved = tmp_path / "refused.model3"
    assert model.toFile(str(saved))
    again = QgsProcessingModelAlgorithm()
    assert again.fromFile(str(saved))
    again.initAlgorithm()
    name = next(p.name() for p in again.parameterDefinitions() if p.isDestination())
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    feedback = QgsProcessingFeedback()
    out = str(tmp_path / "refused.gpkg")
    found, good = again.run({"raster": raster, name: out}, context, feedback)
    assert good, feedback.textLog()
    assert QgsVectorLayer(found[name], "r", "ogr").featureCount() == 2


def test_what_i_see_passes_the_layers_own_stretch(raster: Any, provider: Any) -> None:
    from rsvlm_geo_qgis import source

    seen = source.source_of(raster, seen=True)
    assert seen.href.endswith("scene.tif") and seen.bands == [1, 2, 3]
    assert seen.stretch is not None and len(seen.stretch) == 3
    assert source.source_of(raster).stretch is None


def test_a_crs_the_user_gave_travels_with_the_scene(tmp_path: Path, provider: Any) -> None:
    from rsvlm_geo_qgis import source

    layer = QgsRasterLayer(make_raster(tmp_path / "moved.tif", crs="EPSG:32633"), "moved")
    layer.setCrs(qgis_core.QgsCoordinateReferenceSystem("EPSG:32634"))
    href = source.source_of(layer).href
    assert href.endswith(".vrt")
    assert "34N" in gdal.Open(href).GetProjection()


def test_layers_of_other_providers_are_drawn(tmp_path: Path, raster: Any, provider: Any) -> None:
    from rsvlm_geo_qgis import source

    target = str(tmp_path / "drawn.tif")
    extent = raster.extent()
    empty = source.render(raster.clone(), extent, raster.crs(), 1.0, target)
    made = gdal.Open(target)
    assert empty == 0.0 and (made.RasterXSize, made.RasterYSize) == (64, 64)
    assert made.GetMetadata("IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    assert made.GetGeoTransform()[1] == pytest.approx(1.0, rel=2e-3)
    half = QgsRectangle(
        extent.xMinimum() - 2048, extent.yMinimum(), extent.xMaximum(), extent.yMaximum()
    )
    assert 0 < source.render(raster.clone(), half, raster.crs(), 0.5, target) < 1
    away = QgsRectangle(0, 0, 100, 100)
    with pytest.raises(source.SourceError, match="gave no picture"):
        source.render(raster.clone(), away, raster.crs(), 1.0, target)
    with pytest.raises(source.SourceError, match="smaller area"):
        source.render(raster.clone(), extent, raster.crs(), 1e-4, target)
    assert not list(tmp_path.glob("*.raw.tif"))


def test_a_hundred_thousand_rows_are_filtered_and_shown() -> None:
    from rsvlm_geo_qgis.answers_model import AnswerModel, row_of_event

    event = {"status": "answered", "tile_id": "0/0", "task": "caption", "answer": "a road",
             "confidence": 0.5, "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1]]]}}  # fmt: skip  # noqa: E501
    model = AnswerModel()
    rows = [row_of_event({**event, "tile_id": f"0/{i}", "answer": "a ship" if i % 100 == 0 else "a road"})  # noqa: E501
            for i in range(100_000)]  # fmt: skip
    rows += [row_of_event({**event, "status": "refused", "reason": "below_gsd"})]
    model.add(rows)
    assert model.rowCount() == 100_001
    model.filter(["answered"], "ship")
    assert model.rowCount() == 1000
    model.filter(["refused"], "")
    assert model.rowCount() == 1 and model.row(0).text == "too coarse to tell"
    assert model.data(model.index(0, 1), Qt.ItemDataRole.DisplayRole) == "too coarse to tell"
    assert model.row(0).geometry().area() == pytest.approx(0.5)


@pytest.mark.parametrize("language", ["de", "fr", "es", "pt", "zh_CN"])
def test_every_language_has_every_sentence(language: str) -> None:
    import rsvlm_geo_qgis

    sys.path.insert(0, str(HERE.parents[1] / "tools"))
    import plugin_i18n

    translator = QTranslator()
    folder = Path(rsvlm_geo_qgis.__file__).parent / "i18n"
    assert translator.load(str(folder / f"rsvlm_geo_{language}.qm"))
    QCoreApplication.installTranslator(translator)
    try:
        words = {s: QCoreApplication.translate("rsvlm_geo", s) for s in plugin_i18n.sources()}
    finally:
        QCoreApplication.removeTranslator(translator)
    assert sum(said != sentence for sentence, said in words.items()) > 200
    for sentence, said in words.items():
        holes = dict.fromkeys(plugin_i18n._HOLES.findall(sentence), "x")
        assert "{" not in said.format(**holes)


def test_the_dock_says_candidates_refusals_and_no_zero_for_a_refusal() -> None:
    from rsvlm_geo_qgis.dock_words import totals

    seen = {"seen": 1.0, "nodata": 0.0, "failed": 0.0, "refused": 0.0, "pending": 0.0}
    total = {"label": "car", "value": 45.0, "unit": "candidates", "complete": True,
             "coverage": seen}  # fmt: skip
    done = {"totals": [total], "coverage": seen, "tiles": 9, "counts": {"answered": 9}}
    assert totals(done) == "45 × possible car\n100 % seen"
    none = {**seen, "refused": 1.0}
    total |= {"value": 0.0, "unit": "objects", "complete": False, "coverage": none}
    done |= {"coverage": none, "counts": {"refused": 9}}
    assert totals(done) == "car: not counted\n100 % seen, 100.0 % refused"
    done |= {"totals": [], "counts": {"answered": 15, "refused": 3}}
    assert totals(done) == "100 % seen. 3 of 18 answers are refused."


def test_the_report_has_map_legend_and_totals(
    provider: Any, raster: Any, tmp_path: Path, qgis_canvas: Any
) -> None:
    from rsvlm_geo_qgis import report, results

    out = str(tmp_path / "r.gpkg")
    _, _, feedback = run("count", {"INPUT": raster, "TARGET": "car", "OUTPUT": out})
    facts = {"task": "count", "title": "Count: car", "layer": "scene"}
    *_, layers = results.add_run(
        QgsProject.instance(), out, "Count: car", feedback.done_event, facts
    )
    layout = report.make_report(QgsProject.instance(), layers, "48 × car", qgis_canvas)
    kinds = {type(item).__name__ for item in layout.items()}
    assert {"QgsLayoutItemMap", "QgsLayoutItemLegend", "QgsLayoutItemLabel"} <= kinds
    texts = " ".join(item.text() for item in layout.items() if hasattr(item, "currentText"))
    assert "48 × car" in texts and "refused" in texts
    picture = layout.itemById("map")
    assert picture.extent().contains(layers[-1].extent()) and picture.scale() < 2000
    QgsProject.instance().layoutManager().clear()


def test_thumbnails_are_drawn_for_map_tips(provider: Any, raster: Any, tmp_path: Path) -> None:
    from rsvlm_geo_qgis import expressions, results, source

    out = str(tmp_path / "t.gpkg")
    _, _, feedback = run("caption", {"INPUT": raster, "OUTPUT": out})
    facts = {"task": "caption", "source": source.layer_path(raster), "layer": "scene"}
    *_, layers = results.add_run(QgsProject.instance(), out, "Caption", feedback.done_event, facts)
    feature = next(layers[0].getFeatures())
    assert "data:image/jpeg;base64," in expressions.thumbnail(layers[0], feature)
