"""The preflight: all checks in their order, cheap ones first."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator

from ptychogui.check import frames, scan
from ptychogui.check.cost import cost
from ptychogui.check.doubt import Doubt, Progress
from ptychogui.check.look import Look, looking
from ptychogui.check.network import network
from ptychogui.check.orientation import fitted
from ptychogui.check.propagation import propagation
from ptychogui.check.trials import trials
from ptychogui.engine.start.ptychonet import FromNetwork
from ptychogui.io.data import Data
from ptychogui.job import Job
from ptychogui.params import InputError
from ptychogui.types import Dataset

_FEWEST = 9
"""Frames below which short runs tell nothing."""


def check(job: Job, dataset: Dataset) -> Generator[Doubt | Progress, None, None]:
    """Look for everything that would spoil a run, and yield what is found as it is found; `close` to stop.

    `dataset` is read from `job.data`, where `need_scan=False` lets positions be missing.
    """
    places = scan.positions(dataset)
    yield from said(dataset, () if places.level == "ok" else ("positions",))
    yield places
    look = None
    for part in looking(dataset):
        if isinstance(part, Look):
            look = part
        else:
            yield Progress(0.2 * part, "looking through the frames")
    assert look is not None
    yield from frames.checks(dataset, Data.read(dataset.data) if dataset.data else job.data, look)
    if places.level == "wrong" or look.blind.any() or len(dataset.scan) < _FEWEST:
        return
    if isinstance(job.start, FromNetwork):
        yield Progress(0.2, "looking at the network")
        yield network(job.start, dataset, search=True)
    if dataset.geometry.field == "near":
        try:
            scan.wanted_px(dataset.geometry)
        except InputError as error:
            yield Doubt("sampling", "wrong", str(error))
            return
    runs = trials(job, dataset, look.mean)
    best = yield from fitted(runs, dataset)
    if not math.isfinite(runs.loss(best)):
        yield Doubt("short runs", "wrong", "Not one short run came to an end; check positions, pixel and distance.")
        return
    probe, small = runs.outcome(best).probe, runs.part.geometry
    if small.field == "far":
        yield scan.sampling(probe)
    else:
        yield propagation(runs, best, dataset, look.mean)
    diameter_m = scan.diameter_m(probe, small.pixel_m)
    yield scan.overlap(dataset, diameter_m)
    yield scan.raster(dataset, diameter_m, job.constraints)
    yield Progress(0.95, "measuring the time of a few batches")
    yield cost(job, dataset)


def said(dataset: Dataset, told: tuple[str, ...]) -> Iterator[Doubt]:
    """What the reader mended, and what it doubts; what is told by itself, or not given by anybody, is left out."""
    for value in dataset.values:
        if value.doubt and value.origin != "default" and value.name not in ("field", "zero frequency", *told):
            yield Doubt("reader", "doubt", f"{value.name.capitalize()}, {value.text}: {value.doubt}.")
    for warning in dataset.warnings:
        yield Doubt("reader", "doubt", warning)
