"""What to search for, checked before anybody is asked. Pure."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rsvlm_geo.errors import StacError, require

__all__ = ["SearchQuery", "parse_datetimes", "split_bbox"]

BBox = tuple[float, float, float, float]
MAX_ITEMS = 10_000


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """One search; everything that is left out does not restrict."""

    collections: tuple[str, ...] = ()
    bbox: BBox | None = None
    """``(west, south, east, north)``, degrees; ``west > east`` crosses the antimeridian."""
    datetime: str | None = None
    """RFC 3339 instant, day, month or year, or ``start/end`` with ``..`` for open."""
    intersects: Mapping[str, Any] | None = None
    """GeoJSON geometry, lon/lat."""
    filter: str | Mapping[str, Any] | None = None
    """CQL2, as text or JSON."""
    ids: tuple[str, ...] = ()
    max_items: int = MAX_ITEMS
    """More matches than this are an error, not a silent cut; 0 takes all."""
    _times: tuple[dt.datetime | None, dt.datetime | None] | None = field(
        default=None, init=False, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        if self.bbox is not None:
            object.__setattr__(self, "bbox", check_bbox(self.bbox))
            if self.intersects is not None:
                raise StacError("a search takes bbox or intersects, not both; leave one out")
        if self.intersects is not None and "type" not in self.intersects:
            raise StacError("intersects takes a GeoJSON geometry with a type")
        if self.datetime is not None:
            object.__setattr__(self, "_times", parse_datetimes(self.datetime))
        if self.filter is not None:
            check_filter(self.filter)

    @property
    def times(self) -> tuple[dt.datetime | None, dt.datetime | None] | None:
        """``(start, end)``, None where open; None when time does not matter."""
        return self._times

    def parts(self) -> list[BBox | None]:
        """The boxes to ask for, one each side of the antimeridian."""
        return [None] if self.bbox is None else list(split_bbox(self.bbox))

    def describe(self) -> str:
        """In words, for messages."""
        said = []
        if self.collections:
            said.append("collections " + ", ".join(self.collections))
        if self.bbox is not None:
            said.append("bbox " + ",".join(f"{v:g}" for v in self.bbox))
        if self.datetime:
            said.append(f"datetime {self.datetime}")
        if self.ids:
            said.append(f"{len(self.ids)} ids")
        if self.filter is not None:
            said.append("a CQL2 filter")
        if self.intersects is not None:
            said.append("a geometry")
        return "; ".join(said) or "everything"


def check_bbox(bbox: Sequence[float]) -> BBox:
    """Four numbers in order, or StacError; six (with heights) become four."""
    values = [float(v) for v in bbox]
    if len(values) == 6:
        values = [values[0], values[1], values[3], values[4]]
    if len(values) != 4 or not all(math.isfinite(v) for v in values):
        raise StacError(f"bbox takes west,south,east,north in degrees; got {list(bbox)}")
    west, south, east, north = values
    if south > north:
        raise StacError(
            f"bbox is upside down: south {south:g} is north of {north:g}; "
            f"the order is west,south,east,north"
        )
    if south < -90 or north > 90:
        raise StacError(f"bbox latitudes must lie in -90..90; got {south:g} and {north:g}")
    if not (-180 <= west <= 180 and -180 <= east <= 180):
        raise StacError(
            f"bbox longitudes must lie in -180..180; got {west:g} and {east:g}; "
            "write a box across the antimeridian with west > east, as 179,-18,-179,-17"
        )
    return west, south, east, north


def split_bbox(bbox: BBox) -> tuple[BBox, ...]:
    """A box, or its two halves when it crosses the antimeridian.

    Servers differ on ``west > east``: some build the complement and find nothing.
    """
    west, south, east, north = bbox
    if west <= east:
        return (bbox,)
    return (west, south, 180.0, north), (-180.0, south, east, north)


def check_filter(text: str | Mapping[str, Any]) -> Any:
    """The CQL2 expression, parsed; servers answer a bad one with a bare 500."""
    cql2 = require("cql2", extra="stac")
    try:
        expression = cql2.Expr(text if isinstance(text, str) else dict(text))
        expression.validate()
    except Exception as error:
        said = " ".join(str(error).split())[:160]
        shown = text if isinstance(text, str) else "the JSON filter"
        raise StacError(f"bad CQL2 filter {shown!r}: {said}") from error
    return expression


_DAY = re.compile(r"^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$")


def parse_datetimes(text: str) -> tuple[dt.datetime | None, dt.datetime | None]:
    """An instant, day, month, year or interval as ``(start, end)`` in UTC, None where open.

    Raises:
        StacError: It is none of these, or runs backwards.
    """
    first, slash, last = text.partition("/")
    start = _bound(first, text, end=False)
    end = _bound(last if slash else first, text, end=True)
    if start is not None and end is not None and start > end:
        raise StacError(f"datetime {text!r} ends before it starts; write start/end")
    return start, end


def _bound(text: str, whole: str, *, end: bool) -> dt.datetime | None:
    text = text.strip()
    if text in ("", ".."):
        return None
    try:
        match = _DAY.match(text)
        if match is None:
            value = dt.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text))
            return value if value.tzinfo else value.replace(tzinfo=dt.timezone.utc)
        year, month, day = (int(g) if g else None for g in match.groups())
        start = dt.datetime(year or 1, month or 1, day or 1, tzinfo=dt.timezone.utc)
        if not end:
            return start
        if day:
            after = start + dt.timedelta(days=1)
        elif month:
            after = (start + dt.timedelta(days=32)).replace(day=1)
        else:
            after = start.replace(year=start.year + 1)
        return after - dt.timedelta(seconds=1)
    except ValueError as error:
        raise StacError(
            f"datetime {whole!r} cannot be read: {error}; write 2024-06-01/2024-06-30"
        ) from error
