"""Files that open well: schema, styles, atomic writes, and real QGIS."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from factories import make_scene
from oracle_cli import Seer

import rsvlm_geo
from rsvlm_geo.errors import OutputError
from rsvlm_geo.layers import (
    ANSWER_COLUMNS,
    OBJECT_COLUMNS,
    RUN_COLUMNS,
    check_not_read,
    check_outputs,
    layer_styles,
    to_lonlat,
)
from rsvlm_geo.layers.qml import literal
from rsvlm_geo.layers.style import class_colors, count_bins

OBJECTS = [(20, 20, 34, 32), (60, 90, 75, 100), (300, 60, 312, 72), (150, 150, 162, 160)]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run with every status: answered, refused, unreadable, failed and nodata."""
    path = make_scene(
        tmp_path_factory.mktemp("scene") / "s.tif", width=512, height=384, nodata=0,
        objects=OBJECTS, holes=[(384, 256, 512, 384)],
    )  # fmt: skip

    class Mixed(Seer):
        def answer(self, image: Any, boxes: Any, question: Any) -> Any:
            reply = super().answer(image, boxes, question)
            if question.task == "caption" and len(boxes) == 1:
                return type(reply)("may may may may may may may may may")
            return reply

    def trouble(image: Any) -> None:
        if model.shown == 5:
            model.shown += 1
            raise RuntimeError("once")
        if model.shown == 7 and not image[:, 0].any():
            raise RuntimeError("never")

    model = Mixed(trouble=trouble, refuse=lambda image: model.shown == 3)
    return rsvlm_geo.describe(path, ["thing"], model=model, margin_m=0)


def test_the_run_under_test_has_the_statuses_to_show(result: Any) -> None:
    assert {"answered", "refused", "unreadable", "nodata"} <= set(result.counts)


def test_columns_are_the_promised_ones(result: Any) -> None:
    assert list(result.answers.columns) == [*ANSWER_COLUMNS, "geometry"]
    assert list(result.objects.columns) == [*OBJECT_COLUMNS, "geometry"]
    assert list(result.run.columns) == [*RUN_COLUMNS, "geometry"] and len(result.run) == 1
    for name in ("run_id", "scene_id", "tile_id", "task", "question", "status", "model"):
        assert result.answers[name].notna().all()


def test_geopackage_is_sound_and_styled(result: Any, tmp_path: Path) -> None:
    (path,) = result.save(tmp_path / "out.gpkg")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.gpkg"]
    assert {name for name, _ in pyogrio.list_layers(path)} >= {"answers", "objects", "run"}
    back = gpd.read_file(path, layer="answers")
    assert len(back) == len(result.answers) and back.crs == result.answers.crs
    assert back.geometry.area.sum() == pytest.approx(result.answers.geometry.area.sum())
    with closing(sqlite3.connect(path)) as database:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        assert version == 10300
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = database.execute(
            "SELECT f_table_name, styleQML, useAsDefault FROM layer_styles"
        ).fetchall()
        assert {row[0] for row in rows} == {"answers", "objects", "run"}
        for _, qml, default in rows:
            assert default == 1 and ElementTree.fromstring(qml.split("\n", 1)[1]).tag == "qgis"
        (metadata,) = database.execute("SELECT metadata FROM gpkg_metadata").fetchone()
    assert json.loads(metadata)["model"]["name"] == "oracle"


