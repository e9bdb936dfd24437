"""What the page is filled with; ``web/src/data.ts`` is the other half of this shape."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rsvlm_geo.errors import DataError

__all__ = ["Picture", "build_payload"]

_PIXEL_DEG = 1e-5
"""A scene without a place on Earth is drawn at this many degrees per pixel, around 0, 0."""

_ANSWER_COLUMNS = ("tile_id", "task", "question", "status", "answer", "geometry")
_COVERAGE = ("answered", "refused", "nodata", "failed", "pending")


@dataclass(frozen=True, slots=True)
class Picture:
    """A small picture of the scene."""

    href: str
    """A ``data:`` URI."""
    corners: tuple[tuple[float, float], ...]
    """Its north-west, north-east, south-east, south-west corners (top left first) in the CRS of
    the answers."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""


def build_payload(
    answers: gpd.GeoDataFrame,
    objects: gpd.GeoDataFrame | None,
    run: Mapping[str, Any],
    *,
    title: str,
    picture: Picture | None = None,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """The page's data from a run's layers.

    Args:
        answers: One row per tile and question, geometry = tile core, any CRS or none (pixels).
        objects: One row per box or polygon, same CRS; may be empty or None.
        run: The run's one row, as a mapping; ``totals`` and ``provenance`` are JSON texts.
        title: What the scene is called.
        picture: A small picture of the scene, or None.
        notes: Sentences shown under the title.

    Raises:
        DataError: A column that a run always has is missing.
    """
    missing = [name for name in _ANSWER_COLUMNS if name not in answers.columns]
    if missing:
        raise DataError(
            f"not a run's answers: no column {', '.join(missing)}; "
            "pass a GeoPackage that rsvlm-geo wrote"
        )
    place = _Placer(answers)
    first: dict[tuple[str, str], int] = {}
    for task, question in zip(answers["task"], answers["question"], strict=True):
        first.setdefault((str(task), str(question)), len(first))
    rows = answers.drop(columns="geometry").to_dict("records")
    tiles = dict(zip(answers["tile_id"].astype(str), answers.geometry, strict=True))
    run_values = {key: _parsed(value) for key, value in run.items() if key != "geometry"}
    return {
        "title": title,
        "subtitle": _subtitle(run_values, rows, place.georeferenced),
        "summary": _text(run_values.get("summary")).removeprefix(f"{title}: "),
        "georeferenced": place.georeferenced,
        "questions": [{"task": task, "text": text} for task, text in first],
        "tiles": dict(zip(tiles, place.rings(gpd.GeoSeries(list(tiles.values()))), strict=True)),
        "answers": [_answer(row, first) for row in rows],
        "objects": _objects(objects, place),
        "totals": _totals(run_values, rows),
        "coverage": _coverage(run_values, rows),
        "picture": None
        if picture is None
        else {
            "href": picture.href,
            "corners": place.points(np.array(picture.corners, dtype=np.float64)),
            "width": picture.width,
            "height": picture.height,
        },
        "provenance": _provenance(run_values),
        "notes": list(notes),
    }


class _Placer:
    """Brings geometry to lon/lat, or lays pixels out around 0, 0."""

    def __init__(self, answers: gpd.GeoDataFrame) -> None:
        self.crs = answers.crs
        self.georeferenced = self.crs is not None and not self.crs.is_engineering
        bounds = answers.total_bounds if len(answers) else np.array([0.0, 0.0, 1.0, 1.0])
        self._centre = np.array([(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2])

    def points(self, xy: np.ndarray[Any, Any]) -> list[list[float]]:
        if self.georeferenced:
            moved = gpd.GeoSeries(gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=self.crs)
            moved = moved.to_crs(4326)
            return [[round(p.x, 8), round(p.y, 8)] for p in moved]
        degrees = (xy - self._centre) * [_PIXEL_DEG, -_PIXEL_DEG]
        return [[round(float(x), 9), round(float(y), 9)] for x, y in degrees]

    def rings(self, geometry: gpd.GeoSeries) -> list[list[list[float]]]:
        outlines = [_outline(geom) for geom in geometry]
        lengths = [len(outline) for outline in outlines]
        if not outlines:
            return []
        placed = self.points(np.concatenate(outlines))
        ends = np.cumsum(lengths)
        return [placed[end - n : end] for end, n in zip(ends, lengths, strict=True)]


def _outline(geom: Any) -> np.ndarray[Any, Any]:
    if geom is None or geom.is_empty:
        return np.zeros((4, 2))
    if geom.geom_type == "MultiPolygon":
        geom = max(geom.geoms, key=lambda part: part.area)
    if geom.geom_type != "Polygon":
        geom = geom.envelope if geom.geom_type != "Point" else geom.buffer(1e-9)
    return shapely.get_coordinates(geom.exterior)


def _answer(row: Mapping[str, Any], first: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    return {
        "tile": str(row["tile_id"]),
        "question": first[str(row["task"]), str(row["question"])],
        "status": row["status"],
        "text": _text(row["answer"]).replace("_", " ")
        if row["task"] == "classify"
        else _text(row["answer"]),
        "value": _number(row.get("value")),
        "unit": _text(row.get("unit")) or None,
        "confidence": _number(row.get("confidence"), 4),
        "reason": _text(row.get("reason")) or None,
        "gsd": _number(row.get("gsd_m")),
        "valid": _number(row.get("valid_frac"), 4),
    }


def _objects(objects: gpd.GeoDataFrame | None, place: _Placer) -> list[dict[str, Any]]:
    if objects is None or len(objects) == 0:
        return []
    rows = objects.drop(columns="geometry").to_dict("records")
    return [
        {
            "tile": str(row["tile_id"]),
            "label": str(row["label"]),
            "score": _number(row.get("score"), 4),
            "area": _number(row.get("area_m2"), 2),
            "ring": ring,
        }
        for row, ring in zip(rows, place.rings(objects.geometry), strict=True)
    ]


def _coverage(run: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Shares of the asked area; from the run's own account, else from the number of tiles."""
    if run.get("seen") is not None:
        refused = _refused(run, rows)
        shares = {"answered": float(run["seen"]) - refused, "refused": refused}
        shares |= {name: float(run.get(name) or 0.0) for name in _COVERAGE[2:]}
    else:
        names = {"unreadable": "refused"}
        found = [names.get(row["status"], row["status"]) for row in rows]
        shares = {name: found.count(name) / max(len(found), 1) for name in _COVERAGE}
    return {name: round(max(share, 0.0), 6) for name, share in shares.items()}


def _refused(run: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> float:
    """The run's refused share; of several questions their mean, where the run tells of any."""
    share = float(run.get("refused") or 0.0)
    if len({(row["task"], row["question"]) for row in rows}) > 1:
        found = Counter(row["status"] for row in rows)
        refused = found["refused"] + found["unreadable"]
        share = float(run["seen"]) * refused / max(refused + found["answered"], 1)
    return share


_SHOWN_ELSEWHERE = {
    "totals", "coverage", "questions", "complete", "seen", "nodata", "failed", "pending",
    "refused", "tiles", "objects", "summary", "task",
}  # fmt: skip


def _provenance(run: Mapping[str, Any]) -> list[list[str]]:
    """Name and value of everything the run knows about itself, nested names joined by a dot."""
    pairs: list[list[str]] = []

    def walk(name: str, value: Any) -> None:
        if value in (None, "", {}, []):
            return
        if isinstance(value, Mapping):
            for key, inner in value.items():
                walk(f"{name} · {key}" if name else str(key), inner)
        else:
            if isinstance(value, float):
                text = f"{value:.6g}"
            elif isinstance(value, str | int):
                text = str(value)
            else:
                text = json.dumps(value, default=str)
            pairs.append([name, text])

    stored = run.get("provenance")
    walk("", {key: v for key, v in run.items() if key not in _SHOWN_ELSEWHERE | {"provenance"}})
    if isinstance(stored, Mapping):
        known = {name for name, _ in pairs}
        walk("", {key: v for key, v in stored.items() if key not in _SHOWN_ELSEWHERE | known})
    return pairs


def _totals(run: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    stored = run.get("totals")
    found = [total for total in stored if total] if isinstance(stored, list) else []
    # what was found first; classes of which there is none share a card
    found.sort(key=lambda total: -float(total["value"]))
    none = [
        t for t in found if float(t["value"]) == 0 and t.get("complete") and t.get("answered") != 0
    ]
    if len(none) > 1:
        found = [total for total in found if total not in none]
    totals = []
    for total in found:
        totals.append(_figure(total, run))
    if len(none) > 1:
        names = ", ".join(map(_label, none))
        totals.append({"label": "none found", "value": "0", "note": names, "complete": True})
    tiles = {row["tile_id"] for row in rows}
    refused = sum(row["status"] in ("refused", "unreadable") for row in rows)
    failed = sum(row["status"] == "failed" for row in rows)
    note = f"{refused} of {len(rows)} answers refused" if refused else "nothing refused"
    if failed:
        note += f", {failed} failed"
    totals.append(
        {"label": "tiles", "value": f"{len(tiles):,}", "note": note, "complete": failed == 0}
    )
    return totals


def _figure(total: Mapping[str, Any], run: Mapping[str, Any]) -> dict[str, Any]:
    complete, share = bool(total.get("complete")), total.get("answered")
    value = f"{float(total['value']):,.10g}"
    if share is None and run.get("seen") is not None:
        share = float(run["seen"]) - float(run.get("refused") or 0.0)
    if complete:
        note = "in all of the area with data"
    elif share is None:
        note = "incomplete: part of the area was not answered"
    else:
        note = f"incomplete: answered on {float(share):.1%} of the area"
    if share is not None and float(share) < 1e-9:
        value, note = "–", "not counted" + str(total.get("text", "")).partition("not counted")[2]
    if total.get("unit") == "candidates":
        note = f"candidate boxes, {note}"
    return {"label": _label(total), "value": value, "note": note, "complete": complete}


def _label(total: Mapping[str, Any]) -> str:
    label = str(total.get("label", "total")).replace("_", " ")
    return f"possible {label}" if total.get("unit") == "candidates" else label


def _subtitle(
    run: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], georeferenced: bool
) -> str:
    when = str(run.get("finished") or run.get("started") or "")
    parts = [
        str(run.get("model") or ""),
        f"{when[:16].replace('T', ' ')} UTC" if when else "",
        "" if georeferenced else "no georeference: positions are pixels",
        "" if rows else "no answers",
    ]
    return " · ".join(part for part in parts if part)


def _parsed(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in "[{":
        try:
            return json.loads(value)
        except ValueError:
            return value
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value


def _number(value: Any, digits: int = 6) -> float | None:
    if value is None or value != value:
        return None
    return round(float(value), digits)


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value)
