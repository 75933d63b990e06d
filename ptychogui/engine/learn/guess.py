"""A network's picture of a scan, on the canvas of a state."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ptychogui.engine.learn.experiment import cut, experiment, refuse_near, scales
from ptychogui.engine.learn.fit import Fit, doubts, too_small
from ptychogui.engine.learn.scans import Scans
from ptychogui.engine.learn.weights import Weights
from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State
from ptychogui.engine.views import shift_ramps
from ptychogui.params import InputError

_LIT = 0.05
"""Where less than this part of the median light falls, the picture has the mean of what is lit."""
_SLACK = 2
"""Free pixels around the windows."""
_NO_SHIFT = 0.01
"""Shifts, in the network's pixels, that need not be made."""


def refuse_size(problem: Problem, weights: Weights) -> None:
    """Raise `InputError` where patterns of this field or size cannot be given to a network, whatever the probe."""
    refuse_near(problem)
    if (sentence := too_small(problem.window, weights.card.network.pixels)) is not None:
        raise InputError(sentence)


def checked(problem: Problem, state: State, weights: Weights, *, any_probe: bool = False) -> tuple[str, ...]:
    """What in a scan is not quite what the network was trained for, in sentences.

    Raises `InputError` where the network cannot be given these patterns, or, without `any_probe`, where it was trained
    for another probe.
    """
    given = experiment(problem, state, weights.card.network.pixels)
    found = tuple(doubts(Fit.of(weights, given, problem.window), any_probe=any_probe))
    for doubt in found:
        if doubt.fatal:
            raise InputError(doubt.text)
    return tuple(doubt.text for doubt in found)


def picture(problem: Problem, state: State, weights: Weights) -> Tensor:
    """The object (Y, X) that a network sees in the patterns, on the canvas of `state`, for its probe's power.

    `checked` says whether the network may be given them. Raises `InputError` for a near field and an empty probe.
    """
    network = weights.network(problem.device)
    pixels = weights.card.network.pixels
    given = experiment(problem, state, pixels)
    corner, first, shift = _on_pixels(torch.from_numpy(given.positions_px).to(problem.device))
    ny, nx = (int(value) + pixels + _SLACK for value in corner.max(0).values)
    probe = given.probe.to(problem.device)
    scale = (probe.abs().square().sum() / given.counts).sqrt()
    valid = None if problem.valid is None else cut(problem.valid.float(), pixels)
    amplitudes = cut(problem.amplitudes, pixels).float()[None] * scale
    scans = Scans(amplitudes, _moved(probe, shift), corner, (ny, nx), valid)
    with torch.no_grad():
        seen = network(scans)[-1][0]
    return _on_canvas(_lit_only(seen, scans), state, first, scales(state, pixels)).to(problem.dtype)


def _on_pixels(position: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Positions (N, 2) as whole pixels from `first` (2,), which lies so that they are right on the mean, and what each
    still has to be shifted."""
    first = position.min(0).values - _SLACK
    corner = (position - first).round()
    first = first + (position - first - corner).mean(0)
    return corner.long(), first, position - first - corner


def _moved(probe: Tensor, shift: Tensor) -> Tensor:
    """The probe (n, n) of every frame (N, n, n) in a window at a whole pixel; as it is, where no shift is needed."""
    if float(shift.abs().max()) < _NO_SHIFT:
        return probe
    n = probe.shape[-1]
    rows, columns = shift_ramps(shift, (n, n), probe.dtype)
    out: Tensor = torch.fft.ifft2(torch.fft.fft2(probe) * rows * columns)
    return out


def _lit_only(seen: Tensor, scans: Scans) -> Tensor:
    """The picture, with the mean of its lit part where no light falls."""
    light = scans.illumination
    dark = light < _LIT * light[light > light.max() * 1e-3].median()
    mean = (seen * light).sum() / light.sum()
    return torch.where(dark, mean, seen)


def _on_canvas(seen: Tensor, state: State, first: Tensor, scale: tuple[float, float]) -> Tensor:
    """A picture (Y, X) of larger pixels, the first of which is `first`, on the canvas; its rim goes on around it."""
    axes = []
    for axis, size in enumerate(state.obj.shape[-2:]):
        place = torch.arange(size, device=seen.device, dtype=torch.float64) / scale[axis] - first[axis]
        axes.append((2 * place / (seen.shape[axis] - 1) - 1).float())
    grid = torch.stack(torch.meshgrid(axes[1], axes[0], indexing="xy"), -1)[None]
    parts = torch.stack([seen.real, seen.imag])[None]
    out = functional.grid_sample(parts, grid, mode="bicubic", padding_mode="border", align_corners=True)[0]
    return torch.complex(out[0], out[1])
