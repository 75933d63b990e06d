"""The painted shapes on the detector: one is chosen, moved, and pulled by its handles, with the mouse and by keys."""

from __future__ import annotations

import math

import pyqtgraph as pg
from PyQt6.QtCore import QObject, Qt, pyqtSignal

from ptychogui.gui import shape_edits
from ptychogui.gui.preparation_draft import Trial
from ptychogui.io.shapes import AnyShape, Point

FAR_PX = 10
"""So many pixels an arrow key moves a shape with Shift; one without."""
WAYS: dict[int, Point] = {
    Qt.Key.Key_Up.value: (-1.0, 0.0),
    Qt.Key.Key_Down.value: (1.0, 0.0),
    Qt.Key.Key_Left.value: (0.0, -1.0),
    Qt.Key.Key_Right.value: (0.0, 1.0),
}
GROWTH: dict[int, float] = {Qt.Key.Key_Plus.value: 1.0, Qt.Key.Key_Equal.value: 1.0, Qt.Key.Key_Minus.value: -1.0}


class ShapeGrips(QObject):
    """What the pointer and the keys do to painted shapes; places are (y, x) of the picture."""

    chosen = pyqtSignal(int)
    """The shape of this row shall be the selected one; −1 for none."""
    changed = pyqtSignal(int, object, bool)
    """The shape of this row shall be another; True where that holds."""

    def __init__(self, box: pg.ViewBox, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.shapes: tuple[AnyShape, ...] = ()
        self.row = -1
        self._trial: Trial | None = None
        self._start: Point = (0.0, 0.0)
        self._handle = -1
        self._fresh = False
        self._before: AnyShape | None = None
        self._now: AnyShape | None = None
        self._spots = pg.ScatterPlotItem(symbol="o", size=10, pen=pg.mkPen("#000000"), brush=pg.mkBrush("#6dffa0"))
        self._spots.setZValue(10)
        box.addItem(self._spots, ignoreBounds=True)

    @property
    def shape(self) -> AnyShape | None:
        """The selected shape, as it is while it is pulled."""
        if self._now is not None:
            return self._now
        return self.shapes[self.row] if 0 <= self.row < len(self.shapes) else None

    def show(self, shapes: tuple[AnyShape, ...], row: int, trial: Trial | None, seen: bool) -> None:
        """Take shapes, which of them is selected, how the picture shows them, and whether its handles are seen."""
        if row != self.row or len(shapes) != len(self.shapes):
            self._before = self._now = None
        self.shapes, self.row, self._trial = shapes, row, trial
        self._spots.setVisible(seen and trial is not None)
        self.draw()

    def draw(self) -> None:
        """Draw the handles of the selected shape."""
        shape, trial = self.shape, self._trial
        places = shape_edits.handles(shape) if shape is not None and trial is not None else []
        seen = [trial.unflipped.turned_point(place, trial.detector_shape) for place in places] if trial else []
        self._spots.setData([x for _, x in seen], [y for y, _ in seen])

    # what the pointer is on

    def handle_at(self, place: Point, near: Point) -> int:
        """The number of the nearest handle, if one is near; −1 for none."""
        if self.shape is None or self._trial is None or not self._spots.isVisible():
            return -1
        away = []
        for handle in shape_edits.handles(self.shape):
            y, x = self._trial.unflipped.turned_point(handle, self._trial.detector_shape)
            away.append(math.hypot((place[0] - y) / near[0], (place[1] - x) / near[1]))
        return away.index(min(away)) if min(away) < 1 else -1

    def rows_at(self, place: Point, near: Point) -> list[int]:
        """The rows of the shapes here, those that were painted last first."""
        at, reach_px = self._painted_at(place), min(near) / 2
        rows = [row for row, shape in enumerate(self.shapes) if shape_edits.covers(shape, at, reach_px)]
        return rows[::-1]

    # what is done

    def press(self, place: Point, near: Point) -> None:
        """Take hold of a handle, of the selected shape, or of the uppermost one, which is selected then."""
        self._start, self._handle = place, self.handle_at(place, near)
        rows = self.rows_at(place, near)
        self._fresh = self._handle < 0 and bool(rows) and self.row not in rows
        if self._fresh:
            self.chosen.emit(rows[0])
        self._before = self.shape

    def pull(self, place: Point, done: bool) -> None:
        """What is held goes where the pointer is."""
        if self._before is None:
            return
        at, start = self._painted_at(place), self._painted_at(self._start)
        if self._handle >= 0:
            self._change(shape_edits.pulled(self._before, self._handle, at), done)
        else:
            self._change(shape_edits.moved(self._before, (at[0] - start[0], at[1] - start[1])), done)

    def click(self, place: Point, near: Point) -> None:
        """Nothing was moved: of shapes that lie over each other the next one is selected."""
        rows = self.rows_at(place, near)
        self.let_go()
        if self._handle < 0 and not self._fresh and self.row in rows:
            self.chosen.emit(rows[(rows.index(self.row) + 1) % len(rows)])

    def let_go(self) -> None:
        """Hold nothing any more."""
        self._before = self._now = None
        self.draw()

    def press_key(self, key: int, far: bool) -> bool:
        """Move the selected shape by an arrow, or make it larger or smaller; whether the key does."""
        shape = self.shape
        if shape is None or self._trial is None or key not in (*WAYS, *GROWTH):
            return False
        step = FAR_PX if far and key in WAYS else 1
        if key in WAYS:
            zero, ahead = self._painted_at((0.0, 0.0)), self._painted_at(WAYS[key])
            by = (step * (ahead[0] - zero[0]), step * (ahead[1] - zero[1]))
            self._change(shape_edits.moved(shape, by), False)
        else:
            self._change(shape_edits.grown(shape, GROWTH[key]), False)
        return True

    def release_key(self) -> None:
        """What keys have changed holds."""
        if self._now is not None:
            self._change(self._now, True)

    def _change(self, shape: AnyShape, done: bool) -> None:
        self._now = None if done else shape
        if done:
            self._before = None
            self.shapes = (*self.shapes[: self.row], shape, *self.shapes[self.row + 1 :])
        self.changed.emit(self.row, shape, done)
        self.draw()

    def _painted_at(self, place: Point) -> Point:
        """A place of the picture in pixels of the frame before the flip."""
        assert self._trial is not None
        return self._trial.unflipped.file_point(place, self._trial.detector_shape)
