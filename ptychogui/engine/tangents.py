"""How the counts change with the unknowns beside object and probe, and what that says of a step: Gauss-Newton.

The counts I of a frame change by p_k = ∂I/∂θ_k with each of its few unknowns θ: where it lies, how bright it is, how far
the detector is. The gradient is Σ ∂L/∂I p_k and the normal matrix Σ p_k p_l / 2I, that of the amplitude loss; so a
whole step needs no step size.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ptychogui.engine.losses import over_modes
from ptychogui.engine.models.thin import Exit
from ptychogui.engine.optics import NearField
from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State
from ptychogui.engine.views import views

Y, X, GAIN, DISTANCE = range(4)
"""The columns of a frame's gradient: position along y and x in pixels, logarithm of gain, logarithm of distance."""

_RIM = 2


@dataclass
class Unknowns:
    """What a shard says of the unknowns beside object and probe.

    `gradient` (b, 4) and `normal` (b, 4, 4) of the frames `index` (b,), zero for what is not refined; `background` and
    `background_weight` (ny, nx) are sums over the frames, None where it is not refined.
    """

    index: Tensor
    gradient: Tensor
    normal: Tensor
    background: Tensor | None
    background_weight: Tensor | None

    def add(self, other: Unknowns) -> None:
        """Take in another shard's: more frames."""
        self.index = torch.cat([self.index, other.index])
        self.gradient = torch.cat([self.gradient, other.gradient])
        self.normal = torch.cat([self.normal, other.normal])
        for mine, more in (
            (self.background, other.background),
            (self.background_weight, other.background_weight),
        ):
            if mine is not None and more is not None:
                mine += more


def tangents(
    problem: Problem, state: State, exit: Exit, waves: Tensor, slope: Tensor, counts: Tensor, weight: Tensor | None
) -> Unknowns:
    """The gradients of the refined unknowns, from ∂L/∂I `slope` and the model's `counts`, both (b, ny, nx)."""
    root = torch.rsqrt(counts * 2 + 1e-6 * problem.typical_counts)  # p / √2I
    if weight is not None:
        root = root * weight
    scaled = slope / root.clamp_min(torch.finfo(root.dtype).tiny)
    bright = 1.0 if state.gain is None else state.gain[exit.index].to(counts.dtype)[:, None, None]
    columns: dict[int, Tensor] = {}
    if "positions" in state.unknowns:
        for axis, moved in ((Y, 0), (X, 1)):
            wave = _propagated(problem, state, exit, exit.probes * object_slope(state, exit.index, moved)[:, None])
            columns[axis] = _change(waves, wave).mul_(root * bright)
    if "gain" in state.unknowns:
        columns[GAIN] = (counts if state.background is None else counts - state.background) * root
    if "distance" in state.unknowns and isinstance(problem.propagator, NearField):
        columns[DISTANCE] = _change(waves, _distance_tangent(problem, state, exit, waves)).mul_(root * bright)
    gradient = slope.new_zeros((len(slope), 4), dtype=torch.float64)
    normal = slope.new_zeros((len(slope), 4, 4), dtype=torch.float64)
    flat = {k: column.flatten(1) for k, column in columns.items()}
    for k, a in flat.items():
        gradient[:, k] = torch.linalg.vecdot(a, scaled.flatten(1)).double()
        for other, b in flat.items():
            if other >= k:
                normal[:, k, other] = normal[:, other, k] = torch.linalg.vecdot(a, b).double()
    with_background = "background" in state.unknowns
    return Unknowns(
        exit.index,
        gradient,
        normal,
        slope.sum(0) if with_background else None,
        root.square().sum(0) if with_background else None,
    )


def object_slope(state: State, index: Tensor, axis: int) -> Tensor:
    """∂O/∂y or ∂O/∂x of the views (b, ny, nx), by differences of fourth order."""
    n = state.window[axis]
    longer = (
        (state.window[0] + 2 * _RIM, state.window[1]) if axis == 0 else (state.window[0], state.window[1] + 2 * _RIM)
    )
    begin = state.corner[index].clone()
    begin[:, axis] -= _RIM
    seen = views(state.obj[0], begin, longer)
    a, b, c, d = (seen.narrow(1 + axis, k, n) for k in (0, 1, 3, 4))
    return (c - b).mul_(2 / 3).sub_(d - a, alpha=1 / 12)


def _propagated(problem: Problem, state: State, exit: Exit, waves: Tensor) -> Tensor:
    return problem.propagator.forward(waves, exit.ramps, state.transfer)


def _change(waves: Tensor, tangent: Tensor) -> Tensor:
    """2 Re Ψ* ∂Ψ, summed over the modes."""
    product = torch.view_as_real(waves).mul(torch.view_as_real(tangent))
    return over_modes(product.sum(-1)).mul(2.0)


def _distance_tangent(problem: Problem, state: State, exit: Exit, waves: Tensor) -> Tensor:
    """∂Ψ/∂log z, with the probe held at the detector, where it is seen: at the sample it would adapt to any distance."""
    optics = problem.propagator
    assert isinstance(optics, NearField)
    turn = (1j * optics.phase * state.distance).to(waves.dtype)
    further = torch.fft.ifft2(torch.fft.fft2(waves).mul_(turn))
    probe = torch.fft.fft2(state.probe).mul_(turn)
    if exit.ramps is None:
        back = torch.fft.ifft2(probe)[None]
    else:
        back = torch.fft.ifft2(probe * exit.ramps[0][:, None] * exit.ramps[1][:, None])
    tangent: Tensor = further - _propagated(problem, state, exit, back * exit.views[:, None])
    return tangent
