"""A dialog in which something is worked out step by step, watched, and stopped."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Generator
from typing import Any

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QDialog, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from ptychogui.gui.stream import Stream
from ptychogui.gui.tasks import Tasks


class StreamDialog(QDialog):
    """Start, Stop and Close under what a subclass puts into `content`; closing stops the work."""

    def __init__(self, tasks: Tasks, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.stream: Stream[Any] = Stream(tasks)
        self.stream.changed.connect(self._changed)
        self.stream.ended.connect(self._ended)
        self.content = QVBoxLayout()
        self.problem = QLabel(self)
        self.problem.setObjectName("problem")
        self.problem.setProperty("role", "problem")
        self.problem.setWordWrap(True)
        self.progress = QProgressBar(self)
        self.progress.setObjectName("stream_progress")
        self.progress.setMinimumWidth(180)
        self.start_button = self.button("start", "Start", self.start)
        self.start_button.setProperty("primary", True)
        self.stop_button = self.button("stop_stream", "Stop", self.stop)
        self.close_button = self.button("close", "Close", self.reject)
        self.start_button.setToolTip("Begin, or begin anew")
        self.stop_button.setToolTip("End at the next step; what was found stays")
        self.close_button.setToolTip("Close this dialog; what is still going on ends")
        self.own_buttons = QHBoxLayout()
        row = QHBoxLayout()
        row.addWidget(self.start_button)
        row.addWidget(self.stop_button)
        row.addWidget(self.progress, 100)
        row.addStretch(1)
        row.addLayout(self.own_buttons)
        row.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.addLayout(self.content, 1)
        column.addWidget(self.problem)
        column.addLayout(row)

    def button(self, name: str, text: str, slot: Callable[[], object]) -> QPushButton:
        """A button of this dialog; Return presses none of them by chance."""
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAutoDefault(False)
        button.clicked.connect(lambda _: slot())
        return button

    @abstractmethod
    def begin(self) -> Callable[[], Generator[Any, None, object]] | None:
        """What gives the generator, called in a thread; None where something is missing, which `problem` then says."""

    @abstractmethod
    def show_item(self, item: Any) -> None:
        """Show the latest of what the generator has yielded."""

    def dress(self) -> None:
        """Show what can be done now."""
        running = self.stream.running
        self.start_button.setEnabled(not running)
        self.stop_button.setEnabled(running and not self.stream.stopping)
        self.stop_button.setText("Stopping…" if self.stream.stopping else "Stop")
        self.progress.setVisible(running)
        self.problem.setVisible(bool(self.problem.text()))

    def show_progress(self, done: float, text: str = "") -> None:
        """How much is done, 0 to 1, and what is done now."""
        self.progress.setRange(0, 1000)
        self.progress.setValue(round(1000 * done))
        self.progress.setFormat(text or "%p %")

    def start(self) -> None:
        """Begin, or begin anew."""
        self.problem.setText("")
        make = self.begin()
        if make is not None:
            self.progress.setRange(0, 0)
            self.stream.start(make)
        self.dress()

    def stop(self) -> None:
        """End at the next step; what was found stays."""
        self.stream.stop()
        self.dress()

    def done(self, result: int) -> None:
        """Close; the work ends at its next step."""
        self.stream.stop()
        super().done(result)

    def _changed(self) -> None:
        self.show_item(self.stream.item)
        self.dress()

    def _ended(self) -> None:
        self.problem.setText(self.stream.problem)
        self.dress()
