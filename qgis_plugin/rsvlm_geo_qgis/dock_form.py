# SPDX-License-Identifier: GPL-2.0-or-later
"""The dock's widgets; what they do is in ``dock``."""

from __future__ import annotations

from typing import Any

from qgis.gui import QgsMapLayerComboBox
from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QCompleter,
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from . import compat, settings
from .dock_parts import STYLE, AnswerTable, Chips
from .dock_tasks import TASKS, task_takes
from .dock_words import device_name, duration, tiles_and_time, totals
from .i18n import tr
from .provider import icon

__all__ = ["DockForm"]


DEVICES = (
    ("auto", lambda: tr("Best device")), ("cpu", lambda: tr("CPU")), ("cuda", lambda: "CUDA (NVIDIA)"),  # noqa: E501
    ("directml", lambda: "DirectML (Windows)"), ("coreml", lambda: "CoreML (macOS)"),
)  # fmt: skip
AREAS = (
    ("visible", lambda: tr("Visible area")), ("whole", lambda: tr("Whole layer")),
    ("selected", lambda: tr("Selected polygons")), ("drawn", lambda: tr("Drawn area")),
)  # fmt: skip


class DockForm(QWidget):
    """Every widget of the dock, by name."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rsvlmBody")
        self.setStyleSheet(STYLE)
        self.setMinimumWidth(330)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(10, 8, 10, 8)
        whole.setSpacing(7)
        whole.addLayout(self._tools())
        whole.addWidget(self._set_up_box())
        self.inputs = QWidget()
        grid = QGridLayout(self.inputs)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        self._grid = grid
        self._fields()
        whole.addWidget(self.inputs)
        whole.addLayout(self._buttons())
        self.progress = QProgressBar()
        self.progress.setObjectName("rsvlmProgress")
        self.progress.setTextVisible(False)
        self.progress.hide()
        whole.addWidget(self.progress)
        self.total = QLabel("")
        self.total.setObjectName("rsvlmTotal")
        self.total.setWordWrap(True)
        self.total.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.table = AnswerTable()
        whole.addWidget(self.total)
        whole.addWidget(self.table, 1)

    def _tools(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        self.ask_button = self._tool("askhere", tr("Ask here: click the map, or drag a rectangle"))
        self.ask_button.setObjectName("rsvlmAskHere")
        self.ask_button.setText(tr("Ask here"))
        self.ask_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.ask_button.setCheckable(True)
        self.runs_button = self._tool("batch", tr("Runs of this project"))
        self.runs_button.setText(tr("Runs"))
        self.runs_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.runs_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.runs_menu = QMenu(self)
        self.runs_button.setMenu(self.runs_menu)
        self.report_button = self._tool(
            "report", tr("Print layout with map, legend, totals and coverage")
        )
        self.report_button.setText(tr("Report"))
        self.report_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.report_button.setEnabled(False)
        self.settings_button = self._tool("settings", tr("Options: engine, test, set up"))
        for button in (self.ask_button, self.runs_button, self.report_button):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.settings_button)
        return row

    def _tool(self, name: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon(name))
        button.setIconSize(QSize(18, 18))
        button.setAutoRaise(True)
        button.setToolTip(tip)
        return button

    def _set_up_box(self) -> QFrame:
        self.set_up_box = QFrame()
        self.set_up_box.setObjectName("rsvlmSetUpBox")
        self.set_up_box.setStyleSheet(
            "#rsvlmSetUpBox{background:#fff4e5;border:1px solid #f0c48a;border-radius:6px}"
            "#rsvlmSetUpBox QLabel{color:#5a3100}"
        )
        box = QVBoxLayout(self.set_up_box)
        self.set_up_text = QLabel("")
        self.set_up_text.setWordWrap(True)
        self.set_up_button = QPushButton(tr("Open options…"))
        box.addWidget(self.set_up_text)
        box.addWidget(self.set_up_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.set_up_box.hide()
        return self.set_up_box

    def _field(self, row: int, name: str, widget: QWidget) -> QLabel:
        label = QLabel(name)
        label.setObjectName("rsvlmField")
        label.setBuddy(widget)
        self._grid.addWidget(label, row, 0)
        self._grid.addWidget(widget, row, 1)
        return label

    def _fields(self) -> None:
        self.layer = QgsMapLayerComboBox()
        self.layer.setObjectName("rsvlmLayer")
        self.layer.setFilters(compat.RASTER_FILTER)
        self._field(0, tr("Layer"), self.layer)
        self.task = _combo("rsvlmTask")
        for key, task in TASKS.items():
            self.task.addItem(icon(task.icon), task.label(), key)
        self.task.setCurrentIndex(max(0, self.task.findData(settings.get("dock/task"))))
        self._field(1, tr("Task"), self.task)
        self.words = _combo("rsvlmWords")
        self.words.setEditable(True)
        self.words.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.words_label = self._field(2, tr("Question"), self.words)
        self.chips = Chips()
        self._grid.addWidget(self.chips, 3, 1)
        area = QHBoxLayout()
        area.setContentsMargins(0, 0, 0, 0)
        self.area = _combo("rsvlmArea")
        for key, words in AREAS:
            self.area.addItem(words(), key)
        self.area.setCurrentIndex(max(0, self.area.findData(settings.get("dock/area"))))
        self.draw_button = self._tool(
            "area", tr("Draw: drag a rectangle, or click corners and right click")
        )
        self.draw_button.setCheckable(True)
        self.draw_button.setVisible(self.area.currentData() == "drawn")
        area.addWidget(self.area, 1)
        area.addWidget(self.draw_button)
        holder = QWidget()
        holder.setLayout(area)
        self._field(4, tr("Area"), holder)
        self.model = _combo("rsvlmModel")
        self.device = _combo("rsvlmDevice")
        for key, words in DEVICES:
            self.device.addItem(words(), key)
        self.device.setCurrentIndex(max(0, self.device.findData(settings.get("engine/device"))))
        model = QHBoxLayout()
        model.setContentsMargins(0, 0, 0, 0)
        model.addWidget(self.model, 3)
        model.addWidget(self.device, 2)
        both = QWidget()
        both.setLayout(model)
        self._field(5, tr("Model"), both)
        self.model_note = QLabel("")
        self.model_note.setObjectName("rsvlmField")
        self.model_note.setWordWrap(True)
        self._grid.addWidget(self.model_note, 6, 1)
        self.warning = QLabel("")
        self.warning.setObjectName("rsvlmWarn")
        self.warning.setWordWrap(True)
        self.warning.hide()
        self._grid.addWidget(self.warning, 7, 0, 1, 2)
        self._more()

    def _more(self) -> None:
        self.more_button = QToolButton()
        self.more_button.setText(tr("More"))
        self.more_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.more_button.setArrowType(Qt.ArrowType.RightArrow)
        self.more_button.setAutoRaise(True)
        self.more_button.setCheckable(True)
        self._grid.addWidget(self.more_button, 8, 0, 1, 2)
        self.more = QWidget()
        line = QGridLayout(self.more)
        line.setContentsMargins(14, 0, 0, 0)
        self.margin = QDoubleSpinBox()
        self.margin.setRange(0, 100000)
        self.margin.setDecimals(1)
        self.margin.setSuffix(" m")
        self.margin.setSpecialValueText(tr("the model's own"))
        self.margin.setValue(float(settings.get("dock/margin")))
        name = QLabel(tr("Margin of a tile"))
        name.setObjectName("rsvlmField")
        line.addWidget(name, 0, 0)
        line.addWidget(self.margin, 0, 1)
        self.seen = QCheckBox(tr("Show the model what I see"))
        self.seen.setToolTip(
            tr("Use the layer's own bands and stretch instead of the scene's percentiles")
        )
        self.seen.setChecked(bool(settings.get("dock/seen")))
        line.addWidget(self.seen, 1, 0, 1, 2)
        self.more.hide()
        self.more_button.toggled.connect(self._toggle_more)
        self._grid.addWidget(self.more, 9, 0, 1, 2)

    def _toggle_more(self, on: bool) -> None:
        self.more.setVisible(on)
        self.more_button.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.run_button = QPushButton(tr("Run"))
        self.run_button.setObjectName("rsvlmRun")
        self.cancel_button = QPushButton(tr("Cancel"))
        self.cancel_button.setObjectName("rsvlmCancel")
        self.cancel_button.setEnabled(False)
        self.estimate = QLabel("")
        self.estimate.setObjectName("rsvlmField")
        self.estimate.setWordWrap(True)
        self.estimate.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addWidget(self.run_button)
        row.addWidget(self.cancel_button)
        row.addWidget(self.estimate, 1)
        return row

    # -- what the dock tells it

    def show_task(self, task: str, examples: list[str]) -> None:
        """The words a task takes, and examples of them."""
        takes = task_takes(task)
        self.words.setVisible(bool(takes))
        self.words_label.setVisible(bool(takes))
        self.words_label.setText(tr("Question") if takes == "QUESTION" else tr("What"))
        kept = self.words.property("kept") or {}
        before = self.words.property("task")
        if before:
            kept[before] = self.words.currentText()
        self.words.setProperty("kept", kept)
        self.words.setProperty("task", task)
        self.words.blockSignals(True)
        self.words.clear()
        if takes == "QUESTION":
            self.words.addItems(settings.recent_questions())
        self.words.setEditText(str(kept.get(task, "")))
        self.words.lineEdit().setPlaceholderText(
            tr("Type a question…") if takes == "QUESTION" else tr("car, ship…")
        )
        self.words.completer().setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.words.blockSignals(False)
        self.chips.show_words(examples if takes else [])

    def show_models(self, packs: list[dict[str, Any]], chosen: str) -> None:
        """The engine's packs."""
        self.model.blockSignals(True)
        self.model.clear()
        for pack in packs:
            name = str(pack.get("name", ""))
            self.model.addItem(name, name)
            low, high = [*(pack.get("gsd_range_m") or ()), None, None][:2]
            about = [f"{name} {pack.get('version', '')}", str(pack.get("licence", ""))]
            if low is not None and high is not None:
                about.append(f"{low:g} – {high:g} m")
            self.model.setItemData(
                self.model.count() - 1,
                "\n".join(a for a in about if a),
                Qt.ItemDataRole.ToolTipRole,
            )
        self.model.setCurrentIndex(max(0, self.model.findData(chosen)))
        self.model.blockSignals(False)
        self.model_note.setText("")

    def show_provider(
        self, provider: str, speed: float | None, asked: str, pack: dict[str, Any]
    ) -> None:
        """Where the model runs, and a plain word when that is not where it was asked to."""
        short = device_name(provider)
        text = tr("runs on {device}", device=short) if short else ""
        if speed:
            text += tr(", {n} tiles a second", n=f"{speed:.0f}" if speed >= 3 else f"{speed:.1f}")
        self.model_note.setText(text)
        self.model_note.setVisible(bool(text))
        wanted = asked in ("cuda", "directml", "coreml")
        on_cpu = short.upper().startswith("CPU")
        self.warning.setVisible(bool(wanted and short and on_cpu))
        self.warning.setText(
            tr("A GPU was asked for, but the model runs on the CPU. Set up the engine with the GPU "
               "package, or choose “Best device”.")
        )  # fmt: skip

    def show_estimate(self, got: dict[str, Any]) -> None:
        """What a run would cost."""
        parts = [tr("{n} tiles", n=f"{got.get('tiles', 0):,}".replace(",", "\u202f"))]
        if got.get("seconds") is not None:
            seconds = float(got["seconds"])
            took = duration(seconds)
            parts.append(took if seconds < 1 else tr("about {time}", time=took))
        if got.get("memory_mb"):
            megabytes = float(got["memory_mb"])
            parts.append(
                f"{megabytes / 1024:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"
            )
        text = " · ".join(part.replace(" ", "\u00a0") for part in parts)
        refused = list((got.get("refused") or {}).values())
        if refused:
            text += "\n" + tr("Will be refused: {why}", why=str(refused[0]))
        self.estimate.setText(text)
        self.estimate.setToolTip("\n".join(str(w) for w in got.get("warnings") or ()))

    def show_progress(self, done: int, total: int, speed: Any, eta: Any) -> None:
        """How far a run is."""
        self.progress.show()
        self.progress.setRange(0, total if total else 0)
        self.progress.setValue(done)
        if not total:
            self.estimate.setText(tr("Starting…"))
            return
        parts = [tr("{done} of {total} tiles", done=done, total=total)]
        if speed:
            parts.append(
                tr("{n} a second", n=f"{float(speed):.0f}" if speed >= 3 else f"{float(speed):.1f}")
            )
        if eta:
            parts.append(tr("{time} left", time=duration(float(eta))))
        self.estimate.setText(" · ".join(parts))

    def show_totals(self, done: dict[str, Any]) -> None:
        """What a run found, how much it saw, and what it took."""
        self.total.setText(totals(done))
        self.estimate.setText(tiles_and_time(done))

    def hide_progress(self) -> None:
        """No run is going."""
        self.progress.hide()


def _combo(name: str) -> QComboBox:
    combo = QComboBox()
    combo.setObjectName(name)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(6)
    return combo
