"""Shapes painted on the detector, that leave pixels out or take them back: what a brush makes, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ptychogui.params import Params, Positive
from ptychogui.types import Mask

Point = tuple[float, float]
"""A place (y, x) in pixels of the frame with zero frequency in the middle, before it is flipped or cropped; the centre
of the first pixel is (0, 0)."""


class Disc(Params):
    """All pixels within a radius, as a beam stop covers them."""

    kind: Literal["disc"] = "disc"
    centre: Point
    """The middle (y, x)."""
    radius_px: Positive
    """The radius; a pixel belongs to the disc if its centre does."""
    use: bool = False
    """Take these pixels back instead of leaving them out."""

    def mark(self, pixels: Mask, value: bool) -> None:
        """Set the pixels (ny, nx) within the disc to `value`."""
        _mark_near(pixels, [self.centre], self.radius_px, value)


class Rectangle(Params):
    """All pixels between two corners."""

    kind: Literal["rectangle"] = "rectangle"
    corner: Point
    """One corner (y, x)."""
    opposite: Point
    """The corner opposite to it."""
    use: bool = False
    """Take these pixels back instead of leaving them out."""

    def mark(self, pixels: Mask, value: bool) -> None:
        """Set the pixels (ny, nx) whose centres lie within the rectangle to `value`."""
        low, high = np.sort([self.corner, self.opposite], 0)
        (top, left), (bottom, right) = _inside(low, high, pixels.shape)
        pixels[top:bottom, left:right] = value


class Polygon(Params):
    """All pixels inside a closed line; where it crosses itself, what it surrounds twice is outside."""

    kind: Literal["polygon"] = "polygon"
    points: Annotated[tuple[Point, ...], Field(min_length=3)]
    """Its corners (y, x)."""
    use: bool = False
    """Take these pixels back instead of leaving them out."""

    def mark(self, pixels: Mask, value: bool) -> None:
        """Set the pixels (ny, nx) whose centres lie inside to `value`."""
        corners = np.asarray(self.points)
        (top, left), (bottom, right) = _inside(corners.min(0), corners.max(0), pixels.shape)
        y, x = np.ogrid[top:bottom, left:right]
        inside = np.zeros((max(bottom - top, 0), max(right - left, 0)), bool)
        for (y0, x0), (y1, x1) in zip(corners, np.roll(corners, -1, 0)):
            if y0 != y1:  # a line to the right of the pixel crosses this side
                inside ^= ((y0 <= y) != (y1 <= y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
        pixels[top:bottom, left:right][inside] = value


class Stroke(Params):
    """What a round brush covers along a line."""

    kind: Literal["stroke"] = "stroke"
    points: Annotated[tuple[Point, ...], Field(min_length=1)]
    """The places (y, x) that the brush went through."""
    width_px: Positive
    """The diameter of the brush."""
    use: bool = False
    """Take these pixels back instead of leaving them out."""

    def mark(self, pixels: Mask, value: bool) -> None:
        """Set the pixels (ny, nx) whose centres the brush covers to `value`."""
        _mark_near(pixels, self.points, self.width_px / 2, value)


AnyShape = Annotated[Disc | Rectangle | Polygon | Stroke, Field(discriminator="kind")]


def painted(shapes: Sequence[Disc | Rectangle | Polygon | Stroke], pixels: Mask) -> Mask:
    """The mask `pixels` (ny, nx), True where a pixel is used, after every shape in its order."""
    pixels = pixels.copy()
    for shape in shapes:
        shape.mark(pixels, shape.use)
    return pixels


def _inside(low: NDArray[np.float64], high: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """The first pixel (y, x), and the one after the last, whose centres lie between two corners of a frame."""
    first = [min(max(int(np.ceil(v)), 0), n) for v, n in zip(low, shape)]
    last = [max(min(int(np.floor(v)) + 1, n), f) for v, n, f in zip(high, shape, first)]
    return first, last


def _mark_near(pixels: Mask, points: Sequence[Point], radius: float, value: bool) -> None:
    """Set all pixels no further than a radius from a line through points, part by part, to `value`."""
    places = np.asarray(points, np.float64)
    for a, b in zip(places, places[1:] if len(places) > 1 else places):
        (top, left), (bottom, right) = _inside(np.minimum(a, b) - radius, np.maximum(a, b) + radius, pixels.shape)
        y, x = np.ogrid[top:bottom, left:right]
        (dy, dx), length2 = b - a, float(((b - a) ** 2).sum())
        along = np.clip(((y - a[0]) * dy + (x - a[1]) * dx) / (length2 or 1.0), 0, 1)
        near = (y - a[0] - along * dy) ** 2 + (x - a[1] - along * dx) ** 2 <= radius**2 * (1 + 1e-12)
        pixels[top:bottom, left:right][near] = value
