"""The points of a layout while it is edited: positions, their frames, what is selected, and undo."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QUndoCommand, QUndoStack

from ptychogui.layout import Layout, Listed
from ptychogui.layout.base import Points

NO_FRAME = -1


@dataclass(frozen=True, eq=False)
class Places:
    """Positions (N, 2) with the numbers (N,) of their frames in the file, −1 where there is none; what is selected.

    `layout` is the pattern that made them, as long as nobody has touched them.
    """

    positions_m: Points
    frames: NDArray[np.intp]
    selected: NDArray[np.bool_]
    layout: Layout | None = None

    def __len__(self) -> int:
        return len(self.positions_m)

    @property
    def unpaired(self) -> int:
        """How many points have no frame."""
        return int((self.frames == NO_FRAME).sum())


def places(positions_m: Points, frames: NDArray[np.intp] | None = None, layout: Layout | None = None) -> Places:
    """Points of which none is selected; without frames where none are given."""
    count = len(positions_m)
    numbers = np.full(count, NO_FRAME, np.intp) if frames is None else np.asarray(frames, np.intp)
    return Places(np.asarray(positions_m, np.float64).reshape(-1, 2), numbers, np.zeros(count, bool), layout)


class LayoutPoints(QObject):
    """Changes points by commands that can be undone; `frames` are the numbers of all frames that want a point."""

    changed = pyqtSignal()
    """There are other points, or they stand elsewhere."""
    dragged = pyqtSignal(float, float)
    """The selected points are held, by (y, x) metres from where they were; `changed` follows when they are let go."""
    marked = pyqtSignal()
    """Others are selected."""

    def __init__(self, begun: Places, frames: NDArray[np.intp], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.now = begun
        self.wanted = frames
        self.undo = QUndoStack(self)
        self._held: Places | None = None

    @property
    def free_frames(self) -> NDArray[np.intp]:
        """The frames that have no point."""
        return np.setdiff1d(self.wanted, self.now.frames)

    @property
    def middle_m(self) -> Points:
        """The middle (y, x) of the field; zero without points."""
        points = self.now.positions_m
        middle: Points = (points.min(0) + points.max(0)) / 2 if len(points) else np.zeros(2)
        return middle

    @property
    def layout(self) -> Layout | None:
        """What a simulation takes: the pattern, or where the points were touched their list; None without points."""
        if self.now.layout is not None or not len(self.now):
            return self.now.layout
        centred = self.now.positions_m - self.middle_m
        return Listed(positions_m=tuple((float(y), float(x)) for y, x in centred))

    def beside(self, frames: NDArray[np.intp], places_m: Points) -> tuple[Points, Points]:
        """The points (n, 2) whose frames have another place too, given by their numbers (N,), and that place (n, 2)."""
        order = np.argsort(frames)
        at = np.clip(np.searchsorted(frames[order], self.now.frames), 0, max(len(frames) - 1, 0))
        both = frames[order][at] == self.now.frames
        return self.now.positions_m[both], places_m[order][at[both]]

    # what is selected

    def select(self, index: NDArray[np.bool_] | NDArray[np.intp], add: bool = False) -> None:
        """Select points, beside those that are selected where `add`."""
        selected = self.now.selected.copy() if add else np.zeros(len(self.now), bool)
        selected[index] = True
        self._mark(selected)

    def toggle(self, index: int) -> None:
        """Select a point, or no more."""
        selected = self.now.selected.copy()
        selected[index] = ~selected[index]
        self._mark(selected)

    def select_all(self) -> None:
        """Select every point."""
        self._mark(np.ones(len(self.now), bool))

    def _mark(self, selected: NDArray[np.bool_]) -> None:
        if not np.array_equal(selected, self.now.selected):
            self.now = replace(self.now, selected=selected)
            self.marked.emit()

    # what is changed

    def add(self, y_m: float, x_m: float) -> None:
        """Another point at the end, for the first frame that has none."""
        now, free = self.now, self.free_frames
        frame = int(free[0]) if len(free) else NO_FRAME
        selected = np.append(np.zeros(len(now), bool), True)
        added = Places(np.vstack([now.positions_m, [y_m, x_m]]), np.append(now.frames, frame), selected)
        self.put(added, "add a point")

    def delete_selected(self) -> None:
        """Take the selected points away; their frames are left out."""
        now, keep = self.now, ~self.now.selected
        if not keep.all():
            count = int((~keep).sum())
            left = places(now.positions_m[keep], now.frames[keep])
            self.put(left, f"delete {count} point{'s' if count > 1 else ''}")

    def drag(self, dy_m: float, dx_m: float) -> None:
        """Show the selected points moved, until `drop`."""
        held = self._held = self._held or self.now
        moved = held.positions_m + np.where(held.selected[:, None], (dy_m, dx_m), 0.0)
        self.now = replace(held, positions_m=moved, layout=None)
        self.dragged.emit(dy_m, dx_m)

    def drop(self) -> None:
        """Keep what was dragged, as one step of undo."""
        held, self._held, dropped = self._held, None, self.now
        if held is not None and not np.array_equal(held.positions_m, dropped.positions_m):
            self.now = held
            count = int(held.selected.sum())
            self.put(dropped, f"move {count} point{'s' if count > 1 else ''}")
        elif held is not None:
            self.now = held

    def cancel(self) -> bool:
        """Put back what is being dragged; whether there was anything."""
        held, self._held = self._held, None
        if held is not None:
            self.show(held)
        return held is not None

    def move_to(self, index: int, y_m: float, x_m: float) -> None:
        """Put one point elsewhere."""
        positions = self.now.positions_m.copy()
        positions[index] = y_m, x_m
        self.put(replace(self.now, positions_m=positions, layout=None), "move a point")

    def put(self, new: Places, what: str) -> None:
        """Take other points; can be undone under the name `what`."""
        self.undo.push(_Put(self, self.now, new, what))

    def show(self, new: Places) -> None:
        """Make these the points; for the commands."""
        self.now = new
        self.changed.emit()
        self.marked.emit()

    def in_order(self, positions_m: Points, layout: Layout | None = None) -> Places:
        """Points for the wanted frames one after the other; those that are too many have none."""
        frames = np.full(len(positions_m), NO_FRAME, np.intp)
        both = min(len(frames), len(self.wanted))
        frames[:both] = self.wanted[:both]
        return places(positions_m, frames, layout)


class _Put(QUndoCommand):
    def __init__(self, points: LayoutPoints, old: Places, new: Places, what: str) -> None:
        super().__init__(what)
        self._points, self._old, self._new = points, old, new

    def undo(self) -> None:
        """Go back."""
        self._points.show(self._old)

    def redo(self) -> None:
        """Go forth."""
        self._points.show(self._new)
