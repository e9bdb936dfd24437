"""The map as a picture: the scene, tiles by answer, objects by class, and what was not seen."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from rsvlm_geo.errors import OutputError, require
from rsvlm_geo.layers.style import class_colors, object_colors
from rsvlm_geo.layers.write import replace_with

if TYPE_CHECKING:
    from rsvlm_geo.pipeline.result import Result
    from rsvlm_geo.scene import Scene

__all__ = ["draw_map", "save_map"]

_FEW = 64
"""Tiles up to which each gets its answer written on it."""

_BLANK = 235
"""Grey of pixels without data."""

_NORTH_UP_DEG = 5.0
"""Turned by more than this from north up, a map gets an arrow."""

_STATUS_LOOK: Mapping[str, Mapping[str, Any]] = {
    "refused": {"hatch": "/", "edgecolor": "#e69f0073", "facecolor": "none", "linewidth": 0.6},
    "unreadable": {"hatch": ".", "edgecolor": "#aa3c8299", "facecolor": "none", "linewidth": 0.6},
    "nodata": {"edgecolor": "#6e6e6e", "facecolor": (0.6, 0.6, 0.6, 0.5), "linewidth": 0.3},
    "failed": {"edgecolor": "#960000", "facecolor": (0.84, 0.15, 0.16, 0.5), "linewidth": 0.8},
}


def save_map(result: Result, path: Path, *, size_px: int = 1600) -> Path:
    """Draw a result and write it; the suffix decides the format."""
    plt = _pyplot()
    figure = draw_map(result, None, size_px=size_px).figure
    try:
        replace_with(path, lambda part: figure.savefig(part, dpi=200, bbox_inches="tight"))
    finally:
        plt.close(figure)
    return path


def _pyplot() -> Any:
    require("matplotlib", extra="plot")
    import matplotlib

    if matplotlib.get_backend().lower() not in ("agg", "module://matplotlib_inline.backend_inline"):
        import sys

        if "matplotlib.pyplot" not in sys.modules:
            matplotlib.use("agg")
    import matplotlib.pyplot as plt

    return plt


def draw_map(result: Result, ax: Any, *, question: int = 0, size_px: int = 1600) -> Any:
    """Draw on matplotlib Axes; a new figure when ``ax`` is None. Returns the Axes.

    Args:
        result: Of a run.
        ax: Where to draw, or None.
        question: Which of the run's questions colours the tiles.
        size_px: Longer side of the picture below.
    """
    facts = result.layers.style.questions
    if not 0 <= question < len(facts):
        raise OutputError(f"no question {question}; this run asked {len(facts)}, from 0")
    plt = _pyplot()
    image, valid = result.scene.preview(size_px)
    if ax is None:
        ratio = image.shape[0] / image.shape[1]
        width = 8.0 if ratio <= 1.2 else 8.0 / ratio * 1.2
        _, ax = plt.subplots(figsize=(width, width * ratio + 1.1), layout="constrained")
    shown = np.where(valid[..., None], image, _BLANK).astype(np.uint8)
    ax.imshow(shown, extent=(0, result.scene.width, result.scene.height, 0), interpolation="none")
    handles = _draw_tiles(ax, result, facts[question])
    handles += _draw_objects(ax, result)
    _frame(ax, result, facts[question], handles)
    return ax


def _pixels(result: Result, shapes: Any) -> list[Any]:
    """Map geometries back in scene pixels, rings of ``(x, y)``."""
    scene = result.scene
    flip = np.array([1.0, 1.0 if scene.georeferenced else -1.0])
    return [scene.to_pixels(np.asarray(shape.exterior.coords)[:, :2] * flip) for shape in shapes]


def _inset(rings: list[Any]) -> list[Any]:
    """Tiles a little smaller, so that neighbours' outlines stand side by side."""
    return [ring.mean(axis=0) + (ring - ring.mean(axis=0)) * 0.985 for ring in rings]


