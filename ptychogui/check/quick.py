"""The part of the preflight that takes a moment: it runs by itself, before anybody asks."""

from __future__ import annotations

from collections.abc import Iterator

from ptychogui.check import frames, scan
from ptychogui.check.cost import cost
from ptychogui.check.doubt import Doubt
from ptychogui.check.look import Look, looking
from ptychogui.check.network import network
from ptychogui.check.preflight import said
from ptychogui.check.small import small
from ptychogui.engine.start.data import FromData
from ptychogui.engine.start.ptychonet import FromNetwork
from ptychogui.io.data import Data
from ptychogui.job import Job
from ptychogui.params import InputError
from ptychogui.types import Complex, Dataset

NEEDS_RUNS = ("overlap", "sampling", "orientation", "scale")
"""What only short runs can tell where the quick part is silent of it."""
_MOST_BYTES = 2**27


def quick_look(dataset: Dataset) -> Iterator[Look | None]:
    """Read some of the frames block by block; yields None after each, and at last the look."""
    for part in looking(dataset, _MOST_BYTES):
        yield part if isinstance(part, Look) else None


def quick(job: Job, dataset: Dataset, look: Look) -> Iterator[Doubt]:
    """Everything that needs no run: positions, frames, overlap and sampling where the probe is known, memory and time.

    `dataset` is read from `job.data`, where `need_scan=False` lets positions be missing.
    """
    places = scan.positions(dataset)
    yield from said(dataset, () if places.level == "ok" else ("positions",))
    yield places
    yield from frames.checks(dataset, Data.read(dataset.data) if dataset.data else job.data, look)
    if places.level == "wrong" or look.blind.any():
        return
    if isinstance(job.start, FromNetwork):
        yield network(job.start, dataset)
    try:
        yield from _of_probe(job, dataset, look)
    except InputError as error:
        yield Doubt("sampling", "wrong", str(error))
        return
    yield cost(job, dataset)


def _of_probe(job: Job, dataset: Dataset, look: Look) -> Iterator[Doubt]:
    """Overlap, ghosts of a raster, and sampling, where the size of the probe is known without a run."""
    geometry = dataset.geometry
    if geometry.field == "near" and not scan.wraps(geometry, look.mean, job.model.padding_px):
        yield Doubt("sampling", "ok", "The window is wide enough for the propagation.")
    probe, pixel_m = dataset.probe, geometry.pixel_m
    if geometry.field == "near" or (probe is None and geometry.behind_focus_m is not None):
        part = small(dataset, look.mean)[0]
        probe, pixel_m = _first_guess(part), part.geometry.pixel_m
    if probe is None:
        return
    if geometry.field == "far":
        yield scan.sampling(probe)
    diameter_m = scan.diameter_m(probe, pixel_m)
    yield scan.overlap(dataset, diameter_m)
    yield scan.raster(dataset, diameter_m, job.constraints)


def _first_guess(part: Dataset) -> Complex:
    """The probe (1, ny, nx) that a run would begin with."""
    import torch

    from ptychogui.engine.models.thin import Thin
    from ptychogui.engine.problem import problem

    few = problem(part, Thin(), torch.device("cpu"))
    probe: Complex = FromData(find_defocus=False).state(few, part, None, 0).probe.numpy()
    return probe
