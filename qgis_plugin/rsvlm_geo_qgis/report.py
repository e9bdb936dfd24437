# SPDX-License-Identifier: GPL-2.0-or-later
"""A print layout of a run: map, legend, totals, coverage, refusals, provenance."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFillSymbol,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemScaleBar,
    QgsLayoutItemShape,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsLegendStyle,
    QgsPrintLayout,
    QgsProject,
    QgsRectangle,
    QgsTextFormat,
    QgsUnitTypes,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor, QFont

from .i18n import tr
from .status import STATUSES, status_name

__all__ = ["make_report", "open_report"]

INK, SOFT, BRAND = "#12343b", "#5c6b70", "#0f8b8d"


def open_report(iface: Any, layers: list[QgsVectorLayer], total: str) -> None:
    """Make the layout of a run and open it."""
    if not layers:
        return
    layout = make_report(QgsProject.instance(), layers, total, iface.mapCanvas())
    iface.openLayoutDesigner(layout)


def make_report(
    project: QgsProject, layers: list[QgsVectorLayer], total: str, canvas: Any
) -> QgsPrintLayout:
    """An A4 landscape page about these layers of one run, added to the project's layouts."""
    run = json.loads(layers[-1].customProperty("rsvlm_geo/run", "{}") or "{}")
    done = run.get("done") or {}
    manager = project.layoutManager()
    title = str(run.get("title") or tr("Asked here"))
    name, n = title, 1
    while manager.layoutByName(name) is not None:
        n += 1
        name = f"{title} ({n})"
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    layout.setName(name)
    picture = QgsLayoutItemMap(layout)
    shown = canvas.mapSettings().destinationCrs()
    picture.setCrs(shown if shown.isValid() else layers[-1].crs())
    extent = _extent(layers, picture.crs(), project)
    # an extent first, or resizing works on none and leaves nonsense
    picture.setRect(0, 0, 200, 166)
    picture.setExtent(extent)
    _put(layout, picture, 10, 24, 200, 166)
    picture.zoomToExtent(extent)
    picture.setFrameEnabled(True)
    picture.setFrameStrokeColor(QColor("#c9d3d5"))
    picture.setId("map")
    rule = QgsLayoutItemShape(layout)
    rule.setShapeType(QgsLayoutItemShape.Shape.Rectangle)
    rule.setSymbol(QgsFillSymbol.createSimple({"color": BRAND, "outline_style": "no"}))
    _put(layout, rule, 10, 8, 1.6, 11)
    _say(layout, title, 14, 7.5, 270, 8, 16, INK, bold=True)
    _say(
        layout,
        str(run.get("question") or done.get("summary", "")).split("\n")[0],
        14,
        14.5,
        270,
        6,
        9,
        SOFT,
    )
    _say(layout, tr("Totals"), 216, 24, 71, 6, 9, BRAND, bold=True)
    _say(layout, total or str(done.get("summary", "")), 216, 29.5, 71, 22, 11, INK, bold=True)
    _say(layout, tr("Answers by status"), 216, 54, 71, 6, 9, BRAND, bold=True)
    counts = done.get("counts") or {}
    rows = [f"{counts.get(s, 0):>6}   {status_name(s)}" for s in STATUSES if counts.get(s)]
    _say(layout, "\n".join(rows), 216, 59.5, 71, 27, 9, INK)
    legend = QgsLayoutItemLegend(layout)
    legend.setLinkedMap(picture)
    legend.setAutoUpdateModel(False)
    # a tree of the legend's own, a copy of the project's
    tree = legend.model().rootGroup()
    tree.removeAllChildren()
    for layer in layers:
        tree.addLayer(layer)
    _legend_fonts(legend)
    legend.setTitle("")
    legend.setLegendFilterByMapEnabled(True)
    _put(layout, legend, 214, 106, 73, 84)
    _say(layout, _provenance(run, layers), 216, 84, 71, 18, 7, SOFT)
    bar = QgsLayoutItemScaleBar(layout)
    bar.setLinkedMap(picture)
    bar.applyDefaultSize()
    bar.setStyle("Single Box")
    small = bar.textFormat()
    small.setSize(8)
    bar.setTextFormat(small)
    bar.setHeight(1.6)
    _put(layout, bar, 12, 191, 80, 10)
    _say(
        layout,
        tr("A total speaks only for the tiles that were answered; hatched tiles could not be told."),  # noqa: E501
        100, 193.5, 187, 8, 8, SOFT,
    )  # fmt: skip
    manager.addLayout(layout)
    return layout


def _extent(
    layers: list[QgsVectorLayer], crs: QgsCoordinateReferenceSystem, project: QgsProject
) -> QgsRectangle:
    """Where the run's layers lie, with a little air."""
    whole = QgsRectangle()
    whole.setMinimal()
    for layer in layers:
        to_map = QgsCoordinateTransform(layer.crs(), crs, project)
        whole.combineExtentWith(to_map.transformBoundingBox(layer.extent()))
    whole.scale(1.04)
    return whole


def _legend_fonts(legend: QgsLayoutItemLegend) -> None:
    for part, size in (
        (QgsLegendStyle.Style.Title, 10),
        (QgsLegendStyle.Style.Subgroup, 9),
        (QgsLegendStyle.Style.SymbolLabel, 8),
    ):
        style = legend.style(part)
        font = QFont(style.font())
        font.setPointSizeF(size)
        style.setFont(font)
        legend.setStyle(part, style)


def _provenance(run: dict[str, Any], layers: list[QgsVectorLayer]) -> str:
    from .results import run_facts

    facts = run_facts(layers[-1])
    lines = [
        tr("Scene: {name}", name=run.get("layer") or facts.get("scene_id", "")),
        tr("Model: {name}", name=f"{facts.get('model', '')} {facts.get('provider', '')}".strip()),
        tr("Run {run}, {when}", run=(run.get("done") or {}).get("run_id", ""),
           when=str(run.get("when") or date.today().isoformat())[:16].replace("T", " ")),
        f"CRS {layers[-1].crs().authid()} · rsvlm_geo",
    ]  # fmt: skip
    return "\n".join(lines)


def _put(layout: QgsPrintLayout, item: Any, x: float, y: float, w: float, h: float) -> None:
    unit = QgsUnitTypes.LayoutUnit.LayoutMillimeters
    layout.addLayoutItem(item)
    item.attemptMove(QgsLayoutPoint(x, y, unit))
    item.attemptResize(QgsLayoutSize(w, h, unit))


def _say(
    layout: QgsPrintLayout, text: str, x: float, y: float, w: float, h: float, size: float,
    colour: str, *, bold: bool = False,
) -> None:  # fmt: skip
    label = QgsLayoutItemLabel(layout)
    label.setText(text)
    form = QgsTextFormat()
    font = QFont("Open Sans")
    font.setBold(bold)
    form.setFont(font)
    form.setSize(size)
    form.setColor(QColor(colour))
    if hasattr(label, "setTextFormat"):
        label.setTextFormat(form)
    else:
        font.setPointSizeF(size)
        label.setFont(font)
        label.setFontColor(QColor(colour))
    _put(layout, label, x, y, w, h)
