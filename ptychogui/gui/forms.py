"""Forms made from Params alone: one for a few fields, and one for a whole job."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QScrollArea, QToolButton, QVBoxLayout, QWidget

from ptychogui.gui.choice import Choice, choices, label_of, replaced
from ptychogui.gui.edits import Known
from ptychogui.gui.presets import presets_menu
from ptychogui.gui.rows import FieldRow, Note, Section
from ptychogui.gui.stages import StageList
from ptychogui.params import InputError, Params

if TYPE_CHECKING:
    from ptychogui.job import Job
    from ptychogui.types import Snapshot

_PREAMBLE = re.compile(r"^[\w.]+ is .*?, but it ")
ESSENTIAL_NAMES = ("solver.kind", "solver.epochs", "start.modes")
OF_ELECTRONS = ("data.kV", "data.convergence_rad", "data.defocus_m", "data.pixel_m")
"""What matters most of the optics of an electron microscope, in the place of energy and distances."""
ORDER = {"solver": 0, "start": 1, "data": 3}
"""What is changed most often comes first among the essentials."""
PRESETS_TIP = "Solver and unknowns for a purpose"
GROUPS = ("data", "model", "start", "solver", "refine", "penalties", "constraints", "stop")


class ParamsForm(QWidget):
    """Rows for the fields of a Params; `names` chooses and orders them.

    Text that cannot be read or does not fit stays in its field, which says why; the other fields stay usable.
    """

    changed = pyqtSignal(object, object)
    """The user changed something: the new Params, and the old."""
    problem_changed = pyqtSignal(str)
    """What is wrong, in one sentence; '' when all is well."""
    note_wanted = pyqtSignal(str)
    """The user pressed the button of this name under a row."""

    def __init__(self, params: Params, names: Sequence[str] | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._params: Params = params
        self._names = names
        self._problem = ""
        self._running = False
        self._essential = False
        self._hints: Mapping[str, str] = {}
        self._notes: Mapping[str, Note] = {}
        self._known: Mapping[str, Sequence[Known]] = {}
        self._sections: dict[str, Section] = {}
        self._build()
        self._refresh()

    @property
    def params(self) -> Params:
        """The values, with what is being typed taken up where it fits."""
        for row in list(self.rows()):
            if row.edit is not None and row.edit.pending:
                row.edit.settle()
        return self._params

    @property
    def kind(self) -> type[Params]:
        """The class of the values."""
        return type(self._params)

    def set_params(self, params: Params) -> None:
        """Show other values; what could not be read before is forgotten."""
        self._params = params
        for row in self.rows():
            row.forget()
        self._refresh()
        self._tell_problem()

    @property
    def problem(self) -> str:
        """What is wrong with what was typed, in one sentence; '' when all is well."""
        return self._problem

    def set_running(self, running: bool) -> None:
        """While a job runs, only what takes effect in it can be changed."""
        self._running = running
        for row in self.rows():
            self._dress(row)

    def set_hints(self, hints: Mapping[str, str]) -> None:
        """Say what holds where fields are left empty, by their dotted names."""
        self._hints = hints
        for row in self.rows():
            row.show_hint(hints.get(row.choice.name, ""))

    def set_notes(self, notes: Mapping[str, Note]) -> None:
        """Say under rows what is known of their values, by their dotted names."""
        self._notes = notes
        for row in self.rows():
            row.show_note(notes.get(row.choice.name))

    def set_known(self, known: Mapping[str, Sequence[Known]]) -> None:
        """Offer values for fields in which a file may be chosen, by their dotted names."""
        self._known = known
        for row in self.rows():
            row.show_known(known.get(row.choice.name, ()))

    def narrow(self, names: Sequence[str] | None, essential: bool) -> None:
        """Show only the fields of these names, in this order; with `essential` only those that matter most."""
        self._names, self._essential = names, essential
        self._refresh()

    def rows(self) -> Iterable[FieldRow]:
        """Every row that was made so far."""
        return [row for section in self._sections.values() for row in section.rows.values()]

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._section("", True))

    def _section(self, title: str, expanded: bool) -> Section:
        self._sections[title] = section = Section(title, expanded, self)
        section.row_made.connect(self._connect)
        return section

    def _connect(self, row: FieldRow) -> None:
        row.edited.connect(lambda: self._take(row))
        row.typed.connect(lambda: self._check(row))
        row.reset.connect(lambda: self._apply(row, lambda: row.choice.standard))
        row.note_wanted.connect(self.note_wanted)
        row.show_hint(self._hints.get(row.choice.name, ""))
        row.show_note(self._notes.get(row.choice.name))
        row.show_known(self._known.get(row.choice.name, ()))
        self._dress(row)

    def _dress(self, row: FieldRow) -> None:
        row.setEnabled(row.choice.heading or row.choice.live or not self._running)

    def _value(self, row: FieldRow) -> Any:
        assert row.edit is not None  # a heading has no editor and sends no signals
        return row.edit.value()

    def _take(self, row: FieldRow) -> None:
        self._apply(row, lambda: self._value(row))

    def _check(self, row: FieldRow) -> None:
        """Take a complaint back as soon as what is typed fits; to complain already while typing would be rude."""
        if row.problem:
            self._try(row, lambda: self._value(row))

    def _try(self, row: FieldRow, value: Callable[[], Any]) -> Params | None:
        try:
            new = replaced(self._params, row.choice, value())
        except InputError as error:
            row.show_problem(_PREAMBLE.sub("It ", str(error)))
            new = None
        else:
            row.show_problem("")
        self._tell_problem()
        return new

    def _apply(self, row: FieldRow, value: Callable[[], Any]) -> None:
        new = self._try(row, value)
        if new is None:
            return
        old, self._params = self._params, new
        self._refresh()
        self._tell_problem()
        if new != old:
            self.changed.emit(new, old)

    def _tell_problem(self) -> None:
        wrong = next((f"{row.choice.label}: {row.problem}" for row in self.rows() if row.problem), "")
        if wrong != self._problem:
            self._problem = wrong
            self.problem_changed.emit(wrong)

    def _refresh(self) -> None:
        found = choices(self._params)
        if self._names is not None:
            order = {name: i for i, name in enumerate(self._names)}
            found = sorted((c for c in found if c.path[0] in order), key=lambda c: order[str(c.path[0])])
        if self._essential:
            found = [c for c in found if len(c.path) == 1 or c.changed or is_essential(c)]
        self._sections[""].show_choices(found)


class JobForm(ParamsForm):
    """A whole job: *Essentials* first, then every group, with a search over all of it."""

    job_changed = pyqtSignal(object, object)
    """The user changed something: the new Job, and the old one (a slot may take only the first)."""

    preset_wanted = pyqtSignal(str)
    """The user chose a preset by its name."""
    presets_wanted = pyqtSignal()
    """The user wants to keep, share or delete presets."""

    def __init__(self, job: Job, parent: QWidget | None = None) -> None:
        self._electrons = False
        super().__init__(job, parent=parent)
        self.setObjectName("job_form")
        self.changed.connect(self.job_changed)

    @property
    def job(self) -> Job:
        """The current job, with what is being typed taken up where it fits."""
        return cast("Job", self.params)

    def show_electrons(self, electrons: bool) -> None:
        """Show first of the optics what matters of an electron microscope, or of anything else."""
        if electrons != self._electrons:
            self._electrons = electrons
            self._refresh()

    def set_job(self, job: Job) -> None:
        """Show another job; sends no signal."""
        self.set_params(job)

    def set_running(self, running: bool) -> None:
        """While a job runs, only what takes effect in it can be changed."""
        super().set_running(running)
        self._stages.set_running(running)
        self._presets.setEnabled(not running)
        self._presets.setToolTip("A run is going on: presets wait for its end" if running else PRESETS_TIP)

    def show_progress(self, snapshot: Snapshot) -> None:
        """Mark in the timeline which stage is at work, and how far it is."""
        self._stages.show_progress(snapshot)

    def change(self, job: Job) -> None:
        """Take another job as if the user had typed it."""
        old, self._params = self.job, job
        self._refresh()
        if job != old:
            self.changed.emit(job, old)

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 0)
        self._search = QLineEdit(self)
        self._search.setObjectName("search")
        self._search.setPlaceholderText("Search parameters")
        self._search.setToolTip("Show only parameters whose name or help holds these words")
        self._search.setClearButtonEnabled(True)
        self._search.textChanged.connect(self._refresh)
        top = QHBoxLayout()
        top.addWidget(self._search, 1)
        self._only_changed = QToolButton(self)
        self._only_changed.setObjectName("only_changed")
        self._only_changed.setText("●")
        self._only_changed.setAccessibleName("Only changed parameters")
        self._only_changed.setToolTip("Show only what was changed from the defaults")
        self._only_changed.setCheckable(True)
        self._only_changed.setAutoRaise(True)
        self._only_changed.toggled.connect(lambda _: self._refresh())
        top.addWidget(self._only_changed)
        self._presets = QToolButton(self)
        self._presets.setObjectName("presets")
        self._presets.setText("Presets")
        self._presets.setToolTip(PRESETS_TIP)
        self._presets.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._presets.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # what is being typed elsewhere is taken up first
        self._presets.setMenu(presets_menu(self, self.preset_wanted.emit, self.presets_wanted.emit))
        top.addWidget(self._presets)
        layout.addLayout(top)
        self._stages = StageList(cast("Job", self._params), self)
        self._stages.changed.connect(self.change)
        self._stages.selected.connect(lambda _: self._refresh())
        layout.addWidget(self._stages)
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 4, 0)
        column.addWidget(self._section("Essentials", True))
        for group in (*GROUPS, "run"):
            column.addWidget(self._section(group.capitalize(), False))
        column.addStretch(1)
        area = QScrollArea(self)
        area.setObjectName("form_area")
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        self._area, self._inside = area, inside
        self._revealed: FieldRow | None = None
        self._reveal_later = QTimer(self)
        self._reveal_later.setSingleShot(True)
        self._reveal_later.timeout.connect(self._show_revealed)
        layout.addWidget(area)

    def reveal(self, name: str) -> None:
        """Put the keyboard into the field of a dotted name, or into the switch of its group where that is off."""
        self._search.clear()
        self._only_changed.setChecked(False)
        path = name.split(".")
        section = self._sections[path[0].capitalize() if path[0] in GROUPS else "Run"]
        section.set_expanded(True)
        rows = {row.choice.name: row for row in section.rows.values()}
        row = rows.get(name)
        if row is None or not row.choice.active:
            switches = (".".join([*path[:end], "enabled"]) for end in range(len(path) - 1, 0, -1))
            row = next((rows[switch] for switch in switches if switch in rows), row)
        if row is None or row.edit is None:
            return
        row.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._revealed = row
        self._reveal_later.start()  # rows made just now have no place yet

    def _show_revealed(self) -> None:
        if self._revealed is not None and self._revealed in self.rows():
            self._inside.ensurePolished()
            for column in (self._revealed.parentWidget(), self._inside):
                if column is not None and (layout := column.layout()) is not None:
                    layout.activate()
            self._inside.adjustSize()
            self._area.ensureWidgetVisible(self._revealed)

    def _refresh(self) -> None:
        words = self._search.text().lower().split()
        self._stages.show_job(cast("Job", self._params))
        found = [_raised(c) for c in choices(self._params) if not (c.heading and len(c.path) == 1)]
        if words:
            found = [c for c in found if all(word in _searched(c) for word in words)]
        if self._only_changed.isChecked():
            found = [c for c in found if c.changed]
        narrowed = bool(words) or self._only_changed.isChecked()
        first = (_flat(c) for c in found if is_essential(c, self._electrons) and self._of_stage(c))
        essential = sorted(first, key=lambda c: ORDER.get(str(c.path[0]), 2))
        self._sections["Essentials"].show_choices([] if narrowed else essential)
        for group in GROUPS:
            self._sections[group.capitalize()].show_choices([c for c in found if c.path[0] == group], narrowed)
        rest = [c for c in found if c.path[0] not in GROUPS]
        self._sections["Run"].show_choices(rest, narrowed)

    def _of_stage(self, choice: Choice) -> bool:
        """Whether a choice is none of a stage, or one of the selected stage."""
        stage = next((part for part in choice.path if isinstance(part, int)), None)
        return choice.path[0] != "solver" or stage in (None, self._stages.at)


def is_essential(choice: Choice, electrons: bool = False) -> bool:
    """Whether a choice is shown first: marked so, or one of the few that every run is set up with."""
    name = ".".join(str(part) for part in choice.name.split(".") if not part.isdigit())
    if electrons and choice.path[0] == "data":
        return name in OF_ELECTRONS
    return not choice.heading and ("essential" in choice.entry.marks or name in ESSENTIAL_NAMES)


def _raised(choice: Choice) -> Choice:
    """A choice as it stands under the title of its group, which says what the first level would."""
    return replace(choice, level=max(choice.level - (not choice.union), 0))


def _flat(choice: Choice) -> Choice:
    """A choice out of its group: flush, named by its stage where there are several, a switch by its group."""
    stage = next((f" {part + 1}" for part in choice.path if isinstance(part, int) and not choice.union), "")
    switch = choice.entry.name == "enabled" and len(choice.path) > 2
    label = f"{label_of(str(choice.path[0]))} {choice.label.lower()}" if switch else choice.label
    return replace(choice, level=0, label=label + stage)


def _searched(choice: Choice) -> str:
    return f"{choice.name} {choice.label} {choice.help} {' '.join(choice.union)}".lower()
