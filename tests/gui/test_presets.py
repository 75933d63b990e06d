"""Presets in the window: each sets the job of the open file, and can be undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from ptychogui.gui.forms import JobForm
from ptychogui.gui.session import Session
from ptychogui.presets import PRESETS

Until = Callable[[Callable[[], object]], None]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_applied_and_undone(name: str, session: Session, qtbot: QtBot, scan: Path, until: Until) -> None:
    session.open(str(scan))
    until(lambda: session.current is not None)
    assert session.current is not None
    session.edit(session.current.job.with_value("solver", {"kind": "epie", "epochs": 7}))
    before = session.current.job
    form = JobForm(before)
    qtbot.addWidget(form)
    form.preset_wanted.connect(session.use_preset)
    button = form.findChild(QToolButton, "presets")
    assert button is not None
    menu = button.menu()
    assert menu is not None
    action = next(action for action in menu.actions() if action.text() == name)
    assert action.toolTip() != name
    action.trigger()
    assert session.current.job == PRESETS[name].apply(before) != before
    assert session.undo.undoText() == f"preset '{name}'"
    session.undo.undo()
    assert session.current.job == before
    form.set_running(True)
    assert not button.isEnabled()
