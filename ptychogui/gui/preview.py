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
    count, ny, nx = dataset.frames.shape
    counts, centre = np.full(count, np.nan), np.full((count, 2), np.nan)
    total, valid = np.zeros((ny, nx)), np.zeros((ny, nx))
    y, x = np.arange(ny) - ny // 2, np.arange(nx) - nx // 2
    told = time.monotonic()
    block = max(1, min(BLOCK, BLOCK_PIXELS // (ny * nx)))
    for start in range(0, count, block):
        stop = min(start + block, count)
        frames = np.asarray(dataset.frames[start:stop], np.float32)
        good = np.isfinite(frames) & dataset.mask
        frames = np.where(good, frames, 0)
        total += frames.sum(0)
        valid += good.sum(0)
        counts[start:stop] = sums = frames.sum((1, 2), dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            centre[start:stop, 0] = frames.sum(2) @ y / sums
            centre[start:stop, 1] = frames.sum(1) @ x / sums
        if stop == count or time.monotonic() - told > pause_s:
            mean = np.where(valid > 0, total / np.maximum(valid, 1), np.nan).astype(np.float32)
            yield Preview(counts.copy(), centre.copy(), mean, stop)
            told = time.monotonic()
