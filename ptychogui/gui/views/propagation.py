"""The probe along the beam: a cut through its intensity before and behind the sample, and the probe at any place."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QBoxLayout, QComboBox, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from ptychogui.gui.views.base import View
from ptychogui.gui.views.latest import Latest
from ptychogui.gui.views.lengths import lengths
from ptychogui.gui.views.panel import ImagePanel
from ptychogui.gui.views.picture import Picture
from ptychogui.gui.views.shown_object import wavelength_m
from ptychogui.gui.views.slice_plot import SlicePlot
from ptychogui.measure.propagation import Beam, beam, fwhm_m, propagated, reach_m
from ptychogui.params import format_quantity
from ptychogui.types import Complex

HINT = "The probe along the beam appears here during a run."
NO_LENGTHS = "The way of the probe needs the wavelength and the pixel at the sample: give them on the Data card."
OF_CONE = "Lengths along a cone beam are those of the equivalent parallel beam."
PLANES = 97
FEWEST_PLANES = 33
PLANES_PIXELS = 2e7
"""So many pixels of all modes and planes together are worked out at most."""
REST = 10
"""During a run the cut is made again after so many times as long as making it took: the run needs the machine more."""
TICKS = 400
LOW_PX, CONTROLS_PX = 240, 165
"""In a view lower than this the controls stand beside the pictures, so wide."""

Optics = tuple[Complex, tuple[float, float], float]
"""Modes (M, ny, nx), the pixel and the wavelength in m."""


class PropagationView(View):
    """Cut and plane side by side; slider, line and 'Find focus' choose the plane."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.z_m = 0.0
        self._beam: Beam | None = None
        self._next_s = 0.0
        self._plane_text = ""
        self._cuts, self._planes = Latest(self), Latest(self)
        self.cut = SlicePlot(HINT, self)
        self.panel = ImagePanel("The probe at the chosen place.", self)
        self.panel.show_kind("probe along the beam")
        self.direction = QComboBox(self)
        self.direction.setObjectName("direction")
        self.direction.addItems(("x along z", "y along z"))
        self.direction.setToolTip("Which cut through the beam is shown")
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setObjectName("distance")
        self.slider.setRange(-TICKS, TICKS)
        self.slider.setToolTip("Where along the beam the probe is shown; 0 is the sample")
        self.focus_button = QPushButton("Find focus", self)
        self.focus_button.setObjectName("find_focus")
        self.focus_button.setToolTip("Go to the plane in which the beam is smallest")
        self._readout = QLabel(self)
        self._readout.setObjectName("beam_text")
        self._readout.setProperty("role", "dim")
        self._readout.setWordWrap(True)
        self._readout.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._lay_out()
        self.direction.activated.connect(lambda _: self._show_cut())
        self.slider.valueChanged.connect(self._slide)
        self.focus_button.clicked.connect(self.find_focus)
        self.cut.moved.connect(self.go_to)
        self._set_ready(False)
        self.wear()

    def _lay_out(self) -> None:
        self._both = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._both.setSpacing(2)
        self._both.addWidget(self.cut, 1)
        self._both.addWidget(self.panel, 1)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        for widget in (self.direction, self.slider, self.focus_button):
            self._row.addWidget(widget, 1 if widget is self.slider else 0)
        self._controls = QWidget(self)
        column = QVBoxLayout(self._controls)
        column.setContentsMargins(4, 2, 4, 2)
        column.addLayout(self._row)
        column.addWidget(self._readout, 1)
        self._whole = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._whole.setContentsMargins(0, 0, 0, 0)
        self._whole.setSpacing(0)
        self._whole.addLayout(self._both, 1)
        self._whole.addWidget(self._controls)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Stand as the dock does: with the controls beside the pictures where it is low."""
        super().resizeEvent(event)
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        low = self.height() < LOW_PX
        self._both.setDirection(across if low or self.width() > self.height() else down)
        self._whole.setDirection(across if low else down)
        self._row.setDirection(down if low else across)
        self._controls.setMaximumWidth(CONTROLS_PX if low else self.maximumWidth())

    def wear(self) -> None:
        """Follow the theme."""
        self.cut.wear(self.palette())

    def fit(self) -> None:
        """Show the whole again."""
        self.cut.fit()
        self.panel.fit()
        self.panel.range_automatically()

    # what the user chooses

    def go_to(self, z_m: float) -> None:
        """Show the probe at another distance from the sample."""
        if self._beam is not None:
            self.z_m = float(np.clip(z_m, self._beam.z_m[0], self._beam.z_m[-1]))
            self._place()
            self._draw_plane()

    def find_focus(self) -> None:
        """Show the plane in which the beam is smallest."""
        if self._beam is not None:
            self.go_to(float(self._beam.z_m[self._beam.focus]))

    def _slide(self, tick: int) -> None:
        if self._beam is not None:
            self.go_to(tick / TICKS * float(self._beam.z_m[-1]))

    def _place(self) -> None:
        """Put slider and line where the plane is."""
        if self._beam is not None:
            self.slider.blockSignals(True)
            self.slider.setValue(round(self.z_m / float(self._beam.z_m[-1]) * TICKS))
            self.slider.blockSignals(False)
            self.cut.place_line(self.z_m)

    # drawing

    def draw(self) -> None:
        """Have the cut and the plane made of the probe of the running or finished job, or of the file's."""
        optics = self._optics()
        if optics is None:
            self._forget(NO_LENGTHS if self.snapshot or self.result else HINT)
            return
        if self._beam is None or self.result is not None or time.monotonic() > self._next_s:
            asked = self._cuts.generation
            ended = partial(_stale, self._cuts, asked)
            self._cuts.run(partial(_made, *optics, ended), self._take_beam, self._fail)
        self._draw_plane()

    def _optics(self) -> Optics | None:
        wavelength = wavelength_m(self.result, self.dataset)
        if self.result is not None:
            modes, geometry = self.result.probe.modes, self.result.geometry
        elif self.dataset is not None:
            known = self.snapshot.probe if self.snapshot is not None else self.dataset.probe
            if known is None:
                return None
            modes, geometry = known, self.dataset.geometry
        else:
            return None
        if wavelength is None or not geometry.calibrated:
            return None
        return modes, (self.result.probe.pixel_m if self.result is not None else geometry.pixel_m), wavelength

    def _draw_plane(self) -> None:
        optics = self._optics()
        if optics is not None:
            z_m = self.z_m
            self._planes.run(lambda: _plane(optics, z_m), partial(self._take_plane, z_m), self._fail)

    def _forget(self, hint: str) -> None:
        self._cuts.forget()
        self._planes.forget()
        self._beam, self._next_s, self.z_m, self._plane_text = None, 0.0, 0.0, ""
        self.cut.show_nothing(hint)
        self.panel.show_picture(None)
        self._readout.setText("")
        self._set_ready(False)

    def _set_ready(self, ready: bool) -> None:
        for widget in (self.slider, self.focus_button, self.direction):
            widget.setEnabled(ready)

    def _fail(self, sentence: str, _: str) -> None:
        self._readout.setText(sentence)

    def _take_beam(self, made: tuple[Beam | None, float]) -> None:
        found, seconds = made
        if found is not None:
            self._beam, self._next_s = found, time.monotonic() + REST * seconds
            self.z_m = float(np.clip(self.z_m, found.z_m[0], found.z_m[-1]))
            self._set_ready(True)
            self._show_cut()

    def _show_cut(self) -> None:
        found = self._beam
        if found is None:
            return
        axis = 1 if self.direction.currentIndex() == 0 else 0
        cut, pixel = (found.along_y, found.along_x)[axis], found.pixel_m[axis]
        across = lengths(cut.shape[1] * pixel, pixel)
        self.cut.show_cut(cut, found.z_m, pixel, lengths(2 * float(found.z_m[-1]), 0.0), across)
        self._place()
        focus = found.focus
        where = float(found.z_m[focus])
        side = "behind" if where > 0 else "before"
        at_end = focus in (0, len(found.z_m) - 1)
        known = self.result or self.dataset
        cone = known is not None and known.geometry.in_cone
        smallest, beam = ("narrowest", ", as a parallel beam") if cone else ("focus", "")
        where_text = f"{smallest} {_text(abs(where))} {side} the sample{beam}"
        focused = "no focus within what is shown" if at_end else where_text
        self._readout.setText("  ·  ".join(text for text in (focused, self._plane_text) if text))
        self._readout.setToolTip(OF_CONE if cone else "")

    def _take_plane(self, z_m: float, made: tuple[Picture, tuple[float, float]]) -> None:
        picture, (high, wide) = made
        self._plane_text = f"here FWHM {_text(high)} × {_text(wide)}"
        self.panel.show_picture(picture, f"z {_text(z_m)}")
        self._show_cut()


