"""A row of a form, which holds one value, and a section, which holds rows under a title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QFont, QPalette
from PyQt6.QtWidgets import (
    QGridLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpacerItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ptychogui.gui.choice import Choice, Path
from ptychogui.gui.edits import FieldEdit, Known, OptionEdit, SwitchEdit, TextEdit, field_edit, help_of

INDENT_PX = 14
LABEL_PX = 128
RESET_PX = 24
DOT_PX = 14


@dataclass(frozen=True)
class Note:
    """What is known of a value, in a sentence; `role` is its colour, `actions` are buttons: their names and texts."""

    text: str
    role: str
    actions: tuple[tuple[str, str], ...] = ()


class NoteBox(QWidget):
    """A note under a row, with its buttons."""

    wanted = pyqtSignal(str)

    def __init__(self, note: Note, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("note")
        self.note = note
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(4)
        text = QLabel(note.text, self)
        text.setObjectName("note_text")
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setWordWrap(True)
        text.setProperty("role", note.role)
        column.addWidget(text)
        for name, said in note.actions:
            button = QPushButton(said, self)
            button.setObjectName(f"note.{name}")
            button.setAutoDefault(False)
            button.clicked.connect(partial(self._want, name))
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)

    def _want(self, name: str, _: bool) -> None:
        self.wanted.emit(name)


class FieldRow(QWidget):
    """One choice: a dot where it was changed, its label, its editor, a button that resets it, and what is wrong."""

    note_wanted = pyqtSignal(str)
    """The user pressed a button of the note."""
    edited = pyqtSignal()
    typed = pyqtSignal()
    reset = pyqtSignal()

    def __init__(self, choice: Choice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choice = choice
        self.problem = ""
        self.setObjectName("row." + choice.name)
        self._dot = QLabel(self)
        self._dot.setObjectName("dot")
        self._dot.setFixedWidth(DOT_PX)
        self._dot.setForegroundRole(QPalette.ColorRole.Highlight)
        self._label = QLabel(choice.label, self)
        self._problem: QLabel | None = None
        self._note: NoteBox | None = None
        self._reset: QToolButton | None = None
        self.edit: FieldEdit | None = None if choice.heading else field_edit(choice, self)
        self._grid = grid = QGridLayout(self)
        grid.setContentsMargins(INDENT_PX * min(choice.level, 2), 0, 0, 0)
        grid.setHorizontalSpacing(0)
        grid.setVerticalSpacing(0)
        grid.addWidget(self._dot, 0, 0)
        grid.addWidget(self._label, 0, 1)
        grid.setColumnStretch(2, 1)
        grid.addItem(QSpacerItem(RESET_PX, 0), 0, 3)
        self._label.setMinimumWidth(LABEL_PX - INDENT_PX * min(choice.level, 2))
        if self.edit is not None:
            self._place_edit(self.edit)
        self._dress()

    def _place_edit(self, edit: FieldEdit) -> None:
        edit.setObjectName(self.choice.name)
        edit.setAccessibleName(self.choice.label)
        edit.edited.connect(self.edited)
        edit.typed.connect(self.typed)
        self._label.setBuddy(edit)
        if isinstance(edit, SwitchEdit) and self.choice.entry.name == "enabled":
            edit.setText(self.choice.label)
            self._label.hide()
            self._grid.addWidget(edit, 0, 1, 1, 2)
        else:
            edit.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            self._grid.addWidget(edit, 0, 2)

    def show_choice(self, choice: Choice) -> None:
        """Show a value; a text that could not be read stays as long as the value beneath it stays the same."""
        keep = bool(self.problem) and choice.value == self.choice.value
        self.choice = choice
        if self.edit is not None and not keep and not self.edit.pending:
            self.show_problem("")
            self.edit.show_choice(choice)
        self._dress()

    def show_hint(self, hint: str) -> None:
        """Show what holds while the field is empty; '' shows what is usual for such a field."""
        if isinstance(self.edit, TextEdit | OptionEdit):
            self.edit.show_hint(hint)

    def show_known(self, known: Sequence[Known]) -> None:
        """Offer these values beside a file to choose."""
        if isinstance(self.edit, TextEdit):
            self.edit.show_known(known)

    def show_note(self, note: Note | None) -> None:
        """Say under the editor what is known of the value."""
        if (self._note.note if self._note is not None else None) == note:
            return
        if self._note is not None:
            self._grid.removeWidget(self._note)
            self._note.hide()
            self._note.deleteLater()
            self._note = None
        if note is not None:
            self._note = NoteBox(note, self)
            self._note.wanted.connect(self.note_wanted)
            self._grid.addWidget(self._note, 2, 1, 1, 3)

    def show_problem(self, sentence: str) -> None:
        """Say under the editor what is wrong with what was typed; '' takes it back."""
        if sentence == self.problem:
            return
        self.problem = sentence
        if self._problem is None:
            self._problem = QLabel(self)
            self._problem.setObjectName("problem")
            self._problem.setWordWrap(True)
            self._problem.setProperty("role", "problem")
            self._grid.addWidget(self._problem, 1, 1, 1, 3)
        self._problem.setText(sentence)
        self._problem.setVisible(bool(sentence))
        if self.edit is not None:
            wrong = self.palette().color(QPalette.ColorRole.BrightText).name()
            self.edit.setStyleSheet(f"border: 1px solid {wrong}; border-radius: 3px; padding: 2px;" if sentence else "")

    def forget(self) -> None:
        """Drop what was typed and not taken up."""
        self.show_problem("")
        if self.edit is not None:
            self.edit.show_choice(self.choice)

    def _dress(self) -> None:
        """The dot and the reset button of a changed value, bold headings, the tooltip."""
        choice = self.choice
        self._dot.setText("●" if choice.changed else "")
        if choice.changed and self._reset is None:
            self._reset = QToolButton(self)
            self._reset.setObjectName("reset")
            self._reset.setText("↺")
            self._reset.setAutoRaise(True)
            self._reset.setAccessibleName(f"Reset {choice.label}")
            self._reset.setFixedSize(RESET_PX, RESET_PX - 4)
            self._reset.setToolTip("Back to the default")
            self._reset.clicked.connect(self.reset)
            self._grid.addWidget(self._reset, 0, 3)
        if self._reset is not None:
            self._reset.setVisible(choice.changed)
        if choice.heading or choice.union:
            font = QFont(self._label.font())
            font.setWeight(QFont.Weight.DemiBold)
            self._label.setFont(font)
        self.setToolTip(help_of(choice))


class Section(QWidget):
    """Rows under a title that opens and closes them; rows are made when they are first seen."""

    row_made = pyqtSignal(object)

    def __init__(self, title: str, expanded: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("section." + title.lower())
        self.rows: dict[Path, FieldRow] = {}
        self._choices: Sequence[Choice] = ()
        self._shown: list[Path] = []
        self._wanted = expanded
        self._forced = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 4)
        layout.setSpacing(2)
        self._head = QToolButton(self)
        self._head.setObjectName("head")
        self._head.setText(title)
        self._head.setToolTip(f"Show or hide the parameters under {title}")
        self._head.setAutoRaise(True)
        self._head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._head.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        font = self._head.font()
        font.setWeight(QFont.Weight.DemiBold)
        self._head.setFont(font)
        self._head.clicked.connect(lambda: self.set_expanded(not self.expanded))
        self._head.setVisible(bool(title))
        layout.addWidget(self._head)
        self._body = QWidget(self)
        self._column = QVBoxLayout(self._body)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        layout.addWidget(self._body)
        self._expand()

    @property
    def expanded(self) -> bool:
        """Whether the rows are to be seen."""
        return self._wanted or self._forced

    def set_expanded(self, expanded: bool) -> None:
        """Open or close the section, as its title does when clicked."""
        self._wanted, self._forced = expanded, False
        self._expand()
        self._fill()

    def show_choices(self, choices: Sequence[Choice], searching: bool = False) -> None:
        """Show these choices; a search opens the section for as long as it lasts, and hides it where nothing fits."""
        self._choices, self._forced = choices, searching and bool(choices)
        self.setVisible(bool(choices))
        self._expand()
        self._fill()

    def _expand(self) -> None:
        self._head.setArrowType(Qt.ArrowType.DownArrow if self.expanded else Qt.ArrowType.RightArrow)
        self._body.setVisible(self.expanded)

    def _fill(self) -> None:
        if not self.expanded:
            return
        keys = [(*choice.path, "kind") if choice.union else choice.path for choice in self._choices]
        for choice, key in zip(self._choices, keys):
            row = self.rows.get(key)
            if row is None or row.choice.entry != choice.entry or row.choice.label != choice.label:
                if row is not None:
                    self._drop(key)
                self.rows[key] = row = FieldRow(choice, self._body)
                self.row_made.emit(row)
            else:
                row.show_choice(choice)
            row.setVisible(choice.active)
        if keys != self._shown:
            self._arrange(keys)

    def _arrange(self, keys: list[Path]) -> None:
        for key in [key for key in self.rows if key not in keys]:
            self._drop(key)
        for key in keys:
            self._column.addWidget(self.rows[key])
        self._shown = keys

    def _drop(self, key: Path) -> None:
        row = self.rows.pop(key)
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()
