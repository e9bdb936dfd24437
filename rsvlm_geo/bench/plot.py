"""One SVG of bars for a section: ratios against their baseline, or values of one unit."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Any

__all__ = ["number", "plot_rows"]

WIDTH, LEFT, RIGHT = 760, 322, 640
"""Pixels: the drawing, and where bars begin and end; values stand to the right of all bars."""
TOP, FOOT, GAP = 24, 40, 14
"""Pixels: over the first row, under the last, between two."""
INK, SOFT, GOOD, BAD, PLAIN, GRID = "#14202b", "#5a6875", "#0f7b63", "#b35900", "#5b7fa6", "#dfe5ea"
_WRAP, _WRAP_SMALL = 42, 46
"""Characters of a line that fit beside the bars."""


def number(value: float) -> str:
    """Three significant digits, as a person would write them."""
    if value is None or value != value:
        return ""
    if value and abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    if value and abs(value) < 0.001:
        return f"{value:.1e}"
    return f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class _Axis:
    """Values along the drawing."""

    low: float
    high: float
    log: bool
    unit: str
    ticks: tuple[float, ...]

    def x(self, value: float) -> float:
        """Pixels from the left."""
        if self.log:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return LEFT + (RIGHT - LEFT) * share

    @property
    def zero(self) -> float:
        """Where bars begin."""
        return 1.0 if self.log else self.low


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
    axis = _axis(rows, unit, baseline)
    labels = [_label(row) for row in rows]
    heights = [max(24, 17 * len(big) + 14 * len(small)) for big, small in labels]
    foot = TOP + sum(heights) + GAP * len(rows)
    height = foot + FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="system-ui, DejaVu Sans, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
    ]
    for tick in axis.ticks:
        x = axis.x(tick)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{foot}" stroke="{GRID}"/>')
        parts.append(_text(x, foot + 17, number(tick), SOFT, "middle", 12))
    if baseline:
        x = axis.x(1.0)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 4}" y2="{foot}" stroke="{INK}" '
            'stroke-width="1.3" stroke-dasharray="5 4"/>'
        )
        parts.append(_text(x, TOP - 9, "the baseline", INK, "middle", 12))
    words = "times as fast as the baseline" if baseline else unit
    parts.append(_text((LEFT + RIGHT) / 2, foot + 34, words, SOFT, "middle", 12))
    y = TOP + GAP / 2
    for row, label, tall in zip(rows, labels, heights, strict=True):
        parts += _bar(row, label, y, tall, axis)
        y += tall + GAP
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bar(
    row: Mapping[str, Any], label: tuple[list[str], list[str]], y: float, tall: float, axis: _Axis
) -> list[str]:
    value = float(row["value"])
    colour = {True: GOOD, False: BAD, None: PLAIN}[row["met"]]
    parts, at = [], y
    for lines, size, ink, step in ((label[0], 13, INK, 17), (label[1], 11.5, SOFT, 14)):
        for line in lines:
            parts.append(_text(LEFT - 12, at + 13, line, ink, "end", size))
            at += step
    middle = y + tall / 2
    start, end = sorted((axis.x(axis.zero), axis.x(value)))
    parts.append(
        f'<rect x="{start:.1f}" y="{middle - 10:.1f}" width="{max(1.0, end - start):.1f}" '
        f'height="20" rx="3" fill="{colour}"/>'
    )
    if row["low"] is not None and row["high"] != row["low"]:
        a, b = axis.x(float(row["low"])), axis.x(float(row["high"]))
        parts.append(
            f'<path d="M{a:.1f} {middle - 4:.1f}v8M{a:.1f} {middle:.1f}H{b:.1f}'
            f'M{b:.1f} {middle - 4:.1f}v8" stroke="{INK}" stroke-width="1.3" fill="none"/>'
        )
    aim = _aim(row)
    if aim is not None and axis.low <= aim and axis.x(aim) <= RIGHT + 2:
        parts.append(
            f'<path d="M{axis.x(aim):.1f} {middle - 14:.1f}v28" stroke="{INK}" stroke-width="3"/>'
        )
    missed = row["met"] is False
    word = f"{number(value)}{' x' if axis.unit == 'x' else ''}{' missed' if missed else ''}"
    colour = BAD if missed else INK
    parts.append(_text(RIGHT + 10, middle + 5, word, colour, "start", 13, bold=missed))
    return parts


def _label(row: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Lines of what, and of beside what where that is not said already."""
    what, beside = str(row["what"]), str(row["compared_with"] or "")
    small = wrap(f"beside {beside}", _WRAP_SMALL) if beside and beside not in what else []
    return wrap(what, _WRAP), small


def _aim(row: Mapping[str, Any]) -> float | None:
    """The bar as a number, where it is one."""
    for word in str(row["bar"] or "").split():
        try:
            return float(word)
        except ValueError:
            continue
    return None


def _axis(rows: Sequence[Mapping[str, Any]], unit: str, baseline: bool) -> _Axis:
    """From 0; or in powers, from the baseline to both sides, where ratios lie far apart."""
    top = max([float(row["high"] or row["value"]) for row in rows] + [float(baseline)])
    if baseline and top > 12:
        low = min(float(row["low"] if row["low"] is not None else row["value"]) for row in rows)
        bottom = max(min(low, 0.8), 0.001) * 0.9
        marks = [m * 10.0**power for power in range(-3, 7) for m in (1, 2, 5)]
        ticks = [mark for mark in marks if bottom <= mark <= top]
        while len(ticks) > 8:
            ticks = [tick for tick in ticks if f"{tick:e}"[0] == "1"][:: 1 + len(ticks) // 24]
        return _Axis(bottom, top, True, unit, tuple(ticks))
    step = 10.0 ** math.floor(math.log10(top))
    step = next(s for s in (step / 5, step / 2, step, step * 2) if top / s <= 6)
    return _Axis(0.0, top, False, unit, tuple(step * k for k in range(int(top / step) + 1)))


def _text(
    x: float, y: float, text: str, colour: str, anchor: str, size: float, *, bold: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size:g}"{weight} '
        f'fill="{colour}">{escape(text)}</text>'
    )
