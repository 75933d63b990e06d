"""How far a model's pattern is from a measured one."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def intensity(waves: Tensor) -> Tensor:
    """The counts (b, ny, nx) of waves (b, M, ny, nx): |Ψ|² summed over the incoherent modes."""
    return over_modes(power(waves))


def power(values: Tensor) -> Tensor:
    """|z|²; four times as fast as by `abs`."""
    squares = torch.view_as_real(values).square()
    return squares[..., 0] + squares[..., 1]


def over_modes(values: Tensor) -> Tensor:
    """The sum over the modes of (b, M, ny, nx); of a single mode no copy is made."""
    return values[:, 0] if values.shape[1] == 1 else values.sum(1)


def amplitude_loss(waves: Tensor, measured: Tensor, weight: Tensor | None) -> Tensor:
    """Σ (√I − |Ψ|)² over valid pixels, differentiable; the Gaussian model of Poisson counts.

    Their square root has nearly the same variance for all counts (Thibault & Guizar-Sicairos, New J. Phys. 14, 063004
    (2012), compare it with other models of the noise).
    """
    error = torch.sqrt(intensity(waves) + _tiny(measured.dtype)) - measured
    if weight is not None:
        error = error * weight
    return torch.dot(error.reshape(-1), error.reshape(-1))


def amplitude_gradient(waves: Tensor, measured: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """The gradient ∂L/∂Ψ* = Ψ (1 − √I / |Ψ|) of `amplitude_loss`, and the loss.

    It is minus what the modulus projection would add to the waves.
    """
    modelled = intensity(waves).add_(_tiny(measured.dtype)).sqrt_()
    error = modelled - measured
    if weight is not None:
        error *= weight
    loss = torch.dot(error.view(-1), error.view(-1))
    return waves * error.div_(modelled)[:, None], loss


def _tiny(dtype: torch.dtype) -> float:
    return math.sqrt(torch.finfo(dtype).tiny)
