"""Phase unwrapping by weighted least squares, which is made congruent with the wrapped phase."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn

from ptychogui.types import Mask, Real

_ITERATIONS = 60
_TOLERANCE = 1e-3
"""Of the residual; what is finer than this is decided by the congruence."""
_PLANE_SAMPLE = 1 << 14
"""Values that are enough to know a plane."""
_OUTSIDE = 1e-3
"""The weight of what lies outside: enough to be carried along, too little to spoil the inside."""


def unwrapped(phase: Real, use: Mask | None = None) -> Real:
    """The phase (Y, X) in rad without its jumps of 2π; it differs from the wrapped one by whole turns only.

    The gradient of the solution is the wrapped gradient in the sense of weighted least squares (Ghiglia and Romero,
    J. Opt. Soc. Am. A 11, 107 (1994), Eqs. 31 to 40, solved by conjugate gradients that a cosine transform
    preconditions); the nearest whole turns are then added to the wrapped phase. What lies outside `use` (Y, X) hardly
    counts. What is not finite is taken as 0.
    """
    wrapped = np.nan_to_num(np.asarray(phase, np.float32))
    weight = np.ones(wrapped.shape, np.float32) if use is None else np.where(use, 1, _OUTSIDE).astype(np.float32)
    down, across = _wrap(np.diff(wrapped, axis=0)), _wrap(np.diff(wrapped, axis=1))
    if not (_jumps(wrapped, down, 0, weight) or _jumps(wrapped, across, 1, weight)):
        return wrapped
    down_weight = np.minimum(weight[1:], weight[:-1])
    across_weight = np.minimum(weight[:, 1:], weight[:, :-1])
    smooth = _solved(_divergence(down * down_weight, across * across_weight), down_weight, across_weight)
    inside = weight == 1
    level = np.angle(np.exp(1j * (wrapped - smooth)[inside]).sum()) if inside.any() else 0.0
    smooth += np.float32(level)
    turns = np.rint((smooth - wrapped) / np.float32(2 * np.pi))
    turns -= np.rint(np.median(turns[inside])) if inside.any() else 0
    return np.asarray(wrapped + np.float32(2 * np.pi) * turns, np.float32)


def _jumps(wrapped: Real, step: Real, axis: int, weight: Real) -> bool:
    """Whether the phase jumps along an axis where it counts."""
    counts = (weight[1:] == 1) if axis == 0 else (weight[:, 1:] == 1)
    return bool((np.abs(np.diff(wrapped, axis=axis) - step)[counts] > 1).any())


def _wrap(step: Real) -> Real:
    turn = np.float32(2 * np.pi)
    return np.asarray(step - turn * np.rint(step / turn), np.float32)


def _divergence(down: NDArray[np.float32], across: NDArray[np.float32]) -> Real:
    """What flows into each pixel (Y, X) of a field between the pixels, (Y − 1, X) and (Y, X − 1)."""
    out = np.zeros((across.shape[0], down.shape[1]), np.float32)
    out[:-1] += down
    out[1:] -= down
    out[:, :-1] += across
    out[:, 1:] -= across
    return out


def _solved(wanted: Real, down_weight: Real, across_weight: Real) -> Real:
    """The picture whose weighted Laplacian is the wanted one, up to a constant."""
    ny, nx = wanted.shape
    spectrum = (2 * np.cos(np.pi * np.arange(ny) / ny) - 2)[:, None] + (2 * np.cos(np.pi * np.arange(nx) / nx) - 2)
    spectrum[0, 0] = 1
    inverse = (1 / spectrum).astype(np.float32)
    inverse[0, 0] = 0
    found, residual = np.zeros_like(wanted), wanted.copy()
    limit, direction, last = _TOLERANCE * float(np.linalg.norm(wanted)), np.zeros_like(wanted), 1.0
    for _ in range(_ITERATIONS):
        if float(np.linalg.norm(residual)) <= limit:
            break
        guess = idctn(dctn(residual) * inverse).astype(np.float32, copy=False)
        product = float(np.vdot(residual, guess))
        direction = guess + np.float32(product / last) * direction
        moved = _divergence(np.diff(direction, axis=0) * down_weight, np.diff(direction, axis=1) * across_weight)
        step = np.float32(product / float(np.vdot(direction, moved)))
        found += step * direction
        residual -= step * moved
        last = product
    return found


def without_plane(phase: Real, use: Mask | None = None) -> Real:
    """The phase (Y, X) without the plane that fits it best in the sense of least squares over `use` (Y, X)."""
    rows, columns = np.nonzero(np.isfinite(phase) if use is None else use & np.isfinite(phase))
    step = max(1, len(rows) // _PLANE_SAMPLE)
    rows, columns = rows[::step], columns[::step]
    if len(rows) < 3:
        return phase
    at = np.stack([rows, columns, np.ones(len(rows))], -1)
    slope_y, slope_x, level = np.linalg.lstsq(at, phase[rows, columns].astype(np.float64), rcond=None)[0]
    y, x = np.arange(phase.shape[0])[:, None], np.arange(phase.shape[1])
    return np.asarray(phase - (slope_y * y + slope_x * x + level), np.float32)
