"""Positions by time, for frames that have a time stamp and no number in common with them."""

from __future__ import annotations

import numpy as np

from ptychogui.types import Positions

_BESIDE = 2.0
"""So many intervals before the first position and behind the last one a frame may lie."""
_LOOK = 1000
"""The interval is that of so many of the latest positions."""


class Track:
    """Positions (n, 2) with their times, in the order of these."""

    def __init__(self) -> None:
        self._count = 0
        self._time_s = np.empty(64)
        self._places = np.empty((2, 64))

    def __len__(self) -> int:
        return self._count

    def add(self, time_s: Positions, positions: Positions) -> None:
        """Take positions (b, 2) at times (b,); those that are not finite are left out."""
        good = np.isfinite(time_s) & np.isfinite(positions).all(1)
        time_s, places = time_s[good], positions[good].T
        end = self._count + len(time_s)
        while end > len(self._time_s):
            self._time_s = np.concatenate([self._time_s, np.empty_like(self._time_s)])
            self._places = np.concatenate([self._places, np.empty_like(self._places)], axis=1)
        last = self._time_s[self._count - 1] if self._count else -np.inf
        self._time_s[self._count : end], self._places[:, self._count : end] = time_s, places
        self._count = end
        if (np.diff(time_s, prepend=last) < 0).any():
            order = np.argsort(self._time_s[:end], kind="stable")
            self._time_s[:end], self._places[:, :end] = self._time_s[order], self._places[:, order]

    def at(self, time_s: Positions, *, to_the_end: bool = False) -> Positions:
        """Positions (b, 2) at times (b,), between those before and behind.

        NaN where nothing is known near that time; behind the last one too, as the next may be nearer, but for
        `to_the_end`.
        """
        found = np.full((len(time_s), 2), np.nan)
        if not self._count:
            return found
        known = self._time_s[: self._count]
        interval = np.median(np.diff(known[-_LOOK:])) if self._count > 1 else 0.0
        near = time_s >= known[0] - _BESIDE * interval
        near &= time_s <= known[-1] + (_BESIDE * interval if to_the_end else 0.0)
        for axis in (0, 1):
            found[near, axis] = np.interp(time_s[near], known, self._places[axis, : self._count])
        return found
