"""What a user does with the pictures of the object: other kinds, looks that are kept, the line, frames, the pointer."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPointF, Qt
from PyQt6.QtWidgets import QApplication, QHBoxLayout, QLabel, QLineEdit, QMenu, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from ptychogui.geometry import Geometry
from ptychogui.gui.views import link
from ptychogui.gui.views.base import View
from ptychogui.gui.views.loss import LossView
from ptychogui.gui.views.material_dialog import MaterialDialog, kept_material
from ptychogui.gui.views.objects import NO_WAVELENGTH, OF_ELECTRONS, ObjectView
from ptychogui.gui.views.probes import ProbeView
from ptychogui.gui.views.profile import ProfileView
from ptychogui.gui.views.propagation import NO_LENGTHS, PropagationView
from ptychogui.gui.views.spectrum import SpectrumView
from ptychogui.job import Job
from ptychogui.measure.propagation import propagated
from ptychogui.types import Dataset, Object, Probe, Result, Scan, Snapshot

SHAPE = (61, 83)
WINDOW = (40, 52)
PIXEL_M = (4e-9, 5e-9)
WAVELENGTH_M = 1e-10


def phase() -> np.ndarray:
    """More than a turn, off the centre, on a slope."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return 9 * np.exp(-(((y - 25) / 11) ** 2) - ((x - 50) / 14) ** 2) + 0.1 * y - 0.05 * x


def probe() -> np.ndarray:
    """Two modes before their focus."""
    y, x = np.mgrid[: WINDOW[0], : WINDOW[1]]
    first = np.exp(-(((y - 18) / 5) ** 2) - ((x - 28) / 4) ** 2)
    modes = np.stack([2 * first, first * (x - 28) / 4]).astype(np.complex64)
    return propagated(modes, PIXEL_M, WAVELENGTH_M, -6e-6)


def scan_of(wavelength_m: float | None = WAVELENGTH_M) -> tuple[Dataset, Snapshot, Result]:
    grid = np.stack(np.meshgrid(np.arange(5), np.arange(7), indexing="ij"), -1).reshape(-1, 2)
    positions = np.array([20, 24]) * PIXEL_M + 6.0 * grid * PIXEL_M
    geometry = Geometry(WINDOW, wavelength_m=wavelength_m, given_pixel_m=PIXEL_M)
    frames = np.ones((len(grid), *WINDOW), np.float32)
    dataset = Dataset(frames, np.ones(WINDOW, np.bool_), Scan(positions), geometry)
    image = np.exp(1j * phase() - 0.1).astype(np.complex64)
    snapshot = Snapshot(
        epoch=2,
        epochs=9,
        whole=True,
        preview=image,
        preview_pixel_m=PIXEL_M,
        preview_origin_m=(0.0, 0.0),
        probe=probe(),
        positions_m=positions,
        loss=np.array([0.5, 0.2], np.float32),
        pattern=None,
        seconds=1.0,
        seconds_per_epoch=0.3,
        device="cpu",
        memory_bytes=0,
    )
    result = Result(
        obj=Object(image[None], PIXEL_M, (0.0, 0.0)),
        probe=Probe(probe(), PIXEL_M),
        scan=Scan(positions),
        nominal_m=positions,
        geometry=geometry,
        loss=snapshot.loss,
        metrics={},
        job="",
        provenance={},
    )
    return dataset, snapshot, result


def shown(qtbot: QtBot, *views: View, wavelength_m: float | None = WAVELENGTH_M) -> None:
    """Views side by side, with the snapshot of a run."""
    dataset, snapshot, _ = scan_of(wavelength_m)
    both = QWidget()
    row = QHBoxLayout(both)
    for view in views:
        row.addWidget(view)
        view.show_dataset(dataset)
        view.show_snapshot(replace(snapshot, ended="stopped"))
    both.resize(420 * len(views), 380)
    qtbot.addWidget(both, before_close_func=lambda _, kept=both: kept.hide())
    both.show()
    qtbot.waitExposed(both)
    both.grab()


def drawn(qtbot: QtBot, view: Any) -> None:
    """Wait until what is made beside the window is shown."""
    for latest in (view.__dict__.get(name) for name in ("_latest", "_cuts", "_planes")):
        if latest is not None:
            qtbot.waitUntil(lambda latest=latest: not latest.waiting, timeout=60_000)


