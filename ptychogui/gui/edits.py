"""The widgets that edit one value of a form: a text, a choice of several, a switch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Any

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QAction, QKeyEvent, QWheelEvent
from PyQt6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QLineEdit, QMenu, QStyle, QWidget

from ptychogui.gui.choice import Choice, range_of, text_of, value_of
from ptychogui.params import InputError

_EMPTY_LINE, _NAME = re.compile(r"\n\s*\n"), re.compile(r"`([^`]+)`")
PARAMETER = "parameter"
"""The property of a widget that names the parameter which it is about, by its dotted path."""
PATHS = frozenset(("file", "folder"))
"""Marks of fields that hold a path."""
Known = tuple[str, str]
"""A value that a field may have, and how it is told."""
SETTLE_MS = 1000
"""What was typed is taken up after this pause, on Return, or when the field loses the focus."""


def passed_on(widget: QWidget, event: QWheelEvent | None) -> bool:
    """Whether a turn of the wheel is left to the scroll area around: the widget was not clicked."""
    if event is None or widget.hasFocus():
        return False
    event.ignore()
    return True


class TextEdit(QLineEdit):
    """A number with its unit, a list of numbers, a name or a file, as people write it."""

    edited = pyqtSignal()
    typed = pyqtSignal()

    def __init__(self, choice: Choice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choice = choice
        self.pending = False
        """Whether something was typed that is not taken up yet."""
        self._settle = QTimer(self)
        self._settle.setInterval(SETTLE_MS)
        self._settle.setSingleShot(True)
        self._settle.timeout.connect(self.settle)
        self.textEdited.connect(self._on_typed)
        self.editingFinished.connect(self.settle)
        self.show_hint("")
        self._known: Sequence[Known] = ()
        if choice.entry.marks & PATHS:
            icon = self.style().standardIcon(QStyle.StandardPixmap.SP_DirOpenIcon)  # type: ignore[union-attr]
            self._what = "folder" if "folder" in choice.entry.marks else "file"
            action = QAction(icon, f"Choose a {self._what}", self)
            action.triggered.connect(self._choose)
            self.addAction(action, QLineEdit.ActionPosition.TrailingPosition)

    def value(self) -> Any:
        """The value that the text stands for; raises `InputError` where it stands for none."""
        return value_of(self.text(), self._choice)

    def show_choice(self, choice: Choice) -> None:
        """Write the value of a choice."""
        self._choice = choice
        self.pending = False
        self._settle.stop()
        text = text_of(choice.value, choice.unit)
        self.setText(text)
        self.setCursorPosition(len(text) if choice.entry.marks & PATHS else 0)  # the end of a path says most

    def show_hint(self, hint: str) -> None:
        """Show in an empty field what holds then."""
        if self._choice.entry.optional:
            usual = "from file" if self._choice.unit else "none" if "file" in self._choice.entry.marks else "auto"
            self.setPlaceholderText(hint or usual)
        elif self._choice.standard == () or self._choice.entry.marks & {"folder", "weights"}:
            self.setPlaceholderText(hint or "none")

    def show_known(self, known: Sequence[Known]) -> None:
        """Offer these values beside a file to choose."""
        self._known = known

    def settle(self) -> None:
        """Take up what was typed."""
        self._settle.stop()
        if self.pending:
            self.pending = False
            self.edited.emit()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Up and Down step a whole number."""
        step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key())) if event else None
        if step is None or self._choice.entry.type is not int:
            super().keyPressEvent(event)
            return
        try:
            number = max(int(self.value() or 0) + step, int(self._choice.entry.minimum or 0))
        except InputError:
            return
        self.setText(str(number))
        self._on_typed()

    def _on_typed(self) -> None:
        self.pending = True
        self._settle.start()
        self.typed.emit()

    def _choose(self) -> None:
        if not self._known:
            self._choose_file()
            return
        menu = QMenu(self)
        menu.setObjectName("known_values")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for value, text in self._known:
            action = QAction(text.replace("&", "&&"), menu)
            action.triggered.connect(partial(self._take_file, value))
            menu.addAction(action)
        menu.addSeparator()
        other = QAction(f"Choose a {self._what}…", menu)
        other.triggered.connect(self._choose_file)
        menu.addAction(other)
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def _choose_file(self) -> None:
        dialog = QFileDialog(self, self._choice.label, self.text())
        dialog.setObjectName("file_dialog")
        if self._what == "folder":
            dialog.setFileMode(QFileDialog.FileMode.Directory)
            dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._take_file)
        dialog.open()

    def _take_file(self, path: str, _: bool = False) -> None:
        self.setText(path)
        self.pending = True
        self.settle()


