"""What is drawn into every picture: the image itself, its scale bar, its axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QGuiApplication, QImage, QPainter, QPalette

from ptychogui.gui.views.colours import Pixels
from ptychogui.io.picture import scale_bar_m

MOST_HIDDEN = 0.45
"""A scale bar that would take more of the width of a small picture than this is left out; the axes tell the size."""
LABEL_PX = 24
"""Ticks closer than this would let their numbers touch."""
GAP_PX = 6
"""Between the numbers of the axis below."""
FEW_TICKS = 2.5
"""Where the usual distance gives no more ticks than this, a smaller one is taken if its numbers have room."""
LEFT_PX = 40
"""Width of the left axis of a picture; if it followed its numbers, which `hug` changes, neither would come to rest."""
TOP_PX, RIGHT_PX = 6.0, 8.0
"""Room at the edge of a plot for half of an axis' last number."""


class Image(pg.GraphicsObject):  # type: ignore[misc]
    """Pixels placed in a rectangle of the plot; 0 is transparent."""

    def __init__(self) -> None:
        super().__init__()
        self._pixels: Pixels | None = None
        self._image = QImage()
        self._rect = QRectF()

    def show_pixels(self, pixels: Pixels | None, rect: QRectF) -> None:
        """Show other pixels; None shows nothing."""
        if rect != self._rect:
            self.prepareGeometryChange()
            self._rect = rect
            self.informViewBoundsChanged()
        self._pixels = None if pixels is None else np.ascontiguousarray(pixels)
        if self._pixels is None:
            self._image = QImage()
        else:
            ny, nx = self._pixels.shape
            self._image = QImage(self._pixels.data, nx, ny, 4 * nx, QImage.Format.Format_ARGB32_Premultiplied)  # type: ignore[call-overload]
        self.update()

    @property
    def rect(self) -> QRectF:
        """Where the image lies in the plot."""
        return self._rect

    def boundingRect(self) -> QRectF:
        """The place of the image, for the plot that fits it."""
        return self._rect if not self._image.isNull() else QRectF()

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Draw the image, smooth where it is reduced, with square pixels where it is magnified."""
        if self._image.isNull() or self._rect.isEmpty():
            return
        magnification = painter.worldTransform().m11() * self._rect.width() / self._image.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, abs(magnification) < 1)
        painter.drawImage(self._rect, self._image)


class ScaleBar(pg.GraphicsObject):  # type: ignore[misc]
    """A round length in the lower right corner of a view box."""

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__()
        self._box = box
        self._length = 0.0
        self._text = ""
        self.unit = ""
        self.setParentItem(box)
        self.setZValue(1000)
        box.sigRangeChanged.connect(self._measure)
        box.sigResized.connect(self._measure)

    def show_unit(self, unit: str) -> None:
        """Take another unit."""
        self.unit = unit
        self._measure()

    def _measure(self) -> None:
        width = float(self._box.viewRect().width())
        self._length, _ = scale_bar_m(width)
        self._text = f"{self._length:g} {self.unit}"
        self.prepareGeometryChange()
        self.update()

    def boundingRect(self) -> QRectF:
        """The corner in which the bar lies, in pixels of the view box."""
        size = self._box.size()
        return QRectF(size.width() - self._width_px() - 32, size.height() - 40, self._width_px() + 32, 40)

    def _width_px(self) -> float:
        width = float(self._box.viewRect().width())
        return float(self._box.width() * self._length / width) if width > 0 else 0.0

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Draw the bar and its text on a dark plate, so that it reads on any picture."""
        long = self._width_px()
        if not self.unit or not long > 0:
            return
        font = QFont(painter.font())
        font.setPixelSize(11)
        painter.setFont(font)
        plate = max(long, painter.fontMetrics().horizontalAdvance(self._text)) + 12
        size = self._box.size()
        if plate > MOST_HIDDEN * size.width():
            return
        corner = QRectF(size.width() - plate - 8, size.height() - 36, plate, 28)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 130))
        painter.drawRoundedRect(corner, 4, 4)
        painter.setBrush(QColor(255, 255, 255))
        painter.drawRect(QRectF(corner.center().x() - long / 2, corner.bottom() - 7, long, 3))
        painter.setPen(QColor(255, 255, 255))
        painter.drawText(corner.adjusted(0, 3, 0, -9), Qt.AlignmentFlag.AlignHCenter, self._text)


