"""A look at one array of a file: a picture with a slider, curves, or its values; read in a thread, part by part."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QSlider,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ptychogui.gui.tasks import Tasks
from ptychogui.gui.views.curves import Curve, CurvePlot
from ptychogui.gui.views.lengths import PIXELS
from ptychogui.gui.views.panel import ImagePanel
from ptychogui.gui.views.picture import Picture, levels_of
from ptychogui.io.contents import Contents, Node
from ptychogui.io.slices import Part, count_of, pairs, part_of

HINT = "Choose an array in the tree"


class ArrayView(QWidget):
    """Shows the array that was chosen last; while one part is read, only the latest wish waits."""

    def __init__(self, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("array_view")
        self._tasks = tasks
        self._contents: Contents | None = None
        self._node: Node | None = None
        self._part = Part()
        self._reading = self._again = self._ended = False
        self.title = QLabel(HINT, self)
        self.title.setProperty("role", "heading")
        self.title.setWordWrap(True)
        self.panel = ImagePanel("", self)
        self.panel.setObjectName("array_panel")
        self.curves = CurvePlot("", self)
        self.text = QPlainTextEdit(self)
        self.text.setReadOnly(True)
        self.text.setObjectName("array_text")
        self.stack = QStackedWidget(self)
        for page in (self.panel, self.curves, self.text):
            self.stack.addWidget(page)
        self.stack.setCurrentWidget(self.text)
        self.note = QLabel(self)
        self.note.setProperty("role", "dim")
        self.note.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.title)
        column.addWidget(self.stack, 1)
        column.addWidget(self._controls())
        column.addWidget(self.note)

    def _controls(self) -> QWidget:
        self._row = QWidget(self)
        row = QHBoxLayout(self._row)
        row.setContentsMargins(0, 0, 0, 0)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setObjectName("array_slider")
        self.slider.setAccessibleName("Which picture of the stack")
        self.slider.setToolTip("Go through the pictures of the stack")
        self.number = QSpinBox(self)
        self.number.setObjectName("array_number")
        self.number.setAccessibleName("Number of the picture")
        self.axes = QComboBox(self)
        self.axes.setObjectName("array_axes")
        self.axes.setToolTip("The two axes that the picture shows")
        self.log = QCheckBox("Log", self)
        self.log.setObjectName("array_log")
        self.log.setToolTip("Show the logarithm of the values")
        self.slider.valueChanged.connect(self.number.setValue)
        self.number.valueChanged.connect(self.slider.setValue)
        self.number.valueChanged.connect(self._read)
        self.axes.currentIndexChanged.connect(self._take_axes)
        self.log.toggled.connect(self._show)
        row.addWidget(self.slider, 1)
        for widget in (self.number, self.axes, self.log):
            row.addWidget(widget)
        self._row.hide()
        return self._row

    def show_node(self, contents: Contents | None, node: Node | None) -> None:
        """Look at another entry of a file; of a group or link only its attributes are told."""
        self._contents, self._node, self._part = contents, node, Part()
        self.title.setText(node.path if node is not None else HINT)
        self.note.setText("\n".join(_lines(node)) if node is not None else "")
        shape = (node.shape or ()) if node is not None and node.readable else ()
        self.axes.blockSignals(True)
        self.axes.clear()
        for pair in pairs(shape):
            first, second = pair
            self.axes.addItem(f"axes {first + 1}, {second + 1}: {shape[first]} × {shape[second]}", pair)
        self.axes.setVisible(self.axes.count() > 1)
        self.axes.blockSignals(False)
        self._take_axes()

    def end(self) -> None:
        """Show nothing any more, whatever is still being read: the widget is going."""
        self._ended = True

    def _take_axes(self) -> None:
        node, shown = self._node, self.axes.currentData()
        count = count_of(node.shape or (), shown) if node is not None and shown is not None else 1
        for control in (self.slider, self.number):
            control.blockSignals(True)
            control.setRange(0, count - 1)
            control.setValue(0)
            control.setVisible(count > 1)
            control.blockSignals(False)
        self.panel.fit()
        self._read()

    def _read(self) -> None:
        """Ask for the part that is wanted now, or have that done once the one before is there."""
        if self._node is None or self._contents is None or not self._node.readable:
            self._show()
            return
        if self._reading:
            self._again = True
            return
        self._reading = True
        node, shown, index = self._node, self.axes.currentData(), self.number.value()
        read = partial(part_of, self._contents, node, shown, index)
        self._tasks.run(read, partial(self._take, node), partial(self._not_read, node))

    def _take(self, node: Node, part: Part) -> None:
        if self._ended:
            return
        self._reading = False
        if node is self._node:
            self._part = part
            self._show()
        self._go_on()

    def _not_read(self, node: Node, sentence: str, details: str) -> None:
        if self._ended:
            return
        self._reading = False
        if node is self._node:
            self._part = Part(text=sentence)
            self._show()
        self._go_on()

    def _go_on(self) -> None:
        if self._again:
            self._again = False
            self._read()

    def _show(self) -> None:
        part = self._part
        self._row.setVisible(part.picture is not None)
        if part.picture is not None:
            self.log.setEnabled(not np.iscomplexobj(part.picture))
            self.panel.show_picture(picture_of(part.picture, part.step, self.log.isChecked()), _every(part.step))
            self.stack.setCurrentWidget(self.panel)
        elif part.curves is not None:
            self.curves.show_curves(curves_of(part.curves, part.step[0]), "index")
            self.stack.setCurrentWidget(self.curves)
        else:
            self.text.setPlainText(part.text)
            self.stack.setCurrentWidget(self.text)


def picture_of(values: NDArray[Any], step: tuple[int, int], log: bool) -> Picture:
    """A part of an array as a picture in its own pixels."""
    shown = values if np.iscomplexobj(values) else values.astype(np.float32)
    scaled = np.log10(1 + np.maximum(shown, 0)) if log and not np.iscomplexobj(shown) else None
    levels = levels_of(shown if scaled is None else scaled)
    return Picture(shown, (float(step[0]), float(step[1])), (0.0, 0.0), PIXELS, levels=levels, scaled=scaled)


def curves_of(values: NDArray[Any], step: int) -> list[Curve]:
    """Rows as curves over their index."""
    real = np.abs(values) if np.iscomplexobj(values) else values
    index = np.arange(values.shape[1]) * step
    rows = enumerate(real.astype(np.float64))
    return [Curve(f"column {number + 1}", index, row, thin=True) for number, row in rows]


def _every(step: tuple[int, int]) -> str:
    return "" if step == (1, 1) else f"every {step[0]} × {step[1]} pixels are shown"


def _lines(node: Node) -> list[str]:
    told = [] if not node.note else [node.note[:1].upper() + node.note[1:] + "."]
    if node.shape is not None and node.dtype is not None:
        told.append(f"{' × '.join(map(str, node.shape)) or 'a single value'}, {type_text(node)}")
    return [*told, *(f"{name}: {value}" for name, value in node.attributes)]


def type_text(node: Node) -> str:
    """The type of an array in a word."""
    if node.dtype is None:
        return ""
    if node.dtype.names == ("real", "imag"):
        return "complex"
    return "text" if node.dtype.kind in "OSU" else "record" if node.dtype.names else str(node.dtype)
