"""The step that the ePIE family shares; its members differ in the denominators and in momentum."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from ptychogui.engine.solvers.base import Solver, Update

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State


class PIE(Solver):
    """A batch gives one quotient: Σ P*χ over a denominator made of Σ |P|², and likewise for the probe.

    χ = ψ' − ψ is what the modulus projection changes. With one frame in a batch this is the algorithm of the papers;
    with several, overlapping corrections are averaged instead of added, which would diverge.
    """

    def begin(self, problem: Problem, state: State) -> Any:
        """Nothing is kept between batches."""
        return None

    def step(self, problem: Problem, state: State, memory: Any, index: Tensor, epoch: int) -> Update:
        """Numerators and denominators of object and probe over the frames `index` (b,)."""
        from ptychogui.engine.losses import amplitude_correction
        from ptychogui.engine.views import place

        exit, waves = problem.waves(state, index)
        correction, loss = amplitude_correction(waves, problem.amplitude(index), problem.weight(index))
        chi = problem.propagator.adjoint(correction, exit.ramps)
        corner, begin, shape = _box(state, index)
        power = (exit.probes.real.square() + exit.probes.imag.square()).sum(1).expand(len(index), -1, -1)
        update = Update(
            begin=begin,
            obj=place((exit.probes.conj() * chi).sum(1), corner, shape),
            obj_weight=place(power, corner, shape),
            probe=None,
            probe_weight=None,
            loss=loss,
        )
        if epoch >= self.probe_start:
            update.probe = _probe_numerator(exit.views.conj()[:, None] * chi, exit.ramps)
            update.probe_weight = (exit.views.real.square() + exit.views.imag.square()).sum(0)
        return update

    def apply(self, problem: Problem, state: State, memory: Any, update: Update) -> None:
        """Move object and probe by their quotients."""
        (y, x), (ny, nx) = update.begin, update.obj.shape
        assert update.obj_weight is not None
        state.obj[0, y : y + ny, x : x + nx] += (
            self.object_step * update.obj / self.object_denominator(update.obj_weight, _peak_power(state.probe))
        )
        if update.probe is not None:
            assert update.probe_weight is not None
            state.probe = state.probe + self.probe_step * update.probe / self.probe_denominator(update.probe_weight)

    @abstractmethod
    def object_denominator(self, weight: Tensor, peak: Tensor) -> Tensor:
        """From Σ |P|² on the canvas (Y, X) and the probe's own max |P|²."""

    @abstractmethod
    def probe_denominator(self, weight: Tensor) -> Tensor:
        """From Σ |O|² in the window (ny, nx)."""


def _peak_power(probe: Tensor) -> Tensor:
    return (probe.real.square() + probe.imag.square()).sum(0).max()


def _probe_numerator(each: Tensor, ramps: tuple[Tensor, Tensor] | None) -> Tensor:
    """Σ over frames of (b, M, ny, nx), each moved back to where the unshifted probe lies."""
    import torch

    if ramps is None:
        return each.sum(0)
    back = (ramps[0] * ramps[1]).conj()[:, None]
    return torch.fft.ifft2((torch.fft.fft2(each) * back).sum(0))


def _box(state: State, index: Tensor) -> tuple[Tensor, tuple[int, int], tuple[int, int]]:
    """The part of the canvas that a batch touches: corners within it, its first pixel and its shape."""
    corner = state.corner[index]
    if corner.device.type != "cpu":  # the extent would have to be waited for
        return corner, (0, 0), (state.obj.shape[-2], state.obj.shape[-1])
    low, high = corner.amin(0), corner.amax(0)
    (y, x), (y1, x1), (ny, nx) = low.tolist(), high.tolist(), state.window
    return corner - low, (y, x), (y1 - y + ny, x1 - x + nx)
