"""A plot of a few curves with names, in the colours of the theme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from ptychogui.gui.views.line_plot import LinePlot

COLOURS = ("#d9702c", "#3a9d6b", "#9a62c9")
"""Of the curves after the first; they read on white and on black."""


@dataclass(frozen=True)
class Curve:
    """A line through points; the first one of a plot has the accent colour, `dashed` ones are limits.

    Values that jump from point to point are `thin`: a wide line through them takes a screen seconds to draw.
    """

    name: str
    x: NDArray[Any]
    y: NDArray[Any]
    dashed: bool = False
    thin: bool = False


class CurvePlot(QWidget):
    """Curves over one axis; `hint` says in the empty plot what will be seen there."""

    def __init__(self, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot = LinePlot(hint, self)
        self._lines: list[pg.PlotDataItem] = []
        self._curves: Sequence[Curve] = ()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot)
        self.show_curves(())
        self.wear()

    def show_curves(self, curves: Sequence[Curve], unit: str = "") -> None:
        """Show these curves over an axis of this unit, or the hint where there are none."""
        same = [curve.name for curve in curves] == [curve.name for curve in self._curves]
        self._curves = curves
        if same:  # to make them anew is slow
            for line, curve in zip(self._lines, curves):
                line.setData(curve.x, curve.y)
        else:
            self._make_lines()
        self.plot.name_axes(unit if curves else "")
        if not same:
            self.wear()

    def _make_lines(self) -> None:
        for line in self._lines:
            self.plot.removeItem(line)
        self.plot.legend.clear()
        self._lines = [self.plot.plot(curve.x, curve.y, antialias=True) for curve in self._curves]
        for line, curve in zip(self._lines, self._curves):
            if len(self._curves) > 1:
                self.plot.legend.addItem(line, curve.name)
        self.plot.name_above(len(self._curves))

    def fit(self) -> None:
        """Show whole curves again."""
        self.plot.fit()

    def wear(self) -> None:
        """Follow the theme."""
        palette = self.palette()
        self.plot.wear(palette)
        colours = (palette.color(QPalette.ColorRole.Highlight), *map(QColor, COLOURS))
        for line, curve, colour in zip(self._lines, self._curves, colours):
            style = Qt.PenStyle.DashLine if curve.dashed else Qt.PenStyle.SolidLine
            width = 1 if curve.thin else 1.5 if curve.dashed else 2
            line.setPen(pg.mkPen(colour, width=width, style=style))

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self.wear()
