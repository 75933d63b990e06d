"""What the run will cost: memory and time, from a few batches on the chosen device."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import psutil

from ptychogui.check.doubt import Doubt, Level
from ptychogui.engine.start.data import FromData
from ptychogui.job import Job
from ptychogui.types import Dataset, Scan

_FRAMES, _FEWEST = 48, 4
_PIXELS = 2**26
"""Pixels of the frames whose time is measured."""
_MOST = 0.8
"""The part of the free memory that a run may take."""
_PROGRAM_BYTES = 4e8


def cost(job: Job, dataset: Dataset) -> Doubt:
    """Estimate memory and time of the whole job."""
    needed, free = _needed_bytes(job, dataset), _free_bytes(job)
    figures: dict[str, float | str] = {"needed_bytes": round(needed), "free_bytes": round(free)}
    text = f"The run wants about {needed / 2**30:.1f} GB of memory, and {free / 2**30:.1f} GB are free"
    if needed > _MOST * free:
        level: Level = "wrong" if needed > free else "doubt"
        geometry = dataset.geometry
        smaller = {"data.crop": min(geometry.shape) // 2} if geometry.field == "far" else {"data.bin": 2 * job.data.bin}
        return Doubt("cost", level, f"{text}: crop or bin the frames.", figures, smaller)
    seconds = _seconds(job, dataset)
    epochs = sum(stage.epochs for stage in job.stages)
    figures |= {"seconds": round(seconds, 1), "epochs": epochs}
    return Doubt("cost", "ok", f"{text}; {epochs} epochs take about {_span(seconds)}.", figures)


def _needed_bytes(job: Job, dataset: Dataset) -> float:
    """Amplitudes, canvas and probes with what solvers keep of them, and the waves of a batch."""
    count, ny, nx = dataset.frames.shape
    padding = 2 * job.model.padding_px if dataset.geometry.field == "near" else 0
    window = (ny + padding) * (nx + padding)
    modes = job.start.modes or 1
    extent = np.ptp(dataset.scan.positions_m, axis=0) / dataset.geometry.pixel_m + (ny + padding, nx + padding)
    batch = max(stage.batch_size(count) for stage in job.stages)
    complexes = 6 * float(np.prod(extent)) + modes * window * (8 + 6 * batch)
    return _PROGRAM_BYTES + 4 * count * ny * nx + 8 * complexes


def _free_bytes(job: Job) -> float:
    import torch

    from ptychogui.engine.device import device_of

    device = device_of(job.device)
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    return float(psutil.virtual_memory().available)


def _seconds(job: Job, dataset: Dataset) -> float:
    """The time of all epochs: that of a frame in one epoch of each stage, over some neighbours."""
    from ptychogui.engine.constraints import Constraints
    from ptychogui.engine.device import device_of
    from ptychogui.engine.problem import problem
    from ptychogui.engine.solvers.base import Plan, iterate

    count = len(dataset.scan)
    few_frames = min(count, int(np.clip(_PIXELS // np.prod(dataset.frames.shape[1:]), _FEWEST, _FRAMES)))
    begin = count // 2 - few_frames // 2
    chosen = slice(begin, begin + few_frames)
    part = replace(
        dataset, frames=np.asarray(dataset.frames[chosen]), scan=Scan(dataset.scan.positions_m[chosen]), probe=None
    )
    few = problem(part, job.model, device_of(job.device))
    total = 0.0
    for stage in job.stages:
        start = FromData(modes=job.start.modes or 1, find_defocus=False).state(few, part, None, job.seed)
        trial = stage.with_value("epochs", 2).with_value("batch", min(stage.batch_size(count), len(part.scan)))
        begun = time.monotonic()
        for item in iterate(few, start, Plan((trial,), Constraints(), job.seed)):
            if item.whole and item.epoch == 1:  # the first one warms up
                begun = time.monotonic()
        total += (time.monotonic() - begun) / len(part.scan) * count * stage.epochs
    return total


def _span(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
