"""Whether the open files are still where they were, and when they were written; looked at in a thread."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

if TYPE_CHECKING:
    from ptychogui.gui.files import Files

EVERY_MS = 5_000


@dataclass(frozen=True)
class Seen:
    """A file as it was seen last: `written_s` is the time of its last change since 1970, None where it is gone."""

    written_s: float | None

    @property
    def date(self) -> str:
        """The day on which it was written, and the time."""
        return "" if self.written_s is None else date_text(self.written_s)


def date_text(written_s: float) -> str:
    """A time as people write it, short."""
    return time.strftime("%d %b %Y %H:%M", time.localtime(written_s)).lstrip("0")


class Presence(QObject):
    """Looks every few seconds; a disk that does not answer keeps no more than one thread waiting."""

    changed = pyqtSignal()

    def __init__(self, files: Files) -> None:
        super().__init__(files)
        self._files = files
        self._seen: dict[str, Seen] = {}
        self._busy = False
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        files.tree_changed.connect(self._look_at_new)

    def of(self, path: str) -> Seen | None:
        """A file as it was seen last; None where nobody has looked yet."""
        return self._seen.get(path)

    def is_gone(self, path: str) -> bool:
        """Whether a file was looked for and not found."""
        seen = self._seen.get(path)
        return seen is not None and seen.written_s is None

    def _look_at_new(self) -> None:
        if any(path not in self._seen for path in self._paths()):
            self.look()

    def look(self) -> None:
        """Look at every open file and saved result."""
        paths = self._paths()
        if not self._busy and paths:
            self._busy = True
            self._files.tasks.run(partial(_look_at, paths), self._take, self._not_looked)

    def _paths(self) -> set[str]:
        opened = self._files.opened
        saved = {str(run.saved) for scan in opened for run in scan.runs if run.saved is not None}
        files = {scan.path for scan in opened if not scan.name}
        return {*saved, *files, *(scan.job.data.path for scan in opened)} - {""}

    def _take(self, seen: dict[str, Seen]) -> None:
        self._busy = False
        if seen != self._seen:
            self._seen = seen
            self.changed.emit()
        self._look_at_new()

    def _not_looked(self, sentence: str, details: str) -> None:
        self._busy = False


def _look_at(paths: Iterable[str]) -> dict[str, Seen]:
    return {path: Seen(_written_s(path)) for path in paths}


def _written_s(path: str) -> float | None:
    try:
        return Path(path).expanduser().stat().st_mtime
    except OSError:
        return None
