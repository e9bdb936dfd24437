"""Searching a scene by words: index, ranking, heat map, on scenes whose answer is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import Affine, from_origin

import rsvlm_geo
from rsvlm_geo.errors import (
    AoiError,
    DataError,
    MissingDependencyError,
    OutputError,
    ResumeError,
    TaskError,
)
from rsvlm_geo.metrics.selo import selo
from rsvlm_geo.retrieval import Collection, TileIndex, VectorSearch, index_scene, read_index
from rsvlm_geo.retrieval.collection import join_indexes
from rsvlm_geo.retrieval.embedder import unit
from rsvlm_geo.retrieval.heatmap import make_heatmap
from rsvlm_geo.retrieval.searching import SearchResult, search

RED = (150, 60, 64)  # column, row, side of the red square


def scene(path: Path, *, rotated: bool = False, holes: bool = False) -> Path:
    rng = np.random.default_rng(0)
    pixels = rng.integers(90, 120, (3, 256, 320), dtype=np.uint8)
    x, y, s = RED
    pixels[0, y : y + s, x : x + s] = 250
    pixels[1:, y : y + s, x : x + s] = 5
    transform = from_origin(500000, 4600000, 0.5, 0.5)
    if rotated:
        transform = transform * Affine.rotation(30)
    profile: dict[str, Any] = {
        "driver": "GTiff", "height": 256, "width": 320, "count": 3, "dtype": "uint8",
        "crs": "EPSG:32618", "transform": transform,
    }  # fmt: skip
    if holes:
        pixels[:, :, :80] = 0
        profile["nodata"] = 0
    with rasterio.open(path, "w", **profile) as dst:
        dst.write(pixels)
    return path


@pytest.mark.parametrize("rotated", [False, True])
def test_the_red_square_is_found(tmp_path: Path, colours: Any, rotated: bool) -> None:
    path = scene(tmp_path / "s.tif", rotated=rotated)
    found = search(path, "a red roof", model=colours, k=3)
    assert isinstance(found, SearchResult)
    best = found.tiles.iloc[0]
    x, y, s = RED
    overlap_x = min(best.col_off + best.width, x + s) - max(best.col_off, x)
    overlap_y = min(best.row_off + best.height, y + s) - max(best.row_off, y)
    assert overlap_x > 0
    assert overlap_y > 0
    assert list(found.tiles["rank"]) == [1, 2, 3]
    assert best.similarity > found.tiles.iloc[-1].similarity
    heat = found.heat.heat
    row, col = np.unravel_index(np.nanargmax(heat), heat.shape)
    cell = found.heat.cell_px
    assert x - cell <= col * cell <= x + s
    assert y - cell <= row * cell <= y + s
    with rasterio.open(path) as src:
        centre = src.transform * (x + s / 2, y + s / 2)
    assert best.geometry.distance(shapely.Point(*centre)) < 20
    with pytest.raises(OutputError, match="the run reads it"):
        found.write(path)
    out = found.write(tmp_path / "heat.tif")
    with rasterio.open(out) as dst, rasterio.open(path) as src:
        assert dst.profile["tiled"]
        assert dst.crs == src.crs
        assert dst.tags()["text"] == "a red roof"
        corner = dst.transform * (col + 0.5, row + 0.5)
        where = ~src.transform * corner
        assert x - cell <= where[0] <= x + s + cell
        assert y - cell <= where[1] <= y + s + cell
        assert dst.read(1)[row, col] == pytest.approx(1.0)


def test_heat_maps_are_judged_by_selo(tmp_path: Path, colours: Any) -> None:
    found = search(scene(tmp_path / "s.tif"), "red", model=colours)
    heat = np.nan_to_num(found.heat.heat).astype(float)
    x, y, s = (v / found.heat.cell_px for v in RED)
    ring = [(x, y), (x + s, y), (x + s, y + s), (x, y + s)]
    right = selo(heat, [ring], soften_px=3, window_px=30)
    wrong = selo(heat, [[(0, 40), (10, 40), (10, 50), (0, 50)]], soften_px=3, window_px=30)
    assert right.rmi > wrong.rmi + 0.3


def test_nodata_is_not_searched_and_stays_empty(tmp_path: Path, colours: Any) -> None:
    found = search(scene(tmp_path / "s.tif", holes=True), "red", model=colours, scales=(1.0,))
    assert np.isnan(found.heat.similarity[:, 0]).all()
    assert (found.index.tiles["valid_frac"] > 0).all()
    # tiles at the edge reach over it, their heat does not
    assert np.isnan(found.heat.similarity[:, : int(80 / found.heat.cell_px)]).all()
    assert (found.tiles["valid_frac"] >= 0.5).all()


def test_what_is_nowhere_is_said(tmp_path: Path, colours: Any) -> None:
    found = search(scene(tmp_path / "s.tif"), "green", model=colours)
    assert found.notes
    assert "better than everything else" in found.notes[0]


def test_index_round_trip_and_refusals(tmp_path: Path, colours: Any) -> None:
    path = scene(tmp_path / "s.tif")
    index, failed = index_scene(path, colours)
    assert failed == 0
    file = index.write(tmp_path / "i.parquet")
    again = read_index(file)
    assert np.array_equal(again.vectors, index.vectors)
    assert again.tiles.crs == index.tiles.crs
    assert list(again.tiles["tile_id"]) == list(index.tiles["tile_id"])
    one = search(path, "red", model=colours, index=file)
    two = search(path, "red", model=colours)
    assert list(one.tiles["tile_id"]) == list(two.tiles["tile_id"])
    other = TileIndex(index.tiles, index.vectors, "other", "1" * 64)
    with pytest.raises(ResumeError, match="made with other"):
        search(path, "red", model=colours, index=other)
    with pytest.raises(TaskError, match="empty text"):
        search(path, "  ", model=colours)
    elsewhere = scene(tmp_path / "t.tif")
    with pytest.raises(TaskError, match="no tile of t"):
        search(elsewhere, "red", model=colours, index=index)
    (tmp_path / "bad.parquet").write_bytes(b"no")
    with pytest.raises(DataError, match="not an index"):
        read_index(tmp_path / "bad.parquet")


@pytest.mark.parametrize("runtime", [True, False])
def test_large_indexes_give_the_exact_answer(
    runtime: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if runtime:
        pytest.importorskip("onnxruntime")
    else:

        def absent() -> None:
            raise MissingDependencyError("onnxruntime is not here")

        monkeypatch.setattr("rsvlm_geo.model.providers.import_onnxruntime", absent)
    # shards of 4,096 vectors: the last one is smaller
    monkeypatch.setattr("rsvlm_geo.retrieval.scan._SHARD_BYTES", 64 << 12)
    rng = np.random.default_rng(4)
    # as CLIP's vectors are: around a mean far from nought, and one number larger than all others
    vectors = unit(rng.normal(size=(20_000, 64)) + 2 * rng.normal(size=64))
    vectors[:, 3] *= 4
    vectors = unit(vectors)
    engine = VectorSearch(vectors, small=1000, rescore=400, threads=1)
    assert len(engine._scans) == (5 if runtime else 0)
    for _ in range(5):
        query = unit(rng.normal(size=(1, 64)))[0]
        ids, scores = engine.search(query, 20)
        exact = np.argsort(-(vectors @ query), kind="stable")[:20]
        assert ids.tolist() == exact.tolist()
        assert scores == pytest.approx(vectors[exact] @ query, abs=1e-6)
    assert len(engine.search(query, 0)[0]) == 0
    vectors[5, 5] = np.nan
    with pytest.raises(DataError, match="finite"):
        VectorSearch(vectors)


def test_processors_without_eight_bit_products_do_not_overflow() -> None:
    """Two products of the largest numbers fit sixteen bits, as such processors add them."""
    from rsvlm_geo.retrieval.scan import _in_bytes

    vectors = unit(np.random.default_rng(0).normal(size=(300, 16)))
    (columns, scales), *more = _in_bytes(vectors)
    assert not more
    assert 2 * 255 * int(np.abs(columns.astype(int)).max()) < 2**15
    assert np.abs(columns.T * scales[:, None] + vectors.mean(0) - vectors).max() < scales.max()


def test_a_collection_is_searched_at_once(tmp_path: Path, colours: Any) -> None:
    one, two = scene(tmp_path / "one.tif"), scene(tmp_path / "two.tif")
    parts = [index_scene(path, colours)[0] for path in (one, two)]
    file = join_indexes(parts).write(tmp_path / "both.parquet")
    found = Collection(file, colours).search("red", k=4)
    assert found.searched == sum(map(len, parts))
    assert set(found.tiles["scene"][:2]) == {"one", "two"}
    alone = search(one, "red", model=colours, k=1).tiles.iloc[0]
    assert alone.similarity == pytest.approx(found.tiles.iloc[0].similarity)
    assert "one" in str(found)
    with pytest.raises(DataError, match="two scenes are called one"):
        join_indexes([parts[0], parts[0]])
    with pytest.raises(TaskError, match="empty text"):
        Collection(file, colours).search(" ")


def test_an_index_is_searched_within_an_area(tmp_path: Path, colours: Any) -> None:
    path = scene(tmp_path / "s.tif")
    index, _ = index_scene(path, colours)
    left = shapely.box(500000, 4599872, 500040, 4600000)
    import geopandas as gpd

    aoi = gpd.GeoSeries([left], crs="EPSG:32618")
    found = search(path, "red", model=colours, index=index, aoi=aoi)
    assert (found.tiles["col_off"] <= 80).all()
    with pytest.raises(AoiError, match="outside"):
        search(path, "red", model=colours, index=index, aoi=(0.0, 0.0, 0.1, 0.1))


def test_indexes_of_other_formats(tmp_path: Path, colours: Any) -> None:
    """The first format is read, a later one is refused in one sentence."""
    import json

    import pyarrow as pa
    import pyarrow.parquet as pq

    index, _ = index_scene(scene(tmp_path / "s.tif"), colours)
    file = index.write(tmp_path / "i.parquet")
    table = pq.read_table(file)
    meta = dict(table.schema.metadata)
    lists = pa.array(list(index.vectors))  # lists of any length, as they were written first
    old = table.drop_columns("embedding").append_column("embedding", lists)
    said = {"model": index.model, "sha256": index.sha256}
    for change, name in ((said, "old"), ({**said, "format": 99}, "new")):
        told = {**meta, b"rsvlm_index": json.dumps(change).encode()}
        pq.write_table(old.replace_schema_metadata(told), tmp_path / f"{name}.parquet")
    assert np.array_equal(read_index(tmp_path / "old.parquet").vectors, index.vectors)
    with pytest.raises(DataError, match="format 99 and this rsvlm-geo reads up to 2; upgrade"):
        read_index(tmp_path / "new.parquet")


def test_heat_of_a_cell_is_the_mean_of_its_tiles() -> None:
    windows = np.array([(0, 0, 40, 40), (20, 0, 40, 40), (0, 0, 80, 80)], dtype=float)
    similarity = np.array([0.1, 0.3, 0.5], dtype=np.float32)
    half = np.array([[True, False]])
    masked = make_heatmap(
        windows, similarity, (80, 80), text="x", model="m", cells=2, valid=half, p=np.ones(3)
    )
    assert np.isnan(masked.similarity[:, 2:]).all()
    assert masked.p is not None
    assert masked.p[:, :2] == pytest.approx(1.0)
    made = make_heatmap(windows, similarity, (80, 80), text="x", model="m", cells=2)
    assert made.cell_px == 20
    expected = np.array([(0.3, 0.3, 0.4, 0.5), (0.3, 0.3, 0.4, 0.5), (0.5,) * 4, (0.5,) * 4])
    assert made.similarity == pytest.approx(expected)
    assert made.heat.max() == pytest.approx(1.0)


def test_the_package_offers_it() -> None:
    assert rsvlm_geo.search is search
