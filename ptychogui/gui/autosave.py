"""What a crash would lose, saved every minute, and found again at the next start."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QLockFile, QObject, QTimer

from ptychogui.gui.opened import Run
from ptychogui.gui.project_file import SUFFIX, Kept, Writer, line_of, read_project
from ptychogui.gui.session import Session
from ptychogui.io import places
from ptychogui.params import InputError

EVERY_MS = 60_000
_SESSION = f"session{SUFFIX}"
_LOCK = "lock"


@dataclass(frozen=True)
class Lost:
    """A session that ended without being closed."""

    path: Path
    line: str


class Autosave(QObject):
    """Writes the session into a folder of its own, which a lock marks as in use; it goes when the window closes."""

    def __init__(self, session: Session, kept: Callable[[], Kept], parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._kept = session, kept
        self._folder = autosaves() / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{id(self):x}"
        self._writer = Writer(self._folder / _SESSION, apart=False)
        self._lock = QLockFile(str(self._folder / _LOCK))
        self._lock.setStaleLockTime(0)
        self._last: list[Any] = []
        self._busy = self._failing = False
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.write)

    @property
    def path(self) -> Path:
        """The project that is written."""
        return self._writer.path

    def begin(self) -> None:
        """Look once a minute, and when a run has ended, whether there is something new."""
        self._timer.start()
        self._session.ended.connect(self._run_ended)

    def _run_ended(self, run: Run) -> None:
        self.write()

    def write(self, then: Callable[[], object] = lambda: None) -> None:
        """Save what has changed since the last time, in a thread, without a word; `then` is called once it is there."""
        now = _parts(self._session)
        if self._busy or self._failing or _same(now, self._last):
            return
        self._busy, kept = True, self._kept()
        self._session.tasks.run(partial(self._write, kept), partial(self._written, now, then), self._failed)

    def _write(self, kept: Kept) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock.tryLock(0)
        self._writer.write(kept, iterates=False)

    def _written(self, now: list[Any], then: Callable[[], object], _: None) -> None:
        self._busy, self._last = False, now
        then()

    def _failed(self, sentence: str, details: str) -> None:
        self._busy, self._failing = False, True  # it would fail every minute
        self._session.tell("warning", f"Nothing is saved by itself any more: {sentence}", details)

    def end(self) -> None:
        """The window was closed, so nothing is lost."""
        self._timer.stop()
        self._lock.unlock()
        shutil.rmtree(self._folder, ignore_errors=True)

    def lost(self) -> list[Lost]:
        """The sessions that ended without being closed, the newest first."""
        found = []
        for path in sorted(autosaves().glob(f"*/{_SESSION}"), reverse=True):
            lock = QLockFile(str(path.parent / _LOCK))
            lock.setStaleLockTime(0)
            if path == self.path or not lock.tryLock(0):
                continue  # of a window that is open
            lock.unlock()
            try:
                project = read_project(path)
            except InputError:
                continue
            if not project.scans:
                continue
            when = time.strftime("%d %B %H:%M", time.localtime(path.stat().st_mtime))
            found.append(Lost(path, f"{line_of(project)}, {when}"))
        return found

    def discard(self, paths: list[Path]) -> None:
        """Delete what was left by sessions that ended without being closed."""
        for path in paths:
            if path.parent.parent == autosaves():
                shutil.rmtree(path.parent, ignore_errors=True)


def autosaves() -> Path:
    """The folder in which every window has a folder."""
    return places.state_folder() / "autosave"


def _parts(session: Session) -> list[Any]:
    """The unchangeable things of which the session is made; it has changed where one of them is another."""
    parts: list[Any] = []
    for opened in session.opened:
        parts += [opened, opened.job]
        for run in opened.runs:
            parts += [run, _result(run), run.notes, run.state]
    return parts


def _result(run: Run) -> Any:
    return run.result or (run.iterates[-1] if run.iterates else None)


def _same(new: list[Any], old: list[Any]) -> bool:
    return len(new) == len(old) and all(a is b or (isinstance(a, str) and a == b) for a, b in zip(new, old))
