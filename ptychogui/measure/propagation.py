"""The probe along the beam: slices through its intensity before and behind the sample, and where it is smallest."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft2, fftfreq, ifft2

from ptychogui.types import Complex, Positions, Real

_REACH = 1.3
"""So many times the way to the place where the rays meet is shown."""
_RAYLEIGH = 8.0
"""At least so many depths of focus are shown on either side."""


@dataclass(frozen=True)
class Beam:
    """The intensity, summed over modes, in planes at `z_m` (K,), which counts along the beam from the sample.

    `along_y` (K, ny) and `along_x` (K, nx) are cuts through the beam's middle, `radius_m` (K, 2) its rms radii in y and
    x, `sharpness` (K,) is Σ I² / (Σ I)², highest where the beam is smallest.
    """

    z_m: Positions
    along_y: Real
    along_x: Real
    radius_m: Positions
    sharpness: Positions
    pixel_m: tuple[float, float]

    @property
    def focus(self) -> int:
        """The plane in which the beam is smallest."""
        return int(np.argmax(self.sharpness))


def propagated(modes: Complex, pixel_m: tuple[float, float], wavelength_m: float, z_m: float) -> Complex:
    """Modes (M, ny, nx) at a distance along the beam, by the angular spectrum exp(ikz(√(1 − λ²f²) − 1)).

    Evanescent waves are left out. The window is circular: what leaves it at one side comes in at the other.
    """
    fy, fx = (fftfreq(n, d) for n, d in zip(modes.shape[-2:], pixel_m))
    sine2 = wavelength_m**2 * (fy[:, None] ** 2 + fx**2)
    phase = 2 * np.pi * z_m / wavelength_m * (-sine2 / (np.sqrt(np.maximum(1 - sine2, 0)) + 1))
    transfer = np.where(sine2 < 1, np.exp(1j * phase), 0).astype(np.complex64)
    return np.asarray(ifft2(fft2(modes) * transfer), np.complex64)


def reach_m(modes: Complex, pixel_m: tuple[float, float], wavelength_m: float) -> float:
    """How far along the beam it is worth looking: beyond the place where the rays meet, and over the depth of focus.

    Never so far that the beam becomes wider than its window.
    """
    intensity = np.square(np.abs(modes)).sum(0, dtype=np.float64)
    angles = np.square(np.abs(fft2(modes))).sum(0, dtype=np.float64)
    reaches = []
    for axis, (n, d) in enumerate(zip(modes.shape[-2:], pixel_m)):
        size = math.sqrt(_variance(intensity.sum(1 - axis), np.arange(n) * d))
        spread = wavelength_m * math.sqrt(_variance(angles.sum(1 - axis), fftfreq(n, d)))
        spread = max(spread, wavelength_m / (n * d))
        waist = wavelength_m / (4 * np.pi * spread)
        room = (n * d / 2) / (3 * spread)
        reaches.append(min(max(_REACH * size / spread, _RAYLEIGH * waist / spread), room))
    return float(max(reaches))


def beam(
    modes: Complex,
    pixel_m: tuple[float, float],
    wavelength_m: float,
    z_m: Positions,
    ended: Callable[[], bool] = lambda: False,
) -> Beam | None:
    """Modes (M, ny, nx) in the planes `z_m` (K,); `ended` is asked between planes, and where it says so, None."""
    spectra = fft2(modes)
    fy, fx = (fftfreq(n, d) for n, d in zip(modes.shape[-2:], pixel_m))
    sine2 = wavelength_m**2 * (fy[:, None] ** 2 + fx**2)
    slowness = 2 * np.pi / wavelength_m * (-sine2 / (np.sqrt(np.maximum(1 - sine2, 0)) + 1))
    row, column = _middle(np.square(np.abs(modes)).sum(0))
    y, x = (np.arange(n) * d for n, d in zip(modes.shape[-2:], pixel_m))
    along_y, along_x, radius, sharpness = [], [], [], []
    for z in z_m:
        if ended():
            return None
        transfer = np.where(sine2 < 1, np.exp(1j * slowness * z), 0).astype(np.complex64)
        intensity = np.square(np.abs(ifft2(spectra * transfer))).sum(0)
        along_y.append(intensity[:, column])
        along_x.append(intensity[row])
        radius.append([math.sqrt(_variance(intensity.sum(1), y)), math.sqrt(_variance(intensity.sum(0), x))])
        sharpness.append(float(np.square(intensity).sum(dtype=np.float64) / max(float(intensity.sum()), 1e-30) ** 2))
    return Beam(z_m, np.array(along_y), np.array(along_x), np.array(radius), np.array(sharpness), pixel_m)


def fwhm_m(intensity: Real, pixel_m: tuple[float, float]) -> tuple[float, float]:
    """The full widths at half maximum (y, x) of the cuts through the brightest pixel of an intensity (ny, nx)."""
    row, column = np.unravel_index(int(np.argmax(intensity)), intensity.shape)
    return _width(intensity[:, column], int(row)) * pixel_m[0], _width(intensity[row], int(column)) * pixel_m[1]


def _width(cut: NDArray[np.float32], top: int) -> float:
    """The width at half of its highest value, in pixels; whole where the cut never falls so far."""
    half, ends = cut[top] / 2, []
    for step in (-1, 1):
        i = top
        while 0 <= i + step < len(cut) and cut[i + step] > half:
            i += step
        inside = 0 <= i + step < len(cut)
        part = (cut[i] - half) / max(float(cut[i] - cut[i + step]), 1e-30) if inside else 0.0
        ends.append(i + step * float(part))
    return float(ends[1] - ends[0])


def _middle(intensity: Real) -> tuple[int, int]:
    """The pixel at the centre of mass."""
    total = max(float(intensity.sum()), 1e-30)
    y, x = (np.arange(n) for n in intensity.shape)
    return round(float(intensity.sum(1) @ y) / total), round(float(intensity.sum(0) @ x) / total)


def _variance(weight: NDArray[np.float64], at: NDArray[np.float64]) -> float:
    total = max(float(weight.sum()), 1e-300)
    mean = float(weight @ at) / total
    return max(float(weight @ np.square(at - mean)) / total, 0.0)
