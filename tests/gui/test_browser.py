"""The dock of files: what is open, what lies in the folders, search over both, and files that are gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtWidgets import QMenu, QTreeWidgetItem
from pytestqt.qtbot import QtBot

from ptychogui.gui.contents_view import ContentsDialog
from ptychogui.gui.folder_tree import ENTRY, FolderTree, _beneath
from ptychogui.gui.folders import natural
from ptychogui.gui.opened import Run
from ptychogui.gui.start_page import Card
from ptychogui.gui.window import Window
from ptychogui.io.outline import outline
from ptychogui.params import InputError

Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def window(new_window: Callable[[], Window], until: Until, scan: Path) -> Window:
    """The scan is open, and so is another one that lies beside it."""
    window = new_window()
    (scan.parent / "day_2").mkdir()
    other = scan.parent / "day_2" / "zoneplate_12.cxi"
    other.write_bytes(scan.read_bytes())
    for path in (scan, other):
        window.open_path(str(path))
        until(lambda: window.session.tasks.waiting == 0)
    until(lambda: window.workspace is not None and window.workspace.arranged)
    return window


def dock(window: Window):  # type: ignore[no-untyped-def]
    assert window.workspace is not None
    return window.workspace.browser_dock


def shown(tree: FolderTree) -> list[str]:
    """The first lines of the items that are not hidden."""
    found = []
    item = tree.topLevelItem(0)
    while item is not None:
        if not item.isHidden():
            found.append(item.text(0).split("\n")[0])
        item = tree.itemBelow(item)
    return found


def item_of(tree: FolderTree, path: Path) -> QTreeWidgetItem:
    return next(
        item
        for item in _beneath(tree.invisibleRootItem())
        if item.data(0, ENTRY) is not None and item.data(0, ENTRY).path == str(path)
    )


def test_open_files_tell_shape_light_and_date(window: Window) -> None:
    lines = dock(window).tree.topLevelItem(0).text(0).split("\n")
    assert lines[:2] == ["scan.cxi", "30 × 40 × 48"]
    assert "eV" in lines[2]
    assert "79.2 nm/px" in lines[2]
    assert "202" in lines[3]
    assert not dock(window).tree.topLevelItem(0).icon(0).isNull()


def test_search_finds_files_and_runs(window: Window, qtbot: QtBot) -> None:
    first = window.session.opened[0]
    first.runs = [Run("Run 1 · adam", first.job, "finished"), Run("Run 2 · rpie", first.job, "failed")]
    window.session.tree_changed.emit()
    qtbot.keyClicks(dock(window).search, "rpie")
    assert shown(dock(window).tree) == ["scan.cxi", "Run 2 · rpie"]
    dock(window).search.setText("day_2 zone")
    assert shown(dock(window).tree) == ["zoneplate_12.cxi"]
    window.session.tree_changed.emit()  # what is typed stays
    assert shown(dock(window).tree) == ["zoneplate_12.cxi"]
    dock(window).search.clear()
    assert len(shown(dock(window).tree)) == 4


def test_the_tree_stays_where_it_was_looked_at(window: Window, qtbot: QtBot) -> None:
    session, tree = window.session, dock(window).tree
    assert session.current is not None
    for _ in range(30):
        session.current.next_run()
    session.tree_changed.emit()
    session.select(session.current, session.current.runs[1])
    bar = tree.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    bar.setValue(bar.maximum())
    session.tree_changed.emit()  # as when a run in the queue begins
    qtbot.wait(20)
    assert bar.value() == bar.maximum()
    session.select(session.current, session.current.runs[2])
    assert tree.viewport().rect().contains(tree.visualItemRect(tree.currentItem()))
    tree.topLevelItem(1).setExpanded(False)
    session.tree_changed.emit()
    assert not tree.topLevelItem(1).isExpanded()


def test_moved_files_say_so_and_are_found_together(window: Window, scan: Path, until: Until) -> None:
    away = scan.parent / "archive"
    (away / "day_2").mkdir(parents=True)
    for name in ("scan.cxi", "day_2/zoneplate_12.cxi"):
        (scan.parent / name).rename(away / name)
    window.session.presence.look()
    until(lambda: window.session.tasks.waiting == 0)
    tree = dock(window).tree
    assert all("moved or deleted" in tree.topLevelItem(i).text(0) for i in range(2))
    first, second = window.session.opened
    window.datasets.found(first, str(away / "scan.cxi"))
    until(lambda: window.session.tasks.waiting == 0)
    assert Path(first.path) == away / "scan.cxi"
    assert Path(second.path) == away / "day_2" / "zoneplate_12.cxi"
    assert second.dataset is not None
    assert Path(second.dataset.source) == away / "day_2" / "zoneplate_12.cxi"
    assert not any("moved or deleted" in tree.topLevelItem(i).text(0) for i in range(2))
    window.session.undo.undo()
    until(lambda: window.session.tasks.waiting == 0)
    assert Path(second.path) == scan.parent / "day_2" / "zoneplate_12.cxi"


def test_the_start_page_says_which_recent_files_are_gone(window: Window, scan: Path, until: Until) -> None:
    scan.rename(scan.with_name("elsewhere.cxi"))
    window.show_start()
    until(lambda: window.session.tasks.waiting == 0)
    cards = {
        Path(card.toolTip()).name: card.line.text() for card in window.start_page.findChildren(Card, "recent_file")
    }
    assert cards["scan.cxi"] == "moved or deleted"
    assert cards["zoneplate_12.cxi"].startswith("30 frames")


def test_folders_unfold_and_their_files_are_looked_into(window: Window, scan: Path, until: Until, qtbot: QtBot) -> None:
    (scan.parent / "notes.txt").write_text("no data")
    np.save(scan.parent / "stack.npy", np.ones((5, 16, 12), np.uint16))
    np.save(scan.parent / "curve.npy", np.ones(5))
    dock(window).folder_button.click()
    folders = dock(window).folders
    until(lambda: window.session.tasks.waiting == 0)
    root = item_of(folders, scan.parent)
    root.setExpanded(True)
    until(lambda: window.session.tasks.waiting == 0)
    names = [root.child(i).text(0).split("\n")[0] for i in range(root.childCount())]
    assert [name for name in names if "." in name] == ["curve.npy", "scan.cxi", "stack.npy"]
    folders.scrollToItem(item_of(folders, scan.parent / "stack.npy"))
    folders.resize(300, 900)
    until(lambda: "5 × 16 × 12" in item_of(folders, scan.parent / "stack.npy").text(0))
    until(lambda: "cannot be read" in item_of(folders, scan.parent / "curve.npy").text(0))
    np.save(scan.parent / "later.npy", np.ones((5, 16, 12), np.uint16))  # while the folder is on show
    folders._changed(str(scan.parent))
    until(lambda: window.session.tasks.waiting == 0)
    later = item_of(folders, scan.parent / "later.npy")
    assert [root.indexOfChild(later), later.text(0).split("\n")[0]] == [names.index("curve.npy") + 1, "later.npy"]
    folders.setCurrentItem(later)
    folders.itemActivated.emit(later, 0)
    until(lambda: len(window.session.opened) == 3)
    assert dock(window).pages.currentWidget() is dock(window).tree


def test_search_goes_beneath_the_folders(window: Window, scan: Path, until: Until, qtbot: QtBot) -> None:
    deep = scan.parent / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (deep / "vortex_3.cxi").write_bytes(scan.read_bytes())
    dock(window).folder_button.click()
    until(lambda: window.session.tasks.waiting == 0)
    qtbot.keyClicks(dock(window).search, "vortex")
    until(lambda: dock(window).folders._found is not None and window.session.tasks.waiting == 0)
    until(lambda: dock(window).folders._found.childCount() == 1)
    assert dock(window).folders._found.child(0).data(0, ENTRY).path == str(deep / "vortex_3.cxi")
    dock(window).search.clear()
    assert dock(window).folders._found is None


def test_the_menu_of_a_file_opens_it_or_shows_its_tree(window: Window, scan: Path, until: Until) -> None:
    dock(window).folder_button.click()
    until(lambda: window.session.tasks.waiting == 0)
    folders = dock(window).folders
    item_of(folders, scan.parent).setExpanded(True)
    until(lambda: window.session.tasks.waiting == 0)
    item = item_of(folders, scan)
    folders.scrollToItem(item)
    folders.customContextMenuRequested.emit(folders.visualItemRect(item).center())
    menu = next(menu for menu in folders.findChildren(QMenu) if menu.objectName() == "folder_menu")
    texts = {action.text().replace("&", ""): action for action in menu.actions()}
    assert list(texts) == ["Open", "Open, choosing the datasets…", "Contents…", "Copy the path"]
    texts["Contents…"].trigger()
    menu.close()
    dialog = window.findChild(ContentsDialog)
    assert dialog is not None
    until(lambda: window.session.tasks.waiting == 0)
    assert dialog.view.tree.topLevelItemCount() > 0
    dialog.reject()


def test_people_count_ten_after_nine() -> None:
    assert sorted(["scan_10.h5", "scan_9.h5", "Scan_1.h5"], key=natural) == ["Scan_1.h5", "scan_9.h5", "scan_10.h5"]


def test_an_outline_tells_a_scan_from_a_result(scan: Path, tmp_path: Path) -> None:
    about = outline(scan)
    assert about.lines[0] == "30 × 40 × 48"
    assert about.lines[1].endswith("eV")
    assert about.pattern is not None
    assert about.pattern.shape == (40, 48)
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(InputError):
        outline(tmp_path / "text.h5")
