"""Adam over a grid of steps, as Kandel et al. chose them, and what a search by short runs finds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from ptychogui.bench.papers.kandel import sample
from ptychogui.bench.papers.trial import Row, Setting, Trial, Wanted, data_of
from ptychogui.engine.simulate import Recipe
from ptychogui.job import Job
from ptychogui.steps import search_steps

NAME = "kandel-2019-steps"

_PAPER = {1e3: 0.28, 1e6: 0.03, 1e9: 0.004}
"""NRMSE of the object after 1500 epochs with the steps 0.01 and 1."""
_OBJECT_STEPS: tuple[float, ...] = (10.0, 1.0, 0.1, 0.01, 0.001)
_PROBE_STEPS: tuple[float, ...] = (100.0, 10.0, 1.0, 0.1, 0.01)
_AS_GOOD = 1.1
_SMALLER: dict[str, Any] = {"scan_shape": (8, 8), "object_shape": (44, 44)}


def rows(setting: Setting) -> Iterator[Row]:
    """For each brightness the best of the grid, and the run with the steps that the search found.

    The curve of the first is the paper's map. The steps of the probe are the paper's, in the unit of its amplitude.
    """
    for photons in (1e3, 1e6, 1e9) if setting.full else (1e6,):
        data = sample(setting, photons=photons, **({} if setting.full else _SMALLER))
        best = _best_of_grid(data, photons, setting.full)
        yield best
        yield from _searched(data, photons, setting.full, best.ours)


def _adam(full: bool) -> dict[str, object]:
    return {
        "solver.kind": "adam",
        "solver.epochs": 1500 if full else 15,
        "solver.batch": 100 if full else 13,
        "solver.final_step": 1.0,
    }


def _best_of_grid(data: Recipe, photons: float, full: bool) -> Row:
    truth = data_of(data).truth
    assert truth is not None
    brightest = float(np.abs(truth.probe).max())
    shown = slice(None) if full else slice(1, 4)
    pairs = itertools.product(_OBJECT_STEPS[shown], _PROBE_STEPS[shown])
    grid, seconds = [], 0.0
    for object_step, probe_step in pairs:
        steps = {"solver.object_step": object_step, "solver.probe_step": probe_step / brightest}
        figures = Trial("", data, _adam(full) | steps, ()).run().figures
        seconds += figures["seconds"]
        error = figures.get("object_nrmse", float("nan"))
        grid.append({"object_step": object_step, "probe_step": probe_step, "object_nrmse": error})
    best = min(grid, key=lambda point: point["object_nrmse"])
    name = f"{photons:.0e} photons, best of the grid: object {best['object_step']:g}, probe {best['probe_step']:g}"
    epochs = len(grid) * int(str(_adam(full)["solver.epochs"]))
    return Row(NAME, name, "object_nrmse", _PAPER[photons], None, best["object_nrmse"], epochs, seconds, tuple(grid))


def _searched(data: Recipe, photons: float, full: bool, best: float) -> Iterator[Row]:
    job = Job()
    for path, value in _adam(full).items():
        job = job.with_value(path, value)
    *_, found = search_steps(job, data_of(data))
    steps = {f"solver.{name}": value for name, value in found.settings.items()}
    name = f"{photons:.0e} photons, steps searched in {found.share:.2f} of a run"
    trial = Trial(name, data, _adam(full) | steps, (Wanted("object_nrmse", _PAPER[photons], best * _AS_GOOD),))
    yield from trial.rows(NAME, trial.run())
