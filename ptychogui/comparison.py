"""Two results on one grid: the second is brought over the first by scale, phase ramp and sub-pixel shift."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ptychogui.engine.registration import Grid, Image, by_metres, by_positions, registered
from ptychogui.engine.similarity import nrmse, ssim
from ptychogui.io.picture import inside_scan, scanned_area, without_ramp
from ptychogui.params import InputError
from ptychogui.types import Complex, Mask, Object, Real, Result

Pixels = NDArray[np.intp]
_FEWEST_PX = 64
_STRETCH = (0.25, 4.0)
"""Pixels that differ by more are not compared: one of the two would be guessed."""


@dataclass(frozen=True)
class Comparison:
    """The part that two results share, both (Y, X) on the pixels of the first, without the phase ramp of the first.

    `support` (Y, X) is where both were scanned: there they were aligned, and the figures hold there. `nrmse` is
    ‖b − a‖ / ‖a‖; the SSIM is that of the amplitudes and of the phases, not a number where there is no structure.
    Before they are `aligned` the second lies where its positions say, to the nearest pixel, and there are no figures.
    """

    first: Complex
    second: Complex
    support: Mask
    pixel_m: tuple[float, float]
    origin_m: tuple[float, float]
    nrmse: float = math.nan
    ssim_amplitude: float = math.nan
    ssim_phase: float = math.nan
    aligned: bool = False

    @property
    def phase_difference(self) -> Real:
        """The phase (Y, X) by which the second is ahead, in radians."""
        return np.asarray(np.angle(self.second * self.first.conj()), np.float32)

    @property
    def amplitude_difference(self) -> Real:
        """By how much (Y, X) the amplitude of the second is larger."""
        return np.asarray(np.abs(self.second) - np.abs(self.first), np.float32)


def compare(first: Result, second: Result) -> Comparison:
    """Align the second result with the first, and say how far they agree; slices are taken together.

    Raises `InputError` where their pixels differ too much, where they show different places, or are no numbers.
    """
    *_, found = comparisons(first, second)
    return found


def comparisons(first: Result, second: Result) -> Generator[Comparison, None, None]:
    """What `compare` gives, as it comes to be: not aligned at first, then without figures, and at last whole.

    Raises `InputError` as `compare` does.
    """
    a, b = _area(first), _whole(second)
    if not (np.isfinite(a.slices).all() and np.isfinite(b.slices).all()):
        raise InputError("One of the two results is not a number everywhere: its run did not converge.")
    grid = _grid(a, first, b, second)
    at, on = _nearest(a, grid, b)
    support = inside_scan(a, first.scan) & on & inside_scan(b, second.scan)[at]
    if support.sum() < _FEWEST_PX:
        raise InputError("The two results show different places of the sample, so there is nothing to compare.")
    wanted = without_ramp(a.slices[0], support)
    rough = without_ramp(np.where(on, b.slices[0][at], 1), support)
    rough *= np.linalg.norm(wanted[support]) / max(float(np.linalg.norm(rough[support])), 1e-30)
    box = tuple(slice(int(where.min()), int(where.max()) + 1) for where in np.nonzero(support))
    y, x = (o + part.start * d for o, part, d in zip(a.origin_m, box, a.pixel_m, strict=True))
    found = Comparison(wanted[box], rough[box], support[box], a.pixel_m, (y, x))
    yield found
    given = registered(b, wanted.astype(np.complex128), support, grid)[box]
    found = replace(found, second=given.astype(np.complex64), aligned=True)
    yield found
    yield _measured(found, given, wanted[box].astype(np.complex128))


def _measured(found: Comparison, given: Image, wanted: Image) -> Comparison:
    phase, support = np.angle(wanted).astype(np.float64), found.support
    amplitude = np.abs(wanted).astype(np.float64)
    return replace(
        found,
        nrmse=nrmse(given, wanted, support),
        ssim_amplitude=ssim(np.abs(given), amplitude, support),
        ssim_phase=ssim(phase + np.angle(given * wanted.conj()), phase, support),
    )


def _grid(a: Object, first: Result, b: Object, second: Result) -> Grid:
    """Where the pixels of the first lie on the second. Raises `InputError` where they differ too much."""
    grid = by_metres(b, a)
    if len(first.scan) == len(second.scan):
        grid = by_positions(b, second.scan.positions_m, a, first.scan.positions_m)
    low, high = grid.stretch
    if not _STRETCH[0] < low <= high < _STRETCH[1]:
        raise InputError(
            f"The pixels of the two results differ by a factor of {max(high, 1 / low):.3g}: "
            "compare results of the same energy, distance and binning."
        )
    return grid


def _whole(result: Result) -> Object:
    return Object(result.lit.prod(0)[None], result.obj.pixel_m, result.obj.origin_m)


def _area(result: Result) -> Object:
    """The scanned area as an object of its own."""
    rows, columns = scanned_area(result.obj, result.scan, (result.probe.modes.shape[-2], result.probe.modes.shape[-1]))
    (dy, dx), (y, x) = result.obj.pixel_m, result.obj.origin_m
    image = result.lit[:, rows, columns].prod(0)[None]
    return Object(image, result.obj.pixel_m, (y + rows.start * dy, x + columns.start * dx))


def _nearest(a: Object, grid: Grid, b: Object) -> tuple[tuple[Pixels, Pixels], Mask]:
    """For every pixel (Y, X) of the first the nearest one of the second, and whether it has one."""
    rows, columns = (np.arange(n) for n in a.slices.shape[1:])
    (ny, nx), (my, mx) = b.slices.shape[1:], grid.matrix
    y = np.rint((my[0] * rows + grid.shift[0])[:, None] + my[1] * columns).astype(np.intp)
    x = np.rint((mx[0] * rows + grid.shift[1])[:, None] + mx[1] * columns).astype(np.intp)
    on = (y >= 0) & (y < ny) & (x >= 0) & (x < nx)
    return (y.clip(0, ny - 1), x.clip(0, nx - 1)), on
