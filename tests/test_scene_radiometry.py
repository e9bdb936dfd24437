"""What a model is shown: contrast where there is data, nothing invented where there is not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from factories import make_scene
from numpy.typing import NDArray

from rsvlm_geo import open_scene
from rsvlm_geo.errors import RadiometryWarning, SceneContentError
from rsvlm_geo.grid import Tile, Window
from rsvlm_geo.scene import Stretch, TileReader
from rsvlm_geo.scene.radiometry import BlockSample, apply_stretch, make_tables, weighted_percentiles

Make = Callable[..., Path]


def shown(path: Path, **options: object) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Every pixel as a model sees it, at native resolution."""
    scene = open_scene(path, **options)
    with TileReader(scene, 64) as reader:
        image, valid = reader.read_window(scene.window, (scene.height, scene.width))
    return image, np.ones(image.shape[:2], bool) if valid is None else valid


def levels(values: NDArray[np.uint8]) -> int:
    return len(np.unique(values))


def test_uint16_of_12_bits_keeps_its_contrast(scene_file: Make) -> None:
    image, valid = shown(scene_file(dtype="uint16", noise=True))
    assert valid.all()
    assert levels(image) >= 200
    assert 100 < image.mean() < 155


def test_reflectance_with_a_quarter_of_nodata(scene_file: Make) -> None:
    hole = [(0, 0, 700, 175)]
    image, valid = shown(scene_file(dtype="float32", noise=True, nodata=-9999.0, holes=hole))
    assert valid.mean() == pytest.approx(0.75)
    assert levels(image[valid]) >= 200
    assert 100 < image[valid].mean() < 155
    assert (image[~valid] == 0).all()


@pytest.mark.parametrize("fill", [-9999.0, np.nan, -3.4028234663852886e38, np.inf])
def test_fill_that_floats_hide_undeclared(tmp_path: Path, fill: float) -> None:
    path = make_scene(tmp_path / "a.tif", dtype="float32", noise=True)
    import rasterio

    with rasterio.open(path, "r+") as dataset:
        image = dataset.read()
        image[:, :175] = fill
        dataset.write(image)
    if fill in (-9999.0, -3.4028234663852886e38):
        with pytest.warns(RadiometryWarning, match=re.escape(f"takes {fill:g} as nodata")):
            image8, valid = shown(path)
    else:
        image8, valid = shown(path)
    assert valid.mean() == pytest.approx(0.75)
    assert levels(image8[valid]) >= 200
    assert 100 < image8[valid].mean() < 155


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
@pytest.mark.parametrize("nodata", [0.0, None])
def test_half_empty_mosaics(tmp_path: Path, dtype: str, nodata: float | None) -> None:
    hole = [(0, 0, 350, 700)]
    path = make_scene(tmp_path / "m.tif", dtype=dtype, noise=True, nodata=nodata, holes=hole)
    if nodata is None:
        with pytest.warns(RadiometryWarning, match="takes 0 as nodata"):
            image, valid = shown(path)
    else:
        image, valid = shown(path)
    assert valid.mean() == pytest.approx(0.5)
    assert levels(image[valid]) >= 200


@pytest.mark.parametrize("dtype", ["uint16", "float32", "float64"])
def test_one_band_keeps_its_contrast(scene_file: Make, dtype: str) -> None:
    image, _ = shown(scene_file(dtype=dtype, bands=1, noise=True))
    assert levels(image[..., 0]) >= 200
    assert (image[..., 0] == image[..., 1]).all()


