"""Whether the frames are shadows of the sample that move with it, and how much they are enlarged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ptychogui.io.prepare import spread
from ptychogui.params import InputError
from ptychogui.types import Dataset, Real

_PAIRS, _FEWEST = 48, 6
_SIDE_PX = 192
"""Frames are binned to about this size: a shift is wanted, not detail."""
_LIT = 0.1
"""The part of the brightest light from which a pixel is lit."""
_OVERLAP = 0.25
"""The part of the lit pixels that has to lie over lit ones before a shift is believed."""
_STRENGTH = 5.0
"""A peak of the correlation that stands out from it by so many standard deviations is one."""
_OFF_PX, _OFF = 2.0, 0.1
"""How far a shift may be from the common law, in pixels or as a part of itself."""
_AGREE = 0.6
"""The part of the pairs that has to follow one law."""
_LEAST_PX = 2.0
"""Shadows that move less from frame to frame than this are not told from what stands still."""


@dataclass(frozen=True)
class Shadow:
    """The frames move by `px_per_m` pixels (of the prepared frames) for each metre on the sample.

    `width_m` is the width of the beam on the sample that follows, and `agreeing` the part of the pairs of frames that
    tell the same.
    """

    px_per_m: float
    width_m: float
    agreeing: float


def shadow(dataset: Dataset, mean: Real) -> Shadow | None:
    """Register neighbouring frames, less their mean (ny, nx), and compare their shifts with those of the sample.

    A defocused beam casts a shadow of the sample whose magnification is that of the cone; in focus there is none.
    None where the frames do not follow such a law.
    """
    if len(dataset.scan) != dataset.frames.shape[0]:
        return None
    first, second = _pairs(dataset.scan.positions_m)
    if len(first) < _FEWEST:
        return None
    factor = max(1, round(max(mean.shape) / _SIDE_PX))
    small = _binned(mean, factor)
    lit = small > _LIT * np.quantile(small, 0.99)
    shifts, strengths = [], []
    for i, j in zip(first, second):
        try:
            a, b = (_contrast(_binned(_frame(dataset, k), factor), small, lit) for k in (i, j))
        except InputError:  # one of them has no valid pixel
            continue
        shift, strength = _shift(a, b, lit)
        shifts.append((*shift, *(dataset.scan.positions_m[j] - dataset.scan.positions_m[i])))
        strengths.append(strength)
    good = np.asarray(strengths) > _STRENGTH
    if good.sum() < max(_FEWEST, _AGREE * len(strengths)):
        return None
    found = np.asarray(shifts)[good]
    law, agreeing = _law(found[:, 2:], found[:, :2])
    moved = np.linalg.norm(found[:, 2:] @ law.T, axis=1)
    px_per_m = math.sqrt(abs(float(np.linalg.det(law)))) * factor
    if agreeing < _AGREE or np.median(moved) < _LEAST_PX or not px_per_m > 0:
        return None
    return Shadow(px_per_m, math.sqrt(float(lit.sum())) * factor / px_per_m, agreeing)


def _pairs(positions_m: NDArray[np.floating[Any]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Some frames, and for each one that lies near it, in all directions."""
    count = len(positions_m)
    if count < 8 or not np.isfinite(positions_m).all():
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    first = spread(count, _PAIRS)
    near = np.asarray(KDTree(positions_m).query(positions_m[first], k=5)[1])
    second = near[np.arange(len(first)), 1 + np.arange(len(first)) % 4]
    apart = np.linalg.norm(positions_m[second] - positions_m[first], axis=1) > 0
    return np.asarray(first[apart], np.intp), np.asarray(second[apart], np.intp)


def _frame(dataset: Dataset, number: int) -> Real:
    frame: Real = np.asarray(dataset.frames[np.array([number])], np.float32)[0]
    return np.where(dataset.mask & np.isfinite(frame), frame, np.float32(0))


