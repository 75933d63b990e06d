"""Gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ptychogui.engine.solvers.base import Update
from ptychogui.engine.solvers.descent import Descent

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State


class GD(Descent):
    """Gradient descent: a step against the gradient, the same length for every pixel, and nothing else.

    When to use it: to compare with published work, to learn, or to see what a loss alone does. Every other solver
    arrives sooner.

    Guizar-Sicairos & Fienup, Opt. Express 16, 7264 (2008), for ptychography. A step of 1 is one over the largest
    curvature, Σ|P|² of the batch for the object and Σ|O|² for the probe: the longest at which neither alone can make
    the amplitude loss rise, and with that loss the step of `epie`. A step η as in O −= 2η ∂L/∂O* with n frames at once
    and a probe of amplitude 1, as programs for teaching have it, is 2nη here.
    """

    kind: Literal["gd"] = "gd"

    def begin(self, problem: Problem, state: State) -> Any:
        """Nothing is kept between batches."""
        return None

    def apply(
        self, problem: Problem, state: State, memory: Any, begin: tuple[int, int], update: Update, pace: float
    ) -> None:
        """Move object and probe against their gradients."""
        (y, x), (ny, nx) = begin, update.obj.shape
        state.obj[0, y : y + ny, x : x + nx] -= update.obj * _step(self.object_step * pace, update.obj_weight)
        if update.probe is not None:
            state.probe = state.probe - update.probe * _step(self.probe_step * pace, update.probe_weight)


def _step(part: float, curvature: Tensor | None) -> Tensor:
    assert curvature is not None
    return part / curvature.max()
