"""The preparation of the frames: steps at the left, the detector and what comes of it side by side."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PyQt6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from ptychogui.gui.preparation_draft import Draft
from ptychogui.gui.preparation_drawing import picture_of, thinned
from ptychogui.gui.preparation_masks import DefectsStep, MaskStep, ThresholdStep
from ptychogui.gui.preparation_picture import LEFT_OUT, TOOLS, DetectorPicture
from ptychogui.gui.preparation_rows import Number, Step, action_button, button, label
from ptychogui.gui.preparation_steps import (
    CentreStep,
    CropStep,
    DarkFlatStep,
    FramesStep,
    IntensityStep,
    OrientationStep,
)
from ptychogui.gui.session import Session
from ptychogui.gui.shortcuts import sequence
from ptychogui.gui.views.panel import ImagePanel
from ptychogui.io.data import PREPARATION, Data
from ptychogui.io.shapes import AnyShape

STEPS_PX = 330
WIDTH_PX, HEIGHT_PX = 1240, 800
HELP = {
    "arrange": "Drag the cross to the beam, the edges of the box, and painted shapes; a click shows the handles of "
    "one, arrows move it, + and − resize it, Del deletes it.",
    "brush": "Paint pixels with the left button.",
    "polygon": "Click the corners; a double-click or Return closes the polygon, Escape drops it.",
    "rectangle": "Drag from corner to corner.",
    "disc": "Drag from the middle outwards.",
}
VIEWS = {"both": "Before and after", "before": "Before", "after": "After"}


class PreparationDialog(QDialog):
    """Shows what the steps make of the mean pattern; every change that holds is part of the job and can be undone."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("preparation_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Prepare the frames")
        self._session = session
        self.draft = Draft(session, self)
        self.before = DetectorPicture(self)
        self.after = ImagePanel("What the run will see appears here.", self)
        self.after.setObjectName("prepared_picture")
        self.painting, self.crop = MaskStep(self.draft, self), CropStep(self.draft, self)
        self.frames = FramesStep(self.draft, self)
        self.steps: tuple[Step, ...] = (
            OrientationStep(self.draft, self),
            CentreStep(self.draft, self),
            self.crop,
            DarkFlatStep(self.draft, self),
            DefectsStep(self.draft, self),
            ThresholdStep(self.draft, self),
            self.painting,
            IntensityStep(self.draft, self),
            self.frames,
        )
        self.problem = label("", "problem", self, "preparation_problem")
        self.summary = label("", "dim", self, "preparation_summary")
        self._take_size()
        self._lay_out()
        self._connect()
        self.show_draft()

    def _take_size(self) -> None:
        """As large as is useful, and as the screen allows."""
        screen = self.screen()
        room = screen.availableGeometry().size() * 0.92 if screen is not None else QSize(WIDTH_PX, HEIGHT_PX)
        self.resize(QSize(WIDTH_PX, HEIGHT_PX).boundedTo(room))

    def _lay_out(self) -> None:
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 8, 0)
        for step in self.steps:
            column.addWidget(step)
        column.addStretch(1)
        area = QScrollArea(self)
        area.setObjectName("preparation_steps")
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        area.setFixedWidth(STEPS_PX)
        self._pictures = QSplitter(self)
        for panel in (self.before, self.after):
            self._pictures.addWidget(panel)
        self._pictures.setSizes([600, 400])
        right = QVBoxLayout()
        right.addLayout(self._tool_row())
        right.addLayout(self._view_row())
        right.addWidget(self._pictures, 1)
        right.addWidget(self.summary)
        row = QHBoxLayout()
        row.addWidget(area)
        row.addLayout(right, 1)
        whole = QVBoxLayout(self)
        whole.addLayout(row, 1)
        whole.addWidget(self.problem)
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
        self.mode = QComboBox(self)
        self.mode.setObjectName("paint_mode")
        self.mode.setAccessibleName("What painting does")
        self.mode.addItems(["Leave out", "Take back"])
        self.mode.setToolTip("Whether painting leaves pixels out, or takes back what another rule left out")
        self.width_box = Number("brush_width", 1, 500, 1, self)
        self.width_box.setSuffix(" px")
        self.width_box.setToolTip("The diameter of the brush")
        for widget in (self.mode, QLabel("Brush", self), self.width_box):
            row.addWidget(widget)
        row.addStretch(1)
        return row

    def _view_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.view = QComboBox(self)
        self.view.setObjectName("preparation_view")
        self.view.setAccessibleName("Before and after")
        self.view.setToolTip("What the picture shows of the pattern")
        for view, text in VIEWS.items():
            self.view.addItem(text, view)
        self._switches = {}
        for switch, text, tip in (
            (
                "logarithmic",
                "Logarithmic",
                "Show counts by their logarithm, so that weak ones are seen beside strong ones",
            ),
            ("show_mask", "Show the mask", "Colour the pixels that are left out"),
        ):
            self._switches[switch] = box = QCheckBox(text, self)
            box.setObjectName(switch)
            box.setToolTip(tip)
            box.setChecked(True)
        self._help = label(HELP["arrange"], "dim", self, "tool_help")
        row.addWidget(self._help, 1)
        for box in self._switches.values():
            row.addWidget(box)
        row.addWidget(self.view)
        return row

    def _button_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        for name, action, key in (
            ("undo", self._session.undo.createUndoAction(self, "Undo"), sequence("undo")),
            ("redo", self._session.undo.createRedoAction(self, "Redo"), sequence("redo")),
        ):
            assert action is not None
            action.setShortcut(key)
            self.addAction(action)
            row.addWidget(action_button(self, f"preparation_{name}", action, f"{name.capitalize()} one step"))
        tip = "Forget everything that was said about the preparation of these frames"
        row.addWidget(button(self, "preparation_reset", "Reset all", self._reset, tip))
        row.addStretch(1)
        row.addWidget(button(self, "preparation_close", "Close", self.close, "Close this dialog; what was set stays"))
        return row

    def _connect(self) -> None:
        self.draft.changed.connect(self.show_draft)
        self._session.preview_changed.connect(self.frames.show_draft)
        self.before.centre_moved.connect(self._move_centre)
        self.before.window_sized.connect(self.crop.crop)
        self.before.painted.connect(self._paint)
        self.before.dropped.connect(self.draft.drop)
        self.before.grips.chosen.connect(self.painting.shapes.setCurrentRow)
        self.before.grips.changed.connect(self.painting.put)
        self.before.clicked.connect(self._clicked)
        self.painting.selected.connect(self._mark)
        self._tools.idClicked.connect(self._choose_tool)
        self.mode.currentIndexChanged.connect(lambda i: setattr(self.before, "taking_back", i == 1))
        self.width_box.valueChanged.connect(lambda width: setattr(self.before, "width_px", width))
        self.width_box.setValue(self.before.width_px)
        self.view.currentIndexChanged.connect(self._choose_view)
        for name, box in self._switches.items():
            box.toggled.connect(lambda on, name=name: self._switch(name, on))

    # what is done

    def _move_centre(self, y: float, x: float, done: bool) -> None:
        """Take the cross where it was let go."""
        if done:
            self.draft.set_centre("centre", (y, x))

    def _paint(self, shape: AnyShape) -> None:
        self.draft.add_shape("painted mask", shape)

    def _mark(self, row: int) -> None:
        self.before.show_shapes(self.draft.data.mask_shapes, row)
        self.before.draw_mask()

    def _clicked(self) -> None:
        """A click beside all shapes selects none."""
        if self.before.tool == "arrange":
            self.painting.shapes.setCurrentRow(-1)

    def _reset(self) -> None:
        fresh = Data()
        self.draft.set(
            "preparation reset", **{name: getattr(fresh, name) for name in (*PREPARATION, "flip", "zero_frequency")}
        )

    def _choose_tool(self, number: int) -> None:
        self.before.choose_tool(TOOLS[number])
        self._help.setText(HELP[TOOLS[number]])
        if self.view.currentData() == "after":
            self.view.setCurrentIndex(0)

    def _choose_view(self) -> None:
        view = self.view.currentData()
        self.before.setVisible(view != "after")
        self.after.setVisible(view != "before")

    def _switch(self, name: str, on: bool) -> None:
        setattr(self.before, name, on)
        self.before.redraw()
        self.show_draft()

    # what is shown

    def show_draft(self) -> None:
        """Show what the settings say and what they make."""
        draft, trial = self.draft, self.draft.trial
        if draft.opened is None:
            self.close()
            return
        self.setWindowTitle(f"Prepare the frames of {draft.opened.title}")
        for step in self.steps:
            step.show_draft()
            step.setEnabled(trial is not None or bool(draft.problem))
        self.before.show_shapes(draft.data.mask_shapes, self.painting.shapes.currentRow())
        self.problem.setText(draft.problem)
        self.problem.setVisible(bool(draft.problem))
        self.before.show_trial(trial)
        if trial is None:
            self.after.show_picture(None)
            self.summary.setText("" if draft.problem else "Looking at the frames…")
            return
        ny, nx = trial.prepared.shape
        out = int((~trial.used).sum())
        log = self.before.logarithmic
        self.after.show_picture(picture_of(trial.prepared, log, trial.used), "prepared")
        left_out = np.where(thinned(trial.used), np.uint32(0), np.uint32(LEFT_OUT))
        self.after.show_overlay(left_out if self.before.show_mask and out else None)
        self.summary.setText(f"{trial.frames} frames of {ny} × {nx} for the run, {out} pixels of each left out.")

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Return closes a polygon, Escape drops what is being painted, and only then the dialog."""
        if event is not None and event.key() == Qt.Key.Key_Escape and self.before.cancel():
            return
        if event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.before.close_polygon()
            return
        super().keyPressEvent(event)

    def done(self, result: int) -> None:
        """Follow the file no more."""
        self.draft.end()
        super().done(result)