class OptionEdit(QComboBox):
    """One of several; the wheel changes it only where it has the focus."""

    edited = pyqtSignal()
    typed = pyqtSignal()

    def __init__(self, choice: Choice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self._union = bool(choice.union)
        if choice.entry.optional:
            self.addItem("", None)
            self.show_hint("")
        for option in choice.union or choice.entry.choices or (True, False):
            self.addItem("yes" if option is True else "no" if option is False else str(option), option)
        for row in range(self.count()):
            member = choice.union.get(self.itemData(row)) if choice.union else None
            if member is not None:
                self.setItemData(row, paragraphs(member.__doc__ or ""), Qt.ItemDataRole.ToolTipRole)
        self.activated.connect(lambda _: self.edited.emit())

    def value(self) -> Any:
        """The chosen one; None where nothing is chosen."""
        return self.currentData()

    def show_choice(self, choice: Choice) -> None:
        """Select the value of a choice."""
        self.setCurrentIndex(self.findData(choice.value))

    def show_hint(self, hint: str) -> None:
        """Show beside `auto` what that comes to."""
        if self.itemData(0) is None:
            usual = "none" if self._union else "auto"
            self.setItemText(0, f"{usual} ({hint})" if hint else usual)

    def settle(self) -> None:
        """Nothing is ever half chosen."""

    @property
    def pending(self) -> bool:
        """Nothing is ever half chosen."""
        return False

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the scroll area unless the box was clicked."""
        if not passed_on(self, event):
            super().wheelEvent(event)


class SwitchEdit(QCheckBox):
    """Yes or no."""

    edited = pyqtSignal()
    typed = pyqtSignal()

    def __init__(self, choice: Choice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.clicked.connect(lambda _: self.edited.emit())

    def value(self) -> Any:
        """Whether it is on."""
        return self.isChecked()

    def show_choice(self, choice: Choice) -> None:
        """Show the value of a choice."""
        self.setChecked(bool(choice.value))

    def settle(self) -> None:
        """Nothing is ever half switched."""

    @property
    def pending(self) -> bool:
        """Nothing is ever half switched."""
        return False


FieldEdit = TextEdit | OptionEdit | SwitchEdit


def field_edit(choice: Choice, parent: QWidget | None = None) -> FieldEdit:
    """The widget for one choice, showing its value."""
    entry = choice.entry
    edit: FieldEdit
    if choice.union or entry.choices or (entry.type is bool and entry.optional):
        edit = OptionEdit(choice, parent)
    elif entry.type is bool:
        edit = SwitchEdit(choice, parent)
    else:
        edit = TextEdit(choice, parent)
    edit.show_choice(choice)
    return edit


def paragraphs(text: str) -> str:
    """Help as rich text, so that a tooltip breaks its lines: an empty line parts paragraphs, `names` stand out."""
    parts = [escape(" ".join(part.split())) for part in _EMPTY_LINE.split(text) if part.strip()]
    return _NAME.sub(r"<code>\1</code>", "".join(f"<p>{part}</p>" for part in parts))


def help_of(choice: Choice) -> str:
    """The help of a choice: what it is, its unit and range, its usual value, and its name on the command line."""
    facts = [f"Range {range_of(choice.entry)}" if range_of(choice.entry) and not choice.union else ""]
    facts += [f"Unit {choice.unit}" if choice.unit else ""]
    usual = text_of(choice.standard, choice.unit)
    facts += [f"Default {usual}" if usual and not choice.heading else ""]
    line = " · ".join(fact for fact in facts if fact)
    return f"{paragraphs(choice.help)}<p>{escape(line)}</p><p><code>{escape(choice.name)}</code></p>".replace(
        "<p></p>", ""
    )
