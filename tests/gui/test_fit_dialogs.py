"""Every dialog fits a small screen, and everything in it can be read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt6.QtWidgets import QApplication, QDialog, QScrollArea
from pytestqt.qtbot import QtBot
from test_fit import LARGER_FONT, SMALL, misfits

from ptychogui.gui.window import Window

Until = Callable[[Callable[[], object]], None]
DIALOGS = (
    "about",
    "annotate",
    "choose_datasets",
    "close_file",
    "compare",
    "compare_jobs",
    "contents",
    "design",
    "export",
    "help",
    "layout",
    "palette",
    "preflight",
    "prepare",
    "presets",
    "shortcuts",
    "simulate",
    "steps",
    "train",
)


@pytest.fixture
def compared(opened: Window, until: Until) -> Window:
    """A window with two results."""
    session = opened.session
    for epochs in (2, 1):
        assert session.current is not None
        session.edit(session.current.job.with_value("solver.epochs", epochs))
        session.start()
        until(lambda: session.running is None)
    return opened


@pytest.mark.parametrize("scale", [1.0, LARGER_FONT])
def test_every_dialog_can_be_read(compared: Window, qtbot: QtBot, until: Until, scale: float) -> None:
    plain = QApplication.font()
    larger = QApplication.font()
    larger.setPointSizeF(plain.pointSizeF() * scale)
    QApplication.setFont(larger)
    compared.resize(*SMALL)
    found = []
    for name in DIALOGS:
        action = compared.actions_by_id[name]
        assert action.isEnabled(), (name, action.toolTip())
        action.trigger()
        until(lambda: compared.session.tasks.waiting == 0)
        qtbot.wait(50)
        dialog = next(d for d in compared.findChildren(QDialog) if d.isVisible())
        if dialog.width() > SMALL[0] or dialog.height() > SMALL[1]:
            found.append(f"{name} takes {dialog.width()} × {dialog.height()}")
        found += [f"{name}: {said}" for said in misfits(dialog)]
        for area in dialog.findChildren(QScrollArea):
            bar = area.verticalScrollBar()
            assert bar is not None
            bar.setValue(bar.maximum())
        found += [f"{name}, further down: {said}" for said in misfits(dialog)]
        dialog.reject()
        dialog.deleteLater()
    QApplication.setFont(plain)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("scale", [1.0, LARGER_FONT])
def test_the_start_page_can_be_read(window: Window, qtbot: QtBot, scale: float) -> None:
    plain, larger = QApplication.font(), QApplication.font()
    larger.setPointSizeF(plain.pointSizeF() * scale)
    QApplication.setFont(larger)
    window.resize(*SMALL)
    qtbot.wait(50)
    found = misfits(window)
    QApplication.setFont(plain)
    assert not found, "\n".join(found)
