"""Values of frames as a map over the sample: the instant preview before any solver runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ptychogui.types import Scan

CELLS = 192
"""The longer side of a map has at most this many cells."""


@dataclass(frozen=True)
class ScanMap:
    """A raster over the scan: for each cell (Y, X) the nearest frame, −1 where none is near; pixel and origin in m."""

    nearest: NDArray[np.intp]
    pixel_m: tuple[float, float]
    origin_m: tuple[float, float]

    def of(self, values: NDArray[Any]) -> NDArray[Any]:
        """The map (Y, X) of one value for each frame (N,); NaN where no frame is near."""
        shown = values[np.maximum(self.nearest, 0)]
        return np.where(self.nearest >= 0, shown, np.nan).astype(shown.dtype)


def scan_map(scan: Scan) -> ScanMap | None:
    """The raster for a scan; None where its positions do not span an area."""
    if len(scan) < 3 or not np.isfinite(scan.positions_m).all():
        return None
    low, high = scan.bounds_m
    extent, step = high - low, scan.step_m
    if not step > 0 or not extent.min() > 0:
        return None
    cell = max(step / 2, float(extent.max()) / CELLS)
    shape = np.ceil(extent / cell).astype(int) + 1
    y, x = (low[i] + cell * np.arange(shape[i]) for i in (0, 1))
    points = np.stack(np.meshgrid(y, x, indexing="ij"), -1)
    distance, nearest = KDTree(scan.positions_m).query(points, distance_upper_bound=1.5 * step)
    nearest = np.where(np.isfinite(distance), nearest, -1)
    return ScanMap(nearest, (cell, cell), (float(low[0]), float(low[1])))
