"""Measuring the resolution of a result: the job again on both halves of the frames, beside the window."""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

from ptychogui.gui.opened import Run
from ptychogui.gui.stream import Stream
from ptychogui.types import Result, Snapshot

if TYPE_CHECKING:
    from ptychogui.gui.session import Session
    from ptychogui.job import Request


log = logging.getLogger(__name__)


class Resolution(QObject):
    """The one measurement that may be going on; at its end the result of its run has its ring correlation."""

    changed = pyqtSignal()
    """It began, came further, or ended."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._run: Run | None = None
        self._stream: Stream[Snapshot | Result] = Stream(session.tasks)
        self._stream.changed.connect(self.changed)
        self._stream.ended.connect(self._ended)

    @property
    def running(self) -> bool:
        """Whether a measurement is going on."""
        return self._stream.running

    @property
    def progress(self) -> str:
        """How far it is, in words; '' while nothing is measured."""
        item = self._stream.item
        if not self.running:
            return ""
        if self._stream.stopping:
            return "Stopping…"
        if not isinstance(item, Snapshot):
            return "Preparing two halves of the frames…"
        half = "first" if 2 * item.epoch < item.epochs else "second"
        return f"{half} half of the frames, epoch {item.epoch} of {item.epochs}"

    def why_not(self) -> str:
        """Why the selected run's resolution cannot be measured now; '' where it can."""
        session = self._session
        run, opened = session.current_run, session.current
        if self.running:
            return "The resolution is being measured"
        if session.running is not None:
            return "A run is going on"
        if run is None or run.result is None:
            return "Select a run that has a result"
        if opened is None or opened.dataset is None or opened.reading:
            return "The data of this result are not there"
        if len(opened.dataset.scan) != len(run.result.scan):
            return "The data are not those of this result: they have another number of frames"
        return ""

    def start(self) -> None:
        """Run the selected run's job on either half of its frames."""
        run, opened = self._session.current_run, self._session.current
        if self.why_not() or run is None or run.result is None or opened is None or opened.dataset is None:
            return
        self._run = run
        job, dataset, result = run.job, opened.dataset, run.result

        def make() -> Generator[Snapshot | Result, Request | None, None]:
            from ptychogui.frc import snapshots

            return snapshots(job, dataset, result)

        self._stream.start(make)
        self._session.state_changed.emit()
        self.changed.emit()

    def stop(self) -> None:
        """End it; the result stays as it was."""
        self._stream.stop()
        self.changed.emit()

    def _ended(self) -> None:
        session, run, item = self._session, self._run, self._stream.item
        if self._stream.problem:
            session.tell("error", self._stream.problem)
        elif isinstance(item, Result) and item.correlation is not None and run is not None:
            from ptychogui.frc import said_of

            run.result, run.saved = item, None
            log.info("%s: %s", run.name, said_of(item))  # before the user's eyes it is in the curve's dock
            session.tree_changed.emit()
            if run is session.current_run:
                session.select(session.current, run)
        session.state_changed.emit()
        self.changed.emit()
