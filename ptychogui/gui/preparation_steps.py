"""The steps that place, cut, scale and choose frames; those that leave pixels out are in `preparation_masks`."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtWidgets import QComboBox, QLabel, QLineEdit, QWidget

from ptychogui.gui.preparation_draft import Draft
from ptychogui.gui.preparation_rows import FileRow, Level, Number, Step, Whole, button, label, tell_field
from ptychogui.gui.views.curves import Curve, CurvePlot
from ptychogui.io.data import Orientation
from ptychogui.io.prepare import composed
from ptychogui.params import InputError

TURNS: tuple[tuple[str, str, Orientation], ...] = (
    ("turn_left", "Turn left", "ty"),
    ("turn_right", "Turn right", "tx"),
    ("mirror_x", "Mirror ↔", "x"),
    ("mirror_y", "Mirror ↕", "y"),
    ("transpose", "Transpose", "t"),
)
NORMALISATIONS = {"none": "Leave the intensity as it is", "sum": "All frames to one sum", "monitor": "By a monitor"}
ODD = 6.0
"""Frames whose total counts are so many standard deviations from the median are proposed as outliers."""


class OrientationStep(Step):
    """Turns, mirrors and transposes the frames."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__("Orientation", draft, parent)
        self._text = label("", "dim", self, "orientation")
        tell_field(self._text, "flip")
        made = [
            button(self, name, text, partial(self._turn, turn), f"{text}: every frame, in one more turn")
            for name, text, turn in TURNS
        ]
        self.add_row(*made[:3], None)
        self.add_row(*made[3:], self._text, None)
        self.zero = QComboBox(self)
        self.zero.setObjectName("zero_frequency")
        self.zero.setAccessibleName("Zero frequency in the file")
        tell_field(self.zero, "zero_frequency")
        for text, value in (("as detected", None), ("in the middle", "centre"), ("in the corners", "corner")):
            self.zero.addItem(text, value)
        self.zero.activated.connect(
            lambda _: draft.set("place of zero frequency", zero_frequency=self.zero.currentData())
        )
        self.add_row(QLabel("Zero frequency in the file", self), self.zero, None)

    def _turn(self, turn: Orientation) -> None:
        """Do one more turn; a rectangle that is cut out turns with the frame."""
        data = self.draft.data
        crop = data.crop[::-1] if isinstance(data.crop, tuple) and turn.startswith("t") else data.crop
        self.draft.set("orientation of the frames", flip=composed(data.flip, turn), crop=crop)

    def show_draft(self) -> None:
        """Say what is done to the frames."""
        flip = self.draft.data.flip
        self.zero.setCurrentIndex(self.zero.findData(self.draft.data.zero_frequency))
        parts = [text for key, text in (("t", "transposed"), ("y", "mirrored ↕"), ("x", "mirrored ↔")) if key in flip]
        self._text.setText("as in the file" if flip == "none" else ", ".join(parts))


