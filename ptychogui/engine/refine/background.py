"""What the detector counts beside the diffracted light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from ptychogui.engine.refine.unknown import Unknown
from ptychogui.params import LIVE

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State
    from ptychogui.engine.tangents import Unknowns


_UNCERTAINTIES = 1.0
"""By how much of its own uncertainty a background is made smaller."""


@dataclass
class _Sums:
    gradient: Tensor
    weight: Tensor


class BackgroundUnknown(Unknown):
    """Counts that every frame has in a pixel: stray light, dark current, air scatter; never less than none."""

    tangents: ClassVar[frozenset[str]] = frozenset({"background"})

    enabled: Annotated[bool, LIVE] = True
    """Whether a background is refined; where the frames have none, it stays at none."""

    def begin(self, problem: Problem, state: State) -> Any:
        """None at first."""
        import torch

        if state.background is None:
            state.background = torch.zeros(problem.window, dtype=problem.amplitudes.dtype, device=problem.device)
        return _Sums(torch.zeros_like(state.background), torch.zeros_like(state.background))

    def take(self, problem: Problem, state: State, memory: Any, found: Unknowns, pace: float) -> None:
        """Gather what the frames say; one alone says too little of it."""
        assert found.background is not None
        memory.gradient += found.background
        memory.weight += found.background_weight

    def settle(self, problem: Problem, state: State, memory: Any, pace: float) -> str:
        """One Gauss-Newton step for every pixel."""
        assert state.background is not None
        floor = 1e-6 * memory.weight.max() + 1e-30
        weight = memory.weight.clamp_min(floor)
        # twice the weight is the information of counts: less than its own uncertainty is no background
        shrunk = self.step * (memory.gradient / weight + _UNCERTAINTIES * (2 * weight).rsqrt())
        state.background = (state.background - shrunk).clamp_min(0)
        memory.gradient.zero_()
        memory.weight.zero_()
        return ""
