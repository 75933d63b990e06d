"""The menu bar, made from the list of actions."""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QActionGroup, QKeySequence
from PyQt6.QtWidgets import QMenu

from ptychogui.gui import settings, theme
from ptychogui.gui.actions import ACTIONS, DOCK_ACTIONS, EVERY_ACTION, plain
from ptychogui.gui.shortcuts import key_of

if TYPE_CHECKING:
    from ptychogui.gui.window import Window


CONTEXT = (
    ("run", "continue", "queue", "rerun", "use_run", "queue_earlier", "queue_later"),
    ("annotate", "compare", "compare_jobs"),
    ("save", "export", "copy_command", "copy_python"),
    ("contents", "choose_datasets", "find_data"),
    ("remove_run", "close_file"),
)
"""What the menu of the selected file or run holds, group by group."""


def make_actions(window: Window) -> dict[str, QAction]:
    """One QAction for each entry of `ACTIONS`, calling its method of the window."""
    made = {}
    for action in ACTIONS:
        entry = QAction(action.text, window)
        entry.setObjectName(f"action_{action.id}")
        entry.setShortcut(QKeySequence(key_of(action)))
        slot = attrgetter(action.slot)(window)
        entry.triggered.connect(lambda _=False, slot=slot: slot())
        window.addAction(entry)
        made[action.id] = entry
    return made


def refresh(window: Window) -> None:
    """Grey what cannot be done now; its tooltip says why."""
    _name_undo(window)
    for action in EVERY_ACTION:
        entry = window.actions_by_id.get(action.id)
        if entry is None:  # the docks are made later
            continue
        why = action.why(window.session)
        entry.setEnabled(not why)
        key = entry.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        entry.setToolTip(why or plain(action.text) + (f" ({key})" if key else ""))
        entry.setStatusTip(why)


def _name_undo(window: Window) -> None:
    """Let undo and redo say what they would do."""
    stack = window.session.undo
    for name, text, of in (("undo", "&Undo", stack.undoText()), ("redo", "&Redo", stack.redoText())):
        window.actions_by_id[name].setText(f"{text} {of.replace('&', '&&')}".strip())


def fill(window: Window) -> None:
    """Fill the menu bar."""
    menus: dict[str, QMenu] = {}
    for action in ACTIONS:
        if action.menu not in menus:
            menus[action.menu] = _menu(window, action.menu)
        menu = menus[action.menu]
        if action.rule:
            menu.addSeparator()
        menu.addAction(window.actions_by_id[action.id])
        if action.id == "open_folder":
            _add_recent(window, menu)
    view = menus["&View"]
    view.addSeparator()
    _add_themes(window, view)
    window.docks_menu = view.addMenu("Doc&ks")
    if window.docks_menu is not None:
        window.docks_menu.setToolTipsVisible(True)


def _menu(window: Window, title: str) -> QMenu:
    bar = window.menuBar()
    assert bar is not None
    menu = bar.addMenu(title)
    assert menu is not None
    menu.setObjectName(f"menu_{title.replace('&', '').lower()}")
    menu.setToolTipsVisible(True)
    return menu


def _add_recent(window: Window, menu: QMenu) -> None:
    submenu = menu.addMenu("Open &recent")
    assert submenu is not None

    def fill_recent() -> None:
        submenu.clear()
        found = settings.recent()
        for entry in found:
            action = submenu.addAction(f"{Path(entry.path).name}    {entry.line}".replace("&", "&&"))
            assert action is not None
            action.setToolTip(entry.path)
            action.triggered.connect(partial(window.open_path, entry.path))
        submenu.addSeparator()
        forget = submenu.addAction("&Forget these files")
        assert forget is not None
        forget.setEnabled(bool(found))
        forget.triggered.connect(settings.forget)

    submenu.aboutToShow.connect(fill_recent)


def _add_themes(window: Window, menu: QMenu) -> None:
    submenu = menu.addMenu("&Theme")
    assert submenu is not None
    group = QActionGroup(window)
    for name in theme.THEMES:
        action = submenu.addAction(name.capitalize())
        assert action is not None
        action.setObjectName(f"theme_{name}")
        action.setCheckable(True)
        action.setChecked(theme.chosen() == name)
        action.triggered.connect(partial(window.choose_theme, name))
        group.addAction(action)


def add_docks(window: Window) -> None:
    """Fill the menu that shows and hides docks."""
    if window.docks_menu is not None and window.workspace is not None:
        for action, dock in zip(DOCK_ACTIONS, window.workspace.docks.values(), strict=True):
            entry = dock.toggleViewAction()
            assert entry is not None
            entry.setShortcut(QKeySequence(key_of(action)))
            entry.triggered.connect(lambda on, dock=dock: dock.raise_() if on else None)
            window.docks_menu.addAction(entry)
            window.addAction(entry)
            window.actions_by_id[action.id] = entry
        refresh(window)


def context_menu(window: Window) -> QMenu:
    """What can be done with the selected file or run."""
    menu = QMenu(window)
    menu.setToolTipsVisible(True)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for group in CONTEXT:
        menu.addSeparator()
        for name in group:
            menu.addAction(window.actions_by_id[name])
    return menu
