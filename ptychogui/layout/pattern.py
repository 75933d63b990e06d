"""What the patterns share: step, field, outline, jitter, affine map, seed."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

import numpy as np

from ptychogui.layout.affine import Affine
from ptychogui.layout.base import Layout, Points
from ptychogui.params import Index, InputError, Length, NonNegative

MOST_POINTS = 100_000
"""More points than these are a mistake in the step or the field."""
_ROUNDING = 1e-9


class Spread(Layout):
    """How densely a field is filled, and how regularly."""

    step_m: Length = 1e-6
    """Distance of neighbouring points. Too large: neighbouring probes share too little to be tied together."""
    field_m: tuple[Length, Length] = (10e-6, 10e-6)
    """Height and width (y, x) of the field, before the affine map."""
    outline: Literal["rectangle", "ellipse"] = "rectangle"
    """Shape of the field: points outside it are left out."""
    jitter: NonNegative = 0.0
    """Standard deviation of a random displacement of each point, in steps. It breaks the regularity that makes ghosts;
    beyond 0.3 holes appear."""
    seed: Index = 0
    """The same seed gives the same random numbers."""


class Pattern(Affine, Spread):
    """Points of even density in a field around zero."""

    @property
    def density_points(self) -> float:
        """How many points fill the field at one for each step²."""
        return self.field_m[0] * self.field_m[1] / self.step_m**2

    @abstractmethod
    def path_m(self) -> Points:
        """Points (N, 2) that fill at least the field, in their order, without jitter and affine map."""

    def points_m(self) -> Points:
        """The positions (N, 2) as (y, x), those outside the field left out.

        Raises `InputError` where the step is too small for the field.
        """
        if self.density_points > MOST_POINTS:
            raise InputError(
                f"This pattern has about {self.density_points:.3g} points, more than {MOST_POINTS}; "
                "choose a larger step or a smaller field."
            )
        path = self.path_m()
        points = path[self.inside(path)]
        if self.jitter:
            points = points + self.jitter * self.step_m * np.random.default_rng([self.seed, 1]).normal(
                size=points.shape
            )
        return self.mapped(points)

    def inside(self, points: Points) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which points (N, 2) lie in the field (N,)."""
        parts = np.abs(points) / (np.asarray(self.field_m) / 2)
        reach = np.hypot(*parts.T) if self.outline == "ellipse" else parts.max(1, initial=0)
        result: np.ndarray[tuple[int], np.dtype[np.bool_]] = reach <= 1 + _ROUNDING
        return result

    @property
    def radius_m(self) -> float:
        """How far the field reaches from its middle."""
        return float(np.hypot(*self.field_m)) / 2
