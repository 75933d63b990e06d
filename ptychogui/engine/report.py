"""From tensors on a device to the plain data that windows and files take."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from torch import Tensor

from ptychogui.engine.metrics import r_factors
from ptychogui.engine.models import AnyModel
from ptychogui.engine.problem import Problem
from ptychogui.engine.problem import problem as problem_of
from ptychogui.engine.state import State
from ptychogui.engine.truth import errors
from ptychogui.params import InputError
from ptychogui.types import UNLIT, Complex, Dataset, Object, Pattern, Positions, Probe, Real, Result, Scan

PREVIEW_PX = 1024
_POWER_OUTSIDE = 0.01


def positions_m(problem: Problem, state: State) -> Positions:
    """Where the frames are on the sample now, (N, 2)."""
    middle = np.array(problem.window) // 2
    pixel_m = np.array(problem.geometry.pixel_m)
    return np.asarray((state.position_px.cpu().numpy() + middle) * pixel_m + state.origin_m)


def lit_box(state: State) -> tuple[slice, slice]:
    """The part of the canvas that the probe lights, but for a hundredth of its power on each side."""
    power = state.probe.abs().square().sum(0)
    slices = []
    for axis in (0, 1):
        part = torch.cumsum(power.sum(1 - axis), 0) / power.sum()
        first = int((part < _POWER_OUTSIDE).sum())
        last = int((part < 1 - _POWER_OUTSIDE).sum())
        corner = state.corner[:, axis]
        slices.append(slice(int(corner.min()) + first, int(corner.max()) + last + 1))
    return slices[0], slices[1]


def figures(problem: Problem, state: State) -> dict[str, float]:
    """What a line of text can say of the refined unknowns."""
    found: dict[str, float] = {}
    name = "focus_to_sample_m" if problem.geometry.in_cone else "distance_m"
    now, given = getattr(problem.geometry, name), getattr(problem.given, name)
    if now and given and not math.isclose(now, given):
        found |= {name: now, "distance_change": now / given - 1}
    if state.gain is not None:
        found["gain_spread"] = float(state.gain.std())
    if state.background is not None:
        found["background"] = float(state.background.mean())
    return found


def unknowns(problem: Problem, state: State) -> dict[str, NDArray[Any]]:
    """The refined unknowns as a file keeps them."""
    found = {name: np.array(value) for name, value in figures(problem, state).items() if name.endswith("_m")}
    if state.gain is not None:
        found["gain"] = state.gain.cpu().numpy().copy()
    if state.background is not None:
        found["background"] = _centred(problem, state.background)
    return found


def illumination(state: State, factor: int = 1, first: tuple[int, int] = (0, 0)) -> Tensor:
    """Σ |P|² of all frames on the canvas (Y, X): the windows' corners convolved with the probe.

    With a `factor`, on blocks of so many pixels along a side, of which the first begins at pixel `first`; a corner
    between blocks is shared out among its four neighbours.
    """
    shape = [-(-(n - begin) // factor) for n, begin in zip(state.obj.shape[-2:], first, strict=True)]
    spot = _pooled(state.probe.abs().square().sum(0), factor)
    place = (state.corner - torch.tensor(first, device=spot.device)).clamp_min(0) / factor
    low = place.long()
    count = torch.zeros(shape, dtype=spot.dtype, device=spot.device)
    for step in torch.cartesian_prod(*2 * [torch.arange(2 if factor > 1 else 1, device=spot.device)]):
        share = (1 - (place - low - step).abs()).prod(1).to(spot.dtype)
        count.index_put_((low + step).unbind(1), share, accumulate=True)
    size = [next_fast_len(n, real=True) for n in shape]  # sides with large prime factors take several times as long
    light: Tensor = torch.fft.irfft2(torch.fft.rfft2(count, s=size) * torch.fft.rfft2(spot, s=size), s=size)
    return light[: shape[0], : shape[1]].clamp_min(0)


def preview(
    problem: Problem, state: State, box: tuple[slice, slice]
) -> tuple[Complex, tuple[float, float], tuple[float, float]]:
    """The object in a box of the canvas, averaged to at most 1024² on the device: image, its pixel_m and origin_m.

    It fades to one where hardly any light fell.
    """
    factor = math.ceil(max(s.stop - s.start for s in box) / PREVIEW_PX)
    seen = _pooled(state.obj[0][box], factor)
    light = illumination(state, factor, (box[0].start % factor, box[1].start % factor))
    begin = [s.start // factor for s in box]
    part = light[begin[0] : begin[0] + seen.shape[0], begin[1] : begin[1] + seen.shape[1]]
    seen = 1 + (seen - 1) * (part / (UNLIT * light.max())).clamp(max=1).square()
    pixel_m = problem.geometry.pixel_m
    # the first pixel of the preview is the mean of `factor` of the canvas: its centre lies half a block further in
    origin_m = tuple(o + (s.start + (factor - 1) / 2) * d for o, s, d in zip(state.origin_m, box, pixel_m, strict=True))
    image = seen.to("cpu", torch.complex64, copy=True).numpy()
    return image, (pixel_m[0] * factor, pixel_m[1] * factor), (origin_m[0], origin_m[1])


def _pooled(image: Tensor, factor: int) -> Tensor:
    """The means of blocks of (Y, X) with `factor` pixels along a side; the last ones may be parts of a block."""
    for _ in range(2 if factor > 1 else 0):
        rows = image[::factor].clone()
        for following in range(1, factor):
            more = image[following::factor]
            rows[: len(more)] += more
        rows[-1] *= factor / (len(image) - factor * (len(rows) - 1))
        image = (rows / factor).T
    return image


def pattern(problem: Problem, state: State, frame: int) -> Pattern:
    """One measured frame beside the model's, zero frequency in the centre."""
    index = torch.tensor([frame % len(problem)], device=problem.device)
    with torch.no_grad():
        _, waves = problem.waves(state, index)
        pair = torch.stack([problem.amplitude(index)[0].square(), problem.counts_of(state, waves, index)[0]])
        weight = problem.valid_pixels(index)
        if weight is not None:
            pair[0][weight.expand_as(pair)[0] == 0] = torch.nan
    return Pattern(int(index), *(_centred(problem, image) for image in pair))


