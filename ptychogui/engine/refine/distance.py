"""How far the detector is from the sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from ptychogui.engine.refine.affine import Sums
from ptychogui.engine.refine.unknown import Unknown
from ptychogui.params import ESSENTIAL, LIVE, Fraction

if TYPE_CHECKING:
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State
    from ptychogui.engine.tangents import Unknowns

_PATIENCE = 10
"""Epochs in a row at the end of its range after which the distance counts as run away."""


@dataclass
class Course:
    """The sums of an epoch, and how many epochs in a row the distance would have left its range."""

    sums: Sums
    at_limit: int = 0


class DistanceUnknown(Unknown):
    """The distance from sample to detector; in a cone beam that from focus to sample, whose magnification goes along.

    Guzzi et al., Condens. Matter 6, 36 (2021). The probe is held at the detector, where it is seen, and moves at the
    sample. In the far field the distance is the scale of the scan on the object's pixels.
    """

    tangents: ClassVar[frozenset[str]] = frozenset({"distance"})

    enabled: Annotated[bool, ESSENTIAL, LIVE] = False
    """Whether the distance is refined. Off, a wrong one blurs the near field and scales the far field's picture."""
    momentum: Annotated[Fraction, LIVE] = 0.7
    """How much of the last step is added to the next: nearer to 1 is quicker where errors are large, and swings
    longer."""
    largest: Annotated[Fraction, LIVE] = 0.03
    """The largest relative change in one epoch: 0.03 is three per cent. Larger finds large errors sooner, and may
    run away."""
    limit: Annotated[float, Field(gt=0, lt=1), LIVE] = 0.5
    """The largest relative change in all; a distance that stays there has run away and is given up."""

    def begin(self, problem: Problem, state: State) -> Any:
        """Sums of one parameter."""
        return Course(Sums.of(1, problem.device))

    def take(self, problem: Problem, state: State, memory: Any, found: Unknowns, pace: float) -> None:
        """Gather what the frames say; where the pixel follows the distance, the scan is stretched too."""
        import torch

        from ptychogui.engine.tangents import COLUMNS, DISTANCE, XX, YY

        chain = torch.zeros(COLUMNS, 1, dtype=torch.float64, device=found.gradient.device)
        chain[DISTANCE], chain[[YY, XX]] = 1.0, -float(problem.geometry.pixel_power)
        memory.sums.take(found.gradient @ chain, chain.mT @ found.normal @ chain)

    def settle(self, problem: Problem, state: State, memory: Any, pace: float) -> str:
        """Move the detector within its range; give up where it stays at the end of that."""
        from ptychogui.engine.refine.moved import at_distance

        step = float(memory.sums.step(self.step, self.momentum).clamp(-self.largest, self.largest))
        now = problem.geometry.factor_from(problem.given)
        ends = [problem.given.factor_for(1 + change) for change in (-self.limit, self.limit)]
        wanted = now * (1 + step)
        factor = min(max(wanted, min(ends)), max(ends))
        memory.at_limit = 0 if factor == wanted else memory.at_limit + 1
        memory.sums.last.fill_(factor / now - 1)
        if memory.at_limit < _PATIENCE:
            at_distance(problem, state, factor / now)
            return ""
        at_distance(problem, state, 1 / now)
        return (
            f"The distance ran away: it wanted to change by more than {self.limit:.0%}. It is what the scan says "
            "again, and is not refined any more."
        )
