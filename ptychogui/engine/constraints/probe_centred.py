"""Far-field patterns do not say where in its window the probe lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ptychogui.params import LIVE, Params

if TYPE_CHECKING:
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State


class ProbeCentred(Params):
    """Move the probe's centre of mass to the middle of its window by whole pixels, and the object with it. Only for
    the far field: in the near field the frames say where the probe lies."""

    enabled: Annotated[bool, LIVE] = True
    """Whether it is imposed after every epoch. Off, nothing but the data says how it has to be."""

    def apply(self, problem: Problem, state: State) -> None:
        """Roll both by the same whole number of pixels."""
        import torch

        if problem.geometry.field != "far":
            return
        power = (state.probe.real.square() + state.probe.imag.square()).sum(0)
        shift = []
        for axis, n in enumerate(power.shape):
            # the first harmonic's phase is a centre of mass that a wrapped-around tail does not pull
            angle = torch.arange(n, device=power.device) * (2 * torch.pi / n)
            profile = power.sum(1 - axis)
            centre = torch.atan2((profile * angle.sin()).sum(), (profile * angle.cos()).sum()) * n / (2 * torch.pi)
            shift.append(round(float(torch.remainder(n // 2 - centre + n / 2, n) - n / 2)))
        if any(shift):
            state.probe = torch.roll(state.probe, shift, (-2, -1))
            state.obj = torch.roll(state.obj, shift, (-2, -1))
