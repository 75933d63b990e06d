"""What the solvers by projections share: a wave of its own for every frame, and the object and probe that fit them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import ptychogui.params as p
from ptychogui.engine.solvers.base import Update
from ptychogui.engine.solvers.rpie import Regularised

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.crew import Shard
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State

_CHUNK = 32


@dataclass
class Waves:
    """The iterate Ψ (N, M, ny, nx) at the detector, which of it (N,) holds waves already, and the probe of these."""

    detector: Tensor
    filled: Tensor
    probe: Tensor


class Projections(Regularised):
    """An iterate in the space of all waves, moved by two projections: on the measured moduli, and on ψ = P · O.

    The waves are kept at the detector, where the first costs nothing, so an epoch transforms every wave forth and back
    once. The second takes the least-squares object of the old probe, then the least-squares probe of the new object
    (Thibault et al., Ultramicroscopy 109, 338 (2009)).
    """

    steps_per_epoch: ClassVar[int] = 8
    together: ClassVar[bool] = True
    explores: ClassVar[bool] = True

    final_step: Annotated[p.Fraction, p.LIVE] = 1.0
    """The part of both steps that is left in the last epoch; below 1 they shrink along a cosine, so that noise
    averages out."""

    @property
    @abstractmethod
    def averaging(self) -> float:
        """β: the part of the difference map in a step; the rest is drawn to the waves of object and probe."""

    def begin(self, problem: Problem, state: State) -> Any:
        """Room for a wave of every frame and mode, which begins as that of object and probe."""
        import torch

        count = len(problem)
        detector = state.probe.new_empty((count, *state.probe.shape))
        return Waves(detector, torch.zeros(count, dtype=torch.bool, device=detector.device), state.probe)

    def step(self, problem: Problem, state: State, memory: Any, shard: Shard, done: int) -> Update:
        """Move the waves Ψ of a shard to β (Ψ + Π(2W − Ψ)) + (1 − 2β) W, W being those of the present object and probe.

        Numerators and denominators are of the object and the probe that fit the moved waves best.
        """
        import torch

        from ptychogui.engine.gradient import brought_back, misfit, placed
        from ptychogui.engine.losses import Amplitude, power

        index = shard.index
        exit, waves = problem.waves(state, index)
        _, loss, unknowns = misfit(problem, state, exit, waves, Amplitude())
        before = torch.where(memory.filled[index, None, None, None], memory.detector[index], waves)
        after = _with_moduli(2 * waves - before, problem, state, index).add_(before).mul_(self.averaging)
        memory.detector[index] = after.add_(waves, alpha=1 - 2 * self.averaging)
        memory.filled[index] = True
        chi = exit.waves - problem.propagator.adjoint(after, exit.ramps, state.transfer)
        obj, probe = brought_back(chi, exit, state, shard, with_probe=done >= self.probe_start)
        lit = power(state.probe).sum(0).expand(len(index), -1, -1)
        seen = None if probe is None else power(exit.views).sum(0)
        return Update(obj, placed(lit, state, shard), probe, seen, loss, unknowns)

    def apply(
        self, problem: Problem, state: State, memory: Any, begin: tuple[int, int], update: Update, pace: float
    ) -> None:
        """The object, and then the probe: its gradient was taken at the old object, and is carried over to the new."""
        before, probe = state.obj[0].clone(), update.probe
        update.probe = None
        super().apply(problem, state, memory, begin, update, pace)
        if probe is not None:
            moved, weight = _carried(state, before)
            step = (pace * self.probe_step) / self.probe_denominator(weight)
            state.probe = state.probe - (probe + state.probe * moved) * step
        memory.probe = state.probe

    def settle(self, state: State, memory: Any) -> None:
        """Mix the waves as the modes of the probe were mixed; where the probe was moved, begin anew from it."""
        import torch

        if state.probe is memory.probe:
            return
        old, new = memory.probe.flatten(1), state.probe.flatten(1)
        left, sizes, right = torch.linalg.svd(new @ old.mH)
        if float(sizes.sum()) < _SAME * float(old.norm() * new.norm()):
            memory.filled.zero_()
        elif len(new) > 1:
            mix = (left @ right).to(new.dtype)
            for part in torch.split(memory.detector, _CHUNK):
                part.copy_(torch.einsum("ab,nbyx->nayx", mix, part))


_SAME = 0.95
"""The overlap of a probe with itself after the constraints, below which it has been moved."""


def _with_moduli(waves: Tensor, problem: Problem, state: State, index: Tensor) -> Tensor:
    """Π: the nearest waves (b, M, ny, nx) with the measured moduli; what does not count stays as it is."""
    from ptychogui.engine.losses import Amplitude, intensity

    wanted = problem.amplitude(index)
    if state.background is not None:
        wanted = (wanted.square() - state.background).clamp_min(0).sqrt()
    if state.gain is not None:
        wanted = wanted / state.gain[index].to(wanted.dtype).sqrt()[:, None, None]
    slope, _ = Amplitude().slope(intensity(waves), wanted, problem.weight(index))
    return waves.mul_(1 - slope[:, None])


def _carried(state: State, before: Tensor) -> tuple[Tensor, Tensor]:
    """Σ O*(O − O_before) and Σ |O|² over all windows (ny, nx): what the object's step adds to the probe's gradient."""
    import torch

    from ptychogui.engine.losses import power
    from ptychogui.engine.views import views

    after = state.obj[0]
    maps = after.conj() * (after - before), power(after)
    moved, weight = (
        sum(views(each, corner, state.window).sum(0) for corner in torch.split(state.corner, _CHUNK)) for each in maps
    )
    return torch.as_tensor(moved), torch.as_tensor(weight)
