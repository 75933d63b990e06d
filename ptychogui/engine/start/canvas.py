"""The canvas of the object: which part of the sample the scan covers."""

from __future__ import annotations

import numpy as np

from ptychogui.types import Dataset, Positions

MARGIN_PX = 8
"""Free pixels around the windows, so that positions may be corrected."""


def canvas(dataset: Dataset, window: tuple[int, int]) -> tuple[tuple[int, int], Positions, tuple[float, float]]:
    """The shape (Y, X) of the canvas, where every window begins on it (N, 2) in pixels, and its origin_m (y, x).

    A position is where pixel n // 2 of a window lies.
    """
    pixel_m = np.array(dataset.geometry.pixel_m)
    middle = np.array(window) // 2
    begin = dataset.scan.positions_m / pixel_m - middle
    first = np.floor(begin.min(0)) - MARGIN_PX
    begin = begin - first
    ny, nx = (np.ceil(begin.max(0)) + window + MARGIN_PX).astype(int)
    origin_m = first * pixel_m
    return (int(ny), int(nx)), begin, (float(origin_m[0]), float(origin_m[1]))
