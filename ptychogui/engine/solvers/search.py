"""A quasi-Newton search that is asked once an epoch: where it stands, where it goes, and what it has learned."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import torch
from torch import Tensor

_DECREASE = 1e-4
"""The part of the decrease along the slope that a step has to reach (c₁ of Nocedal & Wright, Eq. 3.6a)."""
_SLACK = 1e-6
"""The part of the loss by which two sums in single precision may differ."""
_TRIES = 4
"""Steps along one line, after which the direction is given up."""
_SAME = 0.05
"""The part of object or probe that constraints may change by more than scale and mix, with the search going on."""


@dataclass
class Search:
    """The last good point with its loss and gradient ∂L/∂z*, and the line from it; vectors are object, then probe.

    `pairs` are changes of place and of gradient; `sent` are object and probe as they were last set.
    """

    pairs: deque[tuple[Tensor, Tensor]] = field(default_factory=deque)
    place: Tensor | None = None
    gradient: Tensor = field(default_factory=lambda: torch.zeros(()))
    direction: Tensor = field(default_factory=lambda: torch.zeros(()))
    loss: float = 0.0
    slope: float = 0.0
    length: float = 1.0
    tries: int = 0
    with_probe: bool = False
    sent: tuple[Tensor, Tensor] | None = None

    def forget(self) -> None:
        """Begin anew from wherever object and probe are."""
        self.pairs.clear()
        self.place = None

    def look(self, place: Tensor, loss: float, gradient: Tensor, inverse: Tensor, history: int) -> None:
        """Take note of the loss and gradient at a place, and choose the line and how far to go along it.

        `inverse` is a first guess of the inverse Hessian's diagonal, real.
        """
        enough = self.loss + _DECREASE * self.length * self.slope + _SLACK * self.loss
        if self.place is None or loss <= enough or self.tries >= _TRIES:
            if self.place is not None:
                self._learn(place - self.place, gradient - self.gradient, history)
            if self.tries >= _TRIES:
                self.pairs.clear()
            self.place, self.loss, self.gradient, self.tries = place, loss, gradient, 0
            self._aim(inverse)
        else:  # the parabola through what is known has its lowest point here
            t, f = self.length, self.slope
            lowest = -f * t * t / (2 * (loss - self.loss - f * t))
            self.length, self.tries = min(max(lowest, 0.1 * t), 0.5 * t), self.tries + 1

    def target(self, pace: float) -> Tensor:
        """Where to look next, a part `pace` of the way; with 0, the last good point."""
        assert self.place is not None
        return self.place + (pace * self.length) * self.direction

    def follow(self, obj: Tensor, probe: Tensor) -> None:
        """Carry everything over to an object and probe that are those sent but for a factor and a mix of modes."""
        assert self.sent is not None
        old_obj, old_probe = (each.flatten(1) for each in self.sent)
        new_obj, new_probe = obj.flatten(1), probe.flatten(1)
        scale = torch.vdot(old_obj[0], new_obj[0]) / torch.vdot(old_obj[0], old_obj[0])
        mix = torch.linalg.solve(old_probe @ old_probe.mH, old_probe @ new_probe.mH).mH
        off_obj, off_probe = new_obj - scale * old_obj, new_probe - mix @ old_probe
        if off_obj.norm() > _SAME * new_obj.norm() or off_probe.norm() > _SAME * new_probe.norm():
            self.forget()
        if self.place is None:
            return

        def carried(vector: Tensor, factor: Tensor, matrix: Tensor) -> Tensor:
            first, rest = vector[: old_obj.numel()], vector[old_obj.numel() :]
            return torch.cat([factor * first, (matrix @ rest.reshape(old_probe.shape)).flatten()])

        back = (1 / scale.conj(), torch.linalg.inv(mix).mH)  # a gradient changes the other way
        self.place, self.direction = (carried(vector, scale, mix) for vector in (self.place, self.direction))
        self.gradient = carried(self.gradient, *back)
        self.pairs = deque((carried(s, scale, mix), carried(y, *back)) for s, y in self.pairs)

    def _learn(self, s: Tensor, y: Tensor, history: int) -> None:
        if _dot(s, y) > 1e-8 * float(s.norm() * y.norm()):  # else the curvature along s is not positive
            self.pairs.append((s, y))
        while len(self.pairs) > history:
            self.pairs.popleft()

    def _aim(self, inverse: Tensor) -> None:
        """Two-loop recursion (Nocedal & Wright, Algorithm 7.4)."""
        q, parts = self.gradient.clone(), []
        for s, y in reversed(self.pairs):
            parts.append(_dot(s, q) / _dot(s, y))
            q -= parts[-1] * y
        scale = 0.5  # object and probe both make up for the same error
        if self.pairs:
            s, y = self.pairs[-1]
            scale = _dot(s, y) / _dot(y, inverse * y)
        q *= scale * inverse
        for (s, y), part in zip(self.pairs, reversed(parts), strict=True):
            q += (part - _dot(y, q) / _dot(s, y)) * s
        self.direction, self.length = -q, 1.0
        self.slope = 2 * _dot(self.gradient, self.direction)


def _dot(a: Tensor, b: Tensor) -> float:
    return float(torch.vdot(a, b).real)
