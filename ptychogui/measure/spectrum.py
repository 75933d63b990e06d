"""The power spectrum of a picture, and its mean over rings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft2, fftshift

from ptychogui.types import Positions, Real


@dataclass(frozen=True)
class Spectrum:
    """`power` (Y, X) with zero frequency at index n // 2, whose pixels are `pixel_per_m` (y, x) wide.

    `frequency_per_m` (K,) and `radial` (K,) are its mean over rings, up to the highest frequency that every direction
    has.
    """

    power: Real
    pixel_per_m: tuple[float, float]
    frequency_per_m: Positions
    radial: Positions


def spectrum(image: NDArray[Any], pixel_m: tuple[float, float]) -> Spectrum:
    """The power spectrum of a picture (Y, X), real or complex, without its mean and under a Hann window.

    The window keeps the edges of the picture from drawing a cross; it is scaled so that the mean power of white noise
    is its variance.
    """
    ny, nx = image.shape
    window = np.hanning(ny + 2)[1:-1, None] * np.hanning(nx + 2)[1:-1]
    window /= np.sqrt(np.mean(window**2))
    values = np.nan_to_num(image)
    waves = fftshift(fft2((values - values.mean()) * window.astype(np.float32), norm="ortho"))
    power = np.square(np.abs(waves)).astype(np.float32)
    pixel = 1 / (ny * pixel_m[0]), 1 / (nx * pixel_m[1])
    y, x = (np.arange(ny) - ny // 2) * pixel[0], (np.arange(nx) - nx // 2) * pixel[1]
    step = max(pixel)
    ring = np.rint(np.hypot(y[:, None], x) / step).astype(np.intp)
    count = int(min(0.5 / pixel_m[0], 0.5 / pixel_m[1]) / step + 1e-6)
    total = np.bincount(ring.ravel(), power.ravel().astype(np.float64))
    number = np.bincount(ring.ravel())
    shown = slice(1, max(count, 1) + 1)
    mean = total[shown] / np.maximum(number[shown], 1)
    return Spectrum(power, pixel, np.arange(len(total))[shown] * step, mean)