def _draw_tiles(ax: Any, result: Result, facts: Mapping[str, Any]) -> list[Any]:
    from matplotlib.collections import PolyCollection
    from matplotlib.patches import Patch

    mine = result.answers[result.answers["question"] == facts["question"]]
    handles: list[Any] = []

    def add(rows: Any, look: Mapping[str, Any], label: str | None) -> None:
        if not len(rows):
            return
        rings = _inset(_pixels(result, rows.geometry))
        ax.add_collection(PolyCollection(rings, **look), autolim=False)
        if label:
            sample = dict(look)
            if "hatch" in look:  # thin on the map, to see through; in a sample it would be lost
                sample |= {"hatch": look["hatch"] * 4, "edgecolor": look["edgecolor"][:7]}
            handles.append(Patch(label=f"{label} ({len(rows)})", **sample))

    answered = mine[mine["status"] == "answered"]
    kind = facts["kind"]
    if kind in ("class", "choice"):
        names = list(facts["answers"])
        # few tiles are large: an outline and a name leave the picture below them to be judged
        few = len(mine) <= _FEW
        for name, color in class_colors(names).items():
            rgb = tuple(part / 255 for part in color)
            style = {
                "facecolor": (*rgb, 0.05 if few else 0.22),
                "edgecolor": (*rgb, 0.95),
                "linewidth": 1.6 if few else 0.4,
            }
            label = name.replace("_", " ") if names.index(name) < 14 else None
            add(answered[answered["answer"] == name], style, label)
    elif kind == "yes_no":
        yes = {"facecolor": (0, 0.62, 0.45, 0.4), "edgecolor": "#005a42", "linewidth": 0.9}
        no = {"facecolor": (1, 1, 1, 0.1), "edgecolor": (1, 1, 1, 0.7), "linewidth": 0.4}
        add(answered[answered["answer"] == "yes"], yes, "yes")
        add(answered[answered["answer"] == "no"], no, "no")
    elif kind in ("count", "boxes"):
        add(answered, {"facecolor": "none", "edgecolor": (1, 1, 1, 0.45), "linewidth": 0.4}, None)
    else:
        said = {"facecolor": (0, 0.45, 0.7, 0.06), "edgecolor": "#0072b2", "linewidth": 0.6}
        add(answered, said, "answered")
    _write_texts(ax, result, answered, kind)
    # of several questions one colours the tiles: say which it is that these did not answer
    title = str(facts["title"])
    one = len(result.layers.style.questions) == 1
    for status, look in _STATUS_LOOK.items():
        words = (
            status
            if one or status in ("nodata", "failed")
            else f"{title.rstrip('?').lower()} {status}"
        )
        add(mine[mine["status"] == status], look, words)
    if ((mine["valid_frac"] < 0.999) & (mine["status"] != "nodata")).any():
        pale: dict[str, Any] = {
            "facecolor": (_BLANK / 255,) * 3,
            "edgecolor": "#9a9a9a",
            "linewidth": 0.3,
        }
        handles.append(Patch(label="no data in part of a tile", **pale))
    return handles


def _write_texts(ax: Any, result: Result, answered: Any, kind: str) -> None:
    """Answers in the corners of their tiles, while there are few enough to read."""
    if not 0 < len(answered) <= _FEW:
        return
    from matplotlib.patheffects import withStroke

    crowd = len(answered) > 16
    width = 20 if crowd else 40
    for ring, answer, value, sure in zip(
        _inset(_pixels(result, answered.geometry)), answered["answer"], answered["value"],
        answered["confidence"], strict=True,
    ):  # fmt: skip
        if kind in ("count", "boxes"):
            if not value:
                continue
            text = str(answer)
        elif kind in ("class", "yes_no", "choice"):
            percent = "" if np.isnan(sure) else f" {sure:.0%}"
            text = f"{str(answer).replace('_', ' ')}{percent}"
        else:
            text = textwrap.fill(str(answer), width, max_lines=6)
        low, high = ring.min(axis=0), ring.max(axis=0)
        ax.text(
            *(low + 0.03 * (high - low)), text, fontsize=5 if crowd else 7, color="#111111",
            ha="left", va="top", path_effects=[withStroke(linewidth=1.8, foreground="white")],
        )  # fmt: skip


def _draw_objects(ax: Any, result: Result) -> list[Any]:
    objects = result.objects
    if objects is None or not len(objects):
        return []
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D

    handles = []
    names = [str(name) for name in objects["label"].value_counts().index]
    thick = 1.3 if len(objects) < 400 else 0.7
    for name, color in object_colors(names).items():
        rows = objects[objects["label"] == name]
        rgb = (color[0] / 255, color[1] / 255, color[2] / 255)
        rings = _pixels(result, rows.geometry)
        ax.add_collection(
            LineCollection(rings, colors="black", linewidths=thick + 0.9, alpha=0.65), autolim=False
        )
        ax.add_collection(LineCollection(rings, colors=[rgb], linewidths=thick), autolim=False)
        handles.append(
            Line2D(
                [],
                [],
                color=rgb,
                lw=2,
                path_effects=_halo(),
                label=f"{name.replace('_', ' ')} ({len(rows)})",
            )
        )
    return handles[:14]


