"""Iterative least-squares maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import ptychogui.params as p
from ptychogui.engine.solvers.base import Update
from ptychogui.engine.solvers.descent import Descent
from ptychogui.engine.solvers.momentum import Accelerated

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.crew import Shard
    from ptychogui.engine.models.thin import Exit
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State

_FLOOR = 0.05
"""The part of the largest weight that is added to all, so that hardly lit pixels keep still."""
_FRICTION = 0.7
_EVERY = 10


@dataclass
class Residuals(Update):
    """An update, and the exit waves of its frames with χ* (b, M, ny, nx), what is wrong with each."""

    parts: list[tuple[Exit, Tensor]] = field(default_factory=list)

    def add(self, other: Update) -> None:
        """Take in what another shard of the same batch says."""
        super().add(other)
        assert isinstance(other, Residuals)
        self.parts += other.parts


class LSQML(Accelerated, Descent):
    """Least-squares maximum likelihood: every frame says how long the steps of object and probe should be, so that no
    step size has to be found.

    When to use it: on any scan, above all where `adam` or `mpie` take steps that do not suit the data; it brings object
    and probe together faster than the others do, at nearly twice the time for an epoch.

    Odstrčil, Menzel & Guizar-Sicairos, Opt. Express 26, 3108 (2018): a batch gives the directions ΔO = ΣP*χ / Σ|P|² and
    ΔP = ΣO*χ / Σ|O|²; each of its frames the lengths for which α_O PΔO + α_P OΔP is closest to its χ, by two
    equations; their means over the batch are taken.
    """

    steps_per_epoch: ClassVar[int] = 16

    kind: Literal["lsqml"] = "lsqml"
    damping: Annotated[p.NonNegative, p.LIVE] = 0.1
    """What is added to the two equations of every frame, as a part of their mean: larger makes steps shorter."""
    momentum: Annotated[p.Fraction, p.LIVE] = 0.3
    """How much of what has changed steadily is added every ten batches, as in `mpie`; 0 for none."""

    def step(self, problem: Problem, state: State, memory: Any, shard: Shard, done: int) -> Update:
        """The gradient of object and probe over the frames of a shard, their weights, and χ of every frame."""
        from ptychogui.engine.gradient import brought_back, misfit, placed
        from ptychogui.engine.losses import power

        exit, waves = problem.waves(state, shard.index)
        slope, loss, unknowns = misfit(problem, state, exit, waves, problem.loss(self.loss))
        if state.gain is not None:
            slope = slope * state.gain[shard.index].to(slope.dtype)[:, None, None]
        chi = problem.propagator.adjoint(waves * slope[:, None], exit.ramps, state.transfer)
        obj, probe = brought_back(chi, exit, state, shard, with_probe=done >= self.probe_start)
        lit = placed(power(state.probe).sum(0).expand(len(shard.index), -1, -1), state, shard)
        seen = power(exit.views).sum(0)
        return Residuals(obj, lit, probe, seen, loss, unknowns, [(exit, chi)])  # χ was conjugated in place

    def apply(
        self, problem: Problem, state: State, memory: Any, begin: tuple[int, int], update: Update, pace: float
    ) -> None:
        """Move object and probe along their directions, as far as the frames of the batch say."""
        assert isinstance(update, Residuals)
        assert update.obj_weight is not None
        assert update.probe_weight is not None
        (y, x), (ny, nx) = begin, update.obj.shape
        obj = update.obj / (update.obj_weight + _FLOOR * update.obj_weight.max())
        probe = None
        if update.probe is not None:
            probe = update.probe / (update.probe_weight + _FLOOR * update.probe_weight.max())
        lengths = _lengths(state, begin, update.parts, obj, probe, self.damping)
        state.obj[0, y : y + ny, x : x + nx] -= obj * (lengths[0] * (pace * self.object_step))
        if probe is not None:
            state.probe = state.probe - probe * (lengths[1] * (pace * self.probe_step))
        if self.momentum:
            memory.after_batch(state, _FRICTION, self.momentum, _EVERY)


def _lengths(
    state: State,
    begin: tuple[int, int],
    parts: list[tuple[Exit, Tensor]],
    obj: Tensor,
    probe: Tensor | None,
    damping: float,
) -> Tensor:
    """The lengths (2,) of the steps along `obj`, on the canvas from `begin`, and `probe`: the mean of all frames."""
    import torch

    from ptychogui.engine.views import views

    products = []
    for exit, chi in parts:
        corner = state.corner[exit.index] - torch.tensor(begin, device=state.corner.device)
        a = _flat(exit.probes * views(obj, corner, state.window)[:, None])
        b = torch.zeros_like(a) if probe is None else _flat(_moved(probe, exit) * exit.views[:, None])
        c = _flat(chi.conj())
        products.append(torch.stack([_dots(*pair) for pair in ((a, a), (a, b), (b, b), (a, c), (b, c))]))
    aa, ab, bb, ac, bc = torch.cat(products, 1)
    tiny = torch.finfo(aa.dtype).tiny
    aa, bb = (each + damping * each.mean() + tiny for each in (aa, bb))
    determinant = aa * bb - ab * ab
    return torch.stack([bb * ac - ab * bc, aa * bc - ab * ac]).div(determinant).clamp_min(0).mean(1)


def _flat(waves: Tensor) -> Tensor:
    """Waves (b, M, ny, nx) as real numbers (b, 2 M ny nx)."""
    import torch

    return torch.view_as_real(waves.resolve_conj()).flatten(1)


def _dots(a: Tensor, b: Tensor) -> Tensor:
    """The inner products (b,) of rows."""
    return (a[:, None] @ b[:, :, None])[:, 0, 0]


def _moved(probe: Tensor, exit: Exit) -> Tensor:
    """The probe's direction where it lies in every frame."""
    import torch

    if exit.ramps is None:
        return probe[None]
    moved: Tensor = torch.fft.ifft2(torch.fft.fft2(probe) * exit.ramps[0][:, None] * exit.ramps[1][:, None])
    return moved
