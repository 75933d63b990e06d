"""A walk over the menus that the menu bar does not hold: those of views, docks, buttons and trees, in every state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QEvent, QPoint, Qt
from PyQt6.QtGui import QAction, QContextMenuEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QMenu, QToolButton
from test_walk import in_state, left, made, put_away, until

from ptychogui.gui.actions import ACTIONS
from ptychogui.gui.folder_tree import FolderTree
from ptychogui.gui.views.panel import ImagePanel
from ptychogui.gui.window import Window

pytestmark = pytest.mark.usefixtures("qtbot")
STATES = ["empty", "loaded", "running", "paused", "finished", "live"]


def entries(menu: QMenu) -> Iterator[QAction]:
    """The entries of a menu and of those inside it, filled as when it opens."""
    menu.aboutToShow.emit()
    for action in menu.actions():
        if action.menu() is not None:
            yield from entries(action.menu())
        elif not action.isSeparator():
            yield action


def said(action: QAction) -> str:
    """What the tooltip says beyond the text of the entry itself."""
    return "" if action.toolTip() == action.text().replace("&", "").removesuffix("…") else action.toolTip()


def is_of_qt(button: QToolButton) -> bool:
    """Whether Qt itself has made a button, as that at the end of a menu bar that is too narrow."""
    return button.objectName().startswith("qt_")


def settle(window: Window) -> None:
    QApplication.processEvents()
    window.view_windows.close_all()
    put_away()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def walked(window: Window, menu: QMenu, errors: list[str], once: bool = True) -> set[str]:
    """Choose every entry, those that can be ticked twice; each works, or is grey and says why. Tells their texts."""
    assert menu.toolTipsVisible(), "else nobody reads why an entry is grey"
    texts = set()
    for action in list(entries(menu)):
        text = action.text()
        texts.add(text)
        if not action.isEnabled():
            assert said(action), f"'{text}' is grey without a reason"
            continue
        for _ in range(1 if once or not action.isCheckable() else 2):
            action.trigger()
            if sum(widget.isVisible() for widget in QApplication.topLevelWidgets()) > 1:
                settle(window)
        assert not errors, text
    settle(window)
    assert not errors
    return texts


def whys_of_runs_menu(window: Window) -> None:
    """A right click on the selected file or run: what can be done with it, and for the rest why not."""
    tree = window.workspace.browser
    where = tree.visualItemRect(tree.currentItem()).center() if tree.currentItem() else QPoint(20, 20)
    tree.customContextMenuRequested.emit(where)
    menu = QApplication.activePopupWidget()
    if window.session.current is None:
        assert menu is None, "there is nothing to choose from"
        return
    assert isinstance(menu, QMenu)
    whys = {action.text: action.why(window.session) for action in ACTIONS}
    for action in entries(menu):
        assert action.isEnabled() is not bool(whys[action.text()])
        assert action.isEnabled() or action.toolTip() == whys[action.text()]
    assert menu.toolTipsVisible()
    settle(window)


@pytest.mark.parametrize("state", STATES)
def test_every_entry_of_every_other_menu_works_or_says_why_not(state: str, scan: Path) -> None:
    window = made()
    errors: list[str] = []
    window.session.message.connect(lambda level, text, _: errors.append(text) if level == "error" else None)
    in_state(window, state, scan)
    workspace = window.workspace
    assert workspace is not None
    whys_of_runs_menu(window)
    panels = workspace.findChildren(ImagePanel)
    assert {name for name, view in workspace.views.items() if view.findChildren(ImagePanel)} >= {
        "object_phase",
        "object_amplitude",
        "probe",
        "diffraction",
        "spectrum",
    }
    for panel in panels:
        menu = panel.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        assert {"Fit", "Copy image", "Save as PNG…"} <= walked(window, menu, errors)
        menu.deleteLater()
    toggles = {dock.toggleViewAction() for dock in workspace.docks.values()}
    assert toggles <= set(window.docks_menu.actions()) & set(workspace.createPopupMenu().actions())
    walked(window, window.docks_menu, errors, once=False)
    assert not any(dock.isHidden() for dock in workspace.docks.values())
    with_menus = [button for button in window.findChildren(QToolButton) if button.menu() and not is_of_qt(button)]
    assert {button.objectName() for button in with_menus} >= {"presets", "stage_add"}
    for button in with_menus:
        if button.isEnabled():
            walked(window, button.menu(), errors)
            until(lambda: window.session.tasks.waiting == 0)
        else:
            assert "going on" in button.toolTip()
    assert not errors
    left(window)


def test_the_menu_of_the_folders_opens_a_file_and_its_contents(scan: Path) -> None:
    window = made()
    errors: list[str] = []
    window.session.message.connect(lambda level, text, _: errors.append(text) if level == "error" else None)
    in_state(window, "loaded", scan)
    window.workspace.browser_dock.show_folders(True)
    folders = window.workspace.findChild(FolderTree)
    assert folders is not None
    until(lambda: entry_of(folders, scan) is not None)
    folders.scrollToItem(entry_of(folders, scan))
    QTest.qWait(10)
    seen = set()
    for number in range(4):
        where = folders.visualItemRect(entry_of(folders, scan)).center()
        event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, where, folders.viewport().mapToGlobal(where))
        QApplication.sendEvent(folders.viewport(), event)
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        chosen = list(entries(menu))[number]
        seen.add(chosen.text())
        chosen.trigger()
        until(lambda: window.session.tasks.waiting == 0 and not window.session.opening)
        settle(window)
        window.workspace.browser_dock.show_folders(True)
    assert {"&Open", "&Contents…", "Copy the &path"} <= seen
    assert QApplication.clipboard().text() == str(scan)
    assert not errors
    left(window)


def entry_of(folders: FolderTree, path: Path) -> object:
    """The item of a file, once its folder has been read."""
    found = folders.findItems(path.name, Qt.MatchFlag.MatchContains | Qt.MatchFlag.MatchRecursive)
    return found[0] if found else None
