"""The frame of every plot of lines: axes with units, a legend, and a hint while it is empty."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ptychogui.gui.views.graphics import RIGHT_PX, TOP_PX, UnitAxis, name_axes, wear

NAMES_PX = 24
"""Room for one row of names."""
_PLATE_ALPHA = 200


class LinePlot(pg.PlotWidget):  # type: ignore[misc]
    """A plot that a double click fits; `hint` says in the empty plot what will be seen there.

    `whole` leaves fractions out of the axis below.
    """

    def __init__(self, hint: str, parent: QWidget, whole: bool = False) -> None:
        super().__init__(parent, axisItems={"left": UnitAxis("left"), "bottom": UnitAxis("bottom", whole=whole)})
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setMinimumSize(80, 60)
        self.showGrid(x=True, y=True, alpha=0.12)
        self.getPlotItem().layout.setContentsMargins(0, TOP_PX, RIGHT_PX, 0)
        self.scene().sigMouseClicked.connect(self._click)
        self.legend = self.addLegend(offset=(-10, 6), labelTextSize="9pt", verSpacing=-4)
        self._hint = QLabel(hint, self)
        self._hint.setProperty("role", "dim")
        self._hint.setWordWrap(True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        QVBoxLayout(self).addWidget(self._hint)

    def name_axes(self, unit: str) -> None:
        """The unit of the axis below; without one the plot is empty, and shows its hint."""
        name_axes(self, unit)
        self._hint.setVisible(not unit)

    def name_above(self, curves: int) -> None:
        """Let the names of so many curves stand in a row over the plot, where they hide nothing; 1 needs no name."""
        item = self.getPlotItem()
        self.legend.setParentItem(item)
        self.legend.anchor((1, 0), (1, 0), offset=(-RIGHT_PX, 0))
        self.legend.layout.setContentsMargins(6, 0, 0, 0)
        self.legend.setColumnCount(max(curves, 1))
        item.layout.setContentsMargins(0, NAMES_PX if curves > 1 else TOP_PX, RIGHT_PX, 0)

    def fit(self) -> None:
        """Show whole curves again."""
        self.enableAutoRange()

    def wear(self, palette: QPalette) -> None:
        """Take the colours of a palette."""
        wear(self, palette)
        plate = QColor(palette.color(QPalette.ColorRole.Base))
        plate.setAlpha(_PLATE_ALPHA)
        self.legend.setBrush(plate)
        self.legend.setLabelTextColor(palette.color(QPalette.ColorRole.Text))
        for _, label in self.legend.items:  # which takes another colour only with another text
            label.setText(label.text)

    def _click(self, event: Any) -> None:
        if event.double():
            self.fit()
