"""What is added to the loss beside the misfit: what is known of samples and probes; one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ptychogui.engine.penalties.amplitude_range import AmplitudeRange
from ptychogui.engine.penalties.energy import Energy
from ptychogui.engine.penalties.penalty import Penalty
from ptychogui.engine.penalties.smoothness import Smoothness
from ptychogui.engine.penalties.total_variation import TotalVariation
from ptychogui.params import Params

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.problem import Problem
    from ptychogui.engine.solvers.base import Update
    from ptychogui.engine.state import State


class Penalties(Params):
    """Terms added to the loss of every solver; each can be switched on and off, also during a run.

    Their gradients join those of the data batch by batch, and their curvatures the weights of solvers that divide by
    one. A strength is a part of what the data say of a mean lit pixel, so that it means the same for all scans.
    """

    energy: Energy = Energy()
    """Empty what no frame needs."""
    amplitude_range: AmplitudeRange = AmplitudeRange()
    """Keep the object's amplitude within a range, softly."""
    smoothness: Smoothness = Smoothness()
    """Make neighbouring pixels of the object alike."""
    total_variation: TotalVariation = TotalVariation()
    """Make the object flat but for its edges."""

    @property
    def active(self) -> list[Penalty]:
        """Those that weigh something."""
        every: list[Penalty] = [getattr(self, name) for name in type(self).model_fields]
        return [penalty for penalty in every if penalty.enabled and penalty.strength]

    def add(self, problem: Problem, state: State, begin: tuple[int, int], update: Update, share: float) -> None:
        """Add those that are active to what a batch says, which has a part `share` of the frames; on its canvas."""
        (y, x), (ny, nx) = begin, update.obj.shape
        for penalty in self.active:
            weight = penalty.strength * share * problem.counts / lit_px(state)
            term = penalty.term(state.obj[0, y : y + ny, x : x + nx])
            update.loss = update.loss + weight * term.value
            update.obj = update.obj + weight * term.gradient
            if update.obj_weight is not None:
                update.obj_weight = update.obj_weight + weight * term.weight
            if isinstance(penalty, Energy) and update.probe is not None:
                part = penalty.strength * share * len(problem)  # the data weigh the probe by Σ|O|², about N
                term = penalty.term(state.probe)
                update.loss = update.loss + part * term.value
                update.probe = update.probe + part * term.gradient
                if update.probe_weight is not None:
                    update.probe_weight = update.probe_weight + part * term.weight[0]


def lit_px(state: State) -> Tensor:
    """About how many pixels of the object are lit (0-d): the scan's box, wider by a beam, or what all beams cover."""
    import torch

    from ptychogui.engine.losses import power

    beam = power(state.probe).sum(0)
    beam_px = beam.sum().square() / beam.square().sum()
    sides = state.position_px.amax(0) - state.position_px.amin(0) + beam_px.sqrt()
    return torch.minimum(sides.prod(), len(state.corner) * beam_px).to(beam.dtype)
