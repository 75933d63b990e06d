"""When a run has nothing more to gain: its loss stays where it is, or it begins to fit the noise."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from ptychogui.params import LIVE, Count, Fraction, Params

if TYPE_CHECKING:
    from ptychogui.engine.held_out import HeldOut
    from ptychogui.engine.problem import Problem
    from ptychogui.engine.state import State
    from ptychogui.geometry import Geometry

_PART = 0.01
_SMOOTHED = 3
"""Epochs over which the misfit of held-out pixels is averaged, since batches make it scatter."""


class Stopping(Params):
    """What ends a stage before its last epoch. Its steps shrink before it ends, so that noise averages out: over a
    window of epochs, or over as many as it took to get there where noise was fitted."""

    automatic: Annotated[bool, LIVE] = False
    """End a stage when its loss has reached a plateau, so that no epoch is spent in vain. Off: only tell."""
    improvement: Annotated[Fraction, LIVE] = 0.002
    """The part by which the mean loss has to fall from one window of epochs to the next; less is a plateau."""
    window: Annotated[Count, LIVE] = 10
    """Epochs in a window. Few: a chance pause of the loss counts as a plateau; many: it is seen late."""
    held_out: Fraction | None = None
    """The part of all pixels that the solver does not see. When these are explained worse, it fits noise: the stage
    ends, and the best state is given back. 0 uses all. Unset: 0.01 where the frames hold whole counts and fewer than a
    hundred for each pixel of the object, else 0."""

    def pixels(self, problem: Problem, state: State, seed: int) -> HeldOut | None:
        """The pixels that are held out, if any."""
        from ptychogui.engine.held_out import HeldOut

        part = self.held_out
        if part is None:
            part = _PART if problem.few_counts(state.obj) else 0.0
        return HeldOut(problem, part, seed) if part else None


@dataclass
class Watch:
    """The curves of one stage, and the best of its states where pixels are held out."""

    problem: Problem
    state: State
    losses: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    best: State | None = None
    best_epoch: int = 0
    geometry: Geometry = field(init=False)
    """That of the best state."""
    told: bool = False

    def __post_init__(self) -> None:
        self.geometry = self.problem.geometry

    def settle(self, stopping: Stopping, loss: float, done: int, epochs: int) -> tuple[int, tuple[str, ...]]:
        """Take note of epoch `done` of `epochs`; returns the epoch with which the stage should end, and messages."""
        self.losses.append(loss)
        if self.problem.held_out is not None:
            misfit = self.problem.held_out.misfit()
            if math.isfinite(misfit):  # a solver may do without
                self.held.append(misfit)
                self._keep(done)
        messages, ends = [], stopping.automatic or bool(self.held)
        rest = done if self.held else stopping.window
        reason = self._reason(stopping) if epochs - done > rest else ""
        if reason and ends:
            epochs = done + rest
            reason += f" This stage ends with its epoch {epochs}."
        if reason and (ends or not self.told):
            messages.append(reason)
            self.told = True
        if done == epochs and self._worse():
            assert self.best is not None
            vars(self.state).update(vars(self.best))
            self.problem.geometry = self.geometry
            messages.append(f"The state of epoch {self.best_epoch} explains the held-out pixels best and is kept.")
        return epochs, tuple(messages)

    def _reason(self, stopping: Stopping) -> str:
        """Why the stage has nothing more to gain; empty while it has."""
        n, curve = stopping.window, self.held or self.losses
        if len(curve) < 2 * n:
            return ""
        now = sum(curve[-n:])
        if self.held:
            before = min(sum(curve[first : first + n]) for first in range(len(curve) - 2 * n + 1))
            return "The held-out pixels are explained no better: noise is fitted from here on." if now >= before else ""
        gain = 1 - now / max(sum(curve[-2 * n : -n]), 1e-300)
        if gain >= stopping.improvement:
            return ""
        return f"The loss has reached a plateau: {n} epochs changed it by {-100 * gain:+.2g} %."

    def _keep(self, done: int) -> None:
        """Keep a copy of the state where the held-out pixels are explained better than ever."""
        if self.best is None or self._score(done) <= self._score(self.best_epoch):
            self.best, self.best_epoch, self.geometry = copied(self.state), done, self.problem.geometry

    def _score(self, done: int) -> float:
        """The misfit of the held-out pixels about the epoch `done`."""
        part = self.held[max(done - _SMOOTHED, 0) : done]
        return sum(part) / len(part)

    def _worse(self) -> bool:
        return self.best is not None and self._score(len(self.held)) > self._score(self.best_epoch)


def copied(state: State) -> State:
    """A state that shares no memory with another."""
    import torch

    other = copy(state)
    for name, value in vars(state).items():
        if isinstance(value, torch.Tensor):
            setattr(other, name, value.clone())
        elif isinstance(value, tuple) and value and isinstance(value[0], torch.Tensor):
            setattr(other, name, tuple(part.clone() for part in value))
    return other
