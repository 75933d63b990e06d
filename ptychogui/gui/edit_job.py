"""An edit of parameters or geometry, for the undo stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtGui import QUndoCommand

from ptychogui.gui.opened import Opened
from ptychogui.job import Job

if TYPE_CHECKING:
    from ptychogui.gui.session import Session


class EditJob(QUndoCommand):
    """A change of parameters or geometry that can be undone."""

    def __init__(self, session: Session, opened: Opened, job: Job, what: str) -> None:
        super().__init__(what)
        self._session, self._opened, self._old, self._new = session, opened, opened.job, job

    @property
    def jobs(self) -> tuple[Job, Job]:
        """The job before and the job after."""
        return self._old, self._new

    def redo(self) -> None:
        """Make the change."""
        self._session.apply(self._opened, self._new)

    def undo(self) -> None:
        """Take the change back."""
        self._session.apply(self._opened, self._old)
