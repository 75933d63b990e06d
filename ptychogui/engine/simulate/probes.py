"""Probes made by formula, (ny, nx) at the sample plane with the middle at index n // 2; brightness is arbitrary."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import fft
from scipy.special import fresnel

from ptychogui.geometry import Geometry
from ptychogui.params import InputError, format_quantity

Array = NDArray[np.floating]
Wave = NDArray[np.complex128]
Pair = tuple[float, float]

_FINE = 16
"""Places along a pixel over which a wave with sharp fringes is averaged."""


def frequencies(shape: tuple[int, int], pixel_m: Pair) -> tuple[Array, Array]:
    """Spatial frequencies (ny, 1) and (1, nx) in 1/m, zero in the corner."""
    (ny, nx), (dy, dx) = shape, pixel_m
    return np.fft.fftfreq(ny, dy)[:, None], np.fft.fftfreq(nx, dx)[None, :]


def places(shape: tuple[int, int]) -> tuple[Array, Array]:
    """Places (ny, 1) and (1, nx) in pixels, zero at index n // 2."""
    ny, nx = shape
    return (np.arange(ny, dtype=np.float64) - ny // 2)[:, None], (np.arange(nx, dtype=np.float64) - nx // 2)[None, :]


def known(value: float | None) -> float:
    """A number that every recipe states."""
    assert value is not None
    return value


def _step(distance: Array) -> Array:
    """From 0 to 1 across a border that lies at zero."""
    result: Array = 0.5 * (1 + np.tanh(distance))
    return result


def angular_spectrum(wave: Wave, wavelength_m: float, distance_m: float, pixel_m: Pair) -> Wave:
    """The wave (…, ny, nx) after a distance in free space, with periodic borders; the constant phase kz is left out."""
    fy, fx = frequencies((wave.shape[-2], wave.shape[-1]), pixel_m)
    axial = np.sqrt(np.maximum(1 - (wavelength_m * fy) ** 2 - (wavelength_m * fx) ** 2, 0))
    H = np.exp(2j * np.pi * distance_m / wavelength_m * (axial - 1))
    result: Wave = fft.ifft2(fft.fft2(wave) * H)
    return result


def focused(
    geometry: Geometry,
    *,
    stop: float = 0.0,
    astigmatism_rad: float = 0.0,
    coma_rad: float = 0.0,
) -> Wave:
    """A lens's probe on the sample: a disc of directions with the geometry's convergence and defocus.

    `stop` is the blocked inner part of the radius (the central stop of a zone plate). Aberrations are the phase at
    the aperture's edge. Raises `InputError` where the cone does not fit the detector or the beam not the window.
    """
    wavelength_m, convergence_rad = known(geometry.wavelength_m), known(geometry.convergence_rad)
    _check_fit(geometry)
    fy, fx = frequencies(geometry.shape, geometry.pixel_m)
    v, u = wavelength_m * fy / convergence_rad, wavelength_m * fx / convergence_rad
    radius, edge = np.hypot(v, u), max(v[1, 0], u[0, 1])
    aperture = _step((1 - radius) / edge)
    if stop:
        aperture = aperture * _step((radius - stop) / edge)
    phase = -np.pi * wavelength_m * known(geometry.behind_focus_m) * (fy**2 + fx**2)
    phase = phase + astigmatism_rad * (v**2 - u**2 + v * u) + coma_rad * radius**2 * (v + 0.4 * u)
    result: Wave = fft.fftshift(fft.ifft2(aperture * np.exp(1j * phase)))
    return result


def _check_fit(geometry: Geometry) -> None:
    wavelength_m, convergence_rad = known(geometry.wavelength_m), known(geometry.convergence_rad)
    limit_rad = wavelength_m / (2 * max(geometry.pixel_m))
    if convergence_rad > limit_rad:
        raise InputError(
            f"The beam's cone of {format_quantity(convergence_rad, 'rad')} is wider than the detector, which sees "
            f"{format_quantity(limit_rad, 'rad')}: choose a smaller angle or a shorter distance."
        )
    width_m = min(n * d for n, d in zip(geometry.shape, geometry.pixel_m))
    beam_m = 2 * convergence_rad * abs(known(geometry.defocus_m))
    if beam_m > width_m:
        raise InputError(
            f"The beam of {format_quantity(beam_m, 'm')} is wider than the window of {format_quantity(width_m, 'm')} "
            "on the sample: choose less defocus or a detector with more pixels."
        )


def gaussian(geometry: Geometry, width: float) -> Wave:
    """A Gaussian beam's waist; `width` is its amplitude's full width at half maximum, as a part of the frame."""
    y, x = places(geometry.shape)
    ny, nx = geometry.shape
    result: Wave = np.exp(-4 * np.log(2) * ((y / (width * ny)) ** 2 + (x / (width * nx)) ** 2)).astype(np.complex128)
    return result


def annulus(geometry: Geometry, width: float, stop: float) -> Wave:
    """The cone of a zone plate with a central stop, cut by the sample, a little off the middle.

    `width` is its diameter as a part of the frame's shorter side, `stop` the dark inner part of its radius.
    """
    y, x = places(geometry.shape)
    outer = width * min(geometry.shape) / 2
    radius = np.hypot(y - 0.03 * outer, x + 0.05 * outer)
    result: Wave = (_step((outer - radius) / 3) * _step((radius - stop * outer) / 3)).astype(np.complex128)
    return result


def square_aperture(geometry: Geometry, width_m: float, distance_m: float) -> Wave:
    """A plane wave some distance behind a square aperture (0: in it), averaged over every pixel."""
    wavelength_m, fine = known(geometry.wavelength_m), (np.arange(_FINE) - (_FINE - 1) / 2) / _FINE
    waves = []
    for x, pixel_m in zip(places(geometry.shape), geometry.pixel_m):
        waves.append(slit((x[..., None] + fine) * pixel_m, width_m, wavelength_m, distance_m).mean(-1))
    result: Wave = waves[0] * waves[1]
    return result


def slit(x: Array, width_m: float, wavelength_m: float, distance_m: float) -> Wave:
    """A plane wave at places x some distance behind a slit, by Fresnel's integrals.

    Goodman, Introduction to Fourier Optics, Eq. 4-41, without its constant phase.
    """
    if distance_m == 0:
        return (np.abs(x) <= width_m / 2).astype(np.complex128)
    scale = np.sqrt(2 / (wavelength_m * distance_m))
    (s1, c1), (s0, c0) = (fresnel(scale * (x + side * width_m / 2)) for side in (1, -1))
    result: Wave = ((c1 - c0) + 1j * (s1 - s0)) / (1 + 1j)
    return result


def disc(shape: tuple[int, int], radius_px: float) -> Array:
    """A disc in the middle of a window (ny, nx), 1 inside; its edge is as wide as a pixel."""
    y, x = places(shape)
    result: Array = np.clip(radius_px - np.hypot(y, x) + 0.5, 0, 1)
    return result


def speckled(wave: Wave, geometry: Geometry, strength_rad: float, grain_px: float, rng: Generator) -> Wave:
    """A wave behind a diffuser of this phase (standard deviation), where its grains have begun to show."""
    behind = wave * np.exp(1j * strength_rad * diffuser(geometry.shape, grain_px, rng))
    wavelength_m = known(geometry.wavelength_m)
    distance_m = (grain_px * geometry.pixel_m[0]) ** 2 / (4 * wavelength_m)
    return angular_spectrum(behind, wavelength_m, distance_m, geometry.pixel_m)


def speckle(wave: Wave, strength_rad: float, grain_px: float, rng: Generator) -> Wave:
    """A wave (ny, nx) behind such a diffuser and a lens, in the lens's focal plane."""
    behind = wave * np.exp(1j * strength_rad * diffuser((wave.shape[0], wave.shape[1]), grain_px, rng))
    result: Wave = fft.fftshift(fft.fft2(fft.ifftshift(behind), norm="ortho"))
    return result


def diffuser(shape: tuple[int, int], grain_px: float, rng: Generator) -> Array:
    """A smooth random field of zero mean and unit variance with grains of this size, periodic at the borders."""
    fy, fx = frequencies(shape, (1.0, 1.0))
    field = np.real(fft.ifft2(fft.fft2(rng.normal(size=shape)) * np.exp(-((grain_px * np.hypot(fy, fx)) ** 2) * 2)))
    result: Array = (field - field.mean()) / field.std()
    return result


def source_modes(wave: Wave, size_px: Pair) -> Wave:
    """The two modes (2, ny, nx) of a source of two points, whose images lie this far (y, x) apart: sum, difference."""
    fy, fx = frequencies(wave.shape, (1.0, 1.0))
    turn = np.pi * (fy * size_px[0] + fx * size_px[1])
    spectrum = fft.fft2(wave)
    return np.stack([fft.ifft2(spectrum * np.cos(turn)), fft.ifft2(spectrum * np.sin(turn))])


def orthogonal(modes: Wave, weights: tuple[float, ...]) -> Wave:
    """Modes (M, ny, nx) made orthogonal in their order, with these parts of the total power 1."""
    flat = modes.reshape(len(modes), -1)
    q, _ = np.linalg.qr(flat.T)
    share = np.asarray(weights) / sum(weights)
    result: Wave = (q * np.sqrt(share)).T.reshape(modes.shape)
    return result
