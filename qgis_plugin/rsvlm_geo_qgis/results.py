# SPDX-License-Identifier: GPL-2.0-or-later
"""A run's file on the map: group, styles, aliases, map tips, metadata, history.

The GeoPackage brings its own styles; where it has none the plugin's are used.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsEditorWidgetSetup,
    QgsFillSymbol,
    QgsLayerMetadata,
    QgsLayerTreeGroup,
    QgsProcessingContext,
    QgsProcessingLayerPostProcessorInterface,
    QgsProject,
    QgsRuleBasedRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtXml import QDomDocument

from .i18n import tr
from .status import STATUSES, reason_name, status_name

__all__ = [
    "add_run", "dress", "dress_tip", "history", "load_style", "open_layer", "output_path", "remember_run", "run_facts",  # noqa: E501
    "status_name", "style_on_load",
]  # fmt: skip

STYLES = Path(__file__).parent / "styles"
_CLASS_COLOURS = (
    "#1b9e77", "#d95f02", "#7570b3", "#e7298a", "#66a61e", "#e6ab02", "#a6761d", "#1f78b4",
    "#b2df8a", "#fb9a99", "#cab2d6", "#ffff99", "#8dd3c7", "#bc80bd", "#80b1d3", "#fdb462",
)  # fmt: skip


def output_path(project: QgsProject, raster_source: str, what: str, when: str) -> str:
    """A new file for a run: beside the project, else beside the raster, else at home.

    Args:
        project: The project the results are for.
        raster_source: Path of the raster, may be a URL or empty.
        what: A few words for the name, ``count_car``.
        when: A time stamp.
    """
    stem = Path(raster_source.split("?")[0]).stem if raster_source else "scene"
    homes = []
    if project.absolutePath():
        base = project.baseName() or "project"
        homes.append(Path(project.absolutePath()) / f"{base}_rsvlm")
    if raster_source and not raster_source.startswith(("/vsi", "http", "s3:", "gs:")):
        homes.append(Path(raster_source).parent / "rsvlm")
    homes.append(Path.home() / "rsvlm")
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in f"{stem}_{what}")[:80]
    for home in homes:
        try:
            home.mkdir(parents=True, exist_ok=True)
            probe = home / ".rsvlm_write_test"
            probe.touch()
            probe.unlink()
        except OSError:
            continue
        path, n = home / f"{name}_{when}.gpkg", 1
        while path.exists():
            n += 1
            path = home / f"{name}_{when}_{n}.gpkg"
        return str(path)
    raise OSError(tr("no folder can be written: {folders}", folders=", ".join(map(str, homes))))


def open_layer(path: str, table: str, name: str) -> QgsVectorLayer | None:
    """One table of a run's file, or None when it has no such table."""
    layer = QgsVectorLayer(f"{path}|layername={table}", name, "ogr")
    return layer if layer.isValid() else None


def add_run(
    project: QgsProject, path: str, title: str, done: dict[str, Any], facts: dict[str, Any]
) -> Iterator[list[QgsVectorLayer] | None]:
    """Put a finished run into the project as a group of its own, on top, step by step.

    Yields None after each step and the layers at the end; the caller lets the GUI come round
    between two steps.

    Args:
        project: Where to.
        path: The GeoPackage.
        title: Name of the group.
        done: The engine's ``done`` event.
        facts: What was asked; goes into the history and the layers' metadata.
    """
    layers = []
    for table, name in (("objects", tr("Objects")), ("answers", tr("Answers"))):
        layer = open_layer(path, table, name)
        if layer is None or (table == "objects" and layer.featureCount() == 0):
            continue
        yield None
        restyle(layer, table, facts)
        yield None
        _name_fields(layer)
        yield None
        explain(layer, table, done, facts)
        layers.append(layer)
        yield None
    if not layers:
        yield []
        return
    group = project.layerTreeRoot().insertGroup(0, title)
    group.setCustomProperty("rsvlm_geo/run_id", str(done.get("run_id", "")))
    for layer in layers:
        project.addMapLayer(layer, False)
        node = group.addLayer(layer)
        node.setExpanded(layer.name() == tr("Answers") and facts.get("task") != "describe")
        yield None
    # an empty group cannot be open: say it again now that it has layers
    group.setExpanded(False)
    group.setExpanded(True)
    remember_run(project, path, title, done, facts)
    yield layers


def dress(layer: QgsVectorLayer, table: str, done: dict[str, Any], facts: dict[str, Any]) -> None:
    """Style, aliases, form, map tip and metadata of a result layer."""
    restyle(layer, table, facts)
    _name_fields(layer)
    explain(layer, table, done, facts)


