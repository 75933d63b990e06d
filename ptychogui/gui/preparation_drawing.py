"""What the pattern on the detector is drawn with: its picture, lines that are seen on any colour."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray

from ptychogui.gui.views.lengths import PIXELS
from ptychogui.gui.views.panel import Picture
from ptychogui.io.picture import percentile_range
from ptychogui.types import Mask, Real

Place = tuple[float, float]
"""(y, x) in pixels of the picture."""
MOST_PX = 1024
"""Of larger frames only every n-th pixel is drawn."""


def thinned(values: NDArray[Any]) -> NDArray[Any]:
    """Every n-th pixel of a frame (ny, nx), so that it is not larger than a screen."""
    step = math.ceil(max(values.shape) / MOST_PX)
    return values[::step, ::step]


def logarithmic(values: Real) -> Real:
    """log10(1 + counts), for colours."""
    scaled: Real = np.log10(1 + np.maximum(np.nan_to_num(values), 0)).astype(np.float32)
    return scaled


def picture_of(values: Real, log: bool, use: Mask | None = None) -> Picture:
    """A mean pattern in pixels, ranged over the pixels in `use`."""
    step = math.ceil(max(values.shape) / MOST_PX)
    values, use = thinned(values), None if use is None else thinned(use)
    scaled = logarithmic(values) if log else np.nan_to_num(values)
    sample = scaled if use is None or not use.any() else scaled[use]
    levels = percentile_range(sample, 0.1, 99.95)
    middle = (step - 1) / 2
    return Picture(values, (step, step), (middle, middle), PIXELS, "counts", "inferno", levels, scaled)


def line(box: pg.ViewBox, width: float, **options: Any) -> pg.PlotCurveItem:
    """A white line with a black rim, seen on any colour; hidden at first."""
    shadow = pg.mkPen("#000000", width=width + 2.5)
    made = pg.PlotCurveItem(pen=pg.mkPen("#ffffff", width=width), shadowPen=shadow, **options)
    made.setVisible(False)
    box.addItem(made, ignoreBounds=True)
    return made


def circle(place: Place, radius: float) -> list[Place]:
    """Places on a circle, closed."""
    angles = np.linspace(0, 2 * np.pi, 33)
    return [(place[0] + radius * math.sin(a), place[1] + radius * math.cos(a)) for a in angles]
