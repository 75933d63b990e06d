"""Points that are dragged move as a whole, and are drawn anew when they are let go."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtTest import QTest

from ptychogui.gui.layout_editor import LayoutEditor
from ptychogui.gui.layout_picture import SELECTED
from ptychogui.gui.layout_points import places
from ptychogui.gui.window import Window

Until = Callable[[Callable[[], object]], None]
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def editor(window: Window) -> Iterator[LayoutEditor]:
    """The editor of a plan of 600 points, none of them in line with others, the probes hidden."""
    editor = window.layouts.edit()
    y, x = np.mgrid[:20, :30].reshape(2, -1)
    editor.points.put(places(np.stack([y + 0.2 * np.sin(x), 1.2 * x], 1) * 1e-7), "points")
    editor.over.setCurrentText("Nothing")
    editor.over.activated.emit(0)
    QTest.qWait(100)
    yield editor
    editor.leave()


def drawn_m(editor: LayoutEditor) -> np.ndarray:
    """Where the selected points are drawn."""
    spots, unit_m = editor.picture._spots[-1], editor.picture.unit.unit_si
    x, y = spots.getData()
    return np.stack([y + spots.pos().y(), x + spots.pos().x()], 1) * unit_m


def on_screen(editor: LayoutEditor, index: int) -> QPoint:
    picture = editor.picture
    y, x = editor.points.now.positions_m[index] / picture.unit.unit_si
    return picture.plot.mapFromScene(picture.box.mapViewToScene(QPointF(x, y)))


@pytest.mark.parametrize("chosen", ["one", "half", "all"])
def test_what_is_dragged_looks_as_it_will_when_it_is_let_go(editor: LayoutEditor, chosen: str) -> None:
    points, viewport = editor.points, editor.picture.plot.viewport()
    if chosen != "one":
        points.select(np.arange(0, 600, 2) if chosen == "half" else np.arange(600))
    before, at, figures = points.now.positions_m.copy(), on_screen(editor, 314), editor.figures.text()
    QTest.mousePress(viewport, LEFT, pos=at)
    for step in range(1, 8):
        QTest.mouseMove(viewport, at + QPoint(3 * step, -2 * step))
    QTest.qWait(30)
    now, count = points.now, {"one": 1, "half": 300, "all": 600}[chosen]
    assert int(now.selected.sum()) == count
    moved = (now.positions_m - before)[now.selected]
    assert moved == pytest.approx(np.tile(moved[0], (count, 1)), abs=1e-15)
    assert moved[0, 0] < 0 < moved[0, 1]
    assert drawn_m(editor) == pytest.approx(now.positions_m[now.selected], abs=1e-12)
    seen = editor.picture.plot.grab().toImage().pixelColor(on_screen(editor, 314))
    assert seen.name() == SELECTED, "what is held is seen under the pointer"
    assert not points.undo.undoText().startswith("move"), "nothing is kept while the button is down"
    QTest.mouseRelease(viewport, LEFT, pos=at + QPoint(21, -14))
    QTest.qWait(60)
    assert points.undo.undoText() == f"move {count} point{'s' if count > 1 else ''}"
    assert editor.picture._spots[-1].pos() == QPointF(0, 0)
    assert drawn_m(editor) == pytest.approx(now.positions_m[now.selected], abs=1e-12)
    if chosen == "half":
        assert editor.figures.text() != figures
    points.undo.undo()
    assert np.array_equal(points.now.positions_m, before)
    QTest.qWait(20)
    assert editor.picture._spots[-1].pos() == QPointF(0, 0)


def test_figures_follow_when_the_pointer_rests_and_escape_puts_the_points_back(
    editor: LayoutEditor, until: Until
) -> None:
    points, viewport, at = editor.points, editor.picture.plot.viewport(), on_screen(editor, 314)
    points.select(np.arange(0, 600, 2))
    figures, before = editor.figures.text(), points.now.positions_m.copy()
    QTest.mousePress(viewport, LEFT, pos=at)
    QTest.mouseMove(viewport, at + QPoint(9, 6))
    assert editor.figures.text() == figures
    until(lambda: editor.figures.text() != figures)
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    assert np.array_equal(points.now.positions_m, before)
    until(lambda: editor.figures.text() == figures)
    assert editor.picture._spots[-1].pos() == QPointF(0, 0)
    QTest.mouseRelease(viewport, LEFT, pos=at + QPoint(9, 6))
