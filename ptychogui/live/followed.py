"""One scan in an HDF5 file that is being written: what came since the last look, as events."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.live.events import Block, Event, Numbers, Odd, Places
from ptychogui.live.growing import Growing
from ptychogui.params import InputError

TROUBLES = (OSError, RuntimeError, KeyError, ValueError, TypeError)
"""What a file gives that is half written, or damaged."""
_BLOCK = 32
_BLOCKS = 8
"""So many blocks are read at one look."""
_PLACES = 8192
_FIRST_KEY = 1000
"""A key that is above this, and above the number of frames, goes on from an earlier scan."""


class Followed:
    """The rows of a scan that were told already; the file may be opened again meanwhile."""

    def __init__(self, growing: Growing) -> None:
        self.begin, self._started = growing.begin, growing.started
        self.done = 0
        """Rows of frames that were told, or will never be."""
        self._placed = 0
        self._numbers: Numbers = np.zeros(0, np.intp)
        self._first: NDArray[Any] | None = None
        self._first_key: int | None = None

    def is_in(self, growing: Growing) -> bool:
        """Whether an opened file still holds this scan, and not the next one."""
        begin = growing.begin
        alike = (begin.shape, begin.dtype) == (self.begin.shape, self.begin.dtype)
        later = growing.started and self._started and growing.started != self._started
        if not alike or later or growing.frames.shape[0] < self.done:
            return False
        return self._first is None or np.asarray(growing.frames[0:1]).tobytes() == self._first.tobytes()

    def is_complete(self, growing: Growing) -> bool:
        """Whether as many frames and positions were told as there are going to be."""
        placed = growing.positions is None or self._placed >= self.done
        return self.begin.frames is not None and self.done >= self.begin.frames and placed

    def more(self, growing: Growing, *, damaged: bool = False) -> list[Event]:
        """What is whole by now; where it is `damaged`, frames that cannot be read are left out and counted."""
        events: list[Event] = []
        try:
            for _ in range(_BLOCKS):
                told = self._block(growing, damaged)
                events += told
                if not told:
                    break
            events += self._places(growing, at_the_end=False)
        except TROUBLES:
            if not events:  # what was read before is told first; the next look meets the same trouble
                raise
        return events

    def _block(self, growing: Growing, damaged: bool) -> list[Event]:
        end = growing.whole(self.done, _BLOCK)
        rows = np.arange(self.done, end)
        if damaged:
            rows = np.array([row for row in rows.tolist() if _is_readable(growing, row)], np.intp)
        lost = end - self.done - len(rows)
        block = np.asarray(growing.frames[self.done : end] if not lost else _rows(growing, rows))
        if not growing.shows_what_is_whole and not lost:
            block = block[: _last(_lit(block))]
            end = self.done + len(block)
        told = self._told(growing, block, rows[: len(block)], end)
        return told + ([Odd(f"{lost} frames of the file are damaged and cannot be read.", lost)] if lost else [])

    def rest(self, growing: Growing) -> list[Event]:
        """What is left of a scan that is over: frames behind such as were never written. Empty when all was told."""
        while (end := growing.rows(self.done, _BLOCK)) > self.done:
            block = np.asarray(growing.frames[self.done : end])
            rows = np.arange(self.done, end)
            there = _lit(block) if growing.keys is None else growing.key_values(self.done, end) != 0
            events = self._told(growing, block[there], rows[there], end)
            if events:
                return events
        return self._places(growing, at_the_end=True)

    def _told(self, growing: Growing, block: NDArray[Any], rows: Numbers, end: int) -> list[Event]:
        """Frames of some rows; all rows up to `end` are done with them."""
        numbers = np.full(end - self.done, -1, np.intp)
        numbers[rows - self.done] = self._numbered(growing, rows)
        told = numbers[rows - self.done]
        if self._first is None and len(rows) and rows[0] == 0:
            self._first = block[:1].copy()
        self._numbers, self.done = np.concatenate([self._numbers, numbers]), end
        return [Block(told, block)] if len(block) else []

    def _numbered(self, growing: Growing, rows: Numbers) -> Numbers:
        """The numbers of rows in the scan: as their keys count them, else as they lie in the file."""
        if not growing.numbering or not len(rows):
            return rows
        keys = growing.key_values(int(rows[0]), int(rows[-1]) + 1)[rows - rows[0]].astype(np.intp)
        if self._first_key is None:
            low = int(keys.min())
            self._first_key = low if low > max(self.begin.frames or 0, _FIRST_KEY) else 1
        numbers: Numbers = keys - self._first_key
        return numbers

    def _places(self, growing: Growing, *, at_the_end: bool) -> list[Event]:
        """Positions that are there by now; zeros behind the last one may not have been written yet."""
        if growing.positions is None:
            return []
        end = min(len(growing.positions), self._placed + _PLACES)
        end = min(end, self.done) if growing.numbering else end
        if end <= self._placed:
            return []
        values = growing.positions.read(self._placed, end)
        if not at_the_end:
            whole = self.done - self._placed if growing.keys is not None else 0
            values = values[: max(_last(_lit(np.nan_to_num(values))), whole)]
        first, self._placed = self._placed, self._placed + len(values)
        numbers = self._numbers[first : self._placed] if growing.numbering else np.arange(first, self._placed)
        return [Places(values, numbers=numbers)] if len(values) else []


def _lit(rows: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows hold anything but zeros."""
    return np.asarray(rows.any(tuple(range(1, rows.ndim))), np.bool_)


def _last(there: NDArray[np.bool_]) -> int:
    """How many there are up to the last one that is there."""
    found = np.flatnonzero(there)
    return int(found[-1]) + 1 if len(found) else 0


def _rows(growing: Growing, rows: Numbers) -> NDArray[Any]:
    parts = [np.asarray(growing.frames[row : row + 1]) for row in rows.tolist()]
    return np.concatenate(parts) if parts else np.zeros((0, *growing.begin.shape), growing.begin.dtype)


def _is_readable(growing: Growing, row: int) -> bool:
    try:
        growing.frames[row : row + 1]
    except (OSError, InputError):
        return False
    return True
