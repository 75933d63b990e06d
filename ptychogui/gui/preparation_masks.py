"""The steps that leave pixels out: defects, thresholds on the mean pattern, a file, shapes that are painted."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtWidgets import QCheckBox, QListWidget, QListWidgetItem, QWidget

from ptychogui.gui.preparation_draft import Draft
from ptychogui.gui.preparation_rows import FileRow, Level, Number, Step, button, label, tell_field
from ptychogui.io.shapes import AnyShape, Disc, Polygon, Rectangle, Stroke

FACTORS = 1.5, 50.0
STOP = 0.08
"""The radius of a new beam stop, as a part of the frame."""
KEPT_ROWS = 4
SIZES: dict[type[object], str] = {Disc: "radius_px", Stroke: "width_px"}
"""The field that is the size of a shape."""


class DefectsStep(Step):
    """Hot and dead pixels, found by how they differ from their neighbours."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__("Hot and dead pixels", draft, parent)
        self.boxes = {}
        for name, text in (("hot", "Hot"), ("dead", "Dead")):
            box = QCheckBox(text, self)
            box.setObjectName(f"{name}_pixels")
            tell_field(box, f"{name}_pixels")
            box.clicked.connect(lambda on, name=name: draft.set(f"{name} pixels", **{f"{name}_pixels": on}))
            self.boxes[name] = box
        self.add_row(*self.boxes.values(), None)
        self.factor = Level("defect_factor", "Times their neighbours", False, self)
        self.factor.show_range(*FACTORS)
        self.factor.moved.connect(lambda value: draft.try_out(defect_factor=value))
        self.factor.settled.connect(lambda value: draft.set("hot and dead pixels", defect_factor=value))
        self.column.addWidget(self.factor)

    def show_draft(self) -> None:
        """What is looked for, and how many are found."""
        data, trial = self.draft.data, self.draft.trial
        self.factor.show_value(data.defect_factor, data.defect_factor)
        self.factor.setEnabled(data.hot_pixels or data.dead_pixels)
        for name, box in self.boxes.items():
            box.setChecked(getattr(data, f"{name}_pixels"))
            count = int(trial.plan.out[name].sum()) if trial is not None and name in trial.plan.out else None
            box.setText(name.capitalize() if count is None else f"{name.capitalize()}: {count}")


