"""Which bands a model is shown: asked for, else by colour, else the first three."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from rsvlm_geo.errors import RadiometryWarning, SceneContentError
from rsvlm_geo.scene.source import RasterFacts

__all__ = ["Bands", "choose_bands"]

_COLOURS = ("red", "green", "blue")
_NAMES = {
    "red": re.compile(r"^(red|r|rouge|rot|rojo)$|^b0?4\b.*\bred\b|\bred$|^red\b(?!.?edge)", re.I),
    "green": re.compile(r"^(green|g|vert|gr(ü|ue)n|verde)$|\bgreen$|^green\b", re.I),
    "blue": re.compile(r"^(blue|b|bleu|blau|azul)$|\bblue$|^blue\b(?!.?aerosol)", re.I),
}
_NOT_GREEN_I = re.compile(r"green[ _-]?(i|1)\b", re.I)


@dataclass(frozen=True, slots=True)
class Bands:
    """The bands that were chosen, and why."""

    indexes: tuple[int, ...]
    """1-based: three for colour, one for a panchromatic scene or a palette."""
    reason: str
    """``asked``, ``colour interpretation``, ``band names``, ``only band`` or ``first three``."""
    notes: tuple[str, ...] = ()

    @property
    def panchromatic(self) -> bool:
        """Whether all three channels show one band."""
        return len(set(self.indexes)) == 1


def choose_bands(facts: RasterFacts, href: str, asked: Sequence[int | str] | None = None) -> Bands:
    """Choose what to show as red, green and blue.

    Args:
        facts: The raster's header.
        href: For messages.
        asked: Three (or one) 1-based indexes or band names; None chooses.

    Raises:
        SceneContentError: A band that is not there, or one that has no real numbers.
    """
    if facts.count == 0:
        raise SceneContentError(f"{href} has no bands; pass a raster with at least one")
    data = [i for i in range(1, facts.count + 1) if _color(facts, i) != "alpha"]
    if not data:
        raise SceneContentError(f"{href} has an alpha band and nothing else; add data bands")
    if asked is not None:
        bands = Bands(tuple(_find(facts, href, band) for band in asked), "asked")
        if len(bands.indexes) not in (1, 3):
            raise SceneContentError(
                f"choose three bands, or one; got {len(bands.indexes)} for {href}; "
                "--bands R,G,B, or bands= in Python"
            )
    else:
        bands = _guess(facts, data)
        for note in bands.notes if bands.reason == "first three" else ():
            warnings.warn(f"{href}: {note}", RadiometryWarning, stacklevel=3)
    for index in bands.indexes:
        kind = facts.dtypes[index - 1]
        if kind.startswith("complex"):
            raise SceneContentError(
                f"band {index} of {href} is {kind}; take its amplitude first "
                "(gdal_calc, or numpy.abs) and open that"
            )
    return bands


def _guess(facts: RasterFacts, data: list[int]) -> Bands:
    by_color = [next((i for i in data if _color(facts, i) == c), 0) for c in _COLOURS]
    if all(by_color):
        return Bands(tuple(by_color), "colour interpretation", _left_out(data, by_color))
    by_name = [next((i for i in data if _named(facts, i, c)), 0) for c in _COLOURS]
    if all(by_name):
        return Bands(tuple(by_name), "band names", _left_out(data, by_name))
    if len(data) == 1:
        if facts.palette is not None and _color(facts, data[0]) == "palette":
            return Bands((data[0],), "only band", ("values are a palette; shown in its colours",))
        return Bands((data[0],), "only band", ("single band: shown as grey (panchromatic)",))
    if len(data) == 2:
        return Bands((data[0],), "first band", ("two bands and no colours: the first as grey",))
    note: tuple[str, ...] = ()
    if len(data) > 3 or any(_color(facts, i) not in ("undefined", "gray") for i in data[:3]):
        note = (
            f"{len(data)} bands and no colours named: shows bands {data[0]}, {data[1]}, {data[2]} "
            "as red, green, blue; choose with --bands R,G,B (bands= in Python)",
        )
    return Bands(tuple(data[:3]), "first three", note)


def _left_out(data: list[int], chosen: list[int]) -> tuple[str, ...]:
    rest = [i for i in data if i not in chosen]
    if not rest:
        return ()
    return (f"{len(data)} bands: shows {', '.join(map(str, chosen))}; the others are not used",)


def _color(facts: RasterFacts, index: int) -> str:
    return facts.colors[index - 1] if index <= len(facts.colors) else "undefined"


def _name(facts: RasterFacts, index: int) -> str:
    return facts.names[index - 1] if index <= len(facts.names) else ""


def _named(facts: RasterFacts, index: int, colour: str) -> bool:
    name = _name(facts, index).strip().replace("_", " ")
    if colour == "green" and _NOT_GREEN_I.search(name):
        return False
    return bool(_NAMES[colour].search(name))


def _find(facts: RasterFacts, href: str, band: int | str) -> int:
    if isinstance(band, str) and band.isdigit():
        band = int(band)
    if isinstance(band, int):
        if 1 <= band <= facts.count:
            return band
        raise SceneContentError(f"{href} has bands 1 to {facts.count}; got {band}")
    for index in range(1, facts.count + 1):
        if band.lower() in (_name(facts, index).lower(), _color(facts, index)):
            return index
    for index in range(1, facts.count + 1):
        if band.lower() in _NAMES and _named(facts, index, band.lower()):
            return index
    names = [n for n in facts.names if n] or [c for c in facts.colors if c != "undefined"]
    raise SceneContentError(
        f"{href} has no band named {band!r}; it has "
        f"{', '.join(names) if names else f'{facts.count} bands without names'}"
    )
