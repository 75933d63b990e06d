"""A state whose detector is elsewhere, or whose scan is stretched: what all frames share, and what goes along."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ptychogui.engine.optics import NearField
from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State


def at_distance(problem: Problem, state: State, factor: float) -> None:
    """Move the detector, or in a cone beam the sample, to `factor` times the distance.

    What probe and object look like at the detector stays; places in metres stay, in pixels they follow the pixel's
    size.
    """
    before = problem.geometry
    after = before.at_distance(factor)
    optics = problem.propagator
    if isinstance(optics, NearField):
        back = optics.at(state.distance * (1 - factor)).to(state.probe.dtype)
        state.probe = torch.fft.ifft2(torch.fft.fft2(state.probe) * back)
        phase = optics.canvas_phase(state.obj.shape)
        turn = torch.polar(torch.ones_like(phase), phase * ((1 - factor) * state.distance))
        state.obj = torch.fft.ifft2(torch.fft.fft2(state.obj) * turn.to(state.obj.dtype))
        state.distance = state.distance * factor
        state.transfer = optics.at(state.distance)
    scale = before.pixel_m[0] / after.pixel_m[0]
    if scale != 1:
        middle = state.position_px.mean(0)
        half = torch.tensor(state.window, device=middle.device) // 2
        fixed = ((middle + half).cpu().numpy(), state.origin_m, before.pixel_m, after.pixel_m)
        origin = [o + c * (a - b) for c, o, a, b in zip(*fixed, strict=True)]
        state.origin_m = (float(origin[0]), float(origin[1]))
        stretch(state, (scale - 1) * torch.eye(2, dtype=torch.float64, device=middle.device))
    problem.geometry = after


def stretch(state: State, matrix: Tensor) -> None:
    """Add `matrix` (2, 2) times their place from the middle to all positions, and take the object along."""
    middle = state.position_px.mean(0)
    half = torch.tensor(state.window, device=middle.device) // 2
    state.obj = _stretched(state.obj, matrix, middle + half)
    state.move_to(state.inside(state.position_px + (state.position_px - middle) @ matrix.mT))
    state.nominal_px = state.nominal_px + (state.nominal_px - middle) @ matrix.mT


def _stretched(obj: Tensor, matrix: Tensor, middle: Tensor) -> Tensor:
    """The object (S, Y, X) at c + (1 + A)⁻¹ (r − c), by cubic splines; its edge goes on outside.

    Torch's own cubic kernel exaggerates small moves by half, and these are made again and again.
    """
    from scipy.ndimage import affine_transform

    inverse = np.linalg.inv(np.eye(2) + matrix.cpu().numpy())
    centre = middle.cpu().numpy()
    slices = [
        affine_transform(each, inverse, offset=centre - inverse @ centre, order=3, mode="nearest")
        for each in obj.cpu().numpy()
    ]
    return torch.from_numpy(np.stack(slices)).to(obj)
