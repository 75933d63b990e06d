"""Scans that are measured while one looks: a source is listened to, each scan opens itself and is reconstructed."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from ptychogui.gui.opened import Opened, Run
from ptychogui.job import Job
from ptychogui.types import Complex

if TYPE_CHECKING:
    from ptychogui.gui.live_scan import Known, LiveScan
    from ptychogui.gui.live_settings import Listening
    from ptychogui.gui.session import Session
    from ptychogui.io.data import Data
    from ptychogui.live.buffer import Buffer, Counters
    from ptychogui.live.feed import LiveFeed
    from ptychogui.live.receiver import Receiver

log = logging.getLogger(__name__)

POLL_MS = 100
LOOK_S = 1.0
"""Seconds between two looks at what has come, for maps, positions and warnings."""
IN_MEMORY = 2
"""Scans whose frames stay in memory, though they were not saved."""
LISTED = 12
"""Scans of a source that stay in the list of files."""
SENTENCES = 4


@dataclass(frozen=True)
class Status:
    """What the dock and the control room show: how the source is, and the latest scan."""

    state: str = "disconnected"
    error: str = ""
    scan: str = ""
    counters: Counters | None = None
    used: int = 0
    saved: str = ""
    warnings: tuple[str, ...] = ()
    said: tuple[tuple[float, str, bool], ...] = ()


class Live(QObject):
    """Looks ten times a second at what the source's thread has put into its buffers; frames never come this way."""

    changed = pyqtSignal()
    """What `status` says may be another."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._receiver: Receiver | None = None
        self._last: Receiver | None = None
        """The one that is listened to, or was last."""
        self._listening: Listening | None = None
        self._count = 0
        self._looked_s = 0.0
        self._state = "disconnected"
        self._listed: list[Opened] = []
        self.scans: list[LiveScan] = []
        """Those whose frames are in memory, the latest last."""
        self.unready = "The form of the source is not there yet"
        """Why the source of the form cannot be connected to; '' where it can be tried."""
        self.leaving = False
        """Whether the window is about to close: then nothing begins any more."""
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.look)
        session.ended.connect(self._run_ended)

    # the source

    @property
    def connected(self) -> bool:
        """Whether a source is listened to."""
        return self._receiver is not None

    @property
    def receiving(self) -> bool:
        """Whether a scan is coming."""
        return self.connected and bool(self.scans) and not self.scans[-1].buffer.ended

    def connect_to(self, listening: Listening) -> None:
        """Begin to listen; each scan that comes is opened and reconstructed."""
        from ptychogui.gui.files import warm_up
        from ptychogui.live.receiver import Receiver

        if self.connected:
            return
        self._listening = listening
        self._receiver = self._last = Receiver(listening.source)
        self._receiver.start()
        log.info("Connecting to %s", listening.source.address)
        self._session.tasks.run(warm_up, lambda _: None, partial(self._session.tell, "error"))
        self._timer.start()
        self.look()
        self._session.state_changed.emit()

    def change(self, listening: Listening) -> None:
        """What becomes of the frames has changed: it holds for the scan that is coming too."""
        self._listening = listening if self._listening is not None else None
        if self.receiving and listening.save_frames and self.scans[-1].saver is None:
            self._save(self.scans[-1])

    def disconnect_from(self) -> None:
        """Listen no more; what has come stays, and its run goes on to the end."""
        receiver, self._receiver = self._receiver, None
        if receiver is None:
            return
        failed = partial(self._session.tell, "error")
        self._session.tasks.run(partial(_stop, receiver), lambda _: None, failed)
        self._tell_state("disconnected")
        self.changed.emit()

    def close(self) -> None:
        """The window goes: let every thread end, without waiting."""
        self.leaving = True
        self._timer.stop()
        if self._receiver is not None:
            self._receiver.stop(timeout_s=0)
        for scan in self.scans:
            scan.buffer.end()
            if scan.saver is not None:
                scan.saver.stop(timeout_s=0)

    @property
    def status(self) -> Status:
        """How it is now."""
        last, scan = self._last, self.scans[-1] if self.scans else None
        saver = scan.saver if scan is not None else None
        saved = ""
        if saver is not None:
            saved = saver.error or f"{saver.written} frames in {(saver.part if saver.running else saver.path).name}"
        return Status(
            state=self._state,
            error=last.error if last is not None and self._state == "failed" else "",
            scan=scan.opened.title if scan is not None else "",
            counters=scan.buffer.counters if scan is not None else None,
            used=scan.used if scan is not None else 0,
            saved=saved,
            warnings=tuple(scan.told.values()) if scan is not None else (),
            said=tuple(last.said)[-SENTENCES:] if last is not None else (),
        )

    # ten times a second

    def look(self) -> None:
        """See what has come, and go on with every scan."""
        receiver = self._receiver
        if receiver is not None:
            over = receiver.done or bool(receiver.error)  # asked first: what is looked at then is the last of it
            for buffer in list(receiver.scans):
                if all(scan.buffer is not buffer for scan in self.scans):
                    self._begin(buffer)
            for old in receiver.scans[:-1]:
                receiver.forget(old)
            self._tell_state("finished" if receiver.done else receiver.state)
            if over:
                self._over()
        again = time.monotonic() - self._looked_s >= LOOK_S
        if again:
            self._looked_s = time.monotonic()
        for scan in self.scans:
            self._go_on(scan, again)
        self._make_way()
        self._let_go()
        self.changed.emit()
        if receiver is None and all(scan.finished for scan in self.scans):
            self._timer.stop()

    def _over(self) -> None:
        """The source can tell no more."""
        self._receiver = None
        for scan in self.scans:
            scan.buffer.end()
        self._session.state_changed.emit()

    def _tell_state(self, state: str) -> None:
        if state == self._state:
            return
        self._state = state
        if state == "failed" and self._receiver is not None:
            self._session.tell("error", self._receiver.error)
        elif state == "stalled":
            self._session.tell("warning", "No frames come any more: the source has stalled. What has come stays.")
        self._session.state_changed.emit()

    # a scan

    def _begin(self, buffer: Buffer) -> None:
        """A scan begins: it appears among the open files."""
        from ptychogui.gui.live_scan import LiveScan

        assert self._listening is not None
        session, before = self._session, self.scans[-1] if self.scans else None
        self._count += 1
        job = before.next_job if before is not None else Job()
        stem = buffer.begin.name.split(".")[0] or self._listening.source.schemes[0]
        path = self._listening.place / f"{stem}_{time.strftime('%Y%m%d-%H%M%S')}-{self._count:02}.cxi"
        opened = Opened(str(path), job, name=f"{stem} · scan {self._count}")
        opened.growing = True
        follow = before is None or session.current is None or session.current is before.opened
        scan = LiveScan(buffer, opened, job.data, self._listening.source.address)
        self.scans.append(scan)
        self._listed.append(opened)
        session.opened.append(opened)
        session.tree_changed.emit()
        if follow:
            session.select(opened)
        if self._listening.save_frames:
            self._save(scan)
        self._open_feed(scan)

    def _last_probe(self) -> Complex | None:
        """The probe of the latest run of a scan, as far as it is known."""
        for scan in reversed(self.scans):
            run = scan.run
            if run is not None and run.result is not None:
                return run.result.probe.modes
            if run is not None and run.snapshot is not None and not run.snapshot.doing:
                return run.snapshot.probe
        return None

    def _save(self, scan: LiveScan) -> None:
        from ptychogui.live.saver import Saver

        scan.saver = Saver(scan.buffer, scan.opened.path)
        scan.saver.start()

    def _open_feed(self, scan: LiveScan) -> None:
        from ptychogui.gui.live_scan import open_feed

        assert self._listening is not None

        def done(feed: LiveFeed) -> None:
            scan.feed = scan.opened.feed = feed
            scan.phase = "waiting"

        work = partial(open_feed, scan, scan.opened.job.data, self._listening.place)
        self._session.tasks.run(work, done, partial(self._failed, scan))

    def _failed(self, scan: LiveScan, sentence: str, details: str) -> None:
        scan.phase, scan.busy, scan.finished = "failed", False, True
        scan.opened.problem, scan.opened.growing = sentence, False
        self._session.tell("error", sentence, details)
        self._session.tree_changed.emit()
        self._session.state_changed.emit()

    def _go_on(self, scan: LiveScan, again: bool) -> None:
        """Do what is next for a scan."""
        if scan.opened not in self._session.opened:
            scan.finished = True
        elif scan.ready:
            if not self.leaving and not any(one.phase == "preparing" or self._is_due(one.run) for one in self.scans):
                self._prepare(scan)
        elif scan.phase == "waiting" and scan.buffer.ended:
            self._failed(scan, f"{scan.opened.title} ended before a frame with a position had come.", "")
        elif scan.phase == "running" and again and not scan.busy and scan.unseen:
            self._look_again(scan)
        elif scan.phase == "running" and scan.buffer.ended and not scan.unseen and not scan.busy:
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
        return self._listening.largest_count if self._listening is not None else None

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
        waiting = sum(scan.ready for scan in self.scans)
        at_work = next((scan for scan in self.scans if scan.run is not None and scan.run is session.running), None)
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
        scan = next((scan for scan in self.scans if scan.run is run), None)
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
        for scan in self.scans[:-1]:
            opened = scan.opened
            in_use = opened is session.current or opened.reading or any(map(self._is_due, opened.runs))
            kept = opened.feed is not None and len(self.scans) <= IN_MEMORY
            if scan.finished and not in_use and not kept:
                if opened.feed is not None:
                    opened.feed = opened.dataset = opened.preview = None
                self.scans.remove(scan)
                session.tree_changed.emit()
        for opened in self._listed[: max(0, len(self._listed) - LISTED)]:
            busy = opened is session.current or any(scan.opened is opened for scan in self.scans)
            if not busy and not any(run.unsaved or self._is_due(run) for run in opened.runs):
                self._listed.remove(opened)
                if opened in session.opened:
                    session.opened.remove(opened)
                session.tree_changed.emit()

    def _is_due(self, run: Run | None) -> bool:
        """Whether a run is going on, or waits."""
        return run is not None and (run is self._session.running or self._session.queue.place(run) is not None)


def _stop(receiver: Receiver) -> None:
    """In a thread: detach, and let every scan be over."""
    receiver.stop()
    for scan in receiver.scans:
        scan.end()