def test_saturation_is_no_fill(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    image = np.clip(rng.normal(50_000, 12_000, (3, 600, 600)), 1, 65_535).astype("uint16")
    path = tmp_path / "s.tif"
    import rasterio

    make_scene(path, width=600, height=600, dtype="uint16")
    with rasterio.open(path, "r+") as dataset:
        dataset.write(image)
    _, valid = shown(path)
    assert valid.all()


def test_a_dark_8_bit_scene_stays_dark(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    dark = rng.integers(3, 40, (3, 300, 300)).astype("uint8")
    path = make_scene(tmp_path / "d.tif", width=300, height=300)
    import rasterio

    with rasterio.open(path, "r+") as dataset:
        dataset.write(dark)
    image, valid = shown(path)
    assert (image == dark.transpose(1, 2, 0)).all()
    assert valid.all()


def test_black_shadows_in_8_bits_are_data(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    image = np.clip(rng.normal(30, 25, (1, 300, 300)), 0, 255).astype("uint8").repeat(3, axis=0)
    path = make_scene(tmp_path / "s.tif", width=300, height=300)
    import rasterio

    with rasterio.open(path, "r+") as dataset:
        dataset.write(image)
    assert (image == 0).all(axis=0).mean() > 0.05
    assert shown(path)[1].all()


def test_nodata_counts_only_where_all_bands_have_it(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "n.tif", width=64, height=64, nodata=0)
    import rasterio

    with rasterio.open(path, "r+") as dataset:
        image = dataset.read()
        image[0, :10] = 0
        image[:, :, :5] = 0
        dataset.write(image)
    _, valid = shown(path)
    assert not valid[:, :5].any()
    assert valid[:, 5:].all()


def test_alpha_outranks_mask_and_nodata(tmp_path: Path) -> None:
    import rasterio

    path = tmp_path / "a.tif"
    image = np.full((4, 64, 64), 9, np.uint8)
    image[3, :, :20] = 0
    image[3, :, 20:] = 255
    with rasterio.open(path, "w", driver="GTiff", count=4, width=64, height=64, dtype="uint8",
                       crs="EPSG:32633", transform=rasterio.Affine(1, 0, 5e5, 0, -1, 5e6),
                       nodata=9, photometric="rgb", alpha="yes") as out:  # fmt: skip
        out.write(image)
    scene = open_scene(path)
    assert scene.mask == "alpha"
    _, valid = shown(path)
    assert not valid[:, :20].any()
    assert valid[:, 20:].all()
    assert shown(path, nodata=False)[1].all()
    assert not shown(path, nodata=9)[1].any()


@pytest.mark.parametrize("size", [32, 50, 64, 100])
def test_mask_bands_hold_at_every_scale(tmp_path: Path, size: int) -> None:
    import rasterio

    path = make_scene(tmp_path / "m.tif", width=200, height=200)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
        mask = np.full((200, 200), 255, np.uint8)
        mask[:, :100] = 0
        dataset.write_mask(mask)
    scene = open_scene(path)
    assert scene.mask == "mask"
    tile = Tile(0, 0, Window(50, 50, 100, 64), Window(50, 50, 100, 64))
    with TileReader(scene, size) as reader:
        image = reader.read(tile)
    assert image.valid is not None
    assert image.valid_frac == pytest.approx(0.5, abs=1.0 / size)
    assert image.valid[:, size // 2 + 1 :].all()
    assert not image.valid[:, : size // 2 - 1].any()


def test_nodata_does_not_bleed_into_its_neighbours(tmp_path: Path) -> None:
    for declared in (True, False):
        path = make_scene(tmp_path / f"{declared}.tif", dtype="float32", width=600, height=600,
                          noise=True, nodata=-9999.0 if declared else None)  # fmt: skip
        import rasterio

        with rasterio.open(path, "r+") as dataset:
            image = dataset.read()
            image[:, :, 100:250] = -9999.0
            dataset.write(image)
        if declared:
            scene = open_scene(path)
        else:
            with pytest.warns(RadiometryWarning):
                scene = open_scene(path)
        plain = open_scene(make_scene(tmp_path / "p.tif", dtype="float32", width=600, height=600,
                                      noise=True), stretch=scene.stretch)  # fmt: skip
        for out in (97, 231):
            with TileReader(scene, 64) as a, TileReader(plain, 64) as b:
                image8, valid = a.read_window(scene.window, (out, out))
                want, _ = b.read_window(scene.window, (out, out))
            assert valid is not None
            inner = valid[:, : int(100 / 600 * out) - 2]
            assert inner.all()
            cols = slice(0, int(100 / 600 * out) - 2)
            assert (image8[:, cols] == want[:, cols]).all()


def test_joint_keeps_colours_and_auto_gives_way_to_bands_apart(tmp_path: Path) -> None:
    import rasterio

    rng = np.random.default_rng(0)
    for name, spans in (("alike", ((400, 2800), (500, 2600), (450, 2900))),
                        ("apart", ((9000, 9900), (7000, 8600), (200, 4000)))):  # fmt: skip
        image = np.stack([rng.integers(lo, hi, (600, 600)) for lo, hi in spans]).astype("uint16")
        path = make_scene(tmp_path / f"{name}.tif", dtype="uint16", width=600, height=600)
        with rasterio.open(path, "r+") as dataset:
            dataset.write(image)
        assert open_scene(path).stretch.mode == {"alike": "joint", "apart": "per_band"}[name]
        assert len(set(open_scene(path, stretch="joint").stretch.low)) == 1
        per_band = open_scene(path, stretch="per_band").stretch
        for c in range(3):
            low, high = np.percentile(image[c], (2, 98))
            span = high - low
            assert per_band.low[c] == pytest.approx(low, abs=0.02 * span)
            assert per_band.high[c] == pytest.approx(high, abs=0.02 * span)


def test_a_stretch_may_be_given_and_shared(scene_file: Make) -> None:
    path = scene_file(dtype="uint16", noise=True)
    scene = open_scene(path, stretch=(0, 4000))
    assert scene.stretch.low == (0.0, 0.0, 0.0)
    assert open_scene(path, stretch=scene.stretch).stretch == scene.stretch
    with pytest.raises(SceneContentError, match="low < high"):
        open_scene(path, stretch=(5, 5))
    with pytest.raises(SceneContentError, match="the stretch has 3 bands, the scene shows 1"):
        open_scene(path, bands=[1], stretch=scene.stretch)


def test_the_stretch_is_the_same_every_time(scene_file: Make) -> None:
    path = scene_file(dtype="float32", noise=True, width=3000, height=900)
    one, two = open_scene(path), open_scene(path)
    assert one.stretch == two.stretch
    assert one.provenance()["stretch"]["percentiles"] == [2.0, 98.0]


def test_64_blocks_of_a_large_scene(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "l.tif", dtype="uint16", width=6000, height=5000, bands=1,
                      noise=True, blockxsize=512, blockysize=512)  # fmt: skip
    assert open_scene(path).stretch.blocks == 64


# ---------------------------------------------------------------- pure


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_tables_are_the_float_formula(dtype: str) -> None:
    info = np.iinfo(dtype)
    every = np.arange(info.min, info.max + 1).astype(dtype).reshape(-1, 1, 1)
    stretch = Stretch("linear", (100.0,), (213.0,), "given")
    tables = make_tables(stretch, np.dtype(dtype))
    by_table = np.empty((*every.shape[:2], 3), np.uint8)
    apply_stretch(every, stretch, tables, by_table)
    by_formula = np.empty_like(by_table)
    apply_stretch(every, stretch, None, by_formula)
    assert (by_table == by_formula).all()
    values = every[:, 0, 0].astype(float)
    want = np.floor(np.clip((values - 100) * 255 / 113 + 0.5, 0, 255))
    assert (by_table[:, 0, 0] == want).all()


def test_weighted_percentiles_against_numpy() -> None:
    rng = np.random.default_rng(0)
    data = rng.integers(0, 300, 5000)
    values, counts = np.unique(data, return_counts=True)
    got = weighted_percentiles(values.astype(float), counts, (2.0, 98.0))
    want = np.percentile(data, (2, 98), method="inverted_cdf")
    assert got == tuple(want)


def test_a_constant_scene_is_grey_not_an_error() -> None:
    sample = BlockSample(np.dtype("uint16"), 1)
    sample.add(np.full((1, 50, 50), 700, np.uint16), None)
    low, high, _ = sample.limits("auto")
    assert low[0] < 700 < high[0]


def test_a_sample_without_pixels_is_refused() -> None:
    sample = BlockSample(np.dtype("float32"), 1)
    sample.add(np.full((1, 50, 50), np.nan, np.float32), None)
    with pytest.raises(SceneContentError, match="no valid pixel"):
        sample.limits("auto")
