"""The eight orientations of a scan as matrices, so that one can be put upon another."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from ptychogui.io.data import Orientation
from ptychogui.types import Positions

ORIENTATIONS: tuple[Orientation, ...] = get_args(Orientation)
Matrix = NDArray[np.float64]


def matrix(flip: Orientation) -> Matrix:
    """What a flip does to a place (y, x): transpose, then reverse."""
    turned = np.array([[0.0, 1.0], [1.0, 0.0]]) if flip.startswith("t") else np.eye(2)
    signs = [[-1.0 if "y" in flip else 1.0], [-1.0 if "x" in flip else 1.0]]
    return np.asarray(signs * turned)


def rotation(angle_rad: float) -> Matrix:
    """What `data.scan_rotation_rad` does to a place (y, x)."""
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    return np.array([[cos, sin], [-sin, cos]])


def opposite(flip: Orientation) -> Orientation:
    """The same orientation turned by half a turn, which the far field of an unknown probe cannot tell from it."""
    wanted = -matrix(flip)
    return next(other for other in ORIENTATIONS if np.array_equal(matrix(other), wanted))


def unturned(positions_m: Positions, angle_rad: float, flip: Orientation) -> Positions:
    """Positions (N, 2) as they were before rotation and flip."""
    return positions_m @ np.linalg.inv(matrix(flip) @ rotation(angle_rad)).T


def turned(positions_m: Positions, angle_rad: float, flip: Orientation) -> Positions:
    """Positions (N, 2) after rotation, then flip."""
    return positions_m @ (matrix(flip) @ rotation(angle_rad)).T
