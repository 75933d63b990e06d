"""The tables of positions that edits have written beside the data; one to which nothing leads back is deleted."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject

from ptychogui.gui.edit_job import EditJob
from ptychogui.gui.project_file import Project
from ptychogui.io.data import Data

if TYPE_CHECKING:
    from ptychogui.gui.session import Session

Stamp = tuple[int, int]
"""Time and size by which a file is known to be as it was written."""


class Tables(QObject):
    """Knows which tables were written here, and which of them files, runs, undo and redo, or saved files name."""

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._written: dict[Path, Stamp] = {}
        self._kept: set[Path] = set()
        self._in_projects: dict[Path, set[Path]] = {}
        session.data_kept.connect(self._keep)
        session.undo.moved.connect(self.sweep)

    def add(self, data: Data, stamp: Stamp) -> None:
        """A table was written for these data."""
        self._written.update(dict.fromkeys(_named(data), stamp))

    def _keep(self, data: Data) -> None:
        """A file that stays names the table of these data."""
        self._kept |= _named(data)

    def project_saved(self, path: Path, project: Project) -> None:
        """A project names these tables now, and no others any more."""
        jobs = [job for scan in project.scans for job in (scan.job, *(run.job for run in scan.runs))]
        self._in_projects[path] = {table for job in jobs for table in _named(job.data)}
        self.sweep()

    def sweep(self) -> None:
        """Delete, in a thread, what nothing leads back to."""
        lost = {} if self._session.tasks.closing else self._lost(undo=True)
        if lost:
            self._session.tasks.run(partial(_delete, lost), lambda _: None, partial(self._session.tell, "error"))

    def end(self) -> None:
        """The window closes, so nothing can be undone any more."""
        _delete(self._lost(undo=False))

    def _lost(self, undo: bool) -> dict[Path, Stamp]:
        """The tables that nothing names; they are not counted as written any more."""
        used = self._kept.union(*self._in_projects.values())
        for opened in self._session.opened:
            used |= _named(opened.job.data)
        if undo:
            runs = [*self._session.undo.away, *(run for opened in self._session.opened for run in opened.runs)]
            edits = [edit for edit in self._session.undo.commands() if isinstance(edit, EditJob)]
            for job in (*(run.job for run in runs), *(job for edit in edits for job in edit.jobs)):
                used |= _named(job.data)
        lost = {path: stamp for path, stamp in self._written.items() if path not in used}
        self._written = {path: stamp for path, stamp in self._written.items() if path in used}
        return lost


def stamp_of(path: str | Path) -> Stamp:
    """Time and size of a file. Raises `OSError` where there is none."""
    found = Path(path).stat()
    return found.st_mtime_ns, found.st_size


def _named(data: Data) -> set[Path]:
    return {Path(data.positions).expanduser().absolute()} if data.positions else set()


def _delete(tables: dict[Path, Stamp]) -> None:
    """Delete tables, except those that someone has changed since."""
    for path, stamp in tables.items():
        if path.exists() and stamp_of(path) == stamp:
            path.unlink(missing_ok=True)
