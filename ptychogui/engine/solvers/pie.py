"""The step that the ePIE family shares; its members differ in the denominators and in momentum."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from ptychogui.engine.solvers.base import Solver, Update

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.crew import Shard
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State


class PIE(Solver):
    """A batch gives one quotient: Σ P*χ over a denominator made of Σ |P|², and likewise for the probe.

    χ = ψ' − ψ is what the modulus projection changes. With one frame in a batch this is the algorithm of the papers;
    with several, overlapping corrections are averaged instead of added, which would diverge.
    """

    steps_per_epoch: ClassVar[int] = 16

    def begin(self, problem: Problem, state: State) -> Any:
        """Nothing is kept between batches."""
        return None

    def step(self, problem: Problem, state: State, memory: Any, shard: Shard, done: int) -> Update:
        """Numerators and denominators of object and probe over the frames of a shard."""
        from ptychogui.engine.gradient import placed, written_out
        from ptychogui.engine.losses import power

        gradient, exit = written_out(problem, state, shard, with_probe=done >= self.probe_start)
        # half a pixel does not matter to a weight: the unshifted probe saves a pass over the batch
        lit = power(state.probe).sum(0).expand(len(shard.index), -1, -1)
        seen = None if gradient.probe is None else power(exit.views).sum(0)
        return Update(gradient.obj, placed(lit, state, shard), gradient.probe, seen, gradient.loss, gradient.unknowns)

    def apply(
        self, problem: Problem, state: State, memory: Any, begin: tuple[int, int], update: Update, pace: float
    ) -> None:
        """Move object and probe by their quotients."""
        from ptychogui.engine.losses import power

        (y, x), (ny, nx) = begin, update.obj.shape
        assert update.obj_weight is not None
        peak = power(state.probe).sum(0).max()
        step = (pace * self.object_step) / self.object_denominator(update.obj_weight, peak)
        state.obj[0, y : y + ny, x : x + nx] -= update.obj * step
        if update.probe is not None:
            assert update.probe_weight is not None
            step = (pace * self.probe_step) / self.probe_denominator(update.probe_weight)
            state.probe = state.probe - update.probe * step

    @abstractmethod
    def object_denominator(self, weight: Tensor, peak: Tensor) -> Tensor:
        """From Σ |P|² on the canvas (Y, X) and the probe's own max |P|²."""

    @abstractmethod
    def probe_denominator(self, weight: Tensor) -> Tensor:
        """From Σ |O|² in the window (ny, nx)."""
