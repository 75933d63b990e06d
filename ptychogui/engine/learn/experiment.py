"""The experiment that a network is trained for: its probe and scan on the network's grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ptychogui.engine.problem import Problem
from ptychogui.engine.state import State
from ptychogui.params import InputError
from ptychogui.types import Positions

Pair = tuple[float, float]
_DARK_MODE = 1e-12


@dataclass(frozen=True)
class Experiment:
    """A probe (n, n), complex64, its largest amplitude 1, and positions (N, 2) in its pixels.

    `counts` are those of a frame without a sample, of all modes, in the part of it that the network sees; `pixel_m` is
    the pixel (dy, dx) at the sample.
    """

    probe: Tensor
    positions_px: Positions
    counts: float
    pixel_m: Pair


def experiment(problem: Problem, state: State, pixels: int) -> Experiment:
    """The experiment of a state, on a grid of `pixels` × `pixels`.

    Raises `InputError` for a near field, whose patterns no network here has learned, and for an empty probe.
    """
    refuse_near(problem)
    dy, dx = problem.geometry.pixel_m
    return of_probe(state.probe, state.position_px.cpu().numpy(), (dy, dx), pixels)


def refuse_near(problem: Problem) -> None:
    """Raise `InputError` for a near field, whose patterns no network here has learned."""
    if problem.geometry.field == "near":
        raise InputError("A network sees far-field patterns only: start from the data (start.kind=data).")


def of_probe(modes: Tensor, positions_px: Positions, pixel_m: Pair, pixels: int) -> Experiment:
    """The experiment of a probe's modes (M, ny, nx) in root counts and of positions (N, 2) in its pixels, on the
    network's grid. The network sees the first mode.

    Raises `InputError` for an empty probe.
    """
    small = on_grid(modes, pixels)
    power = float(small.abs().square().sum())
    if not (power > _DARK_MODE and bool(small[0].any())):
        raise InputError("The probe is empty, so there is nothing that a network could be trained for or be given.")
    sy, sx = (n / pixels for n in modes.shape[-2:])
    positions = positions_px / np.array((sy, sx))
    return Experiment(small[0] / small[0].abs().max(), positions, power, (pixel_m[0] * sy, pixel_m[1] * sx))


def scales(state: State, pixels: int) -> Pair:
    """How many pixels of a state make one of the network's, along y and x."""
    ny, nx = state.window
    return ny / pixels, nx / pixels


def on_grid(values: Tensor, pixels: int) -> Tensor:
    """Waves (…, ny, nx) on a grid of `pixels` × `pixels` that begins where theirs does: their lowest frequencies."""
    out: Tensor = torch.fft.ifft2(cut(torch.fft.fft2(values, norm="ortho"), pixels), norm="ortho")
    return out.to(torch.complex64)


def cut(patterns: Tensor, pixels: int) -> Tensor:
    """The middle of patterns (…, ny, nx), zero frequency in the corner, as the network's (…, n, n); or zeros around."""
    centred = torch.fft.fftshift(patterns, (-2, -1))
    out: Tensor = torch.fft.ifftshift(_cut(centred, pixels), (-2, -1))
    return out


def _cut(centred: Tensor, pixels: int) -> Tensor:
    """Values (…, ny, nx) cut or padded around index n // 2 to a square."""
    out = centred.new_zeros((*centred.shape[:-2], pixels, pixels))
    into, of = [], []
    for have in centred.shape[-2:]:
        low = pixels // 2 - have // 2
        into.append(slice(max(low, 0), min(low + have, pixels)))
        of.append(slice(max(-low, 0), max(-low, 0) + min(low + have, pixels) - max(low, 0)))
    out[..., into[0], into[1]] = centred[..., of[0], of[1]]
    return out


def unlike(probe: Tensor, other: Tensor) -> float:
    """How far two probes (n, n) are apart: 0 for the same but for a complex factor and a shift, 1 for strangers."""
    if probe.shape != other.shape:
        return 1.0
    both = torch.fft.ifft2(torch.fft.fft2(probe).conj() * torch.fft.fft2(other))
    together = both.abs().max() / (probe.norm() * other.norm())
    return float((1 - together.square()).clamp_min(0).sqrt())
