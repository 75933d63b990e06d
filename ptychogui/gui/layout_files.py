"""Positions into the layout editor from a table, and out of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from ptychogui.gui import dialogs
from ptychogui.gui.layout_plan import Plan
from ptychogui.gui.layout_points import LayoutPoints, places
from ptychogui.gui.preparation_rows import button, label
from ptychogui.gui.tasks import Tasks
from ptychogui.io.position_table import (
    Numbers,
    PositionTable,
    paired_by_name,
    paired_by_number,
    paired_in_order,
    read_table,
)
from ptychogui.io.positions import write_positions
from ptychogui.io.raw import PositionUnit
from ptychogui.io.scan import METRES
from ptychogui.layout.base import Points

TABLES = "Positions (*.csv *.txt *.dat *.tsv);;All files (*)"
WAYS = {
    "order": "Pair in order",
    "number": "Pair by number",
    "name": "Pair by name",
}


class PointsFiles(QWidget):
    """Buttons for import and export, and how imported rows are paired with frames."""

    def __init__(self, points: LayoutPoints, plan: Plan, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points, self._plan, self._tasks = points, plan, tasks
        self._imported: tuple[str, PositionTable] | None = None
        self._gone = False
        self.note = label("", "dim", self, "layout_file_note")
        self.way = QComboBox(self)
        self.way.setObjectName("pairing_way")
        self.way.setToolTip("How the rows of the table find their frames")
        self.way.hide()
        self.note.hide()
        row = QHBoxLayout()
        tip = "Take the positions of a table (CSV or text) in place of all points"
        row.addWidget(button(self, "import_positions", "Import…", self._choose, tip))
        row.addWidget(button(self, "export_positions", "Export…", self._ask, "Write the points as a table (CSV)"))
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.way)
        column.addWidget(self.note)
        self.way.activated.connect(lambda _: self._pair())

    # in

    def _choose(self) -> None:
        dialogs.choose_file(self, "Import positions", TABLES, self.read)

    def read(self, path: str) -> None:
        """Read a table in a thread, and take its positions."""
        self._tasks.run(partial(read_table, path), partial(self._take, Path(path).name), self._refuse)

    def _refuse(self, sentence: str, _: str) -> None:
        self.say(sentence, "problem")

    def _take(self, name: str, table: PositionTable) -> None:
        if self._gone:
            return
        if not np.isfinite(table.listing.values).all(1).any():
            self._refuse(f"{name} holds no position that is finite: choose another table.", "")
            return
        self._imported = name, table
        ways = [
            way for way, has in (("order", True), ("number", table.numbers is not None), ("name", table.names)) if has
        ]
        self.way.clear()
        for way in ways:
            self.way.addItem(WAYS[way], way)
        same = len(table) == len(self._points.wanted)
        self.way.setCurrentIndex(0 if same else len(ways) - 1)
        self.way.setVisible(bool(len(self._points.wanted)) and len(ways) > 1)
        self._pair()

    def _pair(self) -> None:
        if self._imported is None:
            return
        name, table = self._imported
        positions, note = self._positions(table)
        finite = np.isfinite(positions).all(1)
        frames = self._frames(table)
        self._points.put(places(positions[finite], frames[finite]), f"import {name}")
        lost = int((~finite).sum())
        self.say(f"{name}: {note}" + (f" {lost} rows are no positions and were left out." if lost else ""))

    def _frames(self, table: PositionTable) -> Numbers:
        wanted, way = self._points.wanted, self.way.currentData()
        if way == "number" and table.numbers is not None:
            return paired_by_number(table.numbers, wanted)
        if way == "name":
            return paired_by_name(table.names, wanted, self._plan.names)
        return paired_in_order(len(table), wanted)

    def _positions(self, table: PositionTable) -> tuple[Points, str]:
        """The positions in the unit of the plan, and how the table was understood."""
        listing = table.listing
        values = listing.values if listing.columns == "yx" else listing.values[:, ::-1]
        unit = listing.unit or self._likely(values)
        doubts = [listing.columns_doubt] if listing.columns_doubt else []
        if unit != "px" and not self._plan.calibrated:
            doubts.append(f"the pixel at the sample is not known, so each {unit} counts as a pixel")
            unit = "px"
        factor = np.asarray(self._plan.table_pixel) if unit == "px" else METRES[unit]
        if listing.unit is None:
            doubts.append(f"it names no unit, {unit} fits best")
        said = f"{len(values)} rows in {unit}" + "".join(f"; {doubt}" for doubt in doubts) + "."
        return values * factor, said

    def _likely(self, values: Points) -> PositionUnit:
        """The unit in which the positions are as far apart as the points of the plan."""
        if not self._plan.calibrated:
            return "px"
        have, want = (
            float(np.nanmax(np.ptp(p[np.isfinite(p).all(1)], axis=0))) for p in (values, self._plan.positions_m)
        )
        factors: dict[PositionUnit, float] = {
            "m": 1.0,
            "mm": 1e-3,
            "um": 1e-6,
            "nm": 1e-9,
            "px": self._plan.table_pixel[0],
        }
        if not have or not want:
            return "um"
        return min(factors, key=lambda unit: abs(np.log(have * factors[unit] / want)))

    # out

    def _ask(self) -> None:
        proposed = Path(self._plan.title.split(".")[0] + "_positions.csv")
        dialogs.choose_name(self, "Export the positions", TABLES, proposed, self.write)

    def write(self, path: str) -> None:
        """Write the points as a table, in a thread."""
        now, calibrated = self._points.now, self._plan.calibrated
        frames = now.frames.tolist() if len(self._points.wanted) and not now.unpaired else None
        positions = now.positions_m * 1e6 if calibrated else now.positions_m / self._plan.table_pixel

        def write() -> None:
            write_positions(path, positions, "um" if calibrated else "px", frames)

        self._tasks.run(write, lambda _: self.say(f"Written to {Path(path).name}."), self._refuse)

    def end(self) -> None:
        """The editor closes: what still comes is not shown."""
        self._gone = True

    def say(self, sentence: str, role: str = "dim") -> None:
        """Say something under the buttons."""
        if self._gone:
            return
        self.note.setProperty("role", role)
        style = self.note.style()
        if style is not None:
            style.polish(self.note)
        self.note.setText(sentence)
        self.note.setVisible(bool(sentence))
