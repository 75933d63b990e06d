"""Dialogs that never block: each opens, and calls back with what the user chose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFileDialog, QMessageBox, QWidget

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
