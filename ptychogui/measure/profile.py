"""Values along a line over a picture, the line's length and angle, and the width of the sharpest edge on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from ptychogui.types import Positions

PerAxis = tuple[float, float]
"""Something in y and x."""
_LEVEL = 0.5
_SAMPLES_PER_PIXEL = 2
_MARGIN_PX = 12
"""So far from the line, what lies beyond does not matter to a spline."""


@dataclass(frozen=True)
class Line:
    """A straight line from `start_m` to `end_m`, both (y, x) in m; `width_m` is the breadth that is averaged over."""

    start_m: PerAxis
    end_m: PerAxis
    width_m: float = 0.0

    @property
    def length_m(self) -> float:
        """Its length."""
        return math.dist(self.start_m, self.end_m)

    @property
    def angle_rad(self) -> float:
        """Its angle, counted from x to the right towards the top of the picture, where y is small."""
        return math.atan2(self.start_m[0] - self.end_m[0], self.end_m[1] - self.start_m[1])


@dataclass(frozen=True)
class Profile:
    """Values (K,), real or complex, at the distances (K,) in m from the start of a line; NaN outside the picture."""

    distance_m: Positions
    values: NDArray[Any]


@dataclass(frozen=True)
class Edge:
    """The steepest place of a profile: where it is, and the full width at half maximum of its slope."""

    distance_m: float
    width_m: float


def profile(values: NDArray[Any], line: Line, pixel_m: PerAxis, origin_m: PerAxis) -> Profile:
    """The values (Y, X) along a line, two for each pixel, averaged over the line's width.

    They are interpolated by cubic splines, since linear ones would widen an edge; linearly where some are not finite.
    """
    step_m = min(pixel_m) / _SAMPLES_PER_PIXEL
    along = np.linspace(0, 1, max(2, round(line.length_m / step_m) + 1))
    start, end = np.asarray(line.start_m), np.asarray(line.end_m)
    points = start + along[:, None] * (end - start)
    count = max(1, round(line.width_m / min(pixel_m)))
    direction = (end - start) / max(line.length_m, 1e-300)
    normal = np.array([direction[1], -direction[0]])
    across = (np.arange(count) - (count - 1) / 2) * min(pixel_m)
    at = (points[:, None] + across[:, None] * normal - np.asarray(origin_m)) / np.asarray(pixel_m)
    inside = ((at >= 0) & (at <= np.asarray(values.shape) - 1)).all(-1)
    corner = np.clip(np.floor(at.min((0, 1))).astype(int) - _MARGIN_PX, 0, np.asarray(values.shape) - 1)
    end_px = np.clip(np.ceil(at.max((0, 1))).astype(int) + _MARGIN_PX + 1, corner + 1, values.shape)
    near = values[corner[0] : end_px[0], corner[1] : end_px[1]]
    order: Literal[1, 3] = 3 if np.isfinite(near).all() else 1
    found = map_coordinates(near, np.moveaxis(at - corner, -1, 0), order=order, mode="mirror")
    number = inside.sum(1)
    mean = np.where(number > 0, np.where(inside, found, 0).sum(1) / np.maximum(number, 1), np.nan)
    return Profile(along * line.length_m, mean)


def slope(of: Profile) -> NDArray[np.float64]:
    """The derivative (K,) of a profile, in its values per m."""
    return np.gradient(np.asarray(of.values, np.float64), of.distance_m)


def edge(of: Profile) -> Edge | None:
    """The steepest edge and its width, which is the FWHM of the derivative; None where nothing rises or falls.

    Half of the highest slope is found on both sides by a line between samples; an edge that is cut off by the end of
    the profile has no width.
    """
    if len(of.values) < 4:
        return None
    steep = np.abs(slope(of))
    if not np.isfinite(steep).any() or not np.nanmax(steep) > 1e-6 * np.nanmax(np.abs(of.values)) / of.distance_m[-1]:
        return None
    top = int(np.nanargmax(steep))
    low, high = _crossing(of.distance_m, steep, top, -1), _crossing(of.distance_m, steep, top, 1)
    return None if low is None or high is None else Edge(float(of.distance_m[top]), high - low)


def _crossing(distance_m: Positions, steep: NDArray[np.float64], top: int, step: int) -> float | None:
    """Where the slope falls to half its highest value, going from there one way."""
    half, i = _LEVEL * steep[top], top
    while 0 <= i + step < len(steep):
        here, there = steep[i], steep[i + step]
        if there <= half:
            part = (here - half) / (here - there)
            return float(distance_m[i] + part * (distance_m[i + step] - distance_m[i]))
        i += step
    return None
