"""What all positions have in common: scale, rotation and shear of the scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from ptychogui.engine.refine.unknown import Unknown
from ptychogui.params import LIVE, Fraction

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State
    from ptychogui.engine.tangents import Unknowns


@dataclass
class Sums:
    """The gradient (K,) and normal matrix (K, K) of K parameters over an epoch, and the last step."""

    gradient: Tensor
    normal: Tensor
    last: Tensor

    @classmethod
    def of(cls, count: int, device: object) -> Sums:
        """Nothing yet."""
        import torch

        zero = torch.zeros(count, dtype=torch.float64, device=device)  # type: ignore[call-overload]
        return cls(zero, torch.zeros(count, count, dtype=torch.float64, device=device), zero.clone())  # type: ignore[call-overload]

    def take(self, gradient: Tensor, normal: Tensor) -> None:
        """Add frames (b, K) and (b, K, K)."""
        self.gradient += gradient.sum(0)
        self.normal += normal.sum(0)

    def step(self, size: float, momentum: float) -> Tensor:
        """The Gauss-Newton step (K,), and begin anew."""
        import torch

        damped = self.normal + torch.diag(1e-6 * self.normal.diagonal() + 1e-300)
        self.last = momentum * self.last - size * torch.linalg.solve(damped, self.gradient)
        self.gradient, self.normal = torch.zeros_like(self.gradient), torch.zeros_like(self.normal)
        return self.last


class AffineUnknown(Unknown):
    """Scale, rotation and shear of the whole scan about its middle: a stage whose axes are not what they say."""

    tangents: ClassVar[frozenset[str]] = frozenset({"affine"})

    momentum: Annotated[Fraction, LIVE] = 0.5
    """How much of the last step is added to the next: nearer to 1 is quicker where errors are large, and swings
    longer."""
    largest: Annotated[Fraction, LIVE] = 0.02
    """The largest change in one epoch: 0.02 is two per cent, or 20 mrad. Larger finds large errors sooner, and may
    run away."""

    def begin(self, problem: Problem, state: State) -> Any:
        """Sums of four parameters: the rows of the matrix that is added to one."""
        return Sums.of(4, problem.device)

    def take(self, problem: Problem, state: State, memory: Any, found: Unknowns, pace: float) -> None:
        """Gather what the frames say."""
        from ptychogui.engine.tangents import XX, YY

        memory.take(found.gradient[:, YY : XX + 1], found.normal[:, YY : XX + 1, YY : XX + 1])

    def settle(self, problem: Problem, state: State, memory: Any, pace: float) -> str:
        """Stretch the scan, and the object with it."""
        from ptychogui.engine.refine.moved import stretch

        matrix = memory.step(self.step, self.momentum).clamp(-self.largest, self.largest).reshape(2, 2)
        if "distance" in state.unknowns and problem.geometry.pixel_power:
            matrix.diagonal().sub_(matrix.diagonal().mean())  # the scale is that of the pixel, which follows from it
        stretch(state, matrix)
        return ""
