"""The far-field simulation of Kandel et al. at three brightnesses, and AD-ePIE beside ePIE."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from ptychogui.bench.papers.trial import Row, Setting, Trial, Wanted, data_of, recipe
from ptychogui.engine.simulate import Recipe

NAME = "kandel-2019-far"

_SMALL: dict[str, Any] = {"scan_shape": (11, 11), "object_shape": (62, 62)}
_CLOSE = 1e-8
_EPIE = {"solver.kind": "epie", "solver.batch": 1, "solver.final_step": 1.0, "solver.probe_start": 1}

PAPER_ADAM = {1e3: (0.28, 0.51), 1e6: (0.03, 0.02), 1e9: (0.004, 0.0004)}
_PAPER_EPIE = {1e3: (0.28, 0.50), 1e6: (0.06, 0.04), 1e9: (0.05, 0.008)}
"""NRMSE of object and probe: after 1500 epochs of Adam, with b = 100, and after 150 epochs of ePIE."""
_Goal = tuple[float | None, float | None]
_POLISHED = [{"kind": "mpie", "epochs": 40}, {"kind": "lbfgs", "epochs": 60, "loss": "poisson"}]
_OURS: dict[float, tuple[tuple[str, dict[str, object], _Goal], ...]] = {
    1e3: (("defaults", {}, (0.19, None)), ("defaults, on and on", {"solver.epochs": 200}, (0.19, None))),
    1e6: (
        ("defaults", {}, (0.03, 0.03)),
        ("mpie", {"solver.kind": "mpie"}, (0.03, 0.03)),
        ("mpie, then Poisson", {"solver": _POLISHED}, (0.015, None)),
    ),
    1e9: (("mpie", {"solver.kind": "mpie", "solver.epochs": 300}, (0.004, None)),),
}
"""The program's runs, of 50 epochs where nothing is said: their name, what they set, the goals for object and probe."""


def sample(setting: Setting, **values: Any) -> Recipe:
    """The experiment's recipe."""
    images = setting.pair("mandril.bmp", "cameraman.bmp")
    return recipe(NAME, object_images=images, **(({} if setting.full else _SMALL) | values))


def rows(setting: Setting) -> Iterator[Row]:
    """AD-ePIE beside ePIE, then each brightness by ePIE, by the program as it is, and as far as it gets."""
    yield _follow(setting)
    for photons in (1e6, 1e9, 1e3):
        data = sample(setting, photons=photons)
        for trial in _trials(data, photons, setting.full):
            yield from trial.rows(NAME, trial.run())


def _follow(setting: Setting) -> Row:
    from ptychogui.bench.papers.adepie import farthest_apart

    begun = time.perf_counter()
    apart = farthest_apart(data_of(sample(setting)), epochs=2)
    seconds = time.perf_counter() - begun
    return Row(NAME, "AD-ePIE beside ePIE", "relative difference", None, _CLOSE, apart, 2, seconds)


def _trials(data: Recipe, photons: float, full: bool) -> Iterator[Trial]:
    """ePIE as in the paper, and the program: at once, and at convergence."""
    name = f"{photons:.0e} photons".replace("e+0", "e")
    epie, adam = _PAPER_EPIE[photons], PAPER_ADAM[photons]
    long = 1.0 if full else 0.2
    yield Trial(f"{name}, ePIE", data, _EPIE | {"solver.epochs": round(150 * long)}, _wanted(epie, (None, None)))
    for run, job, goal in _OURS[photons]:
        yield Trial(f"{name}, {run}", data, job, _wanted(adam, goal))


def _wanted(paper: tuple[float, float], goal: tuple[float | None, float | None]) -> tuple[Wanted, Wanted]:
    return Wanted("object_nrmse", paper[0], goal[0]), Wanted("probe_nrmse", paper[1], goal[1])
