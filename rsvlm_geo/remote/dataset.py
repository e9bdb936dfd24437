"""``open_raster``: a dataset that reads like rasterio's, wherever it lies, and mends itself.

A failed window is asked again with every memory of the failure wiped; what still fails is raised
as :class:`~rsvlm_geo.errors.TileReadError`, never returned as zeros.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from rsvlm_geo.errors import RsvlmError, SceneNotFoundError, SceneUnreadableError, TileReadError
from rsvlm_geo.remote.auth import GdalOptions, Signer, redact, redact_text
from rsvlm_geo.remote.fast import FastBlocks, open_fast
from rsvlm_geo.remote.http import HttpFile
from rsvlm_geo.remote.lookahead import BlockIndex, WindowGuess
from rsvlm_geo.remote.policy import ReadPolicy
from rsvlm_geo.remote.vsi import forget_failures, gdal_env, vsi_name

__all__ = ["RasterSource", "RemoteDataset", "is_remote", "open_raster"]


_MAGIC = (
    (b"II*\0", "GTiff"), (b"MM\0*", "GTiff"), (b"II+\0", "GTiff"), (b"MM\0+", "GTiff"),
    (b"\0\0\0\x0cjP", "JP2OpenJPEG"), (b"\xff\x4f\xff\x51", "JP2OpenJPEG"),
    (b"\x89PNG", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"RIFF", "WEBP"), (b"EHFA", "HFA"),
    (b"NITF", "NITF"), (b"BM", "BMP"), (b"GIF8", "GIF"), (b"CDF", "netCDF"),
    (b"\x89HDF", "netCDF"),
)  # fmt: skip
"""First bytes -> the one driver that may open them. Not VRT and its like: a file from the network
must not lead GDAL to files of this machine."""


@dataclass(frozen=True, slots=True)
class RasterSource:
    """A raster somewhere and how to get at it; pickles, and holds no secret."""

    href: str
    """Path, URL or GDAL name, unsigned."""
    signer: Signer | None = None
    """Asked just before each request, and again when a server says no."""
    policy: ReadPolicy = field(default_factory=ReadPolicy)

    @property
    def name(self) -> str:
        """The href, fit for messages and files."""
        return redact(self.href)

    def open(self) -> Any:
        """Open it; the same as :func:`open_raster`."""
        return open_raster(self)


def is_remote(href: str) -> bool:
    """Whether reading it needs a network."""
    if href.startswith("/vsi"):
        return href.startswith(("/vsicurl", "/vsis3", "/vsigs", "/vsiaz", "/vsiadls", "/vsioss"))
    return urlsplit(href).scheme in ("http", "https", "s3", "gs", "az", "abfs", "oss")


def open_raster(source: RasterSource | str | os.PathLike[str]) -> Any:
    """Open a raster for windowed reads.

    Args:
        source: A path, URL or :class:`RasterSource`.

    Returns:
        rasterio's own dataset for a local file; a :class:`RemoteDataset` for a remote one. Use from
        one thread at a time, as rasterio's.

    Raises:
        SceneNotFoundError: No such file.
        AccessError: It may not be read by us.
        SceneUnreadableError: It is not a raster, or is damaged where its index should be.
        TileReadError: The server failed every time.
    """
    if not isinstance(source, RasterSource):
        source = RasterSource(os.fspath(source))
    if is_remote(source.href):
        return RemoteDataset(source)
    import rasterio
    from rasterio.errors import RasterioIOError

    try:
        return rasterio.open(source.href)
    except RasterioIOError as error:
        if not source.href.startswith("/vsi") and not os.path.exists(source.href):  # noqa: PTH110
            raise SceneNotFoundError(f"no such file: {source.href}") from error
        raise SceneUnreadableError(f"{source.name}: {redact_text(str(error))}") from error


class RemoteDataset:
    """A rasterio dataset over a network; whatever is not here is rasterio's."""

    def __init__(self, source: RasterSource) -> None:
        self.source = source
        self._file: HttpFile | None = None
        self._dataset: Any = None
        self._index: BlockIndex | None = None
        self._fast: FastBlocks | None = None
        self._guess = WindowGuess()
        self._vsi = "" if source.href.startswith("http") else vsi_name(source.href)
        self._mend(self._open, what="open")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._dataset, name)

    @property
    def requests(self) -> int | None:
        """HTTP requests so far; None where GDAL makes them."""
        return self._file.requests if self._file is not None else None

    @property
    def etag(self) -> str | None:
        """The server's name for this version of the file, or None."""
        return self._file.etag if self._file is not None else None

    def read(self, indexes: Any = None, **options: Any) -> Any:
        """As rasterio's ``read``; a window that fails is asked again, then raises.

        Raises:
            TileReadError: It could not be read.
        """
        done = self._read_fast(indexes, options)
        if done is not None:
            return done
        self._fetch_ahead(indexes, options)
        return self._mend(lambda: self._dataset.read(indexes, **options), what="read")

    def read_masks(self, indexes: Any = None, **options: Any) -> Any:
        """As rasterio's ``read_masks``, with retries."""
        return self._mend(lambda: self._dataset.read_masks(indexes, **options), what="read")

    def dataset_mask(self, **options: Any) -> Any:
        """As rasterio's ``dataset_mask``, with retries."""
        return self._mend(lambda: self._dataset.dataset_mask(**options), what="read")

    def close(self) -> None:
        """Close the dataset and drop what was cached."""
        if self._dataset is not None:
            self._dataset.close()
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> RemoteDataset:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _open(self) -> None:
        import rasterio

        if self._dataset is not None:
            self._dataset.close()
            self._dataset = None
        if self._vsi:
            with rasterio.Env(**self._env()):
                self._dataset = rasterio.open(self._vsi)
            return
        if self._file is None:
            self._file = HttpFile(
                self.source.href, signer=self.source.signer, policy=self.source.policy
            )
        file, name = self._file, f"{uuid.uuid4().hex}.tif"
        head = file.read_at(0, 16)
        driver = next((driver for magic, driver in _MAGIC if head.startswith(magic)), None)
        if driver is None:
            raise SceneUnreadableError(
                f"{self.source.name} is not a raster that is read over HTTP: it starts with "
                f"{head!r}; expected GeoTIFF, JPEG 2000, PNG, JPEG, WebP, NITF, HDF or netCDF"
            )
        with rasterio.Env(**self._env()):
            self._dataset = rasterio.open(name, driver=driver, opener=_Opener(name, file))
        self._index = BlockIndex(self._dataset)
        self._fast = open_fast(file, self._dataset) if self.source.policy.fast else None

    def _env(self) -> dict[str, Any]:
        options = dict(gdal_env(self.source.policy))
        if isinstance(self.source.signer, GdalOptions):
            options.update(self.source.signer.options)
        return options

    def _read_fast(self, indexes: Any, options: dict[str, Any]) -> Any:
        """A window of whole pixels at its own size; None when it is for GDAL."""
        window, out = options.get("window"), options.get("out")
        if self._fast is None or window is None or not hasattr(window, "col_off"):
            return None
        place = (window.col_off, window.row_off, window.width, window.height)
        whole = tuple(int(v) for v in place)
        bands = [indexes] if isinstance(indexes, int) else list(indexes or self.indexes)
        shape = options.get("out_shape") if out is None else out.shape
        unusual = set(options) - {"window", "out", "out_shape", "resampling"}
        inside = whole[0] >= 0 and whole[1] >= 0 and whole[0] + whole[2] <= self._fast.width
        if (
            whole != place
            or unusual
            or not inside
            or whole[1] + whole[3] > self._fast.height
            or (shape is not None and tuple(shape[-2:]) != (whole[3], whole[2]))
            or isinstance(indexes, int)
        ):
            return None
        if out is None:
            out = np.empty((len(bands), whole[3], whole[2]), dtype=self.dtypes[0])
        ahead = self._guess.next_windows(
            window, self._fast.width, self._fast.height, self.source.policy.lookahead
        )
        if self._file is not None and self._index is not None:
            # neighbouring blocks in one request; the decoder alone would ask for each by itself
            near = [(whole[1], whole[1] + whole[3]), (whole[0], whole[0] + whole[2])]
            spans = [self._index.spans(w, None, indexes) for w in (near, *ahead)]
            self._file.will_read([span for some in spans for span in some])
        try:
            self._fast.will_read([whole, *(_whole_window(w) for w in ahead)])
            self._fast.read(whole, bands, out)
        except BaseException as error:
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            # what async-tiff cannot do (Rust panics are BaseException) GDAL may, or says why not
            return None
        return out

    def _fetch_ahead(self, indexes: Any, options: dict[str, Any]) -> None:
        window = options.get("window")
        if self._file is None or self._index is None or window is None:
            return
        out = options.get("out")
        shape = options.get("out_shape") if out is None else out.shape
        spans = self._index.spans(window, shape, indexes)
        for nearby in self._guess.next_windows(
            window, self._dataset.width, self._dataset.height, self.source.policy.lookahead
        ):
            spans += self._index.spans(nearby, shape, indexes)
        self._file.will_read(spans)

    def _mend(self, read: Callable[[], Any], *, what: str) -> Any:
        import rasterio
        from rasterio.errors import RasterioError, RasterioIOError

        tries = self.source.policy.tries if self._vsi else 2
        for attempt in range(tries):
            if self._file is not None:
                self._file.error = None
            try:
                if self._vsi and what == "read":
                    with rasterio.Env(**self._env()):
                        return read()
                found = read()
                if self._file is not None and self._file.error is not None:
                    raise RasterioIOError("the read went wrong and GDAL did not say so")
                return found
            except (RasterioIOError, RasterioError) as error:
                cause = self._file.error if self._file is not None else None
                if isinstance(cause, RsvlmError):
                    raise _as_tile_error(cause, what) from error
                message = redact_text(str(error.__cause__ or error))
                gone = "404" in message or "does not exist" in message
                if attempt + 1 == tries or (gone and what == "open"):
                    if what == "read":
                        raise TileReadError(f"{self.source.name}: {message}") from error
                    if gone:
                        raise SceneNotFoundError(f"{self.source.name}: {message}") from error
                    raise SceneUnreadableError(f"{self.source.name}: {message}") from error
                self._recover(attempt, what)
        raise AssertionError("unreachable")

    def _recover(self, attempt: int, what: str) -> None:
        if self._file is not None:
            self._file.forget()
        else:
            time.sleep(self.source.policy.delay_s(attempt))
            forget_failures(self._vsi)
        if what == "read":
            self._open()


