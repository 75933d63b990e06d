"""Edited positions of a file: written as a table beside it, and named in what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ptychogui.geometry import Geometry
from ptychogui.io import geometry
from ptychogui.io.data import Data
from ptychogui.io.position_table import Numbers
from ptychogui.io.positions import free_name, write_positions
from ptychogui.io.reading import opened
from ptychogui.types import Positions


def written(
    data: Data, optics: Geometry, before: Mapping[int, Positions], frames: Numbers, positions_m: Positions
) -> Data:
    """Write positions (N, 2) of the frames with the numbers (N,), and say of the file that these count.

    They are in the unit and orientation of the Dataset that `data` gave, whose geometry is `optics` and whose frames
    stood at `before`, by their numbers. Those that have no position any more are left out; the table keeps where they
    stood, so that they can be taken back. No file is replaced. Raises `InputError` where the file cannot be read, or
    the table not be written.
    """
    raw = opened(data, beside=False)[2]
    count = raw.frames.shape[0]
    table = np.full((count, 2), np.nan)
    for number, place in before.items():
        table[number] = place
    table[frames] = positions_m
    unit = "m"
    if not optics.calibrated:
        coarser = geometry.coarser(raw, data, optics.shape, optics.field == "far")
        unit, table = "px", table / np.asarray(optics.pixel_m) * coarser
    path = free_name(Path(data.path))
    write_positions(path, table, unit, range(count))
    lost = set(before) - set(frames.tolist())
    return data.model_copy(
        update={
            "positions": str(path),
            "positions_unit": None,
            "positions_columns": None,
            "scan_rotation_rad": 0.0,
            "scan_flip": "none",
            "exclude": tuple(sorted({*data.exclude, *lost})),
        }
    )
