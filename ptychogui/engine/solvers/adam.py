"""Adam, with gradients by automatic differentiation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

import ptychogui.params as p
from ptychogui.engine.solvers.base import Update
from ptychogui.engine.solvers.descent import Descent

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.crew import Shard
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State


class Adam(Descent):
    """Adam: gradient descent whose step adapts to every pixel; the default.

    When to use it: first, on any scan; it is steady on real data, whose errors are more than noise. Where it is too
    slow take `mpie` or `lsqml`, and to finish, `lbfgs`.

    Kingma & Ba, ICLR 2015, Algorithm 1, on the complex gradient ∂L/∂z* with |g|² for the second moment, and with a
    small part of the largest mean gradient in the place of ε. Kandel et al., Opt. Express 27, 18653 (2019) use it for
    ptychography, on real and imaginary parts each for itself. The gradient is by automatic differentiation, or written
    out where it is known, which is the same number in half the time.
    """

    kind: Literal["adam"] = "adam"
    object_step: Annotated[p.Positive, p.ESSENTIAL, p.LIVE] = 0.05
    """How far a pixel of the object moves in one step, in units of the transmission."""
    probe_step: Annotated[p.Positive, p.LIVE] = 0.03
    """How far a pixel of the probe moves in one step, as a part of the probe's largest amplitude."""

    autograd: Annotated[bool, p.LIVE] = False
    """Take every gradient by automatic differentiation, also where it is written out. Same numbers, slower."""

    def begin(self, problem: Problem, state: State) -> Any:
        """First and second moments at zero."""
        return Moments(state.obj[0]), Moments(state.probe)

    def step(self, problem: Problem, state: State, memory: Any, shard: Shard, done: int) -> Update:
        """The gradient ∂L/∂z* of object and probe over the frames of a shard."""
        from ptychogui.engine.gradient import automatic, written_out

        with_probe, loss = done >= self.probe_start, problem.loss(self.loss)
        if self.autograd:
            found = automatic(problem, state, shard, with_probe, loss)
        else:
            found, _ = written_out(problem, state, shard, with_probe, loss)
        return Update(found.obj, None, found.probe, None, found.loss, found.unknowns)

    def apply(
        self, problem: Problem, state: State, memory: Any, begin: tuple[int, int], update: Update, pace: float
    ) -> None:
        """Algorithm 1's step, on the pixels that the batch has seen."""
        (y, x), (ny, nx) = begin, update.obj.shape
        seen = (slice(y, y + ny), slice(x, x + nx))
        state.obj[0][seen].add_(memory[0].step(update.obj, seen), alpha=-pace * self.object_step)
        if update.probe is not None:
            scale = state.probe.abs().max() * (-pace * self.probe_step)
            state.probe = state.probe + memory[1].step(update.probe, ()) * scale


_FLOOR = 0.03
"""The part of the largest mean gradient below which steps shrink, so that hardly lit pixels keep still."""


class Moments:
    """Running means of the gradient and of its square, which make a step of about one."""

    def __init__(self, like: Tensor) -> None:
        self.first, self.second, self.count = like.new_zeros(like.shape), like.real.new_zeros(like.shape), 0

    def step(self, gradient: Tensor, seen: tuple[slice, ...]) -> Tensor:
        """The direction to move against, for the pixels `seen`."""
        self.count += 1
        beta1, beta2 = 0.9, 0.999
        first, second = self.first[seen], self.second[seen]
        first.mul_(beta1).add_(gradient, alpha=1 - beta1)  # a quarter of the time of lerp_
        second.mul_(beta2).addcmul_(gradient.real, gradient.real, value=1 - beta2)
        second.addcmul_(gradient.imag, gradient.imag, value=1 - beta2)
        root = second.sqrt().mul_((1 - beta1**self.count) / math.sqrt(1 - beta2**self.count))
        root += _FLOOR * root.max()
        return first * root.reciprocal_()  # dividing would make the root complex, and take six times as long
