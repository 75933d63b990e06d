"""How well a state explains the frames: the R-factor."""

from __future__ import annotations

import torch

from ptychogui.engine.losses import intensity
from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State

_BATCH = 32


def r_factor(problem: Problem, state: State) -> float:
    """Σ|√I − |Ψ|| / Σ√I over valid pixels of all frames, Ψ summed over modes in intensity."""
    difference = total = 0.0
    with torch.no_grad():
        for index in torch.split(torch.arange(len(problem), device=problem.device), _BATCH):
            _, waves = problem.waves(state, index)
            measured, weight = problem.amplitude(index), problem.weight(index)
            error = (intensity(waves).sqrt() - measured).abs()
            difference += float((error if weight is None else error * weight).double().sum())
            total += float(measured.double().sum())
    return difference / total if total else float("nan")