def _frame(ax: Any, result: Result, facts: Mapping[str, Any], handles: list[Any]) -> None:
    scene = result.scene
    asked = result.run.geometry.iloc[0]
    rings = _pixels(result, list(shapely.get_parts(asked)))
    for ring in rings:
        ax.plot(ring[:, 0], ring[:, 1], color="#222222", lw=0.8, ls="--")
    whole = np.concatenate(rings)
    low, high = whole.min(axis=0), whole.max(axis=0)
    pad = 0.02 * float((high - low).max())
    ax.set_xlim(max(low[0] - pad, -pad), min(high[0] + pad, scene.width + pad))
    ax.set_ylim(min(high[1] + pad, scene.height + pad), max(low[1] - pad, -pad))
    gsd_x, gsd_y = scene.gsd_x_m, scene.gsd_y_m
    ax.set_aspect("equal" if gsd_x is None or gsd_y is None else gsd_y / gsd_x)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    total = result.total
    title = str(total) if total is not None else str(facts["title"])
    if total is None and len(result.layers.style.questions) > 1:
        found = sorted((t for t in result.totals if t.value > 0), key=lambda t: -t.value)
        said = [*(f"{total}." for total in found), *(s.text for s in result.statements[1:2])]
        title = " ".join(dict.fromkeys(said)) or title
    ax.set_title(textwrap.fill(title, 80), fontsize=10, loc="left")
    model = result.run["model"].iloc[0]
    ax.set_xlabel(
        f"{scene.name} · {model} · {result.coverage_words}", fontsize=7, color="#444444", loc="left"
    )
    if handles:
        columns = 1 if len(handles) < 4 else min(5, -(-len(handles) // 2))
        columns = max(columns, min(len(handles), 4))
        ax.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(0, -0.045), ncols=columns,
            fontsize=7, frameon=False, borderaxespad=0, handlelength=1.4,
        )  # fmt: skip
    _scale_bar(ax, scene.gsd_x_m)
    _north_arrow(ax, scene)


def _north_arrow(ax: Any, scene: Scene) -> None:
    """Where north is, on a map that is turned; north up needs no arrow."""
    north = _north(scene)
    if north is None or abs(np.degrees(np.arctan2(north[0], -north[1]))) <= _NORTH_UP_DEG:
        return
    from matplotlib.patheffects import withStroke

    left, right = ax.get_xlim()
    bottom, top = ax.get_ylim()
    size = 0.045 * min(abs(right - left), abs(bottom - top))
    centre = np.array([right - 2.2 * size, top + 2.2 * size])
    tail, tip, name = centre - size * north, centre + size * north, centre - 1.6 * size * north
    halo = [withStroke(linewidth=3, foreground="white")]
    ax.annotate(
        "", xy=tip, xytext=tail,
        arrowprops={"arrowstyle": "-|>", "color": "#111111", "lw": 1.6, "path_effects": halo},
    )  # fmt: skip
    ax.text(*name, "N", ha="center", va="center", fontsize=8, weight="bold", path_effects=halo)


def _north(scene: Scene) -> NDArray[np.float64] | None:
    """float64[2]: true north at the scene's centre as a direction in pixels, of length one."""
    crs = scene.crs
    if crs is None:
        return None
    from rasterio.warp import transform

    middle = np.array([[scene.width / 2, scene.height / 2]])
    ((x, y),) = scene.to_map(middle)
    (lon,), (lat,) = transform(crs, "EPSG:4326", [x], [y])
    step = 1e-4 if lat < 89 else -1e-4
    xs, ys = transform("EPSG:4326", crs, [lon], [lat + step])
    way = (scene.to_pixels(np.array([[xs[0], ys[0]]])) - middle)[0] * np.sign(step)
    length = float(np.hypot(*way))
    return way / length if np.isfinite(length) and length > 0 else None


def _scale_bar(ax: Any, gsd_x_m: float | None) -> None:
    if gsd_x_m is None:
        return
    from matplotlib.patheffects import withStroke

    left, right = ax.get_xlim()
    bottom, top = ax.get_ylim()
    room = (right - left) * gsd_x_m * 0.22
    step = 10.0 ** np.floor(np.log10(room))
    length_m = float(step * max(k for k in (1, 2, 5) if k * step <= room))
    words = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    x1 = right - (right - left) * 0.03
    y = bottom - (bottom - top) * 0.11
    halo = [withStroke(linewidth=4, foreground="white")]
    ax.plot([x1 - length_m / gsd_x_m, x1], [y, y], color="#111111", lw=2, path_effects=halo)
    ax.text(
        x1, y - (bottom - top) * 0.015, words, ha="right", va="bottom", fontsize=7,
        path_effects=[withStroke(linewidth=2, foreground="white")],
    )  # fmt: skip


def _halo() -> list[Any]:
    """A dark rim, so that bright lines read on white paper too."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=3.2, foreground="#333333")]
