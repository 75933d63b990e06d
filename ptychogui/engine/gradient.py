"""The gradient of a loss, written out for a thin sample and by automatic differentiation for any model."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import torch
from torch import Tensor

from ptychogui.engine.crew import Shard
from ptychogui.engine.losses import Amplitude, Loss, over_modes
from ptychogui.engine.models.thin import Exit
from ptychogui.engine.optics import NearField, Ramps
from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State
from ptychogui.engine.tangents import DISTANCE, GAIN, Unknowns, X, Y, tangents
from ptychogui.engine.views import place, shift_ramps


@dataclass
class Gradient:
    """∂L/∂z* of object (on the shard's part of the canvas) and probe (M, ny, nx), over one shard.

    The gradient of the probe is None where it was not asked for, `unknowns` where none are refined.
    """

    obj: Tensor
    probe: Tensor | None
    loss: Tensor
    unknowns: Unknowns | None = None


def written_out(
    problem: Problem, state: State, shard: Shard, with_probe: bool, loss: Loss | None = None
) -> tuple[Gradient, Exit]:
    """The gradient over the frames of a shard: Σ P*χ and Σ O*χ, χ the loss's slope brought back to the sample.

    Of the amplitude loss, χ = ψ − ψ' of the modulus projection (Guizar-Sicairos & Fienup, Opt. Express 16, 7264
    (2008), give such gradients). Also returns the exit waves, from whose parts denominators are made.
    """
    exit, waves = problem.waves(state, shard.index)
    slope, value, unknowns = misfit(problem, state, exit, waves, loss or Amplitude())
    if state.gain is not None:
        slope = slope * state.gain[shard.index].to(slope.dtype)[:, None, None]
    chi = problem.propagator.adjoint(waves * slope[:, None], exit.ramps, state.transfer)
    return Gradient(*brought_back(chi, exit, state, shard, with_probe), value, unknowns), exit


def misfit(
    problem: Problem, state: State, exit: Exit, waves: Tensor, loss: Loss
) -> tuple[Tensor, Tensor, Unknowns | None]:
    """∂L/∂I (b, ny, nx) at the waves (b, M, ny, nx) of some frames, L, and what these say of refined unknowns."""
    counts, weight = problem.counts_of(state, waves, exit.index), problem.weight(exit.index)
    kept = counts.clone() if state.unknowns else counts
    if problem.held_out is not None:
        problem.held_out.note(problem, exit.index, counts, loss)
    slope, value = loss.slope(counts, problem.amplitude(exit.index), weight)
    unknowns = tangents(problem, state, exit, waves, slope, kept, weight) if state.unknowns else None
    return slope, value, unknowns


def brought_back(chi: Tensor, exit: Exit, state: State, shard: Shard, with_probe: bool) -> tuple[Tensor, Tensor | None]:
    """Σ P*χ on the shard's part of the canvas and Σ O*χ, of χ (b, M, ny, nx) behind the sample; overwrites χ."""
    # P*χ and O*χ are conjugates of Pχ* and Oχ*: conjugating χ once, and the sums, saves two passes over the batch
    chi = chi.conj_physical_()
    obj = placed(over_modes(exit.probes * chi), state, shard).conj_physical_()
    probe = _probe_sum(exit.views[:, None] * chi, exit.ramps).conj_physical_() if with_probe else None
    return obj, probe


def automatic(problem: Problem, state: State, shard: Shard, with_probe: bool, loss: Loss | None = None) -> Gradient:
    """The same by automatic differentiation; works for every forward model."""
    index = shard.index
    chosen = loss or Amplitude()
    with torch.enable_grad():
        inner, leaves = _differentiable(problem, state, index, with_probe)
        every = torch.arange(len(index), device=index.device)
        exit, waves = problem.waves(inner, every)
        counts = problem.counts_of(inner, waves, every)
        value = chosen.value(counts, problem.amplitude(index), problem.weight(index))
        if problem.held_out is not None:
            problem.held_out.note(problem, index, counts, chosen)
        found = dict(zip(leaves, torch.autograd.grad(value, list(leaves.values())), strict=True))
    half = 0.5  # torch's gradient of a real loss is twice ∂L/∂z*
    (y, x), (ny, nx) = shard.begin, shard.shape
    probe = found["probe"] * half if with_probe else None
    gradient = Gradient(found["obj"][0, y : y + ny, x : x + nx] * half, probe, value.detach())
    if state.unknowns:
        slope, _ = chosen.slope(counts.detach().clone(), problem.amplitude(index), problem.weight(index))
        exit = problem.model.exit(state, index)
        gradient.unknowns = tangents(
            problem, state, exit, waves.detach(), slope, counts.detach(), problem.weight(index)
        )
        _replace(gradient.unknowns, state, found)
    return gradient


def _differentiable(problem: Problem, state: State, index: Tensor, with_probe: bool) -> tuple[State, dict[str, Tensor]]:
    """The state of some frames only, with the unknowns as leaves from which everything else follows."""
    leaves = {"obj": state.obj.detach().requires_grad_()}
    inner = copy(state)
    inner.obj, inner.corner, inner.shift = leaves["obj"], state.corner[index], state.shift[index]
    if with_probe:
        leaves["probe"] = state.probe.detach().requires_grad_()
        inner.probe = leaves["probe"]
    if "positions" in state.unknowns:
        leaves["positions"] = inner.shift = inner.shift.detach().requires_grad_()
        inner.ramps, inner.whole_pixel = shift_ramps(inner.shift, state.window, state.probe.dtype), False
    else:
        inner.ramps = (state.ramps[0][index], state.ramps[1][index])
    if state.gain is not None:
        inner.gain = state.gain[index]
        if "gain" in state.unknowns:
            leaves["gain"] = inner.gain = inner.gain.detach().requires_grad_()
    if "background" in state.unknowns:
        assert state.background is not None
        leaves["background"] = inner.background = state.background.detach().requires_grad_()
    optics = problem.propagator
    if "distance" in state.unknowns and isinstance(optics, NearField):
        leaves["distance"] = inner.distance = state.distance.detach().requires_grad_()
        inner.transfer = optics.at(inner.distance)
        # probe and object are held at the detector, where they are seen: at the sample they adapt to any distance
        nearer = state.distance - inner.distance
        inner.probe = torch.fft.ifft2(torch.fft.fft2(inner.probe) * optics.at(nearer))
        phase = optics.canvas_phase(inner.obj.shape) * nearer
        turn = torch.polar(torch.ones_like(phase), phase).to(inner.obj.dtype)
        inner.obj = torch.fft.ifft2(torch.fft.fft2(inner.obj) * turn)
    return inner, leaves


def _replace(unknowns: Unknowns, state: State, found: dict[str, Tensor]) -> None:
    """Take the gradients by automatic differentiation in the place of those written out."""
    if "positions" in found:
        unknowns.gradient[:, [Y, X]] = found["positions"]
    if "gain" in found:
        assert state.gain is not None
        unknowns.gradient[:, GAIN] = found["gain"] * state.gain[unknowns.index]
    if "distance" in found:  # one number for all frames
        unknowns.gradient[:, DISTANCE] = found["distance"] * state.distance / len(unknowns.index)
    if "background" in found:
        unknowns.background = found["background"]


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
