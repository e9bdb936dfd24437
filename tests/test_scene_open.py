"""Opening: bands, validity, GSD, georeference; and one clear sentence for what cannot be opened."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from factories import at, make_scene, make_transform
from pyproj import Geod
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp
from rasterio.rpc import RPC

from rsvlm_geo import open_scene
from rsvlm_geo.errors import (
    GeorefWarning,
    MissingCRSError,
    RadiometryWarning,
    SceneContentError,
    SceneError,
    SceneNotFoundError,
    SceneUnreadableError,
)
from rsvlm_geo.scene import BandPart, Scene

Make = Callable[..., Path]


# ---------------------------------------------------------------- bands


def write(path: Path, image: np.ndarray, **options: object) -> Path:
    colors = options.pop("colors", None)
    names = options.pop("names", None)
    with rasterio.open(
        path, "w", driver="GTiff", count=len(image), height=image.shape[1], width=image.shape[2],
        dtype=image.dtype, crs="EPSG:32633", transform=make_transform(), **options,
    ) as dataset:  # fmt: skip
        if colors:
            dataset.colorinterp = colors
        for i, name in enumerate(names or (), start=1):
            dataset.set_band_description(i, name)
        dataset.write(image)
    return path


def flat(*levels: int, dtype: str = "uint8", side: int = 32) -> np.ndarray:
    return np.stack([np.full((side, side), v, dtype) for v in levels])


def test_colours_decide_the_bands(tmp_path: Path) -> None:
    order = [ColorInterp.blue, ColorInterp.green, ColorInterp.red, ColorInterp.undefined]
    scene = open_scene(write(tmp_path / "a.tif", flat(1, 2, 3, 4), colors=order))
    assert scene.indexes == (3, 2, 1)
    assert scene.bands.reason == "colour interpretation"
    assert scene.preview()[0][0, 0].tolist() == [3, 2, 1]
    assert any("others are not used" in note for note in scene.provenance()["notes"])


@pytest.mark.parametrize(
    ("names", "indexes"),
    [
        (("B02 blue", "B03 green", "B04 red", "B08 nir"), (3, 2, 1)),
        (("nir", "red", "green", "blue"), (2, 3, 4)),
        (("Coastal", "Blue", "Green I", "Green", "Yellow", "Red", "RedEdge", "NIR"), (6, 4, 2)),
    ],
)
def test_names_decide_where_colours_do_not(
    tmp_path: Path, names: tuple[str, ...], indexes: tuple[int, ...]
) -> None:
    image = flat(*range(1, len(names) + 1))
    grey = [ColorInterp.gray] + [ColorInterp.undefined] * (len(names) - 1)
    scene = open_scene(write(tmp_path / "a.tif", image, colors=grey, names=names))
    assert scene.indexes == indexes


def test_many_bands_without_names_say_so(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", flat(1, 2, 3, 4, 5), photometric="minisblack")
    with pytest.warns(RadiometryWarning, match=r"shows bands 1, 2, 3 as red, green, blue"):
        scene = open_scene(path)
    assert scene.indexes == (1, 2, 3)
    assert any("choose with --bands R,G,B (bands= in Python)" in note for note in scene.notes)


def test_bands_may_be_asked_for_by_number_or_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", flat(1, 2, 3, 4), names=("red", "green", "blue", "nir"))
    assert open_scene(path, bands=(4, 1, 2)).indexes == (4, 1, 2)
    assert open_scene(path, bands=("nir", "red", "green")).indexes == (4, 1, 2)
    one = open_scene(path, bands=[2])
    assert one.indexes == (2,)
    assert one.panchromatic
    with pytest.raises(SceneContentError, match=r"bands 1 to 4; got 9"):
        open_scene(path, bands=(1, 2, 9))
    with pytest.raises(SceneContentError, match=r"no band named 'swir'; it has red, green"):
        open_scene(path, bands=("swir", "red", "green"))
    with pytest.raises(SceneContentError, match="three bands, or one"):
        open_scene(path, bands=(1, 2))


def test_a_single_band_is_panchromatic(scene_file: Make) -> None:
    scene = open_scene(scene_file(bands=1, noise=True))
    assert scene.panchromatic
    assert scene.provenance()["panchromatic"] is True
    image, _ = scene.preview(64)
    assert (image[..., 0] == image[..., 2]).all()


def test_a_palette_is_shown_in_its_colours(tmp_path: Path) -> None:
    image = np.zeros((1, 32, 32), np.uint8)
    image[0, :, 16:] = 7
    path = tmp_path / "p.tif"
    with rasterio.open(path, "w", driver="GTiff", count=1, width=32, height=32, dtype="uint8",
                       crs="EPSG:32633", transform=make_transform()) as dataset:  # fmt: skip
        dataset.write(image)
        dataset.write_colormap(1, {0: (10, 20, 30, 255), 7: (200, 100, 50, 255)})
    scene = open_scene(path)
    assert not scene.panchromatic
    shown, valid = scene.preview(32)
    assert shown[0, 0].tolist() == [10, 20, 30]
    assert shown[0, 31].tolist() == [200, 100, 50]
    assert valid.all()


def test_single_band_files_stack_with_names_and_scales(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{n}.tif", flat(v)) for n, v in (("r", 9), ("g", 60), ("b", 200))]
    scene = open_scene([str(p) for p in paths])
    assert scene.bands.reason == "band names"
    image, valid = scene.preview(32)
    assert image[5, 5].tolist() == [9, 60, 200]
    assert valid.all()
    again = pickle.loads(pickle.dumps(scene))
    assert (again.preview(32)[0] == image).all()
    parts = [BandPart(str(paths[2]), 1, "blue"), BandPart(str(paths[0]), 1, "red", scale=0.5),
             BandPart(str(paths[1]), 1, "green")]  # fmt: skip
    mixed = open_scene(parts)
    assert mixed.preview(32)[0][5, 5].tolist() == [9, 60, 200]
    assert mixed.facts.scales == (1.0, 0.5, 1.0)


def test_a_stack_of_mixed_resolution_lies_on_the_first_grid(tmp_path: Path) -> None:
    fine = write(tmp_path / "fine.tif", flat(50, side=64))
    with rasterio.open(
        tmp_path / "coarse.tif", "w", driver="GTiff", count=1, width=32, height=32, dtype="uint8",
        crs="EPSG:32633", transform=make_transform(1.0),
    ) as dataset:  # fmt: skip
        half = np.full((1, 32, 32), 10, np.uint8)
        half[0, :, 16:] = 90
        dataset.write(half)
    scene = open_scene([fine, tmp_path / "coarse.tif", fine])
    assert (scene.width, scene.height) == (64, 64)
    image, _ = scene.preview(64)
    assert image[10, 10].tolist() == [50, 10, 50]
    assert image[10, 60].tolist() == [50, 90, 50]


def test_a_stack_of_different_places_is_refused(tmp_path: Path, scene_file: Make) -> None:
    here = write(tmp_path / "a.tif", flat(1))
    there = scene_file("b.tif", width=32, height=32, bands=1, origin=(400_000.0, 5_000_000.0))
    with pytest.raises(SceneContentError, match="does not cover the same ground"):
        open_scene([here, there, here])


# ---------------------------------------------------------------- ground


@pytest.mark.parametrize(
    ("crs", "res", "origin", "rotation"),
    [
        ("EPSG:32633", 0.5, (500_000.0, 5_200_000.0), 0.0),
        ("EPSG:32633", 0.5, (500_000.0, 5_200_000.0), 30.0),
        ("EPSG:32633", (0.5, 1.5), (500_000.0, 5_200_000.0), 30.0),
        ("EPSG:4326", 1e-5, (10.0, 60.0), 0.0),
        ("EPSG:4326", 1e-5, (179.999, -17.0), 0.0),
        ("EPSG:2263", 2.0, (980_000.0, 200_000.0), 0.0),
        ("EPSG:3857", 0.6, (1_100_000.0, 8_400_000.0), 0.0),
    ],
)
def test_gsd_is_metres_on_the_ground(
    scene_file: Make, crs: str, res: float, origin: tuple[float, float], rotation: float
) -> None:
    path = scene_file(crs=crs, res=res, origin=origin, rotation=rotation, width=300, height=200)
    scene = open_scene(path)
    assert scene.gsd_x_m is not None
    assert scene.gsd_y_m is not None
    with rasterio.open(path) as dataset:
        centre = at(dataset.transform, 150, 100)
        across = at(dataset.transform, 151, 100)
        down = at(dataset.transform, 150, 101)
    from pyproj import Transformer

    to = Transformer.from_crs(crs, 4326, always_xy=True)
    (lon, lat), (lon1, lat1), (lon2, lat2) = (to.transform(*p) for p in (centre, across, down))
    geod = Geod(ellps="WGS84")
    assert math.isclose(scene.gsd_x_m, geod.inv(lon, lat, lon1, lat1)[2], rel_tol=1e-3)
    assert math.isclose(scene.gsd_y_m, geod.inv(lon, lat, lon2, lat2)[2], rel_tol=1e-3)


def test_feet_are_not_metres(scene_file: Make) -> None:
    scene = open_scene(scene_file(crs="EPSG:2263", res=1.0, origin=(980_000.0, 200_000.0)))
    assert scene.gsd_m == pytest.approx(0.3048, rel=1e-3)


def test_pixels_and_map_are_inverse(scene_file: Make) -> None:
    scene = open_scene(scene_file(rotation=30, res=(0.5, 0.8)))
    xy = np.random.default_rng(0).uniform(0, 700, (50, 2))
    assert np.allclose(scene.to_pixels(scene.to_map(xy)), xy, atol=1e-6)
    left, bottom, right, top = scene.bounds
    assert left < right
    assert bottom < top


def test_no_crs_runs_in_pixels_and_says_so(scene_file: Make) -> None:
    path = scene_file(crs=None)
    scene = open_scene(path)
    assert scene.crs is None
    assert scene.gsd_m is None
    assert not scene.georeferenced
    assert scene.provenance()["geo_accuracy"] == "pixels"
    assert any("pixels" in note for note in scene.notes)
    assert scene.to_map(np.array([[3.0, 4.0]])).tolist() == [[3.0, 4.0]]
    with pytest.raises(MissingCRSError, match="crs= in Python"):
        scene.bbox()
    assert any("ground scale unknown" in note for note in scene.notes)
    told = open_scene(path, gsd_m=0.25)
    assert told.gsd_m == 0.25 and not any("scale" in note for note in told.notes)


def test_a_crs_may_be_given(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    image = flat(1, 2, 3)
    with rasterio.open(path, "w", driver="GTiff", count=3, width=32, height=32, dtype="uint8",
                       transform=make_transform()) as dataset:  # fmt: skip
        dataset.write(image)
    assert any("no CRS" in note for note in open_scene(path).notes)
    scene = open_scene(path, crs="EPSG:32633")
    assert scene.gsd_m == pytest.approx(0.5, rel=1e-3)
    with pytest.raises(MissingCRSError, match="'nonsense' names no CRS"):
        open_scene(path, crs="nonsense")


def gcps_of(transform: rasterio.Affine, bend: float = 0.0) -> list[GroundControlPoint]:
    points = []
    for row in (0, 150, 300):
        for col in (0, 200, 400):
            x, y = at(transform, col, row)
            points.append(GroundControlPoint(row, col, x + bend * (col / 400) ** 2, y, 0.0))
    return points


def test_ground_control_points_place_a_scene(tmp_path: Path) -> None:
    path = tmp_path / "g.tif"
    points = gcps_of(make_transform(), bend=20.0)
    with rasterio.open(path, "w", driver="GTiff", count=3, width=400, height=300, dtype="uint8",
                       gcps=points, crs="EPSG:32633") as dataset:  # fmt: skip
        dataset.write(np.full((3, 300, 400), 9, np.uint8))
    scene = open_scene(path)
    assert scene.ground.kind == "gcps"
    assert scene.provenance()["geo_accuracy"] == "gcps_tps"
    spots = np.array([[p.col, p.row] for p in points], float)
    want = np.array([[p.x, p.y] for p in points])
    assert np.abs(scene.to_map(spots) - want).max() < 1e-3
    assert np.abs(scene.to_pixels(want) - spots).max() < 0.05
    assert scene.gsd_m == pytest.approx(0.5, rel=0.15)
    again = pickle.loads(pickle.dumps(scene))
    assert np.array_equal(again.to_map(spots), scene.to_map(spots))


def rpc_of(lon: float, lat: float) -> RPC:
    """A camera that looks straight down on a 400 x 300 scene of about 1 m."""
    zeros = [0.0] * 20
    return RPC(
        height_off=100.0, height_scale=500.0, lat_off=lat, lat_scale=0.0015, line_off=150.0,
        line_scale=150.0, long_off=lon, long_scale=0.002, samp_off=200.0, samp_scale=200.0,
        line_num_coeff=[0, 0, -1.0, 0.02, *zeros[4:]], line_den_coeff=[1.0, *zeros[1:]],
        samp_num_coeff=[0, 1.0, 0, 0.05, *zeros[4:]], samp_den_coeff=[1.0, *zeros[1:]],
        err_bias=None, err_rand=None,
    )  # fmt: skip


def test_rpcs_place_a_scene_and_say_how_well(tmp_path: Path) -> None:
    path = tmp_path / "r.tif"
    with rasterio.open(path, "w", driver="GTiff", count=3, width=400, height=300, dtype="uint8",
                       rpcs=rpc_of(11.0, 47.0)) as dataset:  # fmt: skip
        dataset.write(np.full((3, 300, 400), 9, np.uint8))
    with pytest.warns(GeorefWarning, match="without a DEM"):
        scene = open_scene(path)
    assert scene.ground.kind == "rpcs"
    assert scene.provenance()["geo_accuracy"] == "rpc_no_dem"
    centre = scene.to_map(np.array([[200.0, 150.0]]))[0]
    assert centre == pytest.approx([11.0, 47.0], abs=2e-5)
    xy = np.array([[10.0, 20.0], [390.0, 280.0]])
    assert np.abs(scene.to_pixels(scene.to_map(xy)) - xy).max() < 0.01
    high = open_scene(path, height_m=600.0)
    assert high.provenance()["geo_accuracy"] == "rpc_height"
    shift = np.abs(high.to_map(xy) - scene.to_map(xy)).max()
    assert shift > 1e-5, "height moves positions"


def test_bbox_crosses_the_antimeridian(scene_file: Make) -> None:
    scene = open_scene(
        scene_file(crs="EPSG:32601", res=10.0, origin=(400_000.0, 8_100_000.0), width=600)
    )
    west, _, east, _ = scene.bbox()
    assert west > 170
    assert east < -170


# ---------------------------------------------------------------- arrays and datasets


def test_xarray_in_its_usual_shapes(scene_file: Make) -> None:
    xr = pytest.importorskip("xarray")
    pytest.importorskip("rioxarray")
    path = scene_file(noise=True, width=300, height=260)
    with rasterio.open(path) as dataset:
        image = dataset.read()
    base = open_scene(path)
    lazy = xr.open_dataarray(path, engine="rasterio")
    decoded = lazy.load()  # float32, as xarray decodes any raster
    memory = xr.open_dataarray(path, engine="rasterio", mask_and_scale=False).load()
    for array in (memory, decoded, memory.transpose("y", "x", "band")):
        scene = open_scene(array)
        assert scene.transform == pytest.approx(base.transform)
        assert scene.gsd_m == pytest.approx(base.gsd_m)
        assert (scene.preview(300)[0] == image.transpose(1, 2, 0)).all()
    single = open_scene(memory[0])
    assert single.panchromatic
    part = open_scene(memory[:, 100:200, 50:150])
    assert (part.preview(100)[0] == image[:, 100:200, 50:150].transpose(1, 2, 0)).all()
    assert part.to_map(np.zeros((1, 2))) == pytest.approx(base.to_map(np.array([[50.0, 100.0]])))
    assert (pickle.loads(pickle.dumps(part)).preview(64)[0] == part.preview(64)[0]).all()


def test_xarray_resamples_as_a_file_does(scene_file: Make) -> None:
    pytest.importorskip("rioxarray")
    xr = pytest.importorskip("xarray")
    path = scene_file(noise=True, nodata=0, holes=[(100, 40, 160, 90)])
    array = xr.open_dataarray(path, engine="rasterio", mask_and_scale=False).load()
    for size in (300, 113):
        a, va = open_scene(path).preview(size)
        b, vb = open_scene(array).preview(size)
        assert (va == vb).all()
        assert (a == b).all()


def test_xarray_that_is_no_image_is_refused() -> None:
    xr = pytest.importorskip("xarray")
    with pytest.raises(SceneContentError, match=r"dims y and x \(and band\); got \('a', 'b'\)"):
        open_scene(xr.DataArray(np.zeros((4, 4)), dims=("a", "b")))
    with pytest.raises(SceneContentError, match="select one 'time' first"):
        open_scene(xr.DataArray(np.zeros((2, 3, 4, 4)), dims=("time", "band", "y", "x")))
    with pytest.raises(SceneContentError, match="not evenly spaced"):
        coords = {"x": [0.0, 1.0, 5.0, 6.0], "y": [3.0, 2.0, 1.0, 0.0]}
        open_scene(xr.DataArray(np.zeros((4, 4), "uint8"), dims=("y", "x"), coords=coords))


def test_an_open_dataset(scene_file: Make) -> None:
    path = scene_file(noise=True)
    with rasterio.open(path) as dataset:
        scene = open_scene(dataset)
    assert (scene.preview(200)[0] == open_scene(path).preview(200)[0]).all()
    with pytest.raises(SceneUnreadableError, match="is closed"):
        open_scene(dataset)


def test_a_warped_view_is_read_in_place(scene_file: Make) -> None:
    from rasterio.vrt import WarpedVRT

    with rasterio.open(scene_file(noise=True)) as dataset, WarpedVRT(dataset, crs=3857) as view:
        scene = open_scene(view)
        assert scene.crs is not None
        assert scene.crs.to_epsg() == 3857
        assert scene.preview(64)[0].std() > 0
        with pytest.raises(SceneUnreadableError, match="lives in this process"):
            pickle.dumps(scene)


def test_a_scene_is_returned_as_it_is_and_travels(scene_file: Make) -> None:
    scene = open_scene(scene_file(dtype="uint16", noise=True))
    assert open_scene(scene) is scene
    again = pickle.loads(pickle.dumps(scene))
    assert isinstance(again, Scene)
    assert again.provenance() == scene.provenance()
    assert (again.preview(64)[0] == scene.preview(64)[0]).all()


def test_stac_items_open_as_scenes(scene_file: Make, tmp_path: Path) -> None:
    import json

    path = scene_file(noise=True)
    asset = {"href": str(path), "type": "image/tiff; application=geotiff", "roles": ["visual"]}
    item = {
        "type": "Feature", "stac_version": "1.0.0", "id": "a", "geometry": None, "bbox": None,
        "properties": {"datetime": "2020-05-17T00:00:00Z"}, "links": [],
        "assets": {"visual": asset},
    }  # fmt: skip
    want = open_scene(path).preview(128)[0]
    scene = open_scene(item)
    assert scene.datetime == "2020-05-17T00:00:00Z"
    assert (scene.preview(128)[0] == want).all()
    (tmp_path / "item.json").write_text(json.dumps(item))
    assert (open_scene(tmp_path / "item.json").preview(128)[0] == want).all()


# ---------------------------------------------------------------- bad input


def one_sentence(error: BaseException, *words: str) -> None:
    text = str(error)
    assert "\n" not in text
    assert isinstance(error, SceneError)
    for word in words:
        assert word in text


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(SceneNotFoundError) as caught:
        open_scene(tmp_path / "none.tif")
    one_sentence(caught.value, "none.tif", "check the path")
    assert isinstance(caught.value, FileNotFoundError)


def test_not_a_raster(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a raster, only words " * 40)
    with pytest.raises(SceneUnreadableError) as caught:
        open_scene(path)
    one_sentence(caught.value, "notes.txt", "not a raster", "GeoTIFF")


def test_an_empty_folder_and_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(SceneUnreadableError, match="empty folder"):
        open_scene(tmp_path)
    (tmp_path / "zero.tif").touch()
    with pytest.raises(SceneUnreadableError) as caught:
        open_scene(tmp_path / "zero.tif")
    one_sentence(caught.value, "zero.tif")


@pytest.mark.parametrize("keep", [0.02, 0.3])
def test_truncated(scene_file: Make, keep: float) -> None:
    path = scene_file(dtype="uint16", noise=True, compress="deflate")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(SceneUnreadableError) as caught:
        open_scene(path)
    one_sentence(caught.value, "scene.tif")


def test_corrupt(scene_file: Make) -> None:
    path = scene_file(dtype="uint16", noise=True, compress="deflate")
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    data[4000:] = rng.integers(0, 256, len(data) - 4000, dtype=np.uint8).tobytes()
    path.write_bytes(bytes(data))
    with pytest.raises(SceneUnreadableError) as caught:
        open_scene(path)
    one_sentence(caught.value, "scene.tif", "corrupt")


def test_zero_bands(tmp_path: Path) -> None:
    path = tmp_path / "two.gpkg"
    for table in ("a", "b"):
        with rasterio.open(
            path, "w", driver="GPKG", width=64, height=64, count=3, dtype="uint8", crs=3857,
            transform=make_transform(), RASTER_TABLE=table,
            APPEND_SUBDATASET="YES" if table == "b" else "NO",
        ) as dataset:  # fmt: skip
            dataset.write(flat(1, 2, 3, side=64))
    with pytest.raises(SceneContentError) as caught:
        open_scene(path)
    one_sentence(caught.value, "two.gpkg", "no bands of its own", "GPKG:")
    assert open_scene(f"GPKG:{path}:a").width == 64


def test_complex(tmp_path: Path) -> None:
    path = write(tmp_path / "slc.tif", np.ones((1, 32, 32), np.complex64))
    with pytest.raises(SceneContentError) as caught:
        open_scene(path)
    one_sentence(caught.value, "complex64", "amplitude")


def test_one_pixel(tmp_path: Path) -> None:
    path = write(tmp_path / "dot.tif", np.ones((3, 1, 1), np.uint8))
    with pytest.raises(SceneContentError) as caught:
        open_scene(path)
    one_sentence(caught.value, "1 x 1", "at least 2 x 2")


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_all_nodata(tmp_path: Path, dtype: str) -> None:
    path = write(tmp_path / "void.tif", np.zeros((3, 64, 64), dtype), nodata=0)
    with pytest.raises(SceneContentError) as caught:
        open_scene(path)
    one_sentence(caught.value, "void.tif", "all nodata")


@pytest.mark.parametrize(
    "transform",
    [
        rasterio.Affine(0.0, 0.0, 500_000.0, 0.0, 0.0, 5e6),
        rasterio.Affine(1e-300, 0.0, 0.0, 0.0, -1e-300, 0.0),
        rasterio.Affine(1.0, 0.0, 1e12, 0.0, -1.0, 1e12),
    ],
)
def test_absurd_transform(tmp_path: Path, transform: rasterio.Affine) -> None:
    path = make_scene(tmp_path / "odd.tif", width=64, height=64, transform=transform)
    with pytest.raises(SceneContentError) as caught:
        open_scene(path)
    one_sentence(caught.value, "odd.tif", "absurd")


def test_degrees_outside_the_earth(scene_file: Make) -> None:
    with pytest.raises(SceneContentError, match="absurd"):
        open_scene(scene_file(crs="EPSG:4326", res=1.0, origin=(10.0, 800.0)))


def test_mixed_types_of_bands(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.tif", flat(1)), write(tmp_path / "b.tif", flat(900, dtype="uint16"))
    with pytest.raises(SceneContentError, match="different types"):
        open_scene([a, b, a])


def test_what_is_no_source() -> None:
    with pytest.raises(SceneUnreadableError, match="cannot open a int as a scene"):
        open_scene(3)


def test_stretch_none_does_not_show_16_bits_black(scene_file: Make) -> None:
    path = scene_file(dtype="uint16", noise=True)
    with pytest.raises(SceneContentError, match="stretch='none' would show it black"):
        open_scene(path, stretch="none")
    with pytest.raises(SceneContentError, match="stretch must be"):
        open_scene(path, stretch="bright")  # type: ignore[arg-type]


def test_undeclared_fill_is_found_and_said(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(300, 3000, (3, 600, 600)).astype("uint16")
    image[:, :, :200] = 0
    path = write(tmp_path / "half.tif", image)
    with pytest.warns(RadiometryWarning, match="takes 0 as nodata"):
        scene = open_scene(path)
    assert scene.nodata == 0
    assert scene.preview(600)[1].mean() == pytest.approx(2 / 3, abs=0.01)
    assert open_scene(path, nodata=False).preview(600)[1].all()
