"""Designing a target: choose a picture, watch the field that makes it form, save it."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from numpy.typing import NDArray
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ptychogui.engine.design import Design, Iteration
from ptychogui.gui import dialogs
from ptychogui.gui.forms import ParamsForm
from ptychogui.gui.session import Session
from ptychogui.gui.stream_dialog import StreamDialog
from ptychogui.gui.views.curves import Curve, CurvePlot
from ptychogui.gui.views.lengths import Lengths, lengths
from ptychogui.gui.views.panel import ImagePanel, Picture, levels_of
from ptychogui.types import Real

PICTURES = "Pictures (*.png *.jpg *.jpeg *.tif *.tiff *.bmp);;All files (*)"
FIELDS = "Field (*.h5);;TIFF (*.tif)"


class DesignDialog(StreamDialog):
    """Target, picture and field side by side, the PSNR beneath, the parameters at the left."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session.tasks, "design_dialog", "Design a target", parent)
        self._session = session
        self._path = ""
        self._target: Real | None = None
        self._made: tuple[Design, Iteration] | None = None
        self.form = ParamsForm(Design(), parent=self)
        self.form.problem_changed.connect(lambda _: self.dress())
        self.panels = {
            "target": ImagePanel("The wanted picture.", self),
            "picture": ImagePanel("The picture that the field makes.", self),
            "field": ImagePanel("The field that makes it.", self),
        }
        self.curve = CurvePlot("The PSNR in dB appears here.", self)
        self.figure = QLabel(self)
        self.figure.setObjectName("psnr")
        self._file = QLabel("No picture is chosen.", self)
        self._file.setObjectName("target_name")
        self._file.setProperty("role", "dim")
        self._file.setWordWrap(True)
        self.choose_button = self.button("choose_target", "Choose a picture…", self._choose)
        self.choose_button.setToolTip("The picture that the field shall make")
        self.save_button = self.button("save_design", "Save…", self._save)
        self.save_button.setToolTip("Write the field that was designed, and all that was said of it")
        self.own_buttons.addWidget(self.save_button)
        self._lay_out()
        self.resize(1080, 640)
        self.dress()

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.addWidget(self.choose_button)
        left.addWidget(self._file)
        left.addWidget(self.form)
        left.addStretch(1)
        pictures = QHBoxLayout()
        for panel in self.panels.values():
            pictures.addWidget(panel)
        right = QVBoxLayout()
        right.addLayout(pictures, 3)
        right.addWidget(self.curve, 2)
        right.addWidget(self.figure)
        row = QHBoxLayout()
        row.addLayout(left)
        row.addLayout(right, 1)
        self.form.setFixedWidth(300)
        self._file.setFixedWidth(300)
        self.content.addLayout(row)

    def dress(self) -> None:
        """Start wants a picture and parameters that fit, Save a field."""
        super().dress()
        running = self.stream.running
        self.start_button.setEnabled(not running and self._target is not None and not self.form.problem)
        self.start_button.setToolTip("" if self._target is not None else "Choose a picture first")
        self.save_button.setEnabled(not running and self._made is not None)
        self.choose_button.setEnabled(not running)
        self.form.setEnabled(not running)

    def _choose(self) -> None:
        dialogs.choose_file(self, "Choose the wanted picture", PICTURES, self.choose)

    def choose(self, path: str) -> None:
        """Read a picture in a thread and take it as the target."""

        def read() -> Real:
            from ptychogui.engine.simulate.photographs import photograph

            return photograph(path).astype(np.float32)

        self._session.tasks.run(read, partial(self._take, path), lambda sentence, _: self._refuse(sentence))

    def _take(self, path: str, target: Real) -> None:
        self._path, self._target, self._made = path, target, None
        self._file.setText(f"{Path(path).name}, {target.shape[0]} × {target.shape[1]} pixels")
        self._show(self.form.params)
        self._refuse("")

    def _refuse(self, sentence: str) -> None:
        self.problem.setText(sentence)
        self.dress()

    def begin(self) -> Callable[[], Generator[Iteration, None, None]] | None:
        """The design of the chosen picture with the parameters of the form."""
        params, target = self.form.params, self._target
        if target is None or not isinstance(params, Design) or self.form.problem:
            return None
        self._params = params

        def make() -> Generator[Iteration, None, None]:
            from ptychogui.engine.design import design

            return design(params, target)

        return make

    def show_item(self, item: Iteration) -> None:
        """Show the field, the picture it makes, and how near that is."""
        self._made = self._params, item
        self.show_progress(item.number / self._params.iterations, f"{item.number} of {self._params.iterations}")
        self._show(self._params)

    def _show(self, params: object) -> None:
        assert isinstance(params, Design)
        item = self._made[1] if self._made is not None else None
        made = {"picture": item.picture, "field": item.field} if item is not None else {}
        for panel in self.panels.values():
            panel.show_picture(None)
        for name, values in {"target": self._target, **made}.items():
            assert values is not None
            pixel = params.pixel_m, params.pixel_m
            unit = lengths(params.pixel_m * max(values.shape), params.pixel_m)
            self.panels[name].show_picture(_picture(name, values, pixel, unit, params.free), name)
        psnr_dB = np.array(item.psnr_dB if item is not None else ())
        curves = [Curve("PSNR", np.arange(len(psnr_dB)), psnr_dB)] if len(psnr_dB) else []
        self.curve.show_curves(curves, "iterations")
        self.figure.setText(f"PSNR {psnr_dB[-1]:.2f} dB after {item.number} iterations" if item is not None else "")

    def _save(self) -> None:
        proposed = Path(self._path).with_name(f"{Path(self._path).stem}_field.h5")
        dialogs.choose_name(self, "Save the field", FIELDS, proposed, self.save)

    def save(self, path: str) -> None:
        """Write the field, with pictures of it beside the file, in a thread."""
        if self._made is None or self._target is None:
            return
        from ptychogui import io

        (params, item), target = self._made, self._target
        designed = io.Designed(item.field, item.picture, target, params.pixel_m, tomli_w.dumps(params.plain()))

        def write() -> None:
            io.check_design_target(path)
            io.write_design(designed, path)

        self._session.beside(write, f"The field was saved to {path}.")


def _picture(name: str, values: NDArray[Any], pixel: tuple[float, float], unit: Lengths, free: str) -> Picture:
    """A panel's picture; of the field only what it may change is shown."""
    if name != "field":
        return Picture(values, pixel, (0.0, 0.0), unit)
    if free == "phase":
        phase = np.angle(values)
        return Picture(phase, pixel, (0.0, 0.0), unit, "rad", "cyclic", (-math.pi, math.pi))
    shown = np.abs(values) if free == "amplitude" else values
    return Picture(shown, pixel, (0.0, 0.0), unit, levels=levels_of(shown))
