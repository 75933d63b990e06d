"""A state at another distance from the detector."""

from __future__ import annotations

import torch

from ptychogui.engine.optics import NearField
from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State


def at_distance(problem: Problem, state: State, factor: float) -> None:
    """Move the detector, or in a cone beam the sample, to `factor` times the distance.

    What the probe looks like at the detector stays; places in metres stay, in pixels they follow the pixel's size.
    """
    before = problem.geometry
    after = before.at_distance(factor)
    if isinstance(problem.propagator, NearField):
        optics = problem.propagator
        back = optics.at(state.distance * (1 - factor)).to(state.probe.dtype)
        state.probe = torch.fft.ifft2(torch.fft.fft2(state.probe) * back)
        state.distance = state.distance * factor
        state.transfer = optics.at(state.distance)
    scale = before.pixel_m[0] / after.pixel_m[0]
    if scale != 1:
        middle = state.position_px.mean(0)
        wanted = state.inside(middle + (state.position_px - middle) * scale)
        half = torch.tensor(state.window, device=middle.device) // 2
        fixed = ((middle + half).cpu().numpy(), state.origin_m, before.pixel_m, after.pixel_m)
        origin = [o + c * (a - b) for c, o, a, b in zip(*fixed, strict=True)]
        state.origin_m = (float(origin[0]), float(origin[1]))
        state.move_to(wanted)
    problem.geometry = after
