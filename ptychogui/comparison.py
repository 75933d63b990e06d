"""Two results on one grid: the second is brought over the first by scale, phase ramp and sub-pixel shift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptychogui.engine.registration import Grid, by_metres, by_positions, registered
from ptychogui.engine.similarity import nrmse, ssim
from ptychogui.io.picture import inside_scan, scanned_area, without_ramp
from ptychogui.params import InputError
from ptychogui.types import Complex, Mask, Object, Real, Result

_FEWEST_PX = 64
_STRETCH = (0.25, 4.0)
"""Pixels that differ by more are not compared: one of the two would be guessed."""


@dataclass(frozen=True)
class Comparison:
    """The part that two results share, both (Y, X) on the pixels of the first, without the phase ramp of the first.

    `support` (Y, X) is where both were scanned: there they were aligned, and the figures hold there. `nrmse` is
    ‖b − a‖ / ‖a‖; the SSIM is that of the amplitudes and of the phases, not a number where there is no structure.
    """

    first: Complex
    second: Complex
    support: Mask
    pixel_m: tuple[float, float]
    origin_m: tuple[float, float]
    nrmse: float
    ssim_amplitude: float
    ssim_phase: float

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
    a, b = _area(first), _whole(second)
    if not (np.isfinite(a.slices).all() and np.isfinite(b.slices).all()):
        raise InputError("One of the two results is not a number everywhere: its run did not converge.")
    grid = by_metres(b, a)
    if len(first.scan) == len(second.scan):
        grid = by_positions(b, second.scan.positions_m, a, first.scan.positions_m)
    low, high = grid.stretch
    if not _STRETCH[0] < low <= high < _STRETCH[1]:
        raise InputError(
            f"The pixels of the two results differ by a factor of {max(high, 1 / low):.3g}: "
            "compare results of the same energy, distance and binning."
        )
    support = inside_scan(a, first.scan) & _reached(a, grid, b, second)
    if support.sum() < _FEWEST_PX:
        raise InputError("The two results show different places of the sample, so there is nothing to compare.")
    wanted = without_ramp(a.slices[0], support).astype(np.complex128)
    given = registered(b, wanted, support, grid)
    phase = np.angle(wanted)
    box = tuple(slice(int(where.min()), int(where.max()) + 1) for where in np.nonzero(support))
    y, x = (o + part.start * d for o, part, d in zip(a.origin_m, box, a.pixel_m, strict=True))
    return Comparison(
        wanted[box].astype(np.complex64),
        given[box].astype(np.complex64),
        support[box],
        a.pixel_m,
        (y, x),
        nrmse(given, wanted, support),
        ssim(np.abs(given), np.abs(wanted), support),
        ssim(phase + np.angle(given * wanted.conj()), phase, support),
    )


def _whole(result: Result) -> Object:
    return Object(result.lit.prod(0)[None], result.obj.pixel_m, result.obj.origin_m)


def _area(result: Result) -> Object:
    """The scanned area as an object of its own."""
    rows, columns = scanned_area(result.obj, result.scan, (result.probe.modes.shape[-2], result.probe.modes.shape[-1]))
    (dy, dx), (y, x) = result.obj.pixel_m, result.obj.origin_m
    image = result.lit[:, rows, columns].prod(0)[None]
    return Object(image, result.obj.pixel_m, (y + rows.start * dy, x + columns.start * dx))


def _reached(a: Object, grid: Grid, b: Object, second: Result) -> Mask:
    """Where (Y, X) the second was scanned, on the pixels of the first."""
    there = inside_scan(b, second.scan)
    rows, columns = np.indices(a.slices.shape[1:])
    at = np.rint(np.tensordot(grid.matrix, np.stack([rows, columns]), 1) + grid.shift[:, None, None]).astype(int)
    on = ((at >= 0) & (at < np.array(there.shape)[:, None, None])).all(0)
    reached = np.zeros(rows.shape, np.bool_)
    reached[on] = there[at[0][on], at[1][on]]
    return reached