def _whole_window(
    window: tuple[tuple[float, float], tuple[float, float]],
) -> tuple[int, int, int, int]:
    (r0, r1), (c0, c1) = window
    return int(c0), int(r0), int(c1 - c0), int(r1 - r0)


def _as_tile_error(cause: RsvlmError, what: str) -> RsvlmError:
    if what == "open" or isinstance(cause, TileReadError):
        return cause
    return TileReadError(str(cause))


class _Opener:
    """What rasterio asks for files: there is one, and no sidecars."""

    def __init__(self, name: str, file: HttpFile) -> None:
        self.name, self.file = name, file

    def __call__(self, path: str, mode: str = "rb", **options: Any) -> _Cursor:
        if not path.endswith(self.name):
            raise FileNotFoundError(path)
        return _Cursor(self.file)


class _Cursor:
    """A position in a shared :class:`HttpFile`; GDAL may open the same file more than once."""

    def __init__(self, file: HttpFile) -> None:
        self._file, self._position, self._lock = file, 0, threading.Lock()
        self.size = file.size

    def read(self, size: int = -1) -> bytes:
        with self._lock:
            wanted = self._file.size - self._position if size < 0 else size
            try:
                data = self._file.read_at(self._position, wanted)
            except Exception as error:
                # an exception that crosses GDAL may come out as SystemError, or not at all
                self._file.error = error
                return b""
            self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        self._position = max(0, (0, self._position, self._file.size)[whence] + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        """The file itself is closed by its dataset."""

    def __enter__(self) -> _Cursor:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
