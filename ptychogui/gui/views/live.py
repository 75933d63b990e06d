"""A source of frames: its form, how it is now, what came of the scan, and what is wrong with it."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, cast

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ptychogui.gui.forms import ParamsForm
from ptychogui.gui.live_settings import Listening, keep_listening, last_listening
from ptychogui.gui.views.base import View
from ptychogui.gui.views.live_figures import FIGURES, TIPS, WRONG, StateLine, figures, show_progress

if TYPE_CHECKING:
    from ptychogui.gui.live import Status

BUTTONS = (("live_connect", "Connect"), ("live_disconnect", "Disconnect"), ("live_room", "Control room"))
BUTTON_TIPS = {
    "live_connect": "Attach to the source, and reconstruct its scans while they are running",
    "live_disconnect": "Leave the source; what has come stays",
    "live_room": "Picture, state and warnings on the whole screen",
}


class LiveView(View):
    """Shows the last status that it was told; what its buttons ask for is done elsewhere."""

    changed = pyqtSignal(object)
    """The user changed the form: the new Listening."""
    action_wanted = pyqtSignal(str)
    """The id of the action whose button was pressed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._status: Status | None = None
        self.form = ParamsForm(last_listening(), parent=self)
        self.form.setObjectName("live_form")
        self.form.changed.connect(lambda new, _: self.take(new))
        self.form.problem_changed.connect(lambda _: self._show_source())
        self.address, self.caution = self._text("live_address", "dim"), self._text("live_caution", "doubt")
        self.address.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.buttons = {name: self._button(name, text) for name, text in BUTTONS}
        self.buttons["live_connect"].setProperty("primary", True)
        self.state = StateLine(self)
        self.error = self._text("live_error", "problem")
        self.scan = self._text("live_scan", "heading")
        self.progress = QProgressBar(self)
        self.progress.setObjectName("live_progress")
        self.figures = {name: self._figure(name) for name in FIGURES}
        self.saved = self._text("live_saved", "dim")
        self.warnings, self.said = self._text("live_warnings", "doubt"), self._text("live_said", "dim")
        self._lay_out()
        self._show_source()

    def _text(self, name: str, role: str) -> QLabel:
        label = QLabel(self)
        label.setObjectName(name)
        label.setProperty("role", role)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.hide()
        return label

    def _button(self, name: str, text: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(f"{name}_button")
        button.setToolTip(BUTTON_TIPS[name])
        button.clicked.connect(partial(self.action_wanted.emit, name))
        return button

    def _figure(self, name: str) -> QLabel:
        label = QLabel("–", self)
        label.setObjectName(f"live_{name.lower()}")
        label.setToolTip(TIPS[name])
        label.setWordWrap(True)
        return label

    def _lay_out(self) -> None:
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(8)
        row = QHBoxLayout()
        for button in self.buttons.values():
            row.addWidget(button)
        row.addStretch(1)
        grid = QGridLayout()
        grid.setColumnStretch(1, 1)
        grid.setHorizontalSpacing(14)
        for number, (name, label) in enumerate(self.figures.items()):
            title = QLabel(name, self)
            title.setProperty("role", "dim")
            title.setToolTip(TIPS[name])
            grid.addWidget(title, number, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(label, number, 1)
        column.addWidget(self.form)
        column.addWidget(self.address)
        column.addWidget(self.caution)
        column.addLayout(row)
        column.addWidget(self.state)
        column.addWidget(self.error)
        column.addWidget(self.scan)
        column.addWidget(self.progress)
        column.addWidget(self.warnings)
        column.addLayout(grid)
        column.addWidget(self.saved)
        column.addWidget(self.said)
        column.addStretch(1)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)

    # the form

    @property
    def listening(self) -> Listening:
        """What the form says, with what is being typed taken up where it fits."""
        return cast("Listening", self.form.params)

    def take(self, listening: Listening) -> None:
        """Remember what the form says, and tell of it."""
        keep_listening(listening)
        self._show_source()
        self.changed.emit(listening)

    def _show_source(self) -> None:
        source = cast("Listening", self.form.params).source
        _say(self.address, f"Address: {source.address}    Example: {source.example}")
        _say(self.caution, source.caution)

    # how it is

    def show_status(self, status: Status) -> None:
        """Show how the source is; drawn when it is seen."""
        self._status = status
        self._draw_in_turn()

    def draw(self) -> None:
        """Show the last status."""
        status = self._status
        if status is None:
            return
        self.state.show_state(status.state)
        _say(self.error, status.error)
        _say(self.scan, status.scan)
        show_progress(self.progress, status.counters)
        found = figures(status)
        for name, label in self.figures.items():
            text = found.get(name, "–")
            if label.text() != text:
                label.setText(text)
                _dress(label, "doubt" if name in WRONG and text not in ("0", "–") else "")
        _say(self.saved, f"Saved: {status.saved}" if status.saved else "")
        _say(self.warnings, "\n".join(f"⚠ {text}" for text in status.warnings))
        _say(self.said, "\n".join(f"{_clock(when)}  {text}" for when, text, _ in status.said))

    def show_enabled(self, name: str, why_not: str) -> None:
        """Let a button be pressed, or say why it cannot be."""
        button = self.buttons[name]
        button.setEnabled(not why_not)
        button.setToolTip(why_not or BUTTON_TIPS[name])

    def fit(self) -> None:
        """It has no range."""


def _say(label: QLabel, text: str) -> None:
    """Show a text; an empty one takes no room."""
    if label.text() != text or label.isHidden() == bool(text):
        label.setText(text)
        label.setVisible(bool(text))


def _dress(label: QLabel, role: str) -> None:
    if label.property("role") != role:
        label.setProperty("role", role)
        style = label.style()
        if style is not None:
            style.polish(label)


def _clock(when: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(when))
