"""What a handful of frames tell about the detector: gaps, where the middle of the pattern lies.

All take a sample (n, ny, nx) of frames spread over the scan, as float32 with NaN for what is no count.
"""

from __future__ import annotations

import numpy as np

from ptychogui.types import Mask, Real


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
