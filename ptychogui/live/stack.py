"""Frames in memory, of which nobody knows how many will come: room is made part by part, and nothing is ever moved."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.live.events import Numbers

_PART_BYTES = 2**25
_NARROW = np.dtype(np.uint16)


class Stack:
    """Frames (ny, nx) of `dtype` by their numbers; one thread puts, any thread reads.

    Wider integers are kept as uint16 for as long as they fit; what is read is of `dtype` always.
    """

    def __init__(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
        self.frame_shape, self.dtype = shape, dtype
        self._kept = _NARROW if dtype.kind in "ui" and dtype.itemsize > _NARROW.itemsize else dtype
        self.frame_bytes = math.prod(shape) * dtype.itemsize
        """What a frame takes at most."""
        self._length = max(1, _PART_BYTES // self.frame_bytes)
        self._parts: dict[int, NDArray[Any]] = {}

    def put(self, numbers: Numbers, frames: NDArray[Any]) -> None:
        """Keep frames (b, ny, nx) at their numbers (b,)."""
        values = converted(frames, self.dtype)
        which, row = np.divmod(numbers, self._length)
        for part in np.unique(which).tolist():
            chosen = which == part
            some, at = (values, row) if chosen.all() else (values[chosen], row[chosen])
            kept = self._parts.get(part)
            if kept is None:
                kept = np.zeros((self._length, *self.frame_shape), self._kept)  # the system gives memory as it is used
            if kept.dtype != self.dtype and (some.max() > np.iinfo(_NARROW).max or some.min() < 0):
                kept = kept.astype(self.dtype)
            kept[at] = some
            self._parts[part] = kept

    def read(self, numbers: Numbers) -> NDArray[Any]:
        """Frames (b, ny, nx); zeros where none has come."""
        which, row = np.divmod(numbers, self._length)
        parts = np.unique(which).tolist()
        frames = np.zeros((len(numbers), *self.frame_shape), self.dtype)
        for part in parts:
            kept = self._parts.get(part)
            if kept is not None:
                chosen = which == part
                frames[chosen] = kept[row[chosen]]
        return frames


def converted(frames: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Counts as another type; what that cannot hold becomes its largest number, as a saturated pixel."""
    if frames.dtype == dtype or "b" in (frames.dtype.kind, dtype.kind) or dtype.kind == "f":
        return frames.astype(dtype, copy=False)
    own, limit = np.iinfo(frames.dtype), np.iinfo(dtype)
    return frames.clip(max(own.min, limit.min), min(own.max, limit.max)).astype(dtype)
