"""The near-field simulation of Kandel et al.: 25 holograms, and a probe that fills the detector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ptychogui.bench.papers.trial import Row, Setting, Trial, Wanted, recipe

NAME = "kandel-2019-near"

_SMALL: dict[str, Any] = {
    "photons": 1e4 * 128**2,
    "shape": (128, 128),
    "step_px": 12.0,
    "object_shape": (52, 52),
    "beam_px": 12.5,
}


def rows(setting: Setting) -> Iterator[Row]:
    """Adam frame by frame, whose steps undo the false vortices that a probe without phase begins with, and L-BFGS for
    what varies slowly; the paper's figures are those after 10 000 steps of Adam."""
    images = setting.pair("mandril.bmp", "cameraman.bmp")
    sample = recipe(NAME, object_images=images, **({} if setting.full else _SMALL))
    wanted = (Wanted("object_nrmse", 0.01, 0.01), Wanted("probe_nrmse", 0.12))
    first, then = (500, 500) if setting.full else (40, 40)
    adam = {"kind": "adam", "epochs": first, "batch": 1, "object_step": 0.02, "probe_step": 0.05}
    job = {"solver": [adam, {"kind": "lbfgs", "epochs": then}]}
    trial = Trial("adam, then lbfgs", sample, job, wanted)
    yield from trial.rows(NAME, trial.run())
