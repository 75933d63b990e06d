"""What is done with runs in tree and queue, for the undo stack, and the stack, which forgets what is over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QUndoCommand, QUndoStack

from ptychogui.gui.opened import Opened, Run

if TYPE_CHECKING:
    from ptychogui.gui.session import Session


class RunEdit(QUndoCommand):
    """An edit of one run; where it took the run away, the run is kept here, to come back."""

    def __init__(self, session: Session, opened: Opened, run: Run, what: str) -> None:
        super().__init__(f"{what} of {run.name}")
        self._session, self._opened, self.run = session, opened, run

    @property
    def away(self) -> bool:
        """Whether the run is only here."""
        return self.run not in self._opened.runs

    def concerns(self, run: Run) -> bool:
        """Whether this is over once a run has left the queue."""
        return run is self.run

    def _take(self) -> None:
        """Take the run out of tree and queue; if it was selected, its neighbour is."""
        session, runs = self._session, self._opened.runs
        session.queue.take(self.run)
        place = runs.index(self.run)
        runs.remove(self.run)
        if self.run is session.current_run:
            session.select(self._opened, runs[min(place, len(runs) - 1)] if runs else None)
        session.tree_changed.emit()


class AddRun(RunEdit):
    """A run is put at the end of the queue."""

    def __init__(self, session: Session, opened: Opened, run: Run) -> None:
        super().__init__(session, opened, run, "queueing")

    def redo(self) -> None:
        """Let it wait."""
        if self.away:
            self._opened.runs.append(self.run)
        self._session.queue.put(self._opened, self.run)

    def undo(self) -> None:
        """Let it not begin."""
        self._take()


class MoveRun(RunEdit):
    """A waiting run changes places with one that is next to it."""

    def __init__(self, session: Session, opened: Opened, run: Run, other: Run) -> None:
        super().__init__(session, opened, run, "move")
        self._other = other

    def concerns(self, run: Run) -> bool:
        """Whether one of the two has left the queue."""
        return run in (self.run, self._other)

    def redo(self) -> None:
        """Let both change places."""
        self._session.queue.exchange(self.run, self._other)

    def undo(self) -> None:
        """Let both change places again."""
        self.redo()


class RemoveRun(RunEdit):
    """A run is taken away; with its result, its history and its place."""

    def __init__(self, session: Session, opened: Opened, run: Run) -> None:
        super().__init__(session, opened, run, "removal")
        self._place = opened.runs.index(run)
        place = session.queue.place(run)
        self._waited = place is not None
        self._before = [other for _, other in session.queue.waiting[:place]]

    def redo(self) -> None:
        """Take it away."""
        self._take()

    def undo(self) -> None:
        """Put it back, into the queue behind those of its predecessors that still wait."""
        session = self._session
        self._opened.runs.insert(self._place, self.run)
        if self._waited:
            session.queue.put(self._opened, self.run, sum(run in self._before for _, run in session.queue.waiting))
        session.select(self._opened, self.run)
        session.tree_changed.emit()


class UndoStack(QUndoStack):
    """Undo and redo of everything that the user edits; what can be neither any more is skipped, and not shown."""

    moved = pyqtSignal()
    """Something was done, undone, redone or forgotten; unlike `indexChanged`, not when the stack itself ends."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.indexChanged.connect(self._skip)  # a method: Qt sends this from the stack's end, too

    def forget(self, run: Run) -> None:
        """A run has left the queue by itself: what was done with it there can be undone no more."""
        for edit in self._run_edits():
            if edit.concerns(run):
                edit.setObsolete(True)
        self._skip()

    @property
    def away(self) -> list[Run]:
        """The runs that undo or redo would bring back."""
        return [edit.run for edit in self._run_edits() if edit.away]

    def commands(self) -> Iterator[QUndoCommand]:
        """What was done, and then what was undone."""
        for place in range(self.count()):
            command = self.command(place)
            assert command is not None
            yield command

    def _run_edits(self) -> list[RunEdit]:
        return [command for command in self.commands() if isinstance(command, RunEdit)]

    def _skip(self, _: int = 0) -> None:
        """Let what is obsolete leave at both sides; Qt does not tell when that changes what comes next."""
        while self.canUndo() and self._obsolete(self.index() - 1):
            self.undo()
        skipped = False
        while self.canRedo() and self._obsolete(self.index()):
            self.redo()
            skipped = True
        if skipped:
            self.canRedoChanged.emit(self.canRedo())
            self.redoTextChanged.emit(self.redoText())
        self.moved.emit()

    def _obsolete(self, place: int) -> bool:
        command = self.command(place)
        return command is not None and command.isObsolete()
