"""Errors against a truth, after what no measurement can tell: complex scale, phase ramp, common shift."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ptychogui.engine.registration import Grid, Image, alignment, by_metres, by_positions, moved, registered
from ptychogui.engine.similarity import nrmse, psnr_dB, ssim
from ptychogui.types import Complex, Mask, Object, Positions, Result, Truth

_STRETCH = (0.6, 1.6)
"""Grids that differ more in scale are not compared: the frames were binned, or the optics are others."""


def errors(result: Result, truth: Truth) -> dict[str, float]:
    """Errors of the object (see `object_errors`), `probe_nrmse`, `position_error_px` and `distance_error` of a result.

    Those that cannot be compared are left out. Positions are compared in pixels, which is what a far field can tell.
    """
    found: dict[str, float] = {}
    same_frames = len(result.scan) == len(truth.positions_m)
    grid = by_metres(result.obj, truth.obj)
    comparable = _alike(grid)
    if same_frames:
        grid = by_positions(result.obj, result.scan.positions_m, truth.obj, truth.positions_m)
    if comparable and _alike(grid):
        found |= object_errors(result.obj, truth.obj, truth.support, grid)
    if result.probe.modes.shape[1:] == truth.probe.shape[1:]:
        found["probe_nrmse"] = probe_nrmse(result.probe.modes, truth.probe)
    if same_frames:
        found_px = result.scan.positions_m / np.array(result.obj.pixel_m)
        found["position_error_px"] = position_error_px(found_px, truth.positions_m / np.array(truth.obj.pixel_m))
    if truth.distance_m is not None and result.geometry.distance_m is not None:
        found["distance_error"] = abs(result.geometry.distance_m / truth.distance_m - 1)
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _alike(grid: Grid) -> bool:
    low, high = grid.stretch
    return _STRETCH[0] < low <= high < _STRETCH[1]


def object_errors(found: Object, truth: Object, support: Mask, grid: Grid) -> dict[str, float]:
    """`object_nrmse`, `object_psnr_dB` and `object_ssim` over the support (Y, X), with the best scale, ramp and shift.

    The SSIM is the mean of `object_ssim_amplitude` and `object_ssim_phase`; one of them is not a number where the truth
    has no structure in it, and the SSIM is the other. `grid` says where the pixels of `truth` lie on `found`.
    """
    wanted = truth.slices[0].astype(np.complex128)
    given = registered(found, wanted, support, grid)
    errors = {"object_nrmse": nrmse(given, wanted, support), "object_psnr_dB": psnr_dB(given, wanted, support)}
    phase = np.angle(wanted)
    parts = {
        "object_ssim_amplitude": ssim(np.abs(given), np.abs(wanted), support),
        # beside the true phase, not on its own: a phase just below π and one just above −π are alike
        "object_ssim_phase": ssim(phase + np.angle(given * wanted.conj()), phase, support),
    }
    known = [value for value in parts.values() if np.isfinite(value)]
    return errors | parts | {"object_ssim": float(np.mean(known)) if known else float("nan")}


def object_nrmse(found: Object, truth: Object, support: Mask) -> float:
    """‖g·found − truth‖ / ‖truth‖ over the support (Y, X), with the best scale, ramp and sub-pixel shift."""
    wanted = truth.slices[0].astype(np.complex128)
    return nrmse(registered(found, wanted, support, by_metres(found, truth)), wanted, support)


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
    have = _mixed(np.stack([moved(mode, shift, ramp) for mode in have]), want)
    _, shift, ramp = alignment(have[0], want[0], everywhere)
    have = _mixed(np.stack([moved(mode, shift, ramp) for mode in have]), want)
    return float(np.linalg.norm(have - want) / np.linalg.norm(want))


def position_error_px(found_px: Positions, truth_px: Positions) -> float:
    """The median distance of positions (N, 2) after removing the mean shift."""
    difference = found_px - truth_px
    return float(np.median(np.linalg.norm(difference - difference.mean(0), axis=1)))


def _mixed(modes: Image, wanted: Image) -> Image:
    """The scale and unitary mix of modes (M, ny, nx) that comes closest to those that are wanted."""
    a, b = modes.reshape(len(modes), -1), wanted.reshape(len(modes), -1)
    u, s, vh = np.linalg.svd(b @ a.conj().T)
    return np.asarray(s.sum() / np.linalg.norm(a) ** 2 * (u @ vh) @ a).reshape(modes.shape)


def _centre(modes: Image) -> NDArray[np.complex128]:
    """The first harmonic (y, x) of the power of modes (M, ny, nx); its angle is their centre, 2π the window's side."""
    power = np.sum(np.abs(modes) ** 2, axis=0)
    turns = [np.exp(2j * np.pi * np.arange(n) / n) for n in power.shape]
    return np.array([turns[axis] @ power.sum(1 - axis) for axis in (0, 1)])