def _binned(frame: Real, factor: int) -> NDArray[np.floating[Any]]:
    ny, nx = (n // factor * factor for n in frame.shape)
    parts = frame[:ny, :nx].reshape(ny // factor, factor, nx // factor, factor)
    return np.asarray(parts.sum((1, 3), dtype=np.float64))


def _contrast(
    frame: NDArray[np.floating[Any]], mean: NDArray[np.floating[Any]], lit: NDArray[np.bool_]
) -> NDArray[np.floating[Any]]:
    """What a frame has over the mean, in units of the noise, where there is light."""
    level = frame[lit].sum() / max(mean[lit].sum(), 1e-30)
    over = np.where(lit, (frame - level * mean) / np.sqrt(np.maximum(mean, 1e-30)), 0)
    over[lit] -= over[lit].mean()
    return np.asarray(over)


def _shift(
    a: NDArray[np.floating[Any]], b: NDArray[np.floating[Any]], lit: NDArray[np.bool_]
) -> tuple[tuple[float, float], float]:
    """By how many pixels (y, x) `b` lies further than `a`, and how far the peak stands out of the correlation.

    It is divided by the root of the overlap of what is lit, as its noise is: short shifts would be favoured otherwise.
    """
    shape = (2 * a.shape[0], 2 * a.shape[1])
    spots = np.fft.rfft2(lit, shape)
    overlap = np.fft.irfft2(np.conj(spots) * spots, shape)
    correlation = np.fft.irfft2(np.conj(np.fft.rfft2(a, shape)) * np.fft.rfft2(b, shape), shape)
    known = overlap > _OVERLAP * lit.sum()
    overlap = np.where(known, overlap, 1.0)
    even = np.where(known, correlation / np.sqrt(overlap), 0)
    y, x = (int(v) for v in np.unravel_index(int(even.argmax()), shape))
    strength = float(even[y, x] / max(float(even[known].std()), 1e-30))
    mean = np.where(known, correlation / overlap, 0)
    return (_top(mean[:, x], y), _top(mean[y], x)), strength


def _top(line: NDArray[np.floating[Any]], at: int) -> float:
    """The place of the top of a parabola through three values of a line that closes on itself, as a signed shift."""
    n = len(line)
    before, here, after = (float(line[(at + step) % n]) for step in (-1, 0, 1))
    bend = before - 2 * here + after
    beside = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return (at + n // 2) % n - n // 2 + float(np.clip(beside, -1, 1))


def _law(
    moves_m: NDArray[np.floating[Any]], shifts_px: NDArray[np.floating[Any]]
) -> tuple[NDArray[np.floating[Any]], float]:
    """The 2 × 2 matrix that turns moves (n, 2) into shifts (n, 2) for most pairs, and the part of them it holds for."""
    use = np.ones(len(moves_m), np.bool_)
    best: tuple[NDArray[np.floating[Any]], NDArray[np.bool_]] = np.zeros((2, 2)), ~use
    rng = np.random.default_rng(0)
    for _ in range(200):
        two = rng.choice(len(moves_m), 2, replace=False)
        if abs(np.linalg.det(moves_m[two])) < 0.1 * np.prod(np.linalg.norm(moves_m[two], axis=1)):
            continue  # along one line they say nothing of the other direction
        law = np.linalg.solve(moves_m[two], shifts_px[two]).T
        use = _follows(law, moves_m, shifts_px)
        if use.sum() > best[1].sum():
            best = law, use
    if best[1].sum() >= 2:
        law = np.linalg.lstsq(moves_m[best[1]], shifts_px[best[1]], rcond=None)[0].T
        best = law, _follows(law, moves_m, shifts_px)
    return best[0], float(best[1].mean())


def _follows(
    law: NDArray[np.floating[Any]], moves_m: NDArray[np.floating[Any]], shifts_px: NDArray[np.floating[Any]]
) -> NDArray[np.bool_]:
    meant = moves_m @ law.T
    allowed = _OFF_PX + _OFF * np.linalg.norm(meant, axis=1)
    return np.asarray(np.linalg.norm(meant - shifts_px, axis=1) <= allowed)
