"""Work for a view beside the window, of which only the last wish counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from PyQt6.QtCore import QObject, pyqtSignal

from ptychogui.gui.tasks import Failed, told

T = TypeVar("T")
Wish = tuple[int, Callable[[], Any], Callable[[Any], None], Failed]


class Latest(QObject):
    """One thread and a mailbox of one on either side of it: a wish that was not begun gives way to a later one.

    What a live run asks for faster than it can be worked out is thus shown as often as possible, and never queues.
    """

    _woken = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._wish: Wish | None = None
        self._made: tuple[Wish, Any, BaseException | None] | None = None
        self._busy = False
        self._generation = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="view")
        self._woken.connect(self._deliver)

    @property
    def waiting(self) -> bool:
        """Whether something is being worked out, or waits to be shown."""
        with self._lock:
            return self._busy or self._made is not None

    def run(self, function: Callable[[], T], done: Callable[[T], None], failed: Failed) -> None:
        """Have `function` called in the thread, then `done` with its result, or `failed`, in the window's."""
        with self._lock:
            self._wish = self._generation, function, done, failed
            begin, self._busy = not self._busy, True
        if begin:
            self._pool.submit(self._work)

    def forget(self) -> None:
        """Let nothing that was wished for so far be shown."""
        with self._lock:
            self._generation += 1
            self._wish = None

    def current(self, generation: int) -> bool:
        """Whether nothing was forgotten since; from any thread."""
        return generation == self._generation

    @property
    def generation(self) -> int:
        """Which wishes count now; long work asks `current` whether it still does."""
        return self._generation

    def _work(self) -> None:
        """Fulfil wishes until there is none; runs in the thread."""
        while True:
            with self._lock:
                wish, self._wish = self._wish, None
                self._busy = wish is not None
            if wish is None:
                return
            result, error = None, None
            try:
                result = wish[1]()
            except Exception as problem:  # noqa: BLE001 - told in the window
                error = problem
            with self._lock:
                self._made = wish, result, error
            with suppress(RuntimeError):  # the view may have gone meanwhile
                self._woken.emit()

    def _deliver(self) -> None:
        with self._lock:
            made, self._made = self._made, None
        if made is None:
            return
        (generation, _, done, failed), result, error = made
        if not self.current(generation):
            return
        if error is None:
            done(result)
        else:
            failed(*told(error))
