"""Iterative least-squares maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import ptychogui.params as p
from ptychogui.engine.solvers.base import Update
from ptychogui.engine.solvers.descent import Descent
from ptychogui.engine.solvers.momentum import Accelerated

if TYPE_CHECKING:
    from torch import Tensor

    from ptychogui.engine.crew import Crew, Shard
    from ptychogui.engine.models.thin import Exit
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State

_FLOOR = 0.05
"""The part of the largest weight that is added to all, so that hardly lit pixels keep still."""
_FRICTION = 0.7
_EVERY = 10
_CACHED = 2**16
"""Pixels of waves that are multiplied at once: more do not stay in a core's cache."""


@dataclass
class Residuals(Update):
    """An update, with what is wrong with each of its frames: exits whose waves are χ*.

    When the whole batch is known, `obj` and `probe` are divided by their weights, which makes them directions, and
    `products` (5, b) are the inner products of a = PΔO, b = OΔP and χ of each frame: aa, ab, bb, aχ, bχ.
    """

    parts: list[Exit] = field(default_factory=list)
    products: Tensor | None = None

    def add(self, other: Update) -> None:
        """Take in what another shard of the same batch says."""
        super().add(other)
        assert isinstance(other, Residuals)
        self.parts += other.parts

    def weigh(self, crew: Crew, state: State, begin: tuple[int, int]) -> None:
        """Make directions of the sums, and multiply them with what is wrong."""
        import torch

        assert self.obj_weight is not None
        assert self.probe_weight is not None
        self.obj = obj = self.obj / (self.obj_weight + _FLOOR * self.obj_weight.max())
        if self.probe is not None:
            self.probe = self.probe / (self.probe_weight + _FLOOR * self.probe_weight.max())
        probe = self.probe
        said = crew.run(lambda part: _products(state, begin, part, obj, probe), self.parts)
        self.products = torch.cat(list(said), 1)

    def lengths(self, damping: float) -> Tensor:
        """The lengths (2,) of the steps of object and probe: the mean of what all frames say."""
        import torch

        assert self.products is not None
        aa, ab, bb, ac, bc = self.products
        tiny = torch.finfo(aa.dtype).tiny
        aa, bb = (each + damping * each.mean() + tiny for each in (aa, bb))
        determinant = aa * bb - ab * ab
        return torch.stack([bb * ac - ab * bc, aa * bc - ab * ac]).div(determinant).clamp_min(0).mean(1)


class LSQML(Accelerated, Descent):
    """Least-squares maximum likelihood: every frame says how long the steps of object and probe should be, so that no
    step size has to be found.

    When to use it: on any scan, above all where `adam` or `mpie` take steps that do not suit the data; it brings object
    and probe together faster than the others do, at one and a half times the time for an epoch.

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
        return Residuals(obj, lit, probe, seen, loss, unknowns, [replace(exit, waves=chi)])  # χ was conjugated in place

    def apply(
        self, problem: Problem, state: State, memory: Any, begin: tuple[int, int], update: Update, pace: float
    ) -> None:
        """Move object and probe along their directions, as far as the frames of the batch say."""
        assert isinstance(update, Residuals)
        (y, x), (ny, nx) = begin, update.obj.shape
        lengths = update.lengths(self.damping)
        state.obj[0, y : y + ny, x : x + nx] -= update.obj * (lengths[0] * (pace * self.object_step))
        if update.probe is not None:
            state.probe = state.probe - update.probe * (lengths[1] * (pace * self.probe_step))
        if self.momentum:
            memory.after_batch(state, _FRICTION, self.momentum, _EVERY)


def _products(state: State, begin: tuple[int, int], exit: Exit, obj: Tensor, probe: Tensor | None) -> Tensor:
    """The inner products (5, b) of some frames with the directions `obj`, on the canvas from `begin`, and `probe`."""
    import torch

    from ptychogui.engine.views import views

    corner = state.corner[exit.index] - torch.tensor(begin, device=state.corner.device)
    size = len(corner) if corner.device.type != "cpu" else max(1, _CACHED // state.probe.nelement())
    products = []
    for first in range(0, len(corner), size):
        few = slice(first, first + size)
        probes = exit.probes if len(exit.probes) == 1 else exit.probes[few]
        a = _flat(probes * views(obj, corner[few], state.window)[:, None])
        b = torch.zeros_like(a) if probe is None else _flat(_moved(probe, exit, few) * exit.views[few, None])
        c = _flat(exit.waves[few].conj())
        products.append(torch.stack([torch.linalg.vecdot(*pair) for pair in ((a, a), (a, b), (b, b), (a, c), (b, c))]))
    return torch.cat(products, 1)


def _flat(waves: Tensor) -> Tensor:
    """Waves (b, M, ny, nx) as real numbers (b, 2 M ny nx)."""
    import torch

    return torch.view_as_real(waves.resolve_conj()).flatten(1)


def _moved(probe: Tensor, exit: Exit, few: slice) -> Tensor:
    """The probe's direction where it lies in some of the frames."""
    import torch

    if exit.ramps is None:
        return probe[None]
    y, x = (ramp[few, None] for ramp in exit.ramps)
    moved: Tensor = torch.fft.ifft2(torch.fft.fft2(probe) * y * x)
    return moved
