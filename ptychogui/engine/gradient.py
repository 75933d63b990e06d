"""The gradient of the amplitude loss, written out for a thin sample and by automatic differentiation for any model."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ptychogui.engine.crew import Shard
from ptychogui.engine.losses import amplitude_gradient, amplitude_loss, over_modes
from ptychogui.engine.models.thin import Exit
from ptychogui.engine.optics import Ramps
from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State
from ptychogui.engine.views import place


@dataclass
class Gradient:
    """∂L/∂z* of object (on the shard's part of the canvas) and probe (M, ny, nx), over one shard.

    The gradient of the probe is None where it was not asked for.
    """

    obj: Tensor
    probe: Tensor | None
    loss: Tensor


def written_out(problem: Problem, state: State, shard: Shard, with_probe: bool) -> tuple[Gradient, Exit]:
    """The gradient over the frames of a shard: Σ P*χ and Σ O*χ, χ = ψ − ψ' of the modulus projection.

    (Guizar-Sicairos & Fienup, Opt. Express 16, 7264 (2008), give such gradients.) Also returns the exit waves, from
    whose parts denominators are made.
    """
    exit, waves = problem.waves(state, shard.index)
    slope, loss = amplitude_gradient(waves, problem.amplitude(shard.index), problem.weight(shard.index))
    # P*χ and O*χ are conjugates of Pχ* and Oχ*: conjugating χ once, and the sums, saves two passes over the batch
    chi = problem.propagator.adjoint(slope, exit.ramps).conj_physical_()
    obj = placed(over_modes(exit.probes * chi), state, shard).conj_physical_()
    probe = _probe_sum(exit.views[:, None] * chi, exit.ramps).conj_physical_() if with_probe else None
    return Gradient(obj, probe, loss), exit


def automatic(problem: Problem, state: State, shard: Shard, with_probe: bool) -> Gradient:
    """The same by automatic differentiation; works for every forward model."""
    with torch.enable_grad():
        obj = state.obj.detach().requires_grad_()
        probe = state.probe.detach().requires_grad_(with_probe)
        _, waves = problem.waves(state.with_unknowns(obj, probe), shard.index)
        loss = amplitude_loss(waves, problem.amplitude(shard.index), problem.weight(shard.index))
        found = torch.autograd.grad(loss, [obj, probe] if with_probe else [obj])
    half = 0.5  # torch's gradient of a real loss is twice ∂L/∂z*
    (y, x), (ny, nx) = shard.begin, shard.shape
    seen = found[0][0, y : y + ny, x : x + nx] * half
    return Gradient(seen, found[1] * half if with_probe else None, loss.detach())


def placed(patches: Tensor, state: State, shard: Shard) -> Tensor:
    """Sum patches (b, ny, nx) into the part of the canvas that the shard's batch touches."""
    corner = state.corner[shard.index]
    if shard.begin != (0, 0):
        corner = corner - torch.tensor(shard.begin, device=corner.device)
    return place(patches, corner, shard.shape)


def _probe_sum(each: Tensor, ramps: Ramps | None) -> Tensor:
    """Σ over frames of (b, M, ny, nx), each moved back to where the unshifted probe lies."""
    if ramps is None:
        return each.sum(0)
    moved_back = torch.fft.fft2(each).mul_(ramps[0].conj()[:, None]).mul_(ramps[1].conj()[:, None])
    total: Tensor = torch.fft.ifft2(moved_back.sum(0))
    return total
