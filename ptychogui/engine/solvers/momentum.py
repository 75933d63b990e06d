"""Momentum for solvers with many small steps: what has moved slowly and steadily is carried on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ptychogui.engine.solvers.base import Solver

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State


@dataclass
class Momentum:
    """Velocities of object and probe, what they were at the last kick, and the batches since.

    Maiden, Johnson & Li, Optica 4, 736 (2017): every T batches v = η v + (O − O_T), O_T being the object after the last
    kick, and O moves on along v; here by `feedback` · v, as PtyLab has it. The probe likewise.
    """

    obj: Tensor
    probe: Tensor
    obj_before: Tensor
    probe_before: Tensor
    batches: int = 0

    @classmethod
    def at_rest(cls, state: State) -> Momentum:
        """No velocity."""
        import torch

        return cls(torch.zeros_like(state.obj), torch.zeros_like(state.probe), state.obj.clone(), state.probe.clone())

    def after_batch(self, state: State, friction: float, feedback: float, every: int) -> None:
        """Count a batch, and kick object and probe where it is time."""
        self.batches += 1
        if self.batches % every:
            return
        self.obj.mul_(friction).add_(state.obj - self.obj_before)
        state.obj.add_(self.obj, alpha=feedback)
        self.probe.mul_(friction).add_(state.probe - self.probe_before)
        state.probe = state.probe + feedback * self.probe
        self.settle(state)

    def settle(self, state: State) -> None:
        """What has moved by now is no velocity."""
        self.obj_before.copy_(state.obj)
        self.probe_before.copy_(state.probe)


class Accelerated(Solver):
    """A solver whose memory is the momentum of object and probe."""

    def begin(self, problem: Problem, state: State) -> Any:
        """Start at rest."""
        return Momentum.at_rest(state)

    def settle(self, state: State, memory: Any) -> None:
        """A change by a constraint is no velocity."""
        memory.settle(state)
