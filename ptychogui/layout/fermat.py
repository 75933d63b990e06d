"""The spiral of sunflower seeds: even, and with no period that could leave ghosts."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ptychogui.layout.base import Points
from ptychogui.layout.pattern import Pattern


class Fermat(Pattern):
    """A Fermat spiral with one point for each step² of area (Huang et al., Opt. Express 22, 12634 (2014))."""

    kind: Literal["fermat"] = "fermat"

    def path_m(self) -> Points:
        """The spiral from the inside out, as far as the corners of the field."""
        return spiral(int(np.pi * self.radius_m**2 / self.step_m**2) + 1, self.step_m)


def spiral(points: int, step: float) -> Points:
    """A Fermat spiral of so many points, (N, 2), with one for each `step`² of area."""
    k = np.arange(points) + 0.5
    radius, angle = step * np.sqrt(k / np.pi), k * np.pi * (3 - np.sqrt(5))
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