class CentreStep(Step):
    """Where the beam is; the cross in the picture can be dragged."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__("Centre", draft, parent)
        self.boxes = tuple(Number(f"centre_{axis}", -1e5, 1e5, 1, self) for axis in "yx")
        for box in self.boxes:
            tell_field(box, "centre")
            box.valueChanged.connect(self._typed)
        self.add_row(QLabel("y", self), self.boxes[0], QLabel("x", self), self.boxes[1], None)
        tip = "Take the middle of the bright part of the pattern"
        find = button(self, "find_centre", "Find it", self._find, tip)
        auto = button(self, "auto_centre", "Automatic", self._forget, "Let the reader decide, as for a new file")
        self._origin = label("", "dim", self, "centre_origin")
        self.add_row(find, auto, self._origin, None)

    def _typed(self) -> None:
        self.draft.set_centre("centre", (self.boxes[0].value(), self.boxes[1].value()))

    def _find(self) -> None:
        if self.draft.trial is not None:
            self.draft.set_centre("centre found", self.draft.trial.plan.beam)

    def _forget(self) -> None:
        self.draft.set("centre automatic", centre=None)

    def show_draft(self) -> None:
        """The centre in pixels of the picture, and who says so."""
        trial = self.draft.trial
        if trial is None:
            return
        for box, value in zip(self.boxes, trial.plan.centre):
            box.show_value(value)
        guessed = trial.plan.centre != tuple(n // 2 for n in trial.detector.shape)
        self._origin.setText("yours" if self.draft.data.centre else "found" if guessed else "the middle")


class CropStep(Step):
    """What is cut out around the centre, and how many pixels become one; the box in the picture has handles."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__("Crop and bin", draft, parent)
        self.rows, self.columns = (Whole(f"crop_{name}", 4, 99999, self) for name in ("rows", "columns"))
        for box in (self.rows, self.columns):
            tell_field(box, "crop")
            box.valueChanged.connect(lambda _: self.crop(self.rows.value(), self.columns.value(), True))
        self.bin = Whole("bin", 1, 64, self)
        tell_field(self.bin, "bin")
        self.bin.valueChanged.connect(lambda n: self.draft.set("binning", bin=n))
        whole = button(self, "crop_whole", "Whole frame", lambda: self.draft.set("crop", crop=None), "Cut nothing off")
        self.add_row(self.rows, QLabel("×", self), self.columns, whole, None)
        self.add_row(QLabel("Bin", self), self.bin, QLabel("× as many pixels in y and x into one", self), None)

    def crop(self, rows: int, columns: int, done: bool) -> None:
        """Cut out so many rows and columns; the whole frame needs no crop, a square is one number."""
        trial = self.draft.trial
        whole = trial is not None and (rows, columns) == trial.detector.shape
        wanted = None if whole else rows if rows == columns else (rows, columns)
        if done:
            self.draft.set("crop", crop=wanted)
        else:
            self.draft.try_out(crop=wanted)

    def show_draft(self) -> None:
        """The size in pixels of the file."""
        trial, crop = self.draft.trial, self.draft.data.crop
        if trial is not None:
            shape = crop if isinstance(crop, tuple) else trial.detector.shape if crop is None else (crop, crop)
            for box, size, most in zip((self.rows, self.columns), shape, trial.detector.shape):
                box.setMaximum(max(most, size))
                box.show_value(size)
        self.bin.show_value(self.draft.data.bin)


class DarkFlatStep(Step):
    """Dark and flat frames, from files or among those of the scan."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__("Dark and flat", draft, parent)
        self._files = [FileRow("dark", "Dark frames", draft, self), FileRow("flat", "Flat frames", draft, self)]
        self._numbers = {name: NumbersEdit(name, self) for name in ("dark_frames", "flat_frames")}
        for name, edit in self._numbers.items():
            tell_field(edit, name)
        for row, (name, edit) in zip(self._files, self._numbers.items()):
            self.column.addWidget(row)
            edit.setPlaceholderText("or frames of the scan, as 0-9")
            edit.editingFinished.connect(lambda name=name, edit=edit: self._take(name, edit))
            self.column.addWidget(edit)

    def _take(self, name: str, edit: NumbersEdit) -> None:
        numbers = edit.numbers()
        if numbers is not None and numbers != getattr(self.draft.data, name):
            self.draft.set(name.replace("_", " "), **{name: numbers})

    def show_draft(self) -> None:
        """The files and frames in force."""
        for row in self._files:
            row.show_draft()
        for name, edit in self._numbers.items():
            edit.show_numbers(getattr(self.draft.data, name))


class IntensityStep(Step):
    """The saturation of the detector, and the strength of the beam."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__("Intensity", draft, parent)
        self.saturation = Level("saturation", "Saturated from", True, self)
        self.saturation.moved.connect(lambda value: draft.try_out(saturation=value))
        self.saturation.settled.connect(lambda value: draft.set("saturation", saturation=value))
        self.normalisation = QComboBox(self)
        self.normalisation.setObjectName("normalisation")
        self.normalisation.setAccessibleName("Normalisation")
        tell_field(self.normalisation, "normalisation")
        for name, text in NORMALISATIONS.items():
            self.normalisation.addItem(text, name)
        self.normalisation.activated.connect(self._normalise)
        self._monitor = FileRow("monitor", "Monitor", draft, self)
        self.column.addWidget(self.saturation)
        self.column.addWidget(self.normalisation)
        self.column.addWidget(self._monitor)

    def _normalise(self) -> None:
        self.draft.set("normalisation", normalisation=self.normalisation.currentData())

    def show_draft(self) -> None:
        """The limit with what it leaves out, and how frames are normalised."""
        data, trial, look = self.draft.data, self.draft.trial, self.draft.look
        self.normalisation.setCurrentIndex(self.normalisation.findData(data.normalisation))
        self._monitor.setVisible(data.normalisation == "monitor" or data.monitor is not None)
        self._monitor.show_draft()
        if look is None or trial is None:
            return
        most = look.most
        self.saturation.show_range(max(most / 1000, 1e-6), most)
        self.saturation.show_value(data.saturation, most)
        text = f"{trial.saturated} values in {trial.looked_at} frames" if data.saturation is not None else ""
        self.saturation.note.setText(text or f"the largest count is {most:.6g}")


