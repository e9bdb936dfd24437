"""Scenes with vectors over them become annotated tiles."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from click.testing import CliRunner
from rasterio.transform import from_origin

from rsvlm_geo.annotated import read_annotated
from rsvlm_geo.captions.cli import captions as command
from rsvlm_geo.captions.tiles import cut_tiles
from rsvlm_geo.errors import DataError


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    path = tmp_path / "town.tif"
    pixels = np.random.default_rng(0).integers(40, 200, (3, 128, 192), dtype=np.uint8)
    with rasterio.open(
        path, "w", driver="GTiff", width=192, height=128, count=3, dtype="uint8",
        crs="EPSG:32618", transform=from_origin(500000, 4600000, 0.5, 0.5),
    ) as dst:  # fmt: skip
        dst.write(pixels)
    return path


def houses(path: Path) -> Path:
    def box(col: float, row: float, side: float) -> shapely.Polygon:
        x, y = 500000 + 0.5 * col, 4600000 - 0.5 * row
        return shapely.box(x, y - 0.5 * side, x + 0.5 * side, y)

    shapes = [box(10, 10, 20), box(60, 20, 10), box(500, 500, 20)]
    frame = gpd.GeoDataFrame({"kind": ["Building", None, "Building"]}, geometry=shapes, crs=32618)
    frame.to_crs(4326).to_file(path)
    return path


def test_features_land_on_their_tiles(tmp_path: Path, scene: Path) -> None:
    vectors = houses(tmp_path / "v.gpkg")
    path = cut_tiles(
        scene, tmp_path / "t", size_px=64, vectors=vectors, class_column="kind",
        default_class="shed", licence="CC0",
    )  # fmt: skip
    images = read_annotated(path)
    assert len(images) == 6
    by_id = {i.id: i for i in images}
    first = by_id["town_0_0"]
    building = first.of("building")[0]
    assert building.bbox == pytest.approx((10, 10, 30, 30), abs=0.2)
    # four of the shed's ten columns lie on the first tile: more than a third
    assert first.of("shed")[0].bbox == pytest.approx((60, 20, 64, 30), abs=0.2)
    assert by_id["town_0_1"].of("shed")[0].bbox == pytest.approx((0, 20, 6, 30), abs=0.2)
    assert first.complete == {"building", "shed"}
    assert first.gsd_m == pytest.approx(0.5, rel=0.01)
    assert by_id["town_1_2"].boxes == ()
    with pytest.raises(DataError, match="no column 'type'"):
        cut_tiles(scene, tmp_path / "t", vectors=vectors, class_column="type")
    with pytest.raises(DataError, match="a column or a name"):
        cut_tiles(scene, tmp_path / "t", vectors=vectors)


def test_from_scene_to_captions(tmp_path: Path, scene: Path) -> None:
    vectors = houses(tmp_path / "v.gpkg")
    run = CliRunner().invoke(command, [
        "tiles", str(scene), "--out", str(tmp_path / "t"), "--size", "64", "--vectors",
        str(vectors), "--class-name", "building", "--licence", "CC0",
    ])  # fmt: skip
    assert run.exit_code == 0, run.output
    run = CliRunner().invoke(
        command, ["mpgi", str(tmp_path / "t" / "town.jsonl"), "--out", str(tmp_path / "c")]
    )
    assert "2 captioned" in run.output
    assert "4 of which nothing is known" in run.output
