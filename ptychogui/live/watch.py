"""Watching a folder that fills with files of frames, one scan after the other."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from ptychogui.live.events import End, Event, Note
from ptychogui.live.file_series import FileSeries, Planned
from ptychogui.live.frame_files import FrameFile, frame_files

_HANDOVER_S = 2.0
"""A single file of another name begins a scan when no file of this one has come for so long."""
_AGAIN_S = 0.5
"""Files that were read are looked at again so often, for they may be written anew."""
Name = tuple[Path, str, str]


class Watch:
    """A folder; `look` tells what is new in it, from any thread.

    Files whose names differ in their last number only are one scan. Where there are several when the watch begins, the
    newest counts; after that, a new name is the next scan, if its files can be read and no more come of the one before.
    """

    def __init__(self, folder: Path, pattern: str, planned: Planned, quiet_s: float) -> None:
        self.folder, self.busy = folder, False
        self._pattern, self._planned, self._quiet_s = pattern, planned, quiet_s
        self._lock = threading.Lock()
        self._known: dict[str, FrameFile] = {}
        self._waiting: dict[Name, dict[Path, FrameFile]] = {}
        self._passed: set[Name] = set()
        self._name: Name | None = None
        self._series: FileSeries | None = None
        self._before: FileSeries | None = None
        self._others: dict[Name, FileSeries] = {}
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
        if not self.busy:  # what is known is read first
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
        quiet_s = time.monotonic() - self._quiet_since
        if series.wait and quiet_s <= self._quiet_s:
            return []
        events = self._next(series, quiet_s)
        if events:
            return events
        gone = not any(str(path) in self._known for path in series.read)
        if gone or quiet_s > self._quiet_s or series.is_complete:
            events = self._end(series)
        if gone:
            self._before, self._series, self._name, self._seen = series, None, None, False
        return events

    def _end(self, series: FileSeries) -> list[Event]:
        """The end of a scan; what comes later under its name is added to it all the same."""
        events = [] if self._ended or not series.begun else [*series.places(at_the_end=True), End()]
        self._ended = True
        return events

    def _next(self, series: FileSeries, quiet_s: float) -> list[Event]:
        """The next scan, where files of another name begin one: there are several of them, or no more of this one."""
        names = [name for name, files in self._waiting.items() if files]
        name = min(names, key=self._time, default=None)
        if name is None or self._name is None or (len(self._waiting[name]) == 1 and quiet_s < _HANDOVER_S):
            return []
        other = self._others.get(name)
        if other is None:
            other = self._others[name] = FileSeries(self._waiting[name].values(), self._planned, series)
            self._waiting[name] = other.wait  # what is listed from now on comes to it
        events = other.more()
        if not other.begun:
            return events
        events = [*self._end(series), *events]
        self._passed.add(self._name)
        self._series, self._name, self._before, self._ended = other, name, series, False
        del self._waiting[name], self._others[name]
        return events

    def _over(self, series: FileSeries) -> list[Event]:
        """The next scan has begun under the names of this one: what was read of it counts for it no more."""
        after = FileSeries(series.wait.values(), self._planned, series)
        after.read = series.read
        events = self._end(series)
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
            self._known[str(file.path)] = file
            if file.series not in self._passed:
                self._waiting.setdefault(file.series, {})[file.path] = file

    def _look_again(self, series: FileSeries) -> None:
        """Take those as new that were written anew, and forget those that are gone."""
        now = time.monotonic()
        if now - self._checked < _AGAIN_S:
            return
        self._checked = now
        for name, file in list(self._known.items()):
            if file.series != self._name:
                continue
            state, path = file.state(), file.path
            if state is None:
                del self._known[name]
            elif path in series.read and series.read[path] != state:
                del series.read[path]
                series.wait[path] = file

    def _note(self, sentence: str) -> list[Event]:
        if sentence == self._said:
            return []
        self._said = sentence
        return [Note(sentence)]
