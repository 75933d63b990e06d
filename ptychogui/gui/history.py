"""The iterates of the selected run, and which of them is on show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
from PyQt6.QtCore import QObject, pyqtSignal

from ptychogui.gui.keeper import held_bytes
from ptychogui.gui.opened import Run
from ptychogui.types import Result

if TYPE_CHECKING:
    from ptychogui.gui.session import Session

MOST_BYTES = 2**30
_SHARE = 8
"""The iterates of all runs take at most 1 GiB, and no more than an eighth of the machine's memory."""


class History(QObject):
    """Looks back into a run: `place` counts its iterates, and is None where the latest state is shown."""

    changed = pyqtSignal()
    """There are more iterates, or another one is on show."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._run: Run | None = None
        self._known = 0
        self.place: int | None = None
        session.current_changed.connect(self._follow)
        session.snapshot_changed.connect(self._grow)

    @property
    def iterates(self) -> list[Result]:
        """What was kept of the selected run."""
        run = self._session.current_run
        return run.iterates if run is not None else []

    @property
    def shown(self) -> Result | None:
        """The iterate on show; None where it is the latest state."""
        return self.iterates[self.place] if self.place is not None and self.place < len(self.iterates) else None

    def look(self, place: int | None) -> None:
        """Show an iterate of the selected run; None, or a place behind the last, shows the latest state."""
        place = place if place is not None and 0 <= place < len(self.iterates) else None
        if place != self.place:
            self.place = place
            self.changed.emit()

    def why_no_branch(self) -> str:
        """Why no run can go on from the state on show; '' where one can."""
        run = self._session.current_run
        if run is None or (self.shown is None and run.result is None):
            return "Select a run that has kept iterates"
        reasons = self._session.reasons()
        return reasons[0].text if reasons else ""

    def branch(self) -> None:
        """Run the current job from the state on show."""
        run, shown = self._session.current_run, self.shown
        if run is not None and not self.why_no_branch():
            parent = run.name if shown is None else f"{run.name}, epoch {len(shown.loss)}"
            self._session.go_on(shown, parent)

    def room_bytes(self) -> float:
        """The memory that the iterates of one more run may take; short of it, those of removed and of old runs go."""
        limit = min(MOST_BYTES, psutil.virtual_memory().total / _SHARE)
        listed = [run for opened in self._session.opened for run in opened.runs]
        runs = [run for run in (*self._session.undo.away, *listed) if run.iterates]
        held = [sum(held_bytes(kept) for kept in run.iterates) for run in runs]
        while runs and sum(held) > limit / 2:
            runs.pop(0).iterates.clear()
            held.pop(0)
        self._grow()  # views let go of what is gone
        return limit - sum(held)

    def _follow(self) -> None:
        if self._session.current_run is not self._run:
            self._run, self.place = self._session.current_run, None
        self._known = len(self.iterates)
        self.changed.emit()

    def _grow(self) -> None:
        if len(self.iterates) != self._known:
            self._known = len(self.iterates)
            self.changed.emit()
