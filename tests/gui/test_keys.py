"""Keys: the one of help works in every window, all can be changed, and no two entries of a menu share a mnemonic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QDialog, QMenu, QWidget

from ptychogui.gui.actions import ACTIONS, EVERY_ACTION
from ptychogui.gui.choice import choices
from ptychogui.gui.forms import GROUPS
from ptychogui.gui.help_pages import FORMS, form_kinds, pages
from ptychogui.gui.help_window import TOPICS, HelpWindow, topic_of
from ptychogui.gui.menus import context_menu
from ptychogui.gui.preparation_rows import Number
from ptychogui.gui.shortcuts import BY_ID, ShortcutsDialog, key_of
from ptychogui.gui.view_windows import ViewWindow
from ptychogui.gui.window import Window

Until = Callable[[Callable[[], object]], None]
CTRL = Qt.KeyboardModifier.ControlModifier


def help_of(window: Window) -> HelpWindow | None:
    return next((one for one in window.findChildren(HelpWindow) if one.isVisible()), None)


def press_f1(window: Window, inside: QWidget, until: Until) -> str:
    """The page that the key of help opens while this widget has the keyboard."""
    inside.activateWindow()
    inside.setFocus()
    until(lambda: QApplication.focusWidget() is not None and QApplication.focusWidget().window() is inside.window())
    QTest.keyClick(inside, Qt.Key.Key_F1)
    found = help_of(window)
    assert found is not None
    page = found.page
    found.close()
    until(lambda: help_of(window) is None)
    return page


DIALOGS = {
    "prepare": "preparation",
    "layout": "scan",
    "simulate": "scan",
    "export": "results",
    "annotate": "results",
    "preflight": "preflight",
    "check": "preflight",
    "steps": "steps",
    "design": "design",
    "train": "networks",
    "presets": "presets",
    "contents": "opening",
    "choose_datasets": "opening",
    "open": "opening",
    "palette": "keys",
    "shortcuts": "keys",
    "about": "wrong",
}


def test_f1_works_in_every_dialog_modal_or_not(opened: Window, until: Until) -> None:
    session = opened.session
    session.edit(session.current.job.with_value("solver.epochs", 1))
    session.start()
    until(lambda: session.running is None)
    kinds = set()
    for name, page in DIALOGS.items():
        opened.actions_by_id[name].trigger()
        dialog = next(one for one in opened.findChildren(QDialog) if one.isVisible())
        kinds.add(dialog.isModal())
        assert press_f1(opened, dialog, until) == page, name
        for one in opened.findChildren(QDialog):
            one.reject()
        until(lambda: session.tasks.waiting == 0 and not any(one.isVisible() for one in opened.findChildren(QDialog)))
    assert kinds == {True, False}


def test_help_over_a_modal_dialog_can_be_read_and_closed(opened: Window, until: Until) -> None:
    opened.guidance.help()
    until(lambda: help_of(opened) is not None)
    opened.actions_by_id["shortcuts"].trigger()
    dialog = opened.findChild(ShortcutsDialog)
    until(lambda: QApplication.activeWindow() is dialog)
    QTest.keyClick(dialog.search, Qt.Key.Key_F1)
    found = help_of(opened)
    assert found.parentWidget() is dialog, "a window of help that is blocked is no help"
    QTest.keyClicks(found.search, "raster")
    QTest.keyClick(found, Qt.Key.Key_Escape)
    assert dialog.isVisible()
    dialog.reject()


def test_f1_in_a_field_opens_the_page_about_it(opened: Window, until: Until) -> None:
    dialog = opened.preparing.open()
    until(lambda: dialog.draft.trial is not None)
    for name, place in (("centre_y", "centre"), ("defect_factor", "defect_factor")):
        box = dialog.findChild(Number, name)
        assert topic_of(box) == f"parameters.data#data.{place}"
        assert press_f1(opened, box, until) == "parameters.data"
    dialog.close()
    opened.actions_by_id["simulate"].trigger()
    simulate = next(one for one in opened.findChildren(QDialog) if one.objectName() == "simulate_dialog")
    row = next(row for row in simulate.form.rows() if row.choice.name == "recipe.photons")
    assert topic_of(row.edit) == "simulation#simulation.recipe.photons"
    assert press_f1(opened, row.edit, until) == "simulation"
    simulate.reject()
    card = opened.workspace.card
    row = next(row for form in card._forms for row in form.rows())
    assert topic_of(row.edit) == f"parameters.data#data.{row.choice.name}"


def test_f1_works_in_the_window_of_a_view(opened: Window, until: Until) -> None:
    opened.actions_by_id["tear_off"].trigger()
    torn = next(iter(opened.view_windows.torn.values()))
    assert isinstance(torn, ViewWindow)
    assert press_f1(opened, torn.view, until) == "views"
    torn.close()


def test_pages_of_dialogs_tell_of_every_field() -> None:
    texts = {page.name: page.text() for page in pages()}
    assert set(TOPICS.values()) <= set(texts)
    for name in FORMS:
        for kind in form_kinds(name):
            for choice in choices(kind()):
                if len(choice.path) > 1 and choice.path[0] in GROUPS:  # which has a page of its own
                    continue
                place = ".".join(part for part in choice.name.split(".") if not part.isdigit())
                assert f'name="{name}.{place}"' in texts[name] or choice.union or choice.heading, choice.name


def mnemonic(text: str) -> str:
    rest = text.replace("&&", "").partition("&")[2]
    return rest[:1].lower()


def menus_of(menu: QMenu) -> Iterator[QMenu]:
    menu.aboutToShow.emit()
    yield menu
    for action in menu.actions():
        if action.menu() is not None:
            yield from menus_of(action.menu())


def test_no_two_entries_of_a_menu_share_a_mnemonic(opened: Window) -> None:
    tops = [action.menu() for action in opened.menuBar().actions()]
    letters = [mnemonic(menu.title()) for menu in tops]
    assert len(set(letters)) == len(letters)
    context = context_menu(opened)
    for menu in (one for top in (*tops, context) for one in menus_of(top)):
        count = Counter(mnemonic(action.text()) for action in menu.actions() if mnemonic(action.text()))
        assert {key for key, times in count.items() if times > 1} == set(), menu.title()
    assert all(mnemonic(action.text) for action in ACTIONS), "every entry has one"
    context.close()


def test_undo_redo_and_docks_have_keys_that_can_be_changed(opened: Window, until: Until) -> None:
    session, job = opened.session, opened.session.current.job
    opened.actions_by_id["shortcuts"].trigger()
    dialog = opened.findChild(ShortcutsDialog)
    for name, key in (("undo", Qt.Key.Key_U), ("redo", Qt.Key.Key_Y), ("dock_loss", Qt.Key.Key_9)):
        dialog.list.setCurrentItem(dialog._items[name])
        QTest.keyClick(dialog.key, key, CTRL)
        dialog.key.editingFinished.emit()
        assert key_of(BY_ID[name]) == opened.actions_by_id[name].shortcut().toString() != BY_ID[name].shortcut
    assert set(dialog._items) == {action.id for action in EVERY_ACTION}
    dialog.reject()
    until(lambda: not opened.findChildren(ShortcutsDialog))
    opened.activateWindow()
    until(lambda: QApplication.activeWindow() is opened)
    session.edit(job.with_value("solver.epochs", 321))
    assert "change of parameters" in opened.actions_by_id["undo"].text()
    QTest.keyClick(opened, Qt.Key.Key_Z, CTRL)
    assert session.current.job != job
    QTest.keyClick(opened, Qt.Key.Key_U, CTRL)
    assert session.current.job == job
    QTest.keyClick(opened, Qt.Key.Key_Y, CTRL)
    assert session.current.job.with_value("solver.epochs", 1) == job.with_value("solver.epochs", 1) != job
    dock = opened.workspace.docks["loss"]
    for hidden in (True, False):
        QTest.keyClick(opened, Qt.Key.Key_9, CTRL)
        assert dock.isHidden() is hidden
    assert opened.preparing.open().actions()[0].shortcut() == opened.actions_by_id["undo"].shortcut()


@pytest.mark.parametrize("name", ["undo", "redo", "dock_loss"])
def test_what_cannot_be_done_says_why(window: Window, name: str) -> None:
    entry = window.actions_by_id[name]
    assert not entry.isEnabled()
    assert entry.toolTip() == BY_ID[name].why(window.session) != ""
