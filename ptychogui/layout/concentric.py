"""Circles around the middle."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ptychogui.layout.base import Points
from ptychogui.layout.pattern import Pattern


class Concentric(Pattern):
    """The middle and circles around it, a step apart, with points a step apart on each."""

    kind: Literal["concentric"] = "concentric"

    def path_m(self) -> Points:
        """The circles from the inside out; circle k has radius k steps and round(2πk) points."""
        rings = [np.zeros((1, 2))]
        for k in range(1, int(self.radius_m / self.step_m + 1e-6) + 1):
            angle = 2 * np.pi * np.arange(n := round(2 * np.pi * k)) / n
            rings.append(k * self.step_m * np.stack([np.sin(angle), np.cos(angle)], axis=1))
        return np.concatenate(rings)
