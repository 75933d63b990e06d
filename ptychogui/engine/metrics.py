"""How well a state explains the frames: the R-factor, of all frames and of each."""

from __future__ import annotations

import numpy as np
import torch

from ptychogui.engine.problem import Problem, at_once
from ptychogui.engine.state import State
from ptychogui.types import Real


def r_factors(problem: Problem, state: State) -> tuple[float, Real]:
    """Σ|√I − |Ψ|| / Σ√I over valid pixels, |Ψ|² all counts that the model says: of all frames, and of each (N,).

    A frame that fits worse than its neighbours has a wrong position, a wrong intensity or a damaged pattern. A frame
    without a count is not a number.
    """
    # made beforehand: small results kept from every batch would keep the large arrays from using their memory again
    sums = torch.zeros(2, len(problem), dtype=torch.float64, device=problem.device)
    with torch.no_grad():
        for index in torch.split(torch.arange(len(problem), device=problem.device), at_once(state.probe.shape)):
            _, waves = problem.waves(state, index)
            measured, weight = problem.amplitude(index), problem.valid_pixels(index)
            error = (problem.counts_of(state, waves, index).clamp_min(0).sqrt() - measured).abs()
            if weight is not None:
                error *= weight
            sums[0, index], sums[1, index] = error.double().sum((1, 2)), measured.double().sum((1, 2))
    difference, total = sums.cpu().numpy()
    known = np.where(total > 0, total, np.nan)
    overall = float(difference.sum() / total.sum()) if total.any() else float("nan")
    return overall, np.asarray(difference / known, np.float32)


def r_factor(problem: Problem, state: State) -> float:
    """The R-factor of all frames; see `r_factors`."""
    return r_factors(problem, state)[0]
