"""The thread that runs a job, and the mailbox of one in which its news wait for the window."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, QThread, pyqtSignal

from ptychogui.gui.keeper import Keeper
from ptychogui.types import Dataset, Feed, Result, Snapshot

if TYPE_CHECKING:
    from ptychogui.job import Job, Request

    Steps = Generator[Snapshot | Result, Request | None, None]


@dataclass(frozen=True)
class News:
    """What the window has not seen yet of a run; a later picture takes the place of an earlier one."""

    snapshot: Snapshot | None = None
    result: Result | None = None
    error: BaseException | None = None
    doing: str = ""
    messages: tuple[str, ...] = ()
    kept: tuple[Result, ...] = ()
    """Iterates that are kept beside the last one."""


class Mailbox(QObject):
    """Holds at most one News: `put` replaces it field by field, and only a put into an empty box wakes the window.

    Queued signals with data pile up where the window is slow (1.5 s of lag, 1.3 GB measured); this cannot. Replacing
    by field keeps the end of a run, its result and its messages, whatever comes after them.
    """

    filled = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._news: News | None = None

    def put(self, *, messages: tuple[str, ...] = (), kept: tuple[Result, ...] = (), **fields: Any) -> None:
        """Replace what waits; from any thread."""
        with self._lock:
            was_empty = self._news is None
            old = self._news or News()
            self._news = replace(old, messages=old.messages + messages, kept=old.kept + kept, **fields)
        if was_empty:
            self.filled.emit()

    def take(self) -> News | None:
        """What waits, and the box is empty again."""
        with self._lock:
            news, self._news = self._news, None
        return news


class _Listener(logging.Handler):
    """What the engine logs in the thread that made this, before the first picture, is what it is doing."""

    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__(logging.INFO)
        self._mailbox, self._thread = mailbox, threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record, as logging asks of a handler."""
        if record.thread == self._thread:
            self._mailbox.put(doing=record.getMessage())


class Worker(QThread):
    """Runs the generator `ptychogui.job.snapshots`: pausing is not asking for more, a change is sent into it."""

    def __init__(
        self,
        job: Job,
        dataset: Dataset,
        initial: Result | None = None,
        frame: int = 0,
        keeper: Keeper | None = None,
        feed: Feed | None = None,
    ) -> None:
        super().__init__()
        self.setObjectName("worker")
        self.mailbox = Mailbox()
        self._job, self._dataset, self._initial, self._frame = job, dataset, initial, frame
        self._keeper, self._feed = keeper, feed
        self._wake = threading.Condition()
        self._asked: dict[str, Any] = {}
        self._paused = self._stopping = False

    @property
    def paused(self) -> bool:
        """Whether the run waits."""
        return self._paused

    @property
    def stopping(self) -> bool:
        """Whether the run was told to end."""
        return self._stopping

    def ask(self, **fields: Any) -> None:
        """Send a Request with these fields (job, frame, result) at the next occasion; from any thread."""
        with self._wake:
            self._asked |= fields
            self._wake.notify()

    def pause(self, paused: bool) -> None:
        """Stop asking for more, or go on."""
        with self._wake:
            self._paused = paused
            self._wake.notify()

    def stop(self) -> None:
        """End the run, also one that waits, as soon as it can be asked."""
        self._stopping = True
        self.ask(stop=True)
        self.pause(False)

    def run(self) -> None:
        """The body of the thread."""
        listener, logger = _Listener(self.mailbox), logging.getLogger("ptychogui.engine")
        logger.addHandler(listener)
        try:
            from ptychogui.job import snapshots

            steps = snapshots(self._job, self._dataset, initial=self._initial, frame=self._frame, feed=self._feed)
            self._drive(steps)
        except BaseException as error:  # noqa: BLE001  every error must reach the window
            self.mailbox.put(error=error)
        finally:
            logger.removeHandler(listener)

    def _drive(self, steps: Steps) -> None:
        try:
            item = next(steps)
            while True:
                if isinstance(item, Result):
                    self.mailbox.put(result=item)
                else:
                    self.mailbox.put(snapshot=item, messages=item.messages)
                    self._keep(item, steps)
                item = steps.send(self._request())
        except StopIteration:
            pass
        finally:
            steps.close()

    def _keep(self, shown: Snapshot, steps: Steps) -> None:
        """Keep the state that was just shown, where it is worth that."""
        from ptychogui.job import Request

        if self._keeper is not None and self._keeper.wants(shown):
            begun = time.monotonic()
            kept = steps.send(Request(iterate=True))
            if isinstance(kept, Result):
                self._keeper.took(kept, time.monotonic() - begun)
                self.mailbox.put(kept=(kept,))

    def _request(self) -> Request | None:
        """What the window asked for since the last item; waits while paused and nothing is asked.

        A change, a wish for the result and the end are sent one after the other, so that none is lost.
        """
        from ptychogui.job import Request

        with self._wake:
            self._wake.wait_for(lambda: not self._paused or bool(self._asked))
            together = {"job", "frame"} & self._asked.keys()
            now = together or set(list(self._asked)[:1])
            asked = {name: self._asked.pop(name) for name in now}
        return Request(**asked) if asked else None
