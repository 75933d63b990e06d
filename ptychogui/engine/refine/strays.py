"""Frames that lie so far from where they should that no gradient brings them back: found and set anew."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import replace

import torch
from torch import Tensor

from ptychogui.engine.coarse import Level, level
from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State

_BATCH = 64
_ACROSS = 8
"""Pixels of the coarsest level to either side in which a place is looked for; on finer levels only the next ones."""
_NEXT = 2
_LEVELS = (16, 8, 4, 2, 1)
_MOST = 0.2
"""The part of the frames that may be strays; where more fit badly, it is not their place alone."""
_BETTER = 0.6
"""A new place has to fit at least so much better."""


def reset(problem: Problem, state: State, reach_px: float) -> Tensor:
    """Look for better places within `reach_px` for frames that fit far worse than others; returns those moved (k,)."""
    misfit = misfits(problem, state)
    middle = misfit.median()
    spread = (misfit - middle).abs().median()
    strays = (misfit > middle + torch.maximum(5 * spread, 0.5 * middle)).nonzero()[:, 0]
    strays = strays[misfit[strays].argsort(descending=True)][: max(int(_MOST * len(problem)), 1)]
    if not len(strays):
        return strays
    found = _found_places(_of(problem, strays), _places_of(state, strays), reach_px)
    places = copy(state)
    places.move_to(state.position_px.index_copy(0, strays, found))
    better = misfits(problem, places)[strays] < _BETTER * misfit[strays]
    moved = strays[better]
    state.move_to(state.position_px.index_copy(0, moved, found[better]))
    return moved


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


def _of(problem: Problem, frames: Tensor) -> Problem:
    """The problem of some frames only."""
    valid = problem.valid
    few = valid[frames] if valid is not None and valid.ndim == 3 else valid
    return replace(problem, amplitudes=problem.amplitudes[frames], valid=few)


def _places_of(state: State, frames: Tensor) -> State:
    """The state of some frames only."""
    few = copy(state)
    few.nominal_px = state.nominal_px[frames]
    few.gain = None if state.gain is None else state.gain[frames]
    few.move_to(state.position_px[frames])
    return few


def _found_places(problem: Problem, state: State, reach_px: float) -> Tensor:
    """The places (k, 2) that fit the frames best: all around on large pixels, then the nearest on finer ones."""
    best, first = state.position_px, True
    for factor in _LEVELS:
        if first and factor > 1 and reach_px < factor * _ACROSS / 2:
            continue
        few = level(problem, state, factor)
        if few.factor != factor:
            continue
        step = max(1, math.ceil(reach_px / factor / _ACROSS)) if first else 1
        across = torch.arange(-_ACROSS, _ACROSS + 1) if first else torch.arange(-_NEXT, _NEXT + 1)
        grid = torch.cartesian_prod(across, across).to(best) * step
        few.state.move_to(few.to_coarse(best))
        places = [_best(few, frame, grid) for frame in range(len(problem))]
        best, first = state.inside(few.to_fine(torch.stack(places))), False
    return best


def _best(few: Level, frame: int, grid: Tensor) -> Tensor:
    """Where around its place one frame fits best; `grid` (n, 2) is in pixels of the level."""
    trial = copy(few.state)
    trial.move_to(few.state.inside(few.state.position_px[frame] + grid))
    if trial.gain is not None:
        trial.gain = trial.gain[frame].expand(len(grid))
    every = torch.arange(len(grid), device=grid.device)
    found = [_misfit(few.problem, trial, part, torch.full_like(part, frame)) for part in torch.split(every, _BATCH)]
    return trial.position_px[torch.cat(found).argmin()]
