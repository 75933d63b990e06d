"""Two pictures on one grid: side by side, in turn, on both sides of a line that is dragged, or their difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ptychogui.comparison import Comparison
from ptychogui.gui.views.lengths import lengths
from ptychogui.gui.views.panel import ImagePanel
from ptychogui.gui.views.picture import Picture, levels_of
from ptychogui.types import Complex

HOW = {"beside": "Side by side", "swipe": "Swipe", "blink": "Blink", "difference": "Difference"}
TIPS = {
    "beside": "Both pictures, zoomed together",
    "swipe": "The first at the left of a line that can be dragged, the second at its right",
    "blink": "Both in turn; the space bar holds and changes them",
    "difference": "The second less the first",
}
QUANTITIES = ("phase", "amplitude", "complex")
PARTS: tuple[Callable[[Complex], NDArray[Any]], ...] = (np.angle, np.abs, np.asarray)
BLINK_MS = 700


class CompareView(QWidget):
    """Shows a `Comparison`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._found: Comparison | None = None
        self._parts: dict[int, tuple[NDArray[Any], NDArray[Any]]] = {}
        self._names = "", ""
        self._first_on_show = True
        self.how = "beside"
        self.left, self.right = ImagePanel("The first result.", self), ImagePanel("The second result.", self)
        self.left.link(self.right)
        for panel in (self.left, self.right):
            panel.show_kind("compare")
        self.titles = QLabel(self), QLabel(self)
        self.line = pg.InfiniteLine(movable=True, angle=90, pen=pg.mkPen("#ffb000", width=2))
        self.line.sigPositionChanged.connect(lambda _: self._draw_swipe())
        self.left.box.addItem(self.line, ignoreBounds=True)
        self._blink = QTimer(self)
        self._blink.setInterval(BLINK_MS)
        self._blink.timeout.connect(self._turn)
        space = QShortcut(QKeySequence(Qt.Key.Key_Space), self)
        space.activated.connect(self._hold_or_turn)
        self.quantity = QComboBox(self)
        self.quantity.setObjectName("compare_quantity")
        self.quantity.setAccessibleName("What is compared")
        self.quantity.setToolTip("What is shown of both objects")
        self.quantity.addItems([name.capitalize() for name in QUANTITIES])
        self.quantity.currentIndexChanged.connect(lambda _: self.draw())
        self.buttons = {name: self._button(name, text) for name, text in HOW.items()}
        self._group = QButtonGroup(self)
        for button in self.buttons.values():
            self._group.addButton(button)
        self.buttons["beside"].setChecked(True)
        self._lay_out()
        self.draw()

    def _button(self, name: str, text: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(f"compare_{name}")
        button.setCheckable(True)
        button.setAutoDefault(False)
        button.setToolTip(TIPS[name])
        button.clicked.connect(lambda _: self.show_how(name))
        return button

    def _lay_out(self) -> None:
        row, pictures, whole = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        for button in self.buttons.values():
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.quantity)
        self._columns = []
        for title, panel in zip(self.titles, (self.left, self.right)):
            title.setProperty("role", "dim")
            column = QWidget(self)
            inside = QVBoxLayout(column)
            inside.setContentsMargins(0, 0, 0, 0)
            inside.addWidget(title)
            inside.addWidget(panel, 1)
            pictures.addWidget(column, 1)
            self._columns.append(column)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(row)
        whole.addLayout(pictures, 1)

    def show_comparison(self, found: Comparison | None, first: str, second: str) -> None:
        """Show two other results, or none."""
        fresh = found is not None and (self._found is None or self._found.first.shape != found.first.shape)
        self._found, self._names, self._parts = found, (first, second), {}
        if found is not None and fresh:
            unit = lengths(found.first.shape[1] * found.pixel_m[1], min(found.pixel_m)).unit_si
            middle = found.origin_m[1] + found.pixel_m[1] * found.first.shape[1] / 2
            self.line.setValue(middle / unit)
            self.left.fit()
        self.draw()

    def show_how(self, name: str) -> None:
        """Show them side by side, swiped, blinking, or their difference."""
        self.how = name
        self.buttons[name].setChecked(True)
        self._first_on_show = True
        self.draw()

    def _turn(self) -> None:
        self._first_on_show = not self._first_on_show
        self._draw_blink()

    def _hold_or_turn(self) -> None:
        """The space bar stops the blinking, and changes the picture from then on."""
        if self.how == "blink":
            self._blink.stop()
            self._turn()

    def draw(self) -> None:
        """Show what was chosen."""
        found = self._found
        self._blink.stop()
        self.line.setVisible(self.how == "swipe" and found is not None)
        self._columns[1].setVisible(self.how == "beside")
        if found is None:
            for panel, title in zip((self.left, self.right), self.titles):
                panel.show_picture(None)
                title.setText("")
        elif self.how == "beside":
            for panel, title, name, values in zip((self.left, self.right), self.titles, self._names, self._both()):
                title.setText(name)
                panel.show_picture(self._picture(values))
        elif self.how == "swipe":
            self.titles[0].setText(f"{self._names[0]}   |   {self._names[1]}")
            self._draw_swipe()
        elif self.how == "blink":
            self._blink.start()
            self._draw_blink()
        else:
            self.titles[0].setText(f"{self._names[1]}   less   {self._names[0]}")
            self.left.show_picture(self._difference())

    def _draw_blink(self) -> None:
        if self._found is not None:
            self.titles[0].setText(self._names[0 if self._first_on_show else 1])
            self.left.show_picture(self._picture(self._both()[0 if self._first_on_show else 1]))

    def _draw_swipe(self) -> None:
        found = self._found
        if found is None or self.how != "swipe":
            return
        unit = lengths(found.first.shape[1] * found.pixel_m[1], min(found.pixel_m)).unit_si
        column = round((float(self.line.value()) * unit - found.origin_m[1]) / found.pixel_m[1] + 0.5)
        column = min(max(column, 0), found.first.shape[1])
        first, second = self._both()
        self.left.show_picture(self._picture(np.concatenate([first[:, :column], second[:, column:]], axis=1)))

    def _both(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The chosen quantity of both results, made once."""
        found, chosen = self._found, self.quantity.currentIndex()
        assert found is not None
        if chosen not in self._parts:
            self._parts[chosen] = PARTS[chosen](found.first), PARTS[chosen](found.second)
        return self._parts[chosen]

    def _picture(self, values: NDArray[Any]) -> Picture:
        """Values of the chosen quantity over the range of the first, so that two can be compared."""
        found = self._found
        assert found is not None
        unit = "rad" if self.quantity.currentIndex() == 0 else ""
        return replace(self._placed(values), unit=unit, levels=levels_of(self._both()[0], found.support))

    def _difference(self) -> Picture:
        found = self._found
        assert found is not None
        if self.quantity.currentIndex() == 2:
            change = np.asarray(found.second - found.first, np.complex64)
            return replace(self._placed(change), levels=levels_of(change, found.support))
        by_phase = self.quantity.currentIndex() == 0
        values = found.phase_difference if by_phase else found.amplitude_difference
        most = max(abs(level) for level in levels_of(values, found.support))
        unit = "rad" if by_phase else ""
        return replace(self._placed(values), unit=unit, map="diverging", levels=(-most, most))

    def _placed(self, values: NDArray[Any]) -> Picture:
        found = self._found
        assert found is not None
        unit = lengths(values.shape[1] * found.pixel_m[1], min(found.pixel_m))
        return Picture(values, found.pixel_m, found.origin_m, unit)
