"""How far a network's pictures are from the truth."""

from __future__ import annotations

import torch
from torch import Tensor

from ptychogui.engine.learn.network import Network
from ptychogui.engine.learn.scans import Scans

_LIT = 0.1
"""The part of the largest illumination from which a pixel counts wholly."""
_UNLIT = 0.1
"""The least weight of a pixel in training: where nothing is measured, something plausible is wanted all the same."""
_LEAST_SPAN = 0.1
"""The least span of amplitude or phase, as a part of the other's, so that one without contrast has a finite weight."""


def nrmse(found: Tensor, truth: Tensor, scans: Scans) -> Tensor:
    """‖exp(iα)·found − truth‖ / ‖truth‖ (B,) of pictures (B, Y, X) over the lit pixels, with the best phase α."""
    weight = (scans.illumination >= _LIT * scans.illumination.max()).to(scans.illumination)
    error = (_in_phase(found, truth, weight) - truth).abs().square()
    power = (truth.abs().square() * weight).sum((1, 2))
    return ((error * weight).sum((1, 2)) / power).sqrt()


def mse(found: Tensor, truth: Tensor, scans: Scans, network: Network) -> Tensor:
    """The mean square error (0-d) of amplitude and phase, each as a part of its range (Guan & Tsai, Eq. 5).

    The error along the truth is that of the amplitude and the error across it that of the phase, to first order, which
    has no jumps. The constant phase, which no pattern tells, is the best; dark pixels count less.
    """
    weight = (scans.illumination / (_LIT * scans.illumination.max())).clamp(_UNLIT, 1)
    size = truth.abs().clamp_min(1e-6)
    error = _in_phase(found, truth, weight) * truth.conj() / size - size
    along, across = spans(network)
    scaled = (error.real / along).square() + (error.imag / across).square()
    return (scaled * weight).sum((1, 2)).mean() / weight.sum()


def spans(network: Network) -> tuple[float, float]:
    """The range of the samples' transmission along itself, by amplitudes, and across, by phases."""
    (low, high), (first, last) = network.amplitude, network.phase_rad
    along, across = high - low, (last - first) * (low + high) / 2
    return max(along, _LEAST_SPAN * across), max(across, _LEAST_SPAN * along)


def _in_phase(found: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    together = (found.conj() * truth * weight).sum((1, 2), keepdim=True)
    return found * torch.polar(torch.ones_like(together.real), together.angle().detach())
