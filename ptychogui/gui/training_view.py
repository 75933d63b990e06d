"""What is seen of a training: an example that it was not trained on, the falling error, and the figures."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from ptychogui.gui.course import Course, Taught
from ptychogui.gui.preparation_rows import label
from ptychogui.gui.views.curves import Curve, CurvePlot
from ptychogui.gui.views.lengths import PIXELS, lengths
from ptychogui.gui.views.panel import ImagePanel, Picture, levels_of
from ptychogui.types import Real

HINT = "A sample that is not trained on appears here after the first steps."
PANELS = {
    "pattern": (0, 0, "Pattern"),
    "truth_amplitude": (0, 1, "Truth, amplitude"),
    "found_amplitude": (0, 2, "Found, amplitude"),
    "truth_phase": (1, 1, "Truth, phase"),
    "found_phase": (1, 2, "Found, phase"),
}
"""Row and column of each picture, and what it is."""
ENDED = {
    "time": "The time is over.",
    "steps": "All steps are done.",
    "plateau": "It learns nothing more: a plateau.",
    "stopped": "Stopped.",
}


class TrainingView(QWidget):
    """Pattern, truth and what the network finds, above the curves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training_view")
        self.panels = {name: ImagePanel(HINT if name == "pattern" else "", self) for name in PANELS}
        for name, panel in self.panels.items():
            panel.setObjectName(f"example.{name}")
            panel.share(len(self.panels))
        first, *others = [panel for name, panel in self.panels.items() if name != "pattern"]
        for other in others:
            first.link(other)
        self.figures = label("", "", self, "training_figures")
        self.curve = CurvePlot("The error appears here, beside that of a picture which is the mean of all.", self)
        self.curve.setObjectName("training_curve")
        self.curve.plot.setLogMode(x=False, y=True)
        grid = QGridLayout()
        grid.setSpacing(4)
        for name, (row, column, _) in PANELS.items():
            grid.addWidget(self.panels[name], row, column)
        grid.addWidget(self.figures, 1, 0, Qt.AlignmentFlag.AlignTop)
        for index in range(3):
            grid.setColumnStretch(index, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(grid, 5)
        layout.addWidget(self.curve, 3)

    def clear(self) -> None:
        """Show nothing."""
        for panel in self.panels.values():
            panel.show_picture(None)
        self.curve.show_curves(())
        self.figures.setText("")

    def show_taught(self, taught: Taught, course: Course) -> None:
        """Show the latest report of a training."""
        progress = taught.progress
        if progress is None or course.lesson is None:
            self.figures.setText(taught.doing)
            return
        self._show_example(taught, course.lesson.experiment.pixel_m)
        steps = np.array(taught.steps)
        mean = np.full(len(steps), progress.mean_error)
        self.curve.show_curves(
            [
                Curve("error", steps, np.array(taught.errors)),
                Curve("loss of the training", steps, np.array(taught.losses)),
                Curve("error of the mean picture", steps, mean, dashed=True),
            ],
            "steps",
        )
        best = min(taught.errors)
        self.figures.setText(
            f"Error {progress.error:.3g}, best {best:.3g}\n"
            f"Mean picture {progress.mean_error:.3g}\n"
            f"{progress.step} steps in {span(progress.seconds)}, rate {progress.learning_rate:.2g}\n"
            f"{ENDED.get(progress.ended, '')}".strip()
        )

    def _show_example(self, taught: Taught, pixel_m: tuple[float, float]) -> None:
        assert taught.progress is not None
        example = taught.progress.example
        truth, found = example.truth, example.found
        unit = lengths(pixel_m[1] * max(truth.shape), pixel_m[1])
        for name, part in (("amplitude", np.abs), ("phase", np.angle)):
            levels = levels_of(part(truth))
            for whose, values in (("truth", truth), ("found", found)):
                picture = Picture(part(values), pixel_m, (0.0, 0.0), unit, _unit(name), levels=levels)
                self._show(f"{whose}_{name}", picture)
        pattern = example.pattern
        scaled: Real = np.log10(np.maximum(pattern, 1e-3 * max(float(pattern.max()), 1e-30)))
        picture = Picture(pattern, (1.0, 1.0), (0.0, 0.0), PIXELS, "", "inferno", levels_of(scaled), scaled)
        self._show("pattern", picture)
        self.panels["pattern"].hide_scale()

    def _show(self, name: str, picture: Picture) -> None:
        self.panels[name].show_picture(picture, PANELS[name][2])


def _unit(part: str) -> str:
    return "rad" if part == "phase" else ""


def span(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
