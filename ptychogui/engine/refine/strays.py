"""Frames that lie so far from where they should that no gradient brings them back: found and set anew."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import replace

import torch
from torch import Tensor

from ptychogui.engine.coarse import Level, level
from ptychogui.engine.losses import over_modes, power
from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State
from ptychogui.engine.views import place, views

_BATCH = 64
_ACROSS = 8
"""Pixels of the coarsest level to either side in which a place is looked for; on finer levels only the next ones."""
_NEXT = 2
_LEVELS = (16, 8, 4, 2, 1)
_MOST = 0.2
"""The part of the frames that may be strays; where more fit badly, it is not their place alone."""
_BETTER = 0.85
"""A new place has to fit at least so much better."""
_REFITS = 4
"""Steps in which a frame may fit what it alone lights, at each place anew: few, for many fit noise and wrong places."""
_LIT = 0.1
"""The part of the probe's peak that others have to bring for the object to count as half known."""
_KNOWN = 0.5
"""A new place shows at least so much of what the others know, as a part of the place that shows most of it."""


def reset(problem: Problem, state: State, reach_px: float) -> Tensor:
    """Look for better places within `reach_px` for frames that fit far worse than others; returns those moved (k,).

    A place is judged on the object of the other frames: one that lies wrong at the rim of the scan has made an object
    of its own there, on which it fits better than on the one where it belongs.
    """
    misfit = misfits(problem, state)
    middle = misfit.median()
    spread = (misfit - middle).abs().median()
    strays = (misfit > middle + torch.maximum(5 * spread, 0.5 * middle)).nonzero()[:, 0]
    strays = strays[misfit[strays].argsort(descending=True)][: max(int(_MOST * len(problem)), 1)]
    if not len(strays):
        return strays
    found, better = _found_places(problem, state, strays, reach_px)
    moved = strays[better]
    state.move_to(state.position_px.index_copy(0, moved, found[better]))
    return moved


def misfits(problem: Problem, state: State) -> Tensor:
    """The misfit Σ(√I − √m)² / Σm of every frame (N,)."""
    found = []
    with torch.no_grad():
        for frames in torch.split(torch.arange(len(problem), device=problem.device), _BATCH):
            _, waves = problem.waves(state, frames)
            error = _error(problem, state, waves, frames, frames)
            found.append(_share(error, problem.amplitude(frames)))
    return torch.cat(found)


def _error(problem: Problem, state: State, waves: Tensor, places: Tensor, frames: Tensor) -> Tensor:
    """√I − √m (b, ny, nx) of frames (b,) with the waves at the places of others (b,)."""
    error = problem.counts_of(state, waves, places).sqrt() - problem.amplitude(frames)
    weight = problem.weight(frames)
    return error if weight is None else error * weight


def _share(error: Tensor, measured: Tensor) -> Tensor:
    return error.square().sum((1, 2)) / measured.square().sum((1, 2)).clamp_min(1e-12)


def _found_places(problem: Problem, state: State, strays: Tensor, reach_px: float) -> tuple[Tensor, Tensor]:
    """The places (k, 2) that fit the strays best, and whether each is better than the one it has.

    They are looked for all around on large pixels, then nearby on finer ones.
    """
    best, first = state.position_px[strays], True
    better = torch.zeros(len(strays), dtype=torch.bool, device=best.device)
    few = _of(problem, strays)
    for factor in _LEVELS:
        if first and factor > 1 and reach_px < factor * _ACROSS / 2:
            continue
        at = level(few, state, factor)
        if at.factor != factor:
            continue
        step = max(1, math.ceil(reach_px / factor / _ACROSS)) if first else 1
        across = torch.arange(-_ACROSS, _ACROSS + 1) if first else torch.arange(-_NEXT, _NEXT + 1)
        grid = torch.cartesian_prod(across, across).to(best) * step
        light = _light(at.state)
        for k, stray in enumerate(strays.tolist()):
            around = at.to_coarse(best[k]) + grid
            now = at.state.position_px[stray]
            misfit, known = _misfit_alone(at, light, k, stray, torch.cat([now[None], around]))
            shown = torch.where(known[1:] >= _KNOWN * known.max(), misfit[1:], math.inf)
            best[k] = state.inside(at.to_fine(at.state.inside(around[shown.argmin()])))
            better[k] = shown.min() < _BETTER * misfit[0]
        first = False
    return best, better


def _of(problem: Problem, frames: Tensor) -> Problem:
    """The problem of some frames only."""
    valid = problem.valid
    few = valid[frames] if valid is not None and valid.ndim == 3 else valid
    return replace(problem, amplitudes=problem.amplitudes[frames], valid=few)


def _light(state: State) -> Tensor:
    """Σ |P|² of all frames on the canvas (Y, X)."""
    lit = power(state.probe).sum(0)
    return place(lit.expand(len(state.corner), -1, -1), state.corner, (state.obj.shape[-2], state.obj.shape[-1]))


def _misfit_alone(at: Level, light: Tensor, number: int, stray: int, places: Tensor) -> tuple[Tensor, Tensor]:
    """The misfit (n,) of a stray at places (n, 2) on the object of the others, and how much of that it sees (n,).

    `number` is its place in the problem of the level, `stray` that in the state.
    """
    lit = power(at.state.probe).sum(0)
    others = light - place(lit[None], at.state.corner[stray, None], (light.shape[0], light.shape[1]))
    others = others.clamp_min(0)
    known = others / (others + _LIT * lit.max())
    obj = at.state.obj[0]
    mean = (obj * others).sum() / others.sum()
    trial = copy(at.state)
    trial.obj = (mean + (obj - mean) * known)[None]
    trial.move_to(at.state.inside(places))
    if trial.gain is not None:
        trial.gain = trial.gain[stray].expand(len(places))
    seen = views(known, trial.corner, trial.window)
    parts = torch.split(torch.arange(len(places), device=places.device), _BATCH)
    misfit = torch.cat([_refitted(at.problem, trial, part, 1 - seen[part], number) for part in parts])
    return misfit, (seen * lit).sum((1, 2)) / lit.sum()


def _refitted(problem: Problem, state: State, places: Tensor, free: Tensor, number: int) -> Tensor:
    """The misfit (b,) of a frame at places (b,) after some steps of ePIE on the free part (b, ny, nx) of its views."""
    frames = torch.full_like(places, number)
    with torch.no_grad():
        exit, waves = problem.waves(state, places)
        step = free / power(state.probe).sum(0).max()
        for _ in range(_REFITS):
            error = _error(problem, state, waves, places, frames)
            slope = error / problem.counts_of(state, waves, places).sqrt().clamp_min(1e-6)
            chi = problem.propagator.adjoint(waves * slope[:, None], exit.ramps, state.transfer)
            exit.views = exit.views - step * over_modes(exit.probes.conj() * chi)
            waves = problem.propagator.forward(exit.probes * exit.views[:, None], exit.ramps, state.transfer)
        return _share(_error(problem, state, waves, places, frames), problem.amplitude(frames))
