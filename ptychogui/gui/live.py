"""A source of frames that is listened to: connecting, how it is, and what was said."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from ptychogui.gui.live_scans import LiveScans

if TYPE_CHECKING:
    from ptychogui.gui.live_scan import LiveScan
    from ptychogui.gui.live_settings import Listening
    from ptychogui.gui.opened import Opened
    from ptychogui.gui.session import Session
    from ptychogui.live.buffer import Counters
    from ptychogui.live.receiver import Receiver

log = logging.getLogger(__name__)

POLL_MS = 100
SENTENCES = 4


@dataclass(frozen=True)
class Status:
    """What the dock and the control room show: how the source is, and the latest scan."""

    state: str = "disconnected"
    error: str = ""
    scan: str = ""
    counters: Counters | None = None
    over: bool = False
    """Whether no more frames of the scan will come."""
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
        self._state = "disconnected"
        self._scans = LiveScans(session)
        self.unready = "The form of the source is not there yet"
        """Why the source of the form cannot be connected to; '' where it can be tried."""
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.look)

    @property
    def scans(self) -> list[LiveScan]:
        """Those whose frames are in memory, the latest last."""
        return self._scans.all

    @property
    def leaving(self) -> bool:
        """Whether the window is about to close: then nothing begins any more."""
        return self._scans.leaving

    @leaving.setter
    def leaving(self, leaving: bool) -> None:
        self._scans.leaving = leaving

    def may_show(self, opened: Opened) -> bool:
        """Whether a run that begins may be selected: one of a live scan only while the user looks at such scans."""
        return not self._scans.has(opened) or self._scans.followed

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
        self._scans.listening = listening
        self._receiver = self._last = Receiver(listening.source)
        self._receiver.start()
        log.info("Connecting to %s", listening.source.address)
        self._session.tasks.run(warm_up, lambda _: None, partial(self._session.tell, "error"))
        self._timer.start()
        self.look()
        self._session.state_changed.emit()

    def change(self, listening: Listening) -> None:
        """What becomes of the frames has changed: it holds for the scan that is coming too."""
        if self.connected:
            self._scans.listening = listening
        if self.receiving and listening.save_frames and self.scans[-1].saver is None:
            self._scans.save(self.scans[-1])

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
        self._timer.stop()
        if self._receiver is not None:
            self._receiver.stop(timeout_s=0)
        self._scans.close()

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
            over=scan is not None and scan.buffer.ended,
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
                    self._scans.begin(buffer)
            for old in receiver.scans[:-1]:
                receiver.forget(old)
            self._tell_state("finished" if receiver.done else receiver.state)
            if over:
                self._over()
        self._scans.look()
        self.changed.emit()
        if receiver is None and self._scans.over:
            self._timer.stop()

    def _over(self) -> None:
        """The source can tell no more."""
        self._receiver = None
        self._scans.end()
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


def _stop(receiver: Receiver) -> None:
    """In a thread: detach, and let every scan be over."""
    receiver.stop()
    for scan in receiver.scans:
        scan.end()