def pattern_of(result: Result, dataset: Dataset, model: AnyModel, frame: int) -> Pattern:
    """One measured frame beside what a result says of it; only this frame and its window are looked at.

    Raises `InputError` where the frames or their number are others than those of the result.
    """
    counts, shape = len(result.scan), result.geometry.shape
    if (counts, shape) != (len(dataset.scan), dataset.geometry.shape):
        raise InputError(
            f"The result is of {counts} frames of {shape[0]} × {shape[1]}, and the data are others now: undo what was "
            "changed in the preparation, or run again."
        )
    one = replace(dataset.part(np.array([frame])), geometry=result.geometry)
    problem = problem_of(one, model, torch.device("cpu"))
    begin = (result.scan.positions_m[frame] - result.obj.origin_m) / result.obj.pixel_m - np.array(problem.window) // 2
    first = np.maximum(np.floor(begin).astype(int) - 1, 0)
    end = first + problem.window + np.array(3)
    seen = result.obj.slices[:, first[0] : end[0], first[1] : end[1]]
    if (seen.shape[1:] < np.rint(begin - first) + problem.window).any() or (begin < first).any():
        raise InputError(f"Frame {frame} of the result lies beside its object, so there is no model of it.")
    obj, probe = (torch.from_numpy(np.array(each)).to(problem.dtype) for each in (seen, result.probe.modes))
    state = State.at(obj, probe, torch.from_numpy(begin - first)[None], result.obj.origin_m)
    if "gain" in result.unknowns:
        state.gain = torch.from_numpy(np.array(result.unknowns["gain"][frame : frame + 1], np.float64))
    if "background" in result.unknowns:
        state.background = problem.on_window(result.unknowns["background"])
    return replace(pattern(problem, state, 0), index=frame)


def _centred(problem: Problem, image: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    p = problem.padding_px
    if problem.geometry.field == "far":
        image = torch.fft.fftshift(image)
    elif p:
        image = image[p:-p, p:-p]
    return image.cpu().float().numpy().copy()


def probe_modes(state: State) -> Complex:
    """The modes (M, ny, nx) as numpy."""
    return state.probe.detach().to("cpu", torch.complex64, copy=True).numpy()


def memory_bytes(device: torch.device) -> int:
    """What the program holds: on a CUDA device that device's memory, elsewhere the process's."""
    if device.type == "cuda":
        return int(torch.cuda.memory_allocated(device))
    return int(psutil.Process().memory_info().rss)


def result(
    problem: Problem,
    state: State,
    dataset: Dataset,
    loss: Real,
    job: str,
    provenance: dict[str, str],
    seconds: float,
    measured: bool = True,
) -> Result:
    """Everything that is kept of a run, with errors against the truth where the data carry one.

    Without `measured`, the R-factors and those errors are left out, which take as long as a good part of an epoch.
    """
    pixel_m = problem.geometry.pixel_m
    light = illumination(state)
    done = Result(
        obj=Object(state.obj.to("cpu", torch.complex64, copy=True).numpy(), pixel_m, state.origin_m),
        probe=Probe(probe_modes(state), pixel_m),
        scan=Scan(positions_m(problem, state), dataset.scan.angle_rad),
        nominal_m=dataset.scan.positions_m,
        geometry=problem.geometry,
        loss=loss,
        metrics={"seconds": seconds},
        job=job,
        provenance=provenance,
        warnings=dataset.warnings,
        illumination=(light / light.max()).cpu().float().numpy(),
        unknowns=unknowns(problem, state),
    )
    if not measured:
        return done
    overall, of_frames = r_factors(problem, state)
    done = replace(done, metrics={"r_factor": overall, "seconds": seconds}, frame_r_factor=of_frames)
    if dataset.truth is None or not np.isfinite(done.obj.slices).all():  # a run that ran away has no such errors
        return done
    return replace(done, metrics={**done.metrics, **errors(done, dataset.truth)})
