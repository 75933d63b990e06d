"""First guesses of the probe."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ptychogui.engine.problem import Problem
from ptychogui.engine.start.defocus import curvatures, focused, trial_loss
from ptychogui.geometry import Geometry
from ptychogui.types import Complex, Dataset

_SAMPLE = 96
"""Frames that are looked at."""
_FAR_BETTER = 0.6
"""The part of the loss with the file's probe below which another one is taken."""
_MODE_POWER = 0.1
"""The part of the power that each further mode begins with."""


def probe_from_file(problem: Problem, modes: Complex) -> Tensor:
    """Modes (M, ny, nx) as a file holds them, cut or padded around their middle to the window."""
    out = np.zeros((len(modes), *problem.window), np.complex128)
    target, source = [slice(None)], [slice(None)]
    for have, want in zip(modes.shape[1:], problem.window, strict=True):
        low = want // 2 - have // 2
        target.append(slice(max(low, 0), min(low + have, want)))
        source.append(slice(max(-low, 0), max(-low, 0) + min(low + have, want) - max(low, 0)))
    out[tuple(target)] = modes[tuple(source)]
    return torch.from_numpy(out).to(problem.device)


def probe_from_data(problem: Problem, dataset: Dataset) -> Tensor:
    """One mode (1, ny, nx), complex128: the mean amplitude brought back to the sample; an unknown defocus is none."""
    if dataset.geometry.field == "near":
        # Kandel et al., Opt. Express 27, 18653 (2019), Eq. 15: back-propagated root of the mean intensity
        wave = _mean(problem).sqrt().to(problem.dtype)
        out: Tensor = problem.propagator.adjoint(wave, None)[None].to(torch.complex128)
        return out
    return _spot(_aperture(_mean(problem), dataset.geometry), _curvature_from_geometry(dataset.geometry) or (0.0, 0.0))


def first_probes(
    problem: Problem, dataset: Dataset, held: Tensor | None, search: bool, seed: int
) -> Iterator[tuple[Tensor, str]]:
    """The best probe (M, ny, nx) so far, with the short run that comes next; after the last, or without any, with ''.

    Where the defocus is not known, short runs find it. The probe `held` by the file stays, unless the one seen in the
    frames explains a few of them far better: short runs are poor judges where the positions are wrong too, so a small
    difference does not count.
    """
    seen = probe_from_data(problem, dataset)
    if search and problem.geometry.field == "far":
        if _curvature_from_geometry(dataset.geometry) is None:
            aperture = _aperture(_mean(problem), dataset.geometry)
            for curvature, doing in curvatures(problem, dataset, aperture, seed):
                seen = _spot(aperture, curvature)
                if doing:
                    yield seen if held is None else held, doing
        if held is not None:
            yield held, "Trying the probe of the file by a short run…"
            known = trial_loss(problem, dataset, held, seed)
            yield held, "Trying the probe that the frames show by a short run…"
            held = seen if trial_loss(problem, dataset, seen, seed) < _FAR_BETTER * known else held
    yield seen if held is None else held, ""


def with_modes(probe: Tensor, count: int) -> Tensor:
    """Bring modes (M, ny, nx) to `count` of them; new ones are the first times low Hermite polynomials."""
    if count <= len(probe):
        return probe[:count]
    first = probe[0]
    power = first.abs().square()
    waves = [*probe]
    axes = []
    for axis, n in enumerate(first.shape):
        coordinate = torch.arange(n, dtype=torch.float64, device=probe.device)
        profile = power.sum(1 - axis) / power.sum()
        centre = (profile * coordinate).sum()
        width = (profile * (coordinate - centre).square()).sum().sqrt()
        axes.append((coordinate - centre) / width)
    orders = sorted(((i, j) for i in range(count) for j in range(count)), key=lambda ij: (sum(ij), ij))[1:]
    for i, j in orders[: count - len(probe)]:
        wave = first * axes[0].pow(i)[:, None] * axes[1].pow(j)[None, :]
        for other in waves:
            wave = wave - other * (other.conj() * wave).sum() / other.abs().square().sum()
        waves.append(wave * (_MODE_POWER * power.sum() / wave.abs().square().sum()).sqrt())
    out: Tensor = torch.stack(waves)
    return out


def _mean(problem: Problem) -> Tensor:
    """The mean counts (ny, nx) of some frames, in the propagator's order, double."""
    index = torch.linspace(0, len(problem) - 1, min(_SAMPLE, len(problem)), device=problem.device).round().long()
    counts = problem.amplitude(index).double().square()
    weight = problem.weight(index)
    if weight is not None:
        counts = _filled(counts, weight.double().expand_as(counts))
    return counts.mean(0)


def _spot(aperture: Tensor, curvature: tuple[float, float]) -> Tensor:
    """One mode (1, ny, nx): the wave of a pupil out of focus, its middle in the window's."""
    spot: Tensor = torch.fft.fftshift(focused(aperture, curvature), (-2, -1))[None]
    return spot


def _filled(counts: Tensor, weight: Tensor) -> Tensor:
    """Invalid pixels take the mean of the frames in which they, or else any pixels, are valid."""
    seen = weight.sum(0)
    mean = (counts * weight).sum(0) / seen.clamp_min(1)
    mean = torch.where(seen > 0, mean, mean.sum() / (seen > 0).sum().clamp_min(1))
    out: Tensor = torch.where(weight > 0, counts, mean)
    return out


def _aperture(mean: Tensor, geometry: Geometry) -> Tensor:
    """The amplitude in the pupil, zero frequency first: a disc where the semi-angle is known, else √mean counts."""
    if geometry.convergence_rad is None or geometry.wavelength_m is None or not geometry.calibrated:
        return mean.sqrt()
    ny, nx = mean.shape
    fy = torch.fft.fftfreq(ny, geometry.pixel_m[0], dtype=torch.float64, device=mean.device)[:, None]
    fx = torch.fft.fftfreq(nx, geometry.pixel_m[1], dtype=torch.float64, device=mean.device)[None, :]
    radius = geometry.convergence_rad / geometry.wavelength_m
    edge = 0.5 / (max(ny, nx) * min(geometry.pixel_m))
    out: Tensor = ((radius - (fy.square() + fx.square()).sqrt()) / edge).clamp(-1, 1) * 0.5 + 0.5
    return out


def _curvature_from_geometry(geometry: Geometry) -> tuple[float, float] | None:
    """λ z / dx² along y and x for a known defocus."""
    if geometry.behind_focus_m is None or geometry.wavelength_m is None or not geometry.calibrated:
        return None
    y, x = (geometry.wavelength_m * geometry.behind_focus_m / d**2 for d in geometry.pixel_m)
    return y, x
