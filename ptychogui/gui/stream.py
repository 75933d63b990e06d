"""A generator at work beside the window: of what it yields only the latest waits to be shown."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Generic, TypeVar

from PyQt6.QtCore import QObject, pyqtSignal

from ptychogui.gui.tasks import Tasks

T = TypeVar("T")


class _Signals(QObject):
    changed = pyqtSignal()
    ended = pyqtSignal()


class Stream(Generic[T]):
    """Runs one generator at a time in a thread; `changed` and `ended` are sent in the window's, without data.

    It belongs to no widget, so that a dialog may go while its generator comes to the next item, where it ends.
    """

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._signals = _Signals()
        self.changed, self.ended = self._signals.changed, self._signals.ended
        self._lock = threading.Lock()
        self._waiting: list[T] = []
        self._stop = threading.Event()
        self.item: T | None = None
        """The latest of what was yielded."""
        self.running = False
        self.problem = ""
        """Why it ended too early, in one sentence."""

    @property
    def stopping(self) -> bool:
        """Whether it was told to end and has not ended yet."""
        return self.running and self._stop.is_set()

    @property
    def stopped(self) -> bool:
        """Whether it was told to end."""
        return self._stop.is_set()

    def start(self, make: Callable[[], Generator[T, None, object]]) -> None:
        """Run the generator that `make`, called in the thread, gives; one that runs already goes on instead."""
        if self.running:
            return
        self._stop.clear()
        self._waiting.clear()
        self.item, self.problem, self.running = None, "", True
        self._tasks.run(lambda: self._drive(make), lambda _: self._end(""), lambda sentence, _: self._end(sentence))

    def stop(self) -> None:
        """End it at its next item; the last one stays."""
        self._stop.set()

    def _drive(self, make: Callable[[], Generator[T, None, object]]) -> None:
        with closing(make()) as steps:
            for item in steps:
                with self._lock:
                    first = not self._waiting
                    self._waiting[:] = [item]
                if first:
                    self._tasks.post(self._take)
                if self._stop.is_set() or self._tasks.closing:
                    return

    def _take(self) -> None:
        with self._lock:
            found = self._waiting[:]
            self._waiting.clear()
        if found:
            self.item = found[0]
            self.changed.emit()

    def _end(self, problem: str) -> None:
        self._take()
        self.problem, self.running = problem, False
        self.ended.emit()
