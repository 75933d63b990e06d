"""How far a model's counts are from the measured ones: one number for each model of the noise, and its slope.

All three are scaled so that they agree where the model is nearly right: Σ (√I − √m)².
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

LossKind = Literal["amplitude", "intensity", "poisson"]


class Loss(Protocol):
    """A misfit of model counts I (b, ny, nx) to measured amplitudes √m, summed over the pixels of weight 1."""

    def value(self, counts: Tensor, measured: Tensor, weight: Tensor | None) -> Tensor:
        """The misfit (0-d), differentiable."""

    def slope(self, counts: Tensor, measured: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        """∂L/∂I (b, ny, nx), zero where the weight is, and the misfit; `counts` may be overwritten."""


class Amplitude:
    """Σ (√I − √m)²: the Gaussian model of Poisson counts, whose root has nearly the same variance for all counts.

    Thibault & Guizar-Sicairos, New J. Phys. 14, 063004 (2012), compare it with other models of the noise.
    """

    def value(self, counts: Tensor, measured: Tensor, weight: Tensor | None) -> Tensor:
        """The misfit."""
        error = torch.sqrt(counts + _tiny(measured.dtype)) - measured
        return _squares(error if weight is None else error * weight)

    def slope(self, counts: Tensor, measured: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        """1 − √m / √I: minus what the modulus projection would add to the waves, as a part of them."""
        modelled = counts.add_(_tiny(measured.dtype)).sqrt_()
        error = modelled - measured
        if weight is not None:
            error *= weight
        loss = _squares(error)
        return error.div_(modelled), loss


@dataclass(frozen=True)
class Intensity:
    """Σ (I − m)² / 4c, c = Σm² / Σm: noise of the same strength in every pixel, as of a camera that is not counting."""

    scale: float
    """c, the counts of a typical bright pixel."""

    def value(self, counts: Tensor, measured: Tensor, weight: Tensor | None) -> Tensor:
        """The misfit."""
        error = counts - measured.square()
        return _squares(error if weight is None else error * weight) / (4 * self.scale)

    def slope(self, counts: Tensor, measured: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        """(I − m) / 2c."""
        error = torch.addcmul(counts, measured, measured, value=-1)
        if weight is not None:
            error *= weight
        loss = _squares(error) / (4 * self.scale)
        return error.div_(2 * self.scale), loss


class Poisson:
    """½ Σ (I − m + m log(m / I)): half the deviance of Poisson counts, the right loss where counts are few.

    Thibault & Guizar-Sicairos, New J. Phys. 14, 063004 (2012), Eq. 5.
    """

    def value(self, counts: Tensor, measured: Tensor, weight: Tensor | None) -> Tensor:
        """The misfit."""
        expected, seen = counts + DARK_COUNTS, measured.square() + DARK_COUNTS
        each = expected - seen + seen * torch.log(seen / expected)
        return 0.5 * (each if weight is None else each * weight).sum()

    def slope(self, counts: Tensor, measured: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        """½ (1 − m / I)."""
        expected, seen = counts.add_(DARK_COUNTS), measured.square().add_(DARK_COUNTS)
        ratio = seen / expected
        each = ratio.log().sub_(1).mul_(seen).add_(expected)
        slope = ratio.neg_().add_(1).mul_(0.5)
        if weight is not None:
            each *= weight
            slope *= weight
        return slope, 0.5 * each.sum()


DARK_COUNTS = 0.2
"""What the Poisson loss adds to model and measurement, so that a single count where none is expected does not weigh
infinitely; what it is smallest at stays."""


def loss_of(kind: LossKind, scale: float) -> Loss:
    """The loss of a name; `scale` is Σm² / Σm of the scan."""
    if kind == "intensity":
        return Intensity(scale)
    return Poisson() if kind == "poisson" else Amplitude()


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


def _squares(error: Tensor) -> Tensor:
    flat = error.reshape(-1)
    return torch.dot(flat, flat)


def _tiny(dtype: torch.dtype) -> float:
    return math.sqrt(torch.finfo(dtype).tiny)
