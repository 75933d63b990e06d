"""The mean pattern on the detector, with what can be dragged and painted on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QEvent, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QCursor, QFocusEvent, QKeyEvent, QMouseEvent
from PyQt6.QtWidgets import QWidget

from ptychogui.gui.preparation_draft import Trial
from ptychogui.gui.preparation_drawing import Place, circle, line, picture_of, thinned
from ptychogui.gui.preparation_shapes import ShapeGrips
from ptychogui.gui.views.graphics import point_in
from ptychogui.gui.views.panel import ImagePanel
from ptychogui.io.shapes import AnyShape, Disc, Polygon, Rectangle, Stroke, painted

Tool = Literal["arrange", "brush", "polygon", "rectangle", "disc"]
TOOLS: tuple[Tool, ...] = ("arrange", "brush", "polygon", "rectangle", "disc")
LEFT_OUT, TAKEN_BACK, MARKED = 0xB023839F, 0xB05070B0, 0xC000A848
"""Colours, with premultiplied opacity, of pixels that are not used, that a shape takes back, of a shape in the list."""
NEAR_PX = 9
"""So near, on the screen, the pointer takes hold of something."""
STILL_PX = 3
"""A shape is moved by no less on the screen; less is a click."""
CURSORS = {
    "centre": Qt.CursorShape.SizeAllCursor,
    "rows": Qt.CursorShape.SizeVerCursor,
    "columns": Qt.CursorShape.SizeHorCursor,
    "both": Qt.CursorShape.SizeFDiagCursor,
    "handle": Qt.CursorShape.CrossCursor,
    "shape": Qt.CursorShape.PointingHandCursor,
}
"""What the pointer looks like over what it can take hold of."""


class DetectorPicture(ImagePanel):
    """The whole frame after the flip, in its pixels: the centre and the window can be dragged, shapes painted.

    What is drawn is given in places (y, x) of the picture.
    """

    centre_moved = pyqtSignal(float, float, bool)
    """The cross is at (y, x); True where it was let go."""
    window_sized = pyqtSignal(int, int, bool)
    """The window is so many rows and columns; True where it was let go."""
    painted = pyqtSignal(object)
    """A shape was painted."""
    dropped = pyqtSignal()
    """What was being dragged shall be as it was."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("The mean of the frames appears here.", parent)
        self.setObjectName("detector_picture")
        self.tool: Tool = "arrange"
        self.taking_back = False
        self.width_px = 6.0
        self.show_mask = self.logarithmic = True
        self._trial: Trial | None = None
        self._held = ""
        self._points: list[Place] = []
        self._cross = line(self.box, 2.0, connect="pairs")
        self._window = line(self.box, 1.5)
        self._handles = pg.ScatterPlotItem(symbol="s", size=8, pen=pg.mkPen("#000000"), brush=pg.mkBrush("#ffffff"))
        self._pending = line(self.box, 1.5)
        self.box.addItem(self._handles, ignoreBounds=True)
        self.grips = ShapeGrips(self.box, self)
        self.plot.installEventFilter(self)
        viewport = self.plot.viewport()
        assert viewport is not None
        viewport.installEventFilter(self)
        viewport.setMouseTracking(True)

    # what is shown

    @property
    def marked(self) -> AnyShape | None:
        """The shape that is selected in the list."""
        return self.grips.shape

    def show_shapes(self, shapes: tuple[AnyShape, ...], row: int) -> None:
        """Take the painted shapes, and which of them is selected."""
        self.grips.show(shapes, row, self._trial, self.tool == "arrange")

    def show_trial(self, trial: Trial | None) -> None:
        """Show another trial."""
        before, self._trial = self._trial, trial
        if trial is None:
            self.show_picture(None)
            self.grips.show((), -1, None, False)
            for item in (self._cross, self._window, self._pending, self._handles):
                item.setVisible(False)
            return
        if before is None or before.detector is not trial.detector or self.picture is None:
            same = before is not None and before.detector.shape == trial.detector.shape
            self.show_picture(picture_of(trial.detector, self.logarithmic), "measured")
            if not same:
                self.fit()
        self.draw_mask()
        self.grips.show(self.grips.shapes, self.grips.row, trial, self.tool == "arrange")
        if not self._held:
            self._draw_centre(trial.plan.centre)
            self._draw_window(trial.plan.layout.corner, trial.plan.layout.shape)

    def redraw(self) -> None:
        """Draw the picture anew, in other colours."""
        trial, self.picture = self._trial, None
        self.show_trial(trial)

    def draw_mask(self, pending: AnyShape | None = None) -> None:
        """Lay colours over what is not used, over the shape that is selected, and over the one that is painted now."""
        trial = self._trial
        if trial is None:
            return
        unused = thinned(trial.unused)
        colours = np.zeros(unused.shape, np.uint32)
        if self.show_mask:
            colours[unused] = LEFT_OUT
        for shape, colour in (
            (self.grips.shape, MARKED),
            (pending, TAKEN_BACK if pending is not None and pending.use else LEFT_OUT),
        ):
            if shape is not None:
                pixels = painted([shape.model_copy(update={"use": True})], np.zeros(trial.detector_shape, bool))
                colours[thinned(trial.unflipped.turned(pixels))] = colour
        self.show_overlay(colours if colours.any() else None)

    def _draw_centre(self, centre: Place) -> None:
        y, x = centre
        arm = max(3.0, 0.05 * min(self._trial.detector.shape)) if self._trial is not None else 3.0
        self._cross.setData([x - arm, x + arm, x, x], [y, y, y - arm, y + arm])
        self._cross.setVisible(True)

    def _draw_window(self, corner: Sequence[float], shape: Sequence[float]) -> None:
        top, left = corner[0] - 0.5, corner[1] - 0.5
        bottom, right = top + shape[0], left + shape[1]
        self._window.setData([left, right, right, left, left], [top, top, bottom, bottom, top])
        middle_y, middle_x = (top + bottom) / 2, (left + right) / 2
        xs = [left, middle_x, right, right, right, middle_x, left, left]
        ys = [top, top, top, middle_y, bottom, bottom, bottom, middle_y]
        self._handles.setData(xs, ys)
        for item in (self._window, self._handles):
            item.setVisible(self.tool == "arrange")

    def choose_tool(self, tool: Tool) -> None:
        """Take another tool; what was begun with the last one is dropped."""
        self.tool = tool
        self.cancel()
        for item in (self._window, self._handles):
            item.setVisible(tool == "arrange" and self._trial is not None)
        viewport = self.plot.viewport()
        if viewport is not None:
            viewport.setCursor(Qt.CursorShape.ArrowCursor if tool == "arrange" else Qt.CursorShape.CrossCursor)

    def cancel(self) -> bool:
        """Drop what is being painted; whether there was anything."""
        begun, dragged = bool(self._points or self._held), self._held in CURSORS
        self._points, self._held = [], ""
        self.grips.let_go()
        if dragged:
            self.dropped.emit()
        self._pending.setVisible(False)
        if self._trial is not None:
            self.show_trial(self._trial)
        return begun

    # the pointer

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Take the left button where there is something to drag or to paint; all else is the picture's."""
        if watched is self.plot and isinstance(event, QKeyEvent | QFocusEvent):
            return self._press_key(event)
        if not isinstance(event, QMouseEvent) or self._trial is None or watched is self.plot:
            return super().eventFilter(watched, event)
        place = self._place(event)
        kind, left = event.type(), event.button() == Qt.MouseButton.LeftButton
        if kind == QEvent.Type.MouseMove:
            return self._move(place, bool(event.buttons() & Qt.MouseButton.LeftButton))
        if left and kind == QEvent.Type.MouseButtonPress:
            return self._press(place)
        if left and kind == QEvent.Type.MouseButtonRelease:
            return self._release(place)
        if left and kind == QEvent.Type.MouseButtonDblClick and self.tool != "arrange":
            self.close_polygon()
            return True
        return super().eventFilter(watched, event)

    def _place(self, event: QMouseEvent) -> Place:
        return point_in(self.box, self.plot.mapToScene(event.position().toPoint()))

    def _near(self) -> Place:
        """How far (y, x) in the picture is near on the screen."""
        dx, dy = self.box.viewPixelSize()
        return NEAR_PX * dy, NEAR_PX * dx

    def _press(self, place: Place) -> bool:
        if self.tool == "arrange":
            self._held, self._points = self._grip(place), []
            if self._held in ("handle", "shape"):
                self._points = [place]
                self.grips.press(place, self._near())
                self.draw_mask()
            return bool(self._held)
        if self.tool == "polygon":
            self._add_corner(place)
        else:
            self._held, self._points = self.tool, [place]
            self._follow(place)
        return True

    def _move(self, place: Place, pressed: bool) -> bool:
        if self._held in ("centre", "rows", "columns", "both") and pressed:
            self._drag(place, False)
            return True
        if self._held in ("handle", "shape") and pressed:
            self._pull(place, False)
            return True
        if self._held and pressed:
            self._follow(place)
            return True
        if self.tool == "polygon" and self._points:
            self._outline([*self._points, place])
        elif self.tool == "brush":
            self._outline(circle(place, self.width_px / 2))
        elif self.tool == "arrange":
            self._point_out(self._grip(place))
        return False

    def _release(self, place: Place) -> bool:
        held, self._held = self._held, ""
        if not held:
            return self.tool == "polygon"
        if held in ("centre", "rows", "columns", "both"):
            self._drag(place, True, held)
            return True
        if held in ("handle", "shape"):
            self._pull(place, True)
            return True
        shape = self._shape(held, place)
        self._points = []
        self._pending.setVisible(False)
        if shape is None:
            self.draw_mask()
        else:
            self.painted.emit(shape)
        return True

    def _grip(self, place: Place) -> str:
        """What is under the pointer: a handle, the cross, an edge or corner of the window, a shape; '' for nothing."""
        assert self._trial is not None
        (y, x), (near_y, near_x), layout = place, self._near(), self._trial.plan.layout
        if self.grips.handle_at(place, self._near()) >= 0:
            return "handle"
        centre = self._trial.plan.centre
        if math.hypot((y - centre[0]) / near_y, (x - centre[1]) / near_x) < 1.5:
            return "centre"
        top, left = layout.corner[0] - 0.5, layout.corner[1] - 0.5
        bottom, right = top + layout.shape[0], left + layout.shape[1]
        on_rows = min(abs(y - top), abs(y - bottom)) < near_y and left - near_x < x < right + near_x
        on_columns = min(abs(x - left), abs(x - right)) < near_x and top - near_y < y < bottom + near_y
        if on_rows or on_columns:
            return "both" if on_rows and on_columns else "rows" if on_rows else "columns"
        return "shape" if self.grips.rows_at(place, self._near()) else ""

    def _point_out(self, grip: str) -> None:
        """Let the pointer say what can be done here."""
        viewport = self.plot.viewport()
        if viewport is not None:
            viewport.setCursor(QCursor(CURSORS.get(grip, Qt.CursorShape.ArrowCursor)))

    def _drag(self, place: Place, done: bool, held: str = "") -> None:
        assert self._trial is not None
        held, trial = held or self._held, self._trial
        rows, columns = trial.detector.shape
        if held == "centre":
            y, x = min(max(place[0], 0), rows - 1), min(max(place[1], 0), columns - 1)
            self._draw_centre((y, x))
            self.centre_moved.emit(y, x, done)
            return
        layout, centre = trial.plan.layout, trial.plan.centre
        bin_, shape = layout.bin, list(layout.shape)
        wanted = [max(round(2 * abs(p - c) / bin_), 4) * bin_ for p, c in zip(place, centre)]
        if held == "both":
            wanted = [max(wanted)] * 2
        for axis, grip in enumerate(("rows", "columns")):
            if held in (grip, "both"):
                shape[axis] = min(wanted[axis], trial.detector.shape[axis])
        self._draw_window([round(c) - n // bin_ // 2 * bin_ for c, n in zip(centre, shape)], shape)
        self.window_sized.emit(shape[0], shape[1], done)

    # what was painted before

    def _pull(self, place: Place, done: bool) -> None:
        """Move or pull a shape, once the pointer has left the place where it went down."""
        near, moved = self._near(), len(self._points) > 1
        if not moved:
            away = [(p - first) / n for p, first, n in zip(place, self._points[0], near)]
            moved = math.hypot(*away) * NEAR_PX >= STILL_PX
            self._points += [place] if moved else []
        if moved:
            self.grips.pull(place, done)
        elif done:
            self.grips.click(place, near)
        if done:
            self._points = []
        self.draw_mask()

    def _press_key(self, event: QKeyEvent | QFocusEvent) -> bool:
        """Arrows, plus and minus change the selected shape until they are let go."""
        if isinstance(event, QFocusEvent) or event.type() == QEvent.Type.KeyRelease:
            if isinstance(event, QFocusEvent) or not event.isAutoRepeat():
                self.grips.release_key()
            return False
        far = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        taken = event.type() == QEvent.Type.KeyPress and self.tool == "arrange"
        taken = taken and self.grips.press_key(event.key(), far)
        self.draw_mask()
        return taken

    # painting

    def _follow(self, place: Place) -> None:
        """Show what is painted while the button is down."""
        if self._held == "brush":
            last = self._points[-1]
            if math.hypot(place[0] - last[0], place[1] - last[1]) >= max(self.width_px / 6, 0.5):
                self._points.append(place)
            self._outline(circle(place, self.width_px / 2))
        self.draw_mask(self._shape(self._held, place))

    def _shape(self, tool: str, place: Place) -> AnyShape | None:
        """What is painted if the button goes up here; None where that is nothing."""
        first = self._painted_at(self._points[0])
        if tool == "brush":
            points = tuple(map(self._painted_at, self._points))
            return Stroke(points=points, width_px=self.width_px, use=self.taking_back)
        last = self._painted_at(place)
        if tool == "rectangle":
            return None if first == last else Rectangle(corner=first, opposite=last, use=self.taking_back)
        radius_px = round(math.hypot(last[0] - first[0], last[1] - first[1]), 2)
        return Disc(centre=first, radius_px=radius_px, use=self.taking_back) if radius_px > 0 else None

    def _painted_at(self, place: Place) -> Place:
        """A place of the picture in pixels of the frame before the flip."""
        assert self._trial is not None
        y, x = self._trial.unflipped.file_point(place, self._trial.detector_shape)
        return round(y, 2), round(x, 2)

    def _add_corner(self, place: Place) -> None:
        """Another corner of a polygon; on the first one it is closed."""
        near_y, near_x = self._near()
        if len(self._points) > 2:
            y, x = self._points[0]
            if math.hypot((place[0] - y) / near_y, (place[1] - x) / near_x) < 1:
                self.close_polygon()
                return
        self._points.append(place)
        self._outline(self._points)

    def close_polygon(self) -> bool:
        """Paint the polygon whose corners were clicked; whether there was one."""
        corners = [p for i, p in enumerate(self._points) if i == 0 or p != self._points[i - 1]]
        self._points = []
        self._pending.setVisible(False)
        if self.tool != "polygon" or len(corners) < 3:
            return False
        self.painted.emit(Polygon(points=tuple(map(self._painted_at, corners)), use=self.taking_back))
        return True

    def _outline(self, points: Sequence[Place]) -> None:
        places = np.asarray(points)
        self._pending.setData(places[:, 1], places[:, 0])
        self._pending.setVisible(True)
