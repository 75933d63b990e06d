"""The log: what the program says by Python's logging, with times, in a dock."""

from __future__ import annotations

import logging
import threading
from collections import deque

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QPlainTextEdit, QWidget


class LogLines(logging.Handler):
    """Keeps lines from any thread until the window takes them; a signal without data says that there are some."""

    class _Bell(QObject):
        rung = pyqtSignal()

    def __init__(self, kept: int = 5000) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter("%(asctime)s  %(levelname)-7s  %(message)s", "%H:%M:%S"))
        self._bell = self._Bell()
        self.rung = self._bell.rung
        self._lines: deque[str] = deque(maxlen=kept)
        self._lines_lock = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record, as logging asks of a handler."""
        line = self.format(record)
        with self._lines_lock:
            self._lines.append(line)
            first = len(self._lines) == 1
        if first:
            self.rung.emit()

    def take(self) -> list[str]:
        """The lines that nobody has seen."""
        with self._lines_lock:
            lines = list(self._lines)
            self._lines.clear()
        return lines


class LogView(QPlainTextEdit):
    """Shows the lines of the program's own loggers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("log_text")
        self.setReadOnly(True)
        self.setMaximumBlockCount(5000)
        self._lines = LogLines()
        self._lines.rung.connect(self._show)
        logger = logging.getLogger("ptychogui")
        logger.setLevel(min(logger.getEffectiveLevel(), logging.INFO))
        logger.addHandler(self._lines)

    def stop(self) -> None:
        """Listen no more; called when the window closes."""
        logging.getLogger("ptychogui").removeHandler(self._lines)

    def _show(self) -> None:
        lines = self._lines.take()
        if lines:
            self.appendPlainText("\n".join(lines))
