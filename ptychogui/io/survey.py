"""A look at some of the frames, from which is decided how all of them are prepared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptychogui.io import detect
from ptychogui.io.correction import correction, given_mask
from ptychogui.io.data import Data
from ptychogui.io.prepare import Correction, counts, rows, spread
from ptychogui.io.raw import Raw
from ptychogui.params import InputError
from ptychogui.types import Frames, Mask, Origin, Real

_SAMPLE_BYTES = 2**27
_NOISY = 1e-3
"""The part of the values below zero from which they are noise; fewer are marks of gaps."""
SURVEYED = ("path", "dark", "dark_frames", "flat", "flat_frames", "mask", "exclude")
"""The fields of `Data` that a survey depends on."""


@dataclass(frozen=True)
class Survey:
    """What some frames, spread over the scan, look like in the file's own pixels.

    `numbers` (N,) are the frames of the file that are used. `counts` (n, ny, nx) is the sample as it was measured,
    `sample` the same without dark and flat field, `mean` (ny, nx) its mean over valid values. `gaps` (ny, nx) is True
    where a pixel hardly ever holds a count, `given` is the mask of user or file, `noisy` whether values
    below zero are noise.
    """

    numbers: NDArray[np.intp]
    counts: Real
    sample: Real
    mean: Real
    gaps: Mask
    given: Mask
    mask_origin: Origin
    noisy: bool
    correction: Correction

    @property
    def blind(self) -> Mask:
        """Pixels (True) that can never be used: gaps, and those that do not answer to an even illumination."""
        gain = self.correction.gain
        return self.gaps if gain is None else self.gaps | ~np.isfinite(gain)


def survey(raw: Raw, data: Data) -> Survey:
    """Read a sample of the frames; raises `InputError` for unusable frames, or where dark, flat or mask do not fit."""
    numbers = _numbers(raw, data)
    corrected = correction(raw, data)
    block = rows(raw.frames, numbers[spread(len(numbers), _sample_size(raw.frames))])
    measured = counts(block)
    gaps = detect.gaps(measured)
    _check_signs(block.astype(np.float32), gaps)
    noisy = bool(np.mean((measured < 0) & ~gaps) > _NOISY)
    sample = corrected.apply(measured)
    given, origin = given_mask(raw, data)
    mean = detect.mean_pattern(sample, np.ones_like(gaps))
    return Survey(numbers, measured, sample, mean, gaps, given, origin, noisy, corrected)


def _sample_size(frames: Frames) -> int:
    """So many frames are looked at: 64, or fewer where they are large."""
    return int(np.clip(_SAMPLE_BYTES // (4 * frames.shape[1] * frames.shape[2]), 8, 64))


def _numbers(raw: Raw, data: Data) -> NDArray[np.intp]:
    count = raw.frames.shape[0]
    if data.exclude and max(data.exclude) >= count:
        raise InputError(f"data.exclude names frame {max(data.exclude)}, but the file holds {count} frames.")
    without = np.array((*data.exclude, *data.dark_frames, *data.flat_frames), dtype=np.intp)
    numbers = np.setdiff1d(np.arange(count, dtype=np.intp), without)
    if not len(numbers):
        raise InputError("data.exclude leaves no frame.")
    return numbers


def _check_signs(block: Real, gaps: Mask) -> None:
    """Raise `InputError` for a stack that is mostly negative, gaps aside."""
    finite = np.isfinite(block)
    if not finite.any():
        raise InputError("Not one of the frames that were looked at has a valid pixel; this is no stack of counts.")
    inside = np.where(finite & ~gaps, block, 0)
    negative, positive = -inside[inside < 0].sum(), inside[inside > 0].sum()
    if (block[finite] < 0).mean() > 0.6 or negative > positive:
        raise InputError(
            "The frames are mostly negative, so they are no counts; check that the file holds raw intensities "
            "and no differences, phases or logarithms."
        )
