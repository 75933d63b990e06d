"""How alike two images are: NRMSE, PSNR and SSIM."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.types import Mask

_SIGMA_PX, _RADIUS_PX = 1.5, 5


def nrmse(found: NDArray[Any], truth: NDArray[Any], support: Mask) -> float:
    """‖found − truth‖ / ‖truth‖ over the support (Y, X)."""
    given, wanted = found[support], truth[support]
    return float(np.linalg.norm(given - wanted) / np.linalg.norm(wanted))


def psnr_dB(found: NDArray[Any], truth: NDArray[Any], support: Mask) -> float:
    """20 log₁₀(max|truth| / √mean|found − truth|²) over the support; infinite where both are equal."""
    given, wanted = found[support], truth[support]
    error = float(np.sqrt(np.mean(np.abs(given - wanted) ** 2)))
    return float(20 * np.log10(np.abs(wanted).max() / error)) if error else float("inf")


def ssim(found: NDArray[np.float64], truth: NDArray[np.float64], support: Mask) -> float:
    """The mean structural similarity of two real images (Y, X) over the support.

    Wang, Bovik, Sheikh & Simoncelli, IEEE Trans. Image Process. 13, 600 (2004), Eqs. 13 to 17: a Gaussian window of
    11 × 11 pixels with σ = 1.5, K₁ = 0.01, K₂ = 0.03, here with the range that the truth has on the support for the
    dynamic range L. The mean is over pixels whose window lies wholly in the support, or over all of it where there are
    none. Not a number where the truth is flat.
    """
    from scipy.ndimage import gaussian_filter, minimum_filter1d

    span = float(np.ptp(truth[support]))
    if span == 0:
        return float("nan")

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(gaussian_filter(values, _SIGMA_PX, radius=_RADIUS_PX))

    rows, columns = (np.flatnonzero(support.any(axis)) for axis in (1, 0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    found, truth, support = found[box], truth[box], support[box]
    inner = support.astype(np.uint8)
    for axis in (0, 1):
        inner = minimum_filter1d(inner, 2 * _RADIUS_PX + 1, axis, mode="constant")
    x, y = np.where(np.isfinite(found), found, 0), truth
    mx, my = mean(x), mean(y)
    vx, vy, both = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    similar = (2 * mx * my + c1) * (2 * both + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))
    return float(similar[inner > 0 if inner.any() else support].mean())
