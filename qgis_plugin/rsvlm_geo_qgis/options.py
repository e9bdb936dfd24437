# SPDX-License-Identifier: GPL-2.0-or-later
"""The options page: which engine, does it work, and setting one up."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qgis.core import QgsApplication
from qgis.gui import QgsFileWidget, QgsOptionsPageWidget, QgsOptionsWidgetFactory
from qgis.PyQt.QtCore import QObject, Qt, pyqtSignal
from qgis.PyQt.QtGui import QFontDatabase
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from . import engine_env, service, settings, setup_steps
from .client import EngineClient
from .i18n import tr
from .provider import icon
from .runner import Background

__all__ = ["OptionsFactory", "OptionsPage", "test_report"]


class OptionsFactory(QgsOptionsWidgetFactory):
    """Puts the page into Settings ▸ Options."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self._changed = changed
        self.setTitle("rsvlm_geo")
        self.setIcon(icon())

    def createWidget(self, parent: QWidget) -> QgsOptionsPageWidget:
        return OptionsPage(parent, self._changed)


def test_report(info: dict[str, Any]) -> str:
    """What the engine said of itself, in a few lines."""
    lines = [f"rsvlm_geo {info.get('version', '?')} · Python {info.get('python', '?')}"]
    versions = {k: v for k, v in (info.get("versions") or {}).items() if v}
    lines.append(", ".join(f"{name} {version}" for name, version in versions.items()))
    gdal = info.get("gdal") or {}
    if gdal:
        lines.append(", ".join(f"{k.upper()} {v}" for k, v in gdal.items() if isinstance(v, str)))
    providers = [str(p).replace("ExecutionProvider", "") for p in info.get("providers") or ()]
    lines.append(tr("Devices: {names}", names=", ".join(providers) or tr("none")))
    for pack in info.get("packs") or ():
        low, high = [*(pack.get("gsd_range_m") or ()), None, None][:2]
        reach = f", {low:g} – {high:g} m" if low is not None and high is not None else ""
        lines.append(
            tr(
                "Model: {name} {version}",
                name=pack.get("name", "?"),
                version=pack.get("version", ""),
            )
            + f" ({pack.get('licence', '?')}{reach})"
        )
    active = info.get("active") or {}
    if active.get("tiles_per_s"):
        lines.append(
            tr("Speed: {n} tiles a second on {device}", n=f"{active['tiles_per_s']:.1f}",
               device=str(active.get("provider", "")).replace("ExecutionProvider", ""))
        )  # fmt: skip
    lines.extend("⚠ " + str(problem) for problem in info.get("problems") or ())
    return "\n".join(line for line in lines if line)


