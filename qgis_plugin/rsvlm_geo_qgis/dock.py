# SPDX-License-Identifier: GPL-2.0-or-later
"""The dock: choose, see what it costs, run, watch, cancel, read, click."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from qgis.core import Qgis, QgsCoordinateReferenceSystem, QgsProject, QgsVectorLayer
from qgis.gui import QgsDockWidget
from qgis.PyQt.QtCore import QEvent, QTimer

from . import results, service, settings, source
from .answers_model import Row
from .dock_engine import EngineMeeting
from .dock_estimate import Estimator
from .dock_form import DockForm
from .dock_history import RunHistory
from .dock_layers import LayerLoader
from .dock_request import run_parameters
from .dock_tasks import examples_for, run_facts, task_takes
from .dock_tools import DockTools
from .i18n import tr
from .maptools import flash
from .runner import Run

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
        self._path = ""
        self._title = ""
        self._project_file = ""
        self._crs = QgsCoordinateReferenceSystem()
        self._provider = ""
        self._last_layers: list[str] = []
        self._doubts: list[str] = []
        self.form = DockForm(self)
        self.setWidget(self.form)
        self.tools = DockTools(iface, self.form, self)
        self.tools.area.changed.connect(self._anything_changed)
        self.history = RunHistory(self.form, self)
        self.history.picked.connect(self.show_run)
        self.ask_here = self.tools.ask_here
        self.ask_here.failed.connect(self._complain)
        self.ask_here.answered.connect(self._asked)
        self.engine = EngineMeeting(self)
        self.engine.asking.connect(self.form.model_note.setText)
        self.engine.met.connect(self._met)
        self.engine.missing.connect(self._no_engine)
        self._loader = LayerLoader(self)
        self._loader.loaded.connect(self._shown)
        self._estimator = Estimator(self)
        self._estimator.said.connect(self.form.estimate.setText)
        self._estimator.came.connect(self._estimated)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(350)
        self._soon.timeout.connect(self._estimate)
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
        form.model.currentIndexChanged.connect(self._model_changed)
        form.device.currentIndexChanged.connect(self._model_changed)
        form.margin.valueChanged.connect(self._anything_changed)
        form.seen.toggled.connect(self._anything_changed)
        form.settings_button.clicked.connect(self._open_options)
        form.set_up_button.clicked.connect(self._open_options)
        form.report_button.clicked.connect(self._report)
        form.table.row_clicked.connect(self._show_row)
        self.canvas.extentsChanged.connect(self._extent_moved)
        self.tools.asking.connect(self.engine.meet)
        self.tools.asking.connect(self._soon.start)

    def showEvent(self, event: QEvent) -> None:
        super().showEvent(event)
        if not self.engine.packs:
            self.engine.meet()

    def closeEvent(self, event: QEvent) -> None:
        self.form.draw_button.setChecked(False)
        self.form.ask_button.setChecked(False)
        super().closeEvent(event)

    def dispose(self) -> None:
        """Stop everything and leave the canvas as it was; call before dropping the dock."""
        self.history.stop()
        self._soon.stop()
        self._loader.stop()
        self._estimator.forget()
        with suppress(TypeError):
            self.canvas.extentsChanged.disconnect(self._extent_moved)
        if self.run is not None:
            self.run.cancel()
        self.tools.dispose()

    # -- the engine

    def _met(self) -> None:
        self.form.set_up_box.hide()
        self.form.show_models(self.engine.packs, str(settings.get("engine/model")))
        if self.engine.packs:
            self._task_changed()

    def _no_engine(self, why: str) -> None:
        self.form.model_note.setText("")
        self.form.set_up_text.setText(why)
        self.form.set_up_box.show()
        self._show_state()

    def engine_changed(self) -> None:
        """The options were changed: meet the engine again."""
        self.engine.forget()
        if self.isVisible():
            self.engine.meet()

    # -- what is asked

    def _task(self) -> str:
        return str(self.form.task.currentData())

    def _task_changed(self) -> None:
        task = self._task()
        settings.put("dock/task", task)
        self.form.show_task(task, examples_for(task, self._pack()))
        self._anything_changed()

    def _pack(self) -> dict[str, Any]:
        return self.engine.pack(self.form.model.currentData())

    def _example(self, text: str) -> None:
        self.form.words.setEditText(text)
        self.form.words.setFocus()

    def _model_changed(self) -> None:
        settings.put("engine/model", self.form.model.currentData() or "")
        settings.put("engine/device", self.form.device.currentData() or "auto")
        self._provider = ""
        self._task_changed()

    def _anything_changed(self, *_: Any) -> None:
        if self.run is None:
            self.form.estimate.setText("")
        self._show_state()
        self._soon.start()

    def _extent_moved(self) -> None:
        if self.form.area.currentData() == "visible" and self.isVisible() and self.run is None:
            self._soon.start()

    # -- the estimate

    def _estimate(self) -> None:
        if self.run is not None or not self.engine.packs or not self.isVisible():
            return
        try:
            parameters = run_parameters(self._task(), self.form, self.tools.area)
        except ValueError as error:
            self.form.estimate.setText(str(error))
            return
        self._estimator.ask(self._task(), parameters)

    def _estimated(self, layer_id: str, got: dict[str, Any]) -> None:
        if got.get("tile_m"):
            self.tools.remember_tile(layer_id, float(got["tile_m"]))
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
            parameters = run_parameters(self._task(), self.form, self.tools.area)
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
        self._facts = run_facts(task, words, layer.name(), raster, now)
        self._title = self._facts["title"]
        if self._facts["question"]:
            settings.remember_question(words)
        self._project_file = project.fileName()
        self.history.stop()
        self._estimator.forget()
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
        self.form.show_totals(done)
        for warning in run.feedback.warnings[:50]:
            service.log(warning, Qgis.MessageLevel.Warning)
        self._doubts = run.feedback.doubts[:2]
        if QgsProject.instance().fileName() != self._project_file:
            bar.pushMessage(
                "rsvlm_geo",
                tr("Done, but another project is open now; the answers are in {path}.", path=self._path),  # noqa: E501
                Qgis.MessageLevel.Warning, 0,
            )  # fmt: skip
            run.deleteLater()
            return
        self._loader.load(self._path, self._title, done, self._facts)
        run.deleteLater()

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
        doubts, self._doubts = self._doubts, []
        for doubt in doubts:  # on top of the number that it is about
            self.iface.messageBar().pushMessage("rsvlm_geo", doubt, Qgis.MessageLevel.Warning, 20)

    # -- after the run

    def _asked(self, layer: QgsVectorLayer, done: dict[str, Any]) -> None:
        self._last_layers = [layer.id()]

    def _show_row(self, row: Row) -> None:
        if len(row.ring):
            flash(self.canvas, row.geometry(), self._crs)

    def show_run(self, entry: dict[str, Any]) -> None:
        """Read a run of the history back into the table, a piece at a time."""
        if self.run is not None:
            self._complain(tr("A run is going."), tr("Cancel it, or wait until it ends."))
            return
        path = QgsProject.instance().readPath(str(entry.get("path", "")))
        crs = self.history.read(path)
        if crs is None:
            self._complain(
                tr("The file of this run is gone: {path}.", path=path), tr("Run it again.")
            )
            return
        self._crs = crs
        self.form.show_totals(entry.get("done") or {})

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
