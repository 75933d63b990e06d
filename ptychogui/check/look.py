"""One look through the frames, from which all cheap checks are made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptychogui.io.prepare import BLOCK, PreparedFrames, counts, rows, spread
from ptychogui.params import InputError
from ptychogui.types import Dataset, Mask, Real

_MOST_BYTES = 2**31
_SAMPLE, _SAMPLE_BYTES = 64, 2**27


@dataclass(frozen=True)
class Look:
    """What the frames are like.

    `numbers` (k,) are the frames that were looked at, all of them where they are not too many, `totals` (k,) their
    counts, and `blind` (k,) is True where a frame has no valid pixel. `mean` (ny, nx) is the mean pattern, 0 where the
    mask forbids. `sample` (m, ny, nx) are some frames, NaN where invalid, and `raw` (m, ·, ·) the same as the file
    holds them.
    """

    numbers: NDArray[np.intp]
    totals: NDArray[np.float64]
    blind: Mask
    mean: Real
    sample: Real
    raw: Real
    mask: Mask

    @property
    def counts_per_frame(self) -> float:
        """The median counts of a frame."""
        return float(np.median(self.totals))


def looking(dataset: Dataset, most_bytes: int = _MOST_BYTES) -> Iterator[float | Look]:
    """Read the frames block by block, at most so many bytes: yields how much is done, and at last the look."""
    count, ny, nx = dataset.frames.shape
    size = 4 * ny * nx
    numbers = spread(count, max(_SAMPLE, most_bytes // size))
    at_once = int(np.clip(_SAMPLE_BYTES // size, 1, BLOCK))
    totals, blind = np.zeros(len(numbers)), np.zeros(len(numbers), np.bool_)
    mean, seen = np.zeros((ny, nx)), np.zeros((ny, nx))
    for begin in range(0, len(numbers), at_once):
        part = slice(begin, begin + at_once)
        block = _frames(dataset, numbers[part])
        finite = np.isfinite(block)
        block = np.where(finite, block, 0)
        blind[part] = ~(finite & dataset.mask).any((1, 2))
        totals[part] = block.sum((1, 2))
        mean += block.sum(0)
        seen += finite.sum(0)
        yield min((begin + at_once) / len(numbers), 1.0)
    few = spread(count, int(np.clip(_SAMPLE_BYTES // size, 8, _SAMPLE)))
    average: Real = np.where(dataset.mask, mean / np.maximum(seen, 1), 0).astype(np.float32)
    yield Look(numbers, totals, blind, average, _frames(dataset, few), _raw(dataset, few), dataset.mask)


def _frames(dataset: Dataset, numbers: NDArray[np.intp]) -> Real:
    """Some frames of a dataset, in any of its forms; 0 outside the mask, NaN where a frame cannot be used."""
    try:
        frames: Real = np.asarray(dataset.frames[numbers], np.float32)
    except InputError:  # one of them has no valid pixel
        if len(numbers) == 1:
            return np.full((1, *dataset.frames.shape[1:]), np.nan, np.float32)
        middle = len(numbers) // 2
        return np.concatenate([_frames(dataset, numbers[:middle]), _frames(dataset, numbers[middle:])])
    return np.where(dataset.mask, frames, np.float32(0))


def _raw(dataset: Dataset, numbers: NDArray[np.intp]) -> Real:
    frames = dataset.frames
    if isinstance(frames, PreparedFrames):
        return counts(rows(frames.source, frames.numbers[numbers]))
    return _frames(dataset, numbers)
