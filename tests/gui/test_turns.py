"""Many views are drawn one after the other, each once, and what is large is made beside the window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pytestqt.qtbot import QtBot
from test_views import Case
from test_views_object import drawn

from ptychogui.gui.views.base import View
from ptychogui.gui.views.objects import AT_ONCE_PX, ObjectView
from ptychogui.gui.views.shown_object import shown_object
from ptychogui.gui.views.turns import Turns
from ptychogui.types import Object


class Counting(View):
    """Notes when it is drawn."""

    drawings: list[View]

    def draw(self) -> None:
        self.drawings.append(self)

    def fit(self) -> None:
        """Nothing to fit."""


def test_views_are_drawn_in_turn_and_each_once(qtbot: QtBot) -> None:
    case, turns, drawings = Case(), Turns(), []
    views = [Counting() for _ in range(3)]
    for view in views:
        view.drawings, view.turns = drawings, turns
        qtbot.addWidget(view)
        view.show()
        view.show_dataset(case.dataset, case.preview)
        view.show_snapshot(case.snapshot)
    assert not drawings
    views[2].draw_if_seen()
    qtbot.waitUntil(lambda: not turns.waiting)
    assert drawings == [views[2], views[0], views[1]]


def test_a_view_that_is_gone_leaves_the_turn_to_others(qtbot: QtBot) -> None:
    case, turns, drawings = Case(), Turns(), []
    gone, left = Counting(), Counting()
    qtbot.addWidget(left)
    for view in (gone, left):
        view.drawings, view.turns = drawings, turns
        view.show()
        view.show_snapshot(case.snapshot)
    gone.deleteLater()
    qtbot.waitUntil(lambda: bool(drawings))
    assert drawings == [left]


def test_a_large_object_is_made_beside_the_window_once_for_all_views(qtbot: QtBot) -> None:
    case = Case()
    side = int(AT_ONCE_PX**0.5)
    wave = np.exp(1j * np.linspace(0, 5, side * (side + 40))).reshape(side, side + 40).astype(np.complex64)
    large = replace(case.result, obj=Object(wave[None], case.result.obj.pixel_m, case.result.obj.origin_m))
    for mode in ("phase", "complex"):
        view = ObjectView(mode)
        qtbot.addWidget(view)
        view.show()
        view.show_result(large)
        assert view.panel.picture is None
        drawn(qtbot, view)
        picture = view.panel.picture
        assert picture is not None
        assert picture.painted is not None
        bare = replace(picture, painted=None)
        np.testing.assert_array_equal(view.panel.seen()[0], bare.pixels(picture.painted.levels, picture.painted.map))
    assert shown_object(large, None) is shown_object(large, None)


def test_a_range_that_the_user_chose_is_painted_beside_the_window_too(qtbot: QtBot) -> None:
    case, view = Case(), ObjectView("amplitude")
    qtbot.addWidget(view)
    view.show()
    view.show_result(case.result)
    view.panel.toggle_histogram()
    view.panel._histogram._region.setRegion((0.2, 0.7))
    view.show_result(case.result)
    assert view.panel.picture is not None
    assert view.panel.picture.painted is not None
    assert view.panel.picture.painted.levels == (0.2, 0.7)
