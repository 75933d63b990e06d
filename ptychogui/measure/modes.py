"""How the modes of a probe share its power, and how far they are orthogonal."""

from __future__ import annotations

import numpy as np

from ptychogui.types import Complex, Real


def power_shares(modes: Complex) -> Real:
    """The part of the power that each mode (M, ny, nx) carries, as (M,); they add up to 1."""
    power = np.square(np.abs(modes)).sum((1, 2), dtype=np.float64)
    return np.asarray(power / max(float(np.nansum(power)), 1e-30), np.float32)


def overlaps(modes: Complex) -> Real:
    """|⟨Pᵢ|Pⱼ⟩| / (‖Pᵢ‖ ‖Pⱼ‖) of modes (M, ny, nx) as (M, M): 1 on the diagonal, 0 beside it where orthogonal."""
    flat = modes.reshape(len(modes), -1)
    flat = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-30)
    return np.asarray(np.abs(flat.conj() @ flat.T), np.float32)