def test_geoparquet_has_a_covering_and_is_sorted(result: Any, tmp_path: Path) -> None:
    paths = result.save(tmp_path / "out.parquet")
    assert [p.name for p in paths] == ["out.parquet", "out.objects.parquet"]
    geo = json.loads(pq.read_schema(paths[0]).metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
    back = gpd.read_parquet(paths[0])
    assert len(back) == len(result.answers) and back.crs == result.answers.crs
    order = back.hilbert_distance().to_numpy()
    assert (np.diff(order.astype(np.int64)) >= 0).all()
    corner = back.total_bounds
    part = gpd.read_parquet(paths[0], bbox=(corner[0], corner[3] - 1, corner[0] + 1, corner[3]))
    assert 0 < len(part) < len(back)


def test_flatgeobuf_and_geojson_come_back(result: Any, tmp_path: Path) -> None:
    result.save(tmp_path / "out.fgb", tmp_path / "out.geojson")
    assert len(gpd.read_file(tmp_path / "out.objects.fgb")) == len(result.objects)
    collection = json.loads((tmp_path / "out.geojson").read_text())
    assert "crs" not in collection and collection["rsvlm_run"]["task"] == "describe"
    for feature in collection["features"]:
        ring = shapely.geometry.shape(feature["geometry"]).exterior
        assert ring.is_ccw and -180 <= ring.bounds[0] <= 180 and 46 < ring.bounds[1] < 48


def test_geojson_is_cut_at_the_antimeridian(tmp_path: Path) -> None:
    path = make_scene(
        tmp_path / "s.tif", width=400, height=200, crs="EPSG:32701", res=50.0,
        origin=(166_000.0, 8_000_000.0), objects=[(10, 10, 20, 20)],
    )  # fmt: skip
    answers = rsvlm_geo.caption(path, model=Seer()).answers
    moved = to_lonlat(answers)
    parts = moved.geometry.explode().bounds
    assert (parts.maxx - parts.minx).max() < 0.1
    assert (moved.geometry.geom_type == "MultiPolygon").any()
    assert moved.to_crs(answers.crs).geometry.area.sum() == pytest.approx(
        answers.geometry.area.sum(), rel=1e-3
    )


def test_an_empty_table_has_its_types_in_every_format(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif", width=128, height=128)
    result = rsvlm_geo.count(path, "thing", model=Seer())
    assert len(result.objects) == 0
    written = result.save(
        *(tmp_path / f"o{suffix}" for suffix in (".gpkg", ".parquet", ".fgb", ".geojson"))
    )
    assert len(written) == 7
    back = gpd.read_parquet(tmp_path / "o.objects.parquet")
    assert list(back.columns)[: len(OBJECT_COLUMNS)] == list(OBJECT_COLUMNS)


def test_what_cannot_be_written_says_so_and_changes_nothing(result: Any, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"suffix names the format; \.gpkg"):
        result.save(tmp_path / "out.shp")
    with pytest.raises(OutputError, match="create it first"):
        result.save(tmp_path / "no" / "out.gpkg")
    folder = tmp_path / "x.gpkg"
    folder.mkdir()
    with pytest.raises(OutputError, match="it is a folder"):
        result.save(folder)
    assert [p.name for p in tmp_path.iterdir()] == ["x.gpkg"]


DISK_FULL = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import rsvlm_geo
from oracle_cli import Seer
from rsvlm_geo.errors import OutputError
result = rsvlm_geo.caption({scene!r}, model=Seer(image_size=32), margin_m=0)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, 8_000))
for name in sys.argv[1:]:
    try:
        result.save(name)
    except OutputError as error:
        print(f"{{Path(name).suffix}}|{{error}}")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    scene = make_scene(tmp_path / "s.tif", width=1024, height=1024)
    names = [str(tmp_path / f"out{suffix}") for suffix in (".gpkg", ".parquet", ".geojson", ".fgb")]
    rsvlm_geo.caption(scene, model=Seer()).save(*names)
    before = [Path(name).read_bytes() for name in names]
    code = DISK_FULL.format(tests=str(Path(__file__).parent), scene=str(scene))
    done = subprocess.run(
        [sys.executable, "-c", code, *names], capture_output=True, text=True, check=False
    )
    said = dict(line.split("|", 1) for line in done.stdout.splitlines())
    assert set(said) == {".gpkg", ".parquet", ".geojson", ".fgb"}, done.stderr[-2000:]
    for text in said.values():
        assert "nothing was changed there; check the free space" in text and "\n" not in text
    assert [Path(name).read_bytes() for name in names] == before
    assert not list(tmp_path.glob(".*part*"))


