"""Rows there and back."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ptychogui.layout.base import Points
from ptychogui.layout.pattern import Pattern
from ptychogui.layout.raster import count, grid


class Snake(Pattern):
    """Rows and columns, every second row backwards, so that the stage never flies back."""

    kind: Literal["snake"] = "snake"

    def path_m(self) -> Points:
        """The rows, one there, one back."""
        rows, columns = (count(size, self.step_m) for size in self.field_m)
        order = np.arange(rows * columns).reshape(rows, columns)
        order[1::2] = order[1::2, ::-1]
        return self.step_m * grid(rows, columns)[order.ravel()]
