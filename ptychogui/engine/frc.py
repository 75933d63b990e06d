"""Fourier ring correlation: how far two independent reconstructions of one object agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ptychogui.engine.registration import Image, by_metres, registered
from ptychogui.params import RunError
from ptychogui.types import Correlation, Mask, Object

_FEWEST_RINGS = 8
_EDGE = 0.5
"""The part of the area's inner radius over which it fades out."""


def correlated(first: Object, second: Object, area: Mask) -> Correlation:
    """The ring correlation of the first slices of two objects over an `area` (Y, X) of the first.

    The second is brought over the first: complex scale, phase ramp and sub-pixel shift are no disagreement. Both fade
    out towards the edge of the area, whose mean is removed, so that the edge itself does not correlate.
    Raises `RunError` where the area is too small to tell.
    """
    wanted = first.slices[0].astype(np.complex128)
    given = registered(second, wanted, area, by_metres(second, first))
    rows, columns = (np.flatnonzero(area.any(axis)) for axis in (1, 0))
    if min(len(rows), len(columns)) < 2 * _FEWEST_RINGS:
        raise RunError("The scan covers too few pixels of the sample to tell a resolution; scan a larger area.")
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return ring_correlation(wanted[box], given[box], fade(area[box]), first.pixel_m)


def fade(area: Mask) -> NDArray[np.float64]:
    """A weight (Y, X) that is one in the middle of an area and falls to nothing at its edge."""
    from scipy.ndimage import distance_transform_edt

    depth = np.asarray(distance_transform_edt(np.pad(area, 1)))[1:-1, 1:-1]
    rise = np.clip(depth / (_EDGE * depth.max()), 0, 1)
    return np.asarray(np.sin(np.pi / 2 * rise) ** 2)


def ring_correlation(
    first: Image, second: Image, weight: NDArray[np.float64], pixel_m: tuple[float, float]
) -> Correlation:
    """Re Σ A B* / √(Σ|A|² Σ|B|²) over rings of the transforms A and B of two images (Y, X) under a weight (Y, X).

    The half-bit criterion is that of van Heel & Schatz, J. Struct. Biol. 151, 250 (2005), for images of half the data
    each, with as many independent values in a ring as the weight leaves; 1/7 is that of Rosenthal & Henderson, J. Mol.
    Biol. 333, 721 (2003). The first ring, which the weight's own transform reaches, begins one step above zero.
    """
    a, b = (np.fft.fft2((image - (image * weight).sum() / weight.sum()) * weight) for image in (first, second))
    frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n, d) for n, d in zip(a.shape, pixel_m)), indexing="ij"))
    step = max(1 / (n * d) for n, d in zip(a.shape, pixel_m))
    rings = int(0.5 / max(pixel_m) / step)
    ring = np.rint(frequency / step).astype(int).ravel()

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(ring, values.ravel(), rings + 1)[1 : rings + 1], np.float64)

    power = np.sqrt(total(np.abs(a) ** 2) * total(np.abs(b) ** 2))
    frc = total((a * b.conj()).real) / np.maximum(power, 1e-300)
    squared = weight**2
    independent = squared.sum() ** 2 / (weight.size * (squared**2).sum())
    root = np.sqrt(np.maximum(total(np.ones(a.shape)) * independent, 1))
    half_bit = (0.2071 + 1.9102 / root) / (1.2071 + 0.9102 / root)
    return Correlation(step * np.arange(1, rings + 1), frc, half_bit, np.full(rings, 1 / 7))
