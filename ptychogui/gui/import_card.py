"""The card that shows, value by value, what was understood of a file, and asks for what is missing."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ptychogui.gui.choice import label_of
from ptychogui.gui.forms import ParamsForm
from ptychogui.gui.in_force import NOT_KNOWN, in_force
from ptychogui.gui.opened import Opened
from ptychogui.gui.reasons import why_unchecked
from ptychogui.gui.session import Session
from ptychogui.io.data import Data
from ptychogui.params import entries
from ptychogui.types import Dataset, Value

OPTICS = ("energy_eV", "kV", "distance_m", "detector_pixel_m", "focus_to_sample_m", "pixel_m")
SCAN = ("scan_shape", "scan_step_m", "scan_rotation_rad", "scan_flip", "positions", "positions_unit")
BEAM = ("convergence_rad", "defocus_m")
FIELD = re.compile(r"\bdata\.(\w+)")
ORIGINS = {"file": "file", "guessed": "guessed", "user": "yours", "default": "default"}


def missing(dataset: Dataset | None) -> tuple[str, ...]:
    """The fields of `Data` that a file leaves open: scan, optics and beam, none, or where the data of a result are."""
    if dataset is None:
        return ("path",)
    optics, scan = dataset.geometry, () if dataset.positions_known else SCAN
    if optics.calibrated and dataset.positions_known:
        return ()
    beam = BEAM if optics.field == "far" and dataset.probe is None else ()
    return (*scan, *(() if optics.calibrated else OPTICS), *beam)


class ImportCard(QWidget):
    """Shows the current file; what is typed counts once it is applied."""

    keep_wanted = pyqtSignal(object)
    """The Data that is to be kept in a TOML beside the file."""

    check_wanted = pyqtSignal()
    datasets_wanted = pyqtSignal()
    """The user wants to change which dataset of the file is what."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("import_card_content")
        self._session = session
        self._data = Data()
        self._shown: tuple[Opened | None, Dataset | None] = (None, None)
        self._forms: list[ParamsForm] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        self._area = QScrollArea(self)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column.addWidget(self._area, 1)
        self._problem = _label("", "problem", self)
        self._problem.setObjectName("import_problem")
        column.addWidget(self._problem)
        column.addLayout(self._buttons())
        session.current_changed.connect(self.refresh)
        session.job_changed.connect(self.refresh)
        session.state_changed.connect(self._show_state)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.apply_button = QPushButton("Apply", self)
        self.apply_button.setObjectName("apply")
        self.apply_button.setToolTip("Read the file again with these values")
        self.apply_button.clicked.connect(self.apply)
        self.keep_button = QPushButton("Keep beside the file", self)
        self.keep_button.setObjectName("keep")
        self.keep_button.setToolTip("Write these values into a TOML file beside the data; they count at every opening")
        self.keep_button.clicked.connect(lambda: self.keep_wanted.emit(self.data))
        self.check_button = QPushButton("Check…", self)
        self.check_button.setObjectName("check_scan")
        self.check_button.setToolTip("Look for what would spoil a run: orientation, scale, bad pixels, memory and time")
        self.check_button.clicked.connect(lambda _: self.check_wanted.emit())
        for button in (self.apply_button, self.keep_button, self.check_button):
            row.addWidget(button)
        row.addStretch(1)
        return row

    @property
    def data(self) -> Data:
        """What the fields say, with what is being typed."""
        for form in self._forms:
            self._take(form, form.params)
        return self._data

    def apply(self) -> None:
        """Read the file again with what the fields say."""
        data = self.data
        if not any(form.problem for form in self._forms):
            self._session.edit_data(data)
        self._show_state()

    def refresh(self) -> None:
        """Show the current file, unless nothing about it has changed."""
        opened = self._session.current
        dataset = opened.dataset if opened is not None else None
        if opened is not self._shown[0] or dataset is not self._shown[1]:
            self._shown = (opened, dataset)
            self._build(opened)
        elif opened is not None and opened.job.data != self._data:
            self._data = opened.job.data
            for form in self._forms:
                form.set_params(self._data)
        self._show_state()

    def _build(self, opened: Opened | None) -> None:
        self._forms = []
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(10)
        if opened is not None:
            self._data = opened.job.data
            self._fill(column, opened)
        column.addStretch(1)
        self._area.setWidget(inside)

    def _fill(self, column: QVBoxLayout, opened: Opened) -> None:
        dataset = opened.dataset
        column.addWidget(_label(opened.title, "heading", self))
        column.addWidget(_label(str(Path(opened.path).resolve().parent), "dim", self))
        for warning in dataset.warnings if dataset is not None else ():
            column.addWidget(_label(warning, "doubt", self))
        asked = missing(dataset)
        if asked:
            heading = "What the file does not say" if dataset is not None else "Where are the data?"
            column.addWidget(_label(heading, "heading", self))
            self._add_form(column, asked).set_hints(in_force(dataset))
        if dataset is not None:
            column.addWidget(_label("What was understood", "heading", self))
            column.addWidget(values_table(dataset.values, self))
        rest = tuple(entry.name for entry in entries(Data) if entry.name not in (*asked, "path"))
        more = QPushButton("Change how the file is read…", self)
        more.setObjectName("more")
        more.setToolTip("Show every value that can be said of the file, and how its frames are prepared")
        more.setCheckable(True)
        if self._data.mapping is not None:
            column.addWidget(self._datasets_button(), 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(more, 0, Qt.AlignmentFlag.AlignLeft)
        form = self._add_form(column, rest)
        form.set_hints(in_force(dataset))
        form.setVisible(False)
        more.toggled.connect(form.setVisible)

    def _datasets_button(self) -> QPushButton:
        button = QPushButton("Choose the datasets…", self)
        button.setObjectName("datasets")
        button.setToolTip("Change which dataset of the file is what")
        button.clicked.connect(lambda _: self.datasets_wanted.emit())
        return button

    def _add_form(self, column: QVBoxLayout, names: tuple[str, ...]) -> ParamsForm:
        form = ParamsForm(self._data, names)
        form.changed.connect(partial(self._take, form))
        form.problem_changed.connect(self._show_state)
        self._forms.append(form)
        column.addWidget(form)
        return form

    def _take(self, form: ParamsForm, data: object, old: object = None) -> None:
        assert isinstance(data, Data)
        if data == self._data:
            return
        self._data = data
        for other in self._forms:
            if other is not form:
                other.set_params(data)
        self._show_state()

    def _show_state(self) -> None:
        opened = self._session.current
        changed = opened is not None and self._data != opened.job.data
        reading = opened is not None and opened.reading
        wrong = next((form.problem for form in self._forms if form.problem), "")
        self.apply_button.setEnabled(opened is not None and not reading and not wrong)
        self.apply_button.setText("Reading…" if reading else "Apply" if changed or wrong else "Read again")
        self.apply_button.setProperty("primary", changed)
        if (style := self.apply_button.style()) is not None:
            style.polish(self.apply_button)
        self.keep_button.setEnabled(opened is not None and not wrong)
        self.check_button.setEnabled(not why_unchecked(self._session))
        problem = in_words(opened.problem) if opened is not None and not reading else ""
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))


