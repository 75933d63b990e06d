"""Adam, with gradients by automatic differentiation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import ptychogui.params as p
from ptychogui.engine.solvers.base import Solver, Update

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State


class Adam(Solver):
    """Adam on the amplitude loss, every gradient by automatic differentiation. Steady with any set of unknowns.

    Kingma & Ba, ICLR 2015, Algorithm 1, on the complex gradient ∂L/∂z* with |g|² for the second moment, as Kandel et
    al., Opt. Express 27, 18653 (2019) use it for ptychography.
    """

    kind: Literal["adam"] = "adam"
    object_step: Annotated[p.Positive, p.ESSENTIAL, p.LIVE] = 0.02
    """How far a pixel of the object moves in one step, in units of the transmission."""
    probe_step: Annotated[p.Positive, p.ESSENTIAL, p.LIVE] = 0.02
    """How far a pixel of the probe moves in one step, as a part of the probe's largest amplitude."""

    def begin(self, problem: Problem, state: State) -> Any:
        """First and second moments at zero."""
        import torch

        return {
            name: (torch.zeros_like(value), torch.zeros_like(value.real), [0])
            for name, value in (("obj", state.obj), ("probe", state.probe))
        }

    def step(self, problem: Problem, state: State, memory: Any, index: Tensor, epoch: int) -> Update:
        """The gradient ∂L/∂z* of object and probe over the frames `index` (b,)."""
        from dataclasses import replace

        import torch

        from ptychogui.engine.losses import amplitude_loss

        with torch.enable_grad():
            obj, probe = (
                state.obj.detach().requires_grad_(),
                state.probe.detach().requires_grad_(epoch >= self.probe_start),
            )
            _, waves = problem.waves(replace(state, obj=obj, probe=probe), index)
            loss = amplitude_loss(waves, problem.amplitude(index), problem.weight(index))
            loss.backward()  # type: ignore[no-untyped-call]
        half = 0.5  # torch's gradient of a real loss is twice ∂L/∂z*
        assert obj.grad is not None
        gradient = None if probe.grad is None else probe.grad * half
        return Update((0, 0), obj.grad * half, None, gradient, None, loss.detach())

    def apply(self, problem: Problem, state: State, memory: Any, update: Update) -> None:
        """Algorithm 1's step."""
        state.obj = state.obj + _adam(update.obj, memory["obj"], self.object_step)
        if update.probe is not None:
            scale = state.probe.abs().max()
            state.probe = state.probe + _adam(update.probe, memory["probe"], self.probe_step) * scale


def _adam(gradient: Tensor, moments: tuple[Tensor, Tensor, list[int]], step: float) -> Tensor:
    first, second, count = moments
    count[0] += 1
    beta1, beta2 = 0.9, 0.999
    first.lerp_(gradient, 1 - beta1)
    second.mul_(beta2).add_(gradient.real.square() + gradient.imag.square(), alpha=1 - beta2)
    root = (second / (1 - beta2 ** count[0])).sqrt_().add_(1e-12)
    return first / root * (-step / (1 - beta1 ** count[0]))
