"""The points of a layout as a table: their frames and places, which can be typed."""

from __future__ import annotations

from typing import Any

import numpy as np
from PyQt6.QtCore import QAbstractTableModel, QItemSelection, QItemSelectionModel, QModelIndex, Qt
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from ptychogui.gui.layout_points import NO_FRAME, LayoutPoints
from ptychogui.gui.views.lengths import Lengths

_SelectionFlag = QItemSelectionModel.SelectionFlag


class PointsModel(QAbstractTableModel):
    """One row for each point: frame, y, x."""

    def __init__(self, points: LayoutPoints, unit: Lengths, parent: QWidget) -> None:
        super().__init__(parent)
        self._points, self._unit = points, unit
        self._count = len(points.now)
        points.changed.connect(self._follow)
        points.dragged.connect(self._follow)

    def _follow(self) -> None:
        if len(self._points.now) != self._count:
            self.beginResetModel()
            self._count = len(self._points.now)
            self.endResetModel()
        elif self._count:
            self.dataChanged.emit(self.index(0, 0), self.index(self._count - 1, 2))

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """As many as points."""
        return 0 if parent.isValid() else self._count

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Frame, y, x."""
        return 0 if parent.isValid() else 3

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The number of the frame, or a coordinate."""
        now, row = self._points.now, index.row()
        if not index.isValid() or row >= len(now):
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return None
        if index.column() == 0:
            frame = int(now.frames[row])
            return "–" if frame == NO_FRAME else str(frame)
        return f"{now.positions_m[row, index.column() - 1] / self._unit.unit_si + 0.0:.5g}"  # no minus before a zero

    def setData(self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Put a point where a typed coordinate says; what is no number is not taken."""
        try:
            number = float(str(value).replace(",", ".")) * self._unit.unit_si
        except ValueError:
            return False
        if role != Qt.ItemDataRole.EditRole or not np.isfinite(number):
            return False
        place = self._points.now.positions_m[index.row()].copy()
        place[index.column() - 1] = number
        self._points.move_to(index.row(), float(place[0]), float(place[1]))
        return True

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Coordinates can be typed."""
        plain = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return plain | Qt.ItemFlag.ItemIsEditable if index.column() else plain

    def headerData(self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Names with units, and the numbers of the points."""
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if way == Qt.Orientation.Vertical:
            return str(section)
        return ("frame", f"y / {self._unit.symbol}", f"x / {self._unit.symbol}")[section]


class PointsTable(QTableView):
    """The table, whose selection is that of the points."""

    def __init__(self, points: LayoutPoints, unit: Lengths, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("points_table")
        self._points = points
        self._following = False
        self.setModel(PointsModel(points, unit, self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setToolTip("Double-click a coordinate to type another one")
        header, rows = self.horizontalHeader(), self.verticalHeader()
        assert header is not None
        assert rows is not None
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        rows.setDefaultSectionSize(22)
        rows.hide()
        self.setTextElideMode(Qt.TextElideMode.ElideNone)
        points.marked.connect(self._follow)
        selection = self.selectionModel()
        assert selection is not None
        selection.selectionChanged.connect(self._lead)

    def _lead(self) -> None:
        """The rows that were selected here are selected everywhere."""
        selection = self.selectionModel()
        if self._following or selection is None:
            return
        self._following = True
        rows = [index.row() for index in selection.selectedRows() if index.row() < len(self._points.now)]
        self._points.select(np.array(rows, np.intp))
        self._following = False

    def _follow(self) -> None:
        """Show what was selected elsewhere."""
        selection, model = self.selectionModel(), self.model()
        if self._following or selection is None or model is None:
            return
        self._following = True
        chosen, rows = QItemSelection(), np.flatnonzero(self._points.now.selected)
        for run in np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1) if len(rows) else ():
            chosen.select(model.index(int(run[0]), 0), model.index(int(run[-1]), 2))
        selection.select(chosen, _SelectionFlag.ClearAndSelect | _SelectionFlag.Rows)
        if len(rows):
            self.scrollTo(model.index(int(rows[-1]), 0))
        self._following = False
