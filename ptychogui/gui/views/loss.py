"""How the loss falls from epoch to epoch, beside the runs before."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QPalette
from PyQt6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ptychogui.gui.views.base import View
from ptychogui.gui.views.graphics import UnitAxis, name_axes, wear
from ptychogui.types import Real

EARLIER = 6
"""So many earlier runs stay in the picture."""


class LossView(View):
    """The loss of the current run in the accent colour, earlier ones behind it."""

    delay_ms = 50

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        axes = {"left": UnitAxis("left"), "bottom": UnitAxis("bottom", whole=True)}
        self.plot = pg.PlotWidget(self, axisItems=axes)
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.setMinimumSize(80, 60)
        self.plot.showGrid(x=True, y=True, alpha=0.12)
        self.plot.scene().sigMouseClicked.connect(self._click)
        self._curve = self.plot.plot(symbol="o", symbolSize=5, antialias=True)
        self._earlier: list[tuple[Real, pg.PlotDataItem]] = []
        self._loss: Real = np.zeros(0, np.float32)
        self._logarithmic = QCheckBox("log", self)
        self._logarithmic.setObjectName("log")
        self._logarithmic.setToolTip("Logarithmic axis of the loss")
        self._logarithmic.setChecked(True)
        self._logarithmic.toggled.connect(self._scale)
        self._hint = QLabel("The loss appears here during a run.", self.plot)
        self._hint.setProperty("role", "dim")
        self._hint.setWordWrap(True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        QVBoxLayout(self.plot).addWidget(self._hint)
        self._readout = QLabel(self)
        self._readout.setProperty("role", "dim")
        row = QHBoxLayout()
        row.setContentsMargins(6, 0, 4, 2)
        row.addWidget(self._readout, 1)
        row.addWidget(self._logarithmic)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.plot, 1)
        layout.addLayout(row)
        self._scale(True)
        self._name_axes(False)
        self.wear()

    def fit(self) -> None:
        """Show whole curves again."""
        self.plot.enableAutoRange()

    def draw(self) -> None:
        """Show the curve of the run in question; where it begins anew, the old one moves behind it."""
        if self.result is not None:
            loss = self.result.loss
        elif self.snapshot is not None:
            loss = self.snapshot.loss
        elif self.dataset is None:
            self._forget()
            return
        else:
            loss = np.zeros(0, np.float32)
        if np.array_equal(self._loss, loss, equal_nan=True):
            return
        if not _continues(self._loss, loss):
            self._move_behind()
        self._bring_forward(loss)
        self._loss = loss
        epochs = np.arange(1, len(loss) + 1)
        good = np.isfinite(loss) & (loss > 0)
        self._curve.setData(epochs[good], loss[good])
        self._name_axes(bool(len(loss) or self._earlier))
        self._readout.setText(f"loss {loss[-1]:.4g} after {len(loss)} epochs" if len(loss) else "")

    def _move_behind(self) -> None:
        good = np.isfinite(self._loss) & (self._loss > 0)
        if not good.any():
            return
        curve = self.plot.plot(np.flatnonzero(good) + 1, self._loss[good], antialias=True)
        curve.setZValue(-1)
        self._earlier.append((self._loss, curve))
        while len(self._earlier) > EARLIER:
            self.plot.removeItem(self._earlier.pop(0)[1])
        self.wear()

    def _bring_forward(self, loss: Real) -> None:
        """A run that is looked at again stands in front, and no longer behind."""
        again = [np.array_equal(earlier, loss, equal_nan=True) for earlier, _ in self._earlier]
        for (_, curve), same in zip(self._earlier, again):
            if same:
                self.plot.removeItem(curve)
        self._earlier = [earlier for earlier, same in zip(self._earlier, again) if not same]

    def _forget(self) -> None:
        for _, curve in self._earlier:
            self.plot.removeItem(curve)
        self._earlier.clear()
        self._loss = np.zeros(0, np.float32)
        self._curve.setData([], [])
        self._name_axes(False)
        self._readout.setText("")

    def _name_axes(self, shown: bool) -> None:
        name_axes(self.plot, "epochs" if shown else "")
        self._hint.setVisible(not shown)

    def _scale(self, logarithmic: bool) -> None:
        self.plot.setLogMode(x=False, y=logarithmic)

    def _click(self, event: object) -> None:
        if event.double():  # type: ignore[attr-defined]
            self.fit()

    def wear(self) -> None:
        """Follow the theme."""
        palette = self.palette()
        accent = palette.color(QPalette.ColorRole.Highlight)
        wear(self.plot, palette)
        self._curve.setPen(pg.mkPen(accent, width=2))
        self._curve.setSymbolBrush(accent)
        self._curve.setSymbolPen(None)
        for _, curve in self._earlier:
            curve.setPen(pg.mkPen(palette.color(QPalette.ColorRole.Mid), width=1.5))


def _continues(old: Real, new: Real) -> bool:
    """Whether a curve is the old one grown longer."""
    return len(new) >= len(old) and bool(np.array_equal(new[: len(old)], old, equal_nan=True))
