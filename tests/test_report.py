"""The report's data and its one-file page."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner

from rsvlm_geo.errors import DataError, SceneNotFoundError
from rsvlm_geo.report import build_payload, render_page, write_report
from rsvlm_geo.report.cli import report

ROOT = Path(__file__).parent.parent


def answers(crs: str | None) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "tile_id": ["0/0", "0/1", "0/0"],
            "task": ["count", "count", "caption"],
            "question": ["How many?", "How many?", "Describe."],
            "status": ["answered", "refused", "answered"],
            "answer": ["3", "", "A </script><b>road</b>."],
            "reason": [None, "below_gsd", None],
            "confidence": [0.75, None, None],
            "geometry": [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)] * 1
            + [shapely.box(0, 0, 10, 10)],
        },
        crs=crs,
    )


def test_the_payload_keeps_questions_tiles_and_refusals_apart() -> None:
    payload = build_payload(answers("EPSG:32631"), None, {}, title="t")
    assert [q["text"] for q in payload["questions"]] == ["How many?", "Describe."]
    assert set(payload["tiles"]) == {"0/0", "0/1"}
    assert [a["status"] for a in payload["answers"]] == ["answered", "refused", "answered"]
    assert payload["answers"][1]["reason"] == "below_gsd"
    assert payload["coverage"]["refused"] == pytest.approx(1 / 3, abs=1e-5)
    lon, lat = payload["tiles"]["0/0"][0]
    assert -1.6 < lon < -1.4 and 0 <= lat < 0.01


def test_pixels_stay_upright_without_a_crs() -> None:
    payload = build_payload(answers(None), None, {}, title="t")
    assert not payload["georeferenced"]
    ring = payload["tiles"]["0/0"]
    assert max(y for _, y in ring) > 0 > min(y for _, y in ring)


def test_no_text_of_the_data_can_end_the_script_it_sits_in() -> None:
    page = render_page(build_payload(answers(None), None, {}, title="</script>"))
    data = re.search(r'id="payload">(.*?)</script>', page, re.S)
    assert data is not None
    parsed = json.loads(data.group(1))
    assert parsed["title"] == "</script>"
    assert parsed["answers"][2]["text"] == "A </script><b>road</b>."


def test_the_page_is_self_contained_and_built_from_these_sources() -> None:
    page = (ROOT / "rsvlm_geo/report/template.html").read_text("utf-8")
    assert not re.search(r"""<(?:script|link|img)[^>]+(?:src|href)=["'](?!data:|#)""", page)
    web = ROOT / "web"
    digest = hashlib.sha256()
    sources = sorted(path.name for path in (web / "src").iterdir())
    names = ["index.html", "package-lock.json", "vite.config.ts", "bundle.mjs"]
    for name in [*names, *(f"src/{source}" for source in sources)]:
        digest.update(name.encode() + (web / name).read_bytes())
    stamp = re.search(r'name="source-sha256" content="(\w+)"', page)
    assert stamp is not None
    assert stamp.group(1) == digest.hexdigest(), "run: npm --prefix web run build"


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(SceneNotFoundError, match="no such file"):
        write_report(tmp_path / "none.gpkg", tmp_path / "r.html")
    other = tmp_path / "other.gpkg"
    answers("EPSG:4326").to_file(other, layer="roads")
    with pytest.raises(DataError, match="no layer 'answers' \\(it has: roads\\)"):
        write_report(other, tmp_path / "r.html")
    with pytest.raises(DataError, match="no column status"):
        build_payload(answers(None).drop(columns="status"), None, {}, title="t")
    assert not (tmp_path / "r.html").exists()


def test_the_command_writes_beside_the_run(tmp_path: Path) -> None:
    run = tmp_path / "run.gpkg"
    answers("EPSG:32631").to_file(run, layer="answers")
    result = CliRunner().invoke(report, [str(run)])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "run.html").read_text("utf-8").startswith("<!doctype html>")
