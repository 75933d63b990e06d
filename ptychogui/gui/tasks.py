"""Work beside the window: functions run in threads, and their results come back to the window's thread."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from PyQt6.QtCore import QObject, pyqtSignal

from ptychogui.params import InputError, RunError

T = TypeVar("T")
Failed = Callable[[str, str], None]
"""Called with one sentence and the details behind it ('' where the sentence says all)."""


def told(error: BaseException) -> tuple[str, str]:
    """An error as one sentence and, where it is not the user's fault, the details for a report."""
    if isinstance(error, InputError | RunError):
        return str(error), ""
    details = "".join(traceback.format_exception(error))
    if isinstance(error, MemoryError):
        return "There is not enough memory for this: crop or bin the frames, or close other programs.", details
    if isinstance(error, OSError) and error.strerror:
        where = f" '{error.filename}'" if error.filename else ""
        return f"{error.strerror}{where}: check the file, its folder and the free space there.", details
    first = str(error).strip().splitlines()[0] if str(error).strip() else ""
    return (
        f"The program met an error it did not expect ({type(error).__name__}{': ' + first if first else ''}).",
        details,
    )


class Tasks(QObject):
    """Runs functions in a few threads; the signal that wakes the window carries no data."""

    _woken = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="task")
        self._ready: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._closing = threading.Event()
        self._woken.connect(self._drain)
        self.waiting = 0
        """How many functions have not come back yet."""

    @property
    def closing(self) -> bool:
        """Whether the window is going; long functions look at this and return."""
        return self._closing.is_set()

    def run(self, function: Callable[[], T], done: Callable[[T], None], failed: Failed) -> None:
        """Run `function` in a thread, then `done` with its result or `failed` in the window's; nothing when closing."""

        def finished(future: Future[T]) -> None:
            if not future.cancelled():
                self.post(lambda: self._settle(future, done, failed))

        if self.closing:
            return
        self.waiting += 1
        self._pool.submit(function).add_done_callback(finished)

    def post(self, call: Callable[[], None]) -> None:
        """From any thread: have `call` made in the window's thread."""
        if not self.closing:
            self._ready.put(call)
            self._woken.emit()

    def close(self) -> None:
        """Forget what has not begun; what runs is left to end."""
        self._closing.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _settle(self, future: Future[Any], done: Callable[[Any], None], failed: Failed) -> None:
        self.waiting -= 1
        error = future.exception()
        if error is None:
            done(future.result())
            return
        failed(*told(error))

    def _drain(self) -> None:
        while True:
            try:
                call = self._ready.get_nowait()
            except Empty:
                return
            call()
