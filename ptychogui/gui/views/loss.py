"""How the loss falls from epoch to epoch and from stage to stage, beside the other runs of the same file."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QPalette
from PyQt6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ptychogui.gui.run_words import counted
from ptychogui.gui.views.base import View
from ptychogui.gui.views.line_plot import LinePlot
from ptychogui.job import Job
from ptychogui.params import InputError
from ptychogui.types import Real

OTHERS = 6
"""So many other runs are shown, the latest ones."""
COLOURS = ("#d9702c", "#3a9d6b", "#9a62c9", "#ab8c10", "#cf5a7e", "#3a92a8")
"""Of the other runs; they read on white and on black."""


class LossView(View):
    """The loss of the selected run in the accent colour, the others of its file behind it, told apart by a legend."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot = LinePlot("The loss appears here during a run.", self, whole=True)
        self._curve = self.plot.plot(symbol="o", symbolSize=5, antialias=True)
        self._curve.setZValue(1)
        self._name = ""
        self._others: dict[str, Real] = {}
        self._other_curves: list[pg.PlotDataItem] = []
        self._marks: dict[float, pg.InfiniteLine] = {}
        self._logarithmic = QCheckBox("log", self)
        self._logarithmic.setObjectName("log")
        self._logarithmic.setToolTip("Logarithmic axis of the loss")
        self._logarithmic.setChecked(True)
        self._logarithmic.toggled.connect(self._scale)
        self._readout = QLabel(self)
        self._readout.setProperty("role", "dim")
        self._lay_out()
        self._scale(True)
        self.plot.name_axes("")
        self.wear()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(6, 0, 4, 2)
        row.addWidget(self._readout, 1)
        row.addWidget(self._logarithmic)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.plot, 1)
        layout.addLayout(row)

    def show_runs(self, name: str, others: Mapping[str, Real]) -> None:
        """Say how the selected run is called, and which losses (E,) the other runs of its file had, by their names."""
        self._name = name
        self._others = dict(list(others.items())[-OTHERS:])
        self._draw_others()

    def fit(self) -> None:
        """Show whole curves again."""
        self.plot.fit()

    def draw(self) -> None:
        """Show the curve of the run in question."""
        if self.result is not None:
            loss = self.result.loss
        else:
            loss = self.snapshot.loss if self.snapshot is not None else np.zeros(0, np.float32)
        self._curve.setData(*_points(loss))
        self._mark_stages(len(loss))
        self.plot.name_axes("epochs" if len(loss) or self._others else "")
        self._readout.setText(f"loss {loss[-1]:.4g} after {counted(len(loss))}" if len(loss) else "")

    def _mark_stages(self, epochs: int) -> None:
        """A dashed line where a stage ends and the next one begins."""
        ends = np.cumsum(self._stage_epochs(epochs))[:-1]
        wanted = {float(end) + 0.5: f"stage {i}" for i, end in enumerate(ends, 2)}
        for place in [place for place in self._marks if place not in wanted]:
            self.plot.removeItem(self._marks.pop(place))
        for place, name in wanted.items():
            if place not in self._marks:
                self._marks[place] = line = pg.InfiniteLine(
                    place, 90, label=name, labelOpts={"position": 0.9, "anchors": [(0, 0.5), (0, 0.5)]}
                )
                self._dress(line)
                self.plot.addItem(line, ignoreBounds=True)

    def _stage_epochs(self, epochs: int) -> tuple[int, ...]:
        """The epochs that each stage had; of a result from a file those of its job, where none was cut short."""
        if self.snapshot is not None:
            return self.snapshot.stage_epochs
        if self.result is None or not self.result.job:
            return ()
        try:
            planned = tuple(stage.epochs for stage in Job.from_toml(self.result.job).stages)
        except InputError:  # the job of another version
            return ()
        return planned if sum(planned) == epochs else ()

    def _dress(self, line: pg.InfiniteLine) -> None:
        colour = self.palette().color(QPalette.ColorRole.PlaceholderText)
        line.setPen(pg.mkPen(colour, width=1, style=Qt.PenStyle.DashLine))
        line.label.setColor(colour)

    def clear(self) -> None:
        """Show nothing."""
        self.show_runs("", {})
        super().clear()

    def _draw_others(self) -> None:
        for curve in self._other_curves:
            self.plot.removeItem(curve)
        self.plot.legend.clear()
        self._other_curves = [
            self.plot.plot(*_points(loss), pen=pg.mkPen(colour, width=1.5), antialias=True, name=name)
            for (name, loss), colour in zip(self._others.items(), COLOURS)
        ]
        if self._others and self._name:
            self.plot.legend.addItem(self._curve, self._name)

    def _scale(self, logarithmic: bool) -> None:
        self.plot.setLogMode(x=False, y=logarithmic)

    def wear(self) -> None:
        """Follow the theme."""
        palette = self.palette()
        accent = palette.color(QPalette.ColorRole.Highlight)
        self.plot.wear(palette)
        self._curve.setPen(pg.mkPen(accent, width=2))
        self._curve.setSymbolBrush(accent)
        self._curve.setSymbolPen(None)
        for line in self._marks.values():
            self._dress(line)


def _points(loss: Real) -> tuple[Real, Real]:
    """Epochs and losses that a logarithmic axis can show."""
    good = np.isfinite(loss) & (loss > 0)
    return np.flatnonzero(good).astype(np.float32) + 1, loss[good]
