"""Points one by one, as the editor leaves them or a file lists them."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ptychogui.layout.base import Layout, Points
from ptychogui.params import DRAWN


class Listed(Layout):
    """Points that were placed one by one, in the editor or by a file."""

    kind: Literal["listed"] = "listed"
    positions_m: Annotated[tuple[tuple[float, float], ...], DRAWN, Field(min_length=1)] = ((0.0, 0.0),)
    """Positions (y, x) in metres on the sample, in the order of the frames."""

    def points_m(self) -> Points:
        """The positions as they are listed."""
        return np.array(self.positions_m, np.float64)
