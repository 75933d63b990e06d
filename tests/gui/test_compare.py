"""Two results on one grid, and the dialog that shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from pytestqt.qtbot import QtBot
from worlds import object_at

from ptychogui.comparison import compare, comparisons
from ptychogui.geometry import Geometry
from ptychogui.gui.compare import CompareDialog
from ptychogui.gui.opened import Opened, Run
from ptychogui.gui.session import Session
from ptychogui.job import Job
from ptychogui.params import InputError
from ptychogui.types import Object, Probe, Result, Scan

Until = Callable[[Callable[[], object]], None]
PIXEL_M = (2e-8, 3e-8)


def result(shift_px: tuple[float, float] = (0.0, 0.0), scale: complex = 1, ramp: float = 0.0, wider: int = 1) -> Result:
    """An object of plane waves at places that are moved by a fraction of a pixel, with a ramp and a factor."""
    y, x = np.arange(90.0 * wider)[:, None], np.arange(110.0 * wider)[None, :]
    values = scale * object_at(y - shift_px[0], x - shift_px[1]) * np.exp(1j * ramp * (y - 0.4 * x))
    places = np.stack(np.meshgrid(np.linspace(20, 66, 9), np.linspace(25, 80, 8), indexing="ij"), -1).reshape(-1, 2)
    places = places * wider
    origin_m = (-3e-7, 5e-7)
    obj = Object(values[None].astype(np.complex64), PIXEL_M, origin_m)
    positions_m = places * PIXEL_M + origin_m
    return Result(
        obj,
        Probe(np.ones((1, 24, 20), np.complex64), PIXEL_M),
        Scan(positions_m),
        positions_m,
        Geometry((24, 20), 1e-10, 2.0, (80e-6, 60e-6)),
        np.array([0.3, 0.1], np.float32),
        {"r_factor": 0.1},
        Job().toml(),
        {},
    )


def test_what_no_measurement_can_tell_is_no_difference() -> None:
    found = compare(result(), result((0.4, -0.3), 0.7 * np.exp(1.1j), 0.02))
    assert found.nrmse < 0.01
    assert found.ssim_phase > 0.999
    assert np.abs(found.phase_difference[found.support]).max() < 0.05


@pytest.mark.parametrize(("shift", "ramp"), [((0.4, -0.3), 0.02), ((13.3, -8.6), 0.0), ((2.6, 5.3), -0.5)])
def test_large_pictures_are_aligned_as_well(shift: tuple[float, float], ramp: float) -> None:
    found = compare(result(wider=8), result(shift, 0.7 * np.exp(1.1j), ramp, wider=8))
    assert max(found.first.shape) > 400
    assert found.nrmse < 0.002
    assert found.ssim_amplitude > 0.9999
    assert np.abs(found.phase_difference[found.support]).max() < 0.01


def test_a_comparison_comes_in_steps() -> None:
    rough, aligned, whole = comparisons(result(), result((0.4, -0.3), 0.7 * np.exp(1.1j), 0.02))
    assert not rough.aligned
    assert aligned.aligned
    assert np.isnan(aligned.nrmse)
    assert np.isfinite(whole.nrmse)
    errors = [float(np.abs(each.second - each.first)[each.support].mean()) for each in (rough, aligned)]
    assert errors[1] < 0.1 * errors[0] < 0.1
    assert np.array_equal(whole.second, aligned.second)


def test_what_is_different_is_told() -> None:
    first, second = result(), result((0.4, -0.3))
    second.obj.slices[0, 40:50, 50:58] *= np.exp(0.8j)
    found = compare(first, second)
    assert found.nrmse > 0.03
    rows, columns = np.nonzero((found.phase_difference > 0.5) & found.support)
    at_y = found.origin_m[0] + rows.mean() * found.pixel_m[0]
    at_x = found.origin_m[1] + columns.mean() * found.pixel_m[1]
    assert at_y == pytest.approx(first.obj.origin_m[0] + 44.5 * PIXEL_M[0], abs=PIXEL_M[0])
    assert at_x == pytest.approx(first.obj.origin_m[1] + 53.5 * PIXEL_M[1], abs=PIXEL_M[1])


def test_coarser_pixels_are_compared_on_those_of_the_first() -> None:
    fine = result()
    slices = fine.obj.slices[:, :, :108].reshape(1, 45, 2, 54, 2).mean((2, 4))
    pixel_m, origin_m = (
        (2 * PIXEL_M[0], 2 * PIXEL_M[1]),
        tuple(o + p / 2 for o, p in zip(fine.obj.origin_m, PIXEL_M, strict=True)),
    )
    coarse = replace(fine, obj=Object(slices.astype(np.complex64), pixel_m, origin_m))
    assert compare(fine, coarse).nrmse < 0.06


def test_other_places_and_other_pixels_are_refused() -> None:
    first = result()
    away = replace(first, obj=replace(first.obj, origin_m=(1.0, 1.0)), scan=Scan(first.scan.positions_m[:5] + 1.0))
    with pytest.raises(InputError, match="different places"):
        compare(first, away)
    with pytest.raises(InputError, match="differ by a factor"):
        compare(first, replace(first, obj=replace(first.obj, pixel_m=(2e-7, 3e-7)), scan=Scan(np.zeros((1, 2)))))


@pytest.fixture
def dialog(session: Session, qtbot: QtBot, until: Until) -> CompareDialog:
    from ptychogui.gui.app import application

    application()
    first, second = result(), result((0.4, -0.3), 0.7 * np.exp(1.1j), 0.02)
    opened = Opened("scan.cxi", Job())
    opened.runs = [
        Run("Run 1 · adam", Job(), "finished", 1, result=first, saved=Path("kept.h5")),
        Run("Run 2 · rpie", Job().with_value("solver.kind", "rpie"), "finished", 2, result=second, saved=Path("k.h5")),
        Run("Run 3 · adam", Job(), "queued, next", 3),
    ]
    session.opened.append(opened)
    session.select(opened, opened.runs[1])
    dialog = CompareDialog(session)
    qtbot.addWidget(dialog)
    dialog.show()
    until(lambda: "NRMSE" in dialog.said.text())
    return dialog


def test_the_selected_run_is_compared_with_the_one_before(dialog: CompareDialog) -> None:
    assert (dialog.first.currentText(), dialog.second.currentText()) == ("Run 1 · adam", "Run 2 · rpie")
    assert dialog.view.left.picture is not None
    assert dialog.view.right.picture is not None
    shown = [dialog.table.item(row, 0).text() for row in range(dialog.table.rowCount())]
    assert "solver.kind" in shown
    assert "seed" not in shown


def test_swipe_shows_both_sides_of_the_line(dialog: CompareDialog, qtbot: QtBot) -> None:
    qtbot.mouseClick(dialog.view.buttons["swipe"], Qt.MouseButton.LeftButton)
    before = dialog.view.left.picture.values.copy()
    low, high = dialog.view.left.picture.rect.left(), dialog.view.left.picture.rect.right()
    dialog.view.line.setValue(high)
    first = dialog.view.left.picture.values.copy()
    dialog.view.line.setValue(low)
    second = dialog.view.left.picture.values.copy()
    columns = before.shape[1]
    assert np.array_equal(before[:, : columns // 2 - 1], first[:, : columns // 2 - 1])
    assert np.array_equal(before[:, columns // 2 + 1 :], second[:, columns // 2 + 1 :])
    assert not np.array_equal(first, second)


def test_blink_turns_and_is_held_by_the_space_bar(dialog: CompareDialog, qtbot: QtBot, until: Until) -> None:
    qtbot.mouseClick(dialog.view.buttons["blink"], Qt.MouseButton.LeftButton)
    title = dialog.view.titles[0]
    assert title.text() == "Run 1 · adam"
    until(lambda: title.text() == "Run 2 · rpie")
    dialog.view.setFocus()
    qtbot.keyClick(dialog.view, Qt.Key.Key_Space)
    assert not dialog.view._blink.isActive()


def test_difference_and_quantities(dialog: CompareDialog, qtbot: QtBot) -> None:
    qtbot.mouseClick(dialog.view.buttons["difference"], Qt.MouseButton.LeftButton)
    for number in range(dialog.view.quantity.count()):
        dialog.view.quantity.setCurrentIndex(number)
        picture = dialog.view.left.picture
        assert np.abs(picture.values).max() < 1
        assert np.iscomplexobj(picture.values) == (number == 2)


def test_other_runs_may_be_chosen_at_any_time(dialog: CompareDialog, session: Session, until: Until) -> None:
    assert session.current is not None
    larger = replace(result(), scan=Scan(result().scan.positions_m[:40]))
    session.current.runs.append(Run("Run 4", Job(), "finished", 4, result=larger))
    session.tree_changed.emit()
    dialog.second.setCurrentIndex(3)
    dialog.first.setCurrentIndex(1)
    dialog.first.setCurrentIndex(0)
    assert "Bringing" in dialog.said.text()
    until(lambda: "NRMSE" in dialog.said.text())
    assert dialog.view.titles[1].text() == "Run 4"


def test_a_run_that_is_removed_gives_way_to_another(dialog: CompareDialog, session: Session, until: Until) -> None:
    assert session.current is not None
    session.current.runs.append(Run("Run 4", Job(), "finished", 4, result=result((1.3, 0.2))))
    session.tree_changed.emit()
    session.remove(session.current, session.current.runs[1])
    assert (dialog.first.currentText(), dialog.second.currentText()) == ("Run 1 · adam", "Run 4")
    until(lambda: "NRMSE" in dialog.said.text())


def test_a_run_without_a_result_says_so_and_its_parameters_are_shown(dialog: CompareDialog) -> None:
    dialog.second.setCurrentIndex(2)
    assert "no result yet" in dialog.said.text()
    assert dialog.table.item(0, 0).text() == "These two runs have the same parameters."
    dialog.swap.click()
    assert dialog.first.currentText() == "Run 3 · adam"


def test_closing_ends_what_is_being_compared(dialog: CompareDialog, session: Session, until: Until) -> None:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)  # the fixture does
    shown: list[bool] = []
    first, second = result(wider=8), result((1.4, -0.3), wider=8)
    assert session.current is not None
    session.current.runs += [Run("Run 4", Job(), "", 4, result=first), Run("Run 5", Job(), "", 5, result=second)]
    session.tree_changed.emit()
    dialog.first.setCurrentIndex(3)
    dialog.second.setCurrentIndex(4)
    work = dialog._work
    work.changed.connect(lambda: shown.append(work.item is not None and work.item.aligned))
    work.changed.connect(dialog.reject)
    until(lambda: session.tasks.waiting == 0)
    assert not shown[0]  # the first picture, before they are aligned
    assert not work.running
    assert work.item is not None
    assert np.isnan(work.item.nrmse)
