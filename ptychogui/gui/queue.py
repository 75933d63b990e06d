"""The runs that wait for the one that is going on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer

from ptychogui.gui.edit_runs import AddRun, MoveRun
from ptychogui.gui.opened import Opened, Run
from ptychogui.io.data import Data
from ptychogui.job import Job
from ptychogui.types import Dataset, Result

if TYPE_CHECKING:
    from ptychogui.gui.session import Session


class Queue(QObject):
    """Runs in the order in which they begin; each keeps the job and the start with which it was put here."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self.waiting: list[tuple[Opened, Run]] = []
        self._read: Run | None = None
        session.ended.connect(lambda _: self.go_on())
        session.resolution.changed.connect(self.go_on)

    def add(self, opened: Opened, job: Job, initial: Result | None = None, parent: str = "") -> Run:
        """Put a run at the end; it begins at once where nothing is going on, and otherwise this can be undone."""
        run, session = opened.next_run(job, initial, parent), self._session
        if self.waiting or session.running is not None or session.resolution.running:
            session.undo.push(AddRun(session, opened, run))
        else:
            self.waiting.append((opened, run))
            self._tell()
        self.go_on()
        return run

    def put(self, opened: Opened, run: Run, place: int | None = None) -> None:
        """Let a run of a file wait behind so many others, or at the end; it may begin as soon as this has returned."""
        self.waiting.insert(len(self.waiting) if place is None else place, (opened, run))
        self._tell()
        QTimer.singleShot(0, self.go_on)

    def place(self, run: Run | None) -> int | None:
        """How many begin before this one; None where it does not wait."""
        return next((place for place, (_, other) in enumerate(self.waiting) if other is run), None)

    def take(self, run: Run) -> None:
        """Let a run not begin."""
        place = self.place(run)
        if place is not None:
            self.waiting.pop(place)
            self._tell()

    def clear(self, opened: Opened | None = None) -> None:
        """Let none begin, or none of a file; they go from their files too, for good."""
        for entry in [entry for entry in self.waiting if opened is None or entry[0] is opened]:
            self.waiting.remove(entry)
            entry[0].runs.remove(entry[1])
            self._session.undo.forget(entry[1])
        self._tell()

    def move(self, run: Run, by: int) -> None:
        """Let a run begin one place earlier (-1) or later (1); can be undone."""
        place = self.place(run)
        if place is not None and 0 <= place + by < len(self.waiting):
            opened, other = self.waiting[place][0], self.waiting[place + by][1]
            self._session.undo.push(MoveRun(self._session, opened, run, other))

    def exchange(self, run: Run, other: Run) -> None:
        """Let two waiting runs change places."""
        first, second = self.place(run), self.place(other)
        if first is not None and second is not None:
            self.waiting[first], self.waiting[second] = self.waiting[second], self.waiting[first]
            self._tell()

    def go_on(self) -> None:
        """Begin the first, if nothing is going on; its data are read anew where they have changed since."""
        session = self._session
        if not self.waiting or session.running is not None or session.resolution.running or session.tasks.closing:
            return
        opened, run = self.waiting[0]
        if opened.dataset is not None and not opened.reading and not opened.problem and run.job.data == opened.job.data:
            self._begin(run, opened.dataset)
        elif self._read is not run:
            self._read = run
            done, failed = partial(self._data_read, run), partial(self._data_not_read, run)
            session.tasks.run(opened.reader(run.job.data), done, failed)

    def _data_read(self, run: Run, found: tuple[Data, Dataset]) -> None:
        self._read = None
        if self.place(run) == 0 and self._session.running is None:
            self._begin(run, found[1])
        else:
            self.go_on()

    def _data_not_read(self, run: Run, sentence: str, details: str) -> None:
        self._read = None
        place = self.place(run)
        if place is not None:
            self.waiting.pop(place)
            run.state = "failed"
            self._session.undo.forget(run)
            self._session.tell("error", f"{run.name}: {sentence}", details)
            self._tell()
        self.go_on()

    def _begin(self, run: Run, dataset: Dataset) -> None:
        opened, _ = self.waiting.pop(0)
        self._number()
        self._session.undo.forget(run)
        self._session.begin(opened, run, dataset)

    def _number(self) -> None:
        for place, (_, run) in enumerate(self.waiting):
            run.state = "queued, next" if place == 0 else f"queued, number {place + 1}"

    def _tell(self) -> None:
        self._number()
        self._session.tree_changed.emit()
        self._session.state_changed.emit()
