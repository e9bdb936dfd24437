"""The report, as its reader meets it: a real browser with the network cut."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from PIL import Image

from rsvlm_geo.report import Picture, build_payload, render_page

pytestmark = pytest.mark.browser


def make_run(n: int, *, crs: str | None = "EPSG:32618") -> tuple[Any, Any, dict[str, Any]]:
    """``n`` tiles of 40 m asked two things, with objects in every third, each status present."""
    columns = int(np.ceil(np.sqrt(n)))
    answers, objects = [], []
    for i in range(n):
        row, col = divmod(i, columns)
        x, y = 600000 + 40 * col, 4500000 - 40 * row
        core = shapely.box(x, y - 40, x + 40, y)
        status = ("answered", "answered", "refused", "answered", "nodata", "failed")[i % 6]
        common = {"tile_id": f"{row}/{col}", "status": status, "gsd_m": 0.15, "valid_frac": 1.0}
        common |= {"reason": "low_confidence" if status == "refused" else None, "unit": None}
        answered = status == "answered"
        answers += [
            common | {"task": "count", "question": "How many cars are there?", "geometry": core,
                      "answer": str(i % 5) if answered else "", "value": float(i % 5),
                      "confidence": 0.5 + (i % 50) / 100 if answered else None},
            common | {"task": "caption", "question": "Please describe the image.", "geometry": core,
                      "answer": f"Houses and trees, number {i}." if answered else "",
                      "value": None, "confidence": None},
        ]  # fmt: skip
        if answered and i % 3 == 0:
            objects.append({"tile_id": f"{row}/{col}", "label": ("car", "tree")[i % 2],
                            "score": 0.8, "area_m2": 8.0,
                            "geometry": shapely.box(x + 9, y - 20, x + 14, y - 17)})  # fmt: skip
    run = {
        "model": "rsvlm-mini 1",
        "finished": "2026-11-21T10:00:00+00:00",
        "seen": 0.7, "refused": 0.2, "nodata": 0.15, "failed": 0.15, "pending": 0.0,
        "totals": json.dumps([{"label": "car", "value": 41.0, "complete": False}]),
        "provenance": json.dumps({"scene": {"href": "/data/<script>alert(1)</script>.tif"}}),
    }  # fmt: skip
    return gpd.GeoDataFrame(answers, crs=crs), gpd.GeoDataFrame(objects, crs=crs), run


def write_page(path: Path, n: int, **options: Any) -> Path:
    answers, objects, run = make_run(n, **options)
    left, bottom, right, top = answers.total_bounds
    shades = np.linspace(90, 190, 64 * 64 * 3).reshape(64, 64, 3).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(shades).save(buffer, "JPEG")
    href = "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    picture = Picture(href, corners, 64, 64)
    payload = build_payload(answers, objects, run, title="<b>scene</b>.tif", picture=picture)
    path.write_text(render_page(payload), encoding="utf-8")
    return path


def shown(page: Any) -> str:
    text: str = page.locator("#shown").inner_text()
    return text


def test_opens_offline_without_a_complaint_and_filters(
    open_page: Any, tmp_path: Path, artefacts: Path
) -> None:
    page, complaints, requests = open_page(write_page(tmp_path / "r.html", 48))
    assert page.locator("h1").inner_text() == "<b>scene</b>.tif"
    assert shown(page) == "48 of 48 answers shown"

    page.get_by_role("checkbox", name="Refused").uncheck()
    assert shown(page) == "40 of 48 answers shown"
    page.get_by_label("Question").select_option(label="caption: Please describe the image.")
    page.get_by_label("Search").fill("number 12.")
    assert shown(page) == "1 of 48 answers shown"
    page.get_by_label("Search").fill("")
    page.get_by_label("Question").select_option(label="count: How many cars are there?")
    page.locator("#filter-label").select_option("car")
    assert shown(page) == "8 of 48 answers shown"
    page.locator("#filter-label").select_option("")
    page.locator("#filter-confidence").fill("0.9")
    assert re.match(r"[1-9]\d? of 48", shown(page))

    page.screenshot(path=artefacts / "report.png", full_page=True)
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "blob:", "data:"))] == []


def test_a_click_on_the_map_and_the_keyboard_show_a_tile(open_page: Any, tmp_path: Path) -> None:
    page, complaints, _ = open_page(write_page(tmp_path / "r.html", 36))
    page.wait_for_timeout(1500)
    box = page.locator("#map canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2 + 8, box["y"] + box["height"] / 2 + 8)
    page.wait_for_selector("#details h2")
    assert re.fullmatch(r"Tile \d/\d", page.locator("#details h2").inner_text())

    page.locator("#list").focus()
    page.keyboard.press("Home")
    assert page.locator("#details h2").inner_text() == "Tile 0/0"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.locator("#details h2").inner_text() == "Tile 0/2"
    assert "not sure enough" in page.locator("#details").inner_text()
    assert page.locator('[aria-selected="true"]').count() == 1
    page.keyboard.press("Escape")
    assert "Choose a tile" in page.locator("#details").inner_text()
    assert complaints == []


def test_a_legend_a_summary_and_what_was_not_found(open_page: Any, tmp_path: Path) -> None:
    answers, objects, run = make_run(24)
    names = {"car": 41.0, "airplane": 0.0, "storage_tank": 0.0}
    totals = [{"label": n, "value": v, "complete": True} for n, v in names.items()]
    run |= {"totals": json.dumps(totals[::-1]), "summary": "scene: 24 tiles. Mostly river."}
    path = tmp_path / "r.html"
    path.write_text(render_page(build_payload(answers, objects, run, title="scene")), "utf-8")
    page, complaints, _ = open_page(path)
    figures = page.locator(".figure").all_inner_texts()
    assert figures[0].startswith("car\n41") and "storage tank, airplane" in figures[1]
    assert page.locator(".summary").inner_text() == "24 tiles. Mostly river."
    legend = page.locator(".legend").inner_text()
    assert "Refused tile" in legend and "car: " in legend
    assert complaints == []


def test_refusals_and_an_incomplete_total_are_said(open_page: Any, tmp_path: Path) -> None:
    page, _, _ = open_page(write_page(tmp_path / "r.html", 24))
    assert "incomplete: answered on 50.0% of the area" in page.locator("#figures").inner_text()
    table = page.locator("#refusals table").inner_text()
    assert "low confidence" in table and "How many cars are there?" in table
    assert "alert(1)" in page.locator("#provenance").inner_text()


def test_ten_thousand_features_scroll_and_a_scene_without_a_place(
    open_page: Any, tmp_path: Path
) -> None:
    page, complaints, _ = open_page(write_page(tmp_path / "big.html", 5000))
    assert shown(page) == "5,000 of 5,000 answers shown"
    page.locator("#list").focus()
    page.keyboard.press("End")
    assert page.locator("#details h2").inner_text() == "Tile 70/29"
    assert page.locator(".row").count() < 60
    assert complaints == []
    page, complaints, _ = open_page(write_page(tmp_path / "pixels.html", 12, crs=None))
    assert "positions are pixels" in page.locator("header").inner_text()
    assert complaints == []


def test_fits_a_phone_and_prints(open_page: Any, tmp_path: Path, artefacts: Path) -> None:
    page, _, _ = open_page(write_page(tmp_path / "r.html", 48), (390, 844))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=artefacts / "report-phone.png")
    assert page.locator("#provenance details").get_attribute("open") is None
    page.pdf(path=artefacts / "report.pdf", format="A4")
    assert (artefacts / "report.pdf").read_bytes().startswith(b"%PDF")
    # paper shows the whole scene as a picture, whatever the map was moved to
    assert page.evaluate("document.querySelector('.printed').naturalWidth") > 300


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """WCAG 2 contrast ratio of two sRGB colours."""
    light = []
    for colour in (one, other):
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        light.append(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2])
    return (max(light) + 0.05) / (min(light) + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_aa(open_page: Any, tmp_path: Path, scheme: str) -> None:
    page, _, _ = open_page(write_page(tmp_path / "r.html", 24))
    page.emulate_media(color_scheme=scheme)
    page.locator(".row").first.click()
    pairs = page.evaluate(
        """() => [...document.querySelectorAll('h2, p, span, strong, dt, dd, small, td, th, label')]
        .filter(e => e.innerText && e.offsetParent && e.children.length === 0
                     && !e.closest('header') && !e.closest('.maplibregl-map'))
        .map(e => {
          const back = x => getComputedStyle(x).backgroundColor;
          let b = e;
          while (b && back(b) === 'rgba(0, 0, 0, 0)') b = b.parentElement;
          return [e.innerText, getComputedStyle(e).color, back(b ?? document.body)];
        })"""
    )
    assert len(pairs) > 30

    def rgb(text: str) -> tuple[float, ...]:
        whole = 1 if text.startswith("color(srgb") else 255
        return tuple(float(part) / whole for part in re.findall(r"[\d.]+", text)[:3])

    weak = [
        (text, fore, back) for text, fore, back in pairs if contrast(rgb(fore), rgb(back)) < 4.5
    ]
    assert weak == []
