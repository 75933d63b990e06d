"""The modes of the probe side by side, as hue and brightness, with their shares of the power."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF
from PyQt6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from ptychogui.gui.views.base import View
from ptychogui.gui.views.kept import keep, kept
from ptychogui.gui.views.lengths import PIXELS, Lengths, lengths
from ptychogui.gui.views.panel import ImagePanel
from ptychogui.gui.views.picture import Picture, levels_of, value_text
from ptychogui.measure.modes import overlaps, power_shares
from ptychogui.types import Complex

GAP = 0.04
"""The gap between two modes, as a fraction of their width."""
MOST = 16
"""Modes beyond these carry too little power to look at."""


MODES = {"complex": "Complex", "amplitude": "Amplitude", "phase": "Phase", "orthogonality": "Orthogonality"}
FIGURES = 8
"""With more modes than these the figures would touch."""


def _count_text(modes: int) -> str:
    return "1 mode" if modes == 1 else f"{modes} modes, shares of power"


class ProbeView(View):
    """Every mode is as bright as its own brightest pixel, so that weak ones can be seen; the label tells its power."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        chosen = kept("probe/kind", "complex")
        self.mode = chosen if chosen in MODES else "complex"
        self.panel = ImagePanel("The modes of the probe appear here during a run.", self)
        self.panel.describe = self._describe
        self.choice = QComboBox(self)
        self.choice.setObjectName("kind")
        self.choice.setToolTip("What is shown of the modes")
        for name, text in MODES.items():
            self.choice.addItem(text, name)
        self.choice.setCurrentIndex(self.choice.findData(self.mode))
        self.choice.activated.connect(lambda _: self.show_as(self.choice.currentData()))
        self.panel.put_above(self.choice)
        self.panel.show_kind(f"probe {self.mode}")
        self._labels: list[pg.TextItem] = []
        self._probe: Complex | None = None
        self._pixel, self._unit, self._columns = (1.0, 1.0), PIXELS, 1
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.panel)

    def show_as(self, mode: str) -> None:
        """Show another of `MODES`, also after the next start."""
        self.mode = mode
        self.choice.setCurrentIndex(self.choice.findData(mode))
        keep("probe/kind", mode)
        self.panel.show_kind(f"probe {mode}")
        self.panel.fit()
        self.draw()

    def fit(self) -> None:
        """Show every mode again."""
        self.panel.fit()
        self.panel.range_automatically()

    def draw(self) -> None:
        """Show the probe of the running or finished job, or the one that the file holds."""
        if self.result is not None:
            self._show(self.result.probe.modes, self.result.probe.pixel_m)
        elif self.snapshot is not None:
            pixel = self.dataset.geometry.pixel_m if self.dataset is not None else (1.0, 1.0)
            self._show(self.snapshot.probe, pixel)
        elif self.dataset is not None and self.dataset.probe is not None:
            self._show(self.dataset.probe, self.dataset.geometry.pixel_m)
        else:
            self._probe = None
            self._write_labels([])
            self.panel.show_picture(None)

    def _show(self, probe: Complex, pixel: tuple[float, float]) -> None:
        share = power_shares(probe)
        probe = probe[:MOST]
        if self.mode == "orthogonality":
            self._show_overlaps(probe)
            return
        count, ny, nx = probe.shape
        self._probe, self._pixel = probe, pixel
        self._unit = lengths(max(ny * pixel[0], nx * pixel[1]), min(pixel))
        self._columns = columns = min(count, math.ceil(math.sqrt(count * ny / nx * self._aspect())))
        rows = math.ceil(count / columns)
        gap = self._gap(nx)
        mosaic = np.full((rows * (ny + gap) - gap, columns * (nx + gap) - gap), np.nan, np.complex64)
        for i, mode in enumerate(probe):
            y, x = i // columns * (ny + gap), i % columns * (nx + gap)
            mosaic[y : y + ny, x : x + nx] = mode / max(float(np.abs(mode).max()), 1e-30)
        origin = -(ny // 2) * pixel[0], -(nx // 2) * pixel[1]
        self.panel.share(columns)
        self.panel.show_picture(self._picture(mosaic, pixel, origin, self._unit), _count_text(len(share)))
        self._write_labels([f"{i + 1}: {100 * s:.3g} %" for i, s in enumerate(share[:MOST])])

    def _show_overlaps(self, probe: Complex) -> None:
        """How far every two modes are orthogonal, as figures in a square of cells."""
        matrix = overlaps(probe)
        count = len(matrix)
        self._probe = probe
        picture = Picture(matrix, (1.0, 1.0), (0.0, 0.0), Lengths(1.0, ""), "", "viridis", (0.0, 1.0))
        figures = [f"{value:.2f}" for value in matrix.ravel()] if count <= FIGURES else []
        self.panel.share(count if figures else 1)  # figures need no legend
        self.panel.show_picture(picture, "0: orthogonal, 1: alike" if count > 1 else "one mode: nothing to compare")
        self._take_labels(figures, middle=True)
        for i, label in enumerate(self._labels):
            label.setPos(QPointF(i % count, i // count))

    def _aspect(self) -> float:
        return float(max(self.panel.plot.width(), 1) / max(self.panel.plot.height(), 1))

    @staticmethod
    def _gap(nx: int) -> int:
        return max(2, round(GAP * nx))

    def _picture(
        self, mosaic: Complex, pixel: tuple[float, float], origin: tuple[float, float], unit: Lengths
    ) -> Picture:
        if self.mode == "amplitude":
            return Picture(np.abs(mosaic), pixel, origin, unit, map="viridis", levels=(0.0, 1.0), gaps=True)
        if self.mode == "phase":
            return Picture(np.angle(mosaic), pixel, origin, unit, "rad", "cyclic", (-math.pi, math.pi), gaps=True)
        return Picture(mosaic, pixel, origin, unit, levels=(0.0, levels_of(mosaic)[1]), gaps=True)

    def _take_labels(self, texts: list[str], middle: bool = False) -> None:
        """As many labels as there are texts; their places are for the caller."""
        for label in self._labels[len(texts) :]:
            self.panel.box.removeItem(label)
        del self._labels[len(texts) :]
        while len(self._labels) < len(texts):
            label = pg.TextItem(color="w", fill=pg.mkBrush(0, 0, 0, 130))
            self.panel.box.addItem(label, ignoreBounds=True)
            self._labels.append(label)
        for label, text in zip(self._labels, texts):
            label.setAnchor((0.5, 0.5) if middle else (0, 0))
            label.setText(text)

    def _write_labels(self, texts: list[str]) -> None:
        self._take_labels(texts)
        if self._probe is None or self.panel.picture is None:
            return
        _, ny, nx = self._probe.shape
        gap, rect = self._gap(nx), self.panel.picture.rect
        dy, dx = (p / self._unit.unit_si for p in self._pixel)
        for i, label in enumerate(self._labels):
            x, y = i % self._columns * (nx + gap) * dx, i // self._columns * (ny + gap) * dy
            label.setPos(QPointF(rect.left() + x, rect.top() + y))

    def _describe(self, y: float, x: float) -> str:
        """Where the pointer is in its own mode, from the middle of the probe, and the wave there."""
        if self._probe is None:
            return ""
        if self.mode == "orthogonality":
            return self._describe_overlap(round(y), round(x))
        _, ny, nx = self._probe.shape
        gap = self._gap(nx)
        row = y * self._unit.unit_si / self._pixel[0] + ny // 2 + 0.5
        column = x * self._unit.unit_si / self._pixel[1] + nx // 2 + 0.5
        mode = int(row // (ny + gap)) * self._columns + int(column // (nx + gap))
        j, i = int(row % (ny + gap)), int(column % (nx + gap))
        if (
            row < 0
            or column < 0
            or mode >= len(self._probe)
            or j >= ny
            or i >= nx
            or column // (nx + gap) >= self._columns
        ):
            return ""
        at = f"y {(j - ny // 2) * self._pixel[0] / self._unit.unit_si:.4g}"
        at += f"  x {(i - nx // 2) * self._pixel[1] / self._unit.unit_si:.4g} {self._unit.symbol}"
        return f"mode {mode + 1}   {at}    {value_text(self._probe[mode, j, i], '')}"

    def _describe_overlap(self, first: int, second: int) -> str:
        picture = self.panel.picture
        value = picture.value_at(first, second) if picture is not None else None
        return "" if value is None else f"modes {first + 1} and {second + 1}: overlap {value:.3f}"
