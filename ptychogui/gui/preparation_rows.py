"""What the steps of a preparation are made of: a heading with rows, a level on a slider, a file."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QSignalBlocker, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QAction, QWheelEvent
from PyQt6.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from ptychogui.gui import dialogs
from ptychogui.gui.edits import PARAMETER, paragraphs, passed_on
from ptychogui.gui.preparation_draft import Draft
from ptychogui.io.data import Data

STEPS = 1000
"""Positions of a slider."""
NUMBER_PX, NAME_PX = 104, 90
PAUSE_MS = 400
"""A value that is changed without the mouse is taken up after this pause."""


class Step(QWidget):
    """One step: a heading, and rows beneath it that show a draft and change it."""

    def __init__(self, title: str, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("step." + title.lower().replace(" ", "_"))
        self.draft = draft
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 8)
        self.column.setSpacing(4)
        self.column.addWidget(label(title, "heading", self))

    def add_row(self, *widgets: QWidget | None) -> None:
        """Widgets side by side; None leaves the rest of the row empty."""
        row = QHBoxLayout()
        row.setSpacing(6)
        for widget in widgets:
            if widget is None:
                row.addStretch(1)
            else:
                row.addWidget(widget)
        self.column.addLayout(row)

    def show_draft(self) -> None:
        """Show what the draft says and makes."""


def label(text: str, role: str, parent: QWidget, name: str = "") -> QLabel:
    """A text that wraps."""
    made = QLabel(text, parent)
    made.setProperty("role", role)
    made.setWordWrap(True)
    made.setObjectName(name)
    return made


def button(parent: QWidget, name: str, text: str, slot: Callable[[], object], tip: str = "") -> QPushButton:
    """A button that Return does not press by chance."""
    made = QPushButton(text, parent)
    made.setObjectName(name)
    made.setAutoDefault(False)
    made.setToolTip(tip)
    made.clicked.connect(lambda _: slot())
    return made


def tell_field(widget: QWidget, field: str) -> None:
    """Let the tooltip of a widget, and the help that is asked for in it, be those of a field of `Data`."""
    text = Data.model_fields[field].description or ""
    widget.setToolTip(f"{paragraphs(text)}<p><code>data.{field}</code></p>")
    widget.setProperty(PARAMETER, f"data.{field}")


def action_button(parent: QWidget, name: str, action: QAction, tip: str = "") -> QPushButton:
    """A button that does what an action does; says what that is, and whether it can be done."""
    made = button(parent, name, "", action.trigger, tip)

    def dress() -> None:
        made.setText(action.text())
        made.setEnabled(action.isEnabled())

    action.changed.connect(dress)
    dress()
    return made


class Whole(QSpinBox):
    """A whole number that is taken up when it is typed in full; the wheel needs the focus."""

    def __init__(self, name: str, low: int, high: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(name.replace("_", " "))
        self.setRange(low, high)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_value(self, value: int) -> None:
        """Show a value; sends no signal."""
        with QSignalBlocker(self):
            self.setValue(value)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the scroll area unless the box was clicked."""
        if not passed_on(self, event):
            super().wheelEvent(event)


