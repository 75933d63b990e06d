"""The gradient of the amplitude loss, written out for a thin sample and by automatic differentiation for any model."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ptychogui.engine.losses import amplitude_correction, amplitude_loss
from ptychogui.engine.models.thin import Exit
from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State
from ptychogui.engine.views import place


@dataclass
class Gradient:
    """∂L/∂z* of object (on the canvas from pixel `begin`) and probe (M, ny, nx), over one batch.

    The gradient of the probe is None where it was not asked for.
    """

    begin: tuple[int, int]
    obj: Tensor
    probe: Tensor | None
    loss: Tensor


def written_out(problem: Problem, state: State, index: Tensor, with_probe: bool) -> tuple[Gradient, Exit]:
    """The gradient over the frames `index` (b,): −Σ P*χ and −Σ O*χ, χ = ψ' − ψ of the modulus projection.

    (Guizar-Sicairos & Fienup, Opt. Express 16, 7264 (2008), Eqs. 18 and 19, for the amplitude loss.) Also returns the
    exit waves, from whose parts denominators are made.
    """
    exit, waves = problem.waves(state, index)
    correction, loss = amplitude_correction(waves, problem.amplitude(index), problem.weight(index))
    chi = problem.propagator.adjoint(correction.neg_(), exit.ramps)
    corner, begin, shape = box(state, index)
    obj = place((exit.probes.conj() * chi).sum(1), corner, shape)
    probe = probe_sum(exit.views.conj()[:, None] * chi, exit) if with_probe else None
    return Gradient(begin, obj, probe, loss), exit


def automatic(problem: Problem, state: State, index: Tensor, with_probe: bool) -> Gradient:
    """The same by automatic differentiation; works for every forward model."""
    with torch.enable_grad():
        obj = state.obj.detach().requires_grad_()
        probe = state.probe.detach().requires_grad_(with_probe)
        _, waves = problem.waves(replace(state, obj=obj, probe=probe), index)
        loss = amplitude_loss(waves, problem.amplitude(index), problem.weight(index))
        found = torch.autograd.grad(loss, [obj, probe] if with_probe else [obj])
    half = 0.5  # torch's gradient of a real loss is twice ∂L/∂z*
    return Gradient((0, 0), found[0][0] * half, found[1] * half if with_probe else None, loss.detach())


def probe_sum(each: Tensor, exit: Exit) -> Tensor:
    """Σ over frames of (b, M, ny, nx), each moved back to where the unshifted probe lies."""
    if exit.ramps is None:
        return each.sum(0)
    back = (exit.ramps[0] * exit.ramps[1]).conj()[:, None]
    out: Tensor = torch.fft.ifft2((torch.fft.fft2(each) * back).sum(0))
    return out


def box(state: State, index: Tensor) -> tuple[Tensor, tuple[int, int], tuple[int, int]]:
    """The part of the canvas that a batch touches: corners within it, its first pixel and its shape."""
    corner = state.corner[index]
    if corner.device.type != "cpu":  # the extent would have to be waited for
        return corner, (0, 0), (state.obj.shape[-2], state.obj.shape[-1])
    low, high = corner.amin(0), corner.amax(0)
    (y, x), (y1, x1), (ny, nx) = low.tolist(), high.tolist(), state.window
    return corner - low, (y, x), (y1 - y + ny, x1 - x + nx)