class OptionsPage(QgsOptionsPageWidget):
    """Nothing here runs before a button is pressed."""

    def __init__(self, parent: QWidget, changed: Callable[[], None]) -> None:
        super().__init__(parent)
        self.setObjectName("rsvlmGeoOptions")
        self._changed = changed
        self._setup: _Setup | None = None
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._engine_box())
        whole.addWidget(self._setup_box(), 1)
        self._commands_changed()

    def _engine_box(self) -> QGroupBox:
        box = QGroupBox(tr("Engine"))
        form = QFormLayout(box)
        intro = QLabel(
            tr("The engine is a program of its own, in a Python of its own; QGIS's Python is never "
               "changed. Name the Python that has rsvlm_geo, or leave it empty to find one.")
        )  # fmt: skip
        intro.setWordWrap(True)
        form.addRow(intro)
        self.python = QgsFileWidget()
        self.python.setObjectName("rsvlmPython")
        self.python.setFilePath(str(settings.get("engine/python")))
        line = self.python.lineEdit()
        line.setPlaceholderText(settings.engine_python() or tr("none found"))
        form.addRow(tr("Python of the engine"), self.python)
        self.threads = QSpinBox()
        self.threads.setRange(0, 256)
        self.threads.setSpecialValueText(tr("all"))
        self.threads.setValue(int(settings.get("engine/threads")))
        form.addRow(tr("Threads"), self.threads)
        row = QHBoxLayout()
        self.test_button = QPushButton(tr("Test"))
        self.test_button.setObjectName("rsvlmTest")
        self.test_button.clicked.connect(self._test)
        row.addWidget(self.test_button)
        row.addStretch(1)
        form.addRow(row)
        self.report = QPlainTextEdit()
        self.report.setObjectName("rsvlmReport")
        self.report.setReadOnly(True)
        self.report.setMaximumHeight(150)
        self.report.setPlaceholderText(tr("Press Test to see versions, devices, models and speed."))
        form.addRow(self.report)
        return box

    def _setup_box(self) -> QGroupBox:
        box = QGroupBox(tr("Set up an engine"))
        form = QFormLayout(box)
        self.base = QComboBox()
        self.base.setEditable(True)
        self.base.addItems(setup_steps.base_pythons(os.environ))
        form.addRow(tr("Made with"), self.base)
        self.folder = QLineEdit(settings.managed_folder())
        form.addRow(tr("Folder"), self.folder)
        self.package = QComboBox()
        self.package.setEditable(True)
        self.package.addItems(["rsvlm-geo[cpu]", "rsvlm-geo[gpu]", "rsvlm-geo[directml]"])
        self.package.setEditText(str(settings.get("setup/package")))
        form.addRow(tr("Package, or a wheel's path"), self.package)
        self.tool = QComboBox()
        self.tool.addItems(["pip", "uv"])
        self.tool.setCurrentText(str(settings.get("setup/tool")))
        form.addRow(tr("Installed by"), self.tool)
        self.index = QLineEdit(str(settings.get("setup/index")))
        self.index.setPlaceholderText(tr("the usual one"))
        form.addRow(tr("Package index"), self.index)
        self.proxy = QLineEdit(str(settings.get("setup/proxy")))
        self.proxy.setPlaceholderText(tr("none, for example http://proxy:8080"))
        form.addRow(tr("Proxy"), self.proxy)
        self.wheels = QgsFileWidget()
        self.wheels.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.wheels.setFilePath(str(settings.get("setup/wheels")))
        self.wheels.lineEdit().setPlaceholderText(tr("for a machine without network"))
        form.addRow(tr("Folder of wheels"), self.wheels)
        self.commands = QPlainTextEdit()
        self.commands.setObjectName("rsvlmCommands")
        self.commands.setReadOnly(True)
        self.commands.setMaximumHeight(76)
        self.commands.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.commands.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        form.addRow(QLabel(tr("These commands are run, and no others:")))
        form.addRow(self.commands)
        row = QHBoxLayout()
        self.copy_button = QPushButton(tr("Copy"))
        self.copy_button.clicked.connect(
            lambda: QgsApplication.clipboard().setText(self.commands.toPlainText())
        )
        self.set_up_button = QPushButton(tr("Set up"))
        self.set_up_button.setObjectName("rsvlmSetUp")
        self.set_up_button.clicked.connect(self._set_up)
        self.cancel_button = QPushButton(tr("Cancel"))
        self.cancel_button.setEnabled(False)
        self.cancel_button.clicked.connect(self._cancel)
        for button in (self.copy_button, self.set_up_button, self.cancel_button):
            row.addWidget(button)
        row.addStretch(1)
        form.addRow(row)
        self.log = QPlainTextEdit()
        self.log.setObjectName("rsvlmSetUpLog")
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(5000)
        self.log.hide()
        form.addRow(self.log)
        for signal in (
            self.base.editTextChanged, self.folder.textChanged, self.package.editTextChanged,
            self.tool.currentTextChanged, self.index.textChanged, self.proxy.textChanged,
            self.wheels.fileChanged,
        ):  # fmt: skip
            signal.connect(self._commands_changed)
        return box

    # -- test

    def _test(self) -> None:
        python = self.python.filePath().strip() or settings.engine_python()
        self.test_button.setEnabled(False)
        self.report.setPlainText(tr("Starting {python}…", python=python or "?"))

        def work() -> dict[str, Any]:
            if not python or not Path(python).is_file():
                raise ValueError(
                    tr("There is no file {path}; choose the engine's Python.", path=python)
                )
            environ = engine_env.clean_environment(os.environ)
            client = EngineClient(
                engine_env.engine_command(python), environ=environ, log=service.log
            )
            try:
                return client.call("info")
            finally:
                client.close()

        asker = Background(work, self)
        asker.ready.connect(self._tested)
        asker.start()

    def _tested(self, info: Any, problem: Any) -> None:
        self.test_button.setEnabled(True)
        if problem is not None:
            what, advice = service.explain(problem)
            self.report.setPlainText(f"⚠ {what}\n{advice}".strip())
        else:
            self.report.setPlainText(test_report(info))

    # -- set up

    def _choice(self) -> setup_steps.SetupChoice:
        return setup_steps.SetupChoice(
            base_python=self.base.currentText().strip(),
            folder=self.folder.text().strip(),
            package=self.package.currentText().strip() or "rsvlm-geo[cpu]",
            tool=self.tool.currentText(),
            index=self.index.text().strip(),
            wheels=self.wheels.filePath().strip(),
            proxy=self.proxy.text().strip(),
        )

    def _commands_changed(self, *_: Any) -> None:
        try:
            text, good = setup_steps.as_text(setup_steps.steps(self._choice())), True
        except ValueError as error:
            text, good = f"# {error}", False
        self.commands.setPlainText(text)
        self.copy_button.setEnabled(good)
        self.set_up_button.setEnabled(good and self._setup is None)

    def _set_up(self) -> None:
        choice = self._choice()
        self._save_setup()
        self.log.clear()
        self.log.show()
        self._setup = _Setup(choice, self)
        self._setup.line.connect(self.log.appendPlainText)
        self._setup.ended.connect(self._set_up_ended)
        self.set_up_button.setEnabled(False)
        self.cancel_button.setEnabled(True)
        self._setup.start()

    def _cancel(self) -> None:
        if self._setup is not None:
            self._setup.stop()

    def _set_up_ended(self, problem: str) -> None:
        self._setup = None
        self.cancel_button.setEnabled(False)
        self._commands_changed()
        if problem:
            self.log.appendPlainText("⚠ " + problem)
            return
        self.log.appendPlainText(tr("The engine is set up."))
        self.python.setFilePath(engine_env.venv_python(self.folder.text().strip()))
        self._test()

    def _save_setup(self) -> None:
        settings.put("setup/package", self.package.currentText().strip())
        settings.put("setup/tool", self.tool.currentText())
        settings.put("setup/index", self.index.text().strip())
        settings.put("setup/wheels", self.wheels.filePath().strip())
        settings.put("setup/proxy", self.proxy.text().strip())

    def apply(self) -> None:
        """Called when the dialog is accepted."""
        self._save_setup()
        changed = (
            settings.get("engine/python") != self.python.filePath().strip()
            or settings.get("engine/threads") != self.threads.value()
        )
        settings.put("engine/python", self.python.filePath().strip())
        settings.put("engine/threads", self.threads.value())
        if changed:
            self._changed()

    def hideEvent(self, event: Any) -> None:
        if not self.window().isVisible():
            self._cancel()
        super().hideEvent(event)


class _Setup(QObject):
    """The commands, run on a thread of their own."""

    line = pyqtSignal(str)
    ended = pyqtSignal(str)

    def __init__(self, choice: setup_steps.SetupChoice, parent: QObject) -> None:
        super().__init__(parent)
        self._choice = choice
        self._stopped = False
        self._worker: Background | None = None

    def start(self) -> None:
        self._worker = Background(self._work, self)
        self._worker.ready.connect(self._ready, Qt.ConnectionType.QueuedConnection)
        self._worker.start()

    def stop(self) -> None:
        self._stopped = True

    def _work(self) -> str | None:
        Path(self._choice.folder).parent.mkdir(parents=True, exist_ok=True)
        return setup_steps.run_steps(
            setup_steps.steps(self._choice), os.environ, proxy=self._choice.proxy,
            on_line=self._say, cancelled=lambda: self._stopped,
        )  # fmt: skip

    def _say(self, text: str) -> None:
        if not self._stopped:
            self.line.emit(text)

    def _ready(self, problem: Any, error: Any) -> None:
        self.ended.emit(str(error) if error is not None else (problem or ""))