def parcels(path: Path, layer: str | None = None) -> None:
    """Somebody's own data."""
    frame = gpd.GeoDataFrame({"owner": ["A"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path, layer=layer)


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet", ".geojson", ".fgb"])
def test_somebodys_own_layers_are_not_replaced(suffix: str, result: Any, tmp_path: Path) -> None:
    path = tmp_path / f"parcels{suffix}"
    parcels(path)
    before = path.read_bytes()
    for write in (lambda: result.save(path), lambda: check_outputs([path])):
        with pytest.raises(OutputError, match=r"did not write \(parcels\); give another") as caught:
            write()
        assert "\n" not in str(caught.value)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet", ".geojson", ".fgb"])
def test_an_earlier_run_is_replaced(suffix: str, result: Any, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    path.write_bytes(b"")  # as mkstemp leaves it
    first = result.save(path)
    assert result.save(path) == first


def test_a_layer_added_to_an_earlier_run_is_kept(result: Any, tmp_path: Path) -> None:
    (path,) = result.save(tmp_path / "out.gpkg")
    parcels(path, "parcels")
    with pytest.raises(OutputError, match=r"did not write \(parcels\)"):
        result.save(path)
    assert "parcels" in pyogrio.list_layers(path)[:, 0]


def test_what_is_written_beside_an_output_is_looked_at_too(result: Any, tmp_path: Path) -> None:
    parcels(tmp_path / "out.objects.geojson")
    with pytest.raises(OutputError, match=r"out\.objects\.geojson: it holds layers"):
        result.save(tmp_path / "out.geojson")


def test_a_file_that_is_read_is_no_output(tmp_path: Path) -> None:
    scene = make_scene(tmp_path / "s.tif")
    (tmp_path / "link.png").symlink_to(scene)
    (tmp_path / "s.vrt").write_text(VRT)
    for source, output in (("s.tif", "link.png"), ("link.png", "s.tif"), ("s.vrt", "s.tif")):
        files = rsvlm_geo.open_scene(tmp_path / source).files
        with pytest.raises(OutputError, match=r"the run reads it; give another -o path"):
            check_not_read([tmp_path / output], files)
    check_not_read([tmp_path / "s.png"], [scene, "https://example.org/s.png"])


VRT = """<VRTDataset rasterXSize="64" rasterYSize="64">
<VRTRasterBand dataType="Byte" band="1"><SimpleSource>
<SourceFilename relativeToVRT="1">s.tif</SourceFilename><SourceBand>1</SourceBand>
</SimpleSource></VRTRasterBand></VRTDataset>"""


def test_styles_escape_what_people_write() -> None:
    assert literal("it's a \\ 'test'") == "'it''s a \\\\ ''test'''"
    assert list(class_colors(["a", "b"])) == ["a", "b"]
    assert count_bins(0) == [(1, 2)] and count_bins(7)[-1] == (6, 10)


def test_a_question_with_quotes_makes_a_readable_style(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif", width=128, height=128)
    question = 'What is "this" & <that>, isn\'t it?'
    result = rsvlm_geo.ask(path, question, model=Seer())
    qml = layer_styles(result.layers)["answers"]
    tree = ElementTree.fromstring(qml.split("\n", 1)[1])
    rule = tree.find("renderer-v2/rules/rule")
    assert rule is not None and rule.get("label") == question
    assert rule.get("filter") == '"question" = ' + literal(question)


QGIS = """
import json, os, sys
from qgis.core import *
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor
app = QgsApplication([], True)
app.initQgis()
out, facts = sys.argv[2], {}
layers = []
for name in ("objects", "answers", "run"):
    layer = QgsVectorLayer(f"{sys.argv[1]}|layername={name}", name, "ogr")
    root = layer.renderer().rootRule() if layer.renderer().type() == "RuleRenderer" else None
    facts[name] = {
        "valid": layer.isValid(), "renderer": layer.renderer().type(),
        "labels": layer.labelsEnabled(), "tip": layer.mapTipTemplate(),
        "aliases": {f.name(): layer.attributeDisplayName(i) for i, f in enumerate(layer.fields())},
        "rules": [] if root is None else [
            [r.label(), r.active(), [c.label() for c in r.children()],
             [c.filterExpression() for c in r.children()]] for r in root.children()],
        "broken": [r.filterExpression() for r in (root.descendants() if root else [])
                   if r.filterExpression() not in ('', 'ELSE')
                   and QgsExpression(r.filterExpression()).hasParserError()],
        "widget": layer.editorWidgetSetup(layer.fields().indexOf("status")).type()
                  if name == "answers" else "",
    }
    layers.append(layer)
colors = {}
answers = layers[1]
for which, file in ((0, "class"), (1, "caption"), (2, "count")):
    rules = answers.renderer().rootRule().children()
    for i, rule in enumerate(rules):
        rule.setActive(i == which)
    settings = QgsMapSettings()
    settings.setLayers([answers])
    settings.setDestinationCrs(answers.crs())
    settings.setOutputSize(QSize(512, 384))
    settings.setBackgroundColor(QColor("white"))
    settings.setExtent(answers.extent())
    settings.setFlag(QgsMapSettings.DrawLabeling, False)
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(f"{out}/{file}.png")
print("FACTS" + json.dumps(facts))
sys.stdout.flush()
os._exit(0)
"""


def find_qgis() -> str | None:
    """A Python that has QGIS, or None."""
    for python in ("/usr/bin/python3", shutil.which("python3")):
        if python and Path(python).exists():
            probe = subprocess.run(
                [python, "-c", "import qgis.core"], capture_output=True, check=False, env=clean()
            )
            if probe.returncode == 0:
                return python
    return None


def clean() -> dict[str, str]:
    """The environment without our own Python's paths."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL", "PROJ"))}
    return {**kept, "QT_QPA_PLATFORM": "offscreen"}


@pytest.mark.qgis
def test_real_qgis_opens_it_styled_without_a_plugin(result: Any, tmp_path: Path) -> None:
    python = find_qgis()
    if python is None:
        pytest.skip("no QGIS on this machine: apt-get install python3-qgis")
    (path,) = result.save(tmp_path / "out.gpkg")
    script, home = tmp_path / "look.py", tmp_path / "home"
    script.write_text(QGIS)
    home.mkdir(mode=0o700)
    done = subprocess.run(
        [python, str(script), str(path), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**clean(), "HOME": str(home), "XDG_RUNTIME_DIR": str(home)},
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("FACTS")]
    assert lines, done.stderr[-2000:]
    facts = json.loads(lines[0][5:])
    for layer in facts.values():
        assert layer["valid"] and layer["renderer"] == "RuleRenderer" and not layer["broken"]
        assert "[%" in layer["tip"] and layer["aliases"]["run_id"] == "Run"
    answers = facts["answers"]
    assert answers["labels"] and answers["widget"] == "ValueMap"
    assert [rule[0] for rule in answers["rules"]] == ["Scene class", "Caption", "Number of things"]
    assert [rule[1] for rule in answers["rules"]] == [True, False, False]
    assert "Refused: cannot be told from this image" in answers["rules"][0][2]
    check_pictures(result, tmp_path)


def check_pictures(result: Any, folder: Path) -> None:
    """A refused tile is hatched: several colours inside, unlike a plain 'none found' tile."""
    from PIL import Image

    def colors(row: Any) -> int:
        left, low, right, high = row.geometry.bounds
        x0, y1 = result.scene.to_pixels(np.array([left, low]))
        x1, y0 = result.scene.to_pixels(np.array([right, high]))
        inner = picture[:3, int(y0) + 12 : int(y1) - 12, int(x0) + 12 : int(x1) - 12]
        return len(np.unique(inner.reshape(3, -1), axis=1).T)

    with Image.open(folder / "count.png") as image:
        picture = np.moveaxis(np.asarray(image.convert("RGB")), -1, 0)
    mine = result.answers[result.answers["task"] == "count"]
    refused = mine[mine["status"] == "refused"].iloc[0]
    none = mine[(mine["status"] == "answered") & (mine["value"] == 0)].iloc[0]
    assert colors(none) == 1 and colors(refused) > 1
