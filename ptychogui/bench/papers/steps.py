"""Adam over a grid of steps, as Kandel et al. chose them, and what a search by short runs finds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from ptychogui.bench.papers.kandel import PAPER_ADAM, sample
from ptychogui.bench.papers.trial import Row, Setting, Trial, Wanted, data_of
from ptychogui.engine.simulate import Recipe
from ptychogui.job import Job
from ptychogui.params import RunError
from ptychogui.steps import search_steps

NAME = "kandel-2019-steps"

_PAPER_STEPS = (0.01, 1.0)
_OBJECT_STEPS: tuple[float, ...] = (10.0, 1.0, 0.1, 0.01, 0.001)
_PROBE_STEPS: tuple[float, ...] = (100.0, 10.0, 1.0, 0.1, 0.01)
_AS_GOOD = 1.1
_SMALLER: dict[str, Any] = {"scan_shape": (8, 8), "object_shape": (44, 44)}


def rows(setting: Setting) -> Iterator[Row]:
    """For each brightness a run with the paper's steps, the best of the grid, and the run with steps searched for.

    The first is as long as the paper's. The runs of the grid have a tenth of its epochs, and so has that with the steps
    that the search found, so that these two compare. The curve of the second is the map that the paper shows. The steps
    of the probe are the paper's, in the unit of its amplitude.
    """
    for photons in (1e3, 1e6, 1e9) if setting.full else (1e6,):
        data = sample(setting, photons=photons, **({} if setting.full else _SMALLER))
        yield from _of_paper(data, photons, setting.full)
        best = _best_of_grid(data, photons, setting.full)
        yield best
        yield from _searched(data, photons, setting.full, best.ours)


def _adam(full: bool) -> dict[str, object]:
    return {
        "solver.kind": "adam",
        "solver.epochs": 150 if full else 15,
        "solver.batch": 100 if full else 13,
        "solver.final_step": 1.0,
    }


def _steps(data: Recipe, object_step: float, probe_step: float) -> dict[str, object]:
    """Steps of the paper as those of a job, whose probe's is a part of its largest amplitude."""
    truth = data_of(data).truth
    assert truth is not None
    return {"solver.object_step": object_step, "solver.probe_step": probe_step / float(np.abs(truth.probe).max())}


def _of_paper(data: Recipe, photons: float, full: bool) -> Iterator[Row]:
    job = _adam(full) | {"solver.epochs": 1500 if full else 150} | _steps(data, *_PAPER_STEPS)
    of_object, of_probe = PAPER_ADAM[photons]
    name = f"{photons:.0e} photons, the paper's steps: object {_PAPER_STEPS[0]:g}, probe {_PAPER_STEPS[1]:g}"
    trial = Trial(name, data, job, (Wanted("object_nrmse", of_object), Wanted("probe_nrmse", of_probe)))
    yield from trial.rows(NAME, trial.run())


def _best_of_grid(data: Recipe, photons: float, full: bool) -> Row:
    shown = slice(None) if full else slice(1, 4)
    pairs = itertools.product(_OBJECT_STEPS[shown], _PROBE_STEPS[shown])
    grid, seconds = [], 0.0
    for object_step, probe_step in pairs:
        error = float("nan")
        with suppress(RunError):  # steps with which the run breaks up
            figures = Trial("", data, _adam(full) | _steps(data, object_step, probe_step), ()).run().figures
            error, seconds = figures.get("object_nrmse", error), seconds + figures["seconds"]
        grid.append({"object_step": object_step, "probe_step": probe_step, "object_nrmse": error})
    best = min(grid, key=lambda point: np.nan_to_num(point["object_nrmse"], nan=np.inf))
    name = f"{photons:.0e} photons, best of the grid: object {best['object_step']:g}, probe {best['probe_step']:g}"
    epochs = int(str(_adam(full)["solver.epochs"]))
    return Row(NAME, name, "object_nrmse", None, None, best["object_nrmse"], epochs, seconds, tuple(grid))


def _searched(data: Recipe, photons: float, full: bool, best: float) -> Iterator[Row]:
    job = Job()
    for path, value in _adam(full).items():
        job = job.with_value(path, value)
    *_, found = search_steps(job, data_of(data))
    steps = {f"solver.{name}": value for name, value in found.settings.items()}
    name = f"{photons:.0e} photons, steps searched in {found.share:.2f} of a run"
    trial = Trial(name, data, _adam(full) | steps, (Wanted("object_nrmse", goal=best * _AS_GOOD),))
    yield from trial.rows(NAME, trial.run())
