"""The extended ptychographical iterative engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ptychogui.engine.solvers.pie import PIE

if TYPE_CHECKING:
    from torch import Tensor


class EPIE(PIE):
    """ePIE, the extended ptychographical iterative engine: the plain, robust classic.

    When to use it: to compare with published work, or when another solver breaks up. Weakly lit parts of the object
    come slowly; `rpie` and `mpie` are the same with a remedy for that.

    Maiden & Rodenburg, Ultramicroscopy 109, 1256 (2009), Eqs. 6 and 7: O += α P*χ / max|P|², P += β O*χ / max|O|².
    Each is a gradient step of the amplitude loss, that of the object with the step α / max|P|².
    """

    kind: Literal["epie"] = "epie"

    def object_denominator(self, weight: Tensor, peak: Tensor) -> Tensor:
        """The largest Σ |P|² of the canvas."""
        return weight.max()

    def probe_denominator(self, weight: Tensor) -> Tensor:
        """The largest Σ |O|² of the window."""
        return weight.max()