def restyle(layer: QgsVectorLayer, table: str, facts: dict[str, Any]) -> None:
    """The file's own style, or the plugin's where it has none."""
    if _has_own_style(layer):
        return
    load_style(layer, table)
    if facts.get("task") == "classify" and table == "answers":
        _colour_classes(layer)


def explain(layer: QgsVectorLayer, table: str, done: dict[str, Any], facts: dict[str, Any]) -> None:
    """Map tip and metadata."""
    dress_tip(layer, table)
    layer.setMetadata(_metadata(layer, done, facts))
    layer.setCustomProperty("rsvlm_geo/run", json.dumps({"done": _short(done), **facts}))
    layer.setReadOnly(False)


def load_style(layer: QgsVectorLayer, name: str) -> bool:
    """Give a layer one of the plugin's styles.

    ``importNamedStyle`` and not ``loadNamedStyle``, which prefers a style in the layer's own file.
    """
    document = QDomDocument()
    read = document.setContent((STYLES / f"{name}.qml").read_text(encoding="utf-8"))
    if not (read[0] if isinstance(read, tuple) else read):
        return False
    good, _ = layer.importNamedStyle(document)
    return bool(good)


def style_on_load(context: QgsProcessingContext, path: str, done: dict[str, Any]) -> None:
    """Dress the layers that the toolbox will load for itself when the algorithm ends."""
    for key in context.layersToLoadOnCompletion():
        if path in key:
            details = context.layerToLoadOnCompletionDetails(key)
            processor = _Dresser(done)
            _KEPT.append(processor)
            details.setPostProcessor(processor)


class _Dresser(QgsProcessingLayerPostProcessorInterface):
    def __init__(self, done: dict[str, Any]) -> None:
        super().__init__()
        self._done = done

    def postProcessLayer(self, layer: Any, context: Any, feedback: Any) -> None:
        if isinstance(layer, QgsVectorLayer):
            dress(layer, "answers", self._done, {})
            layer.triggerRepaint()


_KEPT: list[_Dresser] = []
"""QGIS holds only a pointer to them."""


def _has_own_style(layer: QgsVectorLayer) -> bool:
    """Whether the file brought a style for this table (QGIS has then applied it already)."""
    try:
        related = layer.listStylesInDatabase()[0]
    except (RuntimeError, IndexError):
        return False
    return related > 0


def _colour_classes(layer: QgsVectorLayer) -> None:
    """One colour a scene class instead of one for all, the refused and failed rules kept."""
    renderer = layer.renderer()
    at = layer.fields().indexOf("answer")
    if not isinstance(renderer, QgsRuleBasedRenderer) or at < 0:
        return
    classes = sorted(str(value) for value in layer.uniqueValues(at, 60) if value)
    root = renderer.rootRule().clone()
    for child in list(root.children()):
        if "answered" in child.filterExpression():
            root.removeChild(child)
    for i, name in enumerate(classes):
        colour = _CLASS_COLOURS[i % len(_CLASS_COLOURS)]
        symbol = QgsFillSymbol.createSimple(
            {"color": colour + "8c", "outline_color": "255,255,255,160", "outline_width": "0.2"}
        )
        said = name.replace("'", "''")
        root.insertChild(
            i,
            QgsRuleBasedRenderer.Rule(
                symbol,
                filterExp=f"\"status\" = 'answered' AND \"answer\" = '{said}'",
                label=name.replace("_", " "),
            ),
        )
    layer.setRenderer(QgsRuleBasedRenderer(root))


def _name_fields(layer: QgsVectorLayer) -> None:
    names = {
        "run_id": tr("Run"), "scene_id": tr("Scene"), "tile_id": tr("Tile"), "task": tr("Task"),
        "question": tr("Question"), "status": tr("Status"), "answer": tr("Answer"),
        "value": tr("Value"), "unit": tr("Unit"), "confidence": tr("Confidence"),
        "reason": tr("Why refused"), "n_objects": tr("Objects in the tile"),
        "gsd_m": tr("Ground sampling distance, m"), "valid_frac": tr("Share of valid pixels"),
        "model": tr("Model"), "elapsed_ms": tr("Time, ms"), "datetime": tr("Acquired"),
        "object_id": tr("Object"), "label": tr("Class"), "score": tr("Score"),
        "area_m2": tr("Area, m²"),
    }  # fmt: skip
    fields = layer.fields()
    for name, alias in names.items():
        at = fields.indexOf(name)
        if at >= 0:
            layer.setFieldAlias(at, alias)
    maps = {
        "status": {status_name(s): s for s in STATUSES},
        "reason": {
            reason_name(r): r
            for r in ("invisible", "panchromatic", "below_gsd", "modality", "low_confidence", "out_of_scope")  # noqa: E501
        },
    }  # fmt: skip
    for name, values in maps.items():
        at = fields.indexOf(name)
        if at >= 0:
            layer.setEditorWidgetSetup(at, QgsEditorWidgetSetup("ValueMap", {"map": values}))
    for name in ("answer", "question"):
        at = fields.indexOf(name)
        if at >= 0:
            layer.setEditorWidgetSetup(at, QgsEditorWidgetSetup("TextEdit", {"IsMultiline": True}))


