"""Which states on the way of a run are worth keeping."""

from __future__ import annotations

import numpy as np

from ptychogui.types import Result, Snapshot

MOST = 24
_SHARE = 0.03
"""The part of a run's time that keeping may take."""


class Keeper:
    """Asks for states at epochs that are spaced as a logarithm, as long as time and memory allow it."""

    def __init__(self, limit_bytes: float, most: int = MOST) -> None:
        self._limit_bytes, self._most = limit_bytes, most
        self._last, self._count, self._seconds = -1, 0, 0.0

    def wants(self, shown: Snapshot) -> bool:
        """Whether the state of which this is the picture should be kept; not before a first guess was found."""
        if shown.ended or shown.doing or self._count >= self._most:
            return False
        if self._count and self._seconds > _SHARE * shown.seconds:
            return False
        due = [epoch for epoch in epochs_worth_keeping(shown.epochs, self._most) if epoch <= shown.epoch]
        return bool(due) and due[-1] > self._last

    def took(self, kept: Result, seconds: float) -> None:
        """Count what was kept; the first one tells how many there is room for."""
        self._last, self._count, self._seconds = len(kept.loss), self._count + 1, self._seconds + seconds
        self._most = min(self._most, max(1, int(self._limit_bytes // held_bytes(kept))))


def epochs_worth_keeping(epochs: int, most: int) -> list[int]:
    """The start and at most `most` - 1 epochs, close at first, the last before the end."""
    spaced = np.geomspace(1, max(epochs - 1, 1), max(most - 1, 1)).round().astype(int)
    return [0, *(int(epoch) for epoch in np.unique(spaced))]


def held_bytes(kept: Result) -> int:
    """The memory that a state takes."""
    arrays = (kept.obj.slices, kept.probe.modes, kept.illumination, *kept.unknowns.values())
    return max(1, sum(array.nbytes for array in arrays if array is not None))
