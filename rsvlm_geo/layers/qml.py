"""The pieces a QGIS style (QML) is made of: symbols, rules, labels. Pure text.

Written in the form that QGIS 3.22 to 4.x read: properties as ``<Option type="Map">``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

__all__ = ["Fill", "LabelRule", "Rule", "document", "fill_symbol", "literal", "rule_renderer"]

Color = tuple[int, int, int, int]
"""Red, green, blue, alpha, 0..255."""


@dataclass(frozen=True, slots=True)
class Fill:
    """How a polygon looks."""

    fill: Color | None = None
    """None: no fill."""
    outline: Color = (60, 60, 60, 255)
    width_mm: float = 0.3
    dash: str = "solid"
    """``solid``, ``dash`` or ``dot``."""
    hatch: Color | None = None
    """Lines across the fill, or none."""
    hatch_angle: float = 45.0
    hatch_mm: float = 2.0
    halo: Color | None = None
    """A wider line under the outline, so that it reads on any picture."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a renderer: an expression, its symbol, and rules below it."""

    label: str
    expression: str
    symbol: Fill | None = None
    children: tuple[Rule, ...] = ()
    checked: bool = True


@dataclass(frozen=True, slots=True)
class LabelRule:
    """A rule of the labels: which features, which text, up to which scale."""

    name: str
    expression: str
    text: str
    """A QGIS expression."""
    max_denominator: float
    """Labels appear when the map's scale is 1:this or larger."""
    size_pt: float = 8.0
    color: Color = (25, 25, 25, 255)
    wrap: int = 0
    """Characters after which a line breaks; 0: never."""
    italic: bool = False
    top: bool = False
    """At the top edge of the feature instead of its middle."""


@dataclass(slots=True)
class _Symbols:
    xml: list[str] = field(default_factory=list)

    def add(self, fill: Fill) -> str:
        name = str(len(self.xml))
        self.xml.append(fill_symbol(fill, name))
        return name


