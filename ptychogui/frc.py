"""How fine a detail of a result is real: the job again on either half of the frames, and how far the two agree."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ptychogui.engine.refine import Refine
from ptychogui.engine.start.file import FromFile
from ptychogui.io.picture import inside_scan
from ptychogui.job import Job, Request
from ptychogui.job import snapshots as snapshots_of_run
from ptychogui.params import InputError, format_quantity
from ptychogui.types import Correlation, Dataset, Mask, Result, Scan, Snapshot

if TYPE_CHECKING:
    Items = Generator[Snapshot | Result, Request | None, None]

_FEWEST = 8
_OF_FRAMES = ("gain",)
"""Unknowns that have one value for each frame."""
_LIT = 0.3
"""The part of the strongest illumination, evened out, above which the object counts as well lit."""


def snapshots(job: Job, dataset: Dataset, whole: Result) -> Items:
    """Run a job on either half of the frames and yield plain data: snapshots of both runs, at last the result.

    `whole` is the result of the job on all frames; it comes back with its `correlation` and with the metrics
    `resolution_half_bit_m`, `resolution_one_seventh_m` and the same in pixels (`_px`): half the period at which the
    halves no longer agree. A `Request` to stop gives it back as it was.

    Each half begins with a flat object, so that nothing of the object is shared, and with what the whole run found of
    the probe, the positions and the optics: every frame has a say in these, so that they hold little noise of their
    own, and halves that had to find them again from fewer frames would tell of them, not of the object. The probe goes
    on being refined; positions and distance do not, since two objects that were stretched differently do not compare.
    The comparison is over the well-lit part, since the unlit one is flat in both. What both halves have wrong in the
    same way, as a solver that has not converged leaves it, is not seen by any such comparison.

    Raises `InputError` where there are too few frames, `RunError` where the scanned area is too small.
    """
    if len(dataset.scan) < _FEWEST:
        raise InputError(f"A ring correlation needs two halves of the frames, and there are only {len(dataset.scan)}.")
    done, found, last = 0, [], None
    said: tuple[str, ...]
    for name, index in zip(("first", "second"), halves(len(dataset.scan), job.seed), strict=True):
        of_half, frames, start = _half(job, dataset, whole, index)
        run = snapshots_of_run(of_half, frames, initial=start)
        item, said = next(run), (f"Running on the {name} half of the frames.",)
        while isinstance(item, Snapshot):
            last = replace(item, epoch=done + item.epoch, epochs=2 * item.epochs, messages=said + item.messages)
            said = ()
            if item.ended == "stopped":
                yield last
                yield whole
                return
            request = yield replace(last, ended="")
            item = run.send(Request(stop=True) if request is not None and request.stop else None)
        next(run, None)  # what went wrong in it is raised here
        done += len(item.loss)
        found.append(item)
    assert last is not None
    result = with_correlation(whole, *found)
    yield replace(last, messages=(said_of(result),), ended="finished")
    yield result


def snapshots_of_all(job: Job, dataset: Dataset) -> Items:
    """Run a job and then on either half of its frames: items as of `job.snapshots`, its result, and those above."""
    run = snapshots_of_run(job, dataset)
    whole, stopped = None, False
    try:
        item = next(run)
        while True:
            if isinstance(item, Result):
                whole = item
            else:
                stopped = item.ended == "stopped"
            item = run.send((yield item))
    except StopIteration:
        pass
    if whole is not None and not stopped:
        yield from snapshots(job, dataset, whole)


def halves(count: int, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The frames of both halves: of every two that follow each other in the scan, one by chance."""
    pairs = np.arange(count + count % 2).reshape(-1, 2)
    swap = np.random.default_rng(seed).integers(0, 2, len(pairs))
    rows = np.arange(len(pairs))
    first, second = pairs[rows, swap], pairs[rows, 1 - swap]
    return first[first < count], second[second < count]


def with_correlation(whole: Result, first: Result, second: Result) -> Result:
    """`whole` with the ring correlation of the results of both halves, and with its resolution."""
    from ptychogui.engine.frc import correlated

    found = correlated(first.obj, second.obj, well_lit(first))
    metrics = dict(whole.metrics)
    for name, criterion in _criteria(found).items():
        metrics[f"resolution_{name}_m"] = found.resolution_m(criterion)
        metrics[f"resolution_{name}_px"] = found.resolution_m(criterion) / max(whole.obj.pixel_m)
    return replace(whole, correlation=found, metrics=metrics)


def said_of(result: Result) -> str:
    """The resolution of a result in a sentence, which says so where the pixel is the limit."""
    assert result.correlation is not None
    parts, at_pixel = [], []
    for name, criterion in _criteria(result.correlation).items():
        length = result.correlation.resolution_m(criterion)
        text = format_quantity(float(f"{length:.3g}"), "m") if result.geometry.calibrated else f"{length:.3g} px"
        parts.append(f"{text} by the {name.replace('_', '-')} criterion")
        if result.correlation.reaches_pixel(criterion):
            at_pixel.append(f"the {name.replace('_', '-')}")
    sentence = f"Resolution (half the period): {' and '.join(parts)}"
    if at_pixel:
        sentence += f"; the curve never falls below {' and '.join(at_pixel)} one, so the pixel is the limit there"
    return sentence + "."


def well_lit(result: Result) -> Mask:
    """The part (Y, X) of the object that lies between the positions or has much light, whose holes are filled."""
    from scipy.ndimage import binary_fill_holes, uniform_filter

    area = inside_scan(result.obj, result.scan)
    if result.illumination is not None:
        size = [max(n // 8, 1) for n in result.probe.modes.shape[-2:]]
        light = uniform_filter(result.illumination, size)
        area |= light > _LIT * light.max()
    return np.asarray(binary_fill_holes(area))


def _criteria(found: Correlation) -> dict[str, NDArray[np.float64]]:
    return {"half_bit": found.half_bit, "one_seventh": found.one_seventh}


def _half(job: Job, dataset: Dataset, whole: Result, index: NDArray[np.intp]) -> tuple[Job, Dataset, Result]:
    """The job on the frames `index` (n,), the scan of these, and what they begin with."""
    start = replace(
        whole,
        obj=replace(whole.obj, slices=np.ones_like(whole.obj.slices)),
        scan=Scan(whole.scan.positions_m[index]),
        nominal_m=whole.nominal_m[index],
        unknowns={name: part[index] if name in _OF_FRAMES else part for name, part in whole.unknowns.items()},
    )
    return job.model_copy(update={"start": FromFile(), "refine": Refine.nothing()}), dataset.part(index), start
