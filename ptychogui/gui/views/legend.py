"""What the colours of a picture mean: a bar with both ends of the range, or a wheel of hue and brightness."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QImage, QPainter

from ptychogui.gui.views.colours import Pixels, hue_and_brightness, mapped

EDGE_PX, PAD_PX = 8, 6
BAR_PX, WHEEL_PX = (8.0, 72.0), 56.0
"""Width and height of the bar, diameter of the wheel."""
TEXT_PX = 11
SMALLEST_PX = 260
"""A picture that is smaller than this would be hidden by the legend."""
SHARPNESS = 4
"""Pixels of the wheel per pixel of the screen, so that it is smooth on any."""


class Legend(pg.GraphicsObject):  # type: ignore[misc]
    """In the upper right corner of a view box, on a dark plate, so that it reads on any picture."""

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__()
        self._box = box
        self._map, self._wheel = "", False
        self._texts = ("", "")
        self._pictures = 1
        self.setParentItem(box)
        self.setZValue(1000)
        box.sigResized.connect(self._move)

    def show_bar(self, name: str, low: str, high: str) -> None:
        """Show a colour map with the texts of both its ends."""
        self._take(name, False, (low, high))

    def show_wheel(self, name: str) -> None:
        """Show which hue is which phase."""
        self._take(name, True, ("", ""))

    def share(self, pictures: int) -> None:
        """Say that so many pictures stand side by side in the box."""
        self._pictures = pictures
        self._move()

    def show_nothing(self) -> None:
        """Show no legend."""
        self._take("", False, ("", ""))

    def _take(self, name: str, wheel: bool, texts: tuple[str, str]) -> None:
        if (name, wheel, texts) != (self._map, self._wheel, self._texts):
            self._map, self._wheel, self._texts = name, wheel, texts
            self._move()

    def _move(self) -> None:
        self.prepareGeometryChange()
        self.update()

    def boundingRect(self) -> QRectF:
        """The corner in which the legend lies, in pixels of the view box."""
        width, height = self._box.width(), self._box.height()
        return QRectF(max(width - 160, 0), 0, min(width, 160), min(height, 110))

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Draw the bar or the wheel."""
        if not self._map or min(self._box.width(), self._box.height()) < SMALLEST_PX * self._pictures:
            return
        font = QFont(painter.font())
        font.setPixelSize(TEXT_PX)
        painter.setFont(font)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        if self._wheel:
            self._paint_wheel(painter)
        else:
            self._paint_bar(painter)

    def _paint_bar(self, painter: QPainter) -> None:
        text = max(painter.fontMetrics().horizontalAdvance(t) for t in self._texts)
        plate = self._plate(painter, BAR_PX[0] + 5 + text, BAR_PX[1])
        painter.drawImage(QRectF(plate.topLeft(), plate.topLeft()).adjusted(0, 0, *BAR_PX), _bar(self._map))
        beside = plate.adjusted(BAR_PX[0] + 5, -2, 2, 2)
        low, high = self._texts
        painter.drawText(beside, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, high)
        painter.drawText(beside, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, low)

    def _paint_wheel(self, painter: QPainter) -> None:
        width = painter.fontMetrics().horizontalAdvance("π")
        plate = self._plate(painter, WHEEL_PX + 2 * (width + 3), WHEEL_PX)
        disc = plate.adjusted(width + 3, 0, -width - 3, 0)
        painter.drawImage(disc, _disc(self._map))
        painter.drawText(plate, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, "0")
        painter.drawText(plate, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "π")

    def _plate(self, painter: QPainter, width: float, height: float) -> QRectF:
        """Draw the plate for something of this size; where that belongs."""
        whole = QRectF(
            self._box.width() - width - 2 * PAD_PX - EDGE_PX, EDGE_PX, width + 2 * PAD_PX, height + 2 * PAD_PX
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 130))
        painter.drawRoundedRect(whole, 4, 4)
        painter.setPen(QColor(255, 255, 255))
        return whole.adjusted(PAD_PX, PAD_PX, -PAD_PX, -PAD_PX)


@lru_cache(maxsize=16)
def _bar(name: str) -> QImage:
    return _image(mapped(np.linspace(1, 0, 128, dtype=np.float32)[:, None], 0, 1, name))


@lru_cache(maxsize=4)
def _disc(name: str) -> QImage:
    side = int(WHEEL_PX * SHARPNESS)
    y, x = np.mgrid[:side, :side] * (2 / (side - 1)) - 1
    wave = (x - 1j * y).astype(np.complex64)
    pixels = hue_and_brightness(wave, 1.0, name)
    pixels[np.abs(wave) > 1] = 0
    return _image(pixels)


def _image(pixels: Pixels) -> QImage:
    ny, nx = pixels.shape
    kept = np.ascontiguousarray(pixels)
    image = QImage(kept.data, nx, ny, 4 * nx, QImage.Format.Format_ARGB32_Premultiplied)  # type: ignore[call-overload]
    return QImage(image.copy())


def end_texts(low: float, high: float, unit: str) -> tuple[str, str]:
    """Both ends of a range with so many digits as tell them apart; a full circle as multiples of π."""
    if unit == "rad" and math.isclose(low, -math.pi) and math.isclose(high, math.pi):
        return "−π", "π rad"
    digits = 3
    while digits < 7 and f"{low:.{digits}g}" == f"{high:.{digits}g}":
        digits += 1
    smallest = max(abs(low), abs(high)) * 10**-digits
    shown = [0.0 if abs(value) < smallest else value for value in (low, high)]
    texts = [f"{float(f'{value:.{digits}g}'):.7g}".replace("-", "−") for value in shown]
    return texts[0], f"{texts[1]} {unit}".strip()
