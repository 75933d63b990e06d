"""Points at random, none too near to another."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ptychogui.layout.base import Points
from ptychogui.layout.pattern import Pattern

_TRIES = 40
"""So often a place is sought for each point."""


class Random(Pattern):
    """Points at random, one for each step² of area, ordered in bands there and back so that the ways are short."""

    kind: Literal["random"] = "random"
    apart: Annotated[float, Field(ge=0, le=0.75)] = 0.6
    """The least distance of two points, in steps: 0 leaves heaps and holes; with more than 0.75 they find no room."""

    def path_m(self) -> Points:
        """Random points in bands."""
        wanted, rng = max(1, round(self.density_points)), np.random.default_rng(self.seed)
        size, least = np.asarray(self.field_m), self.apart * self.step_m
        taken: dict[tuple[int, int], list[tuple[float, float]]] = {}
        points: list[tuple[float, float]] = []
        for y, x in (rng.random((_TRIES * wanted, 2)) - 0.5) * size:
            cell = (int(y // self.step_m), int(x // self.step_m))
            near = [p for i in (-1, 0, 1) for j in (-1, 0, 1) for p in taken.get((cell[0] + i, cell[1] + j), ())]
            if all((y - p[0]) ** 2 + (x - p[1]) ** 2 >= least**2 for p in near):
                taken.setdefault(cell, []).append((y, x))
                points.append((y, x))
                if len(points) == wanted:
                    break
        return _in_bands(np.array(points), 1.5 * self.step_m)


def _in_bands(points: Points, width: float) -> Points:
    """Points ordered band by band, every second band backwards."""
    band = np.floor(points[:, 0] / width).astype(int)
    along = np.where(band % 2 == 0, points[:, 1], -points[:, 1])
    return points[np.lexsort([along, band])]
