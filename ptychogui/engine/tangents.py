"""How the counts change with the unknowns beside object and probe, and what that says of a step: Gauss-Newton.

The counts I of a frame change by p_k = ∂I/∂θ_k with each of its few unknowns θ: where it lies, how bright it is, how
far the detector is. The gradient is Σ ∂L/∂I p_k and the normal matrix Σ p_k p_l / 2I, that of the amplitude loss; so a
whole step needs no step size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ptychogui.engine.losses import over_modes
from ptychogui.engine.models.thin import Exit
from ptychogui.engine.optics import NearField
from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State
from ptychogui.engine.views import views

Y, X, GAIN, DISTANCE, YY, YX, XY, XX = range(COLUMNS := 8)
"""The columns of a frame's gradient.

Position along y and x in pixels, logarithm of gain, logarithm of distance, and the matrix by which the scan is
stretched about its middle, row by row. Where all frames move, the object goes along: stretched with the scan, and
propagated with the probe, so that what it saw at the detector stays. Held still it would follow within an epoch, and
the step would be far too short.
"""

_RIM = 2


@dataclass
class Unknowns:
    """What a shard says of the unknowns beside object and probe.

    `gradient` (b, 8) and `normal` (b, 8, 8) of the frames `index` (b,), zero for what is not refined; `background` and
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
    bright = root if state.gain is None else root * state.gain[exit.index].to(root.dtype)[:, None, None]
    columns = {k: _change(waves, wave).mul_(bright).flatten(1) for k, wave in _moved_waves(problem, state, exit, waves)}
    if "gain" in state.unknowns:
        seen = counts if state.background is None else counts - state.background
        columns[GAIN] = (seen * root).flatten(1)
    gradient = torch.zeros(len(slope), COLUMNS, dtype=torch.float64, device=slope.device)
    normal = torch.zeros(len(slope), COLUMNS, COLUMNS, dtype=torch.float64, device=slope.device)
    if columns:
        which = torch.tensor(list(columns), device=slope.device)
        scaled = (slope / root.clamp_min(torch.finfo(root.dtype).tiny)).flatten(1)
        every = torch.stack([*columns.values(), scaled], 1)
        products = (every @ every.mT).double()  # of everything at once: a product with a single vector costs more
        gradient[:, which] = products[:, :-1, -1]
        normal[:, which[:, None], which] = products[:, :-1, :-1]
    with_background = "background" in state.unknowns
    return Unknowns(
        exit.index,
        gradient,
        normal,
        slope.sum(0) if with_background else None,
        root.square().sum(0) if with_background else None,
    )


def _moved_waves(problem: Problem, state: State, exit: Exit, waves: Tensor) -> Iterator[tuple[int, Tensor]]:
    """∂Ψ (b, M, ny, nx) for each column that moves waves."""
    with_positions, with_affine = "positions" in state.unknowns, "affine" in state.unknowns
    with_distance = "distance" in state.unknowns
    stretched = with_affine or (with_distance and problem.geometry.pixel_power != 0)
    if with_positions or stretched:
        for axis, column, row in ((0, Y, (YY, YX)), (1, X, (XY, XX))):
            across = exit.probes * _object_slope(state, exit.index, axis)[:, None]
            if with_positions:
                yield column, _propagated(problem, state, exit, across)
            if stretched:
                for place, k in zip(_places(state, exit.index), row, strict=True):
                    if with_affine or k in (YY, XX):
                        yield k, _propagated(problem, state, exit, across * -place[:, None])
    if with_distance and isinstance(problem.propagator, NearField):
        yield DISTANCE, _distance_tangent(problem, state, exit, waves)


def _places(state: State, index: Tensor) -> tuple[Tensor, Tensor]:
    """Where the pixels of the windows lie from the middles of their frames, (b, ny, 1) and (b, 1, nx)."""
    device, shift = state.probe.device, state.shift[index]
    y, x = (torch.arange(n, device=device) - n // 2 - shift[:, axis, None] for axis, n in enumerate(state.window))
    real = state.probe.real.dtype
    return y.to(real)[:, :, None], x.to(real)[:, None, :]


def _seen_with_rim(state: State, index: Tensor, rim: tuple[int, int]) -> Tensor:
    window = (state.window[0] + 2 * rim[0], state.window[1] + 2 * rim[1])
    return views(state.obj[0], state.corner[index] - torch.tensor(rim, device=state.corner.device), window)


def _object_slope(state: State, index: Tensor, axis: int) -> Tensor:
    """∂O/∂y or ∂O/∂x of the views (b, ny, nx), by differences of fourth order."""
    n = state.window[axis]
    seen = _seen_with_rim(state, index, (_RIM, 0) if axis == 0 else (0, _RIM))
    a, b, c, d = (seen.narrow(1 + axis, k, n) for k in (0, 1, 3, 4))
    return (c - b).mul_(2 / 3).sub_(d - a, alpha=1 / 12)


def _object_curvature(state: State, index: Tensor, weights: tuple[float, float]) -> Tensor:
    """The weighted sum of ∂²O/∂y² and ∂²O/∂x² of the views (b, ny, nx), by differences of fourth order."""
    seen = _seen_with_rim(state, index, (_RIM, _RIM))
    total = torch.zeros((), dtype=seen.dtype, device=seen.device)
    for axis in (0, 1):
        n, other = state.window[axis], state.window[1 - axis]
        inner = seen.narrow(2 - axis, _RIM, other)
        a, b, c, d, e = (inner.narrow(1 + axis, k, n) for k in range(5))
        total = total + (b + d).mul_(4 / 3).sub_(a + e, alpha=1 / 12).sub_(c, alpha=2.5).mul_(weights[axis])
    return total


def _propagated(problem: Problem, state: State, exit: Exit, waves: Tensor) -> Tensor:
    return problem.propagator.forward(waves, exit.ramps, state.transfer)


def _change(waves: Tensor, tangent: Tensor) -> Tensor:
    """2 Re Ψ* ∂Ψ, summed over the modes."""
    product = torch.view_as_real(waves).mul(torch.view_as_real(tangent))
    return over_modes(product.sum(-1)).mul(2.0)


def _distance_tangent(problem: Problem, state: State, exit: Exit, waves: Tensor) -> Tensor:
    """∂Ψ/∂log z, with probe and object held at the detector, where they are seen.

    At the sample they would adapt to any distance.
    """
    optics = problem.propagator
    assert isinstance(optics, NearField)
    turn = (1j * optics.phase * state.distance).to(waves.dtype)
    further = torch.fft.ifft2(torch.fft.fft2(waves).mul_(turn))
    probe = torch.fft.fft2(state.probe).mul_(turn)
    if exit.ramps is None:
        back = torch.fft.ifft2(probe)[None]
    else:
        back = torch.fft.ifft2(probe * exit.ramps[0][:, None] * exit.ramps[1][:, None])
    sample = exit.probes * _object_curvature(state, exit.index, optics.fresnel)[:, None]
    sample = sample * (1j * state.distance).to(sample.dtype)
    tangent: Tensor = further - _propagated(problem, state, exit, back * exit.views[:, None] + sample)
    return tangent
