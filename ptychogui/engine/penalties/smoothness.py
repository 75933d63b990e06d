"""Neighbouring pixels are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ptychogui.engine.penalties.penalty import Penalty, Term
from ptychogui.params import LIVE, NonNegative

if TYPE_CHECKING:
    from torch import Tensor


class Smoothness(Penalty):
    """R = Σ|∇O|²: neighbouring pixels of the object are alike. Takes noise from weak, soft samples; blurs edges.

    Thibault & Guizar-Sicairos, New J. Phys. 14, 063004 (2012), section 3.3, regularise so.
    """

    strength: Annotated[NonNegative, LIVE] = 0.05
    """Its weight against the data. Detail of two pixels' period is kept to 1 / (1 + 8 · strength)."""

    def term(self, values: Tensor) -> Term:
        """Squared differences; four neighbours make a curvature of at most eight."""
        import torch

        from ptychogui.engine.penalties.differences import differences, divergence

        down, right = differences(values)
        value = (down.abs().square() + right.abs().square()).sum()
        return Term(value, -divergence(down, right), torch.full_like(values.real, 8.0))
