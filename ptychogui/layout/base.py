"""What every layout is: parameters from which positions follow."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from ptychogui.params import Params

Points = NDArray[np.float64]
"""Positions (N, 2) as (y, x)."""


class Layout(Params):
    """Where the probe shall stand, in the order of the frames."""

    @abstractmethod
    def points_m(self) -> Points:
        """The positions (N, 2) as (y, x) around the middle. Raises `InputError` where they are too many."""
