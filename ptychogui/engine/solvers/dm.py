"""The difference map."""

from __future__ import annotations

from typing import Literal

from ptychogui.engine.solvers.projections import Projections


class DM(Projections):
    """Difference map: it explores instead of descending, so that it does not stay in a wrong picture.

    When to use it: for the first 20 to 100 epochs where other solvers stay stuck (a bad first probe, a strong phase
    object, little overlap). It never settles on noisy data: let `adam` or `lbfgs` follow as a second stage. It takes
    no batches and holds a wave of every frame and mode: twice the memory of the frames for each mode.
    Positions and other unknowns wait for the stage that follows.

    Thibault et al., Science 321, 379 (2008), and Ultramicroscopy 109, 338 (2009): Ψ += Π(2W − Ψ) − W, Π being the
    projection on the measured moduli and W the waves of the probe and object that fit Ψ best.
    """

    kind: Literal["dm"] = "dm"

    @property
    def averaging(self) -> float:
        """All of it."""
        return 1.0
