"""The real thing: pgstac behind stac-fastapi, COGs behind nginx, a Dask cluster."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rasterio.shutil
from real_api import RealApi, missing
from worlds import make_collection, make_item, make_raster

pytestmark = pytest.mark.stac
sys.path.insert(0, str(Path(__file__).parent.parent / "batch"))

pytest.importorskip("pystac_client")

from rsvlm_geo.batch import Ask, BatchSpec, run  # noqa: E402
from rsvlm_geo.errors import StacError  # noqa: E402
from rsvlm_geo.stac import open_item, search  # noqa: E402


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RealApi, Path]]:
    left = missing()
    if left:
        pytest.skip(
            f"NO REAL STAC API TESTED: missing {', '.join(left)}; "
            "run: python tests/stac/real_api.py"
        )
    folder = tmp_path_factory.mktemp("cog")
    folder.chmod(0o755)
    items = []
    with RealApi(folder) as server:
        for i in range(5):
            plain = make_raster(folder / f"p{i}.tif", seed=i, left=500_000 + 400 * i, size=512)
            cog = folder / f"s{i}.tif"
            rasterio.shutil.copy(plain, cog, driver="COG", compress="ZSTD", blocksize=128)
            items.append(
                make_item(cog, f"{server.files}/s{i}.tif", datetime=f"2024-06-0{i + 1}T10:00:00Z",
                          **{"eo:cloud_cover": 10 * i})
            )  # fmt: skip
        for name, west in (("east", 179.2), ("west", -179.8)):
            item = make_item(cog, f"{server.files}/s4.tif", item_id=name, collection="pacific")
            ring = [[west, -18], [west + 0.5, -18], [west + 0.5, -17], [west, -17], [west, -18]]
            item["geometry"]["coordinates"] = [ring]
            item["bbox"] = [west, -18, west + 0.5, -17]
            items.append(item)
        collections = [make_collection("aerial"), make_collection("pacific")]
        server.load(collections, items)
        yield server, folder


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"collections": ["aerial"]}, ["s0", "s1", "s2", "s3", "s4"]),
        ({"bbox": (179, -18, -179, -17)}, ["east", "west"]),
        ({"collections": ["aerial"], "datetime": "2024-06-02/2024-06-03"}, ["s1", "s2"]),
        ({"filter": "\"eo:cloud_cover\" < 15 and collection = 'aerial'"}, ["s0", "s1"]),
        ({"ids": ["s3"]}, ["s3"]),
        ({"bbox": (0, 0, 1, 1)}, []),
    ],
)
def test_search(api: tuple[RealApi, Path], query: dict[str, Any], wanted: list[str]) -> None:
    assert sorted(i.id for i in search(api[0].url, **query)) == wanted


def test_unknown_collection_and_bad_filter(api: tuple[RealApi, Path]) -> None:
    with pytest.raises(StacError, match="did you mean 'aerial'"):
        list(search(api[0].url, collections=["arial"]))
    with pytest.raises(StacError, match="bad CQL2"):
        list(search(api[0].url, filter="eo:cloud_cover <<< 3"))


def test_scene_over_nginx_ranges(api: tuple[RealApi, Path]) -> None:
    (item,) = search(api[0].url, ids=["s2"])
    scene = open_item(item)
    with rasterio.open(api[1] / "p2.tif") as src:
        assert (scene.preview(512)[0] == src.read().transpose(1, 2, 0)).all()
    assert scene.datetime == "2024-06-03T10:00:00Z"


def test_batch_serial_and_dask_agree(api: tuple[RealApi, Path], tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    from killing import Cluster, compare

    asked = BatchSpec((Ask("count", ("spot",)),), model="oracle:SpotCounter")
    found = search(api[0].url, collections=["aerial"])
    serial = run(asked, found, tmp_path / "serial", tiles_per_task=10)
    assert serial.complete
    assert [s.totals[0]["value"] for s in serial.scenes] == [12.0] * 5
    with Cluster(tmp_path / "dask") as cluster:
        found = search(api[0].url, collections=["aerial"])
        run(asked, found, tmp_path / "dask-out", tiles_per_task=10, backend=cluster.address)
    result = compare(tmp_path / "dask-out", tmp_path / "serial")
    assert (result["lost"], result["duplicated"], result["different"]) == (0, 0, 0)


@pytest.mark.slow
def test_search_to_batch_with_everything_killed_once(tmp_path: Path) -> None:
    """Over the API's search: workers, driver and scheduler die; ten seeds are in benchmarks."""
    pytest.importorskip("distributed")
    if left := missing():
        pytest.skip(f"NO REAL STAC API TESTED: missing {', '.join(left)}")
    from killing import Cluster, compare, run_calm, run_hunted
    from real_world import real_world

    with real_world(tmp_path / "world") as sources, Cluster(tmp_path / "dask") as cluster:
        run_calm(sources, tmp_path / "calm")
        happened = run_hunted(sources, tmp_path / "out", cluster, 7, schedulers=1)
    assert (happened["worker"], happened["driver"], happened["scheduler"]) == (3, 1, 1)
    assert (happened["code"], happened["code_without_scheduler"]) == (0, 1)
    found = compare(tmp_path / "out", tmp_path / "calm")
    assert (found["lost"], found["duplicated"], found["different"]) == (0, 0, 0)
