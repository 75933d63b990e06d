"""Dialogs that never block: each opens, and calls back with what the user chose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QVBoxLayout,
    QWidget,
)

from ptychogui.gui.actions import ACTIONS

Chosen = Callable[[str], object]


def choose_file(parent: QWidget, title: str, names: str, chosen: Chosen) -> None:
    """Ask for a file that is there; `names` is Qt's list of filters."""
    _file_dialog(parent, title, names, chosen, QFileDialog.FileMode.ExistingFile).open()


def choose_folder(parent: QWidget, title: str, chosen: Chosen) -> None:
    """Ask for a folder."""
    dialog = _file_dialog(parent, title, "", chosen, QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.open()


def choose_name(parent: QWidget, title: str, names: str, proposed: Path, chosen: Chosen) -> None:
    """Ask where to write a file; Qt asks before one is replaced."""
    dialog = _file_dialog(parent, title, names, chosen, QFileDialog.FileMode.AnyFile)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(proposed.suffix.removeprefix("."))
    dialog.setDirectory(str(proposed.parent))
    dialog.selectFile(proposed.name)
    dialog.open()


def _file_dialog(parent: QWidget, title: str, names: str, chosen: Chosen, mode: QFileDialog.FileMode) -> QFileDialog:
    dialog = QFileDialog(parent, title, "", names)
    dialog.setObjectName("file_dialog")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(mode)
    dialog.fileSelected.connect(chosen)
    return dialog


def ask(parent: QWidget, title: str, text: str, answers: Mapping[str, Callable[[], object]]) -> None:
    """Ask a question with named answers; the last one is what Escape means."""
    box = QMessageBox(parent)
    box.setObjectName("question")
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle(title)
    box.setTextFormat(Qt.TextFormat.RichText)
    box.setText(f"<b>{title}</b>")
    box.setInformativeText(text)
    for answer, call in answers.items():
        button = box.addButton(answer, QMessageBox.ButtonRole.ActionRole)
        assert button is not None
        button.clicked.connect(call)
        box.setEscapeButton(button)
    box.open()


def tell(parent: QWidget, name: str, title: str, html: str) -> None:
    """Show a text."""
    box = QMessageBox(QMessageBox.Icon.NoIcon, title, html, QMessageBox.StandardButton.Close, parent)
    box.setObjectName(name)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setTextFormat(Qt.TextFormat.RichText)
    box.open()


def show_shortcuts(parent: QWidget) -> None:
    """The list of keys, made from the actions."""
    dialog = QDialog(parent)
    dialog.setObjectName("shortcuts_dialog")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle("Keyboard shortcuts")
    form = QFormLayout(dialog)
    form.setHorizontalSpacing(32)
    for key, text in (("Ctrl+Z", "Undo"), ("Ctrl+Shift+Z", "Redo")):
        form.addRow(QLabel(key, dialog), QLabel(text, dialog))
    for action in ACTIONS:
        if action.shortcut:
            form.addRow(QLabel(action.shortcut, dialog), QLabel(plain(action.text), dialog))
    dialog.open()


def plain(text: str) -> str:
    """A menu's text without its mnemonic and dots."""
    return text.replace("&", "").removesuffix("…")


class CommandPalette(QDialog):
    """Finds an action by what is typed; Enter does it."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("command_palette")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Command palette")
        self._actions = [action for name, action in actions.items() if name != "palette"]
        self._typed = QLineEdit(self)
        self._typed.setObjectName("palette_search")
        self._typed.setPlaceholderText("What would you like to do?")
        self._list = QListWidget(self)
        self._list.setObjectName("palette_list")
        column = QVBoxLayout(self)
        column.addWidget(self._typed)
        column.addWidget(self._list)
        self._typed.textChanged.connect(self._find)
        self._typed.returnPressed.connect(self._do)
        self._list.itemActivated.connect(self._do)
        self.resize(480, 420)
        self._find("")

    def _find(self, typed: str) -> None:
        words = typed.lower().split()
        self._list.clear()
        for action in self._actions:
            text = plain(action.text())
            if all(word in text.lower() for word in words):
                entry = QListWidgetItem(f"{text}    {action.shortcut().toString()}".strip(), self._list)
                entry.setData(Qt.ItemDataRole.UserRole, action)
                if not action.isEnabled():
                    entry.setFlags(Qt.ItemFlag.NoItemFlags)
                    entry.setToolTip(action.toolTip())
        able = [i for i in range(self._list.count()) if (item := self._list.item(i)) and item.flags()]
        self._list.setCurrentRow(able[0] if able else -1)

    def _do(self) -> None:
        item = self._list.currentItem()
        self.accept()
        if item is not None and item.flags():
            item.data(Qt.ItemDataRole.UserRole).trigger()
