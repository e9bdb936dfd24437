"""``open_scene``: look at the header, choose bands, find what is valid, measure the stretch."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from rasterio.enums import Resampling
from rasterio.errors import RasterioError

from rsvlm_geo.errors import (
    GeorefWarning,
    RadiometryWarning,
    SceneContentError,
    SceneError,
    SceneUnreadableError,
    TileReadError,
)
from rsvlm_geo.scene.bands import Bands, choose_bands
from rsvlm_geo.scene.ground import NO_SCALE, make_ground
from rsvlm_geo.scene.model import Scene
from rsvlm_geo.scene.radiometry import BlockSample, Stretch, StretchMode, find_fill
from rsvlm_geo.scene.source import (
    BandPart,
    FileSource,
    MaskKind,
    Pixels,
    RasterFacts,
    Source,
    is_remote,
)

__all__ = ["as_source", "open_scene"]

SAMPLE_BLOCKS = 64
_SAMPLE_SIDE = 512
_MAX_TRIES = 1024
_KEEP = "to keep it as data give --nodata none (nodata=False of open_scene in Python)"


def open_scene(
    source: Any,
    *,
    bands: Sequence[int | str] | None = None,
    crs: Any = None,
    nodata: float | Literal[False] | None = None,
    stretch: StretchMode | Stretch | tuple[float, float] = "auto",
    gsd_m: float | None = None,
    height_m: float | None = None,
    dem: str | Path | None = None,
    datetime: str | None = None,
) -> Scene:
    """Open a raster as a scene; reads its header and, unless it has 8 bits, 64 blocks.

    Args:
        source: Path, URL, ``/vsi...``, an open rasterio dataset, an ``xarray.DataArray`` with a
            CRS, a STAC Item (object, JSON, or path or URL of its ``.json``), a list of single-band
            files (red, green, blue), a :class:`Source`, or a :class:`Scene`, returned as it is.
        bands: Three (or one) 1-based bands or names to show as red, green, blue. By default those
            that say they are red, green and blue, else the first three.
        crs: The CRS, for a file that does not say; replaces the file's.
        nodata: Fill value, replacing the declared one and any mask; False takes all as data.
        stretch: ``auto`` (8 bits as they are; else p2 to p98, joint when the bands are alike, per
            band when not), ``joint``, ``per_band``, ``none``, ``(low, high)`` or a
            :class:`Stretch`, such as that of another scene.
        gsd_m: Metres per pixel, for a scene that does not say.
        height_m: Height above the ellipsoid, for scenes placed by RPCs.
        dem: Path of an elevation model, for scenes placed by RPCs.
        datetime: Acquisition, ISO 8601, for a file that does not say.

    Raises:
        SceneNotFoundError: No such file.
        SceneUnreadableError: Not a raster, truncated, corrupt.
        SceneContentError: Nothing in it that could be shown, or an absurd transform.
        MissingCRSError: ``crs`` names none.
    """
    if isinstance(source, Scene):
        return source
    src = as_source(source)
    facts = src.facts()
    href = src.href
    if facts.width * facts.height < 4 or min(facts.width, facts.height) < 2:
        raise SceneContentError(
            f"{href} is {facts.width} x {facts.height} pixels; a scene needs at least 2 x 2"
        )
    chosen = choose_bands(facts, href, bands)
    notes = list(chosen.notes)
    mask, fill = _validity(facts, chosen, nodata)
    ground, said = make_ground(
        facts, href, crs=crs, height_m=height_m, dem=None if dem is None else str(dem)
    )
    notes += said
    if ground.accuracy == "rpc_no_dem":
        warnings.warn(f"{href}: {said[-1]}", GeorefWarning, stacklevel=2)
    gsd: tuple[float | None, float | None] = (gsd_m, gsd_m)
    if ground.kind != "none":
        gsd = ground.gsd_m(facts.width, facts.height)
    elif gsd_m is not None and not (math.isfinite(gsd_m) and gsd_m > 0):
        raise SceneContentError(f"gsd_m must be positive metres per pixel; got {gsd_m}")
    if gsd[0] is None:
        notes.append(NO_SCALE)
    try:
        table, mask, fill, more = _radiometry(src, facts, chosen, mask, fill, nodata, stretch)
    except SceneError:
        raise
    except (RasterioError, OSError, ValueError) as error:
        raise SceneUnreadableError(
            f"{href} opens but its pixels cannot be read: {_deepest(error)}; "
            "the file looks truncated or corrupt, fetch it again"
        ) from error
    return Scene(
        source=src,
        facts=facts,
        bands=chosen,
        ground=ground,
        mask=mask,
        nodata=fill,
        stretch=table,
        gsd_x_m=gsd[0],
        gsd_y_m=gsd[1],
        datetime=datetime or facts.datetime,
        notes=tuple(notes + more),
    )


def as_source(source: Any) -> Source:
    """Whatever names pixels, as a :class:`Source`.

    Raises:
        SceneUnreadableError: It names none.
    """
    elsewhere = _elsewhere(source)
    if elsewhere is not None:
        return elsewhere
    elsewhere = _opened_elsewhere(source)
    if elsewhere is not None:
        return elsewhere
    if isinstance(source, (str, Path)):
        return FileSource.single(str(source))
    if isinstance(source, (list, tuple)) and source:
        parts = [p if isinstance(p, BandPart) else BandPart(str(p)) for p in source]
        if len(parts) == 3 and not any(p.name for p in parts):
            names = ("red", "green", "blue")
            parts = [
                BandPart(p.href, p.index, n, p.scale, p.offset, p.nodata)
                for p, n in zip(parts, names, strict=True)
            ]
        return FileSource(tuple(parts))
    if hasattr(source, "dims") and hasattr(source, "isel"):
        from rsvlm_geo.scene.arrays import ArraySource

        return ArraySource.from_dataarray(source)
    if hasattr(source, "read_masks") and hasattr(source, "block_shapes"):
        from rsvlm_geo.scene.arrays import HeldSource, reopenable

        path = reopenable(source)
        return FileSource.single(path) if path is not None else HeldSource(source)
    if isinstance(source, Source):
        return source
    raise SceneUnreadableError(
        f"cannot open a {type(source).__name__} as a scene; pass a path, a URL, a rasterio dataset "
        "or an xarray.DataArray with a CRS"
    )


def _elsewhere(source: Any) -> Source | None:
    """A STAC Item (or a path or URL of one), or a raster over HTTP; None when it is neither.

    The modules that know these stand above this one, so they are found by name.
    """
    text = str(source) if isinstance(source, (str, Path)) else ""
    item = hasattr(source, "assets") or type(source).__name__ == "StacItem"
    if item or isinstance(source, Mapping):
        return cast(Source, import_module("rsvlm_geo.stac.item").item_source(source))
    if not text or text.startswith(("/vsi", "<")):
        return None
    load = import_module("rsvlm_geo.stac.load")
    if load.is_stac_path(text):
        return cast(Source, import_module("rsvlm_geo.stac.item").only_item_source(text))
    if text.startswith(("http://", "https://")):
        return cast(Source, import_module("rsvlm_geo.remote.source").RemoteSource.single(text))
    return None


def _opened_elsewhere(source: Any) -> Source | None:
    """Sources of layers above: found by name and only when asked for, so none is imported here."""
    opener = ""
    if isinstance(source, (str, Path)):
        text = str(source)
        if text.split("?")[0].lower().endswith(".json"):
            opener = "rsvlm_geo.stac.item:only_item_source"
        elif is_remote(text) and not text.startswith("/vsi"):
            opener = "rsvlm_geo.remote.source:RemoteSource.single"
        source = text
    elif _is_stac_item(source):
        opener = "rsvlm_geo.stac.item:item_source"
    if not opener:
        return None
    module, _, name = opener.partition(":")
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    made: Source = found(source)
    return made


def _is_stac_item(source: Any) -> bool:
    if isinstance(source, dict):
        return source.get("type") == "Feature" and "assets" in source
    return hasattr(source, "assets") and hasattr(source, "to_dict")


def _validity(
    facts: RasterFacts, bands: Bands, nodata: float | Literal[False] | None
) -> tuple[MaskKind, float | None]:
    """What decides validity: asked, else alpha, mask band, nodata; and a fill that overrides."""
    if nodata is False:
        return "none", None
    if nodata is not None:
        return "nodata", float(nodata)
    if "alpha" in facts.colors:
        return "alpha", None
    if facts.has_mask:
        return "mask", None
    declared = [facts.nodata[i - 1] if facts.nodata else None for i in bands.indexes]
    if all(value is not None for value in declared):
        return "nodata", None
    return "none", None


def _radiometry(
    source: Source,
    facts: RasterFacts,
    bands: Bands,
    mask: MaskKind,
    fill: float | None,
    nodata: float | Literal[False] | None,
    stretch: StretchMode | Stretch | tuple[float, float],
) -> tuple[Stretch, MaskKind, float | None, list[str]]:
    kinds = {np.dtype(facts.dtypes[i - 1]) for i in bands.indexes}
    if len(kinds) > 1 and np.dtype("uint8") in kinds:
        raise SceneContentError(
            f"the bands shown of {source.href} have different types "
            f"({', '.join(sorted(str(k) for k in kinds))}); choose bands of one type with --bands "
            "(bands= in Python)"
        )
    dtype = np.result_type(*kinds)
    given: Stretch | None = None
    if isinstance(stretch, Stretch):
        given = stretch
    elif isinstance(stretch, tuple):
        n = len(bands.indexes)
        given = Stretch("linear", (float(stretch[0]),) * n, (float(stretch[1]),) * n, "given")
    elif stretch not in ("auto", "joint", "per_band", "none"):
        raise SceneContentError(
            f"stretch must be 'auto', 'joint', 'per_band', 'none' or (low, high); got {stretch!r}"
        )
    if given is not None and given.kind == "linear" and len(given.low) != len(bands.indexes):
        raise SceneContentError(
            f"the stretch has {len(given.low)} bands, the scene shows {len(bands.indexes)}"
        )
    guess = mask == "none" and nodata is None and facts.palette is None
    if dtype == np.uint8 and stretch in ("auto", "none"):
        given = Stretch("identity")
    elif stretch == "none":
        raise SceneContentError(
            f"{source.href} stores {dtype}, not 8 bits; stretch='none' would show it black; "
            "leave stretch='auto' or pass (low, high)"
        )
    if given is not None and not guess:
        _probe(source, facts, bands, fill, mask)
        return given, mask, fill, []
    if given is not None and facts.overviews:
        sample = sample_overview(source, facts, bands)
    else:
        few = given is not None and is_remote(source.href)
        wanted = SAMPLE_BLOCKS // 4 if few else SAMPLE_BLOCKS
        sample = sample_blocks(source, facts, bands, fill, mask, wanted)
    notes: list[str] = []
    if guess:
        found = find_fill(sample)
        if found is not None:
            fill, mask = found, "nodata"
            sample = sample.without(found)
            text = f"takes {found:g} as nodata: it fills areas and is not declared"
            notes.append(f"{text}; {_KEEP}")
            warnings.warn(f"{source.href}: {notes[-1]}", RadiometryWarning, stacklevel=3)
    if given is not None:
        if sample.valid_pixels <= 0 and sample.blocks >= _all_blocks(facts):
            raise _nothing(source.href)
        return given, mask, fill, notes
    assert isinstance(stretch, str)
    if sample.valid_pixels <= 0:
        raise _nothing(source.href)
    low, high, mode = sample.limits(stretch)
    if sample.valid_blocks < min(SAMPLE_BLOCKS, sample.blocks):
        notes.append(f"stretch from {sample.valid_blocks} blocks with data")
    return Stretch("linear", low, high, mode, sample.valid_blocks), mask, fill, notes


def _nothing(href: str) -> SceneContentError:
    return SceneContentError(
        f"{href} has no valid pixel where sampled: all nodata; check its nodata value and mask; "
        f"{_KEEP}"
    )


def _probe(
    source: Source, facts: RasterFacts, bands: Bands, fill: float | None, mask: MaskKind
) -> None:
    """Read one small window, so that a broken file shows at once and not in a run."""
    side = min(16, facts.width, facts.height)
    pixels = source.open(bands.indexes, fill, mask)
    try:
        pixels.read((0, 0, side, side), (side, side), Resampling.nearest)
    finally:
        pixels.close()


def _block_grid(facts: RasterFacts) -> tuple[int, int, int, int]:
    """``(height, width)`` of a sample block and ``(rows, columns)`` of them."""
    bh, bw = facts.block
    if facts.striped:
        width = facts.width
        height = max(bh, -(-65536 // width)) if bh < _SAMPLE_SIDE else _SAMPLE_SIDE
    else:
        height = min(max(bh, _SAMPLE_SIDE // bh * bh), 1024)
        width = min(max(bw, _SAMPLE_SIDE // bw * bw), 1024)
    height, width = min(height, facts.height), min(width, facts.width)
    return height, width, -(-facts.height // height), -(-facts.width // width)


def _all_blocks(facts: RasterFacts) -> int:
    _, _, rows, cols = _block_grid(facts)
    return rows * cols


def sample_blocks(
    source: Source,
    facts: RasterFacts,
    bands: Bands,
    fill: float | None,
    mask: MaskKind,
    wanted: int = SAMPLE_BLOCKS,
) -> BlockSample:
    """Full-resolution blocks from all over the scene, until enough of them hold valid pixels.

    The same blocks every time: a scene has one stretch.
    """
    height, width, rows, cols = _block_grid(facts)
    order = np.random.default_rng(rows * 100003 + cols).permutation(rows * cols)
    dtype = np.result_type(*(np.dtype(facts.dtypes[i - 1]) for i in bands.indexes))
    sample = BlockSample(dtype, len(bands.indexes))
    pixels: Pixels = source.open(bands.indexes, fill, mask)
    limit = _MAX_TRIES if not is_remote(source.href) else 4 * wanted
    broken: Exception | None = None
    try:
        for number in order[:limit]:
            row, col = divmod(int(number), cols)
            y, x = row * height, col * width
            h, w = min(height, facts.height - y), min(width, facts.width - x)
            try:
                values, valid = pixels.read((x, y, w, h), (h, w), Resampling.nearest)
            except (RasterioError, TileReadError) as error:
                broken = error  # damage in one place must not cost the whole scene
                continue
            sample.add(values, valid)
            if sample.valid_blocks >= wanted:
                break
    finally:
        pixels.close()
    if broken is not None and not sample.blocks:
        raise broken
    return sample


def sample_overview(source: Source, facts: RasterFacts, bands: Bands) -> BlockSample:
    """The whole scene from its overviews: enough to see that a value fills areas."""
    dtype = np.result_type(*(np.dtype(facts.dtypes[i - 1]) for i in bands.indexes))
    sample = BlockSample(dtype, len(bands.indexes))
    scale = min(1.0, 1024 / max(facts.width, facts.height))
    shape = max(1, round(facts.height * scale)), max(1, round(facts.width * scale))
    pixels = source.open(bands.indexes, None, "none")
    try:
        values, valid = pixels.read((0, 0, facts.width, facts.height), shape, Resampling.nearest)
    finally:
        pixels.close()
    sample.add(values, valid)
    return sample


def _deepest(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
