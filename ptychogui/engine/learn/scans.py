"""Scans as a network sees them: normalised amplitudes on a small grid, one probe and one layout for all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ptychogui.engine.views import placed, views

_LIT = 0.02
"""The part of the largest illumination that divides where there is less."""
_DARK = 1e-4
_WEAK = 0.05
"""The part of the mean amplitude below which a wave tells little of its phase, so that it is not scaled up further."""
_AT_ONCE = 256
"""Frames that are propagated at once."""


@dataclass(frozen=True)
class Scans:
    """B scans of N frames in the same places: amplitudes (B, N, n, n), zero frequency in the corner.

    The probe (n, n), or that of every frame (N, n, n), has a largest amplitude of 1 and the amplitudes are those that
    it makes; windows begin at `corner` (N, 2) of a canvas of `shape` (Y, X). `valid` (n, n) or (N, n, n) is 0 where a
    pixel is not measured.
    """

    amplitudes: Tensor
    probe: Tensor
    corner: Tensor
    shape: tuple[int, int]
    valid: Tensor | None = None

    @cached_property
    def light(self) -> Tensor:
        """|P|² (n, n) or (N, n, n)."""
        return self.probe.real.square() + self.probe.imag.square()

    @cached_property
    def illumination(self) -> Tensor:
        """Σ |P|² (Y, X) over all frames."""
        patches = self.light.expand(len(self.corner), -1, -1)
        return placed(patches.contiguous(), self.corner, self.shape)

    def average(self, patches: Tensor) -> Tensor:
        """Patches (B, N, n, n) as one picture (B, Y, X), weighted by illumination."""
        total = self._placed(patches * self.light, slice(None))
        return total / (self.illumination + _DARK * self.illumination.max())

    def seen(self, obj: Tensor, part: slice = slice(None)) -> Tensor:
        """The windows (B, N, n, n) of pictures (B, Y, X)."""
        corner = self._tall(len(obj), part)
        flat = views(obj.reshape(-1, self.shape[1]), corner, self._window)
        return flat.reshape(len(obj), -1, *self._window)

    def waves(self, obj: Tensor, part: slice = slice(None)) -> Tensor:
        """The waves (B, N, n, n) at the detector that pictures (B, Y, X) make."""
        out: Tensor = torch.fft.fft2(_of(self.probe, part) * self.seen(obj, part), norm="ortho")
        return out

    def step(self, obj: Tensor) -> Tensor:
        """What the patterns say against pictures (B, Y, X): the step of an ePIE with all frames, Σ P*χ / Σ|P|²."""
        weak = _WEAK * self._typical
        total = torch.zeros_like(obj)
        for part in self._parts():
            waves = self.waves(obj, part)
            have = waves.abs()
            change = waves * ((self.amplitudes[:, part] - have) / (have + weak))
            if self.valid is not None:
                change = change * _of(self.valid, part)
            back = _of(self.probe, part).conj() * torch.fft.ifft2(change, norm="ortho")
            total = total + self._placed(back, part)
        return total / (self.illumination + _LIT * self.illumination.max())

    def misfit(self, obj: Tensor) -> Tensor:
        """The mean of (|F[P·O]| − A)² over all pixels (Guan & Tsai, Eq. 6), as a part of the mean of A²."""
        error = (self.waves(obj).abs() - self.amplitudes).square()
        return error.mean() / self.amplitudes.square().mean()

    @cached_property
    def _typical(self) -> Tensor:
        """The root of the mean A² (B, 1, 1, 1) of each scan."""
        return self.amplitudes.square().mean((1, 2, 3), keepdim=True).sqrt()

    @property
    def _window(self) -> tuple[int, int]:
        return self.probe.shape[-2], self.probe.shape[-1]

    def _parts(self) -> Iterator[slice]:
        for begin in range(0, len(self.corner), _AT_ONCE):
            yield slice(begin, begin + _AT_ONCE)

    def _tall(self, count: int, part: slice) -> Tensor:
        """Corners (count·N, 2) on all canvases one under the other."""
        below = torch.arange(count, device=self.corner.device)[:, None, None] * self.shape[0]
        first = torch.tensor([1, 0], device=self.corner.device)
        return (self.corner[part][None] + below * first).reshape(-1, 2)

    def _placed(self, patches: Tensor, part: slice) -> Tensor:
        count, frames = patches.shape[:2]
        flat = patches.reshape(count * frames, *self._window)
        tall = placed(flat, self._tall(count, part), (count * self.shape[0], self.shape[1]))
        return tall.reshape(count, *self.shape)


def _of(values: Tensor, part: slice) -> Tensor:
    """Values that all frames share (n, n), or those of some of them (N, n, n)."""
    return values[part] if values.ndim == 3 else values
