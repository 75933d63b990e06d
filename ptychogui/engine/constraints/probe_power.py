"""The scale that object and probe share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ptychogui.params import LIVE, Params, Positive

if TYPE_CHECKING:
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State


class ProbePower(Params):
    """Scale the probe to a fixed power, and the object inversely: no exit wave changes, but the object's scale is
    defined. Without it, the two may drift apart."""

    enabled: Annotated[bool, LIVE] = True
    """Whether it is imposed after every epoch. Off, nothing but the data says how it has to be."""
    counts: Annotated[Positive | None, LIVE] = None
    """Counts of a frame without a sample; unset: the mean of the scan's frames, which makes the sample's mean
    transmission one."""

    def apply(self, problem: Problem, state: State) -> None:
        """Rescale both."""
        target = self.counts or problem.mean_counts
        scale = (target / problem.measured_power(state.probe)).sqrt()
        state.probe = state.probe * scale
        state.obj = state.obj / scale
