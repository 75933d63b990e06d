"""Stars and a note for a run."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ptychogui.gui.opened import Run
from ptychogui.gui.session import Session
from ptychogui.types import Notes

STARS = 5


class NotesDialog(QDialog):
    """Five stars to click on, and a text; they are kept with the result."""

    def __init__(self, session: Session, run: Run, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notes_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Rate {run.name}")
        self._session, self._run, self._count = session, run, run.notes.stars
        self.stars = [self._star(number) for number in range(1, STARS + 1)]
        self.text = QPlainTextEdit(run.notes.text, self)
        self.text.setObjectName("note")
        self.text.setPlaceholderText("What is worth knowing of this run")
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName("Note")
        self.text.setToolTip("A note, which is kept with the result")
        row = QHBoxLayout()
        row.setSpacing(0)
        for star in self.stars:
            row.addWidget(star)
        row.addStretch(1)
        kept = "in its file" if run.saved is not None else "in its file as soon as it is saved"
        where = QLabel(f"Kept with the result, {kept}.", self)
        where.setProperty("role", "dim")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self.text, 1)
        column.addWidget(where)
        column.addWidget(buttons)
        self.resize(420, 260)
        self._show_stars()

    def _star(self, number: int) -> QToolButton:
        star = QToolButton(self)
        star.setObjectName(f"star_{number}")
        star.setAutoRaise(True)
        star.setShortcut(f"Alt+{number}")
        star.setToolTip(f"{number} of {STARS} (Alt+{number}); once more takes the rating back")
        star.setAccessibleName(f"{number} of {STARS} stars")
        font = star.font()
        font.setPointSize(20)
        star.setFont(font)
        star.clicked.connect(partial(self._rate, number))
        return star

    def _rate(self, number: int, _: bool = False) -> None:
        self._count = 0 if number == self._count else number
        self._show_stars()

    def _show_stars(self) -> None:
        for number, star in enumerate(self.stars, 1):
            star.setText("★" if number <= self._count else "☆")

    def accept(self) -> None:
        """Keep what was said."""
        self._session.annotate(self._run, Notes(self._count, self.text.toPlainText().strip()))
        super().accept()
