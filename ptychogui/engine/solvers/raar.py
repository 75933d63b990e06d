"""Relaxed averaged alternating reflections."""

from __future__ import annotations

from typing import Annotated, Literal

import ptychogui.params as p
from ptychogui.engine.solvers.projections import Projections


class RAAR(Projections):
    """Relaxed averaged alternating reflections: a difference map that is drawn back to the data, so that it settles.

    When to use it: as `dm`, where the first probe is bad or other solvers stay stuck, but with noisy or imperfect data
    and without a second stage. It takes no batches and holds a wave of every frame and mode: twice the memory of the
    frames for each mode. Positions and other unknowns wait for a stage of another solver.

    Luke, Inverse Problems 21, 37 (2005): Ψ ← β (Ψ + Π(2W − Ψ)) + (1 − 2β) W, with the set of all P · O in the place
    of the support; Marchesini et al., J. Appl. Cryst. 49, 1245 (2016) use it for ptychography.
    """

    kind: Literal["raar"] = "raar"
    relaxation: Annotated[p.Fraction, p.LIVE] = 0.9
    """β: 1 is the difference map; smaller settles sooner, at 0.5 it hardly explores any more."""

    @property
    def averaging(self) -> float:
        """β."""
        return self.relaxation
