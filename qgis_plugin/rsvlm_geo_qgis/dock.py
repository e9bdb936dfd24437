# SPDX-License-Identifier: GPL-2.0-or-later
"""The dock: choose, see what it costs, run, watch, cancel, read, click."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.gui import QgsDockWidget
from qgis.PyQt.QtCore import QEvent, QTimer
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtWidgets import QMenu

from . import compat, results, service, settings, source
from .answers_model import Row, row_of_event
from .ask_here import AskHere
from .dock_form import TASKS, DockForm, examples_for, task_takes
from .i18n import tr
from .maptools import AreaTool
from .runner import Background, Run

__all__ = ["RsvlmDock"]


class RsvlmDock(QgsDockWidget):
    """Drives the same algorithms that the toolbox has."""

    def __init__(self, iface: Any) -> None:
        super().__init__(tr("Ask the map"), iface.mainWindow())
        self.setObjectName("RsvlmGeoDock")
        self.iface = iface
        self.canvas = iface.mapCanvas()
        self.run: Run | None = None
        self._facts: dict[str, Any] = {}
        self._done: dict[str, Any] = {}
        self._steps: Any = None
        self._path = ""
        self._title = ""
        self._project_file = ""
        self._crs = QgsCoordinateReferenceSystem()
        self._drawn: tuple[QgsGeometry, QgsCoordinateReferenceSystem] | None = None
        self._packs: list[dict[str, Any]] = []
        self._provider = ""
        self._tile_m: dict[str, float] = {}
        self._asking_engine = False
        self._estimate_no = 0
        self._reading: Any = None
        self._last_layers: list[str] = []
        self.form = DockForm(self)
        self.setWidget(self.form)
        self.area_tool = AreaTool(self.canvas)
        self.area_tool.drawn.connect(self._area_drawn)
        self.ask_here = AskHere(
            self.canvas, self._layer_at, self._tile_side, self._model_fields, self
        )
        self.ask_here.failed.connect(self._complain)
        self.ask_here.answered.connect(self._asked)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(350)
        self._soon.timeout.connect(self._estimate)
        self._read_timer = QTimer(self)
        self._read_timer.setInterval(12)
        self._read_timer.timeout.connect(self._read_more)
        self._connect()
        self._task_changed()
        self._show_state()

    # -- wiring

    def _connect(self) -> None:
        form = self.form
        form.run_button.clicked.connect(self.start)
        form.cancel_button.clicked.connect(self.cancel)
        form.task.currentIndexChanged.connect(self._task_changed)
        form.chips.picked.connect(self._example)
        form.words.editTextChanged.connect(self._anything_changed)
        form.words.lineEdit().returnPressed.connect(self.start)
        form.layer.layerChanged.connect(self._anything_changed)
        form.area.currentIndexChanged.connect(self._area_chosen)
        form.draw_button.toggled.connect(self._draw_toggled)
        form.model.currentIndexChanged.connect(self._model_changed)
        form.device.currentIndexChanged.connect(self._model_changed)
        form.margin.valueChanged.connect(self._anything_changed)
        form.seen.toggled.connect(self._anything_changed)
        form.ask_button.toggled.connect(self._ask_toggled)
        form.settings_button.clicked.connect(self._open_options)
        form.set_up_button.clicked.connect(self._open_options)
        form.report_button.clicked.connect(self._report)
        form.runs_menu.aboutToShow.connect(self._fill_runs)
        form.table.row_clicked.connect(self._show_row)
        self.canvas.extentsChanged.connect(self._extent_moved)
        self.canvas.mapToolSet.connect(self._tool_set)

    def _disconnect(self) -> None:
        for signal, slot in (
            (self.canvas.extentsChanged, self._extent_moved),
            (self.canvas.mapToolSet, self._tool_set),
        ):
            try:
                signal.disconnect(slot)
            except TypeError:
                continue

    def showEvent(self, event: QEvent) -> None:
        super().showEvent(event)
        if not self._packs:
            self._meet_engine()

    def closeEvent(self, event: QEvent) -> None:
        self.form.draw_button.setChecked(False)
        self.form.ask_button.setChecked(False)
        super().closeEvent(event)

    def dispose(self) -> None:
        """Stop everything and leave the canvas as it was; call before dropping the dock."""
        self._read_timer.stop()
        self._soon.stop()
        self._steps = None
        self._disconnect()
        if self.run is not None:
            self.run.cancel()
        self.ask_here.dispose()
        self.area_tool.dispose()

    # -- the engine, met in the background

    def _meet_engine(self) -> None:
        if self._asking_engine:
            return
        if not settings.engine_python():
            self._no_engine(tr("No engine is set up yet."))
            return
        self._asking_engine = True
        self.form.model_note.setText(tr("Starting the engine…"))
        asker = Background(lambda: service.engine().hello(), self)
        asker.ready.connect(self._met)
        asker.start()

    def _met(self, hello: Any, problem: Any) -> None:
        self._asking_engine = False
        if problem is not None:
            self._no_engine(" ".join(service.explain(problem)))
            return
        self.form.set_up_box.hide()
        self._packs = list(hello.get("packs", ()))
        chosen = str(settings.get("engine/model"))
        self.form.show_models(self._packs, chosen)
        if not self._packs:
            self._no_engine(
                tr("The engine has no model pack; set one up in the options, then try again.")
            )
            return
        self._task_changed()

    def _no_engine(self, why: str) -> None:
        self.form.model_note.setText("")
        self.form.set_up_text.setText(why)
        self.form.set_up_box.show()
        self._show_state()

    def engine_changed(self) -> None:
        """The options were changed: meet the engine again."""
        self._packs = []
        service.restart()
        if self.isVisible():
            self._meet_engine()

    # -- what is asked

    def _task(self) -> str:
        return str(self.form.task.currentData())

    def _task_changed(self) -> None:
        task = self._task()
        settings.put("dock/task", task)
        self.form.show_task(task, examples_for(task, self._pack()))
        self._anything_changed()

    def _pack(self) -> dict[str, Any]:
        data = self.form.model.currentData()
        for pack in self._packs:
            if pack.get("name") == data:
                return pack
        return self._packs[0] if self._packs else {}

    def _example(self, text: str) -> None:
        self.form.words.setEditText(text)
        self.form.words.setFocus()

    def _model_changed(self) -> None:
        settings.put("engine/model", self.form.model.currentData() or "")
        settings.put("engine/device", self.form.device.currentData() or "auto")
        self._provider = ""
        self._task_changed()

    def _model_fields(self) -> dict[str, Any]:
        return {
            "MODEL": self.form.model.currentData() or "",
            "DEVICE": self.form.device.currentIndex(),
            "SEEN": self.form.seen.isChecked(),
        }

    def _anything_changed(self, *_: Any) -> None:
        if self.run is None:
            self.form.estimate.setText("")
        self._show_state()
        self._soon.start()

    def _extent_moved(self) -> None:
        if self.form.area.currentData() == "visible" and self.isVisible() and self.run is None:
            self._soon.start()

    def _parameters(self) -> dict[str, Any]:
        """The algorithm's parameters, without the output; raises ValueError with what to do."""
        form, layer = self.form, self.form.layer.currentLayer()
        if layer is None:
            raise ValueError(tr("There is no raster to ask; open one first."))
        parameters: dict[str, Any] = {
            "INPUT": layer,
            "MARGIN": form.margin.value(),
            **self._model_fields(),
        }
        takes = task_takes(self._task())
        words = form.words.currentText().strip()
        if takes:
            if not words:
                raise ValueError(
                    tr("Say what to look for, for example: car")
                    if takes == "TARGET"
                    else tr("Type a question, for example: is there a bridge?")
                )
            parameters[takes] = words
        parameters.update(self._area_fields(layer))
        return parameters

    def _area_fields(self, layer: QgsRasterLayer) -> dict[str, Any]:
        kind = self.form.area.currentData()
        if kind == "visible":
            box = self.canvas.extent()
            crs = self.canvas.mapSettings().destinationCrs()
            to_layer = QgsCoordinateTransform(crs, layer.crs(), QgsProject.instance())
            try:
                seen = to_layer.transformBoundingBox(box)
            except QgsCsException:
                raise ValueError(
                    tr("The visible area does not reach the layer; zoom to it.")
                ) from None
            seen = seen.intersect(layer.extent())
            if seen.isEmpty():
                raise ValueError(tr("The visible area does not reach the layer; zoom to it."))
            return {"EXTENT": seen}
        if kind == "selected":
            chosen = self.iface.activeLayer()
            if (
                not isinstance(chosen, QgsVectorLayer)
                or chosen.geometryType() != compat.GEOMETRY_POLYGON
            ):
                chosen = self._layer_with_selection()
            if chosen is None or not chosen.selectedFeatureCount():
                raise ValueError(tr("Select a polygon of a vector layer first."))
            shapes = [feature.geometry() for feature in chosen.selectedFeatures()]
            return {"AOI": _memory_layer(shapes, chosen.crs())}
        if kind == "drawn":
            if self._drawn is None:
                raise ValueError(tr("Draw an area on the map first."))
            return {"AOI": _memory_layer([self._drawn[0]], self._drawn[1])}
        return {}

    def _layer_with_selection(self) -> QgsVectorLayer | None:
        for layer in QgsProject.instance().mapLayers().values():
            if (
                isinstance(layer, QgsVectorLayer)
                and layer.geometryType() == compat.GEOMETRY_POLYGON
                and layer.selectedFeatureCount()
            ):
                return layer
        return None

    # -- area and map tools

    def _area_chosen(self) -> None:
        kind = self.form.area.currentData()
        settings.put("dock/area", kind)
        self.form.draw_button.setVisible(kind == "drawn")
        if kind == "drawn" and self._drawn is None and self.isVisible():
            self.form.draw_button.setChecked(True)
        if kind != "drawn":
            self.form.draw_button.setChecked(False)
        self.area_tool.show(self._drawn[0] if kind == "drawn" and self._drawn else None)
        self._anything_changed()

    def _draw_toggled(self, on: bool) -> None:
        if on:
            self._drawn = None
            self.area_tool.clear()
            self.canvas.setMapTool(self.area_tool)
        elif self.canvas.mapTool() is self.area_tool:
            self.canvas.unsetMapTool(self.area_tool)

    def _area_drawn(self, area: QgsGeometry) -> None:
        self._drawn = (QgsGeometry(area), self.canvas.mapSettings().destinationCrs())
        self.form.draw_button.setChecked(False)
        self.area_tool.show(area)
        self._anything_changed()

    def _ask_toggled(self, on: bool) -> None:
        if on:
            self.canvas.setMapTool(self.ask_here.tool)
            self._meet_engine()
            self._soon.start()
        elif self.canvas.mapTool() is self.ask_here.tool:
            self.canvas.unsetMapTool(self.ask_here.tool)

    def _tool_set(self, tool: Any, *_: Any) -> None:
        for button, own in (
            (self.form.ask_button, self.ask_here.tool),
            (self.form.draw_button, self.area_tool),
        ):
            if tool is not own and button.isChecked():
                button.setChecked(False)

    def _layer_at(self, place: QgsPointXY) -> QgsRasterLayer | None:
        crs = self.canvas.mapSettings().destinationCrs()
        chosen = self.form.layer.currentLayer()
        for layer in [chosen, *self.canvas.layers()]:
            if isinstance(layer, QgsRasterLayer) and layer.isValid() and _covers(layer, place, crs):
                return layer
        return None

    def _tile_side(self) -> float:
        layer = self.form.layer.currentLayer()
        known = self._tile_m.get(layer.id()) if layer is not None else None
        # a little less than what the model sees, so that a click is one tile
        return 0.92 * (known or 60.0)

    # -- the estimate

    def _estimate(self) -> None:
        if self.run is not None or not self._packs or not self.isVisible():
            return
        try:
            parameters = self._parameters()
        except ValueError as error:
            self.form.estimate.setText(str(error))
            return
        from .algorithms.estimate import estimate_request

        try:
            request = estimate_request(self._task(), parameters)
        except Exception as error:
            self.form.estimate.setText(str(error))
            return
        if request is None:
            self.form.estimate.setText(tr("The layer is drawn for the engine first."))
            return
        self._estimate_no += 1
        number, layer_id = self._estimate_no, parameters["INPUT"].id()
        asker = Background(lambda: service.engine().call("estimate", request), self)
        asker.ready.connect(lambda got, bad: self._estimated(number, layer_id, got, bad))
        asker.start()

    def _estimated(self, number: int, layer_id: str, got: Any, problem: Any) -> None:
        if number != self._estimate_no or self.run is not None:
            return
        if problem is not None:
            self.form.estimate.setText(" ".join(service.explain(problem)))
            return
        if got.get("tile_m"):
            self._tile_m[layer_id] = float(got["tile_m"])
        self._provider = str(got.get("provider") or "")
        self.form.show_estimate(got)
        self._show_provider(got.get("tiles_per_s"))

    def _show_provider(self, speed: Any) -> None:
        pack = self._pack()
        self.form.show_provider(
            self._provider, float(speed) if speed else None, self.form.device.currentData(), pack
        )

    # -- run and cancel

    def start(self) -> None:
        """Run what the form says."""
        if self.run is not None:
            self._complain(tr("A run is going."), tr("Cancel it, or wait until it ends."))
            return
        try:
            parameters = self._parameters()
        except ValueError as error:
            self._complain(str(error), "")
            return
        layer, task = parameters["INPUT"], self._task()
        words = self.form.words.currentText().strip() if task_takes(task) else ""
        now = datetime.now()
        project = QgsProject.instance()
        raster = source.layer_path(layer)
        what = f"{task}_{words[:24]}" if words else task
        try:
            self._path = results.output_path(project, raster, what, now.strftime("%Y%m%d-%H%M%S"))
        except OSError as error:
            self._complain(str(error), tr("Save the project in a folder that can be written."))
            return
        parameters["OUTPUT"] = self._path
        # by id: a pointer to a layer that is removed while the task runs would take QGIS down
        parameters["INPUT"] = layer.id()
        name = TASKS[task].label()
        self._title = f"{name}: {words} · {layer.name()}" if words else f"{name} · {layer.name()}"
        self._facts = {
            "task": task, "target": words if task_takes(task) == "TARGET" else "",
            "question": words if task_takes(task) == "QUESTION" else "",
            "layer": layer.name(), "source": raster, "when": now.isoformat(timespec="seconds"),
            "title": self._title,
        }  # fmt: skip
        if self._facts["question"]:
            settings.remember_question(words)
        self._project_file = project.fileName()
        self._read_timer.stop()
        self._estimate_no += 1
        self.form.table.model.clear()
        self.form.table.refresh()
        self.form.total.setText("")
        self.form.show_progress(0, 0, None, None)
        self.run = Run(task, parameters, self)
        self.run.started.connect(self._started)
        self.run.queued.connect(self._queued)
        self.run.answered.connect(self._answered)
        self.run.progressed.connect(self._progressed)
        self.run.finished.connect(self._finished)
        self.run.start()
        self._show_state()

    def cancel(self) -> None:
        """Stop the run that is going."""
        if self.run is not None:
            self.form.estimate.setText(tr("Cancelling…"))
            self.run.cancel()

    def _queued(self, ahead: int) -> None:
        self.form.estimate.setText(tr("Waiting for {n} other runs to end.", n=ahead))

    def _started(self, event: dict[str, Any]) -> None:
        self._crs = QgsCoordinateReferenceSystem()
        self._crs.createFromUserInput(str(event.get("crs") or ""))
        self._provider = str(event.get("provider") or "")
        self._show_provider(None)
        self.form.show_progress(0, int(event.get("tiles", 0)), None, event.get("eta_s"))

    def _answered(self, rows: list[Any]) -> None:
        self.form.table.model.add(rows)
        self.form.table.refresh()

    def _progressed(self, event: dict[str, Any]) -> None:
        self.form.show_progress(
            int(event.get("done", 0)), int(event.get("total", 0)), event.get("tiles_per_s"),
            event.get("eta_s"),
        )  # fmt: skip

    def _finished(self, good: bool, found: dict[str, Any]) -> None:
        run, self.run = self.run, None
        if run is None:
            return
        self.form.hide_progress()
        self._show_state()
        bar = self.iface.messageBar()
        if not good:
            what, advice = run.message()
            if run.cancelled:
                self.form.estimate.setText(tr("Cancelled after {n} answers.",
                                              n=self.form.table.model.total))  # fmt: skip
                bar.pushMessage("rsvlm_geo", f"{what} {advice}", Qgis.MessageLevel.Info, 6)
            else:
                self.form.estimate.setText(what)
                self._complain(what, advice)
            run.deleteLater()
            return
        done = self._done = run.feedback.done_event or {}
        self._show_totals(done)
        for warning in run.feedback.warnings[:50]:
            service.log(warning, Qgis.MessageLevel.Warning)
        if QgsProject.instance().fileName() != self._project_file:
            bar.pushMessage(
                "rsvlm_geo",
                tr("Done, but another project is open now; the answers are in {path}.", path=self._path),  # noqa: E501
                Qgis.MessageLevel.Warning, 0,
            )  # fmt: skip
            run.deleteLater()
            return
        path, title, facts = self._path, self._title, self._facts
        # the map is drawn in the next turn of the event loop, not in this one
        QTimer.singleShot(0, lambda: self._show_layers(path, title, done, facts))
        run.deleteLater()

    def _show_layers(
        self, path: str, title: str, done: dict[str, Any], facts: dict[str, Any]
    ) -> None:
        self._steps = results.add_run(QgsProject.instance(), path, title, done, facts)
        self._step()

    def _step(self) -> None:
        """One layer's worth of loading a turn of the event loop, so that the GUI comes round."""
        steps = self._steps
        if steps is None:
            return
        layers = next(steps, None)
        if layers is None:
            QTimer.singleShot(0, self._step)
            return
        self._steps = None
        self._shown(layers)

    def _shown(self, layers: list[QgsVectorLayer]) -> None:
        path, done = self._path, self._done
        self._last_layers = [layer.id() for layer in layers]
        self.form.report_button.setEnabled(bool(layers))
        if not layers:
            self._complain(tr("The results cannot be opened: {path}.", path=path), "")
            return
        complete = done.get("outcome") == "complete"
        self.iface.messageBar().pushMessage(
            "rsvlm_geo",
            self.form.total.text().split("\n")[0] or str(done.get("summary", "")),
            Qgis.MessageLevel.Success if complete else Qgis.MessageLevel.Info,
            8,
        )

    def _show_totals(self, done: dict[str, Any]) -> None:
        coverage = done.get("coverage") or {}
        parts = []
        totals = list(done.get("totals") or ())
        if len(totals) > 1:
            # of several classes only those that are there; which were asked is in the file
            totals = [total for total in totals if total.get("value")] or totals[:1]
        for total in totals[:5]:
            label = str(total.get("label", "")).replace("_", " ")
            value = f"{total.get('value', 0):,.0f}".replace(",", "\u202f")
            if total.get("complete"):
                parts.append(tr("{n} × {label}", n=value, label=label))
            else:
                parts.append(tr("{n} × {label} where it could be told", n=value, label=label))
        shares = [tr("{share} % seen", share=f"{100 * coverage.get('seen', 0):.0f}")]
        for key, words in (
            ("refused", tr("{share} % refused")), ("nodata", tr("{share} % no data")),
            ("failed", tr("{share} % failed")), ("pending", tr("{share} % not reached")),
        ):  # fmt: skip
            share = float(coverage.get(key, 0) or 0)
            if share > 0.0005:
                shares.append(words.format(share=f"{100 * share:.1f}"))
        line = " · ".join(parts)
        self.form.total.setText((line + "\n" if line else "") + ", ".join(shares))
        seconds = float(done.get("elapsed_s", 0) or 0)
        self.form.estimate.setText(
            tr("{tiles} tiles in {seconds} s", tiles=done.get("tiles", 0), seconds=f"{seconds:.1f}")
        )

    # -- after the run

    def _asked(self, layer: QgsVectorLayer, done: dict[str, Any]) -> None:
        self._last_layers = [layer.id()]

    def _show_row(self, row: Row) -> None:
        if not len(row.ring):
            return
        shape = row.geometry()
        crs = self._crs
        try:
            to_map = QgsCoordinateTransform(
                crs, self.canvas.mapSettings().destinationCrs(), QgsProject.instance()
            )
            box = to_map.transformBoundingBox(shape.boundingBox())
        except QgsCsException:
            return
        box.scale(1.7)
        self.canvas.setExtent(box)
        self.canvas.refresh()
        clear, bright = QColor("#ffd21f"), QColor("#ffd21f")
        clear.setAlpha(0)
        self.canvas.flashGeometries([shape], crs, bright, clear, 4, 350)

    def _fill_runs(self) -> None:
        menu: QMenu = self.form.runs_menu
        menu.clear()
        runs = results.history(QgsProject.instance())
        if not runs:
            menu.addAction(tr("No runs in this project yet")).setEnabled(False)
        for entry in runs[:25]:
            text = f"{str(entry.get('when', ''))[:16].replace('T', ' ')}  {entry.get('title', '')}"
            action = menu.addAction(text.strip())
            action.triggered.connect(lambda _=False, run=entry: self.show_run(run))

    def show_run(self, entry: dict[str, Any]) -> None:
        """Read a run of the history back into the table, a piece at a time."""
        if self.run is not None:
            self._complain(tr("A run is going."), tr("Cancel it, or wait until it ends."))
            return
        path = QgsProject.instance().readPath(str(entry.get("path", "")))
        layer = results.open_layer(path, "answers", "answers") if Path(path).exists() else None
        if layer is None:
            self._complain(
                tr("The file of this run is gone: {path}.", path=path), tr("Run it again.")
            )
            return
        self._crs = layer.crs()
        self.form.table.model.clear()
        self._show_totals(entry.get("done") or {})
        self._reading = (layer, layer.getFeatures())
        self._read_timer.start()

    def _read_more(self) -> None:
        _layer, features = self._reading
        rows, feature = [], QgsFeature()
        enough = time.perf_counter() + 0.008
        while time.perf_counter() < enough:
            if not features.nextFeature(feature):
                self._read_timer.stop()
                break
            shape = feature.geometry()
            values = {name: feature[name] for name in _READ if feature.fields().indexOf(name) >= 0}
            event = {k: (None if str(v) == "NULL" else v) for k, v in values.items()}
            polygon = shape.asMultiPolygon()[0] if shape.isMultipart() else shape.asPolygon()
            ring = [[p.x(), p.y()] for p in (polygon[0] if polygon else ())]
            event["geometry"] = {"type": "Polygon", "coordinates": [ring]}
            rows.append(row_of_event(event))
        self.form.table.model.add(rows)
        self.form.table.refresh()

    def _report(self) -> None:
        from .report import open_report

        layers = [QgsProject.instance().mapLayer(i) for i in self._last_layers]
        open_report(
            self.iface, [layer for layer in layers if layer is not None], self.form.total.text()
        )

    # -- state and words

    def _show_state(self) -> None:
        running = self.run is not None
        self.form.run_button.setEnabled(not running)
        self.form.cancel_button.setEnabled(running)
        self.form.inputs.setEnabled(not running)

    def _open_options(self) -> None:
        self.iface.showOptionsDialog(self.iface.mainWindow(), "rsvlmGeoOptions")

    def _complain(self, what: str, advice: str) -> None:
        text = f"{what} {advice}".strip()
        service.log(text, Qgis.MessageLevel.Warning)
        self.iface.messageBar().pushMessage("rsvlm_geo", text, Qgis.MessageLevel.Warning, 0)


_READ = ("tile_id", "task", "question", "status", "answer", "confidence", "reason")


def _covers(layer: QgsRasterLayer, place: QgsPointXY, crs: QgsCoordinateReferenceSystem) -> bool:
    try:
        here = QgsCoordinateTransform(crs, layer.crs(), QgsProject.instance()).transform(place)
    except QgsCsException:
        return False
    return bool(layer.extent().contains(here))


def _memory_layer(shapes: list[QgsGeometry], crs: QgsCoordinateReferenceSystem) -> QgsVectorLayer:
    layer = QgsVectorLayer("Polygon", "area", "memory")
    layer.setCrs(crs)
    features = []
    for shape in shapes:
        feature = QgsFeature()
        feature.setGeometry(shape)
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    layer.updateExtents()
    return layer
