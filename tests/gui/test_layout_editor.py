"""The editor of scan layouts and the simulation, by mouse and keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QMessageBox, QPushButton, QWidget

from ptychogui.gui.layout_editor import NO_PROBE, LayoutEditor
from ptychogui.gui.layout_plan import plan_of_file
from ptychogui.gui.layout_points import NO_FRAME, places
from ptychogui.gui.opened import Opened
from ptychogui.gui.simulate_dialog import SimulateDialog
from ptychogui.gui.window import Window
from ptychogui.io.data import Data
from ptychogui.io.reading import read
from ptychogui.job import Job
from ptychogui.layout import Listed
from ptychogui.layout.concentric import Concentric
from ptychogui.layout.fermat import Fermat

Until = Callable[[Callable[[], object]], None]
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def editor(window: Window, scan: Path, until: Until) -> LayoutEditor:
    window.open_path(str(scan))
    until(lambda: window.session.current and window.session.current.preview and window.session.current.preview.complete)
    window.actions_by_id["layout"].trigger()
    editor = window.findChild(LayoutEditor)
    assert editor is not None
    until(lambda: editor.panel.exposure.probe_m is not None)
    QTest.qWait(50)
    return editor


def on_screen(editor: LayoutEditor, place_m: np.ndarray) -> QPoint:
    """Where a place on the sample lies in the viewport of the plot."""
    picture = editor.picture
    y, x = place_m / picture.unit.unit_si
    return picture.plot.mapFromScene(picture.box.mapViewToScene(QPointF(x, y)))


def press(editor: QWidget, name: str) -> None:
    pressed = editor.findChild(QPushButton, name)
    assert pressed is not None
    assert pressed.isEnabled(), pressed.toolTip()
    pressed.click()


def drag(editor: LayoutEditor, places: list[QPoint]) -> None:
    viewport = editor.picture.plot.viewport()
    QTest.mousePress(viewport, LEFT, pos=places[0])
    for place in places[1:]:
        QTest.mouseMove(viewport, place)
    QTest.mouseRelease(viewport, LEFT, pos=places[-1])


def test_points_are_moved_deleted_added_and_used(editor: LayoutEditor, window: Window, until: Until) -> None:
    points, opened = editor.points, window.session.current
    assert opened is not None
    assert opened.dataset is not None
    before, job = opened.dataset.scan.positions_m.copy(), opened.job
    viewport = editor.picture.plot.viewport()
    lowest = int(before[:, 0].argmin())
    start = on_screen(editor, before[lowest])
    drag(editor, [start, start + QPoint(6, 3), start + QPoint(15, 9)])
    moved = points.now.positions_m[lowest] - before[lowest]
    assert (moved > 0).all()
    assert list(np.flatnonzero(points.now.selected)) == [lowest]
    far = int(before[:, 0].argmax())
    QTest.mouseClick(viewport, LEFT, pos=on_screen(editor, before[far]))
    assert list(np.flatnonzero(points.now.selected)) == [far]
    QTest.keyClick(editor, Qt.Key.Key_Delete)
    assert far not in points.now.frames
    QTest.keyClick(editor, Qt.Key.Key_A)
    corner = np.array([before[:, 0].max(), before[:, 1].min()])
    QTest.mouseClick(viewport, LEFT, pos=on_screen(editor, corner))
    assert points.now.frames[-1] == far, "the frame that has no point is the one of the new point"
    assert points.now.positions_m[-1] == pytest.approx(corner, abs=np.ptp(before) / 100)
    points.undo.undo()
    assert "29 points" in editor.pairing.text()
    press(editor, "layout_use_1")
    until(lambda: opened.job != job and not opened.reading)
    assert opened.job.data.exclude == (far,)
    assert Path(opened.job.data.positions or "").parent == Path(opened.path).parent
    kept = np.delete(before, far, 0)
    kept[lowest if lowest < far else lowest - 1] += moved
    assert np.array_equal(opened.dataset.scan.positions_m, kept)
    window.session.undo.undo()
    until(lambda: not opened.reading)
    assert opened.job == job
    assert np.array_equal(opened.dataset.scan.positions_m, before)


def test_no_table_stays_that_nothing_leads_to(editor: LayoutEditor, window: Window, until: Until) -> None:
    session = window.session
    opened = session.current
    assert opened is not None

    def use() -> Path:
        moved = window.layouts.edit()
        moved.points.put(replace(moved.points.now, positions_m=1.01 * moved.points.now.positions_m), "scaling")
        before = opened.job.data.positions
        press(moved, "layout_use_1")
        until(lambda: opened.job.data.positions != before and session.tasks.waiting == 0)
        return Path(opened.job.data.positions or "")

    first = use()
    session.undo.undo()
    until(lambda: session.tasks.waiting == 0)
    assert first.exists()  # redo needs it
    session.edit(opened.job.with_value("seed", 4))
    until(lambda: not first.exists() and session.tasks.waiting == 0)
    second = use()
    session.save_parameters(opened.job, str(second.with_name("kept.toml")))
    session.undo.undo()
    session.edit(opened.job.with_value("seed", 5))
    third = use()
    window.projects.write(third.with_name("one.ptychoproj"))
    until(lambda: session.tasks.waiting == 0)
    session.undo.undo()
    session.edit(opened.job.with_value("seed", 6))
    until(lambda: session.tasks.waiting == 0)
    assert third.exists()  # the project names it
    window.projects.write(third.with_name("one.ptychoproj"))
    until(lambda: not third.exists() and session.tasks.waiting == 0)
    fourth = use()
    session.undo.undo()
    until(lambda: session.tasks.waiting == 0)
    assert fourth.exists()
    window.leave()
    assert not fourth.exists()
    assert second.exists()  # a file with parameters names it


def test_points_are_selected_by_rectangle_lasso_list_and_keys(editor: LayoutEditor) -> None:
    points, positions = editor.points, editor.points.now.positions_m
    low, high = positions.min(0), positions.max(0)
    step = (high - low) * 0.04
    corners = [on_screen(editor, p) for p in (low - step, (low + high) / 2, np.array([high[0] + step[0], 0]))]
    drag(editor, corners)
    wanted = (positions[:, 1] < 0.02 * step[1]) & (positions[:, 1] > low[1] - step[1])
    assert np.array_equal(points.now.selected, wanted)
    editor.findChild(type(editor._tools.button(1)), "tool_lasso").click()
    middle, size = (low + high) / 2, high - low
    angles = np.linspace(0, 2 * np.pi, 24)
    ring = [middle + 0.25 * size * (np.sin(a), np.cos(a)) for a in angles]
    drag(editor, [on_screen(editor, p) for p in ring])
    inside = np.hypot(*((positions - middle) / (0.25 * size)).T) < 1
    assert (points.now.selected == inside).mean() > 0.95
    editor.table.selectRow(4)
    assert list(np.flatnonzero(points.now.selected)) == [4]
    QTest.keyClick(editor, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert points.now.selected.all()
    assert len(editor.table.selectionModel().selectedRows()) == len(points.now)


def test_patterns_are_drawn_and_followed(editor: LayoutEditor) -> None:
    figures = editor.figures.text()
    press(editor, "draw_pattern")
    assert isinstance(editor.points.layout, Fermat)
    form = editor.panel.pattern
    kind = next(row for row in form.rows() if row.choice.union)
    kind.edit.setCurrentText("concentric")
    kind.edit.activated.emit(kind.edit.currentIndex())
    assert isinstance(editor.points.layout, Concentric)
    QTest.qWait(20)
    assert editor.figures.text() != figures
    assert "overlap" in editor.figures.text()
    count = len(editor.points.now)
    press(editor, "add_pattern")
    assert len(editor.points.now) == 2 * count
    assert isinstance(editor.points.layout, Listed)
    width = np.ptp(editor.points.now.positions_m, axis=0)
    row = next(row for row in editor.panel.map.rows() if row.choice.name == "scale")
    row.edit.selectAll()
    QTest.keyClicks(row.edit, "2, 1")
    press(editor, "map_points")
    assert np.ptp(editor.points.now.positions_m, axis=0) == pytest.approx(width * (2, 1))
    while editor.points.undo.canUndo():
        editor.points.undo.undo()
    assert editor.points.undo.isClean()


def test_tables_come_in_by_order_number_and_name(editor: LayoutEditor, tmp_path: Path, until: Until) -> None:
    out = tmp_path / "points.csv"
    before = editor.points.now
    editor.files.write(str(out))
    until(lambda: editor.files.note.text().startswith("Written"))
    editor.files.read(str(out))
    until(editor.points.undo.canUndo)
    assert editor.points.now.positions_m == pytest.approx(before.positions_m, abs=1e-15)
    assert np.array_equal(editor.points.now.frames, before.frames)
    out.write_text("frame,x_nm,y_nm\n7,10,20\n3,30,40\n99,50,60\n")
    editor.files.read(str(out))
    until(lambda: len(editor.points.now) == 3)
    assert list(editor.points.now.frames) == [7, 3, NO_FRAME]
    assert editor.points.now.positions_m[1] == pytest.approx([40e-9, 30e-9])
    assert "1 have no frame" in editor.pairing.text()
    out.write_text("file,x_nm,y_nm\nshot_0012.tif,10,20\nshot_0004.tif,30,40\n")
    editor.files.read(str(out))
    until(lambda: len(editor.points.now) == 2)
    assert list(editor.points.now.frames) == [12, 4]
    out.write_text("no numbers here\n")
    editor.files.read(str(out))
    until(lambda: "no rows of numbers" in editor.files.note.text())


@pytest.mark.parametrize("crop", [None, 16])
def test_pixels_in_tables_are_those_of_whole_frames(tmp_path: Path, crop: int | None) -> None:
    places = np.random.default_rng(1).uniform(0, 40, (9, 2))
    np.savez(tmp_path / "scan.npz", data=np.random.default_rng(2).poisson(9.0, (9, 24, 32)), scan=places)
    data = Data(path=str(tmp_path / "scan.npz"), crop=crop, zero_frequency="centre", positions_unit="px")
    dataset = read(data)
    plan = plan_of_file(Opened(data.path, Job(data=data), dataset), None, None)
    assert plan is not None
    assert not plan.calibrated
    assert places * plan.table_pixel == pytest.approx(dataset.scan.positions_m)
    assert list(plan.frames) == list(range(9))


def test_points_are_made_and_placed_by_keys(editor: LayoutEditor) -> None:
    count = len(editor.points.now)
    QTest.keyClick(editor, Qt.Key.Key_Insert)
    assert editor.points.now.positions_m[-1] == pytest.approx(editor.points.middle_m)
    assert list(np.flatnonzero(editor.points.now.selected)) == [count]
    model = editor.table.model()
    assert model.setData(model.index(2, 1), "0.25")
    assert editor.points.now.positions_m[2, 0] == pytest.approx(0.25 * editor.picture.unit.unit_si)
    assert not model.setData(model.index(2, 1), "here")


def test_closing_asks_where_changes_would_be_lost(editor: LayoutEditor) -> None:
    editor.points.add(0.0, 0.0)
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    box = editor.findChild(QMessageBox)
    assert box is not None
    next(b for b in box.buttons() if b.text() == "Discard the changes").click()
    assert not editor.isVisible()


def test_a_layout_is_simulated_and_opened(window: Window, tmp_path: Path, until: Until) -> None:
    window.actions_by_id["simulate"].trigger()
    dialog = window.findChild(SimulateDialog)
    assert dialog is not None
    small = dialog.recipe.with_value("shape", [24, 32]).with_value("probe_px", 8.0)
    dialog.form.set_params(dialog.form.params.model_copy(update={"recipe": small}))
    dialog.edit_layout()
    until(lambda: dialog.findChild(LayoutEditor) is not None)
    editor = dialog.findChild(LayoutEditor)
    assert editor is not None
    assert "overlap" in editor.figures.text()
    assert "dose" in editor.figures.text()
    editor.points.select(np.arange(20, len(editor.points.now)))
    editor.points.delete_selected()
    press(editor, "layout_use_0")
    assert isinstance(dialog.recipe.scan, Listed)
    assert "20 points" in dialog.layout_line.text()
    points = dialog.recipe.scan.points_m()
    dialog.simulate(str(tmp_path / "planned.cxi"))
    until(lambda: window.session.current is not None and window.session.current.dataset is not None)
    assert window.session.current is not None
    assert window.session.current.dataset is not None
    assert window.session.current.dataset.scan.positions_m == pytest.approx(points, abs=1e-15)
    window.session.edit(window.session.current.job.with_value("solver.epochs", 1))
    window.actions_by_id["run"].trigger()
    until(lambda: window.session.running is None)
    assert window.session.current_run is not None
    assert window.session.current_run.result is not None
    window.actions_by_id["layout"].trigger()
    over = window.layouts.edit()
    until(lambda: over.over.currentText() == "Object phase")
    frames, found = over.plan.frames, window.session.current_run.result.scan.positions_m
    start, end = over.points.beside(frames[::-1], found[::-1])
    assert np.array_equal(start, over.points.now.positions_m)
    assert np.array_equal(end, found)
    over.points.select(np.array([2]))
    over.points.delete_selected()
    assert over.picture.drift_lines() is None, "one epoch moves no positions"
    moved = found + 0.01 * np.random.default_rng(0).normal(size=found.shape) * over.plan.pixel_m
    over.picture.refined = frames, moved
    over.drift.setChecked(True)
    assert len(over.picture._drift.getData()[0]) == 2 * (len(found) - 1)
    lines = over.picture.drift_lines()
    assert lines is not None
    assert lines[1] == 100
    press(over, "take_refined")
    assert np.array_equal(over.points.now.positions_m, np.delete(found, 2, 0))
    over.leave()


@pytest.mark.parametrize("way", ["button", "escape", "close"])
def test_a_simulation_is_cancelled_and_leaves_nothing(window: Window, tmp_path: Path, until: Until, way: str) -> None:
    window.actions_by_id["simulate"].trigger()
    dialog = window.findChild(SimulateDialog)
    assert dialog is not None
    long = dialog.recipe.with_value("shape", [64, 80]).with_value("probe_px", 20.0).with_value("frames", 900)
    dialog.form.set_params(dialog.form.params.model_copy(update={"recipe": long}))
    path, before = tmp_path / "long.cxi", sorted(tmp_path.iterdir())
    dialog.simulate(str(path))
    stream = dialog.stream
    until(lambda: dialog.progress.value() > 0)
    if way == "button":
        press(dialog, "stop_simulation")
    elif way == "escape":
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
        assert dialog.isVisible()
    else:
        dialog.close()
    until(lambda: not stream.running)
    assert (stream.item or 0) < 1
    assert sorted(tmp_path.iterdir()) == before
    assert not window.session.opened
    if way != "close":
        assert "cancelled" in dialog.problem.text()
        assert dialog.start_button.isVisible()
        dialog.close()


def test_a_plan_without_a_file_goes_into_the_simulation(window: Window) -> None:
    window.actions_by_id["layout"].trigger()
    editor = window.findChild(LayoutEditor)
    assert editor is not None
    press(editor, "layout_use_0")
    dialog = window.findChild(SimulateDialog)
    assert dialog is not None
    assert isinstance(dialog.recipe.scan, Fermat)
    dialog.simulate("/nowhere/there/scan.cxi")
    QTest.qWait(10)
    editor.leave()


def test_a_plan_is_seen_before_the_probe_is_known(window: Window, until: Until) -> None:
    window.actions_by_id["layout"].trigger()
    editor = window.findChild(LayoutEditor)
    assert editor is not None
    spots = editor.picture._spots[0]
    until(lambda: len(spots.data) == len(editor.points.now))
    assert editor.panel.exposure.probe_m is None
    assert editor.picture._readout.text() == NO_PROBE
    editor.points.put(places(np.array([[0.0, -0.0], [1e-6, 2e-6]])), "draw")
    assert editor.table.model().index(0, 2).data() == "0"  # type: ignore[union-attr]
