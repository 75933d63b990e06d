"""The quick part of the preflight, which runs by itself after a file is opened or a job is changed."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from ptychogui.check import NEEDS_RUNS, Doubt, Look, quick, quick_look
from ptychogui.gui.opened import Opened
from ptychogui.gui.session import Session
from ptychogui.gui.stream import Stream
from ptychogui.job import Job
from ptychogui.types import Dataset

SETTLE_MS = 400
"""A change is looked at when no other has followed for so long."""


@dataclass(frozen=True)
class Looked:
    """What was found so far of one dataset under one job."""

    job: Job
    dataset: Dataset
    look: Look | None = None
    doubts: tuple[Doubt, ...] = ()
    complete: bool = False

    @property
    def not_known(self) -> tuple[str, ...]:
        """What only the whole check can tell; nothing where the positions are not there to run with."""
        told = {doubt.name for doubt in self.doubts}
        if any(doubt.name == "positions" and doubt.level == "wrong" for doubt in self.doubts):
            return ()
        return tuple(name for name in NEEDS_RUNS if name not in told)


def looked(job: Job, dataset: Dataset, look: Look | None) -> Generator[Looked, None, None]:
    """The quick part of the preflight, with everything that was found before; frames are read once."""
    if look is None:
        for part in quick_look(dataset):
            look = part
            yield Looked(job, dataset)
    assert look is not None
    found: tuple[Doubt, ...] = ()
    for doubt in quick(job, dataset, look):
        found = (*found, doubt)
        yield Looked(job, dataset, look, found)
    yield Looked(job, dataset, look, found, True)


class Preflight(QObject):
    """What is known of the selected file before a run; waits while a run goes on."""

    changed = pyqtSignal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._stream: Stream[Looked] = Stream(session.tasks)
        self._stream.changed.connect(self._keep)
        self._stream.ended.connect(self._ended)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(SETTLE_MS)
        self._later.timeout.connect(self._begin)
        self._asked: tuple[Job, Dataset] | None = None
        self._for: Opened | None = None
        self._kept: dict[Opened, Looked] = {}
        for signal in (session.current_changed, session.job_changed, session.state_changed):
            signal.connect(self._follow)

    @property
    def known(self) -> Looked | None:
        """What is known of the selected file as it stands; None where nothing is yet."""
        opened = self._session.current
        known = self._kept.get(opened) if opened is not None else None
        return known if known is not None and opened is not None and _same(known, opened) else None

    @property
    def _complete(self) -> bool:
        return self.known is not None and self.known.complete

    @property
    def looking(self) -> bool:
        """Whether it is being looked at."""
        return self._stream.running or self._later.isActive()

    @property
    def problem(self) -> str:
        """Why the last look ended too early."""
        return self._stream.problem

    def _wanted(self) -> Opened | None:
        opened, session = self._session.current, self._session
        if opened is None or opened.dataset is None or opened.reading or session.running is not None:
            return None
        return opened

    def _keep(self) -> None:
        if self._for is not None and self._stream.item is not None:
            self._kept[self._for] = self._stream.item
        self._kept = {opened: known for opened, known in self._kept.items() if opened in self._session.opened}
        self.changed.emit()

    def _follow(self) -> None:
        opened = self._wanted()
        if opened is not None and not self._complete:
            if self._asked is not None and self._asked[1] is opened.dataset and self._asked[0] == opened.job:
                return
            self._later.start()
        else:
            self._later.stop()
        self._asked = None
        self._stream.stop()
        self.changed.emit()

    def _begin(self) -> None:
        opened = self._wanted()
        if opened is None or opened.dataset is None or self._stream.running:  # its end begins anew
            return
        job, dataset = opened.job, opened.dataset
        kept = self._kept.get(opened)
        look = kept.look if kept is not None and kept.dataset is dataset else None
        self._asked, self._for = (job, dataset), opened
        self._kept = {o: known if o is opened else replace(known, look=None) for o, known in self._kept.items()}
        self._stream.start(_maker(job, dataset, look))
        self.changed.emit()

    def _ended(self) -> None:
        if self._asked is None and self._wanted() is not None and not self._complete:
            self._later.start()
        self.changed.emit()


def _same(known: Looked, opened: Opened) -> bool:
    return known.dataset is opened.dataset and known.job == opened.job


def _maker(job: Job, dataset: Dataset, look: Look | None) -> Callable[[], Generator[Looked, None, None]]:
    return lambda: looked(job, dataset, look)
