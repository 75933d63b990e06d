"""Watching a folder that fills with files of frames, one scan after the other."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from ptychogui.live.events import End, Event, Note
from ptychogui.live.file_series import FileSeries, Planned
from ptychogui.live.frame_files import FrameFile, frame_files

_AGAIN_S = 0.5
"""Files that were read are looked at again so often, for they may be written anew."""
Name = tuple[Path, str, str]


class Watch:
    """A folder; `look` tells what is new in it, from any thread.

    Files whose names differ in their last number only are one scan. Where there are several when the watch begins, the
    newest counts; after that, a new name is the next scan.
    """

    def __init__(self, folder: Path, pattern: str, planned: Planned, quiet_s: float) -> None:
        self.folder, self.busy = folder, False
        self._pattern, self._planned, self._quiet_s = pattern, planned, quiet_s
        self._lock = threading.Lock()
        self._known: dict[Path, FrameFile] = {}
        self._waiting: dict[Name, dict[Path, FrameFile]] = {}
        self._passed: set[Name] = set()
        self._name: Name | None = None
        self._series: FileSeries | None = None
        self._before: FileSeries | None = None
        self._begun = self._ended = self._seen = False
        self._checked = self._quiet_since = time.monotonic()
        self._said = ""

    def look(self) -> list[Event]:
        """What came since the last look."""
        with self._lock:
            events = self._look()
            self.busy = bool(events) and not isinstance(events[-1], Note)
            if self.busy:
                self._quiet_since = time.monotonic()
            return events

    def _look(self) -> list[Event]:
        self._list()
        series = self._series
        if series is None:
            return self._chosen()
        assert self._name is not None
        series.wait |= self._waiting.pop(self._name, {})
        self._look_again(series)
        events = series.more()
        if events:
            return events
        if series.is_over:
            return self._over(series)
        others = any(self._waiting.values())
        quiet = time.monotonic() - self._quiet_since > self._quiet_s
        if not series.read or (series.wait and not quiet):
            return []
        gone = not any(path in self._known for path in series.read)
        if others or quiet or gone or series.is_complete:
            return self._ends(series, let_go=others or gone)
        return []

    def _ends(self, series: FileSeries, *, let_go: bool) -> list[Event]:
        """The end of a scan; it is let go where another one waits, else what comes later is added to it."""
        events = [] if self._ended else [*series.places(at_the_end=True), End()]
        self._ended = True
        if let_go:
            if self._name is not None and any(path in self._known for path in series.read):
                self._passed.add(self._name)
            self._before, self._series, self._name, self._seen = series, None, None, False
        return events

    def _over(self, series: FileSeries) -> list[Event]:
        """The next scan has begun under the names of this one: what was read of it counts for it no more."""
        after = FileSeries(series.wait.values(), self._planned, series)
        after.read = series.read
        events = [] if self._ended else [*series.places(at_the_end=True), End()]
        self._series, self._ended = after, False
        return events

    def _chosen(self) -> list[Event]:
        """Begin with the oldest scan that waits; of those that were there before the watch only the newest counts."""
        names = [name for name, files in self._waiting.items() if files]
        if not names:
            self._begun = True
            return self._note(f"Waiting for frames in {self.folder}.")
        if not self._begun:
            newest = max(names, key=self._time)
            self._passed |= set(names) - {newest}
            self._waiting = {newest: self._waiting[newest]}
        self._begun = True
        if not self._seen:
            self._seen = True  # the next look may see earlier numbers, which were just being written
            return []
        name = min(names, key=self._time)
        self._name, self._ended = name, False
        self._series = FileSeries(self._waiting.pop(name).values(), self._planned, self._before)
        self._quiet_since = time.monotonic()
        return self._note(f"Reading {name[0] / name[1]}….")

    def _time(self, name: Name) -> int:
        states = [file.state() for file in self._waiting[name].values()]
        return max(state[2] if state else 0 for state in states)

    def _list(self) -> None:
        for file in frame_files(self.folder, self._pattern, self._known):
            self._known[file.path] = file
            if file.series not in self._passed:
                self._waiting.setdefault(file.series, {})[file.path] = file

    def _look_again(self, series: FileSeries) -> None:
        """Take those as new that were written anew, and forget those that are gone."""
        now = time.monotonic()
        if now - self._checked < _AGAIN_S:
            return
        self._checked = now
        for path, file in list(self._known.items()):
            if file.series != self._name:
                continue
            state = file.state()
            if state is None:
                del self._known[path]
            elif path in series.read and series.read[path] != state:
                del series.read[path]
                series.wait[path] = file

    def _note(self, sentence: str) -> list[Event]:
        if sentence == self._said:
            return []
        self._said = sentence
        return [Note(sentence)]
