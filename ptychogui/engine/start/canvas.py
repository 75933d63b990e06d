"""The canvas of the object: which part of the sample the scan covers."""

from __future__ import annotations

import numpy as np

from ptychogui.params import InputError
from ptychogui.types import Dataset, Positions

MARGIN_PX = 8
"""Free pixels around the windows, so that positions may be corrected."""

_SPARSEST = 4
"""A canvas this many times the area of all frames together is no scan but a mistake in a unit."""


def canvas(
    dataset: Dataset, window: tuple[int, int], room_px: int = 0
) -> tuple[tuple[int, int], Positions, tuple[float, float]]:
    """The shape (Y, X) of the canvas, where every window begins on it (N, 2) in pixels, and its origin_m (y, x).

    A position is where pixel n // 2 of a window lies; `room_px` is how far windows may move. Raises `InputError` where
    the windows could not cover even a part of the canvas, which then might not fit into memory.
    """
    pixel_m = np.array(dataset.geometry.pixel_m)
    middle = np.array(window) // 2
    begin = dataset.scan.positions_m / pixel_m - middle
    margin = MARGIN_PX + room_px
    first = np.floor(begin.min(0)) - margin
    begin = begin - first
    room, cover = float(np.prod(np.ptp(begin, axis=0) + window)), _SPARSEST * len(begin) * float(np.prod(window))
    if not room <= cover:
        raise InputError(
            f"The {len(begin)} positions spread over {room:.3g} pixels of the sample, far more than their frames, "
            "so they do not overlap: check the unit of the positions and the pixel."
        )
    ny, nx = (np.ceil(begin.max(0)) + window + margin).astype(int)
    origin_m = first * pixel_m
    return (int(ny), int(nx)), begin, (float(origin_m[0]), float(origin_m[1]))
