"""Following an HDF5 file from scan to scan: it appears, grows, is closed, replaced or left by its writer."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path

import h5py

from ptychogui.io import hdf5
from ptychogui.live.events import End, Event, Note, Odd
from ptychogui.live.followed import TROUBLES, Followed
from ptychogui.live.growing import Growing, Names, found_in

_PATIENCE_S = 2.0
"""What fails for so long is told; until then it may be half written."""
_CLOSED_S = 0.5
"""A file that its writer has closed for so long is whole."""
_WRITTEN, _SWMR = 1, 4
_NEWEST = 3
"""From this version of the first block on, it tells whether somebody writes."""
_Seen = tuple[Path, int, int, int, int]
"""Path, device, number, size and time of a file."""


class Follower:
    """A path, or a pattern of which the newest file counts; `look` tells what is new, from any thread."""

    def __init__(self, path: str, names: Names, quiet_s: float) -> None:
        self.path, self._names, self._quiet_s = Path(path).expanduser(), names, quiet_s
        self.busy = False
        """Whether there is more to read at once."""
        self._lock = threading.Lock()
        self._file: h5py.File | None = None
        self._growing: Growing | None = None
        self._followed: Followed | None = None
        self._seen = (Path(), 0, 0, 0, 0)
        self._live = self._ended = False
        self._said: Note | Odd | None = None
        self._quiet_since = time.monotonic()
        self._failing_since: float | None = None

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._let_go()

    def look(self) -> list[Event]:
        """What came since the last look."""
        with self._lock:
            self.busy = False
            try:
                events = self._look()
            except TROUBLES as error:
                self._let_go()
                return self._once(self._troubled(error))
            self._failing_since = None
            if events and not isinstance(events[-1], Note):
                self._quiet_since, self.busy = time.monotonic(), True
            return self._once(events)

    def _look(self) -> list[Event]:
        path = self._newest()
        seen = None if path is None else _seen(path)
        if self._growing is not None and seen is not None and self._is_another(seen):
            return self._over()  # what the old file holds is read first
        if self._growing is None and self._ended and seen in (self._seen, None):
            return []
        if self._growing is None or (seen is not None and self._is_changed(seen)):
            if path is None or seen is None:
                return [Note(f"Waiting for {self.path}.")]
            begun = self._opened(path, seen)
            if begun or self._growing is None:
                return begun
        return self._read(self._growing)

    def _read(self, growing: Growing) -> list[Event]:
        assert self._followed is not None
        if self._live:
            growing.refresh()
        now = time.monotonic()
        damaged = self._failing_since is not None and now - self._failing_since > _PATIENCE_S
        events = self._followed.more(growing, damaged=damaged)
        if events or self._ended or not self._followed.done:
            return events
        quiet_s = now - self._quiet_since
        version, flags = _first_block(self._seen[0])
        closed = version >= _NEWEST and not flags & _WRITTEN and quiet_s > _CLOSED_S
        if closed or (version < _NEWEST and self._followed.is_complete(growing)):
            return self._finished()
        if quiet_s <= self._quiet_s:
            return []
        late = f"Nothing was written for {quiet_s:.0f} s: the scan counts as over; what comes later is added to it."
        return [*self._finished(), Note(late)]

    def _over(self) -> list[Event]:
        """The end of a scan whose file was replaced, when all of it is read."""
        events = self._finished()
        if not events or isinstance(events[-1], End):
            self._forget()
        return events

    def _finished(self) -> list[Event]:
        """The rest of a scan, and its end."""
        assert self._followed is not None
        assert self._growing is not None
        if self._live:
            self._growing.refresh()
        events = [] if self._ended else self._followed.rest(self._growing)
        if not events and not self._ended:
            self._ended = True
            self._let_go()  # others may open it now in this program, and what comes later is seen by its size
            return [End()]
        return events

    def _opened(self, path: Path, seen: _Seen) -> list[Event]:
        """Open the file, anew where it has changed, and begin where it holds another scan than before."""
        self._let_go()
        another, self._seen = self._is_another(seen), seen
        version, flags = _first_block(path)
        if version >= _NEWEST and flags & _WRITTEN and not flags & _SWMR:
            raise OSError("it is written in a way that nobody can read before it is closed (without SWMR)")
        self._file = h5py.File(path, "r", swmr=True, locking=False)  # without a lock, for no writer is to be kept out
        self._live = bool(flags & _SWMR)
        growing = found_in(self._file, path, self._names)
        if self._followed is not None and (another or growing is None or not self._followed.is_in(growing)):
            ended, self._followed = self._ended, None
            if not ended:
                self._let_go()
                return [End()]
        if growing is None:
            self._let_go()
            return [Note(f"{path} holds no frames yet.")]
        self._growing = growing
        if self._followed is not None:
            return []
        self._followed, self._ended = Followed(growing), False
        return [growing.begin]

    def _is_another(self, seen: _Seen) -> bool:
        """Whether a file took the place of the one that was open; one that is saved anew and anew may do that, too."""
        return seen[0] != self._seen[0] or (self._live and seen[1:3] != self._seen[1:3])

    def _is_changed(self, seen: _Seen) -> bool:
        """Whether the file has to be opened anew to see what is new in it; one that shrinks may be another."""
        before, self._seen = self._seen, seen
        return seen[3] < before[3] if self._live else seen != before

    def _once(self, events: list[Event]) -> list[Event]:
        """Without what was the last thing to be said."""
        told = [event for event in events if not (isinstance(event, Note | Odd) and event == self._said)]
        said = [event for event in told if isinstance(event, Note | Odd)]
        self._said = said[-1] if said else self._said
        return told

    def _troubled(self, error: Exception) -> list[Event]:
        now = time.monotonic()
        self._failing_since = self._failing_since or now
        if now - self._failing_since < _PATIENCE_S:
            return []
        text = str(error).rstrip(".") or type(error).__name__
        return [Odd(f"{self._seen[0] if self._seen[0].name else self.path} cannot be read: {text}; it is tried again.")]

    def _newest(self) -> Path | None:
        """The file; of several that fit a pattern the one that was made last."""
        if not set("*?[") & set(self.path.name):
            return self.path if self.path.exists() else None
        found = {}
        for path in self.path.parent.glob(self.path.name):
            with suppress(OSError):
                found[path] = path.stat().st_mtime_ns
        return max(found, key=lambda path: (found[path], path.name)) if found else None

    def _forget(self) -> None:
        self._let_go()
        self._followed, self._ended = None, False

    def _let_go(self) -> None:
        file, self._file, self._growing = self._file, None, None
        if file is not None:
            with suppress(*TROUBLES):
                file.close()


def _seen(path: Path) -> _Seen | None:
    """Which file it is, how large and how old; None where it is gone."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return path, stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def _first_block(path: Path) -> tuple[int, int]:
    """The version of the file's first block, and who has it open; older ones do not tell."""
    with path.open("rb") as file:
        start = file.read(12)
    if len(start) < 12 or not start.startswith(hdf5.MAGIC):
        return 0, 0
    return start[8], start[11]
