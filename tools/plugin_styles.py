#!/usr/bin/env python3
"""Make the plugin's styles (QML) and its print-layout template, with QGIS itself.

    QT_QPA_PLATFORM=offscreen /usr/bin/python3 tools/plugin_styles.py

Run it after changing a colour or a rule here, and commit what it writes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import (
    QgsApplication,
    QgsBalloonCallout,
    QgsFillSymbol,
    QgsPalLayerSettings,
    QgsProperty,
    QgsRuleBasedLabeling,
    QgsRuleBasedRenderer,
    QgsSymbolLayer,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsUnitTypes,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor, QFont

FOLDER = Path(__file__).resolve().parents[1] / "qgis_plugin" / "rsvlm_geo_qgis"

TEAL, AMBER, VIOLET, RED = "#0f8b8d", "#e69f00", "#aa3c82", "#d62728"
FIELDS = (
    "field=run_id:string&field=scene_id:string&field=tile_id:string&field=task:string&"
    "field=question:string&field=status:string&field=answer:string&field=value:double&"
    "field=unit:string&field=confidence:double&field=reason:string&field=n_objects:integer&"
    "field=gsd_m:double&field=valid_frac:double&field=model:string&field=elapsed_ms:double&"
    "field=datetime:string&field=label:string&field=score:double&field=area_m2:double"
)
COUNTED = "\"value\" IS NOT NULL AND \"task\" IN ('count', 'locate')"
YES_NO = "lower(\"answer\") IN ('yes', 'no')"
RAMP = (
    "set_color_part(ramp_color('YlGnBu', 0.2 + 0.8 * scale_linear(\"value\", 0, "
    "max(1, coalesce(maximum(\"value\", filter := \"task\" IN ('count', 'locate')), 1)), 0, 1)), "
    "'alpha', 120)"
)
NAMES = {
    "invisible": "not visible", "panchromatic": "no colour", "below_gsd": "too coarse",
    "modality": "wrong sensor", "low_confidence": "not sure", "out_of_scope": "out of scope",
}  # fmt: skip
REASON = (
    "CASE "
    + " ".join(f"WHEN \"reason\"='{k}' THEN '{v}'" for k, v in NAMES.items())
    + ' ELSE "reason" END'
)


def fill(**layer: object) -> QgsFillSymbol:
    return QgsFillSymbol.createSimple({key: str(value) for key, value in layer.items()})


def hatched(
    colour: str, angle: int, distance: float, width: float, style: str = "dash"
) -> QgsFillSymbol:
    from qgis.core import QgsLinePatternFillSymbolLayer, QgsSimpleLineSymbolLayer

    symbol = fill(color="0,0,0,0", outline_color=colour, outline_width=0.35, outline_style=style)
    for turn in (angle,) if isinstance(angle, int) else angle:
        lines = QgsLinePatternFillSymbolLayer()
        lines.setLineAngle(turn)
        lines.setDistance(distance)
        line = lines.subSymbol()
        stroke = QgsSimpleLineSymbolLayer(QColor(colour), width)
        line.changeSymbolLayer(0, stroke)
        symbol.insertSymbolLayer(0, lines)
    return symbol


def answer_rules() -> QgsRuleBasedRenderer.Rule:
    Rule = QgsRuleBasedRenderer.Rule
    root = Rule(None)

    def rule(symbol: QgsFillSymbol | None, where: str, label: str) -> QgsRuleBasedRenderer.Rule:
        made = Rule(symbol, filterExp=where, label=label)
        root.appendChild(made)
        return made

    counted = fill(color="65,182,196,120", outline_color="255,255,255,150", outline_width=0.15)
    first = counted.symbolLayer(0)
    first.setDataDefinedProperty(
        QgsSymbolLayer.Property.PropertyFillColor, QgsProperty.fromExpression(RAMP)
    )
    answered = "\"status\" = 'answered'"
    rule(counted, f'{answered} AND {COUNTED} AND "value" > 0', "Counted, darker is more")
    rule(fill(color="255,255,255,28", outline_color="255,255,255,150", outline_width=0.15),
         f"{answered} AND {COUNTED} AND \"value\" = 0", "Counted none")  # fmt: skip
    rule(fill(color="15,139,141,120", outline_color=TEAL, outline_width=0.3),
         f"{answered} AND NOT ({COUNTED}) AND lower(\"answer\") = 'yes'", "Yes")  # fmt: skip
    rule(fill(color="255,255,255,40", outline_color="#ffffff", outline_width=0.3),
         f"{answered} AND NOT ({COUNTED}) AND lower(\"answer\") = 'no'", "No")  # fmt: skip
    rule(fill(color="15,139,141,30", outline_color=TEAL, outline_width=0.4),
         f"{answered} AND NOT ({COUNTED}) AND NOT ({YES_NO})", "Answered")  # fmt: skip
    rule(hatched(AMBER, 45, 2.2, 0.35), "\"status\" = 'refused'", "Refused: cannot be told")
    rule(hatched(VIOLET, 135, 3.2, 0.25, "dot"), "\"status\" = 'unreadable'", "Unreadable answer")
    rule(fill(color="138,143,152,40", outline_color="138,143,152,120", outline_width=0.15, outline_style="dot"),  # noqa: E501
         "\"status\" = 'nodata'", "No data")  # fmt: skip
    rule(hatched(RED, (45, 135), 2.4, 0.3, "solid"), "\"status\" = 'failed'", "Failed")
    return root


def text_format(
    size: float, colour: str, *, bold: bool = False, italic: bool = False
) -> QgsTextFormat:
    form = QgsTextFormat()
    font = QFont("Open Sans")
    font.setBold(bold)
    font.setItalic(italic)
    form.setFont(font)
    form.setSize(size)
    form.setColor(QColor(colour))
    halo = QgsTextBufferSettings()
    halo.setEnabled(True)
    halo.setSize(0.7)
    halo.setColor(QColor(255, 255, 255, 225))
    form.setBuffer(halo)
    return form


def label(expression: str, form: QgsTextFormat, *, fit: bool = True) -> QgsPalLayerSettings:
    settings = QgsPalLayerSettings()
    settings.fieldName = expression
    settings.isExpression = True
    settings.setFormat(form)
    settings.placement = QgsPalLayerSettings.Placement.Horizontal
    settings.fitInPolygonOnly = fit
    settings.multilineAlign = QgsPalLayerSettings.MultiLineAlign.MultiCenter
    return settings


def answer_labels() -> QgsRuleBasedLabeling:
    Rule = QgsRuleBasedLabeling.Rule
    root = Rule(None)

    def rule(settings: QgsPalLayerSettings, where: str, coarsest: int, name: str) -> None:
        root.appendChild(Rule(settings, coarsest, 0, where, name))

    answered = "\"status\" = 'answered'"
    rule(label("\"answer\"", text_format(9, "#12343b", bold=True)),
         f"{answered} AND {COUNTED} AND \"value\" > 0", 50000, "Counts")  # fmt: skip
    rule(label("\"answer\"", text_format(9, "#12343b", bold=True)),
         f"{answered} AND NOT ({COUNTED}) AND {YES_NO}", 50000, "Yes and no")  # fmt: skip
    rule(label("wordwrap(\"answer\", 26)", text_format(8, "#12343b")),
         f"{answered} AND NOT ({COUNTED}) AND NOT ({YES_NO})", 100000, "Texts")  # fmt: skip
    rule(label(REASON, text_format(7.5, "#9c4f0b", italic=True)),
         "\"status\" = 'refused'", 50000, "Why refused")  # fmt: skip
    return QgsRuleBasedLabeling(root)


def object_rules() -> QgsRuleBasedRenderer.Rule:
    Rule = QgsRuleBasedRenderer.Rule
    root = Rule(None)
    symbol = fill(color="255,210,0,25", outline_color="20,20,20,150", outline_width=0.75)
    bright = fill(color="0,0,0,0", outline_color="#ffd21f", outline_width=0.4)
    symbol.appendSymbolLayer(bright.symbolLayer(0).clone())
    root.appendChild(Rule(symbol, label="Object"))
    return root


def object_labels() -> QgsRuleBasedLabeling:
    Rule = QgsRuleBasedLabeling.Rule
    root = Rule(None)
    settings = label(
        "replace(\"label\", '_', ' ') || coalesce(' ' || round(\"score\" * 100) || ' %', '')",
        text_format(7.5, "#3a3000", bold=True), fit=False,
    )  # fmt: skip
    settings.placement = QgsPalLayerSettings.Placement.AroundPoint
    settings.dist = 1
    root.appendChild(Rule(settings, 400, 0, "", "Objects"))
    return QgsRuleBasedLabeling(root)


def asked_rules() -> QgsRuleBasedRenderer.Rule:
    Rule = QgsRuleBasedRenderer.Rule
    root = Rule(None)
    symbol = fill(color="15,139,141,20", outline_color="255,255,255,230", outline_width=1.0)
    inner = fill(color="0,0,0,0", outline_color=TEAL, outline_width=0.5)
    symbol.appendSymbolLayer(inner.symbolLayer(0).clone())
    root.appendChild(Rule(symbol, filterExp="\"status\" = 'answered'", label="Answered"))
    root.appendChild(Rule(hatched(AMBER, 45, 2.2, 0.35), filterExp="\"status\" = 'refused'",
                          label="Refused: cannot be told"))  # fmt: skip
    root.appendChild(Rule(hatched(VIOLET, 135, 3.2, 0.25, "dot"),
                          filterExp="\"status\" NOT IN ('answered', 'refused')", label="No answer"))  # fmt: skip  # noqa: E501
    return root


def asked_labels() -> QgsRuleBasedLabeling:
    Rule = QgsRuleBasedLabeling.Rule
    root = Rule(None)
    said = (
        'CASE WHEN "status" = \'answered\' THEN wordwrap("answer", 34) || '
        "coalesce('  (' || round(\"confidence\" * 100) || ' %)', '') "
        f"WHEN \"status\" = 'refused' THEN 'cannot be told: ' || {REASON} "
        "WHEN \"status\" = 'nodata' THEN 'no data here' ELSE 'no readable answer' END"
    )
    form = text_format(9, "#12343b", bold=True)
    form.buffer().setEnabled(False)
    halo = form.buffer()
    halo.setEnabled(False)
    form.setBuffer(halo)
    settings = label(f"wordwrap(\"question\", 34) || '\\n' || {said}", form, fit=False)
    settings.placement = QgsPalLayerSettings.Placement.OverPoint
    settings.quadOffset = QgsPalLayerSettings.QuadrantPosition.QuadrantAboveRight
    settings.xOffset, settings.yOffset = 9.0, -9.0
    settings.offsetUnits = QgsUnitTypes.RenderUnit.RenderMillimeters
    settings.displayAll = True
    settings.multilineAlign = QgsPalLayerSettings.MultiLineAlign.MultiLeft
    callout = QgsBalloonCallout()
    callout.setEnabled(True)
    callout.setFillSymbol(fill(color="255,255,255,240", outline_color=TEAL, outline_width=0.4))
    from qgis.core import QgsMargins

    callout.setMargins(QgsMargins(2.4, 1.8, 2.4, 1.8))
    callout.setMarginsUnit(QgsUnitTypes.RenderUnit.RenderMillimeters)
    callout.setCornerRadius(1.4)
    callout.setWedgeWidth(3.0)
    settings.setCallout(callout)
    root.appendChild(Rule(settings, 0, 0, "", "Callouts"))
    return QgsRuleBasedLabeling(root)


TIP = """<div style="font-family:sans-serif;font-size:10pt;width:260px;color:#1d2b2f">
<div style="color:#5c6b70">[% "question" %]</div>
<div style="font-size:12pt;margin:3px 0"><b>[% CASE WHEN "status" = 'answered' THEN "answer"
 WHEN "status" = 'refused' THEN 'cannot be told: ' || {reason} ELSE "status" END %]</b></div>
