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

    def step(self, problem: Problem, state: State, memory: Any, index: Tensor, done: int) -> Update:
        """Numerators and denominators of object and probe over the frames `index` (b,)."""
        from ptychogui.engine.gradient import box, written_out
        from ptychogui.engine.views import place

        gradient, exit = written_out(problem, state, index, with_probe=done >= self.probe_start)
        corner, begin, shape = box(state, index)
        power = (exit.probes.real.square() + exit.probes.imag.square()).sum(1).expand(len(index), -1, -1)
        lit = None if gradient.probe is None else (exit.views.real.square() + exit.views.imag.square()).sum(0)
        return Update(begin, gradient.obj, place(power, corner, shape), gradient.probe, lit, gradient.loss)

    def apply(self, problem: Problem, state: State, memory: Any, update: Update, pace: float) -> None:
        """Move object and probe by their quotients."""
        (y, x), (ny, nx) = update.begin, update.obj.shape
        assert update.obj_weight is not None
        object_weight = self.object_denominator(update.obj_weight, _peak_power(state.probe))
        state.obj[0, y : y + ny, x : x + nx] -= pace * self.object_step * (update.obj / object_weight)
        if update.probe is not None:
            assert update.probe_weight is not None
            probe_weight = self.probe_denominator(update.probe_weight)
            state.probe = state.probe - pace * self.probe_step * (update.probe / probe_weight)

    @abstractmethod
    def object_denominator(self, weight: Tensor, peak: Tensor) -> Tensor:
        """From Σ |P|² on the canvas (Y, X) and the probe's own max |P|²."""

    @abstractmethod
    def probe_denominator(self, weight: Tensor) -> Tensor:
        """From Σ |O|² in the window (ny, nx)."""


def _peak_power(probe: Tensor) -> Tensor:
    return (probe.real.square() + probe.imag.square()).sum(0).max()
