"""VHM from its published names to the map: converted, exported, every task parsed and placed.

The weights of ``data/vhm`` are a miniature taught (see ``vhm_lines.py``) to give one known answer
to each of VHM's tasks, so that a parsed answer can be right or wrong.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export.vhm_lines import DATA, LINES, Line

pytestmark = [pytest.mark.export, pytest.mark.slow]

LEFT, TOP, RES, SIDE = 500_000.0, 5_200_000.0, 0.5, 28


@pytest.fixture(scope="module")
def vlm(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from rsvlm_geo.export import export_pack
    from rsvlm_geo.model import load_model

    out = tmp_path_factory.mktemp("vhm") / "pack"
    done = export_pack(
        str(DATA / "llm"), out, vit=str(DATA / "vit"), variants=("fp32-stored",), licence="none"
    )
    assert done.verification is not None and done.verification.equal
    return load_model(out, provider="cpu", threads=1)


@pytest.fixture(scope="module")
def tile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A georeferenced tile of 28 x 28 pixels at 0.5 m."""
    import rasterio
    from rasterio.transform import from_origin

    path = tmp_path_factory.mktemp("tile") / "tile.tif"
    pixels = np.random.default_rng(0).integers(1, 255, (3, SIDE, SIDE), np.uint8)
    with rasterio.open(
        path, "w", driver="GTiff", width=SIDE, height=SIDE, count=3, dtype="uint8",
        crs="EPSG:32633", transform=from_origin(LEFT, TOP, RES, RES), photometric="RGB",
    ) as dst:  # fmt: skip
        dst.write(pixels)
    return path


def test_all_tasks_are_here() -> None:
    from rsvlm_geo.model.vhm import TASKS

    assert [line.task for line in LINES] == list(TASKS)
    assert len(LINES) >= 12


@pytest.mark.parametrize("line", LINES, ids=[line.task for line in LINES])
def test_asked_and_parsed(line: Line, vlm: Any, tile: Path) -> None:
    import rasterio

    from rsvlm_geo.model.formats import FoundBoxes
    from rsvlm_geo.model.vhm import TASKS, Outline, Refusal, vhm_prompt

    with rasterio.open(tile) as src:
        image = np.moveaxis(src.read(), 0, -1)
    [[said]] = vlm.generate(
        image[None], [vhm_prompt(line.task, **line.needs)], vlm.runtime.sampling(256)
    )
    assert said.text == line.answer
    value = TASKS[line.task].parse(said.text, line.options)
    if isinstance(value, FoundBoxes):
        value = value.boxes.tolist()
    elif isinstance(value, Outline):
        value = value.points
    elif isinstance(value, Refusal):
        value = f"refused:{value.reason}"
    assert value == line.value


def test_all_at_once_say_the_same(vlm: Any) -> None:
    """Fourteen questions of one tile in one run, behind one encoded image."""
    from rsvlm_geo.model.vhm import vhm_prompt

    images = np.random.default_rng(1).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    prompts = [vhm_prompt(line.task, **line.needs) for line in LINES]
    for row in vlm.generate(images, prompts, vlm.runtime.sampling(256)):
        assert [said.text for said in row] == [line.answer for line in LINES]


def test_a_box_lands_where_it_belongs(vlm: Any, tile: Path) -> None:
    """Thousandths of the tile to metres on the map, by hand."""
    import rsvlm_geo

    result = rsvlm_geo.locate(tile, "ship", model=vlm)
    assert list(result.answers["status"]) == ["answered"]
    [ship] = result.objects.to_dict("records")
    assert ship["label"] == "ship"
    metres = SIDE * RES
    expected = (LEFT + 0.1 * metres, TOP - 0.6 * metres, LEFT + 0.3 * metres, TOP - 0.2 * metres)
    np.testing.assert_allclose(ship["geometry"].bounds, expected, atol=1e-6)
    assert result.objects.crs.to_epsg() == 32633


def test_verbs_on_the_tile(vlm: Any, tile: Path, tmp_path: Path) -> None:
    import rsvlm_geo

    caption = rsvlm_geo.caption(tile, model=vlm)
    assert list(caption.answers["answer"]) == ["A harbor with two ships."]
    count = rsvlm_geo.count(tile, "ship", model=vlm)
    assert count.total is not None and count.total.value == 2
    presence = rsvlm_geo.presence(tile, "ship", model=vlm)
    assert list(presence.answers["answer"]) == ["yes"]
    [saved] = count.save(tmp_path / "ships.gpkg")
    assert saved.stat().st_size > 0
