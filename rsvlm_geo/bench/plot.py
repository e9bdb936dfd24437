"""One SVG of bars for a section: ratios against their baseline, or values of one unit."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["number", "plot_rows"]

WIDTH, LEFT, RIGHT, STEP = 760, 330, 700, 44
"""Pixels: the drawing, where bars begin and end, from bar to bar."""
INK, SOFT, GOOD, BAD, PLAIN, GRID = "#14202b", "#5a6875", "#0f7b63", "#b35900", "#5b7fa6", "#dfe5ea"
_WRAP = 48


def number(value: float) -> str:
    """Three significant digits, as a person would write them."""
    if value is None or value != value:
        return ""
    if value and abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    if value and abs(value) < 0.001:
        return f"{value:.1e}"
    return f"{value:.3g}"


def plot_rows(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """A bar for each ratio; where there is none, for each value of the commonest unit.

    Args:
        rows: As the harness records them.

    Returns:
        SVG, or None where two bars cannot be found.
    """
    ratios = [row for row in rows if row["unit"] == "x"]
    if len(ratios) < 2:
        units = Counter(str(row["unit"]) for row in rows)
        unit = units.most_common(1)[0][0] if units else ""
        chosen = [row for row in rows if row["unit"] == unit]
        if len(chosen) < 2 or not any(row["value"] for row in chosen):
            return None
        return _draw(chosen, unit, baseline=False)
    return _draw(ratios, "x", baseline=True)


def _draw(rows: Sequence[Mapping[str, Any]], unit: str, *, baseline: bool) -> str:
    top = max([float(row["high"] or row["value"]) for row in rows] + [1.0 if baseline else 0.0])
    scale, ticks = _axis(top, log=baseline and top > 12, low=_least(rows))
    height = STEP * len(rows) + 44
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="system-ui, DejaVu Sans, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
    ]
    foot = STEP * len(rows) + 8
    for tick in ticks:
        x = scale(tick)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="6" y2="{foot}" stroke="{GRID}"/>')
        if not baseline or tick != 1:
            parts.append(_text(x, foot + 18, number(tick), SOFT, "middle", 12))
    for i, row in enumerate(rows):
        parts += _bar(row, STEP * i + 6, scale, unit)
    if baseline:
        x = scale(1.0)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="2" y2="{foot}" stroke="{INK}" '
            'stroke-width="1.5" stroke-dasharray="5 4"/>'
        )
        parts.append(_text(x, foot + 18, "1 = the baseline", INK, "middle", 12))
    else:
        parts.append(_text(RIGHT, foot + 33, unit, SOFT, "end", 12))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bar(row: Mapping[str, Any], y: int, scale: Any, unit: str) -> list[str]:
    value = float(row["value"])
    colour = {True: GOOD, False: BAD, None: PLAIN}[row["met"]]
    end = scale(value)
    first, second = _label(row)
    parts = [_text(LEFT - 12, y + 14, first, INK, "end", 13)]
    if second:
        parts.append(_text(LEFT - 12, y + 29, second, SOFT, "end", 11.5))
    parts.append(
        f'<rect x="{LEFT}" y="{y + 3}" width="{max(1.0, end - LEFT):.1f}" height="20" rx="3" '
        f'fill="{colour}"/>'
    )
    reach = end
    if row["low"] is not None and row["high"] != row["low"]:
        a, b = scale(float(row["low"])), scale(float(row["high"]))
        reach = max(reach, b)
        parts.append(
            f'<path d="M{a:.1f} {y + 9}v8M{a:.1f} {y + 13}H{b:.1f}M{b:.1f} {y + 9}v8" '
            f'stroke="{INK}" stroke-width="1.3" fill="none"/>'
        )
    aim = _aim(row)
    if aim is not None:
        x = scale(aim)
        parts.append(f'<path d="M{x:.1f} {y - 1}v28" stroke="{INK}" stroke-width="3"/>')
        reach = max(reach, x) if abs(x - reach) < 40 else reach
    word = f"{number(value)}{' x' if unit == 'x' else ''}"
    word += {True: "", False: " missed", None: ""}[row["met"]]
    parts.append(_text(reach + 7, y + 17, word, INK, "start", 13, bold=row["met"] is False))
    return parts


def _label(row: Mapping[str, Any]) -> tuple[str, str]:
    """What, and beside what; a long name is broken over both lines."""
    what, beside = str(row["what"]), str(row["compared_with"] or "")
    second = f"beside {beside}" if beside and beside not in what else ""
    if len(what) > _WRAP:
        cut = what.rfind(" ", 0, _WRAP)
        what, rest = what[:cut], what[cut + 1 :]
        second = f"{rest}; {second}" if second else rest
    return what, second if len(second) <= 58 else f"{second[:56].rstrip()}…"


def _aim(row: Mapping[str, Any]) -> float | None:
    """The bar as a number, where it is one."""
    for word in str(row["bar"] or "").split():
        try:
            return float(word)
        except ValueError:
            continue
    return None


def _least(rows: Sequence[Mapping[str, Any]]) -> float:
    return min(float(row["low"] if row["low"] is not None else row["value"]) for row in rows)


def _axis(top: float, *, log: bool, low: float) -> tuple[Any, list[float]]:
    """Value -> x, and where to draw lines: from 0, or in powers where ratios lie far apart."""
    if log:
        bottom = 10.0 ** math.floor(math.log10(max(min(low, 0.5), 0.01)))
        span = math.log10(top / bottom)

        def place(value: float) -> float:
            return LEFT + (RIGHT - LEFT) * math.log10(max(value, bottom) / bottom) / span

        powers = range(round(math.log10(bottom)), math.floor(math.log10(top)) + 1)
        return place, [10.0**power for power in powers]
    step = 10.0 ** math.floor(math.log10(top or 1.0))
    step = next(s for s in (step / 5, step / 2, step, step * 2) if top / s <= 6)
    ticks = [step * k for k in range(int(top / step) + 1)]
    return (lambda value: LEFT + (RIGHT - LEFT) * value / top), ticks


def _text(
    x: float, y: float, text: str, colour: str, anchor: str, size: float, *, bold: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size:g}"{weight} '
        f'fill="{colour}">{escape(text)}</text>'
    )
