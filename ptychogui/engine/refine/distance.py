"""How far the detector is from the sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from ptychogui.engine.refine.affine import Sums
from ptychogui.engine.refine.unknown import Unknown
from ptychogui.params import ESSENTIAL, LIVE, Fraction

if TYPE_CHECKING:
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State
    from ptychogui.engine.tangents import Unknowns


class DistanceUnknown(Unknown):
    """The distance from sample to detector; in a cone beam that from focus to sample, whose magnification goes along.

    Guzzi et al., Condens. Matter 6, 36 (2021). The probe is held at the detector, where it is seen, and moves at the
    sample. In the far field the distance is the scale of the scan on the object's pixels.
    """

    tangents: ClassVar[frozenset[str]] = frozenset({"distance"})

    enabled: Annotated[bool, ESSENTIAL, LIVE] = False
    """Whether the distance is refined."""
    momentum: Annotated[Fraction, LIVE] = 0.7
    """How much of the last step is added to the next."""
    limit: Annotated[Fraction, LIVE] = 0.03
    """The largest relative change in one epoch."""

    def begin(self, problem: Problem, state: State) -> Any:
        """Sums of one parameter."""
        return Sums.of(1, problem.device)

    def take(self, problem: Problem, state: State, memory: Any, found: Unknowns, pace: float) -> None:
        """Gather what the frames say; where the pixel follows the distance, the scan is stretched too."""
        import torch

        from ptychogui.engine.tangents import COLUMNS, DISTANCE, XX, YY

        chain = torch.zeros(COLUMNS, 1, dtype=torch.float64, device=found.gradient.device)
        chain[DISTANCE], chain[[YY, XX]] = 1.0, -float(problem.geometry.pixel_power)
        memory.take(found.gradient @ chain, chain.mT @ found.normal @ chain)

    def settle(self, problem: Problem, state: State, memory: Any, pace: float) -> str:
        """Move the detector."""
        from ptychogui.engine.refine.moved import at_distance

        step = float(memory.step(self.step, self.momentum).clamp(-self.limit, self.limit))
        at_distance(problem, state, 1 + step)
        return ""
