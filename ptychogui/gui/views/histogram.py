"""How often each value occurs in a picture, with handles for the range that its colours span."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QSignalBlocker, pyqtSignal
from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import QWidget

from ptychogui.gui.views.graphics import UnitAxis

BINS = 128
SAMPLE = 1 << 15


class Histogram(pg.PlotWidget):  # type: ignore[misc]
    """Values upwards, their number to the right; dragging the region sets the range."""

    range_chosen = pyqtSignal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, axisItems={"right": UnitAxis("right")})
        self.setFixedWidth(86)
        self.hideButtons()
        self.setMenuEnabled(False)
        self.setMouseEnabled(x=False, y=True)
        self.hideAxis("bottom")
        self.hideAxis("left")
        self.showAxis("right")
        self.getAxis("right").setStyle(tickLength=-3)
        self._curve = self.plot(fillLevel="enclosed")
        self._region = pg.LinearRegionItem((0, 1), orientation="horizontal")
        self._region.sigRegionChanged.connect(self._dragged)
        self.addItem(self._region, ignoreBounds=True)
        self.wear(self.palette())

    def wear(self, palette: QPalette) -> None:
        """Take the colours of a palette."""
        accent = QColor(palette.color(QPalette.ColorRole.Highlight))
        self.setBackground(palette.color(QPalette.ColorRole.Base))
        self.getAxis("right").setPen(palette.color(QPalette.ColorRole.Mid))
        self.getAxis("right").setTextPen(palette.color(QPalette.ColorRole.PlaceholderText))
        self._curve.setPen(accent)
        for line in self._region.lines:
            line.setPen(pg.mkPen(accent, width=2))
            line.setHoverPen(pg.mkPen(palette.color(QPalette.ColorRole.Text), width=2))
        accent.setAlpha(90)
        self._curve.setFillBrush(accent)
        accent.setAlpha(45)
        self._region.setBrush(accent)

    def show_values(self, values: NDArray[Any], low: float, high: float, name: str = "") -> None:
        """Count a sample of the values, of complex ones their amplitudes; `low` and `high` are the range in force.

        `name` says what the values are, or their unit.
        """
        self.getAxis("right").setLabel(name)
        sample = values.ravel()[:: max(1, values.size // SAMPLE) | 1]
        sample = np.abs(sample) if np.iscomplexobj(sample) else sample
        sample = sample[np.isfinite(sample)]
        counts, edges = np.histogram(sample, BINS)
        middle = (edges[1:] + edges[:-1]) / 2
        self._curve.setData(np.pad(np.sqrt(counts), 1), np.pad(middle, 1, "edge"))  # closed along the axis
        with QSignalBlocker(self._region):
            self._region.setRegion((low, high))

    def _dragged(self) -> None:
        low, high = self._region.getRegion()
        self.range_chosen.emit(float(low), float(high))
