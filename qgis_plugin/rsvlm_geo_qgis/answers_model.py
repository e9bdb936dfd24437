# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows of a run, filtered by status and text; made for a hundred thousand of them."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from typing import Any, NamedTuple

from qgis.core import QgsGeometry, QgsPointXY
from qgis.PyQt.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from qgis.PyQt.QtGui import QColor, QIcon

from . import compat
from .i18n import tr
from .status import COLOURS, STATUSES, mark, reason_name, status_name

__all__ = ["AnswerModel", "Row", "row_of_event"]


class Row(NamedTuple):
    """One answer."""

    status: str
    tile_id: str
    task: str
    text: str
    confidence: float | None
    ring: array[float]
    """x0, y0, x1, y1, ... of the outer ring, in the run's CRS."""

    def geometry(self) -> QgsGeometry:
        """Its polygon."""
        ring = self.ring
        return QgsGeometry.fromPolygonXY(
            [[QgsPointXY(ring[i], ring[i + 1]) for i in range(0, len(ring), 2)]]
        )


RowTuple = tuple[str, str, str, str, Any, Any]
"""A :class:`Row` as a plain tuple: the garbage collector does not go through those, and with a
hundred thousand rows its rounds are what would hold the GUI up."""


def row_of_event(event: dict[str, Any]) -> RowTuple:
    """The row of an ``answer`` event, ready for the model; any thread."""
    status = str(event.get("status", ""))
    text = str(event.get("answer") or "")
    if status == "refused":
        text = reason_name(str(event.get("reason") or ""))
    elif status == "answered" and event.get("task") in ("count", "locate"):
        text = _with_class(text, str(event.get("question") or ""))
    shape = event.get("geometry") or {}
    rings = shape.get("coordinates") or [[]]
    if shape.get("type") == "MultiPolygon":
        rings = rings[0]
    flat = array("d")
    for point in rings[0] if rings else ():
        flat.extend((point[0], point[1]))
    return (
        status, str(event.get("tile_id", "")), str(event.get("task", "")), text,
        event.get("confidence"), flat,
    )  # fmt: skip


_CLASS_ASKED = re.compile(r"(?:how many|where are the|where is the)\s+(.+?)\s+(?:are|in)\b", re.I)


def _with_class(text: str, question: str) -> str:
    """``9`` with the class it counts, for runs of several questions."""
    asked = _CLASS_ASKED.search(question)
    return f"{text} × {asked.group(1)}" if asked and text.isdigit() else text


class AnswerModel(QAbstractTableModel):
    """All rows are kept; the view sees those that pass the filter."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[RowTuple] = []
        self._shown: list[int] = []
        self._statuses = frozenset(STATUSES)
        self._text = ""
        self._marks: dict[str, QIcon] = {}
        self.counts = dict.fromkeys(STATUSES, 0)

    def clear(self) -> None:
        """Drop every row."""
        self.beginResetModel()
        self._rows, self._shown = [], []
        self.counts = dict.fromkeys(STATUSES, 0)
        self.endResetModel()

    def add(self, rows: Iterable[RowTuple]) -> None:
        """Append rows."""
        first = len(self._rows)
        self._rows.extend(rows)
        for row in self._rows[first:]:
            self.counts[row[0]] = self.counts.get(row[0], 0) + 1
        fresh = [i for i in range(first, len(self._rows)) if self._passes(self._rows[i])]
        if fresh:
            at = len(self._shown)
            self.beginInsertRows(QModelIndex(), at, at + len(fresh) - 1)
            self._shown.extend(fresh)
            self.endInsertRows()

    def filter(self, statuses: Iterable[str], text: str) -> None:
        """Show only rows of these statuses whose words hold the text."""
        self._statuses, self._text = frozenset(statuses), text.strip().lower()
        self.beginResetModel()
        if not self._text and len(self._statuses) == len(STATUSES):
            self._shown = list(range(len(self._rows)))
        else:
            self._shown = [i for i, row in enumerate(self._rows) if self._passes(row)]
        self.endResetModel()

    def _passes(self, row: RowTuple) -> bool:
        if row[0] not in self._statuses:
            return False
        return not self._text or self._text in row[3].lower() or self._text in row[1]

    def row(self, at: int) -> Row:
        """The row the view shows at a place."""
        return Row(*self._rows[self._shown[at]])

    @property
    def total(self) -> int:
        """Rows, shown or not."""
        return len(self._rows)

    # -- what Qt asks

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 3

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return (tr("Tile"), tr("Answer"), tr("Sure"))[section]
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = Row(*self._rows[self._shown[index.row()]])
        column = index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            if column == 0:
                return row.tile_id
            if column == 1:
                return row.text if row.text else status_name(row.status)
            return "" if row.confidence is None else f"{row.confidence * 100:.0f} %"
        if role == Qt.ItemDataRole.DecorationRole and column == 0:
            if row.status not in self._marks:
                self._marks[row.status] = mark(row.status)
            return self._marks[row.status]
        if role == Qt.ItemDataRole.ForegroundRole and row.status != "answered" and column == 1:
            return QColor(COLOURS.get(row.status, "#444444")).darker(115)
        if role == Qt.ItemDataRole.ToolTipRole and column == 1:
            return f"{status_name(row.status)}: {row.text}" if row.text else status_name(row.status)
        if role == Qt.ItemDataRole.TextAlignmentRole and column == 2:
            return compat.RIGHT
        return None
