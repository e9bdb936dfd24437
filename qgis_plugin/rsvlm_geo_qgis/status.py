# SPDX-License-Identifier: GPL-2.0-or-later
"""The five ends of an answer: their names, colours and marks."""

from __future__ import annotations

from qgis.PyQt.QtCore import QPointF, QRectF, Qt
from qgis.PyQt.QtGui import QBrush, QColor, QIcon, QPainter, QPen, QPixmap

from .i18n import tr

__all__ = ["COLOURS", "STATUSES", "mark", "reason_name", "status_name"]

STATUSES = ("answered", "refused", "unreadable", "nodata", "failed")
COLOURS = {
    "answered": "#0072b2",
    "refused": "#d98c00",
    "unreadable": "#aa3c82",
    "nodata": "#8a8f98",
    "failed": "#d62728",
}
_HATCH = {
    "refused": Qt.BrushStyle.BDiagPattern,
    "unreadable": Qt.BrushStyle.Dense6Pattern,
    "failed": Qt.BrushStyle.DiagCrossPattern,
}


def status_name(status: str) -> str:
    """A status for people."""
    names = {
        "answered": tr("answered"),
        "refused": tr("refused"),
        "unreadable": tr("unreadable"),
        "nodata": tr("no data"),
        "failed": tr("failed"),
    }
    return names.get(status, status)


def reason_name(reason: str) -> str:
    """Why an answer was refused, for people."""
    names = {
        "invisible": tr("not visible"),
        "panchromatic": tr("no colour in the image"),
        "below_gsd": tr("too coarse to tell"),
        "modality": tr("wrong kind of sensor"),
        "low_confidence": tr("not sure enough"),
        "out_of_scope": tr("outside what the model knows"),
    }
    return names.get(reason, reason.replace("_", " "))


def mark(status: str, size: int = 12) -> QIcon:
    """A status as a small square, hatched as on the map."""
    ratio = 2
    picture = QPixmap(size * ratio, size * ratio)
    picture.fill(Qt.GlobalColor.transparent)
    colour = QColor(COLOURS.get(status, "#888888"))
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    box = QRectF(1.5, 1.5, size * ratio - 3, size * ratio - 3)
    painter.setPen(QPen(colour, 2.4))
    if status in _HATCH:
        painter.setBrush(QColor(255, 255, 255, 60))
        painter.drawRoundedRect(box, 4, 4)
        painter.setClipRect(box)
        side = float(size * ratio)
        for i in range(-2, 4):
            at = i * side / 2.6
            painter.drawLine(QPointF(at, side), QPointF(at + side, 0.0))
            if status == "failed":
                painter.drawLine(QPointF(at, 0.0), QPointF(at + side, side))
    else:
        soft = QColor(colour)
        soft.setAlpha(60 if status == "nodata" else 255)
        painter.setBrush(QBrush(soft))
        painter.drawRoundedRect(box, 4, 4)
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return QIcon(picture)
