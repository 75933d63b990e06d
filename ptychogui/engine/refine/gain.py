"""How bright each frame is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from ptychogui.engine.refine.unknown import Unknown
from ptychogui.params import LIVE

if TYPE_CHECKING:
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State
    from ptychogui.engine.tangents import Unknowns


class GainUnknown(Unknown):
    """The brightness of every frame: a beam that flickers, or a shutter that is not exact. The mean stays one."""

    tangents: ClassVar[frozenset[str]] = frozenset({"gain"})

    limit: Annotated[float, Field(gt=1), LIVE] = 3.0
    """The largest factor from the mean, up or down; a frame that wants more has lost its beam, and is better left
    out."""

    def begin(self, problem: Problem, state: State) -> Any:
        """All frames alike."""
        import torch

        if state.gain is None:
            state.gain = torch.ones(len(problem), dtype=torch.float64, device=problem.device)

    def take(self, problem: Problem, state: State, memory: Any, found: Unknowns, pace: float) -> None:
        """Change the gains of a batch."""
        import math

        from ptychogui.engine.tangents import GAIN

        assert state.gain is not None
        step = found.gradient[:, GAIN] / found.normal[:, GAIN, GAIN].clamp_min(1e-300)
        moved = state.gain[found.index].log() - (self.step * step).clamp(-0.5, 0.5)
        state.gain[found.index] = moved.clamp(-math.log(self.limit), math.log(self.limit)).exp()

    def settle(self, problem: Problem, state: State, memory: Any, pace: float) -> str:
        """Keep the mean at one; what is common is the probe's power."""
        assert state.gain is not None
        state.gain /= state.gain.mean()
        return ""
