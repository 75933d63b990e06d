"""The sample does not shine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ptychogui.params import LIVE, NonNegative, Params, Positive

if TYPE_CHECKING:
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State


class ObjectAmplitude(Params):
    """Clip the object's amplitude to a range, keeping its phase. Useful at low counts; needs a probe power that is
    right, else it flattens true contrast."""

    enabled: Annotated[bool, LIVE] = False
    """Whether it is imposed after every epoch. Off, nothing but the data says how it has to be."""
    minimum: Annotated[NonNegative, LIVE] = 0.0
    """The smallest amplitude that a pixel of the object may have; 0 lets a sample be black."""
    maximum: Annotated[Positive, LIVE] = 1.2
    """The largest amplitude that a pixel of the object may have; a sample that only absorbs has at most 1."""

    def apply(self, problem: Problem, state: State) -> None:
        """Clip."""
        amplitude = state.obj.abs()
        state.obj = state.obj * (amplitude.clamp(self.minimum, self.maximum) / amplitude.clamp_min(1e-12))
