"""The bar at the bottom: Run, Continue, Pause, Stop, how far it is, and why Run is grey."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QToolButton, QWidget

from ptychogui.gui import theme
from ptychogui.gui.session import Session
from ptychogui.gui.views.readout import Readout
from ptychogui.job import Job
from ptychogui.types import Snapshot

BUTTONS = ("run", "continue", "pause", "stop")
SHORTEST_PX, LONGEST_PX = 160, 400
"""Widths of the progress, apart from what its text needs."""
EDGE_PX = 12
"""Room beside that text."""


class RunBar(QFrame):
    """Shows the running job, or the selected run."""

    wanted = pyqtSignal(str)
    """The id of the action behind a reason that was clicked."""

    def __init__(self, session: Session, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("run_bar")
        self._session, self._actions = session, actions
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 8, 10, 8)
        row.setSpacing(8)
        self._buttons = {name: self._button(name) for name in BUTTONS}
        for button in self._buttons.values():
            row.addWidget(button)
        self.progress = QProgressBar(self)
        self.progress.setObjectName("progress")
        self.progress.setMinimumWidth(SHORTEST_PX)
        self.progress.setMaximumWidth(LONGEST_PX)
        row.addWidget(self.progress, 2)
        self.figures = Readout(self)
        self.figures.setObjectName("figures")
        self.figures.setProperty("role", "")
        self.reason = QLabel(self)
        self.reason.setObjectName("reason")
        self.reason.setTextFormat(Qt.TextFormat.RichText)
        self.reason.setWordWrap(True)
        self.reason.linkActivated.connect(self.wanted)
        row.addWidget(self.figures, 4)
        row.addWidget(self.reason, 4)
        session.state_changed.connect(self.refresh)
        session.snapshot_changed.connect(self._show_progress)
        self.refresh()

    def _button(self, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(name)
        button.setDefaultAction(self._actions[name])
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIconSize(QSize(16, 16))
        return button

    def add_strip(self, strip: QWidget) -> None:
        """Put the lights of the preflight beside the buttons."""
        row = self.layout()
        assert isinstance(row, QHBoxLayout)
        row.insertWidget(len(BUTTONS), strip)

    def draw_icons(self) -> None:
        """Draw the signs anew, in the colours of the theme."""
        for name in BUTTONS:
            self._actions[name].setIcon(theme.icon(name))
            self._actions[name].setIconVisibleInMenu(False)

    def refresh(self) -> None:
        """Show what can be done now and why the rest cannot."""
        session = self._session
        self._actions["run"].setIconText("Continue" if session.continues else "Run")
        self._actions["continue"].setIconText("Continue")
        self._buttons["continue"].setVisible(not session.continues)
        self._actions["pause"].setIconText("Resume" if session.paused else "Pause")
        said = [(reason.action, reason.text) for reason in session.reasons()]
        if session.running is not None and not session.shows_running:
            said.insert(0, ("show_running", f"{session.running.name} is going on"))
        self.reason.setText("&nbsp;·&nbsp;".join(f'<a href="{action}">{_escaped(text)}</a>' for action, text in said))
        self.reason.setVisible(bool(said))
        self._show_progress()

    def _show_progress(self) -> None:
        run = self._session.current_run
        snapshot = run.snapshot if run is not None else None
        running = run is not None and run is self._session.running
        self.progress.setVisible(snapshot is not None or running)
        if run is None or snapshot is None:
            self.progress.setRange(0, 0 if running else 1)
            self.progress.setFormat("")
            doing = "Stopping…" if self._session.stopping else run.doing if run is not None else ""
            self.figures.setText(doing or "Preparing the run…" if running else "")
            return
        self.progress.setRange(0, max(snapshot.epochs, 1))
        self.progress.setValue(min(snapshot.epoch, snapshot.epochs))
        text = f"epoch {snapshot.epoch} of {snapshot.epochs}{stage_text(run.job, snapshot)}"
        self.progress.setFormat(text)
        needed = self.progress.fontMetrics().horizontalAdvance(text) + 2 * EDGE_PX
        self.progress.setMinimumWidth(min(max(SHORTEST_PX, needed), LONGEST_PX))
        state = "Stopping…" if self._session.stopping else "paused" if self._session.paused else ""
        self.figures.setText(figures(snapshot, running, state))


def stage_text(job: Job, snapshot: Snapshot) -> str:
    """Which stage is at work, where there are several; else ''."""
    count = len(job.stages)
    if count == 1:
        return ""
    at = min(snapshot.stage, count - 1)
    return f"  ·  stage {at + 1} of {count}, {job.stages[at].kind}"


def figures(snapshot: Snapshot, running: bool, state: str) -> str:
    """Time left, or a running job's `state`, seconds per epoch, device, memory; in one line."""
    left_s = max(snapshot.epochs - snapshot.epoch, 0) * snapshot.seconds_per_epoch
    if running and state:
        first = state
    elif running and snapshot.doing:
        first = snapshot.doing
    elif running:
        first = f"{duration(left_s)} left" if snapshot.seconds_per_epoch else "time left not known yet"
    else:
        first = f"{snapshot.ended or 'ended'} after {duration(snapshot.seconds)}"
    pace = f"{snapshot.seconds_per_epoch:.3g} s per epoch" if snapshot.seconds_per_epoch else ""
    memory = f"{snapshot.memory_bytes / 1e6:.0f} MB" if snapshot.memory_bytes else ""
    return "  ·  ".join(part for part in (first, pace, snapshot.device, memory) if part)


def duration(seconds: float) -> str:
    """A time for people: `12 s`, `3:05 min`, `1:02:03 h`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02} h"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