class UnitAxis(pg.AxisItem):  # type: ignore[misc]
    """An axis of which one number carries the unit, which saves the line of a label; `whole` leaves out fractions."""

    def __init__(self, orientation: str, whole: bool = False) -> None:
        super().__init__(orientation)
        self.unit = ""
        self._whole = whole
        self.enableAutoSIPrefix(False)
        self.setStyle(maxTextLevel=0 if orientation == "bottom" else 2, tickLength=-4)

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        """The distances of the ticks."""
        spacing: list[tuple[float, float]] = super().tickSpacing(low, high, size)
        if self.orientation == "bottom" and spacing and size > 0 and high > low:
            apart, usual = self._apart(low, high, size), spacing[0][0]
            if usual < apart or (high - low) / usual < FEW_TICKS:
                spacing = [(apart, 0.0), *(finer for finer in spacing if finer[0] < apart)]
        return [(max(1.0, float(round(step))), offset) for step, offset in spacing] if self._whole else spacing

    def _apart(self, low: float, high: float, size: float) -> float:
        """The smallest round distance at which the numbers, of which one carries the unit, do not touch."""
        wide, pixel = QFontMetricsF(QGuiApplication.font()).horizontalAdvance, (high - low) / size
        decade = step = 10.0 ** math.floor(math.log10(GAP_PX * pixel))
        for step in (mantissa * decade * 10**power for power in range(4) for mantissa in (1, 2, 5)):
            first, last = math.ceil(low / step), math.floor(high / step)
            ends, middle = (first * step, last * step), (first + last) // 2 * step
            *numbers, named = (_signed(text) for text in super().tickStrings([*ends, middle], 1.0, step))
            number, with_unit = max(map(wide, numbers)), wide(f"{named} {self.unit}")
            if step >= pixel * ((number + max(number, with_unit)) / 2 + GAP_PX):
                break
        return step

    def logTickValues(
        self, low: float, high: float, size: float, std: list[tuple[float, list[float]]]
    ) -> list[tuple[None, list[float]]]:
        """Round numbers on a logarithmic axis, so many as have room for their texts."""
        return [(None, log_ticks(low, high, LABEL_PX * (high - low) / max(size, 1)))]

    def logTickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """The numbers themselves, not their powers of ten."""
        return [f"{10**value * scale:.4g}" for value in values]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """The numbers, the one nearest to the middle with the unit: the outer ones are hidden where they do not fit."""
        texts = [_signed(text) for text in super().tickStrings(values, scale, spacing)]
        if texts:
            middle = int(np.argmin(np.abs(np.asarray(values) - sum(self.range) / 2)))
            texts[middle] = f"{texts[middle]} {self.unit}".strip()
        return texts


def _signed(text: str) -> str:
    """A number with a minus sign for its hyphen."""
    return f"−{text[1:]}" if text.startswith("-") else text


def log_ticks(low: float, high: float, apart: float) -> list[float]:
    """Decades between two decimal logarithms, then 2 and 5, then finer round numbers, no closer than `apart`."""
    bottom, top = 10**low, 10**high
    step = 10.0 ** math.floor(math.log10(max(top - bottom, 1e-9 * top)))
    decades = range(math.floor(low), math.ceil(high) + 1)
    wished = [d + math.log10(m) for mantissas in ((1,), (2, 5), (3, 7)) for d in decades for m in mantissas]
    if high - low < 1:
        for fine in (step, step / 2, step / 5):
            wished += [math.log10(fine * i) for i in range(math.ceil(bottom / fine), math.floor(top / fine) + 1) if i]
    chosen: list[float] = []
    for value in wished:
        if low <= value <= high and all(abs(value - other) >= apart for other in chosen):
            chosen.append(value)
    return sorted(chosen)


def point_in(box: pg.ViewBox, scene_point: QPointF) -> tuple[float, float]:
    """The (y, x) of the plot under a point of the scene."""
    point = box.mapSceneToView(scene_point)
    return float(point.y()), float(point.x())


def wear(plot: pg.PlotWidget, palette: QPalette) -> None:
    """Give a plot and its axes the colours of a palette."""
    plot.setBackground(palette.color(QPalette.ColorRole.Base))
    for side in ("left", "bottom"):
        axis = plot.getAxis(side)
        axis.setPen(palette.color(QPalette.ColorRole.Mid))
        axis.setTextPen(palette.color(QPalette.ColorRole.PlaceholderText))


def hug(plot: pg.PlotWidget, aspect: float) -> None:
    """Give the view box of a plot the shape (width / height) of its picture, so that axes and scale bar lie close."""
    width, height = plot.width() - RIGHT_PX, plot.height() - TOP_PX
    for side in ("left", "bottom"):
        axis = plot.getAxis(side)
        width -= axis.width() if side == "left" and axis.isVisible() else 0
        height -= axis.height() if side == "bottom" and axis.isVisible() else 0
    across, down = max(0.0, (width - height * aspect) / 2), max(0.0, (height - width / aspect) / 2)
    margins = [float(round(m)) for m in (across, TOP_PX + down, RIGHT_PX + across, down)]
    item = plot.getPlotItem()
    if list(item.layout.getContentsMargins()) != margins:
        item.layout.setContentsMargins(*margins)
        item.setGeometry(QRectF(0, 0, plot.width(), plot.height()))  # margins may have kept it larger than the plot


def name_axes(plot: pg.PlotWidget, unit: str) -> None:
    """Axes with their unit; without one there is nothing to measure, and they are hidden."""
    plot.getAxis("bottom").unit = unit
    for side in ("left", "bottom"):
        plot.showAxis(side, bool(unit))
