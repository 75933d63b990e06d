"""The frames as they were measured, beside what the model says of them."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QMenu, QSlider, QToolButton, QVBoxLayout, QWidget

from ptychogui.geometry import Geometry
from ptychogui.gui.preview import Preview
from ptychogui.gui.views.base import View
from ptychogui.gui.views.buttons import tool_button
from ptychogui.gui.views.colours import Pixels
from ptychogui.gui.views.frame_reader import FrameReader
from ptychogui.gui.views.kept import keep, kept
from ptychogui.gui.views.lengths import PIXELS, Lengths, inverse_lengths, lengths
from ptychogui.gui.views.panel import ImagePanel, Picture
from ptychogui.gui.views.result_pattern import ResultPattern
from ptychogui.io.picture import percentile_range
from ptychogui.types import Dataset, Pattern, Real, Snapshot

FRAMES_PER_SECOND = 12
WITHIN = 99.5
"""So many per cent of the residuals lie within the range of their colours."""
CROSS = 0.04
"""Half the length of the cross in the centre, as a fraction of the frame."""
RESIDUAL = "Residual: the square root of the measured counts less that of the model's"
SWITCHES = {"Logarithmic": "logarithmic", "Show the mask": "show_mask", "Residual for model": "show_residual"}
MODEL = "The model of the frame appears here during a run, and for its result."
PREPARE = "Prepare the frames: centre, crop, mask…"
SCALE = "log₁₀(1 + counts)"
MASK_COLOUR = 0xB023839F
"""Cyan, which the colour map does not have, over pixels that are not used; with premultiplied opacity."""


class DiffractionView(View):
    """Measured | model with a common range, logarithmic, or measured | residual; the slider chooses the frame."""

    frame_selected = pyqtSignal(int)
    """The user chose a frame."""
    prepare_wanted = pyqtSignal()
    """The user wants to prepare the frames."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.logarithmic = True
        self.show_mask = True
        self.show_residual = kept("diffraction/residual", "False") == "True"
        self._index = 0
        self._chosen = False
        self._frame: tuple[int, Real] | None = None
        self._reader = FrameReader(self)
        self._reader.ready.connect(self._take_frame)
        self._result_pattern = ResultPattern(self)
        self._result_pattern.ready.connect(self.draw_if_seen)
        self._play = QTimer(self)
        self._play.setInterval(round(1000 / FRAMES_PER_SECOND))
        self._play.timeout.connect(self._next)
        self.measured = ImagePanel("The frames of the scan appear here.", self)
        self.model = ImagePanel(MODEL, self)
        self.measured.setObjectName("measured")
        self.model.setObjectName("model")
        self.measured.link(self.model)
        self._crosses = [self._cross(panel) for panel in (self.measured, self.model)]
        for panel in (self.measured, self.model):
            panel.menu_extensions.append(self._extend_menu)
        self._lay_out()

    def _lay_out(self) -> None:
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setObjectName("frame")
        self.slider.setAccessibleName("Frame")
        self.slider.setToolTip("The frame that is shown, by its number")
        self.slider.setRange(0, 0)
        self.slider.valueChanged.connect(self._slide)
        self.play = QToolButton(self)
        self.play.setObjectName("play")
        self.play.setText("▶")
        self.play.setToolTip("Play the frames")
        self.play.setCheckable(True)
        self.play.setAutoRaise(True)
        self.play.toggled.connect(lambda on: self._play.start() if on else self._play.stop())
        self._number = QLabel(self)
        switch = partial(self._set, "show_residual")
        self.residual = tool_button(self, "residual", "Δ", RESIDUAL, lambda: switch(self.residual.isChecked()))
        self.residual.setCheckable(True)
        self.residual.setChecked(self.show_residual)
        self.prepare = tool_button(self, "prepare", "✎", PREPARE, self.prepare_wanted.emit)
        self.prepare.setEnabled(False)
        row = QHBoxLayout()
        row.setContentsMargins(4, 0, 4, 2)
        row.setSpacing(2)
        for widget in (self.play, self.slider, self._number, self.residual, self.prepare):
            row.addWidget(widget)
        row.insertSpacing(row.indexOf(self._number), 6)
        self._pictures = pictures = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        pictures.setSpacing(2)
        for panel in (self.measured, self.model):
            pictures.addWidget(panel, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(pictures, 1)
        layout.addLayout(row)

    def show_dataset(self, dataset: Dataset | None, preview: Preview | None = None) -> None:
        """Show a dataset; frames that were prepared otherwise are forgotten."""
        if dataset is not self.dataset:
            self._frame = None
        super().show_dataset(dataset, preview)
        self.prepare.setEnabled(dataset is not None)
        self.prepare.setToolTip("Open a data file first" if dataset is None else PREPARE)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Side by side where there is more width than height, else one above the other."""
        wide = self.width() > self.height()
        self._pictures.setDirection(
            QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom,
        )
        super().resizeEvent(event)

    @staticmethod
    def _cross(panel: ImagePanel) -> pg.PlotCurveItem:
        cross = pg.PlotCurveItem(connect="pairs", pen=pg.mkPen(255, 255, 255, 170))
        cross.setVisible(False)
        panel.box.addItem(cross, ignoreBounds=True)
        return cross

    def _extend_menu(self, menu: QMenu) -> None:
        for text, name in SWITCHES.items():
            action = menu.addAction(text)
            if action is not None:
                action.setCheckable(True)
                action.setChecked(getattr(self, name))
                action.toggled.connect(lambda on, name=name: self._set(name, on))
        prepare = menu.addAction("Prepare the frames…", self.prepare_wanted.emit)
        if prepare is not None:
            prepare.setEnabled(self.dataset is not None)
            prepare.setToolTip("" if self.dataset is not None else "Open a data file first")
        menu.addSeparator()

    def _set(self, name: str, on: bool) -> None:
        setattr(self, name, on)
        if name == "show_residual":
            keep("diffraction/residual", str(on))
            self.residual.setChecked(on)
        for panel in (self.measured, self.model):
            panel.range_automatically()
        self.draw()

    def show_frame(self, index: int) -> None:
        """Show this frame, which was chosen elsewhere."""
        self._count_frames()
        if index != self._index and index <= self.slider.maximum():
            self._index, self._chosen = index, True
            self._move_slider()
            self._ask()

    def _slide(self, index: int) -> None:
        self._index, self._chosen = index, True
        self._ask()
        self._write_number()
        self.frame_selected.emit(index)

    def _next(self) -> None:
        if self.dataset is None:
            self.play.setChecked(False)
        self.slider.setValue((self._index + 1) % max(self.slider.maximum() + 1, 1))

    def _ask(self) -> None:
        """Have the frame read: beside its model where there is a result, else alone."""
        if self.dataset is None or not self.isVisible():
            return
        if self.result is not None and not self._result_pattern.refusal(self.result, self.dataset, self._index):
            self._result_pattern.ask(self.result, self.dataset, self._index)
        else:
            self._reader.ask(self.dataset, self._index)

    def _take_frame(self) -> None:
        frame, error = self._reader.take()
        if error:
            self.measured.say(error)
        if frame is not None and frame[0] is self.dataset:
            self._frame = frame[1:]
            self.draw_if_seen()

    def _write_number(self) -> None:
        count = self.slider.maximum() + 1
        last = f"{count - 1} / {count - 1}"
        self._number.setMinimumWidth(self._number.fontMetrics().horizontalAdvance(last))
        self._number.setText(f"{self._index} / {count - 1}" if self.dataset is not None else "")

    def fit(self) -> None:
        """Show whole frames again."""
        for panel in (self.measured, self.model):
            panel.fit()
            panel.range_automatically()

    def draw(self) -> None:
        """Show the frame in question, and the model of it where there is a run or a result."""
        self._count_frames()
        pattern = self._pattern(self.snapshot)
        asked = self.result, self.dataset, self._index
        pattern = pattern or self._result_pattern.pattern(*asked)
        refusal = self._result_pattern.refusal(*asked)
        self.model.set_hint(refusal or MODEL)
        if pattern is not None:
            geometry = self.dataset.geometry if self.dataset is not None else Geometry(pattern.measured.shape[:2])
            self._show(geometry, pattern.measured, pattern.model)
        elif self.dataset is not None:
            self._show_alone(self.dataset, modelled=self.result is not None and not refusal)
        else:
            self._frame = None
            self._result_pattern.forget()
            self._show_nothing()

    def _show_alone(self, dataset: Dataset, modelled: bool) -> None:
        """Show the frame in question, or the mean pattern before one was read, and ask for what is missing.

        A frame whose model is to come takes the place of another pair together with it.
        """
        read = self._frame[1] if self._frame is not None and self._frame[0] == self._index else None
        if read is None or modelled:
            self._ask()
        if read is not None and (not modelled or self.model.picture is None):
            self._show(dataset.geometry, read, None)
        elif self._frame is None and not modelled and self.preview is not None and self.preview.done:
            self._show(dataset.geometry, self.preview.mean_pattern, None)

    def _pattern(self, snapshot: Snapshot | None) -> Pattern | None:
        pattern = snapshot.pattern if snapshot is not None else None
        if pattern is None or (self._chosen and pattern.index != self._index):
            return None
        if pattern.index != self._index:
            self._index = pattern.index
            self._move_slider()
        return pattern

    def _count_frames(self) -> None:
        count = self.dataset.frames.shape[0] if self.dataset is not None else 0
        if self.slider.maximum() != max(count - 1, 0):
            self._chosen, self._frame, self._index = False, None, min(self._index, max(count - 1, 0))
            self.slider.blockSignals(True)
            self.slider.setRange(0, max(count - 1, 0))
            self.slider.blockSignals(False)
            self._move_slider()

    def _move_slider(self) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(self._index)
        self.slider.blockSignals(False)
        self._write_number()

    def _show_nothing(self) -> None:
        for panel, cross in zip((self.measured, self.model), self._crosses):
            panel.show_picture(None)
            cross.setVisible(False)
        self._number.setText("")

    def _show(self, geometry: Geometry, measured: Real, model: Real | None) -> None:
        pixel, unit = frame_pixel(geometry, measured.shape)
        step = math.ceil(max(measured.shape) / 1024)
        levels = percentile_range(self._scaled(measured[::step, ::step]), 0.1, 99.95)
        self._show_in(self.measured, measured, pixel, unit, levels, "measured")
        self.measured.show_overlay(self._mask_pixels(measured))
        arm = CROSS * min(n * p for n, p in zip(measured.shape, pixel)) / unit.unit_si
        for cross in self._crosses:
            cross.setData([-arm, arm, 0, 0], [0, 0, -arm, arm])
            cross.setVisible(True)
        if model is None:
            self.model.show_picture(None)
            self._crosses[1].setVisible(False)
            return
        use = self._mask_of(measured)
        r_factor = f"R {_r_factor(measured, model, use):.3f}"
        if self.show_residual:
            picture = residual_picture(measured, model, use, pixel, unit)
            self.model.show_picture(picture, f"Δ ±{picture.levels[1]:.2g} · {r_factor}")
        else:
            self._show_in(self.model, model, pixel, unit, levels, f"model · {r_factor}")

    def _show_in(
        self,
        panel: ImagePanel,
        frame: Real,
        pixel: tuple[float, float],
        unit: Lengths,
        levels: tuple[float, float],
        note: str,
    ) -> None:
        scaled, origin = self._scaled(frame), _origin(frame, pixel)
        scale = SCALE if self.logarithmic else ""
        panel.show_picture(Picture(frame, pixel, origin, unit, "counts", "inferno", levels, scaled, scale), note)

    def _scaled(self, frame: Real) -> NDArray[np.float32]:
        """What the colours stand for: log10(1 + counts), or the counts."""
        if not self.logarithmic:
            return frame
        scaled = np.log1p(np.maximum(frame, 0))
        scaled *= np.float32(1 / math.log(10))
        return scaled

    def _mask_of(self, frame: Real) -> NDArray[np.bool_]:
        use = np.isfinite(frame)
        if self.dataset is not None and self.dataset.mask.shape == frame.shape:
            use &= self.dataset.mask
        return use

    def _mask_pixels(self, frame: Real) -> Pixels | None:
        use = self._mask_of(frame)
        if not self.show_mask or use.all():
            return None
        return np.where(use, np.uint32(0), np.uint32(MASK_COLOUR))


def frame_pixel(geometry: Geometry, shape: tuple[int, ...]) -> tuple[tuple[float, float], Lengths]:
    """The pixel of a frame and its unit: lengths at the sample in the near field, 1/m in the far field, or pixels."""
    if not geometry.calibrated:
        return (1.0, 1.0), PIXELS
    dy, dx = geometry.pixel_m
    if geometry.field == "near":
        return (dy, dx), lengths(max(shape[0] * dy, shape[1] * dx), min(dy, dx))
    return (1 / (shape[0] * dy), 1 / (shape[1] * dx)), inverse_lengths(0.5 / min(dy, dx))


def residual_picture(
    measured: Real, model: Real, use: NDArray[np.bool_], pixel: tuple[float, float], unit: Lengths
) -> Picture:
    """√I − |Ψ| pixel by pixel; white where they agree, transparent where the mask has no measurement.

    Counting noise alone gives it a standard deviation of 1/2 in every pixel that many photons have reached.
    """
    difference = np.sqrt(np.maximum(measured, 0)) - np.sqrt(np.maximum(model, 0))
    difference = np.where(use, difference, np.nan).astype(np.float32)
    seen = np.abs(difference[np.isfinite(difference)])
    limit = max(float(np.percentile(seen, WITHIN)), 1e-30) if seen.size else 1.0
    return Picture(
        difference, pixel, _origin(measured, pixel), unit, "√counts", "diverging", (-limit, limit), gaps=True
    )


def _origin(frame: Real, pixel: tuple[float, float]) -> tuple[float, float]:
    """Where the first pixel of a frame lies, measured from its middle."""
    ny, nx = frame.shape
    return -(ny // 2) * pixel[0], -(nx // 2) * pixel[1]


def _r_factor(measured: Real, model: Real, use: NDArray[np.bool_]) -> float:
    """Σ|√I − |Ψ|| / Σ√I of one frame."""
    amplitude = np.sqrt(np.maximum(measured[use], 0))
    return float(np.abs(amplitude - np.sqrt(np.maximum(model[use], 0))).sum() / max(float(amplitude.sum()), 1e-30))
