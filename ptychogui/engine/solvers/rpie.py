"""The regularised ptychographical iterative engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import ptychogui.params as p
from ptychogui.engine.solvers.pie import PIE

if TYPE_CHECKING:
    from torch import Tensor


class Regularised(PIE):
    """The denominators of rPIE, which mPIE shares."""

    alpha: Annotated[p.Fraction, p.LIVE] = 0.1
    """α: 1 is ePIE; smaller moves weakly lit parts of the object further, with more noise there."""
    beta: Annotated[p.Fraction, p.LIVE] = 0.5
    """β: the same for the probe, where the object transmits little: 1 is ePIE, smaller moves it further."""

    def object_denominator(self, weight: Tensor, peak: Tensor) -> Tensor:
        """(1 − α) Σ|P|² + α max(Σ|P|², max|P|²)."""
        import torch

        return torch.maximum(weight, (1 - self.alpha) * weight + self.alpha * peak)

    def probe_denominator(self, weight: Tensor) -> Tensor:
        """(1 − β) Σ|O|² + β max Σ|O|²."""
        return (1 - self.beta) * weight + self.beta * weight.max()


class RPIE(Regularised):
    """rPIE, the regularised engine: as ePIE, but weakly lit parts of the object catch up.

    When to use it: for a fast look at any scan, and where `mpie` is too lively. A smaller `alpha` is faster at the rim
    of the beam, with more noise there.

    Maiden, Johnson & Li, Optica 4, 736 (2017): O += γ P*χ / ((1 − α)|P|² + α max|P|²), the probe likewise.
    """

    kind: Literal["rpie"] = "rpie"
