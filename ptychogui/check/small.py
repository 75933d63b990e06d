"""A few neighbouring frames at low resolution, on which a short run takes a fraction of a second."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ptychogui.geometry import Geometry
from ptychogui.types import Complex, Dataset, Mask, Real, Scan

_FRAMES, _FEWEST = 160, 48
_PIXELS = 160 * 64**2
"""Pixels of the frames that are looked at; few frames leave the probe so free that it explains anything."""
_SIDES = (64, 96, 128, 192, 256)
_INSIDE = 0.9
"""The part of the counts that a far field's window has to hold."""
_LARGEST_HOLOGRAM = 128
_READ = 16
"""Frames that are read at once."""


def small(dataset: Dataset, mean: Real) -> tuple[Dataset, int]:
    """Neighbouring frames around the middle of the scan, the far field's cropped, holograms binned by a factor.

    `mean` (ny, nx) is the mean pattern. Also returns the factor, which is 1 for the far field.
    """
    far = dataset.geometry.field == "far"
    if far:
        shape, factor = _window(mean), 1
    else:
        factor = -(-min(dataset.geometry.shape) // _LARGEST_HOLOGRAM)
        ny, nx = (n // factor for n in dataset.geometry.shape)
        shape = (ny, nx)

    def reduced(values: NDArray[Any]) -> NDArray[Any]:
        return _cut(values, shape) if far else _binned(values, factor)

    chosen = _near_middle(dataset, int(np.clip(_PIXELS // math.prod(shape), _FEWEST, _FRAMES)))
    parts = np.split(chosen, range(_READ, len(chosen), _READ))
    frames: Real = np.concatenate([reduced(np.asarray(dataset.frames[part], np.float32)) for part in parts])
    mask: Mask = reduced(dataset.mask.astype(int)) == factor**2
    usable = (np.isfinite(frames) & mask).any((1, 2))
    part = replace(
        dataset,
        frames=frames[usable],
        mask=mask,
        geometry=_geometry(dataset.geometry, shape, factor),
        scan=Scan(dataset.scan.positions_m[chosen][usable]),
        probe=None if dataset.probe is None else _low_passed(dataset.probe, shape),
        truth=None,
    )
    return part, factor


def _near_middle(dataset: Dataset, count: int) -> NDArray[np.intp]:
    positions_m = dataset.scan.positions_m
    away = np.square(positions_m - np.median(positions_m, 0)).sum(1)
    chosen: NDArray[np.intp] = np.sort(np.argsort(away, kind="stable")[:count])
    return chosen


def _window(mean: Real) -> tuple[int, int]:
    """The sides of the smallest window around the middle that holds most of the counts."""
    shape = mean.shape[0], mean.shape[1]
    for side in _SIDES:
        window = min(side, shape[0]), min(side, shape[1])
        if _cut(mean, window).sum() >= _INSIDE * mean.sum():
            return window
    return min(_SIDES[-1], shape[0]), min(_SIDES[-1], shape[1])


def _cut(values: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """The middle (index n // 2) of arrays (…, ny, nx)."""
    y, x = (n // 2 - m // 2 for n, m in zip(values.shape[-2:], shape))
    return values[..., y : y + shape[0], x : x + shape[1]]


def _binned(values: NDArray[Any], factor: int) -> NDArray[Any]:
    """Sums over squares of factor × factor pixels of arrays (…, ny, nx)."""
    ny, nx = (n // factor for n in values.shape[-2:])
    cut = values[..., : ny * factor, : nx * factor]
    return np.asarray(cut.reshape(*values.shape[:-2], ny, factor, nx, factor).sum((-3, -1)))


def _geometry(geometry: Geometry, shape: tuple[int, int], factor: int) -> Geometry:
    """The geometry of the small frames; the pixel at the sample stays as it was said, but coarser."""
    detector = geometry.detector_pixel_m
    if geometry.field == "near":
        given = geometry.given_pixel_m
        return replace(
            geometry,
            shape=shape,
            detector_pixel_m=None if detector is None else (detector[0] * factor, detector[1] * factor),
            given_pixel_m=None if given is None else (given[0] * factor, given[1] * factor),
        )
    y, x = (pixel * n / m for pixel, n, m in zip(geometry.pixel_m, geometry.shape, shape))
    small = replace(geometry, shape=shape, given_pixel_m=(y, x))
    return small if geometry.calibrated else replace(small, convergence_rad=None, defocus_m=None)


def _low_passed(probe: Complex, shape: tuple[int, int]) -> Complex:
    """Modes (M, ny, nx) on a coarser grid of the same window."""
    axes = (-2, -1)
    spectrum = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(probe, axes), norm="ortho"), axes)
    wave = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(_cut(spectrum, shape), axes), norm="ortho"), axes)
    return wave.astype(np.complex64)
