"""The values along the line that lies over the object, and the width of the sharpest edge on it."""

from __future__ import annotations

from functools import partial

import numpy as np
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from ptychogui.gui.views.base import View
from ptychogui.gui.views.curves import Curve, CurvePlot
from ptychogui.gui.views.latest import Latest
from ptychogui.gui.views.lengths import Lengths, lengths
from ptychogui.gui.views.line_tool import LineTool, ruler_text
from ptychogui.gui.views.picture import Picture
from ptychogui.measure.profile import Line, Profile, edge, profile, slope

HINT = "Press ╱ over a picture of the object and drag the ends of the line: its values and its sharpest edge."
WIDEST_PX = 99
BREADTH_PX = 3
"""Averaging over so much across the line quiets the noise and hardly widens an edge."""


class ProfileView(View):
    """The profile with its slope, length and angle of the line, and the edge width in metres."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tool: LineTool | None = None
        self._latest = Latest(self)
        self.curves = CurvePlot(HINT, self)
        self.plot = self.curves.plot
        self._readout = QLabel(self)
        self._readout.setObjectName("profile_text")
        self._readout.setProperty("role", "dim")
        self._readout.setWordWrap(True)
        self.breadth = QSpinBox(self)
        self.breadth.setObjectName("profile_width")
        self.breadth.setRange(1, WIDEST_PX)
        self.breadth.setValue(BREADTH_PX)
        self.breadth.setSuffix(" px")
        self.breadth.setToolTip("Average over so many pixels across the line")
        self.breadth.valueChanged.connect(lambda _: self.draw())
        row = QHBoxLayout()
        row.setContentsMargins(6, 2, 4, 2)
        row.addWidget(self._readout, 1)
        row.addWidget(self.breadth)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.curves, 1)
        layout.addLayout(row)

    def use_line(self, tool: LineTool) -> None:
        """Show the values along this line."""
        self._tool = tool
        tool.changed.connect(self.draw_if_seen)

    def fit(self) -> None:
        """Show whole curves again."""
        self.curves.fit()

    def draw(self) -> None:
        """Show what lies under the line now."""
        line = self._tool.line if self._tool is not None else None
        source = self._tool.source if self._tool is not None else None
        picture = source.picture if source is not None else None
        if line is None or source is None or picture is None:
            self._latest.forget()
            self.curves.show_curves(())
            self._readout.setText("")
            return
        name = f"{source.kind} ({picture.unit})" if picture.unit else source.kind
        make = partial(along, picture, line, self.breadth.value())
        self._latest.run(make, partial(self._take, name, line, min(picture.pixel)), self._fail)

    def _fail(self, sentence: str, _: str) -> None:
        self._readout.setText(sentence)

    def _take(self, name: str, line: Line, pixel_m: float, found: Profile) -> None:
        unit = lengths(line.length_m, pixel_m)
        x = found.distance_m / unit.unit_si
        curves = Curve(name, x, found.values), Curve("slope", x, _over(found), dashed=True)
        self.curves.show_curves(curves, unit.symbol)
        self._readout.setText(figures(found, line, unit, pixel_m))


def along(picture: Picture, line: Line, width_px: int = 1) -> Profile:
    """The profile of a picture; of complex values the amplitude, of a phase that goes round without its jumps."""
    values = picture.colour_values if picture.scaled is None else np.asarray(picture.values)
    goes_round = picture.map == "cyclic"
    broad = Line(line.start_m, line.end_m, width_px * min(picture.pixel))
    found = profile(np.exp(1j * values) if goes_round else values, broad, picture.pixel, picture.origin)
    if not goes_round:
        return found
    angle, good = np.angle(found.values), np.isfinite(found.values)
    angle[~good] = np.nan
    angle[good] = np.unwrap(angle[good])
    return Profile(found.distance_m, angle)


def _over(found: Profile) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The size of the slope, drawn over the same range as the values."""
    steep = np.abs(slope(found))
    good = steep[np.isfinite(steep)]
    if not good.size or not good.max() > 0:
        return np.full_like(steep, np.nan)
    low, high = float(np.nanmin(found.values)), float(np.nanmax(found.values))
    return np.asarray(low + (high - low) * steep / good.max())


def figures(found: Profile, line: Line, unit: Lengths, pixel_m: float) -> str:
    """Length and angle of the line, and the width of its sharpest edge (FWHM of the slope)."""
    sharpest = edge(found)
    text = ruler_text(line, unit.text(line.length_m / unit.unit_si))
    if sharpest is None:
        return f"{text}  ·  no whole edge on the line"
    own = lengths(sharpest.width_m, pixel_m)
    at = unit.text(sharpest.distance_m / unit.unit_si)
    return f"{text}  ·  edge width {own.text(sharpest.width_m / own.unit_si)} (FWHM of the slope) at {at}"
