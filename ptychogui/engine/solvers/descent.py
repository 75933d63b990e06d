"""What the solvers share that go down the gradient of a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import ptychogui.params as p
from ptychogui.engine.solvers.base import Solver, Update

if TYPE_CHECKING:
    from ptychogui.engine.crew import Shard
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State


class Descent(Solver):
    """A loss to be chosen; its gradient, and Σ|P|² and Σ|O|², the diagonals of its curvature (Gauss-Newton)."""

    loss: Annotated[Literal["amplitude", "intensity", "poisson"], p.LIVE] = "amplitude"
    """What is made small. amplitude: steady on real data; poisson: the best at low counts, where nothing but counting
    noise is in the data; intensity: for cameras whose noise is the same in every pixel."""

    def step(self, problem: Problem, state: State, memory: Any, shard: Shard, done: int) -> Update:
        """The gradient of object and probe over the frames of a shard, and the weights of both."""
        from ptychogui.engine.gradient import placed, written_out
        from ptychogui.engine.losses import power

        with_probe = done >= self.probe_start
        found, exit = written_out(problem, state, shard, with_probe, problem.loss(self.loss))
        lit = placed(power(state.probe).sum(0).expand(len(shard.index), -1, -1), state, shard)
        return Update(found.obj, lit, found.probe, power(exit.views).sum(0), found.loss, found.unknowns)