class Number(QDoubleSpinBox):
    """A number, as `Whole`."""

    def __init__(self, name: str, low: float, high: float, decimals: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(name.replace("_", " "))
        self.setRange(low, high)
        self.setDecimals(decimals)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_value(self, value: float) -> None:
        """Show a value; sends no signal."""
        with QSignalBlocker(self):
            self.setValue(value)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the scroll area unless the box was clicked."""
        if not passed_on(self, event):
            super().wheelEvent(event)


class Slider(QSlider):
    """A slider that the wheel moves only where it has the focus."""

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the scroll area unless the slider was clicked."""
        if not passed_on(self, event):
            super().wheelEvent(event)


class Level(QWidget):
    """A number on a logarithmic slider and beside it, with a switch where there may be none.

    The draft tries it while the slider moves, and takes it up when the slider is let go.
    """

    moved = pyqtSignal(object)
    """The number, or None where it is switched off; to be tried."""
    settled = pyqtSignal(object)
    """The same, to be taken up."""

    def __init__(self, field: str, text: str, switch: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self._low, self._high = 1.0, 10.0
        self.switch = QCheckBox(text, self) if switch else None
        self.slider = Slider(Qt.Orientation.Horizontal, self)
        self.slider.setObjectName(f"{field}_slider")
        self.slider.setRange(0, STEPS)
        self.slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.number = Number(field, 1e-9, 1e12, 2, self)
        self.number.setFixedWidth(NUMBER_PX)
        self.slider.setAccessibleName(text)
        self.number.setAccessibleName(text)
        self.note = label("", "dim", self, f"{field}_note")
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(PAUSE_MS)
        self._later.timeout.connect(lambda: self.settled.emit(self.value))
        tell_field(self, field)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        head = self.switch or label(text, "", self)
        grid.addWidget(head, 0, 0)
        grid.addWidget(self.note, 0, 1)
        grid.addWidget(self.slider, 1, 0)
        grid.addWidget(self.number, 1, 1, Qt.AlignmentFlag.AlignRight)
        grid.setColumnStretch(0, 1)
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.note.setWordWrap(False)
        if self.switch is not None:
            self.switch.setObjectName(f"{field}_on")
            self.switch.toggled.connect(self._switched)
        self.slider.valueChanged.connect(self._slid)
        self.slider.sliderReleased.connect(lambda: self.settled.emit(self.value))
        self.number.valueChanged.connect(self._typed)

    @property
    def on(self) -> bool:
        """Whether there is a level."""
        return self.switch is None or self.switch.isChecked()

    @property
    def value(self) -> float | None:
        """The level; None where it is switched off."""
        return self.number.value() if self.on else None

    def show_range(self, low: float, high: float) -> None:
        """What the slider spans."""
        self._low, self._high = low, max(high, low * 1.01)
        self.number.setDecimals(0 if low >= 100 else 2 if low >= 0.05 else 4)
        self._place()

    def show_value(self, value: float | None, otherwise: float) -> None:
        """Show a level, or none; then the slider stands where it would begin."""
        if self.slider.isSliderDown() or self._later.isActive():
            return
        if self.switch is not None:
            with QSignalBlocker(self.switch):
                self.switch.setChecked(value is not None)
        self.number.show_value(otherwise if value is None else value)
        self._place()
        self._dress()

    def _place(self) -> None:
        value = min(max(self.number.value(), self._low), self._high)
        part = math.log(value / self._low) / math.log(self._high / self._low)
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(STEPS * part))

    def _dress(self) -> None:
        self.slider.setEnabled(self.on)
        self.number.setEnabled(self.on)

    def _switched(self) -> None:
        self._dress()
        self.settled.emit(self.value)

    def _slid(self, position: int) -> None:
        value = self._low * (self._high / self._low) ** (position / STEPS)
        self.number.show_value(float(f"{value:.3g}"))
        self.moved.emit(self.value)
        if not self.slider.isSliderDown():
            self._later.start()

    def _typed(self) -> None:
        self._place()
        self.settled.emit(self.value)


class FileRow(QWidget):
    """A file that is chosen, shown by its name, and taken away again."""

    def __init__(self, field: str, text: str, draft: Draft, parent: QWidget) -> None:
        super().__init__(parent)
        self._field, self._text, self._draft = field, text, draft
        self.name = label("", "", self, field)
        self.clear = button(self, f"{field}_clear", "Remove", lambda: self._set(None), "Use no file")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.name, 1)
        row.addWidget(self.clear)
        row.addWidget(button(self, f"{field}_choose", "Choose…", self._choose, "Choose a file"))
        tell_field(self, field)

    def show_draft(self) -> None:
        """Show the name of the file in force."""
        path = getattr(self._draft.data, self._field)
        room = NAME_PX if path else 2 * NAME_PX
        shown = self.name.fontMetrics().elidedText(Path(path or "none").name, Qt.TextElideMode.ElideMiddle, room)
        self.name.setText(f"{self._text}: {shown}")
        self.name.setToolTip(path or "")
        self.clear.setVisible(bool(path))

    def _choose(self) -> None:
        dialogs.choose_file(self, f"Choose the file: {self._text.lower()}", "All files (*)", self._set)

    def _set(self, path: str | None) -> None:
        self._draft.set(self._text.lower(), **{self._field: path})
