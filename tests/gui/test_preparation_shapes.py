"""Painted shapes are chosen, moved, pulled and deleted with the mouse and by keys; each is one step of undo."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from preparation_bench import LEFT, Bench, Until, prepared
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from ptychogui.gui import shape_edits
from ptychogui.gui.session import Session
from ptychogui.io.shapes import AnyShape, Disc, Polygon, Rectangle, Stroke, painted

DISC = Disc(centre=(9, 11), radius_px=4)
BOX = Rectangle(corner=(30, 4), opposite=(36, 20))
KITE = Polygon(points=((22, 34), (30, 44), (34, 36), (28, 30)))
LINE = Stroke(points=((4, 28), (6, 34), (4, 44)), width_px=3)
SHAPES: tuple[AnyShape, ...] = (DISC, BOX, KITE, LINE)
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def bench(session: Session, scan: Path, until: Until) -> Iterator[Bench]:
    for bench in prepared(session, scan, until):
        bench.dialog.draft.set("painted mask", mask_shapes=SHAPES)
        bench.settle()
        assert bench.data.mask_shapes == SHAPES
        yield bench


def chosen(bench: Bench) -> int:
    return bench.dialog.painting.shapes.currentRow()


@pytest.mark.parametrize(("row", "inside"), [(0, (9, 10)), (1, (33, 12)), (2, (28, 36)), (3, (6, 34))])
def test_every_shape_is_moved_by_the_mouse_in_one_step(bench: Bench, row: int, inside: tuple[float, float]) -> None:
    edits = bench.session.undo.count()
    bench.drag(inside, (inside[0] + 2, inside[1] - 3))
    assert chosen(bench) == row
    shapes = bench.data.mask_shapes
    assert shapes[:row] + shapes[row + 1 :] == SHAPES[:row] + SHAPES[row + 1 :]
    before, after = (np.array(shape_edits.handles(shape)) for shape in (SHAPES[row], shapes[row]))
    assert after - before == pytest.approx(np.tile((2, -3), (len(before), 1)), abs=0.3)
    np.testing.assert_array_equal(bench.dataset.mask, painted(shapes, np.ones((40, 48), bool)))
    assert bench.session.undo.count() == edits + 1
    bench.undo()
    assert bench.data.mask_shapes == SHAPES


def test_handles_pull_a_disc_a_box_a_polygon_and_a_brush(bench: Bench) -> None:
    bench.tap(9, 10)
    bench.drag((9, 15), (9, 17))
    disc = bench.data.mask_shapes[0]
    assert (disc.centre, disc.radius_px) == ((9, 11), pytest.approx(6, abs=0.3))
    bench.tap(33, 12)
    bench.drag((36, 20), (38, 26))
    box = bench.data.mask_shapes[1]
    assert box.corner == (30, 4)
    assert box.opposite == pytest.approx((38, 26), abs=0.3)
    bench.drag((30, 15), (27, 10))  # an edge goes one way only
    assert bench.data.mask_shapes[1].corner == pytest.approx((27, 4), abs=0.3)
    assert bench.data.mask_shapes[1].opposite == box.opposite
    bench.tap(28, 36)
    bench.drag((34, 36), (37, 33))
    kite = bench.data.mask_shapes[2]
    assert kite.points[2] == pytest.approx((37, 33), abs=0.3)
    assert (kite.points[:2], kite.points[3]) == (KITE.points[:2], KITE.points[3])
    bench.tap(6, 34)
    rim = shape_edits.handles(LINE)[1]
    bench.drag(rim, (rim[0] + 2, rim[1]))
    assert bench.data.mask_shapes[3].width_px == pytest.approx(3 + 2 * 2 * 6 / math.hypot(2, 6), abs=0.6)
    for _ in range(5):
        bench.undo()
    assert bench.data.mask_shapes == SHAPES


def test_keys_move_resize_and_delete_what_is_chosen(bench: Bench) -> None:
    bench.tap(33, 12)
    edits = bench.session.undo.count()
    bench.key(Qt.Key.Key_Left)
    bench.key(Qt.Key.Key_Up, SHIFT)
    assert bench.data.mask_shapes[1] == Rectangle(corner=(20, 3), opposite=(26, 19))
    bench.key(Qt.Key.Key_Plus)
    assert bench.data.mask_shapes[1] == Rectangle(corner=(19, 2), opposite=(27, 20))
    for _ in range(9):
        bench.key(Qt.Key.Key_Minus)
    assert bench.data.mask_shapes[1] == Rectangle(corner=(22, 5), opposite=(24, 17)), "a side is not turned inside out"
    assert bench.session.undo.count() == edits + 6
    bench.key(Qt.Key.Key_Delete)
    bench.until(lambda: len(bench.dialog.draft.data.mask_shapes) == 3)  # the button is seen to go down first
    bench.settle()
    assert bench.data.mask_shapes == (DISC, KITE, LINE)
    np.testing.assert_array_equal(bench.dataset.mask, painted((DISC, KITE, LINE), np.ones((40, 48), bool)))
    for _ in range(7):
        bench.undo()
    assert bench.data.mask_shapes == SHAPES


def test_a_key_that_is_held_is_one_step(bench: Bench) -> None:
    bench.tap(9, 10)
    edits, plot = bench.session.undo.count(), bench.dialog.before.plot
    for _ in range(4):
        QTest.keyPress(plot, Qt.Key.Key_Right)
    bench.settle()
    assert bench.session.undo.count() == edits
    assert bench.dialog.draft.trial.data.mask_shapes[0].centre == (9, 15)
    QTest.keyRelease(plot, Qt.Key.Key_Right)
    bench.settle()
    assert bench.data.mask_shapes[0].centre == (9, 15)
    assert bench.session.undo.count() == edits + 1


def test_what_is_dragged_is_seen_at_once_and_escape_puts_it_back(bench: Bench) -> None:
    bench.shift([(9, 10), (10, 12), (14, 18)])
    bench.settle()
    assert bench.data.mask_shapes == SHAPES
    moved = bench.dialog.draft.trial.data.mask_shapes[0]
    assert moved.centre == pytest.approx((14, 19), abs=0.3)
    expected = painted((moved, *SHAPES[1:]), np.ones((40, 48), bool))
    np.testing.assert_array_equal(bench.dialog.draft.trial.used, expected)
    QTest.keyClick(bench.dialog, Qt.Key.Key_Escape)
    QTest.mouseRelease(bench.dialog.before.plot.viewport(), LEFT, pos=bench.point(14, 18))
    bench.settle()
    assert bench.dialog.isVisible()
    assert bench.data.mask_shapes == SHAPES
    assert bench.dialog.draft.trial.data.mask_shapes == SHAPES
    assert bench.dialog.before.marked == DISC


def test_a_click_goes_through_shapes_that_lie_over_each_other_and_beside_them_chooses_none(bench: Bench) -> None:
    over = Polygon(points=((28, 2), (38, 2), (38, 24), (28, 24)))
    bench.dialog.draft.set("painted mask", mask_shapes=(*SHAPES, over))
    bench.settle()
    bench.tap(33, 12)
    assert chosen(bench) == 4
    bench.tap(33, 12)
    assert chosen(bench) == 1
    bench.drag((33, 12), (34, 13))
    assert (bench.data.mask_shapes[1] != BOX, bench.data.mask_shapes[4]) == (True, over)
    bench.tap(16, 12)
    QTest.qWait(400)  # a click of the scene counts when it can be no double-click any more
    assert chosen(bench) == -1
    assert bench.dialog.before.marked is None


def test_shapes_are_moved_as_they_are_seen_in_a_turned_frame(bench: Bench) -> None:
    bench.click("turn_left")
    trial = bench.dialog.draft.trial
    y, x = trial.unflipped.turned_point(DISC.centre, trial.detector_shape)
    bench.drag((y, x), (y + 4, x))
    down = bench.data.mask_shapes[0]
    assert down.centre == pytest.approx((9, 7), abs=0.3), "turned left, what is down in the picture is left in the file"
    bench.key(Qt.Key.Key_Right)
    assert bench.data.mask_shapes[0].centre == pytest.approx((down.centre[0] + 1, down.centre[1]))


def test_what_covers_a_place_is_what_is_painted_there() -> None:
    places = [(y, x) for y in range(40) for x in range(48)]
    kite = Polygon(points=tuple((y + 0.3, x + 0.1) for y, x in KITE.points))  # no pixel lies on its sides
    for shape in (DISC, BOX, kite, LINE, Stroke(points=((20, 20),), width_px=5)):
        pixels = ~painted((shape,), np.ones((40, 48), bool))
        covered = np.array([shape_edits.covers(shape, place) for place in places]).reshape(40, 48)
        np.testing.assert_array_equal(covered, pixels)


def test_of_handles_that_are_close_together_the_nearest_is_taken(bench: Bench) -> None:
    bench.tap(33, 12)
    grips = bench.dialog.before.grips
    for number, place in enumerate(shape_edits.handles(BOX)):
        assert grips.handle_at(place, (9.0, 9.0)) == number
