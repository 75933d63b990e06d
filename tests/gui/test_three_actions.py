"""From a real file to a forming picture, counted: what a user does with mouse and keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QApplication, QMenu, QToolButton
from pytestqt.qtbot import QtBot

from ptychogui import presets
from ptychogui.gui.window import Window
from ptychogui.job import Job

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SIEMENS = DATA / "siemens.npz.bz2"
CRYO = DATA / "electron_cryo" / "vlp_48x40x128x128_u8.npy"
MICROSCOPE = {
    "kV": 300,
    "convergence_rad": 1.03e-3,
    "defocus_m": 13.5e-6,
    "pixel_m": 4.65e-10,
    "scan_shape": (48, 40),
    "scan_step_m": 31.25e-10,
    "scan_rotation_rad": 0.6283185307,
    "scan_flip": "tx",
}


class User:
    """Does things to the window as they are done on a screen, and counts them."""

    def __init__(self, window: Window, qtbot: QtBot) -> None:
        self.window, self.qtbot, self.actions = window, qtbot, 0

    def drop(self, path: Path) -> None:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        copy, left, no_key = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        QApplication.sendEvent(self.window, QDragEnterEvent(QPoint(60, 60), copy, data, left, no_key))
        QApplication.sendEvent(self.window, QDropEvent(QPointF(60, 60), copy, data, left, no_key, QEvent.Type.Drop))
        self.actions += 1

    def click(self, name: str) -> None:
        widget = self.window.findChild(QToolButton, name)
        assert widget is not None
        assert widget.isVisible()
        assert widget.isEnabled()
        self.qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)
        self.actions += 1

    def choose(self, button: str, entry: str) -> None:
        """Open the menu of a button and click an entry of it."""

        def pick() -> None:
            menu = QApplication.activePopupWidget()
            assert isinstance(menu, QMenu)
            action = next(action for action in menu.actions() if action.objectName() == entry)
            self.qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())

        QTimer.singleShot(300, pick)
        self.click(button)

    def wait(self, done: object) -> None:
        assert callable(done)
        self.qtbot.waitUntil(lambda: bool(done()), timeout=120_000)


@pytest.fixture
def user(window: Window, qtbot: QtBot) -> User:
    return User(window, qtbot)


def picture_forms(user: User) -> bool:
    run = user.window.session.current_run
    return run is not None and run.snapshot is not None and run.snapshot.epoch >= 1


@pytest.mark.slow
@pytest.mark.skipif(not SIEMENS.exists(), reason="the real scan ../shared/data/siemens.npz.bz2 is not there")
def test_siemens_in_three_actions(user: User) -> None:
    user.drop(SIEMENS)
    user.wait(lambda: user.window.actions_by_id["run"].isEnabled())
    user.click("run")
    user.wait(lambda: picture_forms(user))
    assert user.actions <= 3


@pytest.mark.slow
@pytest.mark.skipif(not CRYO.exists(), reason="the real scan ../shared/data/electron_cryo is not there")
def test_cryo_in_three_actions_with_the_preset_of_its_microscope(user: User) -> None:
    job = Job().with_value("data", MICROSCOPE)
    presets.keep("Our microscope", presets.of_job(job, "", instrument=True))
    user.drop(CRYO)
    user.wait(lambda: user.window.session.current is not None)
    assert not user.window.actions_by_id["run"].isEnabled()
    user.window.show_parameters()
    user.choose("presets", "preset_Our microscope")
    user.wait(lambda: user.window.actions_by_id["run"].isEnabled())
    user.click("run")
    user.wait(lambda: picture_forms(user))
    assert user.actions <= 3
