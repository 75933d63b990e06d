"""Whether light of the near field wraps around at the edges of its window, and whether padding would explain more."""

from __future__ import annotations

import math

from ptychogui.check import scan
from ptychogui.check.doubt import Doubt
from ptychogui.check.trials import Guess, Trials, padded
from ptychogui.types import Dataset, Real

_LEAST = 0.25
"""The part by which the loss has to be lower: a rim that nobody measures explains some of everything."""


def propagation(runs: Trials, best: Guess, dataset: Dataset, mean: Real) -> Doubt:
    """Try the wave with a rim where the window is narrow and the mean hologram (ny, nx) is lit at its edges."""
    geometry, padding_px = dataset.geometry, runs.job.model.padding_px
    wanted, side = scan.wanted_px(geometry), min(geometry.shape)
    figures = {"pixels_wanted": round(wanted, 1), "window_px": side + 2 * padding_px}
    if not scan.wraps(geometry, mean, padding_px):
        return Doubt("sampling", "ok", "The window is wide enough for the propagation.", figures)
    wider = min(math.ceil((wanted - side) / 2), side // 2)
    small = math.ceil(wider * min(runs.part.geometry.shape) / side)
    loss, there = runs.loss(best), padded(runs, small).loss(best)
    figures |= {"loss": loss, "loss_padded": there}
    if there > (1 - _LEAST) * loss:
        sentence = "Light may wrap around at the edges of the window, but padding does not explain the frames better."
        return Doubt("sampling", "ok", sentence, figures)
    return Doubt(
        "sampling",
        "doubt",
        f"The propagation wants a window of {wanted:.0f} pixels, and light is at the edges of the {side} that there "
        f"are: pad the wave (the loss of a short run is {1 - there / loss:.0%} lower so).",
        figures,
        {"model.padding_px": wider},
    )
