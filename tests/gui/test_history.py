"""The film strip and its slider."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pytestqt.qtbot import QtBot
from test_compare import result

from ptychogui.gui.history_view import HistoryView


def test_the_strip_grows_and_says_which_state_is_wanted(qtbot: QtBot) -> None:
    view = HistoryView()
    qtbot.addWidget(view)
    view.resize(700, 180)
    view.show()
    assert view.hint.isVisible()
    assert not view.slider.isEnabled()
    states = [replace(result(), loss=np.full(n, 0.5, np.float32)) for n in (0, 1, 4)]
    view.show_iterates(states[:2], None, "")
    view.show_iterates(states, None, "")
    texts = [view.strip.item(i).text() for i in range(view.strip.count())]
    assert texts == ["start", "epoch 1", "epoch 4", "latest"]
    assert view.slider.value() == 3
    chosen: list[object] = []
    view.place_chosen.connect(chosen.append)
    view.slider.setValue(1)
    view.strip.setCurrentRow(0)
    view.slider.setValue(2)
    assert chosen == [1, 0, 2]
    view.show_iterates(states, 2, "")
    assert "epoch 4" in view.said.text()
    assert view.strip.currentRow() == 2
    assert len(view.findChildren(type(view.strip))) == 1


def test_another_run_has_another_strip_and_a_reason_greys_the_branch(qtbot: QtBot) -> None:
    view = HistoryView()
    qtbot.addWidget(view)
    view.show()
    view.show_iterates([result(), result()], 0, "")
    wanted: list[bool] = []
    view.branch_wanted.connect(lambda: wanted.append(True))
    view.branch.click()
    assert wanted
    view.show_iterates([result()], None, "The data of this result are not there")
    assert view.strip.count() == 2
    assert not view.branch.isEnabled()
    assert "not there" in view.branch.toolTip()


def test_a_finished_run_ends_with_its_picture(qtbot: QtBot) -> None:
    view, ended = HistoryView(), result()
    qtbot.addWidget(view)
    view.show()

    def latest() -> int:
        item = view.strip.item(view.strip.count() - 1)
        assert item is not None
        return item.icon().pixmap(72, 72).toImage().pixelColor(36, 36).alpha()

    view.show_iterates([ended], None, "")
    assert latest() == 0
    view.show_result(ended)
    assert latest() == 255
    view.show_iterates([ended], 0, "")
    assert latest() == 255