def _stale(latest: Latest, generation: int) -> bool:
    return not latest.current(generation)


def _made(
    modes: Complex, pixel_m: tuple[float, float], wavelength: float, ended: partial[bool]
) -> tuple[Beam | None, float]:
    """The beam of these modes, as far as it is worth looking, and how long that took."""
    begun = time.monotonic()
    reach = reach_m(modes, pixel_m, wavelength)
    count = int(np.clip(PLANES_PIXELS / modes.size, FEWEST_PLANES, PLANES)) // 2 * 2 + 1
    return beam(modes, pixel_m, wavelength, np.linspace(-reach, reach, count), ended), time.monotonic() - begun


def _plane(optics: Optics, z_m: float) -> tuple[Picture, tuple[float, float]]:
    """The intensity of all modes at a distance, and its full widths at half maximum in m."""
    modes, pixel_m, wavelength = optics
    intensity = np.square(np.abs(propagated(modes, pixel_m, wavelength, z_m))).sum(0)
    ny, nx = intensity.shape
    unit = lengths(max(ny * pixel_m[0], nx * pixel_m[1]), min(pixel_m))
    origin = -(ny // 2) * pixel_m[0], -(nx // 2) * pixel_m[1]
    shown = intensity / max(float(intensity.max()), 1e-30)
    picture = Picture(shown, pixel_m, origin, unit, "", "inferno", levels=(0.0, 1.0))
    return picture, fwhm_m(intensity, pixel_m)


def _text(length_m: float) -> str:
    return format_quantity(float(f"{length_m:.3g}"), "m")
