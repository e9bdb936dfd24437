# SPDX-License-Identifier: GPL-2.0-or-later
"""Pieces of the dock: example chips, status counters, the table of answers."""

from __future__ import annotations

from qgis.PyQt.QtCore import QPoint, QRect, QSize, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QFont
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLayout,
    QLayoutItem,
    QLineEdit,
    QSizePolicy,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from .answers_model import AnswerModel
from .i18n import tr
from .status import STATUSES, mark, status_name

__all__ = ["STYLE", "AnswerTable", "Chips", "FlowLayout"]

STYLE = """
QWidget#rsvlmBody QLabel#rsvlmField { color: palette(window-text); }
QPushButton#rsvlmRun { background:#0f8b8d; color:white; border:0; border-radius:5px;
  padding:7px 18px; font-weight:600; }
QPushButton#rsvlmRun:hover { background:#0c7779; }
QPushButton#rsvlmRun:disabled { background:#a9c4c4; color:#eef4f4; }
QPushButton#rsvlmCancel { border:1px solid palette(mid); border-radius:5px; padding:6px 14px;
  background:palette(base); }
QPushButton#rsvlmCancel:enabled { border-color:#d1332e; color:#b3231f; }
QPushButton#rsvlmCancel:enabled:hover { background:#fdeceb; }
QToolButton#rsvlmChip { border:1px solid palette(mid); border-radius:9px; padding:1px 8px;
  background:palette(base); }
QToolButton#rsvlmChip:hover { border-color:#0f8b8d; color:#0c7779; }
QToolButton#rsvlmCount { border:1px solid transparent; border-radius:5px; padding:2px 6px; }
QToolButton#rsvlmCount { color:palette(mid); }
QToolButton#rsvlmCount:checked { background:palette(base); border-color:palette(mid);
  color:palette(window-text); }
QProgressBar#rsvlmProgress { border:0; border-radius:3px; background:palette(midlight);
  max-height:6px; min-height:6px; }
QProgressBar#rsvlmProgress::chunk { background:#0f8b8d; border-radius:3px; }
QLabel#rsvlmWarn { background:#fff4e5; color:#7a3e00; border:1px solid #f0c48a; border-radius:5px;
  padding:5px 8px; }
QLabel#rsvlmTotal { font-weight:600; }
QTableView#rsvlmTable { border:1px solid palette(midlight); border-radius:4px; }
"""


class FlowLayout(QLayout):
    """Left to right, then the next line; mirrored for right-to-left languages by Qt's own rule."""

    def __init__(self, gap: int = 5) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self._gap = gap
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation.Horizontal

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._place(rect, True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _place(self, rect: QRect, move: bool) -> int:
        x, y, line = rect.x(), rect.y(), 0
        parent = self.parentWidget()
        mirrored = parent is not None and parent.layoutDirection() == Qt.LayoutDirection.RightToLeft
        for item in self._items:
            size = item.sizeHint()
            if x + size.width() > rect.right() + 1 and line:
                x, y, line = rect.x(), y + line + self._gap, 0
            if move:
                left = rect.right() + 1 - (x - rect.x()) - size.width() if mirrored else x
                item.setGeometry(QRect(QPoint(left, y), size))
            x += size.width() + self._gap
            line = max(line, size.height())
        return y + line - rect.y()


class Chips(QWidget):
    """Examples to click."""

    picked = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._flow = FlowLayout()
        self.setLayout(self._flow)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_words(self, words: list[str]) -> None:
        """Replace the examples."""
        while self._flow.count():
            item = self._flow.takeAt(0)
            if item is not None and item.widget() is not None:
                item.widget().hide()
                item.widget().deleteLater()
        for word in words:
            chip = QToolButton()
            chip.setObjectName("rsvlmChip")
            chip.setText(word)
            chip.setCursor(Qt.CursorShape.PointingHandCursor)
            small = QFont(chip.font())
            small.setPointSizeF(max(7.0, small.pointSizeF() * 0.9))
            chip.setFont(small)
            chip.clicked.connect(lambda _=False, text=word: self.picked.emit(text))
            self._flow.addWidget(chip)
        self.setVisible(bool(words))
        self.updateGeometry()


class AnswerTable(QWidget):
    """Counters that filter, a search box, and the rows."""

    row_clicked = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = AnswerModel(self)
        self.counters: dict[str, QToolButton] = {}
        counters = QWidget()
        flow = FlowLayout(2)
        counters.setLayout(flow)
        for status in STATUSES:
            button = QToolButton()
            button.setObjectName("rsvlmCount")
            button.setCheckable(True)
            button.setChecked(True)
            button.setIcon(mark(status))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setToolTip(tr("Show or hide these rows"))
            button.toggled.connect(self._filter)
            self.counters[status] = button
            flow.addWidget(button)
        self.search = QLineEdit()
        self.search.setObjectName("rsvlmFilter")
        self.search.setPlaceholderText(tr("Filter answers…"))
        self.search.setClearButtonEnabled(True)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(150)
        self._soon.timeout.connect(self._filter)
        self.search.textChanged.connect(lambda _text: self._soon.start())
        self.view = QTableView()
        self.view.setObjectName("rsvlmTable")
        self.view.setModel(self.model)
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setShowGrid(False)
        self.view.setAlternatingRowColors(True)
        self.view.setWordWrap(False)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        rows = self.view.verticalHeader()
        rows.setVisible(False)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(24)
        columns = self.view.horizontalHeader()
        columns.setHighlightSections(False)
        columns.setSectionResizeMode(0, QHeaderView.ResizeMode.Fixed)
        columns.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        columns.setSectionResizeMode(2, QHeaderView.ResizeMode.Fixed)
        columns.resizeSection(0, 84)
        columns.resizeSection(2, 56)
        columns.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.view.clicked.connect(self._clicked)
        self.view.activated.connect(self._clicked)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(5)
        whole.addWidget(counters)
        line = QHBoxLayout()
        line.addWidget(self.search, 1)
        whole.addLayout(line)
        whole.addWidget(self.view, 1)
        self.refresh()

    def refresh(self) -> None:
        """Write the counters."""
        for status, button in self.counters.items():
            n = self.model.counts.get(status, 0)
            if button.property("n") == n:
                continue
            button.setProperty("n", n)
            button.setText(f"{n:,} {status_name(status)}".replace(",", "\u202f"))
            button.setVisible(n > 0 or status in ("answered", "refused"))

    def _filter(self) -> None:
        shown = [status for status, button in self.counters.items() if button.isChecked()]
        self.model.filter(shown, self.search.text())

    def _clicked(self, index: object) -> None:
        self.row_clicked.emit(self.model.row(index.row()))  # type: ignore[attr-defined]
