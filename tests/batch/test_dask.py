"""Dask: the same answers as serially, whatever dies."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
from killing import Cluster, compare, make_scenes, run_calm, run_hunted
from worlds import make_raster

pytest.importorskip("distributed")
pytest.importorskip("psutil")

from rsvlm_geo.batch import Ask, BatchSpec, SchedulerLostError, run

CLEAN = {"lost": 0, "duplicated": 0, "different": 0}


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """Scenes, and what a serial run that nobody disturbed says of them."""
    folder = tmp_path_factory.mktemp("calm")
    sources = make_scenes(folder / "scenes")
    run_calm(sources, folder / "out")
    return sources, folder / "out"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_workers_and_driver_killed(calm: tuple[list[str], Path], tmp_path: Path, seed: int) -> None:
    with Cluster(tmp_path / "dask") as cluster:
        happened = run_hunted(calm[0], tmp_path / "out", cluster, seed)
    assert happened["code"] == 0
    assert (happened["worker"], happened["driver"]) == (3, 1)
    found = compare(tmp_path / "out", calm[1])
    assert {k: found[k] for k in CLEAN} == CLEAN, found


@pytest.mark.slow
def test_scheduler_killed_then_resumed_on_another(
    calm: tuple[list[str], Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with Cluster(tmp_path / "one") as cluster:
        happened = run_hunted(calm[0], out, cluster, 3, workers=0, drivers=0, schedulers=1)
    assert (happened["code_without_scheduler"], happened["code"]) == (1, 0)
    assert "error: the Dask scheduler or its last worker is gone" in capfd.readouterr().err
    found = compare(out, calm[1])
    assert {k: found[k] for k in CLEAN} == CLEAN, found


@pytest.mark.slow
def test_poison_tile_fails_alone(tmp_path: Path) -> None:
    """A tile whose image kills the process: it is ``failed``, its neighbours are answered."""
    import dask
    import rasterio

    path = make_raster(tmp_path / "s.tif", size=384)
    with rasterio.open(path, "r+") as dst:
        pixels = dst.read()
        pixels[:, 128:138, 128:138] = 255  # the top left corner of tile 1/1
        dst.write(pixels)
    asked = BatchSpec(
        (Ask("count", ("spot",)),), model="oracle:Poison", margin_m=0.0, bands=(1, 2, 3)
    )
    # Dask's own 15 s would close the only nanny, were it in the middle of a restart just then
    hasty = {"distributed.deploy.lost-worker-timeout": "0.2 s"}
    with dask.config.set({"distributed.scheduler.allowed-failures": 1, **hasty}):
        result = run(asked, [str(path)], tmp_path / "out", backend="dask:1", tiles_per_task=9)
    answers = gpd.read_parquet(result.folder / "answers.parquet")
    failed = answers[answers.status == "failed"]
    assert len(answers) == result.tiles
    assert failed["tile_id"].tolist() == ["1/1"]
    assert "killed its worker" in failed["answer"].iloc[0]


def test_no_scheduler_is_one_line(tmp_path: Path) -> None:
    from rsvlm_geo.batch.backends import DaskBackend

    asked = BatchSpec((Ask("count", ("spot",)),), model="oracle:SpotCounter")
    with pytest.raises(SchedulerLostError, match="no Dask scheduler answers at") as caught:
        DaskBackend(asked, address="tcp://127.0.0.1:9", timeout_s=1.0)
    assert "\n" not in str(caught.value)