def to(view: ObjectView, y_px: float, x_px: float) -> QPointF:
    """The point of the scene over a pixel of the object."""
    assert view.panel.picture is not None
    unit = view.panel.picture.lengths.unit_si
    return view.panel.box.mapViewToScene(QPointF(x_px * PIXEL_M[1] / unit, y_px * PIXEL_M[0] / unit))


def test_the_unwrapped_phase_has_no_jumps_and_no_ramp(qtbot: QtBot) -> None:
    view = ObjectView("phase")
    shown(qtbot, view)
    view.choice.setCurrentIndex(view.choice.findText("Unwrapped"))
    view.choice.activated.emit(view.choice.currentIndex())
    drawn(qtbot, view)
    assert view.panel.picture is not None
    assert view.title == "Object phase, unwrapped"
    values = view.panel.picture.values
    assert np.abs(np.diff(values, axis=1)).max() < 1.5
    view.keep_ramp(True)
    drawn(qtbot, view)
    off = view.panel.picture.values - phase()
    np.testing.assert_allclose(off, np.median(off), atol=1e-3)


def test_thickness_is_in_metres_and_asks_for_a_wavelength(qtbot: QtBot) -> None:
    view = ObjectView("amplitude")
    shown(qtbot, view, wavelength_m=None)
    view.show_as("thickness")
    assert view.panel.picture is None
    assert view.panel._hint.text() == NO_WAVELENGTH
    dataset, _, result = scan_of(2e-12)
    view.show_dataset(dataset)
    view.show_result(result)
    assert view.panel._hint.text() == OF_ELECTRONS
    dataset, _, result = scan_of()
    view.show_dataset(dataset)
    view.show_result(replace(result, geometry=dataset.geometry))
    drawn(qtbot, view)
    assert view.panel.picture is not None
    assert view.panel.picture.unit in ("nm", "µm")
    assert view.panel._readout.text() == "δ 4.8e-05, over the thinnest part"
    view.show_as("absorption")
    assert view.panel.picture.unit == "nm"
    assert np.ptp(view.panel.picture.values) < 1e-3


def highest_m(view: ObjectView) -> float:
    assert view.panel.picture is not None
    return float(np.ptp(view.panel.picture.values)) * {"nm": 1e-9, "µm": 1e-6}[view.panel.picture.unit]


def test_the_material_is_asked_for_and_kept(qtbot: QtBot) -> None:
    view = ObjectView("phase")
    shown(qtbot, view)
    view.show_as("thickness")
    drawn(qtbot, view)
    assert view.panel.picture is not None
    before = highest_m(view)
    view.material_button.click()
    dialog = view.findChild(MaterialDialog)
    assert dialog is not None
    field = next(edit for edit in dialog.findChildren(QLineEdit) if edit.isVisible())
    field.selectAll()
    qtbot.keyClicks(field, "9.6e-5")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert kept_material().delta == 9.6e-5
    drawn(qtbot, view)
    assert highest_m(view) == pytest.approx(before / 2, rel=1e-3)
    dialog.reject()


def test_kind_and_looks_are_kept_for_the_next_start(qtbot: QtBot) -> None:
    view = ObjectView("amplitude")
    shown(qtbot, view)
    view.show_as("complex")
    view.panel.choose_map("cyclic")
    view.show_as("phase")
    view.panel.choose_map("viridis")
    view.panel.toggle_legend()
    view.keep_ramp(True)
    again = ObjectView("amplitude")
    qtbot.addWidget(again)
    assert again.mode == "phase"
    assert again.choice.currentData() == "phase"
    assert not again.remove_ramp
    assert (again.panel._looks.map, again.panel._looks.legend) == ("viridis", False)
    again.show_as("complex")
    assert (again.panel._looks.map, again.panel._looks.legend) == ("cyclic", True)
    other = ProbeView()
    qtbot.addWidget(other)
    assert (other.mode, other.panel._looks.map) == ("complex", "automatic")


@pytest.mark.parametrize("kind", ["phase", "complex", "amplitude"])
def test_the_legend_explains_the_colours(qtbot: QtBot, kind: str) -> None:
    view = ObjectView("phase")
    shown(qtbot, view)
    view.show_as(kind)
    with_legend = view.panel.plot.grab().toImage()
    view.panel.toggle_legend()
    without = view.panel.plot.grab().toImage()
    corner = view.panel.plot.mapFromScene(view.panel.box.sceneBoundingRect().topRight())
    at = round((corner.x() - 20) * without.devicePixelRatio()), round((corner.y() + 11) * without.devicePixelRatio())
    assert with_legend.pixelColor(*at) != without.pixelColor(*at)


