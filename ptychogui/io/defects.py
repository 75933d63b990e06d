"""Pixels of the detector that do not count as the others do: hot ones and dead ones.

All take a sample (n, ny, nx) of frames spread over the scan, as float32 with NaN for what is no count, and the mask of
pixels that may be used.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ptychogui.io.detect import mean_pattern
from ptychogui.types import Mask, Real

_COUNTS = 3.0
"""A hot pixel is brighter than its neighbours by so many counts too."""
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
    third = np.partition(_around(mean, "reflect"), -3, axis=0)[-3]
    hot: Mask = mask & (mean > factor * third + _COUNTS)
    hot[hot] = np.nanquantile(sample[:, hot], 0.1, axis=0) > factor * third[hot] + _COUNTS if hot.any() else False
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
    around = _around(np.where(mask, mean, np.inf), "constant", np.inf)
    third = np.partition(around, 2, axis=0)[2]
    dead: Mask = mask & np.isfinite(third) & (third * len(sample) > _LIT) & (factor * mean < third)
    dead[dead] = factor * np.nanquantile(sample[:, dead], 0.9, axis=0) < third[dead] if dead.any() else False
    return dead


def _around(mean: NDArray[np.floating], mode: str, fill: float = 0.0) -> NDArray[np.floating]:
    """The eight neighbours (8, ny, nx) of every pixel; what lies beyond the edge is reflected or filled."""
    padded = np.pad(mean, 1, mode="reflect") if mode == "reflect" else np.pad(mean, 1, constant_values=fill)
    ny, nx = mean.shape
    return np.stack([padded[dy : dy + ny, dx : dx + nx] for dy in range(3) for dx in range(3) if (dy, dx) != (1, 1)])
