"""Errors against a truth, after what no measurement can tell: complex scale, phase ramp, common shift."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ptychogui.types import Complex, Object, Positions, Result, Truth

_ROUNDS = 12


def errors(result: Result, truth: Truth) -> dict[str, float]:
    """`object_nrmse`, `probe_nrmse`, `position_error_px` and `distance_error` of a result.

    Those that cannot be compared are left out.
    """
    found: dict[str, float] = {}
    if np.allclose(result.obj.pixel_m, truth.obj.pixel_m, rtol=1e-3):
        found["object_nrmse"] = object_nrmse(result.obj, truth.obj, truth.support)
    if result.probe.modes.shape[1:] == truth.probe.shape[1:]:
        found["probe_nrmse"] = probe_nrmse(result.probe.modes, truth.probe)
    if len(result.scan) == len(truth.positions_m):
        pixel_m = np.array(result.obj.pixel_m)
        found["position_error_px"] = position_error_px(result.scan.positions_m / pixel_m, truth.positions_m / pixel_m)
    if truth.distance_m is not None and result.geometry.distance_m is not None:
        found["distance_error"] = abs(result.geometry.distance_m / truth.distance_m - 1)
    return found


def object_nrmse(found: Object, truth: Object, support: NDArray[np.bool_]) -> float:
    """‖g·found − truth‖ / ‖truth‖ over the support (Y, X), with the best scale, ramp and sub-pixel shift."""
    given = on_grid(found, truth)
    aligned = align(given, truth.slices[0].astype(np.complex128), support)
    return _nrmse(aligned, truth.slices[0], support)


def probe_nrmse(found: Complex, truth: Complex) -> float:
    """‖found − truth‖ / ‖truth‖ of probes (M, ny, nx), after shift, ramp and the best unitary mix of modes.

    Where the two differ in the number of modes, the missing ones count as nothing.
    """
    count = max(len(found), len(truth))
    have, want = (np.zeros((count, *truth.shape[1:]), np.complex128) for _ in range(2))
    have[: len(found)], want[: len(truth)] = found, truth
    everywhere = np.ones(truth.shape[1:], np.bool_)
    # a mix changes neither the modes' total power nor that of their transforms: their centres tell shift and ramp
    ramp = np.angle(_centre(np.fft.fft2(want)) / _centre(np.fft.fft2(have)))
    shift = np.angle(_centre(want) / _centre(have)) * truth.shape[1:] / (2 * np.pi)
    have = _mixed(np.stack([_moved(mode, shift, ramp) for mode in have]), want)
    _, shift, ramp = alignment(have[0], want[0], everywhere)
    have = _mixed(np.stack([_moved(mode, shift, ramp) for mode in have]), want)
    return float(np.linalg.norm(have - want) / np.linalg.norm(want))


def position_error_px(found_px: Positions, truth_px: Positions) -> float:
    """The median distance of positions (N, 2) after removing the mean shift."""
    difference = found_px - truth_px
    return float(np.median(np.linalg.norm(difference - difference.mean(0), axis=1)))


def on_grid(found: Object, truth: Object) -> NDArray[np.complex128]:
    """The first slice of `found` on the pixels of `truth`, ones where it does not reach."""
    given = found.slices[0].astype(np.complex128)
    offset = (np.array(found.origin_m) - truth.origin_m) / truth.pixel_m
    whole = np.rint(offset).astype(int)
    given = fourier_shift(given, offset - whole)
    out = np.ones(truth.slices.shape[1:], np.complex128)
    low, high = np.maximum(whole, 0), np.minimum(whole + given.shape, out.shape)
    if (high > low).all():
        target = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        out[target] = given[tuple(slice(a - w, b - w) for a, b, w in zip(low, high, whole, strict=True))]
    return out


def align(found: NDArray[np.complex128], truth: NDArray[np.complex128], support: NDArray[np.bool_]) -> Complex:
    """`found` (Y, X) with the scale, ramp and shift that bring it closest to `truth` on the support."""
    scale, shift, ramp = alignment(found, truth, support)
    return np.asarray(scale * _moved(found, shift, ramp), np.complex64)


def alignment(
    found: NDArray[np.complex128], truth: NDArray[np.complex128], support: NDArray[np.bool_]
) -> tuple[complex, NDArray[np.float64], NDArray[np.float64]]:
    """The complex scale, the shift (y, x) in pixels and the ramp (y, x) in radians a pixel, by Gauss-Newton steps.

    Near the truth T, the found object is g (T + δ·∇T + i k·r T): linear in what is sought.
    """
    weight = support.astype(np.float64)
    y, x = np.meshgrid(*(np.arange(n) - n // 2 for n in truth.shape), indexing="ij")
    gradient = [_derivative(truth, axis) for axis in (0, 1)]
    columns = np.stack([truth, *gradient, 1j * y * truth, 1j * x * truth], -1)[support]
    shift, ramp = np.zeros(2), _coarse_ramp(found * truth.conj() * weight)
    shift = _coarse_shift(*((a - a[support].mean()) * weight for a in (_moved(found, shift, ramp), truth)))
    scale: complex = 1 + 0j
    for _ in range(_ROUNDS):
        moved = _moved(found, shift, ramp)[support]
        scale = complex(np.vdot(moved, truth[support]) / np.vdot(moved, moved))
        real = np.concatenate([columns.real, columns.imag])
        target = scale * moved
        step, *_rest = np.linalg.lstsq(real.T @ real, real.T @ np.concatenate([target.real, target.imag]), rcond=None)
        # target ≈ T + δ·∇T + i k·r T is `found` moved by −δ and ramped by −k away from where it should be
        shift, ramp = shift + np.clip(step[1:3], -0.5, 0.5), ramp - step[3:5]
        if np.abs(step[1:]).max() < 1e-6:
            break
    return scale, shift, ramp


def fourier_shift(values: NDArray[np.complex128], shift: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Move an array (Y, X) by (y, x) pixels; mirrored at its edges, which would ring if it were repeated."""
    if not np.any(shift):
        return values
    ny, nx = values.shape
    mirrored = np.pad(values, [(0, ny), (0, nx)], mode="symmetric")
    ramps = [np.exp(-2j * np.pi * s * np.fft.fftfreq(n)) for s, n in zip(shift, mirrored.shape, strict=True)]
    return np.asarray(np.fft.ifft2(np.fft.fft2(mirrored) * ramps[0][:, None] * ramps[1])[:ny, :nx])


