"""An affine map of positions by figures that people use: scale, shear, rotation."""

from __future__ import annotations

import math

import numpy as np

from ptychogui.layout.base import Points
from ptychogui.params import Angle, Params, Positive


class Affine(Params):
    """Scale, then shear, then rotation about the middle: what the Scan view tells of a drift."""

    scale: tuple[Positive, Positive] = (1.0, 1.0)
    """Factors (y, x) by which the positions are stretched, as a stage with a wrong calibration does."""
    shear: float = 0.0
    """How far the y axis leans towards x: 0.01 is 1 µm for each 100 µm, as with axes that are not at right angles."""
    rotation_rad: Angle = 0.0
    """Rotation θ: x' = x cos θ − y sin θ, y' = x sin θ + y cos θ."""

    @property
    def matrix(self) -> Points:
        """The map (2, 2) of columns (y, x)."""
        cos, sin = math.cos(self.rotation_rad), math.sin(self.rotation_rad)
        across = np.array([[self.scale[0], 0.0], [self.shear * self.scale[0], self.scale[1]]])
        rotation: Points = np.array([[cos, sin], [-sin, cos]]) @ across
        return rotation

    def mapped(self, points: Points) -> Points:
        """Positions (N, 2) under the map; zero stays where it is."""
        result: Points = points @ self.matrix.T
        return result
