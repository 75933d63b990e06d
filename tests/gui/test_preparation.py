"""The frames are prepared with the mouse and by fields; every step is part of the job, and is undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from preparation_bench import LEFT, Bench, Until, prepared
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QAbstractButton, QCheckBox, QComboBox, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from ptychogui import io
from ptychogui.gui.preparation_rows import Level, Number
from ptychogui.gui.preparation_steps import numbers_of, text_of_numbers
from ptychogui.gui.session import Session
from ptychogui.gui.views.diffraction import DiffractionView
from ptychogui.io.data import Data
from ptychogui.io.shapes import Disc, Polygon, Rectangle, Stroke, painted
from ptychogui.job import Job
from ptychogui.params import InputError


@pytest.fixture
def bench(session: Session, scan: Path, until: Until) -> Iterator[Bench]:
    yield from prepared(session, scan, until)


def test_what_is_shown_at_first(bench: Bench) -> None:
    trial = bench.dialog.draft.trial
    assert trial is not None
    mean = bench.dataset.frames[:].mean(0)
    np.testing.assert_allclose(trial.detector, mean, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(trial.prepared, mean, rtol=1e-4, atol=1e-3)
    assert "30 frames of 40 × 48" in bench.dialog.summary.text()
    assert bench.data == bench.original
    assert not bench.session.undo.canUndo()


def test_the_cross_is_dragged_to_the_beam_and_back_by_undo(bench: Bench) -> None:
    bench.drag((20, 24), (14, 30))
    assert bench.data.centre == pytest.approx((14, 30), abs=0.3)
    layout = bench.dataset.frames.layout
    assert layout.corner == (round(bench.data.centre[0]) - 20, round(bench.data.centre[1]) - 24)
    bench.undo()
    assert bench.data == bench.original
    bench.click("find_centre")
    assert bench.data.centre == pytest.approx((20, 24), abs=1.5)
    bench.click("auto_centre")
    assert bench.data.centre is None


def test_the_centre_is_a_place_of_the_file_however_the_picture_is_turned(bench: Bench) -> None:
    bench.click("turn_left")
    bench.drag((24, 20), (30, 14))
    y, x = 14.0, 47.0 - 30.0  # turned left, the columns of the file run upwards
    assert bench.data.centre == pytest.approx((y, x), abs=0.3)


def test_the_box_is_dragged_by_its_edges_and_corners(bench: Bench) -> None:
    bench.drag((-0.5, 15), (5.6, 15))
    assert bench.data.crop == (29, 48) or bench.data.crop == (28, 48)
    bench.drag((20, 47.5), (20, 35.6))
    assert bench.data.crop[1] in (23, 24)
    assert bench.dataset.frames.shape[1:] == bench.data.crop
    bench.click("turn_right")
    assert bench.data.crop[0] in (23, 24)
    bench.click("crop_whole")
    assert bench.data.crop is None
    for _ in range(4):
        bench.undo()
    assert bench.data == bench.original


def test_pixels_are_painted_taken_back_and_undone_until_nothing_is_left(bench: Bench, tmp_path: Path) -> None:
    frames = bench.dataset.frames[:]
    bench.click("tool_brush")
    bench.drag((30, 6), (34, 30))
    bench.click("tool_disc")
    bench.drag((20, 24), (20, 27))
    bench.click("tool_rectangle")
    bench.drag((2, 3), (8, 15))
    bench.find(QComboBox, "paint_mode").setCurrentIndex(1)
    bench.drag((4, 5), (6, 9))
    bench.find(QComboBox, "paint_mode").setCurrentIndex(0)
    bench.click("tool_polygon")
    viewport = bench.dialog.before.plot.viewport()
    for place in ((12, 36), (18, 44), (26, 38)):
        QTest.mouseClick(viewport, LEFT, pos=bench.point(*place))
    QTest.keyClick(bench.dialog, Qt.Key.Key_Return)
    bench.settle()
    shapes = bench.data.mask_shapes
    assert [type(shape) for shape in shapes] == [Stroke, Disc, Rectangle, Rectangle, Polygon]
    assert [shape.use for shape in shapes] == [False, False, False, True, False]
    assert shapes[0].points[0] == pytest.approx((30, 6), abs=0.2)
    assert shapes[1].radius_px == pytest.approx(3, abs=0.3)
    expected = painted(shapes, np.ones((40, 48), bool))
    np.testing.assert_array_equal(bench.dataset.mask, expected)
    job = Job.from_toml(bench.session.current.job.toml())
    np.testing.assert_array_equal(io.read(job.data).mask, expected)
    for left in range(4, -1, -1):
        bench.undo()
        assert len(bench.data.mask_shapes) == left
    assert bench.data == bench.original
    assert bench.dataset.mask.all()
    np.testing.assert_array_equal(bench.dataset.frames[:], frames)


def test_a_shape_is_chosen_in_the_list_and_deleted(bench: Bench) -> None:
    bench.click("beam_stop")
    assert bench.dialog.painting.shapes.currentRow() == 0
    bench.find(Number, "shape_size").setValue(5.5)
    bench.settle()
    assert bench.data.mask_shapes[0].radius_px == 5.5
    y, x = np.indices((40, 48))
    np.testing.assert_array_equal(bench.dataset.mask, np.hypot(y - 20, x - 24) > 5.5)
    bench.click("tool_disc")
    bench.drag((10, 10), (10, 14))
    bench.dialog.painting.shapes.setCurrentRow(0)
    assert bench.dialog.before.marked == bench.data.mask_shapes[0]
    bench.click("delete_shape")
    assert len(bench.data.mask_shapes) == 1
    assert bench.data.mask_shapes[0].centre == pytest.approx((10, 10), abs=0.2)
    bench.click("clear_shapes")
    assert bench.data.mask_shapes == ()
    assert not bench.find(Number, "shape_size").isVisible()


def test_escape_drops_what_is_painted_and_then_the_dialog(bench: Bench) -> None:
    bench.click("tool_polygon")
    viewport = bench.dialog.before.plot.viewport()
    for place in ((12, 36), (18, 44), (26, 38)):
        QTest.mouseClick(viewport, LEFT, pos=bench.point(*place))
    QTest.keyClick(bench.dialog, Qt.Key.Key_Escape)
    assert bench.dialog.isVisible()
    QTest.keyClick(bench.dialog, Qt.Key.Key_Return)
    assert bench.data.mask_shapes == ()
    QTest.keyClick(bench.dialog, Qt.Key.Key_Escape)
    assert not bench.dialog.isVisible()


def test_a_slider_shows_what_it_does_before_it_is_let_go(bench: Bench) -> None:
    level = bench.dialog.findChild(QCheckBox, "mask_below_on").parentWidget()
    assert isinstance(level, Level)
    level.switch.click()
    bench.settle()
    edits = bench.session.undo.count()
    level.slider.setSliderDown(True)
    level.slider.setValue(500)
    bench.settle()
    assert bench.session.undo.count() == edits
    trial = bench.dialog.draft.trial
    mean = bench.dialog.draft.look.seen.mean
    np.testing.assert_array_equal(trial.plan.out["below"], mean < level.value)
    assert f"{int(trial.plan.out['below'].sum())} pixels" in level.note.text()
    level.slider.setSliderDown(False)
    level.slider.sliderReleased.emit()
    bench.settle()
    assert bench.data.mask_below == pytest.approx(level.value)
    assert bench.session.undo.count() == edits + 1
    level.switch.click()
    bench.settle()
    assert bench.data.mask_below is None


def test_hot_pixels_saturation_and_normalisation(bench: Bench) -> None:
    bench.click("hot_pixels")
    assert bench.data.hot_pixels is False
    bench.find(Number, "saturation").parentWidget().switch.click()
    bench.find(Number, "saturation").setValue(50.0)
    bench.settle()
    assert bench.data.saturation == 50
    assert np.isnan(bench.dataset.frames[:]).any()
    assert "values in" in bench.dialog.findChild(QWidget, "saturation_note").text()
    box = bench.find(QComboBox, "normalisation")
    box.setCurrentIndex(box.findData("sum"))
    box.activated.emit(1)
    bench.settle()
    sums = np.nansum(bench.dataset.frames[:], (1, 2))
    np.testing.assert_allclose(sums, sums[0], rtol=1e-4)


def test_frames_are_left_out_by_number_and_as_outliers(bench: Bench) -> None:
    bench.type("exclude", "3, 7-9")
    assert bench.data.exclude == (3, 7, 8, 9)
    assert bench.dataset.frames.shape[0] == 26
    bench.find(Number, "outlier_sigma").setValue(1.5)
    outliers = bench.dialog.frames.outliers()
    totals = np.nansum(bench.dataset.frames[:], (1, 2), dtype=np.float64)
    spread = 1.4826 * np.median(np.abs(totals - np.median(totals)))
    odd = np.abs(totals - np.median(totals)) > 1.5 * spread
    assert outliers == tuple(bench.dataset.frames.numbers[odd])
    assert outliers
    bench.click("exclude_outliers")
    assert set(bench.data.exclude) == {3, 7, 8, 9, *outliers}


def test_dark_frames_come_from_a_file_or_from_the_scan(bench: Bench, tmp_path: Path) -> None:
    np.save(tmp_path / "dark.npy", np.full((2, 40, 48), 2.0))
    bench.find(QAbstractButton, "dark_choose").click()
    chooser = bench.dialog.findChild(QFileDialog)
    assert chooser is not None
    chooser.fileSelected.emit(str(tmp_path / "dark.npy"))
    chooser.reject()
    bench.settle()
    assert bench.data.dark == str(tmp_path / "dark.npy")
    bench.click("dark_clear")
    bench.type("dark_frames", "0-2")
    assert bench.data.dark_frames == (0, 1, 2)
    assert bench.dataset.frames.shape[0] == 27


def test_what_does_not_fit_is_said_and_is_no_part_of_the_job(bench: Bench) -> None:
    bench.dialog.crop.bin.setValue(16)
    bench.settle()
    assert "data.bin = 16" in bench.dialog.problem.text()
    assert bench.data == bench.original
    bench.dialog.crop.bin.setValue(2)
    bench.settle()
    assert not bench.dialog.problem.isVisible()
    assert bench.dataset.frames.shape[1:] == (20, 24)
    box = bench.find(QComboBox, "normalisation")
    box.setCurrentIndex(box.findData("monitor"))
    box.activated.emit(2)
    bench.settle()
    assert "no monitor" in bench.dialog.problem.text()
    assert bench.data.normalisation == "none"
    bench.click("preparation_reset")
    assert bench.data == bench.original


def test_the_brush_and_the_polygon_are_seen_under_the_pointer(bench: Bench) -> None:
    picture = bench.dialog.before
    viewport = picture.plot.viewport()
    bench.click("tool_brush")
    bench.dialog.width_box.setValue(8)
    bench.hover(12, 30)
    x, y = picture._pending.getData()
    assert (np.ptp(x), np.ptp(y)) == pytest.approx((8, 8), rel=0.01)
    bench.click("tool_polygon")
    for place in ((12, 36), (18, 44)):
        QTest.mouseClick(viewport, LEFT, pos=bench.point(*place))
    bench.hover(30, 20)
    assert len(picture._pending.getData()[0]) == 3


def test_the_views_and_their_switches(bench: Bench) -> None:
    dialog = bench.dialog
    for name, seen in (("before", (True, False)), ("after", (False, True)), ("both", (True, True))):
        dialog.view.setCurrentIndex(dialog.view.findData(name))
        assert (dialog.before.isVisible(), dialog.after.isVisible()) == seen
    bench.find(QCheckBox, "logarithmic").click()
    np.testing.assert_array_equal(dialog.before.picture.scaled, dialog.draft.trial.detector)
    dialog.view.setCurrentIndex(dialog.view.findData("after"))
    bench.click("tool_brush")
    assert dialog.before.isVisible()


def test_pixels_are_painted_where_they_are_seen_though_the_file_has_them_in_the_corner(
    bench: Bench, tmp_path: Path
) -> None:
    frames, session = bench.dataset.frames[:], bench.session
    np.savez(tmp_path / "corner.npz", data=np.fft.ifftshift(frames, axes=(1, 2)), zero_frequency="corner")
    session.open(str(tmp_path / "corner.npz"))
    bench.until(lambda: session.current.title == "corner.npz" and session.current.preview)
    bench.settle()
    np.testing.assert_allclose(bench.dialog.draft.trial.detector, frames.mean(0), rtol=1e-4, atol=1e-3)
    bench.click("mirror_x")
    bench.click("tool_rectangle")
    bench.drag((10.6, 5.6), (25.4, 12.4))
    expected = np.ones((40, 48), bool)
    expected[11:26, 6:13] = False
    np.testing.assert_array_equal(bench.dataset.mask, expected)


def test_a_run_sees_the_prepared_frames(bench: Bench) -> None:
    bench.click("tool_rectangle")
    bench.drag((2, 3), (8, 15))
    bench.dialog.crop.crop(32, 40, True)
    bench.settle()
    session = bench.session
    session.edit(session.current.job.with_value("solver.epochs", 2))
    session.start()
    bench.until(lambda: session.running is None)
    result = session.current.runs[-1].result
    assert result is not None
    assert result.probe.modes.shape[1:] == (32, 40)
    assert Job.from_toml(result.job).data.mask_shapes == bench.data.mask_shapes


def test_lists_of_frames_as_people_write_them() -> None:
    assert numbers_of("3, 17-20;5") == (3, 5, 17, 18, 19, 20)
    assert numbers_of("") == ()
    assert text_of_numbers((3, 5, 17, 18, 19, 20)) == "3, 5, 17-20"
    with pytest.raises(InputError, match="no number of a frame"):
        numbers_of("three")


def test_the_view_of_diffraction_forgets_frames_that_were_prepared_otherwise(bench: Bench, qtbot: QtBot) -> None:
    view = DiffractionView()
    qtbot.addWidget(view)
    view.show()
    opened = bench.session.current
    view.show_dataset(opened.dataset, opened.preview)
    bench.until(lambda: np.array_equal(view.measured.picture.values, opened.dataset.frames[0]))
    bench.dialog.crop.crop(32, 40, True)
    bench.settle()
    view.show_dataset(opened.dataset, opened.preview)
    bench.until(lambda: np.array_equal(view.measured.picture.values, opened.dataset.frames[0]))
    with qtbot.waitSignal(view.prepare_wanted):
        view.prepare.click()


def test_what_is_kept_beside_the_file_can_be_taken_back(session: Session, scan: Path, until: Until) -> None:
    io.write_sidecar(Data(bin=2), scan)
    session.open(str(scan))
    until(lambda: session.current and session.current.dataset)
    assert session.current.job.data.bin == 2
    session.edit_data(session.current.job.data.model_copy(update={"bin": 1}))
    until(lambda: not session.current.reading)
    assert session.current.job.data.bin == 1
    assert session.current.dataset.frames.shape[1:] == (40, 48)
