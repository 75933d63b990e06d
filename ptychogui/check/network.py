"""Whether the network from which a run begins suits the scan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ptychogui.check.doubt import Doubt
from ptychogui.engine.start.data import FromData
from ptychogui.engine.start.ptychonet import FromNetwork
from ptychogui.params import InputError
from ptychogui.types import Dataset, Scan

if TYPE_CHECKING:
    from ptychogui.engine.learn.fit import Fit
    from ptychogui.engine.learn.weights import Weights

_FRAMES, _FEWEST = 48, 4
_PIXELS = 2**22
"""Pixels of the frames that are looked at."""
_SAME = 0.02
"""Probes that are no further apart are told as one."""
_WITHOUT = {"start.kind": "data"}


def network(start: FromNetwork, dataset: Dataset, *, search: bool = False) -> Doubt:
    """How far a scan is from the experiment that the network of a start was trained for.

    `search` finds the probe by short runs where neither the file nor the geometry tells it.
    """
    import torch

    from ptychogui.engine.learn.shipped import load

    if not start.weights:
        sentence = "No network is chosen: choose one, train one for this scan, or start from the data."
        return Doubt("network", "wrong", sentence, {}, _WITHOUT, "train")
    try:
        weights = load(start.weights)
        weights.network(torch.device("cpu"))
    except InputError as error:
        return Doubt("network", "wrong", str(error), {}, _WITHOUT, "train")
    known = search or _tells_probe(start, dataset)
    try:
        fit = _fit(start, dataset, weights, search)
    except InputError as error:
        return Doubt("network", "wrong", str(error), {}, _WITHOUT)
    fit = fit if known else replace(fit, probe=0.0)
    fit = fit if dataset.geometry.calibrated else replace(fit, pixel=1.0)
    return _told(fit, weights, start, known)


def _tells_probe(start: FromNetwork, dataset: Dataset) -> bool:
    """Whether the probe is known without a search."""
    held = start.file_probe and dataset.probe is not None
    return held or not start.find_defocus or dataset.geometry.behind_focus_m is not None


def _fit(start: FromNetwork, dataset: Dataset, weights: Weights, search: bool) -> Fit:
    """The experiment that a few neighbouring frames show, beside that of the training."""
    import torch

    from ptychogui.engine.learn.experiment import experiment
    from ptychogui.engine.learn.fit import Fit
    from ptychogui.engine.models.thin import Thin
    from ptychogui.engine.problem import problem

    _, ny, nx = dataset.frames.shape
    positions_m = dataset.scan.positions_m
    away = np.square(positions_m - np.median(positions_m, 0)).sum(1)
    few = np.sort(np.argsort(away, kind="stable")[: int(np.clip(_PIXELS // (ny * nx), _FEWEST, _FRAMES))])
    part = replace(dataset, frames=np.asarray(dataset.frames[few]), scan=Scan(positions_m[few]), truth=None)
    posed = problem(part, Thin(), torch.device("cpu"))
    begin = FromData(file_probe=start.file_probe, find_defocus=search and start.find_defocus)
    state = begin.state(posed, part, None, 0)
    counts = start.counts or posed.mean_counts / weights.card.network.transmission
    state.probe = state.probe * (counts / posed.measured_power(state.probe)).sqrt()
    return Fit.of(weights, experiment(posed, state, weights.card.network.pixels), posed.window)


def _told(fit: Fit, weights: Weights, start: FromNetwork, known: bool) -> Doubt:
    from ptychogui.engine.learn.fit import doubts

    found = list(doubts(fit, any_probe=start.any_probe))
    figures: dict[str, float | str] = {
        "pixel_ratio": fit.pixel,
        "counts_ratio": fit.counts,
        "error": weights.card.error,
    }
    if known:
        figures["probe_unlike"] = fit.probe
    told = " ".join(doubt.text for doubt in found)
    if any(doubt.fatal for doubt in found):
        action = "train" if min(fit.window) < fit.pixels else "fine_tune"
        return Doubt("network", "wrong", told, figures, _WITHOUT, action)
    if not known and not fit.knows_probe:
        told = f"The probe is not known before the run, and the network knows only that of its training. {told}".strip()
    if told:
        return Doubt("network", "doubt", told, figures, {}, "fine_tune")
    probe = f"a probe that is {fit.probe:.0%} unlike this one" if known else "probes of any kind"
    probe = "this very probe" if known and fit.probe < _SAME else probe
    sentence = f"The network suits this scan: it was trained for {probe}, and for a pixel and counts like these."
    return Doubt("network", "ok", sentence, figures)