class ThresholdStep(Step):
    """Pixels that are too dark or too bright on average."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__("Threshold on the mean", draft, parent)
        self.levels = {}
        for name, text in (("below", "Leave out below"), ("above", "Leave out above")):
            field = f"mask_{name}"
            self.levels[name] = level = Level(field, text, True, self)
            level.moved.connect(lambda value, field=field: draft.try_out(**{field: value}))
            level.settled.connect(lambda value, field=field: draft.set("threshold", **{field: value}))
            self.column.addWidget(level)

    def show_draft(self) -> None:
        """The levels, and how many pixels they leave out."""
        look, trial = self.draft.look, self.draft.trial
        if look is None or trial is None:
            return
        low, high = max(look.lit[0], look.lit[1] * 1e-7), look.lit[1]
        for name, otherwise in (("below", low), ("above", high)):
            level = self.levels[name]
            level.show_range(low, high)
            level.show_value(getattr(self.draft.data, f"mask_{name}"), otherwise)
            out = trial.plan.out.get(name)
            level.note.setText("" if out is None else f"{int(out.sum())} pixels")


class MaskStep(Step):
    """A mask from a file, and the shapes that were painted, in their order."""

    selected = pyqtSignal(int)
    """The row of a shape in the list; −1 for none."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__("Mask", draft, parent)
        self._wanted_row = -1
        self._file = FileRow("mask", "Mask", draft, self)
        self.column.addWidget(self._file)
        self.shapes = QListWidget(self)
        self.shapes.setObjectName("shapes")
        self.shapes.setAccessibleName("Painted shapes")
        tell_field(self.shapes, "mask_shapes")
        self.shapes.currentRowChanged.connect(lambda _: self._select())
        line = self.shapes.fontMetrics().height() + 8
        self.shapes.setFixedHeight(KEPT_ROWS * line + 8)
        self.column.addWidget(self.shapes)
        tip = "A disc over the beam, whose pixels are left out; its radius can be changed below"
        self.stop = button(self, "beam_stop", "Beam stop", self._add_stop, tip)
        self.delete = button(self, "delete_shape", "Delete", self._delete, "Delete the selected shape (Del)")
        self.clear = button(
            self,
            "clear_shapes",
            "Delete all",
            lambda: draft.set("painted mask", mask_shapes=()),
            "Delete every painted shape",
        )
        self.delete.setShortcut(Qt.Key.Key_Delete)
        self.add_row(self.stop, self.delete, self.clear, None)
        self.size_box = Number("shape_size", 0.1, 1e5, 1, self)
        self.size_box.setSuffix(" px")
        self.size_box.valueChanged.connect(self._resize)
        self._size_of = label("", "", self)
        self.add_row(self._size_of, self.size_box, None)
        self._total = label("", "dim", self, "mask_total")
        self.column.addWidget(self._total)
        self._select()

    @property
    def shape(self) -> AnyShape | None:
        """The selected shape."""
        row, shapes = self.shapes.currentRow(), self.draft.data.mask_shapes
        return shapes[row] if 0 <= row < len(shapes) else None

    def _select(self) -> None:
        """Tell of the selected shape, and show its size where it has one number."""
        shape = self.shape
        name = SIZES.get(type(shape), "")
        for widget in (self._size_of, self.size_box):
            widget.setVisible(bool(name))
        if shape is not None and name:
            self._size_of.setText(name.removesuffix("_px").capitalize())
            self.size_box.show_value(getattr(shape, name))
        self.delete.setEnabled(shape is not None)
        self.selected.emit(self.shapes.currentRow() if shape is not None else -1)

    def _resize(self, size: float) -> None:
        shape = self.shape
        if shape is not None:
            self.put(self.shapes.currentRow(), shape.model_copy(update={SIZES[type(shape)]: size}), True)

    def put(self, row: int, shape: AnyShape, done: bool) -> None:
        """Let the shape of a row be another; it is only tried where that does not hold yet."""
        shapes = self.draft.data.mask_shapes
        if not 0 <= row < len(shapes):
            return
        changed = (*shapes[:row], shape, *shapes[row + 1 :])
        if done:
            self.draft.set("change of a painted shape", mask_shapes=changed)
        else:
            self.draft.try_out(mask_shapes=changed)

    def _add_stop(self) -> None:
        trial = self.draft.trial
        if trial is not None:
            y, x = trial.unflipped.file_point(trial.plan.centre, trial.detector_shape)
            radius_px = round(STOP * min(trial.detector_shape), 1)
            self.draft.add_shape("beam stop", Disc(centre=(round(y, 2), round(x, 2)), radius_px=radius_px))
            self._wanted_row = len(self.draft.data.mask_shapes) - 1

    def _delete(self) -> None:
        row, shapes = self.shapes.currentRow(), self.draft.data.mask_shapes
        if 0 <= row < len(shapes):
            self.draft.set("painted mask", mask_shapes=(*shapes[:row], *shapes[row + 1 :]))

    def show_draft(self) -> None:
        """The shapes, one line each, and what is left of the frame."""
        self._file.show_draft()
        shapes, trial = self.draft.data.mask_shapes, self.draft.trial
        texts = [text_of_shape(shape) for shape in shapes]
        if texts != [self._text(row) for row in range(self.shapes.count())]:
            row, self._wanted_row = max(self.shapes.currentRow(), self._wanted_row), -1
            with QSignalBlocker(self.shapes):
                self.shapes.clear()
                for text in texts:
                    QListWidgetItem(text, self.shapes)
                self.shapes.setCurrentRow(row if row < len(texts) else -1)
            self._select()
        self.clear.setEnabled(bool(shapes))
        self.stop.setEnabled(trial is not None)
        if trial is not None:
            out = int(trial.unused.sum())
            self._total.setText(f"{out} of {trial.unused.size} pixels left out ({out / trial.unused.size:.2%})")

    def _text(self, row: int) -> str:
        item = self.shapes.item(row)
        return item.text() if item is not None else ""


def text_of_shape(shape: AnyShape) -> str:
    """A shape in one line."""
    does = "take back" if shape.use else "leave out"
    if isinstance(shape, Disc):
        return f"Disc, radius {shape.radius_px:g} px: {does}"
    if isinstance(shape, Rectangle):
        height, width = np.abs(np.subtract(shape.corner, shape.opposite))
        return f"Rectangle, {height:.0f} × {width:.0f} px: {does}"
    if isinstance(shape, Polygon):
        return f"Polygon, {len(shape.points)} corners: {does}"
    assert isinstance(shape, Stroke)
    return f"Brush, {shape.width_px:g} px: {does}"
