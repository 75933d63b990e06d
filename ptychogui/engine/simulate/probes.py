"""Probes made by formula, (ny, nx) at the sample plane with the middle at index n // 2; brightness is arbitrary."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import fft

Array = NDArray[np.floating]
Wave = NDArray[np.complex128]
Pair = tuple[float, float]


def frequencies(shape: tuple[int, int], pixel_m: Pair) -> tuple[Array, Array]:
    """Spatial frequencies (ny, 1) and (1, nx) in 1/m, zero in the corner."""
    (ny, nx), (dy, dx) = shape, pixel_m
    return np.fft.fftfreq(ny, dy)[:, None], np.fft.fftfreq(nx, dx)[None, :]


def coordinates(shape: tuple[int, int], pixel_m: Pair) -> tuple[Array, Array]:
    """Places (ny, 1) and (1, nx) in metres, zero at index n // 2."""
    (ny, nx), (dy, dx) = shape, pixel_m
    return (np.arange(ny) - ny // 2)[:, None] * dy, (np.arange(nx) - nx // 2)[None, :] * dx


def angular_spectrum(wave: Wave, wavelength_m: float, distance_m: float, pixel_m: Pair) -> Wave:
    """The wave (…, ny, nx) after a distance in free space, with periodic borders; the constant phase kz is left out."""
    fy, fx = frequencies((wave.shape[-2], wave.shape[-1]), pixel_m)
    axial = np.sqrt(np.maximum(1 - (wavelength_m * fy) ** 2 - (wavelength_m * fx) ** 2, 0))
    H = np.exp(2j * np.pi * distance_m / wavelength_m * (axial - 1))
    result: Wave = fft.ifft2(fft.fft2(wave) * H)
    return result


def focused(
    shape: tuple[int, int],
    pixel_m: Pair,
    wavelength_m: float,
    convergence_rad: float,
    defocus_m: float,
    *,
    stop: float = 0.0,
    astigmatism_rad: float = 0.0,
    coma_rad: float = 0.0,
    tilt_mode: Pair | None = None,
) -> Wave:
    """A lens's probe: a disc of directions up to a semi-angle, `defocus_m` from its focus.

    `stop` is the blocked inner part of the radius (the central stop of a zone plate). Aberrations are the phase at
    the aperture's edge. `tilt_mode` (y, x) multiplies the aperture by a linear ramp of amplitude: the first mode of a
    source that is not quite coherent along that direction.
    """
    fy, fx = frequencies(shape, pixel_m)
    v, u = wavelength_m * fy / convergence_rad, wavelength_m * fx / convergence_rad
    radius, soft = np.hypot(v, u), max(v[1, 0], u[0, 1])
    aperture = 0.5 * (1 + np.tanh((1 - radius) / soft))
    if stop:
        aperture = aperture * 0.5 * (1 + np.tanh((radius - stop) / soft))
    if tilt_mode is not None:
        aperture = aperture * (tilt_mode[0] * v + tilt_mode[1] * u)
    phase = -np.pi * wavelength_m * defocus_m * (fy**2 + fx**2)
    phase = phase + astigmatism_rad * (v**2 - u**2 + v * u) + coma_rad * radius**2 * (v + 0.4 * u)
    result: Wave = fft.fftshift(fft.ifft2(aperture * np.exp(1j * phase)))
    return result


def gaussian(shape: tuple[int, int], pixel_m: Pair, fwhm_m: Pair) -> Wave:
    """A Gaussian beam's waist; `fwhm_m` (y, x) is that of the amplitude."""
    y, x = coordinates(shape, pixel_m)
    result: Wave = np.exp(-4 * np.log(2) * ((y / fwhm_m[0]) ** 2 + (x / fwhm_m[1]) ** 2)).astype(np.complex128)
    return result


def diffuser(shape: tuple[int, int], grain_px: float, rng: Generator) -> Array:
    """A smooth random field of zero mean and unit variance with grains of this size, periodic at the borders."""
    fy, fx = frequencies(shape, (1.0, 1.0))
    field = np.real(fft.ifft2(fft.fft2(rng.normal(size=shape)) * np.exp(-((grain_px * np.hypot(fy, fx)) ** 2) * 2)))
    result: Array = (field - field.mean()) / field.std()
    return result


def orthogonal(modes: Wave, weights: tuple[float, ...]) -> Wave:
    """Modes (M, ny, nx) made orthogonal in their order, with these parts of the total power 1."""
    flat = modes.reshape(len(modes), -1)
    q, _ = np.linalg.qr(flat.T)
    share = np.asarray(weights) / sum(weights)
    result: Wave = (q * np.sqrt(share)).T.reshape(modes.shape)
    return result
