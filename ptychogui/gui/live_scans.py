"""What becomes of the scans of a live source: each opens itself, is reconstructed while it comes, and is saved."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject

from ptychogui.gui.opened import Opened, Run
from ptychogui.job import Job
from ptychogui.types import Complex

if TYPE_CHECKING:
    from ptychogui.gui.live_scan import Known, LiveScan
    from ptychogui.gui.live_settings import Listening
    from ptychogui.gui.session import Session
    from ptychogui.io.data import Data
    from ptychogui.live.buffer import Buffer
    from ptychogui.live.feed import LiveFeed

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""Seconds between two looks at what has come, for maps, positions and warnings."""
IN_MEMORY = 2
"""Scans whose frames stay in memory, though they were not saved."""
LISTED = 12
"""Scans of a source that stay in the list of files."""


class LiveScans(QObject):
    """The scans whose frames are in memory, the latest last, and what is done with them, step by step."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._count = 0
        self._looked_s = 0.0
        self._listed: list[Opened] = []
        self.all: list[LiveScan] = []
        self.listening: Listening | None = None
        """What is to become of the frames."""
        self.leaving = False
        """Whether the window is about to close: then nothing begins any more."""
        session.ended.connect(self._run_ended)

    @property
    def over(self) -> bool:
        """Whether nothing is left to be done."""
        return all(scan.finished for scan in self.all)

    def has(self, opened: Opened) -> bool:
        """Whether an open scan came from a source."""
        return opened in self._listed

    @property
    def followed(self) -> bool:
        """Whether the user looks at scans of a source, and not at something else."""
        return self._session.current is None or self.has(self._session.current)

    def look(self) -> None:
        """Go on with every scan."""
        again = time.monotonic() - self._looked_s >= LOOK_S
        if again:
            self._looked_s = time.monotonic()
        for scan in self.all:
            self._go_on(scan, again)
        self._make_way()
        self._let_go()

    def end(self) -> None:
        """No more frames come of any of them."""
        for scan in self.all:
            scan.buffer.end()

    def close(self) -> None:
        """The window goes: let every thread end, without waiting."""
        self.leaving = True
        self.end()
        for scan in self.all:
            if scan.saver is not None:
                scan.saver.stop(timeout_s=0)

    def begin(self, buffer: Buffer) -> None:
        """A scan begins: it appears among the open files."""
        from ptychogui.gui.live_scan import LiveScan

        assert self.listening is not None
        session, before = self._session, self.all[-1] if self.all else None
        self._count += 1
        job = before.next_job if before is not None else Job()
        stem = buffer.begin.name.split(".")[0] or self.listening.source.schemes[0]
        path = self.listening.place / f"{stem}_{time.strftime('%Y%m%d-%H%M%S')}-{self._count:02}.cxi"
        opened = Opened(str(path), job, name=f"{stem} · scan {self._count}")
        opened.growing = True
        follow = before is None or self.followed
        scan = LiveScan(buffer, opened, job.data, self.listening.source.address)
        self.all.append(scan)
        self._listed.append(opened)
        session.opened.append(opened)
        session.tree_changed.emit()
        if follow and not any(self._is_due(one.run) for one in self.all):  # else it is selected when its run begins
            session.select(opened)
        if self.listening.save_frames:
            self.save(scan)
        self._open_feed(scan)

    def _last_probe(self) -> Complex | None:
        """The probe of the latest run of a scan, as far as it is known."""
        for scan in reversed(self.all):
            run = scan.run
            if run is not None and run.result is not None:
                return run.result.probe.modes
            if run is not None and run.snapshot is not None and not run.snapshot.doing:
                return run.snapshot.probe
        return None

    def save(self, scan: LiveScan) -> None:
        """Write the frames of a scan to its file, those that have come and those that will."""
        from ptychogui.live.saver import Saver

        scan.saver = Saver(scan.buffer, scan.opened.path)
        scan.saver.start()

    def _open_feed(self, scan: LiveScan) -> None:
        from ptychogui.gui.live_scan import open_feed

        assert self.listening is not None

        def done(feed: LiveFeed) -> None:
            scan.feed = scan.opened.feed = feed
            scan.phase = "waiting"

        work = partial(open_feed, scan, scan.opened.job.data, self.listening.place)
        self._session.tasks.run(work, done, partial(self._failed, scan))

    def _failed(self, scan: LiveScan, sentence: str, details: str) -> None:
        scan.phase, scan.busy, scan.finished = "failed", False, True
        scan.opened.problem, scan.opened.growing = sentence, False
        self._session.tell("error", sentence, details)
        self._session.tree_changed.emit()
        self._session.state_changed.emit()

    def _go_on(self, scan: LiveScan, again: bool) -> None:
        """Do what is next for a scan."""
        over = scan.buffer.ended  # asked first: what is looked at then is the last of it
        if scan.opened not in self._session.opened:
            scan.finished = True
        elif scan.ready:
            if not self.leaving and not any(one.phase == "preparing" or self._is_due(one.run) for one in self.all):
                self._prepare(scan)
        elif scan.phase == "waiting" and over:
            self._failed(scan, f"{scan.opened.title} ended before a frame with a position had come.", "")
        elif scan.phase == "running" and again and not scan.busy and scan.unseen:
            self._look_again(scan)
        elif scan.phase == "running" and over and not scan.unseen and not scan.busy:
            self._whole(scan)
        elif scan.phase == "ended":
            self._finish(scan)
        if scan.saver is not None and scan.saver.error:
            self._tell(scan, "saver", scan.saver.error)

    def _prepare(self, scan: LiveScan) -> None:
        from ptychogui.gui.live_scan import prepare

        assert scan.feed is not None
        scan.phase, scan.feed.probe = "preparing", self._last_probe()
        done = partial(self._prepared, scan)
        self._session.tasks.run(partial(prepare, scan, self._limit), done, partial(self._failed, scan))

    @property
    def _limit(self) -> float | None:
        return self.listening.largest_count if self.listening is not None else None

    def _prepared(self, scan: LiveScan, known: Known) -> None:
        """There is enough to begin with."""
        from ptychogui.gui.live_scan import known_probe

        session, opened = self._session, scan.opened
        scan.phase = "running"
        if opened not in session.opened or self.leaving:
            return
        opened.dataset = known.dataset
        self._take(scan, known)
        for warning in known.dataset.warnings:
            log.warning("%s: %s", opened.title, warning)
        if opened is session.current:
            session.select(opened, session.current_run)
        session.tree_changed.emit()
        assert scan.feed is not None
        scan.run = opened.next_run(known_probe(opened.job, scan.feed.probe))
        session.queue.put(opened, scan.run)

    def _make_way(self) -> None:
        """Where two scans wait for one that is over already, its run ends now."""
        session = self._session
        waiting = sum(scan.ready for scan in self.all)
        at_work = next((scan for scan in self.all if scan.run is not None and scan.run is session.running), None)
        if waiting > 1 and at_work is not None and at_work.buffer.ended and at_work.used and not session.stopping:
            sentence = "The scans come faster than this machine makes their pictures perfect"
            session.tell("warning", f"{sentence}: the run of {at_work.opened.title} ends now. Run it again later.")
            session.stop()

    def _look_again(self, scan: LiveScan) -> None:
        from ptychogui.gui.live_scan import look_again

        scan.busy = True
        done = partial(self._take, scan)
        self._session.tasks.run(partial(look_again, scan, self._limit), done, partial(self._failed, scan))

    def _take(self, scan: LiveScan, known: Known) -> None:
        """Show what was seen."""
        scan.busy, scan.known = False, known
        opened = scan.opened
        if opened.feed is None:  # closed, or read from its file, meanwhile
            return
        opened.dataset, opened.preview = known.dataset, known.preview
        if opened is self._session.current:
            self._session.grown.emit()
        for alarm in known.alarms:
            self._tell(scan, alarm.kind, alarm.sentence)

    def _tell(self, scan: LiveScan, kind: str, sentence: str) -> None:
        """Warn, once."""
        if kind not in scan.told:
            scan.told[kind] = sentence
            self._session.tell("warning", f"{scan.opened.title}: {sentence}")

    def _whole(self, scan: LiveScan) -> None:
        """All frames are there, and seen."""
        scan.phase, scan.opened.growing = "ended", False
        self._session.tree_changed.emit()
        self._session.state_changed.emit()
        if scan.opened is self._session.current:
            self._session.preview_changed.emit()

    # the end of a scan

    def _run_ended(self, run: Run) -> None:
        scan = next((scan for scan in self.all if scan.run is run), None)
        if scan is not None and scan.phase == "ended":
            self._finish(scan)

    def _finish(self, scan: LiveScan) -> None:
        """Once the run is over and the frames are written, save the result and take the frames from their file."""
        from ptychogui.gui.live_scan import of_file, saved_data

        session, opened, run, saver = self._session, scan.opened, scan.run, scan.saver
        if scan.finished or run is None or run is session.running or session.queue.place(run) is not None:
            return
        if saver is not None and saver.running:
            return
        scan.finished = True
        if saver is not None and not saver.error:
            data = saved_data(opened.job.data, scan, saver.path)
            if run.result is not None:
                run.result = of_file(run.result, data)
            self._take_from_file(scan, str(saver.path), data)
        if run.result is not None and run.saved is None and not self.leaving:
            session.save(run, opened.result_path(run))

    def _take_from_file(self, scan: LiveScan, path: str, data: Data) -> None:
        """From now on the scan is an open file like any other."""
        opened = scan.opened
        for run in opened.runs:
            run.job = run.job.model_copy(update={"data": data})
        opened.path, opened.name, opened.feed, scan.feed = path, "", None, None
        opened.job = opened.job.model_copy(update={"data": data})
        if opened is self._session.current:
            self._session.job_changed.emit()
        self._session.read_again(opened)

    def _let_go(self) -> None:
        """Frames of old scans do not fill the memory, nor old scans the list."""
        session = self._session
        for scan in self.all[:-1]:
            opened = scan.opened
            in_use = opened is session.current or opened.reading or any(map(self._is_due, opened.runs))
            kept = opened.feed is not None and len(self.all) <= IN_MEMORY
            if scan.finished and not in_use and not kept:
                if opened.feed is not None:
                    opened.feed = opened.dataset = opened.preview = None
                self.all.remove(scan)
                session.tree_changed.emit()
        for opened in self._listed[: max(0, len(self._listed) - LISTED)]:
            busy = opened is session.current or any(scan.opened is opened for scan in self.all)
            if not busy and not any(run.unsaved or self._is_due(run) for run in opened.runs):
                self._listed.remove(opened)
                if opened in session.opened:
                    session.opened.remove(opened)
                session.tree_changed.emit()

    def _is_due(self, run: Run | None) -> bool:
        """Whether a run is going on, or waits."""
        return run is not None and (run is self._session.running or self._session.queue.place(run) is not None)
