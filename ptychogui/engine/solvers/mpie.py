"""The momentum-accelerated ptychographical iterative engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import ptychogui.params as p
from ptychogui.engine.solvers.base import Update
from ptychogui.engine.solvers.momentum import Accelerated
from ptychogui.engine.solvers.rpie import Regularised

if TYPE_CHECKING:
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State


class MPIE(Accelerated, Regularised):
    """mPIE: rPIE with momentum, which carries on what changes slowly.

    When to use it: on clean data with good positions, where it takes the fewest passes of all to a sharp picture. On
    data with other errors than noise make `feedback` smaller, or take `lsqml` or `adam`.

    Maiden, Johnson & Li, Optica 4, 736 (2017): every T batches v = η v + (O − O_T), O_T being the object after the last
    kick, and O moves on along v; here by `feedback` · v, as PtyLab has it. The probe likewise.
    """

    kind: Literal["mpie"] = "mpie"
    friction: Annotated[p.Fraction, p.LIVE] = 0.7
    """η: how much of the velocity is kept from one kick to the next; near 1 it runs past the goal and swings."""
    feedback: Annotated[p.Fraction, p.LIVE] = 0.3
    """How much of the velocity is added at a kick; smaller is steadier on data with other errors than noise."""
    every: Annotated[p.Count, p.LIVE] = 10
    """T: batches from one kick to the next. Few make the velocity follow the noise of single batches."""

    def apply(
        self, problem: Problem, state: State, memory: Any, begin: tuple[int, int], update: Update, pace: float
    ) -> None:
        """As rPIE, and a kick every T batches."""
        super().apply(problem, state, memory, begin, update, pace)
        memory.after_batch(state, self.friction, self.feedback, self.every)
