"""Asks which dataset of a file is what; begins with what is likely, and says at once what would come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from ptychogui.gui.choice import label_of
from ptychogui.gui.contents_view import ContentsView
from ptychogui.gui.path_choice import PathChoice
from ptychogui.gui.tasks import Tasks
from ptychogui.io import mapping
from ptychogui.io.contents import Contents, Node
from ptychogui.io.mapping import Mapping
from ptychogui.io.proposals import ROLES, fits, outcome, proposals, proposed
from ptychogui.params import Entry, InputError, entries

NONE = "—"
AXES = ("nyx", "nxy", "yxn", "xyn", "ynx", "xny", "rcyx", "rcxy", "yxrc", "xyrc", "cryx", "yxcr")
AXIS = {"n": "frame", "r": "row", "c": "column", "y": "y", "x": "x"}
LABELS = {
    "positions_y": "or their y",
    "positions_x": "and their x",
    "positions_columns": "Columns, unit",
    "mask_good": "Good in the mask",
}
UNIT_ROWS = {"positions": "", "positions_columns": "positions_unit"}
"""The unit of positions stands beneath them, as they may come from one dataset or from two."""
UNSET = {"axes": "frames first, then y, x", "positions_columns": "y, x", "mask_good": "what most pixels have"}
SPELLED = {"um": "µm", "A": "Å", "yx": "y, x", "xy": "x, y", "nonzero": "not zero"}
MOST = 300
"""So many datasets are offered in one list."""
BEGUN = (980, 640)


@dataclass(frozen=True)
class Found:
    """What was seen in a file: the likeliest mapping and its reasons, the one that was kept, and what may be chosen."""

    likely: Mapping
    reasons: dict[str, str]
    kept: Mapping | None
    candidates: dict[str, list[Node]]


def candidates(contents: Contents, names: tuple[str, ...]) -> dict[str, list[Node]]:
    """For each field that names a dataset those that fit, the likeliest first, at most so many."""
    found = {}
    for name in names:
        if name in ROLES:
            likely = {proposal.path: number for number, proposal in enumerate(proposals(contents, name))}
            fitting = [node for node in contents.nodes if fits(node, name)]
            found[name] = sorted(fitting, key=lambda node: likely.get(node.path, len(likely)))[:MOST]
    return found


@dataclass(frozen=True)
class Answer:
    """What was chosen for a file with this tree, and whether it is to be remembered for the layout."""

    mapping: Mapping
    nodes: tuple[Node, ...]
    keep: bool


class MappingDialog(QDialog):
    """The tree of the file with a look at each array, and a row for everything that can be said of it.

    `asked` is what holds now; without it what was remembered or is likely is proposed. `take` gets the answer.
    """

    def __init__(
        self, tasks: Tasks, path: str, asked: Mapping | None, take: Callable[[Answer], object], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setObjectName("mapping_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Which dataset of {Path(path).name} is what?")
        self._tasks, self._path, self._asked, self._take = tasks, Path(path), asked, take
        self._entries = {entry.name: entry for entry in entries(Mapping)}
        self._reasons: dict[str, str] = {}
        self._proposed = Mapping()
        self._looking = self._again = self._gone = False
        self.fields: dict[str, PathChoice] = {}
        self._why: dict[str, QLabel] = {}
        self.view = ContentsView(tasks, path, self)
        self.view.setOrientation(Qt.Orientation.Vertical)
        self.view.ready.connect(self._propose)
        self.view.failed.connect(self._refuse)
        self.result_line = QLabel("The file is being read…", self)
        self.result_line.setObjectName("mapping_result")
        self.result_line.setWordWrap(True)
        self.keep = QCheckBox("Remember for files of this layout", self)
        self.keep.setObjectName("mapping_keep")
        self.keep.setChecked(True)
        self.keep.setToolTip("The next file with the same tree of datasets opens without asking")
        both = QSplitter(Qt.Orientation.Horizontal, self)
        both.addWidget(self.view)
        both.addWidget(self._form())
        both.setSizes([500, 480])
        both.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.addWidget(both, 1)
        column.addWidget(self.result_line)
        column.addWidget(self.keep)
        column.addWidget(self._buttons())
        self.resize(*BEGUN)

    def _form(self) -> QScrollArea:
        inside = QWidget(self)
        self._grid = QGridLayout(inside)
        self._grid.setColumnStretch(1, 1)
        self._grid.setVerticalSpacing(3)
        for row, entry in enumerate(entry for entry in self._entries.values() if not _is_unit(entry)):
            self._add_row(3 * row, entry)
        self._grid.setRowStretch(3 * len(self._entries), 1)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setMinimumWidth(380)
        area.setWidget(inside)
        return area

    def _add_row(self, row: int, entry: Entry) -> None:
        label = QLabel(LABELS.get(entry.name, label_of(entry.name)), self)
        self._grid.addWidget(label, row, 0)
        self._grid.addWidget(self._field(entry), row, 1)
        unit = self._entries.get(UNIT_ROWS.get(entry.name, f"{entry.name}_unit"))
        if unit is not None:
            self._grid.addWidget(self._field(unit), row, 2)
        why = QLabel(self)
        why.setProperty("role", "dim")
        why.setWordWrap(True)
        why.hide()
        self._why[entry.name] = why
        self._grid.addWidget(why, row + 1, 1, 1, 2)

    def _field(self, entry: Entry) -> PathChoice:
        field = PathChoice(" ".join(entry.help.split()), self)
        field.setObjectName(f"map_{entry.name}")
        field.setAccessibleName(label_of(entry.name))
        field.setMinimumContentsLength(5 if _is_unit(entry) else 14)
        choices = AXES if entry.name == "axes" else get_args(entry.type)
        if choices or entry.name == "axes":
            field.addItem(UNSET.get(entry.name, "as written"), None)
            for choice in choices:
                words = ", ".join(AXIS[letter] for letter in choice) if entry.name == "axes" else str(choice)
                field.addItem(SPELLED.get(words, words), choice)
        field.currentIndexChanged.connect(partial(self._changed, entry.name))
        self.fields[entry.name] = field
        return field

    def _buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.open_button = QPushButton("Open", self)
        self.open_button.setObjectName("mapping_open")
        self.open_button.setToolTip("Read the file with these datasets")
        self.open_button.setProperty("primary", True)
        self.open_button.setDefault(True)
        self.open_button.setEnabled(False)
        self.likely_button = QPushButton("Propose anew", self)
        self.likely_button.setObjectName("mapping_likely")
        self.likely_button.setToolTip("Set what is likely by names, shapes and values")
        self.likely_button.clicked.connect(lambda: self._set(self._proposed))
        box.addButton(self.open_button, QDialogButtonBox.ButtonRole.AcceptRole)
        box.addButton(self.likely_button, QDialogButtonBox.ButtonRole.ResetRole)
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        return box

    # what is proposed and chosen

    @property
    def mapping(self) -> Mapping:
        """What the rows say."""
        values = {name: field.currentData() for name, field in self.fields.items()}
        return Mapping.read({name: value for name, value in values.items() if value is not None})

    def _propose(self) -> None:
        contents = self.view.contents
        assert contents is not None

        def look() -> Found:
            likely, reasons = proposed(contents)
            return Found(likely, reasons, mapping.remembered(contents.nodes), candidates(contents, tuple(self.fields)))

        self._tasks.run(look, self._begin, lambda sentence, _: self._refuse(sentence))

    def _begin(self, found: Found) -> None:
        if self._gone:
            return
        for name, nodes in found.candidates.items():
            field = self.fields[name]
            field.blockSignals(True)
            field.addItem(NONE, None)
            for node in nodes:
                field.addItem(node.path, node.path)
                shape = " × ".join(map(str, node.shape or ())) or "a single value"
                field.setItemData(field.count() - 1, shape, Qt.ItemDataRole.ToolTipRole)
            field.blockSignals(False)
        self._proposed, self._reasons = found.likely, found.reasons
        self._set(self._asked or found.kept or found.likely)

    def _set(self, asked: Mapping) -> None:
        for name, field in self.fields.items():
            value = getattr(asked, name)
            place = field.findData(value)
            if place < 0 and isinstance(value, str):  # a name without its slash, or one that is not there
                place = field.findData(f"/{value.lstrip('/')}")
            field.blockSignals(True)
            field.setCurrentIndex(max(place, 0))
            field.blockSignals(False)
            field.tell()
        if asked.frames:
            self.view.choose(asked.frames)
        self._look()

    def _changed(self, name: str) -> None:
        path = self.fields[name].currentData()
        if isinstance(path, str) and path.startswith("/"):
            self.view.choose(path)
        self._look()

    def _look(self) -> None:
        """Find out in a thread what comes of the rows as they are; only the latest wish waits."""
        self._show_reasons()
        if self._looking:
            self._again = True
            return
        contents = self.view.contents
        if contents is None or self._gone:
            return
        self._looking = True
        try:
            asked = self.mapping
        except InputError as error:
            self._tell(str(error), "problem")
            return
        done = partial(self._tell, role="good")
        self._tasks.run(
            partial(outcome, contents, asked, self._path), done, lambda text, _: self._tell(text, "problem")
        )

    def _tell(self, text: str, role: str) -> None:
        self._looking = False
        if self._gone:
            return
        if self._again:
            self._again = False
            self._look()
            return
        self.result_line.setText(text)
        self.result_line.setProperty("role", role)
        if (style := self.result_line.style()) is not None:
            style.polish(self.result_line)
        self.open_button.setEnabled(role == "good")

    def _refuse(self, sentence: str) -> None:
        self._looking, self._again = False, False
        self._tell(sentence, "problem")

    def _show_reasons(self) -> None:
        for name, label in self._why.items():
            same = self.fields[name].currentData() == getattr(self._proposed, name)
            reason = self._reasons.get(name, "") if same else ""
            label.setText(reason[:1].upper() + reason[1:])
            label.setVisible(bool(reason))

    # the end

    def accept(self) -> None:
        """Hand the answer on."""
        contents = self.view.contents
        if contents is not None and self.open_button.isEnabled():
            self._take(Answer(self.mapping, contents.nodes, self.keep.isChecked()))
            super().accept()

    def done(self, result: int) -> None:
        """Let the file go."""
        self._gone = True
        self.view.close_file()
        super().done(result)


def _is_unit(entry: Entry) -> bool:
    return entry.name.endswith("_unit")