<div style="color:#5c6b70">[% coalesce('confidence ' || round("confidence" * 100) || ' %',
 'no confidence given') %]
 · tile [% "tile_id" %]</div>
</div>"""
OBJECT_TIP = """<div style="font-family:sans-serif;font-size:10pt;color:#1d2b2f">
<b>[% replace("label", '_', ' ') %]</b>
[% coalesce(round("score" * 100) || ' %', '') %]<br>[% coalesce(round("area_m2", 1) || ' m²', '') %]
</div>"""


def save(
    name: str, rules: QgsRuleBasedRenderer.Rule, labels: QgsRuleBasedLabeling, tip: str
) -> None:
    layer = QgsVectorLayer(f"Polygon?crs=EPSG:3857&{FIELDS}", name, "memory")
    layer.setRenderer(QgsRuleBasedRenderer(rules))
    layer.setLabeling(labels)
    layer.setLabelsEnabled(True)
    layer.setMapTipTemplate(tip)
    layer.setDisplayExpression('"answer"' if name != "objects" else '"label"')
    path = FOLDER / "styles" / f"{name}.qml"
    categories = layer.StyleCategory
    message, good = layer.saveNamedStyle(
        str(path),
        categories.Symbology | categories.Labeling | categories.MapTips,
    )
    if not good:
        raise SystemExit(f"{path}: {message}")
    print(f"{path.relative_to(FOLDER)}: {path.stat().st_size} bytes")


def main() -> None:
    application = QgsApplication([], True)
    application.initQgis()
    tip = TIP.replace("{reason}", REASON)
    save("answers", answer_rules(), answer_labels(), tip)
    save("objects", object_rules(), object_labels(), OBJECT_TIP)
    save("asked", asked_rules(), asked_labels(), tip)
    sys.stdout.flush()
    os._exit(0)


main()
