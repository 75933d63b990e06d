"""Painted shapes by their geometry: the places that they cover, their handles, and what becomes of them when pulled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ptychogui.io.shapes import AnyShape, Disc, Point, Polygon, Rectangle, Stroke

LEAST_PX = 0.5
"""A shape is not made smaller."""
RIM = ((0.0, 0.0), (0.0, 0.5), (0.0, 1.0), (0.5, 1.0), (1.0, 1.0), (1.0, 0.5), (1.0, 0.0), (0.5, 0.0))
"""Handles of a rectangle as parts (y, x) of its sides, from the first corner around."""


def covers(shape: AnyShape, place: Point, reach_px: float = 0.0) -> bool:
    """Whether a place (y, x) is in a shape, or no further than `reach_px` from it."""
    if isinstance(shape, Disc):
        return math.dist(place, shape.centre) <= shape.radius_px + reach_px
    if isinstance(shape, Rectangle):
        low, high = _corners(shape)
        return bool((low - reach_px <= place).all() and (place <= high + reach_px).all())
    if isinstance(shape, Stroke):
        return _distance(shape.points, place) <= shape.width_px / 2 + reach_px
    closed = (*shape.points, shape.points[0])
    return _surrounds(closed, place) or _distance(closed, place) <= reach_px


def handles(shape: AnyShape) -> list[Point]:
    """The places (y, x) by which a shape is pulled."""
    if isinstance(shape, Disc):
        (y, x), r = shape.centre, shape.radius_px
        return [(y - r, x), (y, x + r), (y + r, x), (y, x - r)]
    if isinstance(shape, Rectangle):
        low, high = _corners(shape)
        return [(float(y), float(x)) for y, x in low + np.array(RIM) * (high - low)]
    if isinstance(shape, Polygon):
        return list(shape.points)
    (y, x), (dy, dx) = _middle(shape)
    half = shape.width_px / 2
    return [(y - half * dx, x + half * dy), (y + half * dx, x - half * dy)]


def pulled(shape: AnyShape, handle: int, place: Point) -> AnyShape:
    """The shape whose handle of this number was pulled to a place (y, x)."""
    if isinstance(shape, Disc):
        return _with(shape, radius_px=max(round(math.dist(place, shape.centre), 2), LEAST_PX))
    if isinstance(shape, Rectangle):
        low, high = _corners(shape)
        for axis, part in enumerate(RIM[handle]):
            if part != 0.5:
                (high if part else low)[axis] = place[axis]
        return _with(shape, corner=_point(low), opposite=_point(high))
    if isinstance(shape, Polygon):
        return _with(shape, points=(*shape.points[:handle], _point(place), *shape.points[handle + 1 :]))
    (y, x), (dy, dx) = _middle(shape)
    across = abs((place[1] - x) * dy - (place[0] - y) * dx)
    return _with(shape, width_px=max(round(2 * across, 2), LEAST_PX))


def moved(shape: AnyShape, by: Point) -> AnyShape:
    """The shape elsewhere, by (y, x) pixels."""
    if isinstance(shape, Disc):
        return _with(shape, centre=_point(np.add(shape.centre, by)))
    if isinstance(shape, Rectangle):
        return _with(shape, corner=_point(np.add(shape.corner, by)), opposite=_point(np.add(shape.opposite, by)))
    return _with(shape, points=tuple(_point(np.add(point, by)) for point in shape.points))


def grown(shape: AnyShape, by_px: float) -> AnyShape:
    """The shape that reaches so much further to all sides, or less far where negative; not smaller than can be."""
    if isinstance(shape, Disc):
        return _with(shape, radius_px=max(round(shape.radius_px + by_px, 2), LEAST_PX))
    if isinstance(shape, Stroke):
        return _with(shape, width_px=max(round(shape.width_px + 2 * by_px, 2), LEAST_PX))
    low, high = _corners(shape)
    if ((high - low) / 2 + by_px < LEAST_PX / 2).any():
        return shape
    if isinstance(shape, Rectangle):
        return _with(shape, corner=_point(low - by_px), opposite=_point(high + by_px))
    middle, factor = (low + high) / 2, 1 + 2 * by_px / (high - low)
    return _with(shape, points=tuple(_point(middle + factor * (np.array(p) - middle)) for p in shape.points))


def _with(shape: AnyShape, **changes: object) -> AnyShape:
    return shape.model_copy(update=changes)


def _point(place: Sequence[float] | NDArray[np.float64]) -> Point:
    return round(float(place[0]), 2), round(float(place[1]), 2)


def _corners(shape: Rectangle | Polygon) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The least and the largest y and x."""
    points = np.array((shape.corner, shape.opposite) if isinstance(shape, Rectangle) else shape.points, np.float64)
    return points.min(0), points.max(0)


def _middle(stroke: Stroke) -> tuple[Point, Point]:
    """The middle (y, x) of the line that a brush went along, and the line's direction there."""
    points = np.array(stroke.points, np.float64)
    if len(points) == 1:
        return stroke.points[0], (0.0, 1.0)
    i = (len(points) - 1) // 2
    way = points[i + 1] - points[i]
    length = math.hypot(*way)
    middle = (points[i] + points[i + 1]) / 2
    direction = way / length if length else np.array((0.0, 1.0))
    return (float(middle[0]), float(middle[1])), (float(direction[0]), float(direction[1]))


def _distance(line: Sequence[Point], place: Point) -> float:
    """How far a place (y, x) is from a line through points."""
    points, at = np.array(line, np.float64), np.array(place)
    starts, ways = points[:-1], np.diff(points, axis=0)
    if len(points) == 1:
        return math.dist(points[0], place)
    length2 = np.maximum((ways**2).sum(1), 1e-12)
    along = np.clip(((at - starts) * ways).sum(1) / length2, 0, 1)
    return float(np.hypot(*(starts + along[:, None] * ways - at).T).min())


def _surrounds(closed: Sequence[Point], place: Point) -> bool:
    """Whether a closed line goes around a place, by the rule of `Polygon`."""
    (y, x), inside = place, False
    for (y0, x0), (y1, x1) in pairwise(closed):
        if (y0 <= y) != (y1 <= y):
            inside ^= x < x0 + (y - y0) * (x1 - x0) / (y1 - y0)
    return inside
