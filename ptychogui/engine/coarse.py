"""The same problem on larger pixels: errors of many pixels become errors of few, and an epoch costs next to nothing.

In the far field the outer part of the patterns is left out; in the near field pixels of the detector are added up. Both
make the object's pixels larger by the same factor on the same field of view.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ptychogui.engine.optics import propagator
from ptychogui.engine.problem import Problem
from ptychogui.engine.start.canvas import MARGIN_PX
from ptychogui.engine.state import State

_SMALLEST = 16
"""The least pixels along a side of a reduced pattern."""


@dataclass
class Level:
    """A problem and its state on pixels `factor` times as large, beside the `fine` ones they came from."""

    factor: int
    fine_problem: Problem
    fine: State
    problem: Problem
    state: State

    def to_coarse(self, position_px: Tensor) -> Tensor:
        """Positions (N, 2) on the fine canvas in pixels of this level."""
        return position_px if self.factor == 1 else position_px / self.factor + MARGIN_PX

    def to_fine(self, position_px: Tensor) -> Tensor:
        """Positions (N, 2) in pixels of this level on the fine canvas."""
        return position_px if self.factor == 1 else (position_px - MARGIN_PX) * self.factor

    def restore(self) -> None:
        """Bring what was found back to the fine state; may be done again and again."""
        from ptychogui.engine.refine.moved import at_distance

        if self.factor == 1:
            return
        fine, found, k = self.fine, self.state, self.factor
        moved = self.problem.geometry.factor_from(self.fine_problem.geometry)
        if abs(moved - 1) > 1e-12:
            at_distance(self.fine_problem, fine, moved)
        offset = (k - 1) / 2 if self.problem.geometry.field == "near" else 0.0
        fine.obj = _with_low_part(fine.obj, found.obj, k, offset, MARGIN_PX * k)
        fine.probe = _with_low_part(fine.probe, found.probe / k, k, offset)
        fine.move_to(fine.inside(self.to_fine(found.position_px)))
        fine.nominal_px = self.to_fine(found.nominal_px)
        inwards = MARGIN_PX * k - offset
        dy, dx = self.fine_problem.geometry.pixel_m
        fine.origin_m = (found.origin_m[0] + inwards * dy, found.origin_m[1] + inwards * dx)
        if found.gain is not None:
            fine.gain = found.gain.clone()
        if found.background is not None:
            near = self.problem.geometry.field == "near"
            fine.background = _with_coarse(fine.background, found.background, fine.window, k, near)


def _fits(problem: Problem, factor: int) -> bool:
    """Whether the frames can be divided, and enough is left of them."""
    ny, nx = problem.amplitudes.shape[-2:]
    whole = all(n % (2 * factor) == 0 and n // factor >= _SMALLEST for n in (ny, nx))
    return factor == 1 or (whole and problem.padding_px % factor == 0)


@contextmanager
def at_level(problem: Problem, state: State, factor: int) -> Iterator[Level]:
    """Work on a level; what was found there is brought back at the end, also where the work is stopped."""
    found = level(problem, state, factor)
    try:
        yield found
    except GeneratorExit:
        found.restore()
        raise
    found.restore()


def level(problem: Problem, state: State, reduction: int) -> Level:
    """The level whose pixels are `reduction` times as large, or as near to it as the frames allow; maybe the same."""
    factor = max(k for k in (2**n for n in range(reduction.bit_length())) if k <= reduction and _fits(problem, k))
    if factor == 1:
        return Level(1, problem, state, problem, state)
    ny, nx = problem.window
    near = problem.geometry.field == "near"
    amplitudes, valid = _reduced_data(problem, factor, near)
    pixel_m, given_m = problem.geometry.detector_pixel_m, problem.geometry.given_pixel_m
    if given_m is None and not problem.geometry.calibrated:
        given_m = problem.geometry.pixel_m
    geometry = replace(
        problem.geometry,
        shape=(amplitudes.shape[-2], amplitudes.shape[-1]),
        detector_pixel_m=(pixel_m[0] * factor, pixel_m[1] * factor) if pixel_m and near else pixel_m,
        given_pixel_m=(given_m[0] * factor, given_m[1] * factor) if given_m else None,
    )
    optics = propagator(geometry, (ny // factor, nx // factor), problem.device, problem.dtype)
    coarse = Problem(
        problem.model,
        optics,
        geometry,
        amplitudes,
        valid,
        problem.padding_px // factor,
        problem.room_px // factor,
        problem.reduction * factor,
    )
    coarse.given = problem.given
    return Level(factor, problem, state, coarse, _reduced_state(coarse, state, factor, near))


def _reduced_data(problem: Problem, factor: int, near: bool) -> tuple[Tensor, Tensor | None]:
    """The amplitudes and the valid pixels of the larger pixels."""
    n, ny, nx = problem.amplitudes.shape
    if not near:
        rows, columns = _low(ny, ny // factor), _low(nx, nx // factor)
        valid = None if problem.valid is None else problem.valid[..., rows, :][..., columns]
        return problem.amplitudes[:, rows][:, :, columns].contiguous(), valid
    blocks = (ny // factor, factor, nx // factor, factor)
    amplitudes = torch.empty(n, blocks[0], blocks[2], dtype=problem.amplitudes.dtype, device=problem.device)
    for into, part in zip(torch.split(amplitudes, 64), torch.split(problem.amplitudes, 64), strict=True):
        into.copy_(part.square().reshape(len(part), *blocks).sum((2, 4)).sqrt_())
    if problem.valid is None:
        return amplitudes, None
    whole = problem.valid.to(amplitudes.dtype).reshape(*problem.valid.shape[:-2], *blocks).mean((-3, -1)) > 0.99
    return amplitudes * whole, whole.to(problem.valid.dtype)


def _reduced_state(problem: Problem, state: State, factor: int, near: bool) -> State:
    offset = (factor - 1) / 2 if near else 0.0
    coarse = copy(state)
    coarse.obj = _low_part(_padded(state.obj, factor, MARGIN_PX * factor), factor, offset)
    coarse.probe = _low_part(state.probe, factor, offset) * factor
    dy, dx = (d / factor for d in problem.geometry.pixel_m)
    inwards = MARGIN_PX * factor - offset
    coarse.origin_m = (state.origin_m[0] - inwards * dy, state.origin_m[1] - inwards * dx)
    coarse.gain = None if state.gain is None else state.gain.clone()
    coarse.background = None if state.background is None else _of_larger_pixels(state.background, factor, near)
    coarse.transfer, coarse.distance = None, torch.ones_like(state.distance)
    coarse.move_to(state.position_px / factor + MARGIN_PX)
    coarse.nominal_px = state.nominal_px / factor + MARGIN_PX
    return coarse


def _of_larger_pixels(counts: Tensor, factor: int, near: bool) -> Tensor:
    """What the larger pixels count of (ny, nx): the sums of blocks in the near field, the inner part in the far one."""
    ny, nx = (n // factor for n in counts.shape)
    if near:
        return counts.reshape(ny, factor, nx, factor).sum((1, 3))
    rows, columns = (_low(n, n // factor).to(counts.device) for n in counts.shape)
    return counts[rows[:, None], columns]


def _with_coarse(fine: Tensor | None, coarse: Tensor, window: tuple[int, int], factor: int, near: bool) -> Tensor:
    """Counts (ny, nx) of which the larger pixels count `coarse`; what these do not see stays as it is in `fine`."""
    out = coarse.new_zeros(window) if fine is None else fine.clone()
    if near:
        change = (coarse - _of_larger_pixels(out, factor, near)) / factor**2
        return (out + change.repeat_interleave(factor, 0).repeat_interleave(factor, 1)).clamp_min_(0)
    rows, columns = (_low(n, n // factor).to(out.device) for n in window)
    out[rows[:, None], columns] = coarse
    return out


def _padded(obj: Tensor, factor: int, margin: int) -> Tensor:
    """The canvas (S, Y, X) with ones around it, its sides multiples of two coarse pixels."""
    shape = [n + 2 * margin + (-n) % (2 * factor) for n in obj.shape[-2:]]
    wide = torch.ones((len(obj), *shape), dtype=obj.dtype, device=obj.device)
    wide[:, margin : margin + obj.shape[-2], margin : margin + obj.shape[-1]] = obj
    return wide


def _low(n: int, few: int) -> Tensor:
    """Where the `few` lowest of n frequencies lie, both in the order of the transform."""
    return torch.cat([torch.arange((few + 1) // 2), torch.arange(n - few // 2, n)])


def _low_part(fine: Tensor, factor: int, offset: float) -> Tensor:
    """The lowest frequencies of (…, ny, nx) on pixels `factor` times as large, sampled at an offset."""
    spectrum = torch.fft.fft2(fine, norm="forward")
    rows, columns = (_low(n, n // factor).to(fine.device) for n in fine.shape[-2:])
    low = spectrum[..., rows[:, None], columns] * _ramp(fine, factor, offset)
    out: Tensor = torch.fft.ifft2(low, norm="forward")
    return out


def _with_low_part(fine: Tensor, coarse: Tensor, factor: int, offset: float, margin: int = 0) -> Tensor:
    """`fine` (…, ny, nx) with the frequencies of `coarse` in the place of its own; that has a margin of fine pixels."""
    wide = _padded(fine, factor, margin) if margin else fine
    spectrum = torch.fft.fft2(wide, norm="forward")
    rows, columns = (_low(n, n // factor).to(fine.device) for n in wide.shape[-2:])
    low = torch.fft.fft2(coarse, norm="forward") * _ramp(wide, factor, offset).conj()
    spectrum[..., rows[:, None], columns] = low
    out: Tensor = torch.fft.ifft2(spectrum, norm="forward")
    return out[..., margin : margin + fine.shape[-2], margin : margin + fine.shape[-1]].contiguous()


def _ramp(fine: Tensor, factor: int, offset: float) -> Tensor:
    """What moves the samples of the larger pixels by `offset` fine pixels."""
    ramps = []
    for n in fine.shape[-2:]:
        frequency = torch.fft.fftfreq(n // factor, factor, dtype=torch.float64, device=fine.device)
        ramps.append(torch.polar(torch.ones_like(frequency), 2 * torch.pi * offset * frequency).to(fine.dtype))
    return ramps[0][:, None] * ramps[1]
