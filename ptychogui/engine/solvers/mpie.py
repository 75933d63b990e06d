"""The momentum-accelerated ptychographical iterative engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import ptychogui.params as p
from ptychogui.engine.solvers.base import Update
from ptychogui.engine.solvers.rpie import Regularised

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State


@dataclass
class Momentum:
    """Velocities of object and probe, what they were at the last kick, and the batches since."""

    obj: Tensor
    probe: Tensor
    obj_before: Tensor
    probe_before: Tensor
    batches: int = 0


class MPIE(Regularised):
    """mPIE: rPIE with momentum, which carries on what changes slowly.

    Maiden, Johnson & Li, Optica 4, 736 (2017): every T batches v = η v + (O − O_T), O_T being the object after the last
    kick, and O moves on along v; here by `feedback` · v, as PtyLab has it. The probe likewise.
    """

    kind: Literal["mpie"] = "mpie"
    friction: Annotated[p.Fraction, p.LIVE] = 0.7
    """η: how much of the velocity is kept from one kick to the next."""
    feedback: Annotated[p.Fraction, p.LIVE] = 0.3
    """How much of the velocity is added at a kick; smaller is steadier on data with other errors than noise."""
    every: Annotated[p.Count, p.LIVE] = 10
    """T: batches from one kick to the next."""

    def begin(self, problem: Problem, state: State) -> Any:
        """Start at rest."""
        import torch

        return Momentum(
            torch.zeros_like(state.obj), torch.zeros_like(state.probe), state.obj.clone(), state.probe.clone()
        )

    def settle(self, state: State, memory: Any) -> None:
        """A change by a constraint is no velocity."""
        memory.obj_before.copy_(state.obj)
        memory.probe_before.copy_(state.probe)

    def apply(
        self, problem: Problem, state: State, memory: Any, begin: tuple[int, int], update: Update, pace: float
    ) -> None:
        """As rPIE, and a kick every T batches."""
        super().apply(problem, state, memory, begin, update, pace)
        memory.batches += 1
        if memory.batches % self.every:
            return
        memory.obj.mul_(self.friction).add_(state.obj - memory.obj_before)
        state.obj.add_(memory.obj, alpha=self.feedback)
        memory.obj_before.copy_(state.obj)
        memory.probe.mul_(self.friction).add_(state.probe - memory.probe_before)
        state.probe = state.probe + self.feedback * memory.probe
        memory.probe_before.copy_(state.probe)
