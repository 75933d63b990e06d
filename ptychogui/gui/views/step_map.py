"""The map of a search for step sizes: how well each pair of steps foretells what it has not seen."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from ptychogui.gui.views.graphics import name_axes
from ptychogui.gui.views.lengths import PIXELS
from ptychogui.gui.views.panel import ImagePanel, Picture
from ptychogui.steps import StepMap, Trial

FAR = math.log10(2)
"""Twice the best loss and more have one colour: what runs away must not hide what differs a little."""
AXIS_PX = 76
"""Room for a step size at the left."""


class StepMapView(QWidget):
    """Object step across, probe step down; a ring marks the best, a cross the steps of the job."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.panel = ImagePanel("Each short run adds a square: the darker, the better.", self)
        self.panel.plot.getAxis("left").setWidth(AXIS_PX)
        self.panel.describe = self._describe
        pen = pg.mkPen("#ffffff", width=2)
        self._best = pg.ScatterPlotItem(pen=pen, brush=None, size=20, symbol="o")
        self._own = pg.ScatterPlotItem(pen=None, brush="#ffffff", size=11, symbol="x")
        for item in (self._best, self._own):
            self.panel.box.addItem(item)
        self._map: StepMap | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.panel)

    def show_map(self, found: StepMap) -> None:
        """Show what has been tried so far."""
        self._map = found
        values = np.where(np.isinf(found.losses), np.nan, found.losses).astype(np.float32)
        worst = float(np.nanmax(values)) if np.isfinite(values).any() else 1.0
        values = np.where(np.isinf(found.losses), np.float32(worst), values)  # those that ran away
        scaled = np.log10(np.maximum(values, 1e-12))
        low = float(np.nanmin(scaled))
        picture = Picture(
            values,
            (1.0, 1.0),
            (0.0, 0.0),
            PIXELS,
            map="viridis",
            levels=(low, low + FAR),
            scaled=scaled,
            scale="log₁₀ of the loss",
            gaps=True,
        )
        note = "object step across, probe step down: loss of pixels that were held out"
        self.panel.show_picture(picture, note)
        self._name_steps(found)
        self.panel.hide_scale()
        self._best.setData(*self._place(found, found.best))
        self._own.setData(*self._place(found, found.trials[0]))

    def _name_steps(self, found: StepMap) -> None:
        name_axes(self.panel.plot, " ")
        for side, steps in (("bottom", found.object_steps), ("left", found.probe_steps)):
            ticks = [(i, f"{step:.3g}") for i, step in enumerate(steps)]
            self.panel.plot.getAxis(side).setTicks([ticks])

    @staticmethod
    def _place(found: StepMap, trial: Trial) -> tuple[list[float], list[float]]:
        x = float(np.searchsorted(found.object_steps, trial.object_step))
        y = float(np.searchsorted(found.probe_steps, trial.probe_step))
        return [x], [y]

    def _describe(self, y: float, x: float) -> str:
        found = self._map
        row, column = round(y), round(x)
        if found is None or not (0 <= row < len(found.probe_steps) and 0 <= column < len(found.object_steps)):
            return ""
        loss = found.losses[row, column]
        said = "not tried" if np.isnan(loss) else "ran away" if np.isinf(loss) else f"loss {loss:.4g}"
        return f"object step {found.object_steps[column]:.3g}, probe step {found.probe_steps[row]:.3g}: {said}"
