"""A cut along the beam: distance to the right, one direction across it upwards, and a line that can be dragged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF, QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QPalette
from PyQt6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ptychogui.gui.views.colours import mapped
from ptychogui.gui.views.graphics import LEFT_PX, RIGHT_PX, TOP_PX, Image, UnitAxis, name_axes, wear
from ptychogui.gui.views.lengths import Lengths
from ptychogui.types import Positions, Real

_LINE = "#ffb300"
_BRIGHTEST = 99.8
"""The percentile of the amplitude that has full colour."""


class SlicePlot(pg.PlotWidget):  # type: ignore[misc]
    """Intensities (K, n) in planes at `z_m`; the line stands where the probe is shown beside it."""

    moved = pyqtSignal(float)
    """The user dragged the line to this z in m."""

    def __init__(self, hint: str, parent: QWidget) -> None:
        super().__init__(parent, axisItems={"left": UnitAxis("left"), "bottom": UnitAxis("bottom")})
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setMinimumSize(80, 60)
        self.getPlotItem().layout.setContentsMargins(0, TOP_PX, RIGHT_PX, 0)
        self.getAxis("left").setWidth(LEFT_PX)
        self.getViewBox().setDefaultPadding(0)
        self.getViewBox().invertY(True)
        self._along = Lengths(1.0, "")
        self._image = Image()
        self.addItem(self._image)
        self._line = pg.InfiniteLine(0, 90, movable=True, pen=pg.mkPen(_LINE, width=2), hoverPen=pg.mkPen("w", width=3))
        self._line.sigPositionChanged.connect(
            lambda _: self.moved.emit(float(self._line.value()) * self._along.unit_si)
        )
        self._sample = pg.InfiniteLine(0, 90, pen=pg.mkPen("w", width=1, style=Qt.PenStyle.DashLine))
        for line in (self._sample, self._line):
            self.addItem(line, ignoreBounds=True)
        self._hint = QLabel(hint, self)
        self._hint.setProperty("role", "dim")
        self._hint.setWordWrap(True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        QVBoxLayout(self).addWidget(self._hint)
        self.scene().sigMouseClicked.connect(self._click)
        self.show_nothing(hint)

    def show_nothing(self, hint: str) -> None:
        """Show what will be seen here, or why it cannot be."""
        self._hint.setText(hint)
        self._hint.show()
        self._image.show_pixels(None, QRectF())
        name_axes(self, "")
        for line in (self._line, self._sample):
            line.hide()

    def show_cut(self, cut: Real, z_m: Positions, pixel_m: float, along: Lengths, across: Lengths) -> None:
        """Show intensities (K, n) of pixels `pixel_m` wide, whose middle is the axis, with z in the unit `along`.

        The colours stand for amplitudes, in which the wide beam is seen beside its focus.
        """
        self._along = along
        count = cut.shape[1]
        step, height = (z_m[-1] - z_m[0]) / (len(z_m) - 1) / along.unit_si, count * pixel_m / across.unit_si
        rect = QRectF(
            z_m[0] / along.unit_si - step / 2, -(count // 2 + 0.5) * pixel_m / across.unit_si, step * len(z_m), height
        )
        amplitude = np.sqrt(cut.T)
        top = float(np.percentile(amplitude, _BRIGHTEST))
        self._image.show_pixels(mapped(amplitude, 0, max(top, 1e-30), "inferno"), rect)
        self._hint.hide()
        name_axes(self, along.symbol)
        self.getAxis("left").unit = across.symbol
        for line in (self._line, self._sample):
            line.show()

    def place_line(self, z_m: float) -> None:
        """Put the line at a distance."""
        with QSignalBlocker(self._line):
            self._line.setValue(z_m / self._along.unit_si)

    def fit(self) -> None:
        """Show the whole cut again."""
        self.enableAutoRange()

    def wear(self, palette: QPalette) -> None:
        """Take the colours of a palette."""
        wear(self, palette)

    def _click(self, event: Any) -> None:
        if event.double():
            self.fit()
        elif event.button() == Qt.MouseButton.LeftButton and self._line.isVisible():
            at = self.getViewBox().mapSceneToView(event.scenePos())
            self._line.setValue(float(at.x()))
