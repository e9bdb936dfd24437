"""Items as scenes: which bands, on which grid, with which values; and what is refused."""

from __future__ import annotations

import json
import pickle
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from fault_server import FaultServer
from worlds import make_item, make_raster

from rsvlm_geo.errors import SceneError, StacError
from rsvlm_geo.remote import ReadPolicy
from rsvlm_geo.scene import open_scene
from rsvlm_geo.stac import StacItem, item_source, open_item
from rsvlm_geo.stac.assets import auth_hint

FAST = ReadPolicy(tries=5, first_delay_s=0.01, max_delay_s=0.05, read_timeout_s=1)


@pytest.fixture
def world(tmp_path: Path):
    path = make_raster(tmp_path / "s.tif")
    with FaultServer(tmp_path) as server:
        yield path, server


def whole(scene: Any) -> np.ndarray:
    return scene.preview(384)[0]


def test_item_from_the_network(world: tuple[Path, FaultServer]) -> None:
    path, server = world
    data = make_item(path, "../s.tif", self_href=f"{server.url}/ok/items/s.json?token=SECRET")
    scene = open_item(data, policy=FAST)
    local = open_scene(path)
    assert np.array_equal(whole(scene), whole(local))
    assert scene.datetime == "2024-06-01T10:00:00Z"
    assert (scene.crs, scene.transform) == (local.crs, local.transform)
    again = pickle.loads(pickle.dumps(scene))
    assert np.array_equal(whole(again), whole(local))
    assert "SECRET" not in json.dumps(scene.provenance())


def test_every_spelling_of_an_item(world: tuple[Path, FaultServer], tmp_path: Path) -> None:
    pystac = pytest.importorskip("pystac")
    path, server = world
    data = make_item(path, "./s.tif")
    (tmp_path / "item.json").write_text(json.dumps(data))
    truth = whole(open_scene(path))
    url = f"{server.url}/ok/item.json"
    for source in (tmp_path / "item.json", str(tmp_path / "item.json"), url,
                   pystac.Item.from_file(str(tmp_path / "item.json"))):  # fmt: skip
        assert np.array_equal(whole(open_scene(source)), truth), source


def test_plain_url_is_read_by_ranges(world: tuple[Path, FaultServer]) -> None:
    path, server = world
    scene = open_scene(f"{server.url}/flakyreset-40/s.tif?sig=SECRET")
    assert np.array_equal(whole(scene), whole(open_scene(path)))
    assert "SECRET" not in json.dumps(scene.provenance())


def separate(folder: Path, *, nir_res: float = 1.0, **facts: Any) -> dict[str, Any]:
    """An item with an asset per band, u16, near infrared at half the resolution."""
    item = make_item(make_raster(folder / "x.tif"), "x.tif")
    item["assets"] = {}
    for i, name in enumerate(("red", "green", "blue", "nir")):
        res = nir_res if name == "nir" else 0.5
        size = round(384 * 0.5 / res)
        path = make_raster(
            folder / f"{name}.tif", bands=1, dtype="uint16", seed=i, size=size, res=res
        )
        item["assets"][f"B{i}"] = {
            "href": str(path), "type": "image/tiff", "roles": ["data"],
            "eo:bands": [{"name": f"b{i}", "common_name": name}],
            "raster:bands": [{"scale": 0.0001, "offset": -0.1, "nodata": 0}],
        }  # fmt: skip
    item["properties"].update(facts)
    return item


def test_bands_are_stacked_by_common_name(tmp_path: Path) -> None:
    scene = open_item(separate(tmp_path))
    assert scene.facts.names == ("red", "green", "blue")
    assert scene.facts.scales == (0.0001,) * 3
    assert scene.facts.offsets == (-0.1,) * 3
    assert scene.facts.nodata == (0.0,) * 3
    with closing(scene.open()) as pixels:
        values, _ = pixels.read((10, 20, 64, 32), (32, 64), rasterio.enums.Resampling.nearest)
    for c, name in enumerate(("red", "green", "blue")):
        with rasterio.open(tmp_path / f"{name}.tif") as src:
            want = src.read(1)[20:52, 10:74]
        assert np.array_equal(values[c], want)


def test_mixed_resolutions_share_the_finest_grid(tmp_path: Path) -> None:
    item = separate(tmp_path)
    source = item_source(item, bands=("nir", "red", "green"))
    facts = source.facts()
    assert (facts.width, facts.height) == (384, 384)
    pixels = source.open((1, 2, 3), None, "none")
    values, _ = pixels.read((0, 0, 384, 384), (384, 384), rasterio.enums.Resampling.nearest)
    pixels.close()
    with rasterio.open(tmp_path / "nir.tif") as src:
        assert np.array_equal(values[0], np.kron(src.read(1), np.ones((2, 2), np.uint16)))
    coarse = item_source(item, bands=("nir", "red", "green"), gsd_m=1.0).facts()
    assert (coarse.width, coarse.height) == (192, 192)
    assert coarse.transform is not None
    assert coarse.transform[0] == 1.0