def dress_tip(layer: QgsVectorLayer, table: str) -> None:
    """The map tip, with a thumbnail of what the model saw when this plugin is there to draw it."""
    picture = "[% coalesce(try(eval('rsvlm_thumbnail()')), '') %]"
    if table == "objects":
        body = (
            "<b>[% replace(\"label\", '_', ' ') %]</b> [% coalesce(round(\"score\" * 100) || ' %', '') %]"  # noqa: E501
            "<br>[% coalesce(round(\"area_m2\", 1) || ' m²', '') %]"
        )
    else:
        refused = tr("cannot be told")
        none = tr("no confidence given")
        sure = tr("confidence")
        body = (
            "<div style='color:#5c6b70'>[% \"question\" %]</div>"
            "<div style='font-size:12pt;margin:4px 0'><b>[% CASE WHEN \"status\" = 'answered' THEN "
            f"\"answer\" WHEN \"status\" = 'refused' THEN '{refused}: ' || "
            'represent_value("reason") ELSE represent_value("status") END %]</b></div>'
            f"<div style='color:#5c6b70'>[% coalesce('{sure} ' || round(\"confidence\" * 100) || ' %', "  # noqa: E501
            f"'{none}') %] · [% \"tile_id\" %]</div>"
        )
    layer.setMapTipTemplate(
        f"<div style='font-family:sans-serif;font-size:10pt;width:240px;color:#1d2b2f'>{picture}{body}</div>"  # noqa: E501
    )


def _metadata(
    layer: QgsVectorLayer, done: dict[str, Any], facts: dict[str, Any]
) -> QgsLayerMetadata:
    metadata = QgsLayerMetadata()
    run = run_facts(layer)
    metadata.setTitle(str(facts.get("title") or layer.name()))
    metadata.setIdentifier(str(done.get("run_id") or run.get("run_id") or ""))
    metadata.setType("dataset")
    metadata.setAbstract(
        "\n".join(
            part
            for part in (
                str(done.get("summary") or ""),
                str(facts.get("question") or ""),
                tr("Answers of a model, tile by tile; each says whether to believe it."),
            )
            if part
        )
    )
    metadata.setKeywords(
        {
            "rsvlm_geo": [
                str(v) for v in (facts.get("task"), facts.get("target"), run.get("model")) if v
            ]
        }
    )
    metadata.setHistory([f"{key}: {value}" for key, value in {**facts, **run}.items() if value])
    metadata.setCrs(layer.crs())
    metadata.setLanguage("en")
    return metadata


def run_facts(layer: QgsVectorLayer) -> dict[str, str]:
    """The file's own record of its run, one row, as texts."""
    path = layer.source().split("|")[0]
    table = QgsVectorLayer(f"{path}|layername=run", "run", "ogr")
    if not table.isValid():
        return {}
    for feature in table.getFeatures():
        return {
            field.name(): str(feature[field.name()])[:2000]
            for field in table.fields()
            if feature[field.name()] not in (None, "") and str(feature[field.name()]) != "NULL"
        }
    return {}


def _short(done: dict[str, Any]) -> dict[str, Any]:
    keys = ("run_id", "outcome", "coverage", "totals", "counts", "summary", "elapsed_s", "tiles")
    return {key: done[key] for key in keys if key in done}


def remember_run(
    project: QgsProject, path: str, title: str, done: dict[str, Any], facts: dict[str, Any]
) -> None:
    """Add a run to the project's own history, newest first."""
    entry = {"title": title, "path": project.writePath(path), "done": _short(done), **facts}
    runs = [entry, *history(project)][:200]
    project.writeEntry("rsvlm_geo", "history", json.dumps(runs))


def history(project: QgsProject) -> list[dict[str, Any]]:
    """The project's runs, newest first."""
    text, found = project.readEntry("rsvlm_geo", "history", "[]")
    try:
        runs = json.loads(text) if found else []
    except ValueError:
        return []
    return [run for run in runs if isinstance(run, dict)]


def forget_group(group: QgsLayerTreeGroup) -> None:
    """Remove a run's group and its layers from the project; the file stays."""
    ids = group.findLayerIds()
    QgsProject.instance().removeMapLayers(ids)
    parent = group.parent()
    if parent is not None:
        parent.removeChildNode(group)
