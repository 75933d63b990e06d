"""A line over the pictures of the object: ruler and profile at once, seen and dragged in every linked picture."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pyqtgraph as pg
from PyQt6.QtCore import QObject, QSignalBlocker, pyqtSignal

from ptychogui.measure.profile import Line

if TYPE_CHECKING:
    from ptychogui.gui.views.panel import ImagePanel
    from ptychogui.gui.views.picture import Picture

_FIRST = (0.25, 0.75)
"""Where a new line begins and ends, as parts of what is seen of the picture."""
_COLOUR = "#ffb300"


class LineTool(QObject):
    """The one line, in metres on the sample, and the panels on which it lies."""

    changed = pyqtSignal()
    """The line is elsewhere, or another picture is measured."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.line: Line | None = None
        self.source: ImagePanel | None = None
        self._segments: dict[ImagePanel, pg.LineSegmentROI] = {}

    def attach(self, panel: ImagePanel) -> None:
        """Let the line lie on this panel too."""
        self._segments[panel] = segment = _segment()
        panel.box.addItem(segment, ignoreBounds=True)
        segment.hide()
        segment.sigRegionChanged.connect(lambda _: self._dragged(panel))
        panel.drawn.connect(lambda: self._drawn(panel))

    def toggle(self, panel: ImagePanel) -> None:
        """Lay a line across what is seen in a panel, or take it away."""
        if self.line is not None:
            self.line = self.source = None
            self._place()
        elif panel.picture is not None:
            self.source = panel
            seen, unit = panel.box.viewRect().intersected(panel.picture.rect), panel.picture.lengths.unit_si
            y = (seen.top() + seen.height() / 2) * unit
            x = [(seen.left() + part * seen.width()) * unit for part in _FIRST]
            self.line = Line((y, x[0]), (y, x[1]))
            self._place()
        self.changed.emit()

    def _dragged(self, panel: ImagePanel) -> None:
        if panel.picture is None or self.line is None:
            return
        unit = panel.picture.lengths.unit_si
        segment = self._segments[panel]
        ends = [segment.mapToParent(handle["item"].pos()) for handle in segment.handles]
        start, end = ((point.y() * unit, point.x() * unit) for point in ends)
        self.source, self.line = panel, replace(self.line, start_m=start, end_m=end)
        self._place(but=panel)
        self.changed.emit()

    def _drawn(self, panel: ImagePanel) -> None:
        """A picture changed: its unit may have, and so may the values under the line; one far away needs another."""
        if self.line is None:
            return
        if panel.picture is not None and not _meets(self.line, panel.picture):
            self.line = self.source = None
            self._place()
            self.changed.emit()
        else:
            self._place(only=panel)
            if panel is self.source:
                self.changed.emit()

    def _place(self, but: ImagePanel | None = None, only: ImagePanel | None = None) -> None:
        for panel, segment in self._segments.items():
            if panel is but or (only is not None and panel is not only):
                continue
            segment.setVisible(self.line is not None and panel.picture is not None)
            if self.line is not None and panel.picture is not None:
                unit = panel.picture.lengths.unit_si
                with QSignalBlocker(segment):
                    for handle, (y, x) in zip(segment.getHandles(), (self.line.start_m, self.line.end_m)):
                        segment.movePoint(handle, [x / unit, y / unit], coords="parent", finish=False)


def _meets(line: Line, picture: Picture) -> bool:
    """Whether one end of a line lies on a picture."""
    unit = picture.lengths.unit_si
    return any(picture.rect.contains(x / unit, y / unit) for y, x in (line.start_m, line.end_m))


def _segment() -> pg.LineSegmentROI:
    pen = pg.mkPen(_COLOUR, width=2)
    segment = pg.LineSegmentROI([[0, 0], [1, 0]], pen=pen, hoverPen=pg.mkPen("#ffffff", width=3))
    segment.setZValue(900)
    for handle in segment.getHandles():
        handle.pen = handle.currentPen = pen
    return segment


def ruler_text(line: Line, length: str) -> str:
    """Length and angle of a line."""
    return f"length {length}  ·  angle {math.degrees(line.angle_rad):.1f}°"
