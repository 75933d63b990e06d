"""What a handful of frames tell about the detector: gaps, hot pixels, where the middle of the pattern lies.

All take a sample (n, ny, nx) of frames spread over the scan, as float32 with NaN for what is no count.
"""

from __future__ import annotations

import numpy as np

from ptychogui.types import Mask, Real

_HOT_FACTOR = 5.0
_HOT_COUNTS = 3.0


def mean_pattern(sample: Real, mask: Mask) -> Real:
    """The mean (ny, nx) over the finite values; 0 where there is none or the mask forbids."""
    finite = np.isfinite(sample)
    total = np.where(finite, sample, 0).sum(0, dtype=np.float64)
    mean: Real = np.where(mask, total / np.maximum(finite.sum(0), 1), 0).astype(np.float32)
    return mean


def gaps(sample: Real) -> Mask:
    """Pixels (True) that hold no count in most frames: not finite, or below zero nearly always."""
    missing: Mask = (~np.isfinite(sample)).mean(0) > 0.5
    negative: Mask = (sample < 0).mean(0) > 0.95
    return missing | negative


def in_corner(mean: Real) -> bool:
    """Whether zero frequency lies in the corner: the outer half of the frame outshines the inner half."""
    ny, nx = mean.shape
    inner = mean[ny // 4 : ny - ny // 4, nx // 4 : nx - nx // 4].mean()
    shifted = np.fft.fftshift(mean)
    corners = shifted[ny // 4 : ny - ny // 4, nx // 4 : nx - nx // 4].mean()
    return bool(corners > 1.5 * inner)


def beam(mean: Real) -> tuple[float, float]:
    """The centre (y, x) of the bright part of a far-field pattern: its centroid above a tenth of the bright level."""
    level = np.sort(mean, axis=None)[-max(4, mean.size // 1000)]
    weight = np.where(mean > 0.1 * level, np.minimum(mean, level), 0).astype(np.float64)
    total = weight.sum()
    if total <= 0:
        return mean.shape[0] // 2, mean.shape[1] // 2
    y, x = np.indices(mean.shape)
    return float((weight * y).sum() / total), float((weight * x).sum() / total)


def hot_pixels(sample: Real, mask: Mask, centre: tuple[float, float] | None) -> Mask:
    """Pixels (True) that are far brighter than their surroundings in nearly every frame.

    A pixel counts as hot if its lowest tenth over the frames is five times the third-brightest of its eight
    neighbours: a peak that the optics made is wider than that, a pair of hot pixels is not. The surroundings of
    `centre`, the direct beam of a far field, are never taken.
    """
    if len(sample) < 3:
        return np.zeros(mask.shape, bool)
    mean = mean_pattern(sample, mask)
    padded = np.pad(mean, 1, mode="reflect")
    ny, nx = mean.shape
    around = np.stack(
        [padded[1 + dy : 1 + dy + ny, 1 + dx : 1 + dx + nx] for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]
    )
    third = np.partition(around, -3, axis=0)[-3]
    candidates = mask & (mean > _HOT_FACTOR * third + _HOT_COUNTS)
    lowest = np.nanquantile(sample[:, candidates], 0.1, axis=0) if candidates.any() else np.zeros(0)
    hot: Mask = candidates.copy()
    hot[candidates] = lowest > _HOT_FACTOR * third[candidates] + _HOT_COUNTS
    if centre is not None:
        y, x = np.indices(mean.shape)
        hot = hot & (np.hypot(y - centre[0], x - centre[1]) > max(4.0, min(ny, nx) / 16))
    return hot