class FramesStep(Step):
    """Which frames are left out: by their number, or because their total counts are far from those of the others."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__("Frames left out", draft, parent)
        self.numbers = NumbersEdit("exclude", self)
        self.numbers.setPlaceholderText("none; numbers as 3, 17-20")
        tell_field(self.numbers, "exclude")
        self.numbers.editingFinished.connect(self._take)
        self.plot = CurvePlot("The total counts of the frames appear here.", self)
        self.plot.setFixedHeight(120)
        self._drawn: object = None
        self.sigma = Number("outlier_sigma", 1.5, 50, 1, self)
        self.sigma.setValue(ODD)
        self.sigma.setSuffix(" σ")
        self.sigma.setToolTip("How far from the median total counts a frame must be to be left out")
        self.sigma.valueChanged.connect(lambda _: self.show_draft())
        self.found = label("", "dim", self, "outliers")
        self.leave_out = button(
            self, "exclude_outliers", "Leave these out", self._leave_out, "Add these frames to those that are not used"
        )
        self.column.addWidget(self.numbers)
        self.column.addWidget(self.plot)
        self.add_row(QLabel("Beyond", self), self.sigma, self.leave_out, None)
        self.column.addWidget(self.found)

    def _take(self) -> None:
        numbers = self.numbers.numbers()
        if numbers is not None and numbers != self.draft.data.exclude:
            self.draft.exclude(numbers)

    def outliers(self) -> tuple[int, ...]:
        """Frames of the file whose total counts are odd; none before all were read."""
        numbers, totals = self._totals()
        if not len(totals):
            return ()
        middle = np.nanmedian(totals)
        spread = 1.4826 * float(np.nanmedian(np.abs(totals - middle)))
        odd = np.abs(totals - middle) > self.sigma.value() * max(spread, 1e-12)
        return tuple(int(n) for n in numbers[odd])

    def _totals(self) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Numbers of the frames in use, and their total counts as far as they have been read."""
        opened, nothing = self.draft.opened, (np.zeros(0, np.intp), np.zeros(0))
        if opened is None or opened.dataset is None or opened.job.data.normalisation == "sum":  # then all are the same
            return nothing
        preview = opened.preview
        if preview is None or not preview.complete:
            return nothing
        numbers = getattr(opened.dataset.frames, "numbers", np.arange(len(preview.total_counts)))
        return numbers, preview.total_counts

    def _leave_out(self) -> None:
        self.draft.exclude((*self.draft.data.exclude, *self.outliers()))

    def show_draft(self) -> None:
        """The list in force, and what stands out among the rest."""
        self.numbers.show_numbers(self.draft.data.exclude)
        numbers, totals = self._totals()
        if self._drawn is not totals:
            self._drawn = totals
            self.plot.show_curves([Curve("total counts", numbers, totals)] if len(totals) else [], "frames")
        odd = self.outliers()
        self.leave_out.setEnabled(bool(odd))
        listed = f": {text_of_numbers(odd[:12])}{'…' if len(odd) > 12 else ''}" if odd else ""
        self.found.setText(f"{len(odd)} of {len(totals)} frames stand out{listed}" if len(totals) else "")


class NumbersEdit(QLineEdit):
    """A list of frames with ranges, as people write it."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(name.replace("_", " "))

    def show_numbers(self, numbers: tuple[int, ...]) -> None:
        """Write a list, unless somebody is writing."""
        if not self.hasFocus() or self.numbers() is not None:
            self.setText(text_of_numbers(numbers))

    def numbers(self) -> tuple[int, ...] | None:
        """The list; None, with the reason as a tooltip, where the text is none."""
        try:
            return numbers_of(self.text())
        except InputError as error:
            self.setToolTip(str(error))
            return None


def numbers_of(text: str) -> tuple[int, ...]:
    """Numbers and ranges, `3, 17-20`, in order; raises `InputError` where the text is something else."""
    numbers: set[int] = set()
    for part in re.split(r"[,;\s]+", text.strip()):
        match = re.fullmatch(r"(\d+)(?:\s*[-–]\s*(\d+))?", part)
        if part and match is None:
            raise InputError(f"'{part}' is no number of a frame: write them as 3, 17-20.")
        if match is not None:
            numbers |= set(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(sorted(numbers))


def text_of_numbers(numbers: tuple[int, ...]) -> str:
    """The same, as short as it can be written."""
    ordered = np.array(sorted(numbers), np.intp)
    runs = np.split(ordered, np.flatnonzero(np.diff(ordered) != 1) + 1) if len(ordered) else []
    return ", ".join(f"{run[0]}" if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
