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

    def take(self, chain: Tensor, gradient: Tensor, normal: Tensor) -> None:
        """Add frames whose own unknowns (b, k) depend on these by `chain` (b, k, K)."""
        self.gradient += (chain.mT @ gradient[:, :, None]).sum(0)[:, 0]
        self.normal += (chain.mT @ normal @ chain).sum(0)

    def step(self, size: float, momentum: float) -> Tensor:
        """The Gauss-Newton step (K,), and begin anew."""
        import torch

        damped = self.normal + torch.diag(1e-6 * self.normal.diagonal() + 1e-300)
        self.last = momentum * self.last - size * torch.linalg.solve(damped, self.gradient)
        self.gradient, self.normal = torch.zeros_like(self.gradient), torch.zeros_like(self.normal)
        return self.last


class AffineUnknown(Unknown):
    """Scale, rotation and shear of the whole scan about its middle: a stage whose axes are not what they say."""

    tangents: ClassVar[frozenset[str]] = frozenset({"positions"})

    momentum: Annotated[Fraction, LIVE] = 0.5
    """How much of the last step is added to the next."""
    limit: Annotated[Fraction, LIVE] = 0.02
    """The largest change in one epoch: 0.02 is two per cent, or 20 mrad."""

    def begin(self, problem: Problem, state: State) -> Any:
        """Sums of four parameters: the rows of the matrix that is added to one."""
        return Sums.of(4, problem.device)

    def take(self, problem: Problem, state: State, memory: Any, found: Unknowns, pace: float) -> None:
        """Gather what the frames say."""
        import torch

        from_middle = (state.position_px - state.position_px.mean(0))[found.index]
        chain = torch.zeros(len(from_middle), 2, 4, dtype=torch.float64, device=from_middle.device)
        chain[:, 0, :2], chain[:, 1, 2:] = from_middle, from_middle
        memory.take(chain, found.gradient[:, :2], found.normal[:, :2, :2])

    def settle(self, problem: Problem, state: State, memory: Any, pace: float) -> str:
        """Move all frames."""
        matrix = memory.step(self.step, self.momentum).clamp(-self.limit, self.limit).reshape(2, 2)
        middle = state.position_px.mean(0)
        from_middle = state.position_px - middle
        state.move_to(state.inside(state.position_px + from_middle @ matrix.mT))
        return ""
