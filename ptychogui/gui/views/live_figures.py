"""The state of a live source in colour, how far the scan is, and the counters, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QWidget

from ptychogui.gui import theme
from ptychogui.gui.run_bar import duration

if TYPE_CHECKING:
    from ptychogui.gui.live import Status
    from ptychogui.live.buffer import Counters

WORDS: Mapping[str, tuple[str, str]] = {
    "disconnected": ("dim", "no source is listened to"),
    "connecting": ("accent", "the source has not answered yet"),
    "waiting": ("accent", "for a scan to begin"),
    "receiving": ("good", "frames come"),
    "stalled": ("warning", "no frames come any more"),
    "ended": ("accent", "the scan is over; waiting for the next one"),
    "finished": ("dim", "the source has no more scans"),
    "failed": ("error", "see the sentence below"),
    "stopped": ("dim", "no source is listened to"),
}
"""For each state the name of its colour in the theme, and what it means."""


class StateLine(QWidget):
    """A spot in the colour of the state, its name, and what it means."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("live_state")
        self.state = ""
        self._spot = Spot(self)
        self.name, self.meaning = QLabel(self), QLabel(self)
        self.name.setObjectName("live_state_name")
        self.name.setProperty("role", "heading")
        self.meaning.setProperty("role", "dim")
        self.meaning.setWordWrap(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._spot)
        row.addWidget(self.name)
        row.addWidget(self.meaning, 1)

    def show_state(self, state: str) -> None:
        """Show another state."""
        if state != self.state:
            self.state = state
            colour, meaning = WORDS[state]
            self._spot.show_colour(colour)
            self.name.setText(state)
            self.meaning.setText(meaning)


class Spot(QWidget):
    """A disc as high as the text beside it, in a colour of the theme."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = "dim"
        side = self.fontMetrics().height()
        self.setFixedSize(side, side)

    def show_colour(self, name: str) -> None:
        """Take another colour."""
        self._colour = name
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the disc."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(getattr(theme.colours(), self._colour)))
        margin = 0.12 * self.width()
        painter.drawEllipse(QRectF(self.rect()).adjusted(margin, margin, -margin, -margin))
        painter.end()


def show_progress(bar: QProgressBar, counters: Counters | None) -> None:
    """Fill a bar with what was received of what is expected."""
    if counters is None:
        bar.setRange(0, 1)
        bar.setValue(0)
        bar.setFormat("no scan yet")
    elif counters.expected is None:
        bar.setRange(0, 1)
        bar.setValue(0)
        bar.setFormat(f"{counters.received} frames, of nobody knows how many")
    else:
        bar.setRange(0, max(counters.expected, 1))
        bar.setValue(min(counters.received, counters.expected))
        share = 100 * counters.received / max(counters.expected, 1)
        bar.setFormat(f"{counters.received} of {counters.expected} frames · {share:.0f} %")


def figures(status: Status) -> dict[str, str]:
    """Rate, lag and counters by their names, as people read them."""
    counters = status.counters
    if counters is None:
        return {}
    behind = max(counters.ready - status.used, 0)
    age = f", the last one came {_short(counters.age_s)} ago" if counters.received and not status.over else ""
    return {
        "Rate": f"{counters.rate:.0f} frames/s",
        "Lag": f"{behind} not worked in yet{age}",
        "Received": str(counters.received),
        "Used": str(status.used),
        "Missing": str(counters.missing),
        "Late": str(counters.late),
        "Doubled": str(counters.doubled),
        "Refused": str(counters.refused),
        "Lost": str(counters.lost),
    }


def _short(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


FIGURES = ("Rate", "Lag", "Received", "Used", "Missing", "Late", "Doubled", "Refused", "Lost")
WRONG = ("Missing", "Refused", "Lost")
"""What stands in the colour of a warning where it is not 0."""
TIPS = {
    "Rate": "Frames that came in the last two seconds, per second",
    "Lag": "Complete frames that the run has not taken in yet, and how long ago the last frame came",
    "Received": "Frames that are kept",
    "Used": "Frames that the run works with",
    "Missing": "Numbers below the highest that never came, and at the end those that were expected",
    "Late": "Frames that came after one with a higher number; they are used",
    "Doubled": "Frames that came again; the first one counts",
    "Refused": "Frames of a wrong shape or type, or for which there was no memory",
    "Lost": "Frames that the source said it could not read",
}
