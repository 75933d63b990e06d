"""How far a model's pattern is from a measured one."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def intensity(waves: Tensor) -> Tensor:
    """The counts (b, ny, nx) of waves (b, M, ny, nx): |Ψ|² summed over the incoherent modes."""
    each = waves.real.square() + waves.imag.square()
    return each[:, 0] if each.shape[1] == 1 else each.sum(1)


def amplitude_loss(waves: Tensor, measured: Tensor, weight: Tensor | None) -> Tensor:
    """Σ (√I − |Ψ|)² over valid pixels, differentiable; the Gaussian model of Poisson counts.

    (Thibault & Guizar-Sicairos, New J. Phys. 14, 063004 (2012), Eq. 6 after the square root that makes the variance
    constant.)
    """
    error = torch.sqrt(intensity(waves) + _tiny(measured.dtype)) - measured
    if weight is not None:
        error = error * weight
    return torch.dot(error.reshape(-1), error.reshape(-1))


def amplitude_correction(waves: Tensor, measured: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """What the modulus projection adds to the waves, Ψ (√I / |Ψ| − 1), and the loss before it.

    It is minus the gradient ∂L/∂Ψ* of `amplitude_loss`.
    """
    modelled = torch.sqrt(intensity(waves) + _tiny(measured.dtype))
    error = measured - modelled
    if weight is not None:
        error *= weight
    loss = torch.dot(error.view(-1), error.view(-1))
    return waves * error.div_(modelled)[:, None], loss


def _tiny(dtype: torch.dtype) -> float:
    return math.sqrt(torch.finfo(dtype).tiny)
