"""The editor of scan layouts: patterns at the left, the points over a picture, the points as a list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from PyQt6.QtCore import QSize, Qt, QTimer
from PyQt6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PyQt6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from ptychogui.gui import dialogs
from ptychogui.gui.layout_figures import figures_text
from ptychogui.gui.layout_files import PointsFiles
from ptychogui.gui.layout_list import PointsTable
from ptychogui.gui.layout_panel import LayoutPanel
from ptychogui.gui.layout_picture import TOOLS, LayoutPicture
from ptychogui.gui.layout_plan import Pictures, Plan
from ptychogui.gui.layout_points import LayoutPoints, Places, places
from ptychogui.gui.preparation_rows import action_button, button, label
from ptychogui.gui.shortcuts import sequence
from ptychogui.gui.tasks import Tasks
from ptychogui.gui.views.drift import drift
from ptychogui.gui.views.picture import Picture
from ptychogui.layout.figures import Coverage, coverage_of, figures

LEFT_PX, RIGHT_PX = 340, 280
PAUSE_MS = 150
"""The figures of points that are being dragged are told when the pointer rests for so long."""
WIDTH_PX, HEIGHT_PX = 1320, 820
HELP = {
    "select": "Click points or drag a rectangle around them; drag selected ones to move them. Shift adds to them.",
    "lasso": "Draw a line around the points to select.",
    "add": "Click where another point shall be.",
    "view": "Drag to move the picture, turn the wheel to zoom.",
}
COVERAGE, NOTHING = "Coverage", "Nothing"
LIT = "number of probes that light each place"
NO_PROBE = "give the diameter of the probe to see the coverage"


@dataclass(frozen=True)
class Use:
    """What the editor is for: the button that ends it, what that does, and why it cannot be done; '' where it can."""

    text: str
    tip: str
    do: Callable[[LayoutPoints], object]
    why_not: Callable[[Places], str]


class LayoutEditor(QDialog):
    """Edits the points of a plan; nothing outside changes until one of its `uses` is chosen."""

    def __init__(self, tasks: Tasks, plan: Plan, uses: tuple[Use, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("layout_editor")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Scan layout of {plan.title}")
        self.plan, self._tasks, self._uses = plan, tasks, uses
        self._coverage: Coverage | None = None
        self._pictures: dict[str, Picture] = {}
        self._may_close = False
        self.points = LayoutPoints(places(plan.positions_m, _numbers(plan), plan.layout), plan.frames, self)
        self.picture = LayoutPicture(self.points, plan.unit, self)
        if plan.refined_m is not None:
            self.picture.refined = plan.frames, plan.refined_m
        self.panel = LayoutPanel(self.points, plan, self)
        self.table = PointsTable(self.points, plan.unit, self)
        self.files = PointsFiles(self.points, plan, tasks, self)
        self.figures = label("", "", self, "layout_figures")
        self.pairing = label("", "dim", self, "layout_pairing")
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._show_points)
        self._take_size()
        self._lay_out()
        self._connect()
        self._show_points()
        self.picture.fit()
        if plan.pictures is not None:
            tasks.run(plan.pictures, self._take_pictures, lambda sentence, _: self.picture.say(sentence))

    def _take_size(self) -> None:
        """As large as is useful, and as the screen allows."""
        screen = self.screen()
        room = screen.availableGeometry().size() * 0.94 if screen is not None else QSize(WIDTH_PX, HEIGHT_PX)
        self.resize(QSize(WIDTH_PX, HEIGHT_PX).boundedTo(room))

    # what it is made of

    def _lay_out(self) -> None:
        middle, right = QWidget(self), QWidget(self)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._tool_row())
        column.addWidget(self._help)
        column.addWidget(self.picture, 1)
        column.addWidget(self.figures)
        listed = QVBoxLayout(right)
        listed.setContentsMargins(0, 0, 0, 0)
        listed.addWidget(self.table, 1)
        listed.addLayout(self._edit_row())
        listed.addWidget(self.files)
        listed.addWidget(self.pairing)
        self.panel.setFixedWidth(LEFT_PX)
        self._split = QSplitter(self)
        for part in (middle, right):
            self._split.addWidget(part)
        self._split.setStretchFactor(0, 1)
        self._split.setSizes([WIDTH_PX - LEFT_PX - RIGHT_PX, RIGHT_PX])
        row = QHBoxLayout()
        row.addWidget(self.panel)
        row.addWidget(self._split, 1)
        whole = QVBoxLayout(self)
        whole.addLayout(row, 1)
        whole.addLayout(self._button_row())

    def _tool_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self._tools = QButtonGroup(self)
        for i, name in enumerate(TOOLS):
            tip = f"{HELP[name]} ({name[0].upper()})"
            tool = button(self, f"tool_{name}", name.capitalize(), lambda: None, tip)
            tool.setCheckable(True)
            tool.setChecked(i == 0)
            self._tools.addButton(tool, i)
            QShortcut(QKeySequence(name[0].upper()), self, tool.click)
            row.addWidget(tool)
        self._help = label(HELP["select"], "dim", self, "tool_help")
        row.addStretch(1)
        self.probes, self.path = QCheckBox("Probes", self), QCheckBox("Path", self)
        self.probes.setToolTip("Draw the probe as a circle at each point")
        self.probes.setChecked(True)
        self.path.setToolTip("Draw the way from point to point")
        self.over = QComboBox(self)
        self.over.setObjectName("layout_over")
        self.over.setToolTip("What the points are drawn over")
        self.over.addItems([COVERAGE, NOTHING])
        self.over.setMinimumContentsLength(len("Object phase"))
        self.probes.setObjectName("show_probes")
        self.path.setObjectName("show_path")
        self.drift = QCheckBox("Drift", self)
        self.drift.setObjectName("show_drift")
        self.drift.setToolTip("Draw lines to where the selected run has found the frames, without the shift of all")
        self.drift.setVisible(self.plan.refined_m is not None)
        for widget in (self.probes, self.path, self.drift, self.over):
            row.addWidget(widget)
        return row

    def _edit_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self._delete = button(
            self, "delete_points", "Delete", self.points.delete_selected, "Delete the selected points"
        )
        row.addWidget(self._delete)
        tip = "Add a point in the middle of the field (Insert); its place can be typed in the table"
        row.addWidget(button(self, "new_point", "New", self._new_point, tip))
        QShortcut(QKeySequence(Qt.Key.Key_Insert), self, self._new_point)
        row.addWidget(button(self, "select_all", "All", self.points.select_all, "Select every point (Ctrl+A)"))
        if self.plan.refined_m is not None:
            tip = "Put the points where the selected run has found them"
            row.addWidget(button(self, "take_refined", "Refined", self._take_refined, tip))
        QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self, self.points.delete_selected)
        QShortcut(QKeySequence(QKeySequence.StandardKey.SelectAll), self, self.points.select_all)
        return row

    def _button_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        for name, action, key in (
            ("undo", self.points.undo.createUndoAction(self, "Undo"), sequence("undo")),
            ("redo", self.points.undo.createRedoAction(self, "Redo"), sequence("redo")),
        ):
            assert action is not None
            action.setShortcut(key)
            self.addAction(action)
            row.addWidget(action_button(self, f"layout_{name}", action, f"{name.capitalize()} one step"))
        row.addStretch(1)
        self._use_buttons = []
        for i, use in enumerate(self._uses):
            pressed = button(self, f"layout_use_{i}", use.text, partial(self._end, use), use.tip)
            self._use_buttons.append(pressed)
            row.addWidget(pressed)
        row.addWidget(button(self, "layout_close", "Close", self.close, "Close the editor"))
        return row

    def _connect(self) -> None:
        self.points.changed.connect(lambda: self._later.start(0))
        self.points.dragged.connect(lambda: self._later.start(PAUSE_MS))
        self.points.marked.connect(self._show_pairing)
        self.panel.exposure_changed.connect(self._show_points)
        self._tools.idClicked.connect(self._choose_tool)
        self.over.activated.connect(lambda _: self._show_picture())
        switches = ((self.probes, "show_probes"), (self.path, "show_path"), (self.drift, "show_drift"))
        for box, name in switches:
            box.toggled.connect(lambda on, name=name: self._switch(name, on))

    # what is done

    def _end(self, use: Use) -> None:
        use.do(self.points)

    def _choose_tool(self, number: int) -> None:
        self.picture.choose_tool(TOOLS[number])
        self._help.setText(HELP[TOOLS[number]])

    def _switch(self, name: str, on: bool) -> None:
        setattr(self.picture, name, on)
        self.picture.draw()

    def _new_point(self) -> None:
        y_m, x_m = self.points.middle_m.tolist()
        self.points.add(y_m, x_m)

    def _take_refined(self) -> None:
        """Points whose frame the run has seen go where it has found them."""
        refined, now = self.plan.refined_m, self.points.now
        assert refined is not None
        at = {int(frame): i for i, frame in enumerate(self.plan.frames)}
        positions = now.positions_m.copy()
        for row, frame in enumerate(now.frames.tolist()):
            if frame in at:
                positions[row] = refined[at[frame]]
        self.points.put(places(positions, now.frames), "take the refined positions")

    def _take_pictures(self, pictures: Pictures) -> None:
        if self._may_close:
            return
        self._pictures = dict(pictures)
        chosen = next(iter(pictures), self.over.currentText())
        self.over.clear()
        self.over.addItems([*pictures, COVERAGE, NOTHING])
        self.over.setCurrentText(chosen)
        self._show_picture()
        self.picture.fit()

    # what is shown

    def _show_points(self) -> None:
        """Show the figures and the coverage of the points as they stand."""
        exposure, positions = self.panel.exposure, self.points.now.positions_m
        probe_m = exposure.probe_m
        self._coverage = coverage_of(positions, probe_m) if probe_m is not None else None
        found = figures(positions, exposure, self._coverage)
        self.picture.show_probe(probe_m)
        self.figures.setText(figures_text(found, self.plan.unit, self.plan.pixel_m) + self._drift_text())
        self._show_pairing()
        made_of_points = self.over.currentText() in (COVERAGE, NOTHING) and not self.picture.holding
        if self.picture.picture is None or made_of_points:
            self._show_picture()

    def _drift_text(self) -> str:
        """How the run has moved the points, in a line of its own; '' where it has not."""
        if self.picture.refined is None:
            return ""
        found = drift(*self.points.beside(*self.picture.refined))
        lines = self.picture.drift_lines()
        if found is None or lines is None:
            return ""
        return f"\nthe run {found.text(self.plan.unit)}" + (f"  ·  drawn ×{lines[1]}" if lines[1] > 1 else "")

    def _show_picture(self) -> None:
        name = self.over.currentText()
        covered = LIT if self._coverage is not None else NO_PROBE
        note = "" if name == NOTHING else covered if name == COVERAGE else name.lower()
        self.picture.show_picture(self._pictures.get(name) or self._drawn(name == COVERAGE), note)

    def _drawn(self, coverage: bool) -> Picture:
        """The coverage, or an empty picture of the same size."""
        unit, found = self.plan.unit, self._coverage
        if found is not None and coverage:
            top = max(float(found.count.max()), 1.0)
            cell = (found.cell_m, found.cell_m)
            return Picture(found.count, cell, found.origin_m, unit, "probes", "inferno", (0.0, top))
        points = self.points.now.positions_m
        low, high = (points.min(0), points.max(0)) if len(points) else (np.zeros(2), np.ones(2) * unit.unit_si)
        margin = 0.08 * max(float((high - low).max()), unit.unit_si)
        size = (high - low + 2 * margin) / 2
        origin = low - margin + size / 2
        blank = np.full((2, 2), np.nan, np.float32)
        return Picture(blank, (float(size[0]), float(size[1])), (float(origin[0]), float(origin[1])), unit, gaps=True)

    def _show_pairing(self) -> None:
        """Say how points and frames go together, and what can be done with them."""
        now, points = self.points.now, self.points
        chosen = int(now.selected.sum())
        self._delete.setEnabled(bool(chosen))
        said = [f"{chosen} of {len(now)} points selected." if chosen else f"{len(now)} points."]
        if len(points.wanted):
            without = len(points.free_frames)
            said.append(f"{now.unpaired} have no frame." if now.unpaired else "Each has a frame.")
            said += [f"{without} of {len(points.wanted)} frames have no point and are left out."] if without else []
        self.pairing.setText(" ".join(said))
        for pressed, use in zip(self._use_buttons, self._uses):
            why = use.why_not(now)
            pressed.setEnabled(not why)
            pressed.setToolTip(why or use.tip)

    # closing

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Escape first drops what the mouse has begun."""
        if event is not None and event.key() == Qt.Key.Key_Escape and self.picture.cancel():
            return
        if event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return
        super().keyPressEvent(event)

    def reject(self) -> None:
        """Close, unless changes would be lost; then ask."""
        if self._may_close or self.points.undo.isClean() or not self.points.undo.canUndo():
            self.leave()
            return
        answers = {"Discard the changes": self.leave, "Go on editing": lambda: None}
        dialogs.ask(self, "Close the editor?", "The changes of the layout are not used yet.", answers)

    def leave(self) -> None:
        """Close without asking."""
        self._may_close = True
        self.files.end()
        super().reject()


def _numbers(plan: Plan) -> np.ndarray[tuple[int], np.dtype[np.intp]] | None:
    return plan.frames if len(plan.frames) == len(plan.positions_m) else None
