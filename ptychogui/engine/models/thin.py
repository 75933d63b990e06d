"""A thin sample: the wave behind it is the product of probe and object, one for each incoherent mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ptychogui.params import Index, Params

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.optics import Ramps
    from ptychogui.engine.state import State


@dataclass
class Exit:
    """The waves of a batch of b frames: probes (b or 1, M, …), views (b, …) of the object, exit waves (b, M, …)."""

    index: Tensor
    ramps: Ramps | None
    probes: Tensor
    views: Tensor
    waves: Tensor


class Thin(Params):
    """Thin sample: exit wave = probe × object; partial coherence by several probe modes."""

    kind: Literal["thin"] = "thin"
    padding_px: Index = 0
    """Near field: pixels around the frame in which the wave is computed but not measured. 0 is circular; where the
    beam fills the frame, 10 to 40 % of its side keep opposite edges apart, at the cost of larger arrays."""

    def exit(self, state: State, index: Tensor) -> Exit:
        """The exit waves ψ_j(r) = P(r) · O(r + r_j) of the frames `index` (b,); differentiable."""
        import torch

        from ptychogui.engine.views import views

        seen = views(state.obj[0], state.corner[index], state.window)
        if state.whole_pixel:
            probes, ramps = state.probe[None], None
        else:
            ramps = state.ramps[0][index], state.ramps[1][index]
            moved = torch.fft.fft2(state.probe) * ramps[0][:, None]
            probes = torch.fft.ifft2(moved * ramps[1][:, None])
        return Exit(index, ramps, probes, seen, probes * seen[:, None])
