"""Reads one frame at a time beside the window; only the last wish counts."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
from PyQt6.QtCore import QObject, pyqtSignal

from ptychogui.types import Dataset, Real


class FrameReader(QObject):
    """A mailbox of one on either side of a thread: `ready` carries no data, `take` fetches it."""

    ready = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._wish: tuple[Dataset, int] | None = None
        self._frame: tuple[Dataset, int, Real] | None = None
        self._error = ""
        self._busy = False
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="frames")

    def ask(self, dataset: Dataset, index: int) -> None:
        """Wish for a frame; a wish that was not begun is forgotten."""
        with self._lock:
            self._wish = dataset, index
            begin, self._busy = not self._busy, True
        if begin:
            self._pool.submit(self._read)

    def take(self) -> tuple[tuple[Dataset, int, Real] | None, str]:
        """The frame that was read last with its dataset and number, and what went wrong ('' if nothing)."""
        with self._lock:
            return self._frame, self._error

    def _read(self) -> None:
        """Fulfil wishes until there is none; runs in the thread."""
        while True:
            with self._lock:
                wish, self._wish = self._wish, None
                self._busy = wish is not None
            if wish is None:
                return
            dataset, index = wish
            frame, error = None, ""
            try:
                values = np.asarray(dataset.frames[index], np.float32).reshape(dataset.frames.shape[1:])
                frame = dataset, index, values
            except Exception as problem:  # noqa: BLE001 - told in the window, whatever a file may do
                error = f"Frame {index} could not be read: {problem}"
            with self._lock:
                self._frame, self._error = frame, error
            with suppress(RuntimeError):  # the view may have gone meanwhile
                self.ready.emit()
