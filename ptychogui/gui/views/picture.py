"""A picture as plain data: values with their place, unit, colours and range."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QRectF

from ptychogui.gui.views.colours import Pixels, hue_and_brightness, mapped
from ptychogui.gui.views.lengths import Lengths
from ptychogui.io.picture import percentile_range
from ptychogui.types import Mask

SAMPLE = 1 << 16
"""Pixels that are enough to know a range."""


@dataclass(frozen=True)
class Painted:
    """The pixels of a picture in their colours, with the range and the colour map that they were made with."""

    pixels: Pixels
    levels: tuple[float, float]
    map: str


@dataclass(frozen=True)
class Picture:
    """What a panel shows: `values` (Y, X), real or complex, whose first pixel's centre lies at `origin` (SI, or px).

    `scaled` is what the colours stand for where that is not the value itself (a logarithm). Complex values are shown
    as hue and brightness. `levels` is the range that the colours span until the user chooses another.
    With `gaps`, NaN is transparent.
    """

    values: NDArray[Any]
    pixel: tuple[float, float]
    origin: tuple[float, float]
    lengths: Lengths
    unit: str = ""
    map: str = "grey"
    levels: tuple[float, float] = (0.0, 1.0)
    scaled: NDArray[Any] | None = None
    scale: str = ""
    """What `scaled` is, as an axis says it."""
    gaps: bool = False
    painted: Painted | None = None

    @property
    def shown(self) -> NDArray[Any]:
        """The values that the colours stand for."""
        return self.values if self.scaled is None else self.scaled

    @property
    def colour_values(self) -> NDArray[Any]:
        """The same, of complex values the amplitudes."""
        return np.abs(self.shown) if np.iscomplexobj(self.shown) else self.shown

    def pixels(self, levels: tuple[float, float], map: str) -> Pixels:
        """The picture in its colours; what was painted before is not painted again."""
        if self.painted is not None and (self.painted.levels, self.painted.map) == (levels, map):
            return self.painted.pixels
        if np.iscomplexobj(self.shown):
            pixels = hue_and_brightness(self.shown, levels[1], map)
        else:
            pixels = mapped(self.shown, *levels, map)
        if self.gaps:
            pixels[np.isnan(self.shown)] = 0
        return pixels

    def painted_in(self, levels: tuple[float, float], map: str) -> Picture:
        """The same with its colours, which may be made in any thread."""
        return replace(self, painted=Painted(self.pixels(levels, map), levels, map))

    @property
    def rect(self) -> QRectF:
        """The place of the picture in its unit."""
        (dy, dx), (y, x), unit = self.pixel, self.origin, self.lengths.unit_si
        ny, nx = self.values.shape
        return QRectF((x - dx / 2) / unit, (y - dy / 2) / unit, nx * dx / unit, ny * dy / unit)

    def is_like(self, other: Picture) -> bool:
        """Whether the values of two pictures are of one kind, so that one range may serve both."""
        return self.unit == other.unit and np.iscomplexobj(self.values) == np.iscomplexobj(other.values)

    def value_at(self, y: float, x: float) -> Any:
        """The value under a point, given in the unit of the picture; None outside."""
        rect, shape = self.rect, self.values.shape
        row = int(np.floor((y - rect.top()) / rect.height() * shape[0]))
        column = int(np.floor((x - rect.left()) / rect.width() * shape[1]))
        inside = 0 <= row < shape[0] and 0 <= column < shape[1]
        return self.values[row, column] if inside else None


def value_text(value: Any, unit: str) -> str:
    """A value as a read-out shows it; a complex one by amplitude and phase."""
    if np.iscomplexobj(value):
        return f"{abs(value):.4g}, {np.angle(value):+.3f} rad"
    return f"{value:.4g} {unit}".strip()


def levels_of(values: NDArray[Any], use: Mask | None = None) -> tuple[float, float]:
    """The range of real values, or of complex ones from zero to their largest amplitude, over the pixels in `use`."""
    step = max(1, math.isqrt(values.size // SAMPLE))
    sample = values[::step, ::step]
    sample = sample if use is None else sample[use[::step, ::step]]
    if np.iscomplexobj(sample):
        return 0.0, percentile_range(np.abs(sample))[1]
    return percentile_range(sample)
