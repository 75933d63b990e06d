"""The command palette: finds actions, parameters, open files and runs by what is typed; Enter goes there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QModelIndex, QObject, Qt
from PyQt6.QtGui import QKeyEvent, QKeySequence, QPainter, QPalette
from PyQt6.QtWidgets import (
    QApplication,
    QDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
)

from ptychogui.gui.actions import DOCK_ACTIONS, EVERY_ACTION, plain
from ptychogui.gui.choice import Choice, choices

if TYPE_CHECKING:
    from ptychogui.gui.window import Window


APART_PX, MARGIN_PX = 24, 8


@dataclass(frozen=True)
class Find:
    """Something that can be found: its text, a remark, what Enter does, and why it cannot be done now.

    What is typed is looked for in text and name first, then in `words`.
    """

    text: str
    remark: str
    go: Callable[[], object]
    name: str = ""
    words: str = ""
    why: str = ""


def finds(window: Window) -> Iterator[Find]:
    """Everything that the palette can find: actions, then files and runs, then parameters."""
    for action in EVERY_ACTION:
        if action.id != "palette" and action.id in window.actions_by_id:
            entry = window.actions_by_id[action.id]
            keys = entry.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            why = "" if entry.isEnabled() else entry.toolTip()
            text = f"Show or hide: {action.text}" if action in DOCK_ACTIONS else plain(action.text)
            yield Find(text, keys, entry.trigger, keys, plain(action.menu), why)
    session = window.session
    for opened in session.opened:
        yield Find(opened.title, "open file", partial(session.select, opened, None), opened.path)
        for run in opened.runs:
            yield Find(run.name, f"run of {opened.title}", partial(session.select, opened, run), opened.title)
    if session.current is not None:
        for choice in choices(session.current.job):
            if not choice.heading:
                go = partial(window.guidance.show_parameter, choice.name)
                yield Find(choice.label, f"parameter  {choice.name}", go, choice.name, _first_sentence(choice))


def _first_sentence(choice: Choice) -> str:
    return choice.help.split(". ")[0]


class _Remarks(QStyledItemDelegate):
    """Draws the remark of an item at its right."""

    def initStyleOption(self, option: QStyleOptionViewItem | None, index: QModelIndex) -> None:
        """The text without the remark."""
        super().initStyleOption(option, index)
        if option is not None:
            option.text = index.data(Qt.ItemDataRole.UserRole).text

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """The item as everywhere, then its remark where the text leaves room."""
        super().paint(painter, option, index)
        find: Find = index.data(Qt.ItemDataRole.UserRole)
        room = option.rect.adjusted(option.fontMetrics.horizontalAdvance(find.text) + APART_PX, 0, -MARGIN_PX, 0)
        if painter is not None and room.width() > 0:
            selected = bool(option.state & QStyle.StateFlag.State_Selected)
            role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.PlaceholderText
            painter.setPen(option.palette.color(role))
            text = option.fontMetrics.elidedText(find.remark, Qt.TextElideMode.ElideLeft, room.width())
            painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)


class CommandPalette(QDialog):
    """A field and a list; Up and Down choose while one types."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self.setObjectName("command_palette")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Command palette")
        self._finds = list(finds(window))
        self._typed = QLineEdit(self)
        self._typed.setObjectName("palette_search")
        self._typed.setToolTip("Type some words of an action, a parameter, an open file or a run")
        self._typed.setPlaceholderText("An action, a parameter, a file…")
        self._list = QListWidget(self)
        self._list.setObjectName("palette_list")
        self._list.setAccessibleName("What was found")
        self._list.setToolTip("Enter or a double click goes there")
        self._list.setItemDelegate(_Remarks(self._list))
        column = QVBoxLayout(self)
        column.addWidget(self._typed)
        column.addWidget(self._list)
        self._typed.textChanged.connect(self._find)
        self._typed.returnPressed.connect(self._do)
        self._typed.installEventFilter(self)
        self._list.itemActivated.connect(self._do)
        self.resize(560, 440)
        self._find("")

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Let the arrows that are pressed in the field move through the list."""
        moves = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in moves:
            QApplication.sendEvent(self._list, event)
            return True
        return super().eventFilter(watched, event)

    def _find(self, typed: str) -> None:
        words = typed.lower().split()
        named = [find for find in self._finds if all(word in f"{find.text} {find.name}".lower() for word in words)]
        told = [f for f in self._finds if all(w in f"{f.text} {f.name} {f.words}".lower() for w in words)]
        found = [*named, *(find for find in told if find not in named)]
        self._list.clear()
        for find in found:
            item = QListWidgetItem(f"{find.text}    {find.remark}".strip(), self._list)
            item.setData(Qt.ItemDataRole.UserRole, find)
            if find.why:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
                item.setToolTip(find.why)
        self._list.setCurrentRow(next((row for row, find in enumerate(found) if not find.why), -1))

    def _do(self, _: object = None) -> None:
        item = self._list.currentItem()
        self.accept()
        if item is not None and item.flags():
            item.data(Qt.ItemDataRole.UserRole).go()
