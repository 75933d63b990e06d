"""The control room: object, probe, loss, state and warnings over a whole screen, to be read from across the room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PyQt6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from ptychogui.gui.run_bar import duration
from ptychogui.gui.views import DOCKS
from ptychogui.gui.views.live_figures import StateLine, show_progress
from ptychogui.gui.views.readout import Readout

if TYPE_CHECKING:
    from ptychogui.gui.live import Status
    from ptychogui.gui.opened import Run
    from ptychogui.gui.views.base import View

NAMES = ("object_phase", "probe", "scan", "loss")
LARGE_PX, MIDDLE_PX = 34, 20


class ControlRoom(QWidget):
    """A window of its own; its views follow what the main window shows."""

    closed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("control_room")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        self.setWindowTitle("Control room — ptychogui")
        self.views: dict[str, View] = {spec.name: spec.make() for spec in DOCKS if spec.name in NAMES}
        self.scan = self._label("room_scan", LARGE_PX, bold=True)
        self.state = StateLine(self)
        self.state.setStyleSheet(f"QLabel {{ font-size: {MIDDLE_PX}px; }}")
        self.progress = QProgressBar(self)
        self.progress.setObjectName("room_progress")
        self.progress.setMinimumSize(24 * MIDDLE_PX, 2 * MIDDLE_PX)
        self.progress.setStyleSheet(f"font-size: {MIDDLE_PX}px;")
        self.figures = Readout(self)
        self.figures.setObjectName("room_figures")
        self.figures.setStyleSheet(f"font-size: {MIDDLE_PX}px;")
        self.figures.setProperty("role", "")
        self.quality = self._label("room_quality", LARGE_PX, bold=True)
        self.quality.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.warnings = self._label("room_warnings", MIDDLE_PX)
        self.warnings.setProperty("role", "doubt")
        self.warnings.setWordWrap(True)
        self._lay_out()
        for key in ("Esc", "F11"):
            QShortcut(QKeySequence(key), self, self.close)

    def _label(self, name: str, size_px: int, *, bold: bool = False) -> QLabel:
        label = QLabel(self)
        label.setObjectName(name)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setStyleSheet(f"font-size: {size_px}px;{' font-weight: 700;' if bold else ''}")
        return label

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.scan)
        top.addSpacing(MIDDLE_PX)
        top.addWidget(self.state, 1)
        top.addWidget(self.quality)
        grid = QGridLayout()
        grid.setSpacing(10)
        grid.addWidget(self.views["object_phase"], 0, 0, 3, 1)
        for row, name in enumerate(("probe", "scan", "loss")):
            grid.addWidget(self.views[name], row, 1)
        grid.setColumnStretch(0, 7)
        grid.setColumnStretch(1, 3)
        under = QHBoxLayout()
        under.addWidget(self.progress, 3)
        under.addSpacing(MIDDLE_PX)
        under.addWidget(self.figures, 4)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 12, 18, 12)
        column.addLayout(top)
        column.addLayout(grid, 1)
        column.addLayout(under)
        column.addWidget(self.warnings)

    def show_status(self, status: Status, run: Run | None) -> None:
        """Show how the source, the scan and its run are."""
        self.scan.setText(status.scan or "No scan yet")
        self.state.show_state(status.state)
        show_progress(self.progress, status.counters)
        counters = status.counters
        if counters is not None:
            behind = max(counters.ready - status.used, 0)
            lost = counters.missing + counters.refused + counters.lost
            parts = (f"{counters.rate:.0f} frames/s", f"{behind} not worked in", f"{lost} missing or lost", doing(run))
            self.figures.setText("    ".join(part for part in parts if part))
        self.quality.setText(quality(run))
        told = [status.error, *status.warnings]
        self.warnings.setText("\n".join(f"⚠ {text}" for text in told if text))
        self.warnings.setVisible(any(told))

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Tell that it is gone."""
        self.closed.emit()
        super().closeEvent(event)


def doing(run: Run | None) -> str:
    """What is done before the first picture, or while it is searched for."""
    if run is None or run.result is not None:
        return ""
    return run.doing if run.snapshot is None else run.snapshot.doing


def quality(run: Run | None) -> str:
    """How well the picture fits the frames, and for how long it has been worked on."""
    if run is None:
        return ""
    if run.result is not None and "r_factor" in run.result.metrics:
        return f"R {run.result.metrics['r_factor']:.3f}"
    if run.snapshot is None or not len(run.loss):
        return ""
    return f"loss {run.loss[-1]:.3g}   {duration(run.snapshot.seconds)}"
