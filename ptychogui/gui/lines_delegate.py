"""Draws the items of the trees of files: a picture, a name, and small lines beneath it, each cut to the width."""

from __future__ import annotations

from PyQt6.QtCore import QModelIndex, QRect, QSize, Qt
from PyQt6.QtGui import QBrush, QColor, QFont, QFontMetrics, QIcon, QPainter
from PyQt6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ptychogui.gui import theme

PICTURE_PX, SIGN_PX, GAP_PX, PADDING_PX = 40, 18, 8, 4
SMALLER = 0.92


class LinesDelegate(QStyledItemDelegate):
    """The first line of an item's text is its name; an item of one line is low, with a small sign."""

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Background and frame as everywhere; then the picture and the lines."""
        if painter is None:
            return
        whole = QStyleOptionViewItem(option)
        self.initStyleOption(whole, index)
        lines = str(index.data() or "").split("\n")
        icon = QIcon(index.data(Qt.ItemDataRole.DecorationRole))
        selected = bool(whole.state & QStyle.StateFlag.State_Selected)
        whole.text, whole.icon = "", QIcon()
        style = whole.widget.style() if whole.widget is not None else QApplication.style()
        if style is not None:
            style.drawControl(QStyle.ControlElement.CE_ItemViewItem, whole, painter, whole.widget)
        side = PICTURE_PX if len(lines) > 1 else SIGN_PX
        rect = option.rect.adjusted(PADDING_PX, PADDING_PX, -PADDING_PX, -PADDING_PX)
        painter.save()
        if not icon.isNull():
            top = rect.top() + (0 if len(lines) > 1 else (rect.height() - side) // 2)
            icon.paint(painter, QRect(rect.left(), top, side, side))
            rect.setLeft(rect.left() + side + GAP_PX)
        given = index.data(Qt.ItemDataRole.ForegroundRole)
        own = given.color() if isinstance(given, QBrush) else None
        self._draw_lines(painter, rect, lines, option.font, selected, own)
        painter.restore()

    def _draw_lines(
        self, painter: QPainter, rect: QRect, lines: list[str], font: QFont, selected: bool, own: QColor | None
    ) -> None:
        colours, top = theme.colours(), rect.top()
        for number, line in enumerate(lines):
            used = _small(font) if number else font
            metrics = QFontMetrics(used)
            plain = QColor(colours.dim if number else colours.text)
            painter.setPen(QColor(colours.on_accent) if selected else own or plain)
            painter.setFont(used)
            mode = Qt.TextElideMode.ElideRight if number else Qt.TextElideMode.ElideMiddle
            place = QRect(rect.left(), top, rect.width(), metrics.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, metrics.elidedText(line, mode, rect.width()))
            top += metrics.height()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Room for the lines, or for the picture."""
        count = str(index.data() or "").count("\n")
        text = QFontMetrics(option.font).height() + count * QFontMetrics(_small(option.font)).height()
        icon = PICTURE_PX if count else SIGN_PX
        return QSize(
            80, max(text, icon if index.data(Qt.ItemDataRole.DecorationRole) is not None else 0) + 2 * PADDING_PX
        )


def _small(font: QFont) -> QFont:
    small = QFont(font)
    if font.pointSizeF() > 0:
        small.setPointSizeF(font.pointSizeF() * SMALLER)
    else:
        small.setPixelSize(round(font.pixelSize() * SMALLER))
    return small
