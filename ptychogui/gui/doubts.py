"""The findings of a preflight as a list: a light, a name, a sentence, and a button that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ptychogui.check import Doubt, settings
from ptychogui.gui.import_card import in_words
from ptychogui.gui.networks import HELPS

LEVELS = {"wrong": "problem", "doubt": "doubt", "ok": "good"}
"""The role of the light, which is its colour, in the order in which the doubts are shown."""
NAMES = {"wrong": "Wrong", "doubt": "Doubtful", "ok": "Good"}
SHAPES = {"wrong": "■", "doubt": "▲", "ok": "●"}


def ordered(doubts: Sequence[Doubt]) -> list[Doubt]:
    """The gravest first."""
    return sorted(doubts, key=lambda doubt: list(LEVELS).index(doubt.level))


class DoubtList(QScrollArea):
    """Shows findings, and beneath them what is not known yet."""

    mend_wanted = pyqtSignal(object)
    """The Doubt that is to be mended."""
    help_wanted = pyqtSignal(str)
    """The action that helps, by its id."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("doubt_list")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_doubts(self, doubts: Sequence[Doubt], mended: set[str], not_known: Sequence[str] = ()) -> None:
        """Show these findings; those whose names are in `mended` are done."""
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(10)
        for doubt in doubts:
            column.addWidget(self._row(doubt, doubt.name in mended))
        if not_known:
            text = f"Not known before short runs: {', '.join(not_known)}. “Check everything” makes them."
            column.addWidget(_label(text, "dim", inside))
        column.addStretch(1)
        self.setWidget(inside)

    def _row(self, doubt: Doubt, mended: bool) -> QFrame:
        frame = QFrame(self)
        frame.setObjectName(f"doubt.{doubt.name}")
        grid = QGridLayout(frame)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(1)
        grid.setColumnStretch(1, 1)
        light = _label(SHAPES[doubt.level], LEVELS[doubt.level], frame)
        light.setObjectName("light")
        light.setAccessibleName(NAMES[doubt.level])
        light.setToolTip(NAMES[doubt.level])
        text = _label(in_words(doubt.sentence), "", frame)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setToolTip("\n".join(f"{name}: {_figure(value)}" for name, value in doubt.figures.items()))
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(light, 0, 0, top)
        grid.addWidget(_label(doubt.name.capitalize(), "dim", frame), 0, 1)
        grid.addWidget(text, 1, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        grid.addLayout(buttons, 0, 2, 2, 1, top)
        if doubt.action:
            buttons.addWidget(self._help_button(doubt.action, frame))
        if doubt.fix:
            buttons.addWidget(self._mend_button(doubt, mended, frame))
            grid.addWidget(_label(", ".join(settings(doubt)), "dim", frame), 2, 1)
        return frame

    def _mend_button(self, doubt: Doubt, mended: bool, parent: QWidget) -> QPushButton:
        button = QPushButton("Mended" if mended else "Mend", parent)
        button.setObjectName(f"mend.{doubt.name}")
        button.setToolTip(f"Set {', '.join(settings(doubt))}; can be undone")
        button.setAutoDefault(False)
        button.setEnabled(not mended)
        button.clicked.connect(partial(self._wanted, doubt))
        return button

    def _help_button(self, action: str, parent: QWidget) -> QPushButton:
        button = QPushButton(HELPS[action], parent)
        button.setObjectName(f"help.{action}")
        button.setAutoDefault(False)
        button.clicked.connect(partial(self._help, action))
        return button

    def _help(self, action: str, _: bool) -> None:
        self.help_wanted.emit(action)

    def _wanted(self, doubt: Doubt, _: bool) -> None:
        self.mend_wanted.emit(doubt)


def _label(text: str, role: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(len(text) > 1)
    label.setProperty("role", role)
    return label


def _figure(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
