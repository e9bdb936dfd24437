"""Remote reads against a server that misbehaves: complete, or a clear error; never zeros."""

from __future__ import annotations

import contextlib
import logging
import pickle
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from fault_server import FaultServer
from rasterio.windows import Window

from rsvlm_geo.errors import SceneNotFoundError, SceneUnreadableError, StacError, TileReadError
from rsvlm_geo.remote import (
    AccessError,
    HttpFile,
    RasterSource,
    ReadPolicy,
    make_signer,
    open_raster,
    redact,
)
from rsvlm_geo.remote.auth import SasSigner
from rsvlm_geo.remote.lookahead import WindowGuess
from rsvlm_geo.remote.policy import FileDownError
from rsvlm_geo.remote.vsi import forget_failures, gdal_env

FAST = ReadPolicy(
    tries=7, first_delay_s=0.01, max_delay_s=0.05, connect_timeout_s=1, read_timeout_s=0.5,
    fast=True,
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one tiled TIFF of 1024 x 1024 x 3 noise, a broken copy and a cut one."""
    root = tmp_path_factory.mktemp("web")
    pixels = np.random.default_rng(0).integers(1, 255, (3, 1024, 1024), dtype=np.uint8)
    profile = {
        "driver": "GTiff", "width": 1024, "height": 1024, "count": 3, "dtype": "uint8",
        "crs": "EPSG:32633", "transform": Affine(0.5, 0, 500_000, 0, -0.5, 5_000_000),
        "tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate",
        "interleave": "pixel",
    }  # fmt: skip
    with rasterio.open(root / "a.tif", "w", **profile) as dst:
        dst.write(pixels)
    whole = (root / "a.tif").read_bytes()
    (root / "cut.tif").write_bytes(whole[: len(whole) * 2 // 3])
    broken = bytearray(whole)
    with rasterio.open(root / "a.tif") as src:
        for col in range(4):  # from the first byte of each block: decoders vouch for no more
            start = int(src.get_tag_item(f"BLOCK_OFFSET_{col}_2", "TIFF", bidx=1))
            broken[start : start + 5000] = b"\xff" * 5000
    (root / "corrupt.tif").write_bytes(bytes(broken))
    return root


@pytest.fixture
def server(folder: Path):
    with FaultServer(folder) as s:
        yield s


@pytest.fixture(scope="module")
def truth(folder: Path) -> np.ndarray:
    with rasterio.open(folder / "a.tif") as src:
        return src.read()


def source(server: FaultServer, path: str, **kwargs: object) -> RasterSource:
    return RasterSource(f"{server.url}/{path}", policy=FAST, **kwargs)  # type: ignore[arg-type]


def read_all(src: object, size: int = 300) -> np.ndarray:
    out = np.zeros((3, 1024, 1024), np.uint8)
    for row in range(0, 1024, size):
        for col in range(0, 1024, size):
            window = Window(col, row, min(size, 1024 - col), min(size, 1024 - row))
            out[:, row : row + size, col : col + size] = src.read((1, 2, 3), window=window)
    return out


@pytest.mark.parametrize(
    "path",
    ["ok/a.tif", "flaky-40/a.tif", "flakyreset-40/a.tif", "first-3/a.tif", "firstreset-3/a.tif",
     "firsthang-1/a.tif", "wronglength/a.tif", "norange/a.tif", "redirect/a.tif"],
)  # fmt: skip
def test_read_is_complete(server: FaultServer, truth: np.ndarray, path: str) -> None:
    with open_raster(source(server, path)) as src:
        assert np.array_equal(read_all(src), truth)


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("404/a.tif", SceneNotFoundError),
        ("ok/missing.tif", SceneNotFoundError),
        ("403/a.tif", AccessError),
        ("401/a.tif", AccessError),
        ("503/a.tif", TileReadError),
        ("reset/a.tif", TileReadError),
        ("short/a.tif", TileReadError),
        ("hang/a.tif", TileReadError),
        ("html/a.tif", SceneUnreadableError),
    ],
)
def test_open_says_why(server: FaultServer, path: str, error: type[Exception]) -> None:
    policy = ReadPolicy(tries=3, first_delay_s=0.01, connect_timeout_s=1, read_timeout_s=0.2)
    with pytest.raises(error) as caught:
        open_raster(RasterSource(f"{server.url}/{path}?sig=SECRET", policy=policy))
    assert "\n" not in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_drip_is_cut(server: FaultServer) -> None:
    policy = ReadPolicy(tries=2, first_delay_s=0.01, read_timeout_s=0.5, min_rate=1e6)
    start = time.monotonic()
    with pytest.raises(TileReadError, match="drips"):
        open_raster(RasterSource(f"{server.url}/drip/a.tif", policy=policy))
    assert time.monotonic() - start < 20


@pytest.mark.parametrize("name", ["cut.tif", "corrupt.tif"])
def test_damage_fails_the_window_and_only_it(
    server: FaultServer, truth: np.ndarray, name: str
) -> None:
    good = bad = 0
    with open_raster(source(server, f"ok/{name}")) as src:
        for row in range(0, 1024, 256):
            for col in range(0, 1024, 256):
                window = Window(col, row, 256, 256)
                try:
                    pixels = src.read((1, 2, 3), window=window)
                except TileReadError:
                    bad += 1
                else:
                    good += 1
                    want = truth[:, row : row + 256, col : col + 256]
                    assert np.array_equal(pixels, want)
    assert good >= 4
    assert bad >= 2


def test_failure_is_asked_again_not_remembered(server: FaultServer, truth: np.ndarray) -> None:
    policy = ReadPolicy(tries=1)
    href = f"{server.url}/first-2/a.tif"
    for _ in range(2):
        with pytest.raises(TileReadError):
            open_raster(RasterSource(href, policy=policy))
    with open_raster(RasterSource(href, policy=policy)) as src:
        assert np.array_equal(src.read(), truth)


def test_gdal_remembers_failures_until_told_to_forget(server: FaultServer) -> None:
    """The trap that all this is about, and its cure: without it the second open sends nothing."""
    name, path = f"/vsicurl/{server.url}/first-1/a.tif", "/first-1/a.tif"
    options = {**gdal_env(FAST), "GDAL_HTTP_MAX_RETRY": 0}
    with rasterio.Env(**options):
        with pytest.raises(rasterio.errors.RasterioIOError):
            rasterio.open(name)
        asked = server.counts[path]
        with pytest.raises(rasterio.errors.RasterioIOError):
            rasterio.open(name)
        assert server.counts[path] == asked, "GDAL asked again: the trap is gone"
        assert forget_failures(name)
        with rasterio.open(name) as src:
            assert src.width == 1024
    assert server.counts[path] > asked


def test_vsi_names_mend_themselves(server: FaultServer, truth: np.ndarray) -> None:
    href = f"/vsicurl/{server.url}/firstreset-3/a.tif"
    with open_raster(RasterSource(href, policy=FAST)) as src:
        assert np.array_equal(src.read(), truth)


def test_expiring_signature_is_renewed(server: FaultServer, truth: np.ndarray) -> None:
    server.ttl_s = 0.4
    signer = SasSigner(f"{server.url}/sign", margin_s=0.0)
    policy = ReadPolicy(first_delay_s=0.01, cache_bytes=1 << 20, lookahead=1)
    src = open_raster(RasterSource(f"{server.url}/sas/a.tif", signer, policy))
    with src:
        for row in range(0, 1024, 128):
            pixels = src.read((1, 2, 3), window=Window(0, row, 1024, 128))
            assert np.array_equal(pixels, truth[:, row : row + 128])
            time.sleep(0.15)
    assert server.signed >= 3


def test_a_wrong_signer_is_not_asked_for_ever(server: FaultServer) -> None:
    server.ttl_s = -10.0
    with pytest.raises(AccessError, match="403"):
        open_raster(source(server, "sas/a.tif", signer=SasSigner(f"{server.url}/sign")))
    assert server.signed <= 6


def test_bearer_goes_to_its_host_only(
    server: FaultServer, truth: np.ndarray, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setenv("MY_TOKEN", "s3cret-token")
    caplog.set_level(logging.DEBUG)
    signer = make_signer("bearer:MY_TOKEN@127.0.0.1")
    with open_raster(source(server, "bearer/a.tif", signer=signer)) as src:
        assert np.array_equal(src.read(), truth)
    assert "s3cret" not in caplog.text
    assert b"s3cret" not in pickle.dumps(source(server, "bearer/a.tif", signer=signer))
    with pytest.raises(AccessError, match="another host"):
        open_raster(source(server, "elsewhere/a.tif", signer=signer))
    assert server.counts["/ok/a.tif"] == 0
    with open_raster(source(server, "elsewhere/a.tif")) as src:
        assert src.count == 3


def test_bearer_says_what_to_set(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_TOKEN", raising=False)
    with pytest.raises(AccessError, match="set MY_TOKEN"):
        open_raster(source(server, "bearer/a.tif", signer=make_signer("bearer:MY_TOKEN")))


@pytest.mark.parametrize(
    "spec", ["wat", "bearer:ey.J0.abc", "gdal:AWS_SECRET_ACCESS_KEY=x", "no.such.module:thing"]
)
def test_signer_spelling(spec: str) -> None:
    with pytest.raises(StacError):
        make_signer(spec)


def test_download_is_bounded(server: FaultServer) -> None:
    policy = ReadPolicy(max_download_bytes=100_000)
    with pytest.raises(SceneUnreadableError, match="max_download_bytes"):
        open_raster(RasterSource(f"{server.url}/norange/a.tif", policy=policy))


def test_a_file_that_changes_is_an_error(folder: Path) -> None:
    class Changing(FaultServer):
        pass

    with FaultServer(folder) as server:
        file = HttpFile(f"{server.url}/ok/a.tif", policy=FAST)
        file._etag = '"other"'
        file.forget()
        assert file.read_at(0, 10)  # no etag from the server: nothing to compare with
        file.size += 100_000
        with pytest.raises(SceneUnreadableError):
            file.read_at(file.size - 10, 10)


def test_cache_is_bounded(server: FaultServer) -> None:
    policy = ReadPolicy(cache_bytes=256 << 10, lookahead=2)
    with open_raster(RasterSource(f"{server.url}/ok/a.tif", policy=policy)) as src:
        read_all(src)
        assert len(src._file._pages) * 65536 <= policy.cache_bytes


@pytest.mark.parametrize(
    ("href", "clean"),
    [
        ("https://u:p@host:8/a.tif?sig=S#f", "https://host:8/a.tif"),
        ("/vsicurl/https://host/a.tif?sig=S", "/vsicurl/https://host/a.tif"),
        ("/data/what?.tif", "/data/what?.tif"),
        ("s3://bucket/a.tif", "s3://bucket/a.tif"),
        ("C:/data/a.tif", "C:/data/a.tif"),
    ],
)
def test_redact(href: str, clean: str) -> None:
    assert redact(href) == clean


def test_guess_follows_row_major_reading() -> None:
    guess = WindowGuess()
    guess.next_windows(Window(0, 0, 100, 100), 250, 500, 3)
    found = guess.next_windows(Window(80, 0, 100, 100), 250, 500, 3)
    assert found[0] == ((0, 100), (160, 260))
    guess.next_windows(Window(160, 0, 100, 100), 250, 500, 3)
    guess.next_windows(Window(0, 80, 100, 100), 250, 500, 3)
    found = guess.next_windows(Window(80, 80, 100, 100), 250, 500, 3)
    assert [f[1][0] for f in found] == [160, 0, 80]
    assert found[1][0] == (160, 260)


def test_fast_path_gives_the_same_pixels(server: FaultServer, truth: np.ndarray) -> None:
    pytest.importorskip("async_tiff")
    policy = ReadPolicy(tries=7, first_delay_s=0.01, read_timeout_s=1, fast=True)
    for path in ("ok/a.tif", "flakyreset-40/a.tif"):
        with open_raster(RasterSource(f"{server.url}/{path}", policy=policy)) as src:
            assert src._fast is not None
            assert np.array_equal(read_all(src), truth)
            out = np.zeros((3, 100, 120), np.uint8).transpose(0, 1, 2)
            src.read([3, 1, 2], window=Window(200, 210, 120, 100), out=out)
            assert np.array_equal(out, truth[[2, 0, 1], 210:310, 200:320])
            half = src.read((1, 2, 3), window=Window(0, 0, 512, 512), out_shape=(3, 256, 256))
            assert half.shape == (3, 256, 256)


def test_fast_path_refuses_what_it_would_change(
    server: FaultServer, folder: Path, truth: np.ndarray
) -> None:
    pytest.importorskip("async_tiff")
    with rasterio.open(folder / "a.tif") as src:
        profile = {**src.profile, "compress": "jpeg", "photometric": "ycbcr"}
    with rasterio.open(folder / "jpeg.tif", "w", **profile) as dst:
        dst.write(truth)
    with (
        open_raster(source(server, "ok/jpeg.tif")) as src,
        rasterio.open(folder / "jpeg.tif") as local,
    ):
        assert np.array_equal(read_all(src), read_all(local))
    with open_raster(source(server, "ok/corrupt.tif")) as src:
        failed = 0
        for col in range(0, 1024, 256):
            try:
                pixels = src.read((1, 2, 3), window=Window(col, 512, 256, 256))
            except TileReadError:
                failed += 1
            else:
                assert np.array_equal(pixels, truth[:, 512:768, col : col + 256])
    assert failed == 4


def test_a_file_that_dies_is_not_waited_for_tile_by_tile(folder: Path) -> None:
    """Patience is for the file: then its windows fail without a request, until a probe works."""
    policy = ReadPolicy(
        tries=7, first_delay_s=0.01, max_delay_s=0.05, patience_s=0.3, probe_s=1000.0,
        lookahead=0, cache_bytes=1 << 18, fast=False,
    )  # fmt: skip
    with FaultServer(folder) as server:
        path = "/dies-3/a.tif"
        with open_raster(RasterSource(server.url + path, policy=policy)) as src:
            failed = 0
            for row in range(1023):
                with contextlib.suppress(TileReadError):
                    src.read((1, 2, 3), window=Window(0, 1023 - row, 1024, 1))
                    continue
                failed += 1
            asked = server.counts[path]
        assert failed > 500
        assert asked < 200
        with pytest.raises(FileDownError, match=r"counts as down: run again later"):
            open_raster(RasterSource(server.url + path, policy=policy))
        assert server.counts[path] == asked


def test_a_file_that_comes_back_is_read_again(
    folder: Path, truth: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = ReadPolicy(tries=2, first_delay_s=0.001, patience_s=0.0, probe_s=0.0, lookahead=0)
    with FaultServer(folder) as server:
        source = RasterSource(f"{server.url}/first-5/a.tif", policy=policy)
        for _ in range(4):  # two tries, then one for each probe
            with pytest.raises(FileDownError):
                open_raster(source)
        assert server.counts["/first-5/a.tif"] == 5
        with open_raster(source) as src:
            assert np.array_equal(read_all(src), truth)


def test_a_dead_asset_costs_a_batch_its_patience_once(tmp_path: Path) -> None:
    """All tiles of a scene whose server dies in mid-run are told as failed, few are asked for."""
    from worlds import make_raster

    from rsvlm_geo.pipeline import plan_job
    from rsvlm_geo.pipeline.run import iter_answers
    from rsvlm_geo.remote.source import RemoteSource
    from rsvlm_geo.scene import open_scene
    from rsvlm_geo.tasks import make_question

    sys.path.insert(0, str(Path(__file__).parent.parent / "batch"))
    from oracle import SpotCounter

    make_raster(tmp_path / "s.tif", size=1800, compress="none")
    # each request under way when it dies is tried seven times: 28 in all
    policy = ReadPolicy(
        first_delay_s=0.01, patience_s=0.3, probe_s=1000.0, cache_bytes=1 << 18, lookahead=0,
        in_flight=4,
    )  # fmt: skip
    with FaultServer(tmp_path) as server:
        scene = open_scene(RemoteSource.single(f"{server.url}/dies-500/s.tif", policy=policy))
        model = SpotCounter()
        job = plan_job(scene, "count", (make_question("count", target="spot"),), model)
        states = [tile.state for batch in iter_answers(job) for tile in batch]
        asked = server.counts["/dies-500/s.tif"]
    assert len(states) == len(job.plan) > 200
    assert 0 < states.count("failed") < len(states)
    assert asked < 500 + 60
