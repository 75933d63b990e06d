"""A view over the whole screen, and a second one in a window of its own that follows the run."""

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QTabBar
from pytestqt.qtbot import QtBot

from ptychogui.gui.views.base import View
from ptychogui.gui.window import Window

Until = Callable[[Callable[[], object]], None]


def view_of(window: Window, name: str) -> View:
    assert window.workspace is not None
    view: View = window.workspace.views[name]
    return view


def test_escape_and_f12_bring_a_large_view_back(opened: Window, qtbot: QtBot) -> None:
    assert opened.workspace is not None
    windows, dock = opened.view_windows, opened.workspace.docks["probe"]
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_F12):
        opened.workspace.reveal("probe")
        opened.actions_by_id["enlarge"].trigger()
        large = windows.enlarged
        assert large is not None
        assert large.view is view_of(opened, "probe")
        assert large.isFullScreen()
        assert dock.widget() is not large.view
        with qtbot.waitActive(large):
            large.activateWindow()
        qtbot.keyClick(large, key)
        qtbot.waitUntil(lambda: windows.enlarged is None)
        assert dock.widget() is view_of(opened, "probe")
        assert view_of(opened, "probe").isVisible()


def test_changed_keys_count_in_the_windows_of_views_too(opened: Window, qtbot: QtBot) -> None:
    windows, keys = opened.view_windows, opened.actions_by_id
    keys["enlarge"].setShortcut("F6")
    keys["enlarge"].trigger()
    large = windows.enlarged
    assert large is not None
    with qtbot.waitActive(large):
        large.activateWindow()
    qtbot.keyClick(large, Qt.Key.Key_F12)
    assert windows.enlarged is large
    qtbot.keyClick(large, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: windows.enlarged is None)
    keys["tear_off"].trigger()
    (torn,) = windows.torn.values()
    keys["full_screen"].setShortcut("Shift+F7")  # while the window is there
    with qtbot.waitActive(torn):
        torn.activateWindow()
    qtbot.keyClick(torn, Qt.Key.Key_F11)
    assert not torn.isFullScreen()
    qtbot.keyClick(torn, Qt.Key.Key_F7, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(torn.isFullScreen)


def test_a_double_click_on_title_or_tab_enlarges(opened: Window, qtbot: QtBot) -> None:
    assert opened.workspace is not None
    windows, dock = opened.view_windows, opened.workspace.docks["object_phase"]
    qtbot.mouseDClick(dock, Qt.MouseButton.LeftButton, pos=QPoint(60, 8))
    assert windows.enlarged is not None
    assert windows.enlarged.view is view_of(opened, "object_phase")
    windows.enlarged.close()
    assert not dock.isFloating()
    bar = next(b for b in opened.workspace.findChildren(QTabBar) if "Loss" in [b.tabText(i) for i in range(b.count())])
    index = [bar.tabText(i) for i in range(bar.count())].index("Loss")
    qtbot.mouseDClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(index).center())
    assert windows.enlarged is not None
    assert windows.enlarged.view is view_of(opened, "loss")


def test_a_torn_off_view_follows_the_run_and_goes_with_the_window(opened: Window, until: Until, qtbot: QtBot) -> None:
    assert opened.workspace is not None
    opened.workspace.reveal("object_amplitude")
    opened.actions_by_id["tear_off"].trigger()
    ((name, torn),) = opened.view_windows.torn.items()
    assert torn.isWindow()
    own = torn.view
    assert own is not view_of(opened, "object_amplitude")
    assert own.dataset is opened.session.current.dataset
    opened.session.edit(opened.session.current.job.with_value("solver.epochs", 2))
    opened.session.start()
    until(lambda: opened.session.running is None)
    assert own.result is opened.session.current_run.result
    with qtbot.waitSignal(opened.session.frame_changed):
        own.frame_selected.emit(3)
    assert own.mark._frame == 3
    torn.close()
    assert name not in opened.workspace.views
    assert not opened.view_windows.torn
    opened.view_windows.tear("loss")
    opened.view_windows.tear("diffraction")
    second = list(opened.view_windows.torn.values())
    until(lambda: second[1].view.model.picture is not None)
    with qtbot.waitSignal(view_of(opened, "diffraction").prepare_wanted):
        second[1].view.prepare.click()
    opened.view_windows.close_all()
    assert not opened.view_windows.torn


def test_the_menu_of_a_picture_opens_both(opened: Window) -> None:
    panel = view_of(opened, "object_phase").panel
    actions = {action.text(): action for action in panel.menu().actions()}
    actions["View over the whole screen"].trigger()
    assert opened.view_windows.enlarged is not None
    opened.view_windows.enlarged.close()
    actions["View in a window of its own"].trigger()
    assert len(opened.view_windows.torn) == 1


def test_the_title_of_a_dock_follows_what_is_chosen(opened: Window) -> None:
    assert opened.workspace is not None
    view_of(opened, "object_phase").show_as("complex")
    assert opened.workspace.docks["object_phase"].windowTitle() == "Object, complex"


def test_windows_of_views_come_back_at_the_next_start(
    opened: Window, new_window: Callable[[], Window], scan: Path, until: Until
) -> None:
    windows = opened.view_windows
    windows.tear("loss")
    windows.tear("object_phase")
    loss, phase = windows.torn.values()
    loss.setGeometry(30, 40, 310, 420)
    phase.move(50_000, 40_000)  # on a screen that is not there the next time
    QTest.qWait(50)
    project = scan.with_name("one.ptychoproj")
    opened.projects.write(project)
    until(lambda: opened.session.tasks.waiting == 0)
    windows.tear("diffraction")
    opened.leave()
    assert not windows.torn

    def shown(window: Window) -> list[str]:
        return [place.view for place in window.view_windows.places]

    other = new_window()
    assert not shown(other)  # nothing is open yet
    other.open_path(str(scan))
    until(lambda: other.session.current is not None and other.session.tasks.waiting == 0)
    assert shown(other) == ["loss", "object_phase", "diffraction"]
    first, second, third = other.view_windows.torn.values()
    assert (first.width(), first.height()) == (310, 420)
    screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
    assert any(screen.intersects(second.frameGeometry()) for screen in screens)
    assert third.view.dataset is other.session.current.dataset
    other.open_path(str(project))
    until(lambda: len(shown(other)) == 2 and other.session.tasks.waiting == 0)
    assert shown(other) == ["loss", "object_phase"]
