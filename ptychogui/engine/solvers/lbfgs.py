"""Limited-memory BFGS over object and probe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import ptychogui.params as p
from ptychogui.engine.solvers.base import Update
from ptychogui.engine.solvers.descent import Descent

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State

_FLOOR = 0.1
"""The part of the largest curvature that is taken where there is less, so that hardly lit pixels keep still."""


class LBFGS(Descent):
    """Limited-memory BFGS: all frames make one step, along a direction that has learned the curvature from the last
    ones.

    When to use it: to finish. After 10 to 30 epochs of another solver (`mpie`, `adam`, `dm`), or alone where the start
    is fair, it reaches the lowest loss of all; with `loss` = poisson, the noise floor of counted data. It has no step
    to choose. Slower than `mpie` and `adam` in the first epochs; on noisy data stop it early, as it also fits noise.

    Liu & Nocedal, Math. Program. 45, 503 (1989); Nocedal & Wright, Numerical Optimization (2006), Algorithm 7.4, with
    Eq. 3.6a as condition. The first inverse Hessian is one over the illumination of every pixel. An epoch is one
    evaluation of loss and gradient: where a step is found too long, the next epoch takes a part of it. The last epoch
    takes no step.
    """

    steps_per_epoch: ClassVar[int] = 8
    together: ClassVar[bool] = True

    kind: Literal["lbfgs"] = "lbfgs"
    final_step: Annotated[p.Fraction, p.LIVE] = 1.0
    """The part of both steps that is left in the last epoch; below 1 they shrink along a cosine, so that noise
    averages out."""
    history: Annotated[p.Count, p.LIVE] = 10
    """Steps that are remembered; each takes twice the memory of object and probe."""

    def begin(self, problem: Problem, state: State) -> Any:
        """Nothing is known of the curvature."""
        from ptychogui.engine.solvers.search import Search

        return Search()

    def pace(self, done: int) -> float:
        """Whole steps, and none in the last of several epochs, after which no loss would tell that it was too long."""
        return 0.0 if 0 < done == self.epochs - 1 else super().pace(done)

    def apply(
        self, problem: Problem, state: State, memory: Any, begin: tuple[int, int], update: Update, pace: float
    ) -> None:
        """Go on from where the state is, if its loss is low enough, else less far from where it was before."""
        import torch

        if memory.with_probe != (update.probe is not None):
            memory.forget()
            memory.with_probe = update.probe is not None
        place = torch.cat([state.obj.flatten(), state.probe.flatten()])
        slope = torch.zeros_like(state.probe) if update.probe is None else update.probe
        gradient = torch.cat([update.obj.flatten(), slope.flatten()])
        memory.look(place, float(update.loss), gradient, self._inverse(state, update), self.history)
        found = memory.target(pace)
        obj, probe = found[: state.obj.numel()], found[state.obj.numel() :]
        state.obj, state.probe = obj.reshape(state.obj.shape), probe.reshape(state.probe.shape)
        memory.sent = state.obj, state.probe

    def settle(self, state: State, memory: Any) -> None:
        """Take what is known along to the scale and the mix of modes that the constraints have chosen."""
        if memory.sent is not None and (state.obj is not memory.sent[0] or state.probe is not memory.sent[1]):
            memory.follow(state.obj, state.probe)

    def _inverse(self, state: State, update: Update) -> Tensor:
        """One over the diagonal of the curvature, as a first guess of the inverse Hessian."""
        import torch

        assert update.obj_weight is not None
        assert update.probe_weight is not None
        parts = [
            step / (weight + _FLOOR * weight.max())
            for step, weight in ((self.object_step, update.obj_weight), (self.probe_step, update.probe_weight))
        ]
        return torch.cat([parts[0].flatten(), parts[1].expand(state.probe.shape).flatten()])
