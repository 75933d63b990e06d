"""Pixels that no solver sees: their misfit tells when a run begins to fit the noise of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from ptychogui.engine.losses import Loss
    from ptychogui.engine.problem import Problem


class HeldOut:
    """A part of the pixels of every frame, the same number in each, at places that differ from frame to frame.

    A frame's places are those of one random set, moved along by a random number: no mask of the size of the frames is
    kept. Each thread writes the misfits of its own frames.
    """

    def __init__(self, problem: Problem, part: float, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self._shape, self._pixels = problem.window, problem.window[0] * problem.window[1]
        count = max(1, round(part * self._pixels))
        self._places = torch.randperm(self._pixels, generator=generator)[:count].to(problem.device)
        self._moved = torch.randint(self._pixels, (len(problem), 1), generator=generator).to(problem.device)
        self._misfit = torch.full((len(problem),), torch.nan, dtype=torch.float64, device=problem.device)

    def places(self, index: Tensor) -> Tensor:
        """The held-out pixels (b, K) of the frames `index` (b,), counted along the rows of the window."""
        return (self._places + self._moved[index]) % self._pixels

    def hidden(self, valid: Tensor, index: Tensor) -> Tensor:
        """A weight (b, ny, nx) that is `valid`, of any shape that expands to it, but zero at the held-out pixels."""
        weight = valid.expand(len(index), *self._shape).clone(memory_format=torch.contiguous_format)
        weight.view(len(index), -1).scatter_(1, self.places(index), 0)
        return weight

    def note(self, problem: Problem, index: Tensor, counts: Tensor, loss: Loss) -> None:
        """Take note of what a state says of some frames: `counts` (b, ny, nx)."""
        places = self.places(index)
        valid = problem.valid_pixels(index)
        if valid is not None:
            valid = valid.expand(counts.shape).reshape(len(index), -1).gather(1, places)
        said = counts.detach().reshape(len(index), -1).gather(1, places)
        measured = problem.amplitude(index).reshape(len(index), -1).gather(1, places)
        self._misfit[index] = loss.value(said, measured, valid).double() / len(index)

    def misfit(self) -> float:
        """The loss over the held-out pixels, each frame's as it was last seen; not a number until all were."""
        return float(self._misfit.sum())
