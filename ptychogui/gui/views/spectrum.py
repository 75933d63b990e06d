"""The power spectrum of the object, as a picture and as its mean over rings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QBoxLayout, QWidget

from ptychogui.gui.views.base import View
from ptychogui.gui.views.curves import Curve, CurvePlot
from ptychogui.gui.views.latest import Latest
from ptychogui.gui.views.lengths import PIXELS, Lengths, inverse_lengths, lengths
from ptychogui.gui.views.panel import ImagePanel
from ptychogui.gui.views.picture import Picture, levels_of
from ptychogui.gui.views.shown_object import ShownObject, shown_object
from ptychogui.io.picture import inside_scan
from ptychogui.measure.spectrum import Spectrum, spectrum
from ptychogui.types import Object, Result, Scan, Snapshot

HINT = "The power spectrum of the object appears here: where it becomes flat, noise begins."
SIDE_PX = 512
"""The picture is shown around its middle with at most this many pixels on a side."""


class SpectrumView(View):
    """Both on logarithmic scales, of the part of the object that lies between the positions."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._latest = Latest(self)
        self.panel = ImagePanel(HINT, self)
        self.panel.show_kind("spectrum")
        self.curves = CurvePlot("Its mean over rings appears here.", self)
        self.plot = self.curves.plot
        self.plot.setLogMode(x=False, y=True)
        self._both = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._both.setContentsMargins(0, 0, 0, 0)
        self._both.setSpacing(2)
        self._both.addWidget(self.panel, 1)
        self._both.addWidget(self.curves, 1)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Stand as the dock does."""
        super().resizeEvent(event)
        across = self.width() > self.height()
        self._both.setDirection(QBoxLayout.Direction.LeftToRight if across else QBoxLayout.Direction.TopToBottom)

    def fit(self) -> None:
        """Show the whole again."""
        self.panel.fit()
        self.panel.range_automatically()
        self.curves.fit()

    def draw(self) -> None:
        """Have the spectrum of the running or finished object made."""
        if self.result is None and self.snapshot is None:
            self._latest.forget()
            self.panel.show_picture(None)
            self.curves.show_curves(())
        else:
            make = partial(_made, self.result, self.snapshot, self.panel.painter())
            self._latest.run(make, self._take, lambda said, _: self.panel.say(said))

    def _take(self, made: tuple[Picture, Curve, str]) -> None:
        picture, curve, note = made
        self.panel.show_picture(picture, note)
        self.panel.hide_scale()
        self.curves.show_curves((curve,), picture.lengths.symbol)


def _made(
    result: Result | None, snapshot: Snapshot | None, paint: Callable[[Picture], Picture]
) -> tuple[Picture, Curve, str]:
    """The picture and the curve of a spectrum, with what is said of it."""
    shown = shown_object(result, snapshot)
    assert shown is not None
    found = _spectrum(shown)
    unit = _unit(found, min(shown.pixel_m))
    cut = tuple(slice(max(0, n // 2 - SIDE_PX // 2), n // 2 + SIDE_PX // 2) for n in found.power.shape)
    power = found.power[cut]
    logarithm = np.log10(np.maximum(power, 1e-30))
    dy, dx = found.pixel_per_m
    origin = -(power.shape[0] // 2) * dy, -(power.shape[1] // 2) * dx
    picture = Picture(power, (dy, dx), origin, unit, map="inferno", levels=levels_of(logarithm), scaled=logarithm)
    curve = Curve("power", found.frequency_per_m / unit.unit_si, found.radial)
    return paint(picture), curve, shown.note or "power, logarithmic"


def _spectrum(shown: ShownObject) -> Spectrum:
    """The spectrum of the box around the positions."""
    inside = inside_scan(Object(shown.image[None], shown.pixel_m, shown.origin_m), Scan(shown.positions_m))
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)) if len(rows) else (slice(None),) * 2
    return spectrum(shown.image[box], shown.pixel_m)


def _unit(found: Spectrum, pixel_m: float) -> Lengths:
    """Inverse lengths, or inverse pixels where no length is known."""
    if lengths(1.0, pixel_m) == PIXELS:
        return Lengths(1.0, "px⁻¹")
    return inverse_lengths(float(found.frequency_per_m[-1]))
