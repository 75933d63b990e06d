"""Where counts are few, the finest detail of the object is noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ptychogui.params import LIVE, NonNegative, Params

if TYPE_CHECKING:
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State

_WIDTH_PX = 0.25


class ObjectSmooth(Params):
    """Blur the object a little after each epoch. What the frames tell comes back in the next one, what is only noise
    does not add up. Useful at low counts; with many, it costs detail."""

    enabled: Annotated[bool, LIVE] = True
    """Whether it is imposed after every epoch. Off, nothing but the data says how it has to be."""
    width_px: Annotated[NonNegative | None, LIVE] = None
    """The standard deviation of the blur in pixels. Unset: 0.25 where the frames hold whole counts and fewer than a
    hundred for each pixel of the object, else 0."""

    def apply(self, problem: Problem, state: State) -> None:
        """Multiply the object's transform by a Gaussian."""
        import torch

        width_px = self.width_px
        if width_px is None:
            width_px = _WIDTH_PX if problem.few_counts(state.obj) else 0.0
        if not width_px:
            return
        falls = []
        for n in state.obj.shape[-2:]:
            frequency = torch.fft.fftfreq(n, dtype=state.obj.real.dtype, device=state.obj.device)
            falls.append(torch.exp(-2 * (torch.pi * width_px * frequency).square()))
        state.obj = torch.fft.ifft2(torch.fft.fft2(state.obj) * falls[0][:, None] * falls[1])
