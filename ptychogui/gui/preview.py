"""What a scan looks like before any solver runs: counts of each frame, centre of mass, mean pattern."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ptychogui.types import Dataset, Positions, Real

BLOCK = 32
"""Frames read at a time: h5py holds a lock during a read, so a block must be short."""
BLOCK_PIXELS = 8_000_000
"""No more than this at a time, so that large frames do not fill the memory."""


@dataclass(frozen=True)
class Preview:
    """`total_counts` (N,), `centre_of_mass` (N, 2) as (y, x) in pixels from the middle, `mean_pattern` (ny, nx).

    The values of frames that are not read yet are NaN; `done` says how many have been read.
    """

    total_counts: Positions
    centre_of_mass: Positions
    mean_pattern: Real
    done: int

    @property
    def complete(self) -> bool:
        """Whether every frame has been read."""
        return self.done == len(self.total_counts)


def previews(dataset: Dataset, pause_s: float = 0.25) -> Iterator[Preview]:
    """Read the frames in blocks and tell every `pause_s` seconds what is known; the last Preview is complete."""
    gathered = _Gathered(dataset)
    told = time.monotonic()
    while gathered.read():
        if gathered.done == gathered.count or time.monotonic() - told > pause_s:
            yield gathered.preview
            told = time.monotonic()


def longer_preview(before: Preview | None, dataset: Dataset, most: int) -> Preview:
    """The preview of a scan that has grown since `before`; at most so many further frames are read."""
    gathered = _Gathered(dataset, before)
    limit = gathered.done + most
    while gathered.done < limit and gathered.read():
        pass
    return gathered.preview


class _Gathered:
    """The values of the frames that were read so far."""

    def __init__(self, dataset: Dataset, before: Preview | None = None) -> None:
        self.count, ny, nx = dataset.frames.shape
        self._dataset = dataset
        self._counts, self._centre = np.full(self.count, np.nan), np.full((self.count, 2), np.nan)
        self._total, self._valid = np.zeros((ny, nx)), np.zeros((ny, nx))
        self._y, self._x = np.arange(ny) - ny // 2, np.arange(nx) - nx // 2
        self._block = max(1, min(BLOCK, BLOCK_PIXELS // (ny * nx)))
        self.done = 0
        if before is not None:
            self.done = before.done
            self._counts[: self.done] = before.total_counts[: self.done]
            self._centre[: self.done] = before.centre_of_mass[: self.done]
            known = np.isfinite(before.mean_pattern)
            self._valid += np.where(known, self.done, 0)
            self._total += np.where(known, before.mean_pattern, 0) * self.done

    def read(self) -> bool:
        """Read one more block, if there is one."""
        start, stop = self.done, min(self.done + self._block, self.count)
        if start == stop:
            return False
        frames = np.asarray(self._dataset.frames[start:stop], np.float32)
        good = np.isfinite(frames) & self._dataset.mask
        frames = np.where(good, frames, 0)
        self._total += frames.sum(0)
        self._valid += good.sum(0)
        self._counts[start:stop] = sums = frames.sum((1, 2), dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            self._centre[start:stop, 0] = frames.sum(2) @ self._y / sums
            self._centre[start:stop, 1] = frames.sum(1) @ self._x / sums
        self.done = stop
        return True

    @property
    def preview(self) -> Preview:
        """What is known now."""
        valid, total = self._valid, self._total
        mean = np.where(valid > 0, total / np.maximum(valid, 1), np.nan).astype(np.float32)
        return Preview(self._counts.copy(), self._centre.copy(), mean, self.done)
