"""A plot of a few curves with names, in the colours of the theme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ptychogui.gui.views.graphics import RIGHT_PX, TOP_PX, UnitAxis, name_axes, wear

COLOURS = ("#e07b39", "#3a9d6b", "#9a62c9")
"""Of the curves after the first; they read on white and on black."""


@dataclass(frozen=True)
class Curve:
    """A line through points; the first one of a plot has the accent colour, `dashed` ones are limits."""

    name: str
    x: NDArray[Any]
    y: NDArray[Any]
    dashed: bool = False


class CurvePlot(QWidget):
    """Curves over one axis; `hint` says in the empty plot what will be seen there."""

    def __init__(self, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot = pg.PlotWidget(self, axisItems={side: UnitAxis(side) for side in ("left", "bottom")})
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.setMinimumSize(80, 60)
        self.plot.showGrid(x=True, y=True, alpha=0.12)
        self.plot.getPlotItem().layout.setContentsMargins(0, TOP_PX, RIGHT_PX, 0)
        self.plot.scene().sigMouseClicked.connect(self._click)
        self._legend = self.plot.addLegend(offset=(-10, 6), labelTextSize="9pt", verSpacing=-4)
        self._lines: list[pg.PlotDataItem] = []
        self._curves: Sequence[Curve] = ()
        self._hint = QLabel(hint, self.plot)
        self._hint.setProperty("role", "dim")
        self._hint.setWordWrap(True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        QVBoxLayout(self.plot).addWidget(self._hint)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot)
        self.show_curves(())
        self.wear()

    def show_curves(self, curves: Sequence[Curve], unit: str = "") -> None:
        """Show these curves over an axis of this unit, or the hint where there are none."""
        for line in self._lines:
            self.plot.removeItem(line)
        self._legend.clear()
        self._curves = curves
        self._lines = [self.plot.plot(curve.x, curve.y, antialias=True) for curve in curves]
        for line, curve in zip(self._lines, curves):
            if len(curves) > 1:
                self._legend.addItem(line, curve.name)
        name_axes(self.plot, unit if curves else "")
        self._hint.setVisible(not curves)
        self.wear()

    def fit(self) -> None:
        """Show whole curves again."""
        self.plot.enableAutoRange()

    def _click(self, event: Any) -> None:
        if event.double():
            self.fit()

    def wear(self) -> None:
        """Follow the theme."""
        palette = self.palette()
        wear(self.plot, palette)
        colours = (palette.color(QPalette.ColorRole.Highlight), *map(QColor, COLOURS))
        for line, curve, colour in zip(self._lines, self._curves, colours):
            style = Qt.PenStyle.DashLine if curve.dashed else Qt.PenStyle.SolidLine
            line.setPen(pg.mkPen(colour, width=1.5 if curve.dashed else 2, style=style))
        plate = QColor(palette.color(QPalette.ColorRole.Base))
        plate.setAlpha(200)
        self._legend.setBrush(plate)
        self._legend.setLabelTextColor(palette.color(QPalette.ColorRole.Text))

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self.wear()