def in_words(sentence: str) -> str:
    """A sentence that names fields as the command line does (`data.kV`), with the labels of the card instead."""
    return FIELD.sub(lambda found: f"“{label_of(found[1])}”" if found[1] in Data.model_fields else found[0], sentence)


def values_table(values: tuple[Value, ...], parent: QWidget) -> QFrame:
    """One row for each value: its name, its text, where it is from, and a doubt beneath."""
    frame = QFrame(parent)
    frame.setObjectName("values")
    grid = QGridLayout(frame)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(10)
    grid.setVerticalSpacing(4)
    grid.setColumnStretch(1, 1)
    for row, value in enumerate(values):
        name = _label(value.name, "dim", frame)
        name.setMaximumWidth(120)
        text = _label(value.text, "", frame)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        chip = QLabel(_whence(value), frame)
        chip.setProperty("origin", value.origin)
        grid.addWidget(name, 2 * row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(text, 2 * row, 1, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(chip, 2 * row, 2, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        if value.doubt:
            grid.addWidget(_label(in_words(value.doubt), "doubt", frame), 2 * row + 1, 1, 1, 2)
    return frame


def _whence(value: Value) -> str:
    """Where a value is from, in a word."""
    if value.origin == "default" and value.text == NOT_KNOWN:
        return "missing" if value.doubt else "not needed"
    return ORIGINS[value.origin]


def _label(text: str, role: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("role", role)
    label.setWordWrap(True)
    return label