def test_choice_of_assets(tmp_path: Path) -> None:
    item = separate(tmp_path)
    assert item_source(item, assets=["B3"]).parts[0].index == 0
    assert [p.name for p in item_source(item, assets=["B2", "B1", "B0"]).parts] == [
        "red",
        "green",
        "blue",
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"assets": ["B9"]}, "no asset 'B9'; it has B0, B1, B2, B3"),
        ({"bands": ("swir",)}, "no band 'swir'; it has blue, green, nir, red"),
        ({"assets": ["B1", "B2"]}, "one key, or three"),
    ],
)
def test_wrong_choices(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(StacError, match=said) as caught:
        item_source(separate(tmp_path), **options)
    assert "\n" not in str(caught.value)


def test_no_usable_assets(tmp_path: Path) -> None:
    item = separate(tmp_path)
    item["assets"] = {"meta": {"href": "m.xml", "type": "application/xml"}}
    with pytest.raises(StacError, match="no raster assets among its 1"):
        open_item(item)
    item["assets"] = {k: {"href": f"{k}.tif"} for k in ("one", "two")}
    with pytest.raises(StacError, match="pass assets="):
        open_item(item)
    with pytest.raises(StacError, match="no STAC Item"):
        open_item({"type": "Feature"})


def test_different_crs_is_refused_by_item_and_by_file(tmp_path: Path) -> None:
    item = separate(tmp_path)
    item["assets"]["B1"]["proj:code"] = "EPSG:32634"
    item["assets"]["B0"]["proj:code"] = "EPSG:32633"
    with pytest.raises(StacError, match="B0 is EPSG:32633, B1 is EPSG:32634"):
        open_item(item)
    item = separate(tmp_path)
    item["assets"]["B1"].pop("proj:code", None)
    item["properties"].pop("proj:code")
    make_raster(tmp_path / "green.tif", bands=1, dtype="uint16", crs="EPSG:32634")
    with pytest.raises(StacError, match="different CRS"):
        open_item(item)
    make_raster(tmp_path / "green.tif", bands=1, dtype="uint16", left=600_000)
    with pytest.raises(StacError, match="same ground"):
        open_item(item)


@pytest.mark.parametrize("href", ["/etc/passwd", "file:///data/a.tif", "/vsizip/x.zip", "C:/a.tif"])
def test_network_items_may_not_point_at_local_files(href: str, tmp_path: Path) -> None:
    path = make_raster(tmp_path / "s.tif")
    data = make_item(path, href, self_href="https://host/items/s")
    with pytest.raises(StacError, match="allow_local"):
        open_item(data)
    data["assets"]["visual"]["href"] = str(path)
    assert open_item(data, allow_local=True).width == 384


def test_a_remote_vrt_may_not_point_at_local_files(tmp_path: Path) -> None:
    secret = make_raster(tmp_path / "secret.tif")
    with rasterio.open(secret) as src:
        size = src.width
    (tmp_path / "evil.vrt").write_text(
        f'<VRTDataset rasterXSize="{size}" rasterYSize="{size}"><VRTRasterBand dataType="Byte" '
        f'band="1"><SimpleSource><SourceFilename>{secret}</SourceFilename><SourceBand>1'
        "</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with FaultServer(tmp_path) as server, pytest.raises(SceneError):
        open_scene(f"{server.url}/ok/evil.vrt")


def test_a_band_that_fails_fails_the_tile(tmp_path: Path) -> None:
    item = separate(tmp_path)
    with FaultServer(tmp_path) as server:
        for key in ("B0", "B1", "B2"):
            name = Path(item["assets"][key]["href"]).name
            fault = "ok" if key != "B1" else "404"
            item["assets"][key]["href"] = f"{server.url}/{fault}/{name}"
        with pytest.raises(SceneError, match="green"):
            open_item(item, policy=FAST)


def test_what_an_item_says_about_getting_in(tmp_path: Path) -> None:
    path = make_raster(tmp_path / "s.tif")
    data = make_item(path, "s3://bucket/s.tif")
    data["assets"]["visual"]["storage:requester_pays"] = True
    assert "requester-pays" in auth_hint(StacItem.of(data), "visual")
    data["assets"]["visual"].pop("storage:requester_pays")
    data["assets"]["visual"]["auth:refs"] = ["oidc"]
    data["properties"]["auth:schemes"] = {"oidc": {"type": "http", "scheme": "bearer"}}
    assert "bearer" in auth_hint(StacItem.of(data), "visual")


def test_transform_of_a_stack_is_exact(tmp_path: Path) -> None:
    facts = item_source(separate(tmp_path)).facts()
    with rasterio.open(tmp_path / "red.tif") as src:
        assert facts.transform == tuple(src.transform)[:6]
        assert src.transform == Affine(0.5, 0, 500_000, 0, -0.5, 5_000_000)


def test_zeros_of_a_failed_load_are_never_shown() -> None:
    """odc-stac with ``fail_on_error=False`` gives zeros for what it could not read."""
    xr = pytest.importorskip("xarray")
    pytest.importorskip("rioxarray")
    rng = np.random.default_rng(0)
    data = rng.integers(1, 255, (3, 512, 512)).astype("uint8")
    data[:, :, 256:] = 0
    array = xr.DataArray(
        data, dims=("band", "y", "x"),
        coords={"band": ["red", "green", "blue"],
                "y": 5_000_000 - 0.25 - 0.5 * np.arange(512),
                "x": 500_000.25 + 0.5 * np.arange(512)},
    ).rio.write_crs("EPSG:32633")  # fmt: skip
    with pytest.warns(UserWarning, match="nodata"):
        scene = open_scene(array)
    _, valid = scene.preview(512)
    assert valid[:, :256].all()
    assert not valid[:, 256:].any()
