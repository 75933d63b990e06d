"""Which defocus explains the frames best: short runs on a few frames, coarse to fine."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ptychogui.engine.constraints import Constraints
from ptychogui.engine.problem import Problem
from ptychogui.engine.solvers.base import Plan, iterate
from ptychogui.engine.solvers.rpie import RPIE
from ptychogui.engine.start.canvas import canvas
from ptychogui.engine.state import State
from ptychogui.params import RunError
from ptychogui.types import Dataset, Scan

_log = logging.getLogger(__name__)

_PIXELS = 64 * 128**2
"""Pixels of the frames that are looked at, and the least number of frames."""
_FEWEST = 16
_TRIAL = RPIE(epochs=6, batch=8)
_HALVINGS = 8
_FINER = (2**0.25, 2**0.125)
"""The steps by which the best of the first runs is refined."""


def focused(aperture: Tensor, curvature: tuple[float, float]) -> Tensor:
    """The wave of a pupil (ny, nx) out of focus by λ z / dx² along y and x, its middle in the corner."""
    fy = torch.fft.fftfreq(aperture.shape[0], dtype=torch.float64, device=aperture.device)[:, None]
    fx = torch.fft.fftfreq(aperture.shape[1], dtype=torch.float64, device=aperture.device)[None, :]
    phase = -math.pi * (curvature[0] * fy.square() + curvature[1] * fx.square())
    wave: Tensor = torch.fft.ifft2(aperture * torch.polar(torch.ones_like(phase), phase), norm="ortho")
    return wave


def curvatures(
    problem: Problem, dataset: Dataset, aperture: Tensor, seed: int
) -> Iterator[tuple[tuple[float, float], str]]:
    """The curvature λ z / dx² along y and x with which a short run gets furthest, so far, and the run that comes next.

    Both signs are tried, from none to the one whose spot fills the window, in steps of √2 and then of ⁸√2. The last
    time there is no next run, and the text is empty.
    """
    few, part = _neighbours(problem, dataset)
    dy, dx = dataset.geometry.pixel_m

    def both(curvature: float) -> tuple[float, float]:
        return curvature, curvature * (dy / dx) ** 2

    largest = min(aperture.shape) / (4 * _radius(aperture))
    sizes = largest / math.sqrt(2) ** np.arange(_HALVINGS)
    tried: dict[float, float] = {}
    best, total = 0.0, 1 + 2 * _HALVINGS + 2 * len(_FINER)
    for step in (0.0, *_FINER):
        for curvature in (best / step, best * step) if step else (0.0, *sizes.tolist(), *(-sizes).tolist()):
            doing = f"Finding the defocus by short runs on {len(part.scan)} frames: {len(tried) + 1} of {total}…"
            if curvature not in tried:
                yield both(min(tried, key=lambda c: tried[c], default=0.0)), doing
                wave = focused(aperture, both(curvature))
                tried[curvature] = _loss(few, part, torch.fft.fftshift(wave, (-2, -1))[None], seed)
        best = min(tried, key=lambda c: tried[c])
    _log.info("Short runs found the defocus: λz/dx² = %.3g.", best)
    yield both(best), ""


def trial_loss(problem: Problem, dataset: Dataset, probe: Tensor, seed: int) -> float:
    """How far a short run on a few frames gets with a probe (M, ny, nx)."""
    return _loss(*_neighbours(problem, dataset), probe, seed)


def _neighbours(problem: Problem, dataset: Dataset) -> tuple[Problem, Dataset]:
    """The frames nearest to the middle of the scan, which overlap."""
    positions_m = dataset.scan.positions_m
    count = max(_FEWEST, _PIXELS // math.prod(problem.window))
    away = np.square(positions_m - np.median(positions_m, 0)).sum(1)
    chosen: NDArray[np.intp] = np.sort(np.argsort(away, kind="stable")[:count])
    index = torch.from_numpy(chosen).to(problem.device)
    valid = problem.valid[index] if problem.valid is not None and problem.valid.ndim == 3 else problem.valid
    few = replace(problem, amplitudes=problem.amplitudes[index], valid=valid)
    return few, replace(dataset, scan=Scan(positions_m[chosen]))


def _radius(aperture: Tensor) -> float:
    """The root mean square radius of a pupil in cycles a pixel."""
    fy = torch.fft.fftfreq(aperture.shape[0], dtype=torch.float64, device=aperture.device)[:, None]
    fx = torch.fft.fftfreq(aperture.shape[1], dtype=torch.float64, device=aperture.device)[None, :]
    power = aperture.square()
    mean_square = float((power * (fy.square() + fx.square())).sum() / power.sum())
    return max(math.sqrt(mean_square), 1 / min(aperture.shape))


def _loss(problem: Problem, dataset: Dataset, probe: Tensor, seed: int) -> float:
    probe = probe * (problem.mean_counts / probe.abs().square().sum()).sqrt()
    shape, begin, origin_m = canvas(dataset, problem.window)
    obj = torch.ones((1, *shape), dtype=problem.dtype, device=problem.device)
    state = State.at(obj, probe.to(problem.dtype), torch.from_numpy(begin).to(problem.device), origin_m)
    loss = math.inf
    try:
        for item in iterate(problem, state, Plan((_TRIAL,), Constraints(), seed)):
            loss = float(item.loss) if item.whole else loss
    except RunError:  # a start so far off that the trial runs away is not the one
        return math.inf
    return loss