def _moved(
    values: NDArray[np.complex128], shift: NDArray[np.float64], ramp: NDArray[np.float64]
) -> NDArray[np.complex128]:
    phases = [np.exp(1j * k * (np.arange(n) - n // 2)) for k, n in zip(ramp, values.shape, strict=True)]
    return fourier_shift(values * phases[0][:, None] * phases[1], shift)


def _mixed(modes: NDArray[np.complex128], wanted: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """The scale and unitary mix of modes (M, ny, nx) that comes closest to those that are wanted."""
    a, b = modes.reshape(len(modes), -1), wanted.reshape(len(modes), -1)
    u, s, vh = np.linalg.svd(b @ a.conj().T)
    return np.asarray(s.sum() / np.linalg.norm(a) ** 2 * (u @ vh) @ a).reshape(modes.shape)


def _centre(modes: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """The first harmonic (y, x) of the power of modes (M, ny, nx); its angle is their centre, 2π the window's side."""
    power = np.sum(np.abs(modes) ** 2, axis=0)
    turns = [np.exp(2j * np.pi * np.arange(n) / n) for n in power.shape]
    return np.array([turns[axis] @ power.sum(1 - axis) for axis in (0, 1)])


def _derivative(values: NDArray[np.complex128], axis: int) -> NDArray[np.complex128]:
    return np.asarray((np.roll(values, -1, axis) - np.roll(values, 1, axis)) / 2)


def _coarse_ramp(product: NDArray[np.complex128]) -> NDArray[np.float64]:
    """The ramp (y, x) in radians a pixel that takes the phase ramp out of a product found · truth*."""
    size = [4 * n for n in product.shape]
    spectrum = np.abs(np.fft.fft2(product, size))
    peak = np.unravel_index(int(spectrum.argmax()), spectrum.shape)
    return np.array([-2 * np.pi * ((p + n // 2) % n - n // 2) / n for p, n in zip(peak, size, strict=True)])


def _coarse_shift(found: NDArray[np.complex128], truth: NDArray[np.complex128]) -> NDArray[np.float64]:
    correlation = np.abs(np.fft.ifft2(np.fft.fft2(truth) * np.fft.fft2(found).conj()))
    peak = np.unravel_index(int(correlation.argmax()), correlation.shape)
    shift = [(p + n // 2) % n - n // 2 for p, n in zip(peak, correlation.shape, strict=True)]
    return np.array(shift, np.float64) if max(map(abs, shift)) <= 8 else np.zeros(2)


def _nrmse(found: Complex, truth: Complex, support: NDArray[np.bool_]) -> float:
    f, t = found[support].astype(np.complex128), truth[support].astype(np.complex128)
    return float(np.linalg.norm(f - t) / np.linalg.norm(t))
