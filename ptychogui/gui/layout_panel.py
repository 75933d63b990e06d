"""The left side of the layout editor: the pattern, the map of the points, and the exposure."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import cast

import numpy as np
from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from ptychogui.gui.choice import Choice, choices
from ptychogui.gui.forms import ParamsForm
from ptychogui.gui.layout_plan import Plan
from ptychogui.gui.layout_points import NO_FRAME, LayoutPoints, Places, places
from ptychogui.gui.preparation_rows import button, label
from ptychogui.layout import AnyPattern, Pattern
from ptychogui.layout.affine import Affine
from ptychogui.layout.fermat import Fermat
from ptychogui.layout.figures import Exposure, step_m
from ptychogui.params import InputError, Params, format_quantity

PIXELS_NOTE = "The pixel at the sample is not known, so lengths are in pixels."


class Planned(Params):
    """What the form shows of a pattern."""

    pattern: AnyPattern = Fermat()
    """The pattern to draw."""


class LengthsForm(ParamsForm):
    """A form whose lengths are in pixels where the pixel at the sample is not known."""

    def __init__(self, params: Params, pixels: bool, parent: QWidget | None = None) -> None:
        self._pixels = pixels
        super().__init__(params, parent=parent)

    def _refresh(self) -> None:
        found = choices(self._params)
        self._sections[""].show_choices([_in_pixels(choice) for choice in found] if self._pixels else found)


def _in_pixels(choice: Choice) -> Choice:
    return replace(choice, entry=replace(choice.entry, unit="px")) if choice.unit == "m" else choice


class LayoutPanel(QWidget):
    """Draws patterns, maps points, and knows with what they are exposed."""

    exposure_changed = pyqtSignal()

    def __init__(self, points: LayoutPoints, plan: Plan, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("layout_panel")
        self._points, self._plan, self._known = points, plan, plan.known
        pixels = not plan.calibrated
        self.pattern = LengthsForm(Planned(pattern=_first_pattern(points, plan)), pixels, self)
        self.map = ParamsForm(Affine(), parent=self)
        self._exposure = LengthsForm(Exposure(frame_shape=plan.known.frame_shape), pixels, self)
        self._show_known()
        self.problem = label("", "problem", self, "pattern_problem")
        self.problem.hide()
        self._lay_out()
        self.pattern.changed.connect(lambda: self._follow())
        self._exposure.changed.connect(lambda: self.exposure_changed.emit())

    def _lay_out(self) -> None:
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 8, 0)
        if not self._plan.calibrated:
            column.addWidget(label(PIXELS_NOTE, "doubt", self, "pixels_note"))
        column.addWidget(self.pattern)
        column.addWidget(self.problem)
        tip = "Take this pattern in place of all points; later changes of the pattern are drawn at once"
        more = "Add the points of this pattern to those that are there"
        column.addLayout(
            _row(
                button(self, "draw_pattern", "Draw", self.draw, tip),
                button(self, "add_pattern", "Add to the points", self.add, more),
            )
        )
        column.addWidget(label("Exposure", "heading", self))
        column.addWidget(self._exposure)
        column.addWidget(label("Map", "heading", self))
        column.addWidget(self.map)
        tip = "Scale, shear and turn the selected points, or all where none is selected, about their middle"
        column.addLayout(_row(button(self, "map_points", "Map the points", self.map_points, tip)))
        column.addStretch(1)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)

    @property
    def exposure(self) -> Exposure:
        """What is typed, and for the rest what is known of the scan."""
        typed, known = cast(Exposure, self._exposure.params), self._known
        return typed.model_copy(
            update={"probe_m": typed.probe_m or known.probe_m, "photons": typed.photons or known.photons}
        )

    def know_probe(self, probe_m: float) -> None:
        """Take a diameter of the probe that became known only now; what is typed stays in force."""
        if self._known.probe_m is None:
            self._known = self._known.model_copy(update={"probe_m": probe_m})
            self._show_known()
            self.exposure_changed.emit()

    def _show_known(self) -> None:
        known, unit = self._known, "m" if self._plan.calibrated else "px"
        hints = {
            "probe_m": format_quantity(float(f"{known.probe_m:.3g}"), unit) if known.probe_m else "not known",
            "photons": f"{known.photons:.3g}" if known.photons else "not known",
        }
        self._exposure.set_hints(hints)

    # what is done

    def draw(self) -> None:
        """Put the pattern in place of all points, around their middle."""
        made = self._made()
        if made is not None:
            self._points.put(made, f"draw a pattern: {made.layout.kind if made.layout else ''}")  # type: ignore[attr-defined]

    def add(self) -> None:
        """Add the pattern's points to those that are there; frames that have none go to them."""
        made, now = self._made(), self._points.now
        if made is None:
            return
        frames = np.full(len(made), NO_FRAME, np.intp)
        free = self._points.free_frames[: len(frames)]
        frames[: len(free)] = free
        both = places(np.vstack([now.positions_m, made.positions_m]), np.concatenate([now.frames, frames]))
        self._points.put(both, "add a pattern")

    def map_points(self) -> None:
        """Map the selected points, or all, about their middle."""
        now, params = self._points.now, cast(Affine, self.map.params)
        if self.map.problem or not len(now):
            return
        chosen = now.selected if now.selected.any() else np.ones(len(now), bool)
        part = now.positions_m[chosen]
        middle = (part.min(0) + part.max(0)) / 2
        positions = now.positions_m.copy()
        positions[chosen] = middle + params.mapped(part - middle)
        self._points.put(Places(positions, now.frames, now.selected), "map the points")

    def _follow(self) -> None:
        """Draw a changed pattern at once where the points are those of a pattern that nobody has touched."""
        if isinstance(self._points.now.layout, Pattern):
            self.draw()

    def _made(self) -> Places | None:
        """The pattern's points for the frames in their order; None, with the reason on show, where it has none."""
        pattern = cast(Planned, self.pattern.params).pattern
        sentence = self.pattern.problem
        points = np.zeros((0, 2))
        try:
            points = pattern.points_m()
        except InputError as error:
            sentence = str(error)
        if not sentence and not len(points):
            sentence = "This pattern has no points: choose a smaller step or a larger field."
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))
        return None if sentence else self._points.in_order(points + self._points.middle_m, pattern)


def _first_pattern(points: LayoutPoints, plan: Plan) -> AnyPattern:
    """The pattern that made the points, or a spiral with their step and field."""
    layout, positions = points.now.layout, points.now.positions_m
    if isinstance(layout, Pattern):
        return cast(AnyPattern, layout)
    step = step_m(positions) or 10 * plan.pixel_m
    field = np.ptp(positions, axis=0) if len(positions) > 1 else np.zeros(2)
    if field.min() > 0:
        step = math.sqrt(float(field.prod()) / len(positions))  # as many points in the same field
    rounded = [float(f"{max(size, step):.3g}") for size in field]
    return Fermat(step_m=float(f"{step:.3g}"), field_m=(rounded[0], rounded[1]))


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return row
