"""Bringing one object over another: complex scale, phase ramp and sub-pixel shift, which no measurement can tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft, fft2, ifft, ifft2, next_fast_len

from ptychogui.types import Mask, Object, Positions

Image = NDArray[np.complexfloating[Any, Any]]
Pair = NDArray[np.float64]

_ROUNDS = 12
_CLOSE_PX = 1e-4
_REDUCED_PX = 512
"""A picture that is larger is registered at about this size first, and then, in single precision, at its own."""
_FEWEST_PX = 64
_RIM_PX = 16
"""Pixels around a support that are looked at, since a shift mixes neighbours."""
_STILL_PX = 0.02
"""A map that moves no pixel further than this besides its shift counts as a shift."""
_FLAT = 0.1
"""The part of the strongest structure below which a place has none to compare."""


@dataclass(frozen=True)
class Grid:
    """Where the pixels of a wanted grid lie on a given one: index_given = `matrix` (2, 2) · index_wanted + `shift`."""

    matrix: Pair
    shift: Pair

    def moved(self, by_px: Pair) -> Grid:
        """The grid on which the given object appears `by_px` (y, x) further on."""
        return Grid(self.matrix, self.shift - self.matrix @ by_px)

    @property
    def stretch(self) -> tuple[float, float]:
        """The smallest and the largest factor by which lengths differ."""
        values = np.linalg.svd(self.matrix, compute_uv=False)
        return float(values.min()), float(values.max())


def by_metres(given: Object, wanted: Object) -> Grid:
    """The pixels of `wanted` on those of `given`, both placed by their origins."""
    pixel_m = np.array(given.pixel_m)
    origin = (np.array(wanted.origin_m) - given.origin_m) / pixel_m
    return Grid(np.diag(np.array(wanted.pixel_m) / pixel_m), origin)


def by_positions(given: Object, given_m: Positions, wanted: Object, wanted_m: Positions) -> Grid:
    """The same, where the frames of `given` stood at `given_m` (N, 2) and those of `wanted` at `wanted_m`.

    The common shift of the positions counts; their scale, rotation and shear do where they explain more than half of
    what is left. A few frames that stand elsewhere do not matter.
    """
    at, to = ((m - o.origin_m) / o.pixel_m for m, o in ((wanted_m, wanted), (given_m, given)))
    shift = np.median(to - at, axis=0)
    plain, full = Grid(np.eye(2), shift), _affine(at, to)
    if full is None or _misfit(full, at, to) > 0.5 * _misfit(plain, at, to):
        return plain
    return full


def _affine(at: Positions, to: Positions) -> Grid | None:
    """The affine map from places (N, 2) to places by least squares, outliers left out; None if they lie on a line."""
    use = np.ones(len(at), np.bool_)
    columns = np.column_stack([at - at.mean(0), np.ones(len(at))])
    for _ in range(4):
        if np.linalg.matrix_rank(columns[use], tol=1e-3 * float(np.abs(columns).max())) < 3:
            return None
        found = np.linalg.lstsq(columns[use], to[use], rcond=None)[0]
        distance = np.linalg.norm(columns @ found - to, axis=1)
        use = distance <= max(3 * float(np.median(distance)), _STILL_PX)
    matrix = found[:2].T
    return Grid(matrix, found[2] - matrix @ at.mean(0))


def _misfit(grid: Grid, at: Positions, to: Positions) -> float:
    return float(np.median(np.linalg.norm(at @ grid.matrix.T + grid.shift - to, axis=1)))


def resampled(given: Object, grid: Grid, shape: tuple[int, ...], dtype: type = np.complex128) -> Image:
    """The first slice of `given` on a wanted grid of `shape` (Y, X), ones where it does not reach."""
    image = given.slices[0].astype(dtype)
    if np.abs(grid.matrix - np.eye(2)).max() * max(shape) > _STILL_PX:
        return _mapped(image, grid, shape)
    middle = (np.array(shape) - 1) / 2  # a matrix that is hardly more than one still shifts
    offset = -(grid.shift + grid.matrix @ middle - middle)
    whole = np.rint(offset).astype(np.intp)
    image = fourier_shift(image, offset - whole)
    out: Image = np.ones(shape, dtype)
    low, high = np.maximum(whole, 0), np.minimum(whole + image.shape, shape)
    if (high > low).all():
        target = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        out[target] = image[tuple(slice(a - w, b - w) for a, b, w in zip(low, high, whole, strict=True))]
    return out


def _mapped(image: Image, grid: Grid, shape: tuple[int, ...]) -> Image:
    from scipy.ndimage import affine_transform

    parts = [
        affine_transform(part, grid.matrix, grid.shift, shape, order=5, mode="constant", cval=outside)
        for part, outside in ((image.real, 1.0), (image.imag, 0.0))
    ]
    return np.asarray(parts[0] + 1j * parts[1])


def registered(given: Object, wanted: Image, support: Mask, grid: Grid) -> Image:
    """The first slice of `given` over `wanted` (Y, X): the scale, ramp and shift that fit best on the support.

    `grid` says where it lies at first; it is tried there and where the structure of both is most alike. What lies far
    outside the support is left one.
    """
    box, first = _around(support)
    out = np.ones(wanted.shape, np.complex128)
    part = Grid(grid.matrix, grid.shift + grid.matrix @ first)
    out[box] = _fitted(given, wanted[box], support[box], part)
    return out


def _around(support: Mask) -> tuple[tuple[slice, slice], Pair]:
    """The box about a support (Y, X) and a rim of some pixels, and its first pixel."""
    rows, columns = (np.flatnonzero(support.any(axis)) for axis in (1, 0))
    low = np.maximum((rows[0] - _RIM_PX, columns[0] - _RIM_PX), 0)
    return (slice(low[0], rows[-1] + _RIM_PX + 1), slice(low[1], columns[-1] + _RIM_PX + 1)), low.astype(np.float64)


def _fitted(given: Object, wanted: Image, support: Mask, grid: Grid) -> Image:
    factor = -(-max(wanted.shape) // _REDUCED_PX)
    few = _reduced_mask(support, factor)
    if factor == 1 or few.sum() < _FEWEST_PX:
        return _best_of_two(given, wanted, support, grid).image
    start, ramp = _from_reduced(given, wanted, few, grid, factor)
    image = resampled(given, start, wanted.shape, np.complex64)
    return _aligned(image, wanted.astype(np.complex64), support, np.zeros(2), ramp).image


@dataclass(frozen=True)
class _Aligned:
    """An image over the one that is wanted, and how it came there from `grid`."""

    image: Image
    scale: complex
    shift: Pair
    ramp: Pair
    grid: Grid | None = None


def _best_of_two(given: Object, wanted: Image, support: Mask, grid: Grid) -> _Aligned:
    """Aligned from where it lies, or from where the structure is most alike, whichever comes closer."""
    coarse = _coarse_shift(given, wanted, support, grid)
    tried = []
    for start in (grid, grid.moved(coarse)) if np.any(coarse) else (grid,):
        image = resampled(given, start, wanted.shape)
        ramp = _coarse_ramp(image * wanted.conj() * support)
        tried.append(replace(_aligned(image, wanted, support, np.zeros(2), ramp), grid=start))
    return min(tried, key=lambda found: float(np.linalg.norm((found.image - wanted)[support])))


def _from_reduced(given: Object, wanted: Image, few: Mask, grid: Grid, factor: int) -> tuple[Grid, Pair]:
    """Where to begin: grid and ramp, found on means over `factor` × `factor` pixels.

    A steep ramp, which would not outlive the mean, is taken out of both before.
    """
    have, want = _steepness(given.slices[0]), _steepness(wanted)
    small = Object(_reduced(_ramped(given.slices[0], -have), factor)[None], given.pixel_m, given.origin_m)
    middle = np.full(2, (factor - 1) / 2)
    there = Grid(grid.matrix, (grid.shift + grid.matrix @ middle - middle) / factor)
    found = _best_of_two(small, _reduced(_ramped(wanted, -want), factor), few, there)
    assert found.grid is not None
    by_px: Pair = np.linalg.solve(grid.matrix, there.shift - found.grid.shift) + found.shift
    return grid.moved(factor * by_px), found.ramp / factor - grid.matrix.T @ have + want


def _reduced(image: Image, factor: int) -> Image:
    """Means over `factor` × `factor` pixels; what is left at the far edges goes."""
    ny, nx = (n // factor for n in image.shape)
    blocks = image[: ny * factor, : nx * factor].reshape(ny, factor, nx, factor)
    return np.asarray(blocks.mean((1, 3)))


def _reduced_mask(mask: Mask, factor: int) -> Mask:
    """Where all of `factor` × `factor` pixels count."""
    ny, nx = (n // factor for n in mask.shape)
    return np.asarray(mask[: ny * factor, : nx * factor].reshape(ny, factor, nx, factor).all((1, 3)))


def _steepness(image: Image) -> Pair:
    """The mean phase (y, x) in radians by which a pixel is ahead of the one before."""
    down, across = (np.vdot(image[:-1], image[1:]), np.vdot(image[:, :-1], image[:, 1:]))
    steepness: Pair = np.angle(np.array([down, across], np.complex128))
    return steepness


def alignment(found: Image, truth: Image, support: Mask) -> tuple[complex, Pair, Pair]:
    """The complex scale, the shift (y, x) in pixels and the ramp (y, x) in radians a pixel that bring `found` closest.

    By Gauss-Newton steps: near the truth T, the found object is g (T + δ·∇T + i k·r T), linear in what is sought.
    """
    fit = _aligned(found, truth, support, np.zeros(2), _coarse_ramp(found * truth.conj() * support))
    return fit.scale, fit.shift, fit.ramp


def _aligned(found: Image, truth: Image, support: Mask, shift: Pair, ramp: Pair) -> _Aligned:
    """Aligned by Gauss-Newton steps from a shift and a ramp that are nearly right."""
    wanted = truth[support]
    y, x = (np.arange(n, dtype=np.float32) - n // 2 for n in truth.shape)
    rows, columns = np.broadcast_to(y[:, None], support.shape)[support], np.broadcast_to(x, support.shape)[support]
    changes = (_derivative(truth, axis)[support] for axis in (0, 1))
    sought = [wanted, *changes, 1j * rows * wanted, 1j * columns * wanted]
    sizes = np.array([float(np.linalg.norm(column)) or 1.0 for column in sought])
    normal = np.array([[np.vdot(a, b).real for b in sought] for a in sought], np.float64) / np.outer(sizes, sizes)
    image = moved(found, shift, ramp)
    for _ in range(_ROUNDS):
        target = image[support]
        target *= _scale(target, wanted)
        given = np.array([np.vdot(column, target).real for column in sought], np.float64) / sizes
        step = np.linalg.lstsq(normal, given, rcond=None)[0] / sizes
        # target ≈ T + δ·∇T + i k·r T is `found` moved by −δ and ramped by −k away from where it should be
        shift, ramp = shift + np.clip(step[1:3], -0.5, 0.5), ramp - step[3:5]
        close = np.abs(step[1:3]).max() < _CLOSE_PX and np.abs(step[3:5]).max() * max(truth.shape) < _CLOSE_PX
        image = moved(found, shift, ramp)
        if close:
            break
    scale = _scale(image[support], wanted)
    return _Aligned(np.asarray(scale * image, image.dtype), scale, shift, ramp)


def _scale(given: Image, wanted: Image) -> complex:
    """The factor that brings values closest to those that are wanted."""
    return complex(np.vdot(given, wanted)) / max(float(np.vdot(given, given).real), 1e-300)


def fourier_shift(values: Image, shift: Pair) -> Image:
    """Move an array (Y, X) by (y, x) pixels; mirrored at its edges, which would ring if it were repeated."""
    for axis, by_px in enumerate(shift):
        if by_px:
            n = values.shape[axis]
            more = [(0, next_fast_len(n) - n if axis == i else 0) for i in (0, 1)]
            held = np.pad(values, more, mode="edge")
            spectrum = fft(np.concatenate([held, np.flip(held, axis)], axis), axis=axis, overwrite_x=True)
            ramp = np.exp(-2j * np.pi * by_px * np.fft.fftfreq(spectrum.shape[axis])).astype(values.dtype)
            spectrum *= ramp if axis else ramp[:, None]
            moved_on = ifft(spectrum, axis=axis, overwrite_x=True)
            values = moved_on[:, :n] if axis else moved_on[:n]
    return values


def moved(values: Image, shift: Pair, ramp: Pair) -> Image:
    """An array (Y, X) with a phase ramp (y, x) in radians a pixel, moved by (y, x) pixels."""
    return fourier_shift(_ramped(values, ramp), shift)


def _ramped(values: Image, ramp: Pair) -> Image:
    """An array (Y, X) with a phase ramp (y, x) in radians a pixel."""
    down, across = (np.exp(1j * k * (np.arange(n) - n // 2)) for k, n in zip(ramp, values.shape, strict=True))
    result = values * down.astype(values.dtype)[:, None]
    result *= across.astype(values.dtype)
    return np.asarray(result)


def _derivative(values: Image, axis: int) -> Image:
    return np.asarray((np.roll(values, -1, axis) - np.roll(values, 1, axis)) / 2)


def _coarse_ramp(product: Image) -> Pair:
    """The ramp (y, x) in radians a pixel that takes the phase ramp out of a product found · truth*."""
    size = [next_fast_len(2 * n) for n in product.shape]
    spectrum = np.abs(fft2(product.astype(np.complex64), size))
    peak = np.unravel_index(int(spectrum.argmax()), spectrum.shape)
    return np.array([-2 * np.pi * ((p + n // 2) % n - n // 2) / n for p, n in zip(peak, size, strict=True)])


def _coarse_shift(given: Object, wanted: Image, support: Mask, grid: Grid) -> Pair:
    """The whole-pixel shift (y, x) at which the structure of both is most alike, by normalised cross-correlation.

    Structure is the change from a pixel to the next, z*(r) z(r + 1): a ramp is a constant factor of it. Shifts of up to
    a quarter of the picture are told.
    """
    rim = np.array(wanted.shape) // 4
    shape = tuple(int(n) for n in wanted.shape + 2 * rim)
    found = resampled(given, grid.moved(rim), shape)
    rims = [(int(r), int(r)) for r in rim]
    truth, use = np.pad(wanted, rims), np.pad(support, rims)
    count, place = int(use.sum()), fft2(use.astype(np.complex64)).conj()
    total = np.zeros(shape)
    for axis in (0, 1):
        change, sought = (image.conj() * np.roll(image, -1, axis) for image in (found, truth))
        sought = np.where(use, sought - sought[use].mean(), 0).astype(np.complex64)
        change = change.astype(np.complex64)
        spectrum = fft2(change)
        product = ifft2(spectrum * fft2(sought).conj())
        mean = ifft2(spectrum * place) / count
        spread = ifft2(fft2(np.abs(change) ** 2) * place).real - count * np.abs(mean) ** 2
        total += np.abs(product) ** 2 / (spread + _FLAT * spread.max() + 1e-30)
    shifts = [np.fft.fftfreq(n, 1 / n) for n in shape]
    total[np.add.outer(*(np.abs(s) > r for s, r in zip(shifts, rim, strict=True)))] = 0
    peak = np.unravel_index(int(total.argmax()), shape)
    return np.array([-float(shifts[axis][at]) for axis, at in enumerate(peak)])
