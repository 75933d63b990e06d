"""The Fourier ring correlation: how far two halves of the data agree, and the resolution that follows."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ptychogui.gui.views.base import View
from ptychogui.gui.views.curves import Curve, CurvePlot
from ptychogui.gui.views.lengths import inverse_lengths, lengths
from ptychogui.types import Correlation

HINT = (
    "How far two halves of the frames agree, from coarse to fine detail. It is measured after a run and takes about "
    "as long as the run."
)


class ResolutionView(View):
    """The curve with both criteria, the resolution in figures, and the button that measures it."""

    start_wanted = pyqtSignal()
    stop_wanted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curves = CurvePlot(HINT, self)
        self.plot = self.curves.plot
        self._going = False
        self._progress = ""
        self._readout = QLabel(self)
        self._readout.setObjectName("resolution_text")
        self._readout.setProperty("role", "dim")
        self._readout.setWordWrap(True)
        self._button = QPushButton(self)
        self._button.setObjectName("measure_resolution")
        self._button.clicked.connect(self._press)
        row = QHBoxLayout()
        row.setContentsMargins(6, 2, 4, 2)
        row.setSpacing(10)
        row.addWidget(self._button)
        row.addWidget(self._readout, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.curves, 1)
        layout.addLayout(row)
        self.show_state(False, "", "Select a run that has a result")

    def show_state(self, going: bool, progress: str, why_not: str) -> None:
        """Say whether it is being measured, how far that is, and why it cannot be."""
        self._going, self._progress = going, progress
        self._button.setText("Stop" if going else "Measure")
        self._button.setEnabled(going or not why_not)
        self._button.setToolTip("" if going else why_not)
        self._say()

    def _press(self) -> None:
        (self.stop_wanted if self._going else self.start_wanted).emit()

    def _say(self) -> None:
        found = self.result.correlation if self.result is not None else None
        text = figures(found, self.result.obj.pixel_m[0]) if found is not None and self.result is not None else ""
        self._readout.setText(self._progress or text)

    def fit(self) -> None:
        """Show whole curves again."""
        self.curves.fit()

    def draw(self) -> None:
        """Show the correlation of the result."""
        found = self.result.correlation if self.result is not None else None
        self._say()
        if found is None:
            self.curves.show_curves(())
            return
        unit = inverse_lengths(float(found.spatial_frequency_per_m[-1]))
        pixel_m = self.result.obj.pixel_m[0] if self.result is not None else 1.0
        symbol = unit.symbol if lengths(1.0, pixel_m).symbol != "px" else "px⁻¹"
        x = found.spatial_frequency_per_m / (unit.unit_si if symbol != "px⁻¹" else 1.0)
        self.curves.show_curves(
            (
                Curve("ring correlation", x, np.asarray(found.frc)),
                Curve("half-bit", x, np.asarray(found.half_bit), dashed=True),
                Curve("1/7", x, np.asarray(found.one_seventh), dashed=True),
            ),
            symbol,
        )

    def wear(self) -> None:
        """Follow the theme."""
        self.curves.wear()


def figures(found: Correlation, pixel_m: float) -> str:
    """The resolution, half the period, by both criteria."""
    parts = []
    for name, criterion in (("half-bit", found.half_bit), ("1/7", found.one_seventh)):
        length_m = found.resolution_m(criterion)
        at_pixel = " (the pixel)" if found.reaches_pixel(criterion) else ""
        unit = lengths(length_m, pixel_m)
        parts.append(f"{name} {unit.text(length_m / unit.unit_si)}{at_pixel}")
    return f"resolution: {'  ·  '.join(parts)}"
