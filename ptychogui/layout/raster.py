"""Rows and columns."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.random import Generator

from ptychogui.layout.base import Points
from ptychogui.layout.pattern import Pattern


class Raster(Pattern):
    """Rows and columns, every row from left to right. Its regularity leaves ghosts; jitter helps."""

    kind: Literal["raster"] = "raster"

    def path_m(self) -> Points:
        """The rows, one after the other."""
        return self.step_m * grid(*(count(size, self.step_m) for size in self.field_m))


def count(size_m: float, step_m: float) -> int:
    """How many points a step apart have room in a length."""
    return int(size_m / step_m + 1e-6) + 1


def grid(rows: int, columns: int) -> Points:
    """The points of a raster of step 1 around zero, (rows · columns, 2), row by row."""
    places = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in (rows, columns)), indexing="ij")
    return np.stack([place.ravel() for place in places], axis=1)


def jittered(shape: tuple[int, int], step: tuple[float, float], jitter: float, rng: Generator) -> Points:
    """A raster by its rows and columns; `jitter` is the standard deviation of a displacement in steps."""
    points = grid(*shape)
    result: Points = (points + jitter * rng.normal(size=points.shape)) * np.asarray(step)
    return result
