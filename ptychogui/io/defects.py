"""Pixels of the detector that do not count as the others do: hot ones and dead ones.

All take a sample (n, ny, nx) of frames spread over the scan, as float32 with NaN for what is no count, and the mask of
pixels that may be used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ptychogui.io.detect import mean_pattern
from ptychogui.types import Mask, Real

_COUNTS = 3.0
"""A hot pixel is brighter than its neighbours by so many counts too."""
_MOST_OF_EIGHT = 6
"""A pixel beats its third-brightest neighbour if it beats so many of the eight."""
_LIT = 100.0
"""Counts that neighbours of a pixel have in all of the sample before its silence means something."""


def hot_pixels(
    sample: Real, mask: Mask, centre: tuple[float, float] | None, factor: float = 5.0, mean: Real | None = None
) -> Mask:
    """Pixels (True) that are far brighter than their surroundings in nearly every frame.

    A pixel counts as hot if its lowest tenth over the frames is `factor` times the third-brightest of its eight
    neighbours: a peak that the optics made is wider than that, a pair of hot pixels is not. The surroundings of
    `centre`, the direct beam of a far field, are never taken. `mean` (ny, nx) is the mean pattern, where it is known.
    """
    if len(sample) < 3:
        return np.zeros(mask.shape, bool)
    mean = mean_pattern(sample, mask) if mean is None else mean
    limit = np.pad(factor * mean + np.float32(_COUNTS), 1, mode="reflect")
    hot: Mask = mask & (_number_of(view < mean for view in _around(limit)) >= _MOST_OF_EIGHT)
    lowest = np.nanquantile(sample[:, hot], 0.1, axis=0) if hot.any() else mean[hot]
    hot[hot] = _number_of(view[hot] < lowest for view in _around(limit)) >= _MOST_OF_EIGHT
    if centre is not None:
        ny, nx = mean.shape
        y, x = np.ogrid[:ny, :nx]
        hot &= np.hypot(y - centre[0], x - centre[1]) > max(4.0, min(ny, nx) / 16)
    return hot


def dead_pixels(sample: Real, mask: Mask, factor: float = 5.0, mean: Real | None = None) -> Mask:
    """Pixels (True) that are far darker than their surroundings in nearly every frame.

    A pixel counts as dead if `factor` times its highest tenth over the frames is less than the third-darkest of its
    eight neighbours, and those have enough counts for that to mean something. `mean` (ny, nx) as for hot pixels.
    """
    if len(sample) < 3:
        return np.zeros(mask.shape, bool)
    mean = mean_pattern(sample, mask) if mean is None else mean
    around = np.pad(np.where(mask, mean, np.float32(np.inf)), 1, constant_values=np.inf)
    floor = np.maximum(factor * mean, np.float32(_LIT / len(sample)))
    dead: Mask = mask & (_number_of(view > floor for view in _around(around)) >= _MOST_OF_EIGHT)
    dead &= _number_of(np.isfinite(view) for view in _around(around)) > 8 - _MOST_OF_EIGHT
    highest = np.nanquantile(sample[:, dead], 0.9, axis=0) if dead.any() else mean[dead]
    dead[dead] = _number_of(view[dead] > factor * highest for view in _around(around)) >= _MOST_OF_EIGHT
    return dead


def _around(padded: NDArray[np.floating]) -> Iterator[NDArray[np.floating]]:
    """The eight neighbours (ny, nx) of every pixel, of a frame that was padded by one."""
    ny, nx = padded.shape[0] - 2, padded.shape[1] - 2
    return (padded[dy : dy + ny, dx : dx + nx] for dy in range(3) for dx in range(3) if (dy, dx) != (1, 1))


def _number_of(conditions: Iterable[NDArray[np.bool_]]) -> NDArray[np.uint8]:
    """How many of the conditions hold, pixel by pixel."""
    return sum((condition.astype(np.uint8) for condition in conditions), start=np.zeros((), np.uint8))
