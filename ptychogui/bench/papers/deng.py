"""Ptychography by plain gradient descent with a known probe, and what the other solvers need for the same error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ptychogui.bench.papers.trial import Row, Setting, Trial, Wanted, recipe
from ptychogui.engine.solvers import AnySolver
from ptychogui.params import members

NAME = "deng-gd"

_SMALL: dict[str, Any] = {"shape": (96, 96), "scan_shape": (5, 5), "step_px": 4.0, "object_shape": (160, 160)}
_NEVER = 10**9
_TENTH = 10


def rows(setting: Setting) -> Iterator[Row]:
    """200 epochs of descent with the step 0.2, then every other solver with its defaults in a tenth of them."""
    images = setting.pair("lake.bmp", "FAI.bmp")
    sample = recipe(NAME, object_images=images, **({} if setting.full else _SMALL))
    epochs = 200 if setting.full else 60
    # the original's step is in O −= 2·0.2 ∂L/∂O*, frame by frame, and its probe's amplitude about one
    descent = {"solver.kind": "gd", "solver.batch": 1, "solver.object_step": 0.4, "solver.final_step": 1.0}
    known = {"solver.probe_start": _NEVER}
    wanted = (Wanted("loss"), Wanted("object_nrmse"))
    plain = Trial("gd", sample, descent | known | {"solver.epochs": epochs}, wanted)
    outcome = plain.run()
    yield from plain.rows(NAME, outcome)
    reached = tuple(Wanted(want.quantity, goal=outcome.figures[want.quantity]) for want in wanted)
    for kind in members(AnySolver):
        if kind != "gd":
            job = {"solver.kind": kind, "solver.epochs": epochs // _TENTH} | known
            other = Trial(kind, sample, job, reached)
            yield from other.rows(NAME, other.run())
