"""All that a solver may change."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ptychogui.engine.views import shift_ramps

_RIM = 3
"""Pixels around every window that the object's slope needs."""


@dataclass
class State:
    """Object (S, Y, X) on a canvas with margin, probe modes (M, ny, nx), and the place of every frame.

    A frame's window begins at pixel `corner` (N, 2) of the canvas plus the sub-pixel `shift` (N, 2), |shift| ≤ ½;
    `whole_pixel` says that every shift is nothing, which saves a third of the transforms. Pixel (0, 0) of the canvas
    lies at `origin_m` (y, x) of the scan's coordinates.
    """

    obj: Tensor
    probe: Tensor
    corner: Tensor
    shift: Tensor
    whole_pixel: bool
    origin_m: tuple[float, float]
    distance: Tensor = field(default_factory=lambda: torch.ones((), dtype=torch.float64))
    """The distance from sample to detector as a part of what the geometry says (0-d, float64)."""
    gain: Tensor | None = None
    """How much brighter each frame (N,) is than the probe's power says, where that is an unknown."""
    background: Tensor | None = None
    """Counts (ny, nx) that every frame has beside the diffracted ones, where they are an unknown."""
    unknowns: frozenset[str] = frozenset()
    """Those beside object and probe that are refined now: positions, distance, gain, background."""
    transfer: Tensor | None = None
    """The near field's transfer function (ny, nx) at `distance`; None where that is what the geometry says."""
    nominal_px: Tensor = field(init=False)
    """Where the windows (N, 2) would begin if every frame lay where the scan says, stretched as that was refined."""
    ramps: tuple[Tensor, Tensor] = field(init=False)
    """The separable Fourier ramps (N, ny, 1) and (N, 1, nx) that make the shifts."""

    @classmethod
    def at(cls, obj: Tensor, probe: Tensor, position_px: Tensor, origin_m: tuple[float, float]) -> State:
        """A state whose windows begin at `position_px` (N, 2) float64 on the canvas."""
        state = cls(obj, probe, position_px.long(), position_px, whole_pixel=False, origin_m=origin_m)
        state.nominal_px = position_px.clone()
        state.move_to(position_px)
        return state

    @property
    def window(self) -> tuple[int, int]:
        """The shape (ny, nx) of a view."""
        return self.probe.shape[-2], self.probe.shape[-1]

    @property
    def position_px(self) -> Tensor:
        """Where the window of every frame begins on the canvas, (N, 2) float64."""
        return self.corner + self.shift

    def inside(self, position_px: Tensor) -> Tensor:
        """Positions (b, 2) brought to where their windows, and a rim of two pixels, lie on the canvas."""
        room = torch.tensor(self.obj.shape[-2:], device=position_px.device) - torch.tensor(self.window) - _RIM
        return torch.minimum(position_px.clamp_min(_RIM), room.to(position_px))

    def with_unknowns(self, obj: Tensor, probe: Tensor) -> State:
        """The same positions with other object and probe."""
        other = copy(self)
        other.obj, other.probe = obj, probe
        return other

    def move(self, index: Tensor, by_px: Tensor) -> None:
        """Move the frames `index` (b,) by (b, 2) pixels; their corners stay until `move_to`."""
        self.shift[index] += by_px
        self.whole_pixel = False
        for ramps, moved in zip(self.ramps, shift_ramps(self.shift[index], self.window, self.probe.dtype)):
            ramps[index] = moved

    def move_to(self, position_px: Tensor) -> None:
        """Give every frame the position (N, 2) on the canvas: nearest whole pixel and a rest."""
        self.corner = torch.round(position_px).long()
        self.shift = position_px - self.corner
        self.whole_pixel = bool((self.shift.abs() < 1e-3).all())
        self.ramps = shift_ramps(self.shift, self.window, self.probe.dtype)
