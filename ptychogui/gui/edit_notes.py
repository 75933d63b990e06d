"""A rating or a note of a run, for the undo stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtGui import QUndoCommand

from ptychogui.gui.opened import Run
from ptychogui.types import Notes

if TYPE_CHECKING:
    from ptychogui.gui.session import Session


class EditNotes(QUndoCommand):
    """Other notes for a run."""

    def __init__(self, session: Session, run: Run, notes: Notes) -> None:
        super().__init__(f"rating of {run.name}" if notes.text == run.notes.text else f"note of {run.name}")
        self._session, self._run, self._old, self._new = session, run, run.notes, notes

    def redo(self) -> None:
        """Make the change."""
        self._session.apply_notes(self._run, self._new)

    def undo(self) -> None:
        """Take the change back."""
        self._session.apply_notes(self._run, self._old)
