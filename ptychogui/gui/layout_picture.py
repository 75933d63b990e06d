"""The points of a layout over a picture: selected, moved and added with the mouse."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QObject, QPointF, Qt, QTimer
from PyQt6.QtGui import QColor, QMouseEvent, QPainterPath, QPolygonF
from PyQt6.QtWidgets import QGraphicsPathItem, QWidget

from ptychogui.gui.layout_points import NO_FRAME, LayoutPoints
from ptychogui.gui.views.drift import ways
from ptychogui.gui.views.graphics import point_in
from ptychogui.gui.views.lengths import Lengths
from ptychogui.gui.views.panel import ImagePanel
from ptychogui.layout.base import Points
from ptychogui.layout.figures import step_m

Tool = Literal["select", "lasso", "add", "view"]
TOOLS: tuple[Tool, ...] = ("select", "lasso", "add", "view")
NEAR_PX = 9
"""So near, on the screen, the pointer takes hold of a point."""
MOST_CIRCLES = 1500
"""Of more points than these only the selected ones have their probe drawn."""
POINT, SELECTED, UNPAIRED, OUTLINE, DRIFT = "#4cc2ff", "#ffd34d", "#ff6b6b", "#000000", "#ff8a3d"
SPOT_PX, SMALL_PX = 7, 3
ENLARGED = (1, 2, 5, 10, 20, 50, 100)


class LayoutPicture(ImagePanel):
    """Shows the points of a layout and lets the mouse change them; lengths are in the unit of the picture."""

    def __init__(self, points: LayoutPoints, unit: Lengths, parent: QWidget | None = None) -> None:
        super().__init__("The points appear here.", parent)
        self.setObjectName("layout_picture")
        self.points, self.unit = points, unit
        self.tool: Tool = "select"
        self.probe_m: float | None = None
        self.show_probes, self.show_path, self.show_drift = True, False, False
        self.refined: tuple[NDArray[np.intp], Points] | None = None
        """The numbers (N,) of frames and where a run has found them (N, 2)."""
        self._held: Literal["", "move", "rectangle", "lasso"] = ""
        self._fits = True
        self._start = (0.0, 0.0)
        self._line: list[tuple[float, float]] = []
        self._circles, self._held_circles = QGraphicsPathItem(), QGraphicsPathItem()
        self._path = pg.PlotCurveItem()
        self._drift = pg.PlotCurveItem(connect="pairs", pen=pg.mkPen(DRIFT, width=2))
        self._spots = [
            pg.ScatterPlotItem(pen=pg.mkPen(OUTLINE), brush=pg.mkBrush(colour))
            for colour in (POINT, UNPAIRED, SELECTED)
        ]
        self._rubber = pg.PlotCurveItem(pen=pg.mkPen(SELECTED, width=1.5, style=Qt.PenStyle.DashLine))
        for circles in (self._circles, self._held_circles):
            self.box.addItem(circles, ignoreBounds=True)
        for item in (self._path, self._drift, *self._spots):
            self.box.addItem(item)
        self.box.addItem(self._rubber, ignoreBounds=True)
        self.describe = self._describe_point
        viewport = self.plot.viewport()
        assert viewport is not None
        viewport.installEventFilter(self)
        viewport.setMouseTracking(True)
        self._later = QTimer(self)  # moves and selections that come together are drawn once
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.draw)
        points.changed.connect(self.draw_soon)
        points.dragged.connect(self._shift)
        points.marked.connect(self.draw_soon)
        self.draw_soon()

    # what is shown

    @property
    def _seen(self) -> Points:
        seen: Points = self.points.now.positions_m / self.unit.unit_si
        return seen

    def draw_soon(self) -> None:
        """Draw once what has changed is over."""
        self._later.start(0)

    def show_probe(self, probe_m: float | None) -> None:
        """Take another diameter of the probe; None where it is not known."""
        if probe_m != self.probe_m:
            self.probe_m = probe_m
            self.draw_soon()

    def _shift(self, dy_m: float, dx_m: float) -> None:
        """Move what is held as a whole: to draw thousands of points anew takes longer than the pointer waits."""
        for item in (self._spots[-1], self._held_circles):
            item.setPos(dx_m / self.unit.unit_si, dy_m / self.unit.unit_si)
        self._draw_path(self._seen)

    def draw(self) -> None:
        """Draw the points, their probes and their order."""
        if self.holding:
            return
        self._shift(0.0, 0.0)
        now, seen = self.points.now, self._seen
        unpaired = (now.frames == NO_FRAME) & ~now.selected & bool(len(self.points.wanted))
        room = min(self.box.width(), self.box.height()) / math.sqrt(max(len(now), 1))
        size = float(np.clip(0.4 * room, SMALL_PX, SPOT_PX))
        for item, which in zip(self._spots, (~now.selected & ~unpaired, unpaired, now.selected)):
            item.setData(seen[which, 1], seen[which, 0], size=size + 2 * (item is self._spots[-1]))
        self._draw_drift()
        self._draw_circles(seen)

    def _draw_path(self, seen: Points) -> None:
        shown = seen if self.show_path else seen[:0]
        pen = QColor(POINT)
        pen.setAlpha(110)
        self._path.setData(shown[:, 1], shown[:, 0], pen=pg.mkPen(pen))

    def drift_lines(self) -> tuple[Points, int] | None:
        """Ends (2 n, 2) of lines from the points to where the run has found them, and by how much they are enlarged.

        The shift of all, which nothing can tell, is left out. None where nothing has moved.
        """
        if self.refined is None:
            return None
        start, end = self.points.beside(*self.refined)
        way = ways(start, end) if len(start) > 1 else None
        if way is None:
            return None
        usual, step = float(np.median(np.hypot(*way.T))), step_m(start)
        enlarged = max((n for n in ENLARGED if n * usual <= step), default=1)
        return np.stack([start, start + enlarged * way], 1).reshape(-1, 2), enlarged

    def _draw_drift(self) -> None:
        found = self.drift_lines() if self.show_drift else None
        lines = found[0] / self.unit.unit_si if found is not None else np.zeros((0, 2))
        self._drift.setData(lines[:, 1], lines[:, 0], connect="pairs")

    def _draw_circles(self, seen: Points) -> None:
        selected, few = self.points.now.selected, len(seen) <= MOST_CIRCLES
        colour = QColor(POINT)
        colour.setAlpha(90)
        for item, shown in (
            (self._circles, seen[~selected & few]),
            (self._held_circles, seen[selected][:MOST_CIRCLES]),
        ):
            item.setVisible(self.show_probes and self.probe_m is not None)
            path = QPainterPath()
            if self.show_probes and self.probe_m is not None:
                radius = self.probe_m / 2 / self.unit.unit_si
                for y, x in shown.tolist():
                    path.addEllipse(QPointF(x, y), radius, radius)
            item.setPen(pg.mkPen(colour, width=1))
            item.setPath(path)

    def _describe_point(self, y: float, x: float) -> str:
        text = f"y {y:.4g}  x {x:.4g} {self.unit.symbol}"
        index = self._near(y, x)
        if index is not None:
            frame = int(self.points.now.frames[index])
            text = f"point {index}" + (f", frame {frame}" if frame != NO_FRAME else "") + f"    {text}"
        return text

    def choose_tool(self, tool: Tool) -> None:
        """Take another tool; what was begun with the last one is dropped."""
        self.cancel()
        self.tool = tool
        viewport = self.plot.viewport()
        if viewport is not None:
            cross = tool in ("lasso", "add")
            viewport.setCursor(Qt.CursorShape.CrossCursor if cross else Qt.CursorShape.ArrowCursor)

    @property
    def holding(self) -> bool:
        """Whether points are being dragged; what they are drawn over then stays, so that the pointer keeps them."""
        return self._held == "move"

    def cancel(self) -> bool:
        """Drop what the mouse has begun; whether there was anything."""
        begun = bool(self._held)
        self._let_go()
        self._rubber.setData([], [])
        return self.points.cancel() or begun

    def _hold(self) -> None:
        """Begin to drag; the view stands still meanwhile, with what is held drawn apart."""
        if self._later.isActive():
            self._later.stop()
            self.draw()
        self._held, self._fits = "move", bool(self.box.autoRangeEnabled()[0])
        self.box.disableAutoRange()

    def _let_go(self) -> None:
        if self.holding:
            self.draw_soon()
            if self._fits:
                self.box.enableAutoRange()
        self._held = ""

    # the pointer

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Take the left button, unless the picture itself shall be moved; all else is the picture's."""
        if not isinstance(event, QMouseEvent) or self.tool == "view":
            return super().eventFilter(watched, event)
        kind, left = event.type(), event.button() == Qt.MouseButton.LeftButton
        y, x = point_in(self.box, self.plot.mapToScene(event.position().toPoint()))
        if kind == QEvent.Type.MouseMove and self._held:
            self._follow(y, x)
            return True
        if left and kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick):
            more = event.modifiers() & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier)
            self._press(y, x, bool(more))
            return True
        if left and kind == QEvent.Type.MouseButtonRelease:
            more = event.modifiers() & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier)
            self._release(bool(more))
            return True
        return super().eventFilter(watched, event)

    def _near(self, y: float, x: float) -> int | None:
        """The point that is near on the screen."""
        if not len(self.points.now):
            return None
        dx, dy = self.box.viewPixelSize()
        away = np.hypot(*((self._seen - (y, x)) / (dy, dx)).T)
        nearest = int(np.argmin(away))
        return nearest if away[nearest] <= NEAR_PX else None

    def _press(self, y: float, x: float, more: bool) -> None:
        self._start = y, x
        if self.tool == "add":
            self.points.add(y * self.unit.unit_si, x * self.unit.unit_si)
            return
        if self.tool == "lasso":
            self._held, self._line = "lasso", [(y, x)]
            return
        near = self._near(y, x)
        if near is None:
            self._held = "rectangle"
        elif more:
            self.points.toggle(near)
        else:
            if not self.points.now.selected[near]:
                self.points.select(np.array([near]))
            self._hold()

    def _follow(self, y: float, x: float) -> None:
        (y0, x0), unit = self._start, self.unit.unit_si
        if self._held == "move":
            self.points.drag((y - y0) * unit, (x - x0) * unit)
        elif self._held == "lasso":
            self._line.append((y, x))
            line = np.array([*self._line, self._line[0]])
            self._rubber.setData(line[:, 1], line[:, 0])
        else:
            self._line = [(y0, x0), (y0, x), (y, x), (y, x0)]
            self._rubber.setData([x0, x, x, x0, x0], [y0, y0, y, y, y0])

    def _release(self, more: bool) -> None:
        held = self._held
        self._let_go()
        self._rubber.setData([], [])
        if held == "move":
            self.points.drop()
        elif held:
            inside = self._inside() if len(self._line) > 2 else np.zeros(len(self.points.now), bool)
            self.points.select(inside, add=more)
        self._line = []

    def _inside(self) -> NDArray[np.bool_]:
        """Which points lie within the line that was drawn."""
        polygon = QPolygonF([QPointF(x, y) for y, x in self._line])
        rule: Any = Qt.FillRule.OddEvenFill
        return np.array([polygon.containsPoint(QPointF(x, y), rule) for y, x in self._seen.tolist()], bool)
