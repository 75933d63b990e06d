"""Where on the object the frame lies that is looked at, and which frame is nearest to a place."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg

from ptychogui.gui.views.panel import ImagePanel
from ptychogui.types import Positions

SIZE_PX = 12


class FrameMark:
    """A ring on a picture of the object at the position of one frame."""

    def __init__(self, panel: ImagePanel) -> None:
        self._panel = panel
        self._positions_m: Positions | None = None
        self._frame = 0
        pens = pg.mkPen("#000000", width=4), pg.mkPen("#ffffff", width=2)
        self._rings = [pg.ScatterPlotItem(symbol="o", size=SIZE_PX, pen=pen, brush=None) for pen in pens]
        for ring in self._rings:
            ring.setZValue(800)
            panel.box.addItem(ring, ignoreBounds=True)

    def show_positions(self, positions_m: Positions | None) -> None:
        """Take the positions (N, 2) of the frames, as they are known now."""
        self._positions_m = positions_m

    def show_frame(self, frame: int) -> None:
        """Mark another frame."""
        self._frame = frame
        self.place()

    def nearest(self, y: float, x: float) -> int | None:
        """The frame nearest to a place, given in the unit of the picture; None where no positions are known."""
        picture = self._panel.picture
        if picture is None or self._positions_m is None or not len(self._positions_m):
            return None
        unit = picture.lengths.unit_si
        return int(np.argmin(np.square(self._positions_m - (y * unit, x * unit)).sum(1)))

    def place(self) -> None:
        """Draw the ring where it belongs in the picture that is shown now."""
        picture, known = self._panel.picture, self._positions_m
        y: list[float] = []
        x: list[float] = []
        if picture is not None and known is not None and self._frame < len(known):
            (row, column), unit = known[self._frame], picture.lengths.unit_si
            y, x = [row / unit], [column / unit]
        for ring in self._rings:
            ring.setData(x, y)
