"""A picture as plain data: values with their place, unit, colours and range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QRectF

from ptychogui.gui.views.lengths import Lengths
from ptychogui.io.picture import percentile_range
from ptychogui.types import Mask

SAMPLE = 1 << 16
"""Pixels that are enough to know a range."""


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
    gaps: bool = False

    @property
    def colour_values(self) -> NDArray[Any]:
        """The values that the colours stand for."""
        values = self.values if self.scaled is None else self.scaled
        return np.abs(values) if np.iscomplexobj(values) else values

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
