"""The keys of all actions: listed, changed by pressing the new ones, and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ptychogui.gui.actions import EVERY_ACTION, Action, plain
from ptychogui.gui.settings import settings

BY_ID = {action.id: action for action in EVERY_ACTION}


def key_of(action: Action) -> str:
    """The key of an action: the user's, or that of the program; '' where it has none."""
    return str(settings().value(f"shortcuts/{action.id}", action.shortcut))


def sequence(name: str) -> QKeySequence:
    """The keys of the action of this name, for windows beside the main one that do the same."""
    return QKeySequence(key_of(BY_ID[name]))


def conflict(key: str, of: str) -> str:
    """What else has this key, in words; '' where it is free for the action `of`."""
    if not key:
        return ""
    return next((plain(a.text) for a in EVERY_ACTION if a.id != of and key_of(a) == key), "")


class ShortcutsDialog(QDialog):
    """A list by menu; of the selected action the key can be pressed anew, taken away or reset."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("shortcuts_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keyboard shortcuts")
        self._actions = actions
        self._items: dict[str, QTreeWidgetItem] = {}
        self.search = QLineEdit(self)
        self.search.setObjectName("shortcuts_search")
        self.search.setPlaceholderText("Search actions and keys")
        self.search.setToolTip("Show only actions whose name or key holds these words")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._find)
        self.list = self._list()
        self.key = QKeySequenceEdit(self)
        self.key.setObjectName("shortcut_key")
        self.key.setToolTip("Press the keys that the selected action shall have")
        self.key.setAccessibleName("Key of the selected action")
        self.key.setMaximumSequenceLength(1)
        self.key.setClearButtonEnabled(True)
        self.key.editingFinished.connect(self._pressed)
        self.problem = QLabel(self)
        self.problem.setObjectName("shortcut_problem")
        self.problem.setProperty("role", "problem")
        self.problem.setWordWrap(True)
        self.take = self._button("take_key", "Take it from there", "Give the key to this action", self._take)
        self.reset = self._button("reset_key", "Reset", "The key that the program has given", self._reset)
        self.reset_all = self._button(
            "reset_keys", "Reset all", "All keys as the program has given them", self._reset_all
        )
        self._lay_out()
        self.resize(560, 600)
        self._fill()
        self.list.setCurrentItem(self._items["open"])
        self.search.setFocus()

    def _list(self) -> QTreeWidget:
        tree = QTreeWidget(self)
        tree.setObjectName("shortcuts_list")
        tree.setAccessibleName("Actions and their keys")
        tree.setToolTip("Select an action to change its key")
        tree.setColumnCount(2)
        tree.setHeaderLabels(["Action", "Key"])
        tree.setColumnWidth(0, 360)
        tree.currentItemChanged.connect(lambda *_: self._show())
        return tree

    def _button(self, name: str, text: str, tip: str, slot: Callable[[bool], object]) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setToolTip(tip)
        button.setAutoDefault(False)
        button.clicked.connect(slot)
        return button

    def _lay_out(self) -> None:
        label = QLabel("&New key", self)
        label.setBuddy(self.key)
        row = QHBoxLayout()
        row.addWidget(label)
        row.addWidget(self.key, 1)
        row.addWidget(self.take)
        row.addWidget(self.reset)
        close = self._button("close", "Close", "Close this list; changed keys count at once", lambda _: self.reject())
        last = QHBoxLayout()
        last.addWidget(self.reset_all)
        last.addStretch(1)
        last.addWidget(close)
        column = QVBoxLayout(self)
        column.addWidget(self.search)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        column.addWidget(self.problem)
        column.addLayout(last)

    def _fill(self) -> None:
        menus: dict[str, QTreeWidgetItem] = {}
        for action in EVERY_ACTION:
            if action.menu not in menus:
                menus[action.menu] = QTreeWidgetItem(self.list, [plain(action.menu)])
                menus[action.menu].setFlags(Qt.ItemFlag.ItemIsEnabled)
            item = QTreeWidgetItem(menus[action.menu], [plain(action.text), ""])
            item.setData(0, Qt.ItemDataRole.UserRole, action.id)
            self._items[action.id] = item
            self._write(action)
        self.list.expandAll()

    def _write(self, action: Action) -> None:
        item, key = self._items[action.id], key_of(action)
        item.setText(1, QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText))
        font = item.font(1)
        font.setBold(key != action.shortcut)
        item.setFont(1, font)
        item.setToolTip(1, f"Changed from {action.shortcut or 'none'}" if key != action.shortcut else "")

    def _find(self, typed: str) -> None:
        words = typed.lower().split()
        for item in self._items.values():
            text = f"{item.text(0)} {item.text(1)}".lower()
            item.setHidden(not all(word in text for word in words))
        for row in range(self.list.topLevelItemCount()):
            menu = self.list.topLevelItem(row)
            if menu is not None:
                menu.setHidden(all(menu.child(i).isHidden() for i in range(menu.childCount())))  # type: ignore[union-attr]

    @property
    def action(self) -> Action | None:
        """The selected action."""
        item = self.list.currentItem()
        return BY_ID.get(str(item.data(0, Qt.ItemDataRole.UserRole))) if item is not None else None

    def _show(self) -> None:
        action = self.action
        key = key_of(action) if action is not None else ""
        self.key.setEnabled(action is not None)
        self.key.setKeySequence(QKeySequence(key))
        self.reset.setEnabled(action is not None and key != action.shortcut)
        self._tell("", False)

    def _tell(self, problem: str, can_take: bool) -> None:
        self.problem.setText(problem)
        self.take.setVisible(can_take)

    def _pressed(self) -> None:
        action, key = self.action, self.key.keySequence().toString()
        if action is None or key == key_of(action):
            return
        other = conflict(key, action.id)
        if other:
            self._tell(f"{key} is the key of “{other}”.", True)
        else:
            self._set(action, key)
            self._show()

    def _take(self, _: bool) -> None:
        action, key = self.action, self.key.keySequence().toString()
        if action is None:
            return
        for other in EVERY_ACTION:
            if other.id != action.id and key_of(other) == key:
                self._set(other, "")
        self._set(action, key)
        self._show()

    def _set(self, action: Action, key: str) -> None:
        if key == action.shortcut:
            settings().remove(f"shortcuts/{action.id}")
        else:
            settings().setValue(f"shortcuts/{action.id}", key)
        self._actions[action.id].setShortcut(QKeySequence(key))
        self._write(action)

    def _reset(self, _: bool) -> None:
        action = self.action
        if action is None:
            return
        other = conflict(action.shortcut, action.id)
        if other:
            self.key.setKeySequence(QKeySequence(action.shortcut))
            self._tell(f"{action.shortcut} is the key of “{other}” now.", True)
        else:
            self._set(action, action.shortcut)
            self._show()

    def _reset_all(self, _: bool) -> None:
        for action in EVERY_ACTION:
            self._set(action, action.shortcut)
        self._show()
