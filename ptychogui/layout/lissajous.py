"""One smooth line that fills a rectangle, as fast stages and mirrors run it."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from ptychogui.layout.base import Points
from ptychogui.layout.pattern import Pattern
from ptychogui.params import Count

_PIECES = 24
"""Pieces of the line for each point, along which its length is measured."""


class Lissajous(Pattern):
    """Points a step apart along a Lissajous curve y = sin at, x = sin(bt + φ): smooth for the stage, dense at the rim.

    φ is a quarter turn where both frequencies are odd, since the curve would otherwise run back on itself.
    """

    kind: Literal["lissajous"] = "lissajous"
    frequencies: tuple[Count, Count] | None = None
    """Oscillations (y, x) in one round, without a common divisor. Unset: so many that the curve has about one point for
    each step² of the field."""

    def path_m(self) -> Points:
        """The points along one round of the curve."""
        rate_y, rate_x = self.rates
        phase = math.pi / 2 if rate_y % 2 and rate_x % 2 else 0.0
        pieces = _PIECES * 4 * (rate_y + rate_x) * max(1, int(self.radius_m / self.step_m))
        turn = np.linspace(0, 2 * np.pi, min(pieces, 2_000_000) + 1)
        half_y, half_x = (size / 2 for size in self.field_m)
        line = np.stack([half_y * np.sin(rate_y * turn), half_x * np.sin(rate_x * turn + phase)], axis=1)
        length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
        along = self.step_m * np.arange(max(1, int(length[-1] / self.step_m)))
        return np.stack([np.interp(along, length, column) for column in line.T], axis=1)

    @property
    def rates(self) -> tuple[int, int]:
        """Oscillations (y, x) in one round, without a common divisor."""
        if self.frequencies is not None:
            common = math.gcd(*self.frequencies)
            return self.frequencies[0] // common, self.frequencies[1] // common
        # a round is about 3 · rate · size long, and size² / step is wanted
        rate_y, rate_x = (max(1, round(size / (3 * self.step_m))) for size in reversed(self.field_m))
        while math.gcd(rate_y, rate_x) != 1:
            rate_x += 1
        return rate_y, rate_x
