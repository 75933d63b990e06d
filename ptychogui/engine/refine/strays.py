"""Frames that lie so far from where they should that no gradient brings them back: found and set anew."""

from __future__ import annotations

import math
from copy import copy

import torch
from torch import Tensor

from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State

_BATCH = 64
_ACROSS = 17
"""Places that are tried along each axis."""
_MOST = 0.2
"""The part of the frames that may be strays; where more fit badly, it is not their place alone."""
_BETTER = 0.8
"""A new place has to fit at least so much better."""


def reset(problem: Problem, state: State, reach_px: float) -> Tensor:
    """Look for better places within `reach_px` for frames that fit far worse than others; returns those moved (k,)."""
    misfit = misfits(problem, state)
    middle = misfit.median()
    spread = (misfit - middle).abs().median()
    strays = (misfit > middle + torch.maximum(5 * spread, 0.5 * middle)).nonzero()[:, 0]
    most = max(int(_MOST * len(problem)), 1)
    strays = strays[misfit[strays].argsort(descending=True)][:most]
    moved = [frame for frame in strays.tolist() if _reset(problem, state, frame, reach_px, float(misfit[frame]))]
    if moved:
        state.move_to(state.position_px)
    return torch.tensor(moved, dtype=torch.long, device=problem.device)


def misfits(problem: Problem, state: State) -> Tensor:
    """The misfit Σ(√I − √m)² / Σm of every frame (N,)."""
    every = torch.arange(len(problem), device=problem.device)
    return torch.cat([_misfit(problem, state, part, part) for part in torch.split(every, _BATCH)])


def _misfit(problem: Problem, state: State, places: Tensor, frames: Tensor) -> Tensor:
    """The misfit of the frames (b,) at the places of others (b,)."""
    with torch.no_grad():
        _, waves = problem.waves(state, places)
        measured, weight = problem.amplitude(frames), problem.weight(frames)
        error = problem.counts_of(state, waves, places).sqrt() - measured
        error = error if weight is None else error * weight
        return error.square().sum((1, 2)) / measured.square().sum((1, 2)).clamp_min(1e-12)


def _reset(problem: Problem, state: State, frame: int, reach_px: float, misfit: float) -> bool:
    """Try a grid of places for one frame, then a finer one about the best; take it where it fits much better."""
    here = state.position_px[frame].clone()
    best, least = here, misfit
    step = max(1, math.ceil(2 * reach_px / (_ACROSS - 1)))
    across = torch.arange(-(_ACROSS // 2), _ACROSS // 2 + 1, device=here.device, dtype=torch.float64)
    while step:
        grid = torch.cartesian_prod(across, across) * step
        places = state.inside(best + grid[grid.abs().amax(1) <= max(reach_px, 1)])
        found = _tried(problem, state, frame, places)
        if float(found.min()) < least:
            best, least = places[found.argmin()], float(found.min())
        step, across = step // 2, torch.arange(-1, 2, device=here.device, dtype=torch.float64)
    if least > _BETTER * misfit:
        return False
    state.corner[frame] = torch.round(best).long()
    state.shift[frame] = best - state.corner[frame]
    return True


def _tried(problem: Problem, state: State, frame: int, places: Tensor) -> Tensor:
    """The misfit of one frame at many places (k, 2)."""
    trial = copy(state)
    trial.move_to(places)
    if state.gain is not None:
        trial.gain = state.gain[frame].expand(len(places))
    every = torch.arange(len(places), device=places.device)
    frames = torch.full_like(every, frame)
    parts = zip(torch.split(every, _BATCH), torch.split(frames, _BATCH), strict=True)
    return torch.cat([_misfit(problem, trial, place, number) for place, number in parts])