def literal(text: str) -> str:
    """A text as a QGIS expression: quoted, quotes doubled, backslashes kept."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _rgba(color: Color) -> str:
    return ",".join(str(part) for part in color)


def _options(values: Mapping[str, str]) -> str:
    rows = "".join(
        f"<Option type={quoteattr('QString')} name={quoteattr(key)} value={quoteattr(value)}/>"
        for key, value in values.items()
    )
    return f'<Option type="Map">{rows}</Option>'


def _layer(kind: str, values: Mapping[str, str], inner: str = "") -> str:
    return (
        f'<layer class="{kind}" enabled="1" locked="0" pass="0">{_options(values)}{inner}</layer>'
    )


def _line(color: Color, width_mm: float, dash: str) -> str:
    return _layer(
        "SimpleLine",
        {
            "line_color": _rgba(color), "line_width": f"{width_mm:g}", "line_width_unit": "MM",
            "line_style": dash, "joinstyle": "miter", "capstyle": "square",
        },
    )  # fmt: skip


def fill_symbol(fill: Fill, name: str) -> str:
    """A polygon symbol as QML."""
    parts = []
    if fill.fill is not None:
        parts.append(
            _layer(
                "SimpleFill",
                {"color": _rgba(fill.fill), "style": "solid", "outline_style": "no"},
            )
        )
    if fill.hatch is not None:
        line = (
            f'<symbol type="line" name="@{name}@{len(parts)}" alpha="1" clip_to_extent="1" '
            f'force_rhr="0">{_line(fill.hatch, 0.4, "solid")}</symbol>'
        )
        parts.append(
            _layer(
                "LinePatternFill",
                {
                    "angle": f"{fill.hatch_angle:g}", "distance": f"{fill.hatch_mm:g}",
                    "distance_unit": "MM", "color": _rgba(fill.hatch), "line_width": "0.4",
                    "line_width_unit": "MM",
                },
                line,
            )
        )  # fmt: skip
    if fill.halo is not None:
        parts.append(_line(fill.halo, fill.width_mm + 0.35, "solid"))
    parts.append(_line(fill.outline, fill.width_mm, fill.dash))
    return (
        f'<symbol type="fill" name="{name}" alpha="1" clip_to_extent="1" force_rhr="0">'
        + "".join(parts)
        + "</symbol>"
    )


def rule_renderer(rules: Sequence[Rule]) -> str:
    """A rule-based renderer as QML."""
    symbols = _Symbols()
    body = "".join(_rule(rule, symbols, f"{index}") for index, rule in enumerate(rules))
    return (
        '<renderer-v2 type="RuleRenderer" symbollevels="0" enableorderby="0" forceraster="0">'
        f'<rules key="root">{body}</rules><symbols>{"".join(symbols.xml)}</symbols></renderer-v2>'
    )


def _rule(rule: Rule, symbols: _Symbols, key: str) -> str:
    attributes = f'key="r{key}" label={quoteattr(rule.label)} filter={quoteattr(rule.expression)}'
    if rule.symbol is not None:
        attributes += f' symbol="{symbols.add(rule.symbol)}"'
    if not rule.checked:
        attributes += ' checkstate="0"'
    inner = "".join(_rule(child, symbols, f"{key}-{i}") for i, child in enumerate(rule.children))
    return f"<rule {attributes}>{inner}</rule>"


def _label_rule(rule: LabelRule, key: int) -> str:
    color = _rgba(rule.color)
    placement = (
        # 1: over the point, quadrant 1 sits on top of it; 4: free or centred inside the polygon
        '<placement placement="1" quadOffset="7" geometryGenerator="point_n(oriented_envelope('
        '$geometry),1)" placementFlags="0"/>'
        if rule.top
        else '<placement placement="1" quadOffset="4" centroidWhole="1" centroidInside="1" '
        'fitInPolygonOnly="0" placementFlags="0"/>'
    )
    return (
        f'<rule key="l{key}" description={quoteattr(rule.name)} '
        f"filter={quoteattr(rule.expression)} "
        f'scalemindenom="1" scalemaxdenom="{rule.max_denominator:.0f}">'
        '<settings calloutType="simple">'
        f'<text-style fieldName={quoteattr(rule.text)} isExpression="1" textColor="{color}" '
        f'fontSize="{rule.size_pt:g}" fontSizeUnit="Point" fontFamily="Open Sans" '
        f'fontWeight="50" fontItalic="{int(rule.italic)}" multilineHeight="1" textOpacity="1" '
        'namedStyle="">'
        '<text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" '
        'bufferColor="255,255,255,225" bufferOpacity="1" bufferNoFill="1" '
        'bufferJoinStyle="128"/></text-style>'
        f'<text-format autoWrapLength="{rule.wrap}" useMaxLineLengthForAutoWrap="1" '
        'multilineAlign="1" wrapChar=""/>'
        + placement
        + '<rendering obstacle="0" limitNumLabels="0" drawLabels="1" mergeLines="0" '
        'displayAll="0" scaleVisibility="0" fontLimitPixelSize="0"/>'
        "</settings></rule>"
    )


def _labeling(rules: Sequence[LabelRule]) -> str:
    if not rules:
        return ""
    body = "".join(_label_rule(rule, i) for i, rule in enumerate(rules))
    return f'<labeling type="rule-based"><rules key="root">{body}</rules></labeling>'


def _value_map(name: str, values: Mapping[str, str]) -> str:
    rows = "".join(
        f'<Option type="Map"><Option type="QString" name={quoteattr(text)} '
        f"value={quoteattr(value)}/></Option>"
        for value, text in values.items()
    )
    return (
        f'<field name="{name}"><editWidget type="ValueMap"><config><Option type="Map">'
        f'<Option type="List" name="map">{rows}</Option></Option></config></editWidget></field>'
    )


def _multiline(name: str) -> str:
    return (
        f'<field name="{name}"><editWidget type="TextEdit"><config><Option type="Map">'
        '<Option type="bool" name="IsMultiline" value="true"/>'
        '<Option type="bool" name="UseHtml" value="false"/>'
        "</Option></config></editWidget></field>"
    )


def document(
    renderer: str,
    *,
    labels: Sequence[LabelRule] = (),
    aliases: Mapping[str, str],
    map_tip: str,
    display: str,
    value_maps: Mapping[str, Mapping[str, str]] | None = None,
    multiline: Iterable[str] = (),
) -> str:
    """A whole QML style of a polygon layer.

    Args:
        renderer: From :func:`rule_renderer`.
        labels: Rules of the labels; none: no labels.
        aliases: Field -> the name a person reads.
        map_tip: HTML with ``[% expression %]``.
        display: Expression that names a feature in lists.
        value_maps: Field -> stored value -> what a form shows.
        multiline: Fields whose form widget has several lines.
    """
    alias_rows = "".join(
        f"<alias index={quoteattr(str(i))} field={quoteattr(key)} name={quoteattr(text)}/>"
        for i, (key, text) in enumerate(aliases.items())
    )
    widgets = "".join(_value_map(name, values) for name, values in (value_maps or {}).items())
    widgets += "".join(_multiline(name) for name in multiline)
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22.0" labelsEnabled="1" readOnly="0" hasScaleBasedVisibilityFlag="0" '
        'styleCategories="Symbology|Labeling|Fields|Forms|MapTips">'
        + renderer
        + _labeling(labels)
        + f"<fieldConfiguration>{widgets}</fieldConfiguration>"
        + f"<aliases>{alias_rows}</aliases>"
        + f"<previewExpression>{_escape(display)}</previewExpression>"
        + f"<mapTip>{_escape(map_tip)}</mapTip>"
        + "<layerGeometryType>2</layerGeometryType></qgis>\n"
    )


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
