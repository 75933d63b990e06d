"""A dataset as a detector would send it: at a rate, in an order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.io.raw import PositionUnit
from ptychogui.live.events import Numbers
from ptychogui.types import Dataset, Positions

_AT_ONCE = 32
"""The most frames that are read and sent at once."""
_TOLD = ("field", "wavelength_m", "distance_m", "detector_pixel_m", "focus_to_sample_m", "convergence_rad", "defocus_m")
_HIGHEST = 1 / 200
"""Seconds between two sends, at most: a high rate comes in blocks, a low one frame by frame."""


@dataclass(frozen=True)
class Replayed:
    """A scan to be sent: whole counts as integers, positions and optics from `dataset`, `rate` frames a second.

    `order` (K,) are the numbers of the frames as they are sent: a number that is missing is dropped, one that stands
    twice is doubled, and any order is allowed. A rate of 0 is as fast as it goes. The scan is sent `times` times.
    """

    dataset: Dataset
    rate: float = 0.0
    order: Numbers | None = None
    times: int = 1
    sent: Callable[[int], object] | None = None
    """Told, whenever frames have been sent, how many."""

    def __len__(self) -> int:
        return len(self.dataset.scan)

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx)"""
        return self.dataset.frames.shape[1], self.dataset.frames.shape[2]

    @property
    def positions_m(self) -> Positions:
        """(N, 2)"""
        return self.dataset.scan.positions_m

    def found(self) -> dict[str, Any]:
        """What an instrument would say of itself: values by the names of the fields of `Data`, where they are known."""
        optics = self.dataset.geometry
        said = {name: getattr(optics, name) for name in _TOLD} | {"pixel_m": optics.given_pixel_m}
        return {name: value for name, value in said.items() if value is not None}

    @property
    def positions_unit(self) -> PositionUnit:
        """Metres, or pixels where the pixel at the sample is not known."""
        return "m" if self.dataset.geometry.calibrated else "px"

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """The smallest unsigned integers that hold the first frames."""
        highest = float(np.nanmax(np.asarray(self.dataset.frames[: min(len(self), _AT_ONCE)])))
        return np.dtype(np.uint16 if highest < 2**15 else np.uint32)

    def counts(self, numbers: Numbers) -> NDArray[Any]:
        """Frames (b, ny, nx) as whole counts; what is not measured is 0."""
        exact = np.float32 if self.dtype.itemsize == 2 else np.float64  # half as wide, and more than twice as fast
        values = np.nan_to_num(np.asarray(self.dataset.frames[numbers], exact), nan=0.0)
        limit = np.iinfo(self.dtype).max
        counts: NDArray[Any] = np.clip(np.rint(values, out=values), 0, limit, out=values).astype(self.dtype)
        return counts

    async def blocks(self) -> AsyncIterator[tuple[Numbers, NDArray[Any]]]:
        """Numbers (b,) and frames (b, ny, nx), each when its time has come."""
        order = np.arange(len(self)) if self.order is None else np.asarray(self.order, np.intp)
        size = _AT_ONCE if not self.rate else int(np.clip(self.rate * _HIGHEST, 1, _AT_ONCE))
        begun = time.monotonic()
        for first in range(0, len(order), size):
            numbers = order[first : first + size]
            frames = await asyncio.to_thread(self.counts, numbers)
            if self.rate:
                await asyncio.sleep(max(0.0, begun + (first + len(numbers)) / self.rate - time.monotonic()))
            yield numbers, frames
            if self.sent is not None:
                self.sent(len(numbers))


def disordered(count: int, drop: float = 0.0, double: float = 0.0, shuffle: int = 0, seed: int = 0) -> Numbers:
    """Numbers (K,) of `count` frames as a bad connection would bring them.

    The parts `drop` and `double` (0 … 1) of them never come, or come twice; up to `shuffle` later frames overtake
    each.
    """
    rng = np.random.default_rng(seed)
    copies = np.ones(count, np.intp)
    dropped, doubled = round(drop * count), round(double * count)
    chosen = rng.permutation(count)
    copies[chosen[:dropped]] = 0
    copies[chosen[dropped : dropped + doubled]] = 2
    order = np.repeat(np.arange(count), copies)
    return order[np.argsort(np.arange(len(order)) + rng.uniform(0, shuffle + 1, len(order)), kind="stable")]