def test_a_click_on_the_object_selects_the_nearest_frame(qtbot: QtBot) -> None:
    view = ObjectView("phase")
    shown(qtbot, view)
    where = view.panel.plot.mapFromScene(to(view, 20 + 6 * 2 + 1, 24 + 6 * 4 - 1))
    with qtbot.waitSignal(view.frame_selected) as told:
        qtbot.mouseClick(view.panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert told.args == [2 * 7 + 4]
    view.show_frame(18)
    (x,), (y,) = view.mark._rings[0].getData()
    assert view.panel.picture is not None
    unit = view.panel.picture.lengths.unit_si
    assert (y * unit, x * unit) == (pytest.approx(32 * PIXEL_M[0]), pytest.approx(48 * PIXEL_M[1]))


def test_the_frame_under_the_pointer_is_told_and_that_it_has_left(qtbot: QtBot) -> None:
    view = ObjectView("phase")
    shown(qtbot, view)
    with qtbot.waitSignal(view.frame_pointed) as told:
        view.panel._point(to(view, 20 + 6 * 1, 24 + 6 * 1))
        view.panel._point(to(view, 20 + 6 * 2 + 1, 24 + 6 * 4 - 1))
    assert told.args == [2 * 7 + 4]
    with qtbot.assertNotEmitted(view.frame_pointed, wait=60):
        view.panel._point(to(view, 20 + 6 * 2, 24 + 6 * 4))
    with qtbot.waitSignal(view.frame_pointed) as told:
        QApplication.sendEvent(view.panel, QEvent(QEvent.Type.Leave))
    assert told.args == [None]


def test_the_pointer_is_seen_in_linked_pictures_with_their_own_values(qtbot: QtBot) -> None:
    first, second = ObjectView("phase"), ObjectView("amplitude")
    link({"first": first, "second": second})
    shown(qtbot, first, second)
    first.panel._point(to(first, 30, 40))
    amplitude = f"{np.exp(-0.1):.4g}"
    assert amplitude in second.panel._readout.text()
    assert "rad" in first.panel._readout.text()
    assert "frame" in first.panel._readout.text()
    assert len(second.panel._cross.getData()[0]) == 1
    first.panel._point(None)
    assert len(second.panel._cross.getData()[0]) == 0
    assert second.panel._readout.text() == "epoch 2 of 9"


def test_the_line_measures_in_every_picture(qtbot: QtBot) -> None:
    first, second, profile = ObjectView("phase"), ObjectView("amplitude"), ProfileView()
    link({"first": first, "second": second, "profile": profile})
    shown(qtbot, first, second, profile)
    first.line_button.click()
    drawn(qtbot, profile)
    assert second.line_button.isChecked()
    tool = first.line
    assert tool is not None
    assert tool.line is not None
    text = profile.findChild(QLabel, "profile_text")
    assert text is not None
    assert text.text().startswith("length 207.5 nm  ·  angle 0.0°")
    segment = tool._segments[second.panel]
    assert segment.isVisible()
    handle = segment.getHandles()[1]
    segment.movePoint(handle, [250.0, 60.0], coords="parent")
    drawn(qtbot, profile)
    assert tool.source is second.panel
    assert tool.line.end_m == (pytest.approx(60e-9), pytest.approx(250e-9))
    ends = [
        tool._segments[first.panel].mapToParent(handle["item"].pos()) for handle in tool._segments[first.panel].handles
    ]
    assert (ends[1].x(), ends[1].y()) == (pytest.approx(250), pytest.approx(60))
    assert profile.plot.legend.items[0][1].text == "amplitude"
    profile.breadth.setValue(9)
    drawn(qtbot, profile)
    second.line_button.click()
    assert tool.line is None
    assert not first.line_button.isChecked()
    assert not segment.isVisible()
    assert text.text() == ""


def test_a_line_that_is_far_from_the_next_object_is_taken_away(qtbot: QtBot) -> None:
    view, profile = ObjectView("amplitude"), ProfileView()
    link({"view": view, "profile": profile})
    shown(qtbot, view, profile)
    view.line_button.click()
    _, snapshot, _ = scan_of()
    view.show_snapshot(replace(snapshot, preview_origin_m=(1e-3, 1e-3), ended="stopped"))
    assert view.line is not None
    assert view.line.line is None
    assert not view.line_button.isChecked()


def test_a_profile_of_a_phase_goes_on_where_it_goes_round(qtbot: QtBot) -> None:
    first, profile = ObjectView("phase"), ProfileView()
    link({"first": first, "profile": profile})
    first.remove_ramp = False
    shown(qtbot, first, profile)
    assert first.panel.picture is not None
    assert first.panel.picture.map == "cyclic"
    first.line_button.click()
    drawn(qtbot, profile)
    values = profile.curves._curves[0].y
    assert values.max() > np.pi
    assert np.abs(np.diff(values)).max() < 1


def test_the_spectrum_is_shown_with_its_rings(qtbot: QtBot) -> None:
    view = SpectrumView()
    shown(qtbot, view)
    drawn(qtbot, view)
    assert view.panel.picture is not None
    assert view.panel.picture.lengths.symbol == "µm⁻¹"
    assert view.panel.box.viewRect().contains(view.panel.picture.rect)
    assert view.curves._curves[0].x[-1] == pytest.approx(100, rel=0.05)
    view.clear()
    assert view.panel.picture is None


def test_the_beam_leads_to_its_focus(qtbot: QtBot) -> None:
    view = PropagationView()
    shown(qtbot, view)
    drawn(qtbot, view)
    view.focus_button.click()
    drawn(qtbot, view)
    assert view.z_m == pytest.approx(6e-6, abs=1.5e-6)
    text = view.findChild(QLabel, "beam_text")
    assert text is not None
    assert "behind the sample" in text.text()
    assert "FWHM" in text.text()
    view.direction.setCurrentIndex(1)
    view.direction.activated.emit(1)
    view.slider.setValue(-200)
    drawn(qtbot, view)
    assert view.z_m < 0
    view.cut._line.setValue(0.0)
    assert view.z_m == 0
    assert view.slider.value() == 0
    drawn(qtbot, view)


def test_the_beam_says_what_it_lacks(qtbot: QtBot) -> None:
    view = PropagationView()
    shown(qtbot, view, wavelength_m=None)
    assert view.cut._hint.text() == NO_LENGTHS
    assert not view.focus_button.isEnabled()


def test_orthogonality_is_shown_in_figures(qtbot: QtBot) -> None:
    view = ProbeView()
    shown(qtbot, view)
    view.choice.setCurrentIndex(view.choice.findData("orthogonality"))
    view.choice.activated.emit(view.choice.currentIndex())
    assert view.panel.picture is not None
    assert view.panel.picture.values.shape == (2, 2)
    assert view.panel.picture.values[0, 1] < 0.01
    assert view._labels[0].toPlainText() == "1.00"
    assert view._describe(0, 1).startswith("modes 1 and 2: overlap")
    view.show_as("complex")
    assert view._labels[0].toPlainText().endswith("%")


def test_the_ends_of_stages_are_marked(qtbot: QtBot) -> None:
    view = LossView()
    _, snapshot, result = scan_of()
    shown(qtbot, view)
    loss = np.linspace(1, 0.1, 9, dtype=np.float32)
    view.show_snapshot(replace(snapshot, loss=loss, stage_epochs=(4, 3, 2), ended="finished"))
    assert sorted(view._marks) == [4.5, 7.5]
    view.show_snapshot(replace(snapshot, stage_epochs=(2,), ended="finished"))
    assert not view._marks
    job = Job.model_validate({"solver": [{"kind": "epie", "epochs": 2}, {"kind": "adam", "epochs": 7}]})
    view.show_result(replace(result, loss=loss, job=job.toml()))
    assert sorted(view._marks) == [2.5]


def test_a_run_counts_the_epochs_of_its_stages(scan_file: Path) -> None:
    from ptychogui import io
    from ptychogui.io.data import Data
    from ptychogui.job import snapshots

    job = Job.model_validate({"solver": [{"kind": "epie", "epochs": 1}, {"kind": "adam", "epochs": 2}]})
    job = job.model_copy(update={"data": Data(path=str(scan_file))})
    found = [item.stage_epochs for item in snapshots(job, io.read(job.data)) if isinstance(item, Snapshot)]
    assert found[-1] == (1, 2)


def test_the_menu_of_a_picture_is_reached_by_its_button(qtbot: QtBot) -> None:
    view = ObjectView("phase")
    shown(qtbot, view)
    button = view.findChild(QToolButton, "more")
    assert button is not None
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    texts = [action.text() for action in menu.actions()]
    assert {"Colour map", "Legend", "Automatic range", "Save as PNG…"} <= set(texts)
    menu.close()
