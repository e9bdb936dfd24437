"""Hands and eyes for scenarios inside QGIS: clicks, keys, waits, screenshots, a heartbeat."""

from __future__ import annotations

import faulthandler
import json
import os
import shutil
import subprocess
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import QPoint, Qt, QTimer
from qgis.PyQt.QtGui import QGuiApplication
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication
from qgis.utils import iface, plugins

DATA: dict[str, Any] = json.loads(os.environ.get("SCENARIO", "{}"))
FACTS: dict[str, Any] = {}


def wait(seconds: float) -> None:
    QTest.qWait(int(seconds * 1000))


def until(true: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        got = true()
        if got:
            return got
        QTest.qWait(10)
    raise AssertionError(f"waited {seconds} s in vain: {what}")


def shot(name: str, widget: Any = None) -> str:
    path = Path(DATA["artefacts"]) / f"{name}.png"
    QApplication.processEvents()
    if widget is None:
        QGuiApplication.primaryScreen().grabWindow(0).save(str(path))
    else:
        widget.grab().save(str(path))
    return str(path)


def drawn(seconds: float = 30.0) -> None:
    """Wait until the map is drawn."""
    canvas = iface.mapCanvas()
    wait(0.15)
    until(lambda: not canvas.isDrawing(), "the map is drawn", seconds)
    wait(0.1)


def _xdotool(*words: str) -> None:
    process = subprocess.Popen([shutil.which("xdotool") or "xdotool", *words])
    limit = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < limit:
        QTest.qWait(5)


def move(widget: Any, at: QPoint | None = None) -> None:
    point = widget.mapToGlobal(at if at is not None else widget.rect().center())
    _xdotool("mousemove", str(point.x()), str(point.y()))


def click(widget: Any, at: QPoint | None = None, button: int = 1) -> None:
    """A real click of the X server."""
    move(widget, at)
    QTest.qWait(40)
    _xdotool("click", str(button))
    QTest.qWait(40)


def drag(widget: Any, start: QPoint, end: QPoint) -> None:
    a, b = widget.mapToGlobal(start), widget.mapToGlobal(end)
    _xdotool("mousemove", str(a.x()), str(a.y()))
    _xdotool("mousedown", "1")
    for i in range(1, 7):
        x, y = a.x() + (b.x() - a.x()) * i // 6, a.y() + (b.y() - a.y()) * i // 6
        _xdotool("mousemove", str(x), str(y))
    _xdotool("mouseup", "1")
    QTest.qWait(60)


def write(text: str) -> None:
    _xdotool("type", "--delay", "12", text)
    QTest.qWait(60)


def key(name: str) -> None:
    _xdotool("key", name)
    QTest.qWait(60)


def choose(combo: Any, data: str) -> None:
    at = combo.findData(data)
    if at < 0:
        raise AssertionError(f"no {data!r} in {combo.objectName()}")
    combo.setCurrentIndex(at)
    QTest.qWait(30)


class Heartbeat:
    """The longest time the GUI did not come round."""

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(10)
        self._timer.timeout.connect(self._beat)
        self._last = 0.0
        self._suspect_s = 0.0
        self._stacks: Any = None
        self.longest = 0.0
        self.gaps: list[float] = []
        self.late: list[str] = []
        self._began = 0.0

    def start(self, suspect_s: float = 0.0) -> None:
        """Begin; with ``suspect_s`` the stacks of a longer gap are written to stacks.txt."""
        self._suspect_s = suspect_s
        if suspect_s and self._stacks is None:
            self._stacks = (Path(DATA["artefacts"]) / "stacks.txt").open("w")
        self._last, self.longest, self.gaps = time.perf_counter(), 0.0, []
        self._began, self.late = self._last, []
        self._timer.start()

    def _beat(self) -> None:
        now = time.perf_counter()
        gap = now - self._last
        self._last = now
        self.gaps.append(gap)
        if gap > 0.06:
            self.late.append(f"{gap:.3f} at {now - self._began:.2f}")
        self.longest = max(self.longest, gap)
        if self._suspect_s:
            faulthandler.dump_traceback_later(self._suspect_s, file=self._stacks)

    def stop(self) -> float:
        self._timer.stop()
        self._beat()
        if self._suspect_s:
            faulthandler.cancel_dump_traceback_later()
            self._stacks.write(f"=== longest {self.longest:.3f} s\n")
            self._stacks.flush()
        return self.longest


def plugin() -> Any:
    return plugins["rsvlm_geo_qgis"]


def window(width: int = 1600, height: int = 1000) -> None:
    main = iface.mainWindow()
    main.showNormal()
    main.setGeometry(0, 0, width, height)
    wait(0.3)


def bare_interface() -> None:
    """Only what a person looks at: the layers, the map, our dock."""
    main = iface.mainWindow()
    from qgis.PyQt.QtWidgets import QDockWidget, QToolBar

    for dock in main.findChildren(QDockWidget):
        dock.setVisible(dock.objectName() in ("Layers", "RsvlmGeoDock"))
    keep = ("mFileToolBar", "mMapNavToolBar", "mAttributesToolBar", "RsvlmGeoToolbar")
    for bar in main.findChildren(QToolBar):
        if bar.parent() is main:
            bar.setVisible(bar.objectName() in keep)


def messages() -> list[str]:
    """What the message bar says."""
    return [f"{item.title()}: {item.text()}" for item in iface.messageBar().items()]


def leave() -> None:
    """End QGIS by its own action, with a way out when it hangs."""
    QgsProject.instance().removeAllMapLayers()
    QgsProject.instance().setDirty(False)
    QTimer.singleShot(10000, lambda: os._exit(7))
    iface.actionExit().trigger()


LOG: list[str] = []


def python_errors() -> list[str]:
    """What QGIS's log holds of Python's errors."""
    return [line for line in LOG if line.startswith("Python")]


def begin(scenario: Callable[[], None]) -> None:
    """Run a scenario once QGIS stands; write what it found out."""

    def go() -> None:
        try:
            scenario()
            FACTS["ok"] = True
        except BaseException as error:
            FACTS["ok"] = False
            FACTS["error"] = f"{type(error).__name__}: {error}"
            FACTS["trace"] = traceback.format_exc()
            try:
                shot("failure")
            except Exception as second:
                FACTS["shot"] = str(second)
        FACTS["python_errors"] = python_errors()
        part = Path(DATA["outcome"] + ".tmp")
        part.write_text(json.dumps(FACTS, indent=1))
        part.replace(DATA["outcome"])
        leave()

    QgsApplication.messageLog().messageReceived.connect(
        lambda text, tag, level: LOG.append(f"{tag}: {text}")
    )
    QTimer.singleShot(600, go)


__all__ = [
    "DATA",
    "FACTS",
    "Heartbeat",
    "QgsApplication",
    "begin",
    "click",
    "drag",
    "drawn",
    "iface",
]
