import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QColor, QGuiApplication
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from ptychogui.geometry import Geometry
from ptychogui.gui import theme
from ptychogui.gui.preview import Preview, previews
from ptychogui.gui.views import DOCKS, link
from ptychogui.gui.views.base import View
from ptychogui.gui.views.colours import hue_and_brightness, mapped, table
from ptychogui.gui.views.diffraction import DiffractionView
from ptychogui.gui.views.graphics import log_ticks
from ptychogui.gui.views.lengths import PIXELS, inverse_lengths, lengths
from ptychogui.gui.views.loss import LossView
from ptychogui.gui.views.objects import ObjectView
from ptychogui.gui.views.panel import ImagePanel
from ptychogui.gui.views.probes import ProbeView
from ptychogui.gui.views.scan import ScanView, probe_radius
from ptychogui.gui.views.scanned import scan_map
from ptychogui.types import Dataset, Object, Pattern, Probe, Result, Scan, Snapshot

SHAPE = (30, 44)
PIXEL_M = (4e-9, 5e-9)
NAMES = [dock.name for dock in DOCKS]


def waves(rng: np.random.Generator, *shape: int) -> Any:
    """Complex, not symmetric, and off its centre."""
    y, x = np.mgrid[: shape[-2], : shape[-1]]
    bump = np.exp(-(((y - shape[-2] * 0.4) / 7) ** 2) - ((x - shape[-1] * 0.6) / 9) ** 2)
    noise = rng.normal(size=(*shape, 2)) @ np.array([1, 1j])
    return (bump * np.exp(0.3j * y - 0.1j * x) + 0.05 * noise).astype(np.complex64)


class Case:
    """Plain data as a reader and a run would give: calibrated or not, with one mode or three, with gaps or without."""

    def __init__(self, calibrated: bool = True, modes: int = 1, gaps: bool = False, field: Any = "far") -> None:
        rng = np.random.default_rng(3)
        unit = PIXEL_M if calibrated else (1.0, 1.0)
        grid = np.stack(np.meshgrid(np.arange(5), np.arange(7), indexing="ij"), -1).reshape(-1, 2)
        self.positions = (6.0 * grid + rng.normal(size=grid.shape)) * unit
        frames = rng.poisson(40, (len(grid), *SHAPE)).astype(np.float32)
        mask = np.ones(SHAPE, np.bool_)
        if gaps:
            frames[0, 3:5] = frames[4, 7, 8] = np.nan
            mask[:, 11] = False
        geometry = Geometry(SHAPE, given_pixel_m=PIXEL_M if calibrated else None, field=field)
        probe = waves(rng, modes, *SHAPE)
        self.dataset = Dataset(frames, mask, Scan(self.positions), geometry, probe=probe if modes == 3 else None)
        self.preview = list(previews(self.dataset))[-1]
        refined = self.positions + rng.normal(size=grid.shape) * unit
        image = 1 + waves(rng, 61, 83)
        if gaps:
            image[4, 5] = np.nan
        self.snapshot = Snapshot(
            epoch=3,
            epochs=9,
            whole=True,
            preview=image,
            preview_pixel_m=unit,
            preview_origin_m=(0.0, 0.0),
            probe=probe,
            positions_m=refined,
            loss=np.array([0.5, 0.2, np.nan if gaps else 0.1], np.float32),
            pattern=Pattern(4, frames[4], np.abs(frames[4]) + 1),
            seconds=1.0,
            seconds_per_epoch=0.3,
            device="cpu",
            memory_bytes=0,
        )
        self.result = Result(
            obj=Object(image[None], unit, (-20 * unit[0], -20 * unit[1])),
            probe=Probe(probe, unit),
            scan=Scan(refined),
            nominal_m=self.positions,
            geometry=geometry,
            loss=self.snapshot.loss,
            metrics={},
            job="",
            provenance={},
        )


CASES: dict[str, Callable[[], Case]] = {
    "calibrated": Case,
    "pixels": lambda: Case(calibrated=False),
    "three modes": lambda: Case(modes=3, field="near"),
    "gaps": lambda: Case(modes=3, gaps=True),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]()


def shown(qtbot: QtBot, view: QWidget) -> None:
    """Show a view and keep it until the test is over: one that is half collected cannot be painted."""
    view.resize(420, 320)
    qtbot.addWidget(view, before_close_func=lambda _, kept=view: kept.hide())
    view.show()
    qtbot.waitExposed(view)


def make(name: str) -> View:
    return next(dock for dock in DOCKS if dock.name == name).make()


def drawn(qtbot: QtBot, view: View, snapshot: Snapshot) -> None:
    view.show_snapshot(snapshot)


def panels(view: View) -> list[ImagePanel]:
    return view.findChildren(ImagePanel)


@pytest.mark.parametrize("name", NAMES)
def test_every_view_shows_everything(qtbot: QtBot, name: str, case: Case) -> None:
    view = make(name)
    assert view.objectName() == f"{name}_view"
    shown(qtbot, view)
    early = Preview(np.full(35, np.nan), np.full((35, 2), np.nan), np.full(SHAPE, np.nan, np.float32), 0)
    for preview in (None, early, case.preview):
        view.show_dataset(case.dataset, preview)
        assert not view.grab().isNull()
    drawn(qtbot, view, case.snapshot)
    assert not view.grab().isNull()
    view.show_result(case.result)
    assert not view.grab().isNull()
    view.clear()
    assert not view.grab().isNull()
    view.show_result(case.result)
    assert not view.grab().isNull()


@pytest.mark.parametrize("name", ["object_phase", "object_amplitude", "probe", "diffraction"])
def test_pictures_are_never_clipped_nor_unfitted(qtbot: QtBot, name: str, case: Case) -> None:
    view = make(name)
    shown(qtbot, view)
    view.show_dataset(case.dataset, case.preview)
    drawn(qtbot, view, case.snapshot)
    view.grab()
    for panel in panels(view):
        assert panel.picture is not None
        seen, picture = panel.box.viewRect(), panel.picture.rect
        assert seen.contains(picture)
        fills = max(picture.width() / seen.width(), picture.height() / seen.height())
        assert fills > 0.85


def test_the_zoom_of_the_user_is_kept_and_shared(qtbot: QtBot) -> None:
    case, phase, amplitude = Case(), ObjectView("phase"), ObjectView("amplitude")
    link({"object_phase": phase, "object_amplitude": amplitude})
    both = QWidget()
    row = QHBoxLayout(both)
    row.addWidget(phase)
    row.addWidget(amplitude)
    shown(qtbot, both)
    for view in (phase, amplitude):
        drawn(qtbot, view, case.snapshot)
    both.grab()
    phase.panel.box.scaleBy((0.25, 0.25))
    phase.panel.box.sigRangeChangedManually.emit([True, True])
    zoomed = phase.panel.box.viewRect()
    drawn(qtbot, phase, case.snapshot)
    assert phase.panel.box.viewRect() == zoomed
    assert amplitude.panel.box.viewRect().center().x() == pytest.approx(zoomed.center().x(), abs=1)
    assert amplitude.panel.box.viewRect().width() == pytest.approx(zoomed.width(), rel=0.3)
    amplitude.panel.fit()
    both.grab()
    assert phase.panel.picture is not None
    assert phase.panel.box.viewRect().contains(phase.panel.picture.rect)


def test_another_dataset_is_fitted_and_ranged_anew(qtbot: QtBot) -> None:
    first, second, view = Case(), Case(calibrated=False), ObjectView("amplitude")
    shown(qtbot, view)
    view.show_dataset(first.dataset, first.preview)
    view.panel.toggle_histogram()
    assert view.panel._histogram is not None
    view.panel._histogram._region.setRegion((1.0, 2.0))
    view.panel.box.scaleBy((0.2, 0.2))
    view.show_dataset(second.dataset, second.preview)
    view.grab()
    assert view.panel.picture is not None
    assert view.panel.box.viewRect().contains(view.panel.picture.rect)
    assert view.panel._levels is None
    view.panel._histogram._region.setRegion((1.0, 2.0))
    assert view.panel._levels == (1.0, 2.0)
    drawn(qtbot, view, second.snapshot)
    assert view.panel._levels is None


def test_a_hidden_view_draws_when_it_is_shown(qtbot: QtBot) -> None:
    case, view = Case(), ObjectView("phase")
    qtbot.addWidget(view)
    view.show_snapshot(case.snapshot)
    qtbot.wait(30)
    assert view.panel.picture is None
    view.show()
    qtbot.waitExposed(view)
    assert view.panel.picture is not None


def test_the_last_snapshot_of_a_run_is_drawn_at_once(qtbot: QtBot) -> None:
    case, view = Case(), ProbeView()
    shown(qtbot, view)
    view.show_snapshot(replace(case.snapshot, ended="finished"))
    assert view.panel.picture is not None


@pytest.mark.parametrize(("calibrated", "unit", "scale"), [(True, "nm", 1e9), (False, "px", 1)])
def test_axes_are_in_metres_where_known(qtbot: QtBot, calibrated: bool, unit: str, scale: float) -> None:
    case, view = Case(calibrated), ObjectView("amplitude")
    shown(qtbot, view)
    drawn(qtbot, view, case.snapshot)
    assert view.panel.picture is not None
    assert view.panel.picture.lengths.symbol == unit
    rect, pixel = view.panel.picture.rect, case.snapshot.preview_pixel_m
    assert rect.height() == pytest.approx(61 * pixel[0] * scale)
    assert rect.width() == pytest.approx(83 * pixel[1] * scale)
    assert rect.left() == pytest.approx(-pixel[1] * scale / 2)


def test_units_suit_the_extent() -> None:
    assert lengths(3e-7, 1e-9).symbol == "nm"
    assert lengths(3e-5, 1e-9).symbol == "µm"
    assert lengths(3e-2, 1e-6).symbol == "mm"
    assert lengths(300, 1) == PIXELS
    assert inverse_lengths(5e9).symbol == "nm⁻¹"
    assert inverse_lengths(5e7).symbol == "µm⁻¹"
    assert lengths(3e-5, 1e-9).text(1.25) == "1.25 µm"


def test_the_read_out_tells_place_and_value(qtbot: QtBot) -> None:
    case, view = Case(calibrated=False), ObjectView("amplitude")
    shown(qtbot, view)
    drawn(qtbot, view, case.snapshot)
    view.grab()
    panel = view.panel
    panel._point(panel.box.mapViewToScene(QPointF(20, 7)))
    value = abs(case.snapshot.preview[7, 20])
    assert panel._readout.text().startswith(f"{value:.4g}    y 7  x 20 px")
    panel._point(QPointF(-5, -5))
    assert panel._readout.text() == "epoch 3 of 9"


def test_the_range_follows_the_histogram_until_it_is_automatic_again(qtbot: QtBot) -> None:
    case, view = Case(), ObjectView("amplitude")
    shown(qtbot, view)
    drawn(qtbot, view, case.snapshot)
    panel = view.panel
    panel.toggle_histogram()
    assert panel._histogram is not None
    before = panel._colours(panel.picture).copy()  # type: ignore[arg-type]
    panel._histogram._region.setRegion((0.9, 1.0))
    assert panel._levels == (0.9, 1.0)
    assert (panel._colours(panel.picture) != before).any()  # type: ignore[arg-type]
    drawn(qtbot, view, case.snapshot)
    assert panel._levels == (0.9, 1.0)
    panel.range_automatically()
    assert (panel._colours(panel.picture) == before).all()  # type: ignore[arg-type]
    panel.toggle_histogram()
    assert panel._histogram.isHidden()


@pytest.mark.parametrize("name", ["object_phase", "object_amplitude", "probe", "diffraction"])
def test_every_entry_of_the_menus_works(qtbot: QtBot, case: Case, tmp_path: Path, name: str) -> None:
    view = make(name)
    shown(qtbot, view)
    view.show_dataset(case.dataset, case.preview)
    drawn(qtbot, view, case.snapshot)
    for panel in panels(view):
        menu = panel.menu()
        actions = [*menu.actions(), *(a for action in menu.actions() if (sub := action.menu()) for a in sub.actions())]
        assert len(actions) > 6
        for action in actions:
            if not action.text().startswith("Save"):
                action.trigger()
        panel.save(str(tmp_path / f"{name}.png"))
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        panel.save(str(tmp_path / "nowhere" / "picture.png"))
        assert "could not be written" in panel._readout.text()
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    assert not clipboard.pixmap().isNull()


def test_the_phase_is_cyclic_only_where_it_goes_round(qtbot: QtBot) -> None:
    case, view = Case(), ObjectView("phase")
    shown(qtbot, view)
    weak = np.exp(0.2j * np.abs(case.snapshot.preview)).astype(np.complex64)
    drawn(qtbot, view, replace(case.snapshot, preview=weak))
    assert view.panel.picture is not None
    assert view.panel.picture.map == "grey"
    strong = np.exp(40j * np.abs(case.snapshot.preview)).astype(np.complex64)
    drawn(qtbot, view, replace(case.snapshot, preview=strong))
    assert view.panel.picture.map == "cyclic"
    assert view.panel.picture.levels == (-np.pi, np.pi)


def test_the_slider_shows_any_frame_and_tells_it(qtbot: QtBot) -> None:
    case, view = Case(gaps=True), DiffractionView()
    shown(qtbot, view)
    view.show_dataset(case.dataset, case.preview)
    assert view.slider.maximum() == 34
    with qtbot.waitSignal(view.frame_selected) as told:
        view.slider.setValue(9)
    assert told.args == [9]
    frames: Any = case.dataset.frames
    qtbot.waitUntil(lambda: view.measured.picture is not None and view._frame is not None and view._frame[0] == 9)
    assert view.measured.picture is not None
    np.testing.assert_array_equal(view.measured.picture.values, frames[9])
    assert view.model.picture is None
    drawn(qtbot, view, case.snapshot)
    assert view.model.picture is None
    with qtbot.assertNotEmitted(view.frame_selected, wait=20):
        view.show_frame(4)
    assert view.slider.value() == 4
    drawn(qtbot, view, case.snapshot)
    assert view.model.picture is not None
    np.testing.assert_array_equal(view.measured.picture.values, frames[4])
    view.show_result(case.result)
    assert view.model.picture is not None


def test_the_residual_takes_the_place_of_the_model_and_is_kept(qtbot: QtBot) -> None:
    case, view = Case(gaps=True), DiffractionView()
    shown(qtbot, view)
    view.show_dataset(case.dataset, case.preview)
    drawn(qtbot, view, case.snapshot)
    view.residual.click()
    picture, pattern = view.model.picture, case.snapshot.pattern
    assert picture is not None
    assert pattern is not None
    wanted = np.sqrt(pattern.measured) - np.sqrt(pattern.model)
    wanted[~case.dataset.mask] = np.nan
    np.testing.assert_allclose(picture.values, wanted, rtol=1e-5)
    assert picture.levels[0] == -picture.levels[1]
    assert np.nanpercentile(np.abs(wanted), 99) < picture.levels[1] <= np.nanmax(np.abs(wanted))
    assert DiffractionView().show_residual
    view.residual.click()
    assert view.model.picture is not None
    np.testing.assert_array_equal(view.model.picture.values, pattern.model)


def test_frames_play_one_after_the_other(qtbot: QtBot) -> None:
    case, view = Case(), DiffractionView()
    shown(qtbot, view)
    view.show_dataset(case.dataset, case.preview)
    view.slider.setValue(33)
    view.play.click()
    qtbot.waitUntil(lambda: view.slider.value() == 1, timeout=60_000)
    view.play.click()
    assert not view._play.isActive()


def test_a_frame_that_cannot_be_read_is_told(qtbot: QtBot) -> None:
    class Broken:
        shape, dtype = (3, *SHAPE), np.dtype(np.float32)

        def __getitem__(self, index: Any) -> Any:
            raise OSError("the disk is gone")

    view = DiffractionView()
    shown(qtbot, view)
    view.show_dataset(replace(Case().dataset, frames=Broken()), None)
    qtbot.waitUntil(lambda: "the disk is gone" in view.measured._readout.text())


def test_a_click_on_the_scan_chooses_the_nearest_frame(qtbot: QtBot) -> None:
    case, view = Case(), ScanView()
    shown(qtbot, view)
    view.show_dataset(case.dataset, case.preview)
    view.grab()
    y, x = case.positions[17] / view._unit.unit_si
    place = view.plot.mapFromScene(view.box.mapViewToScene(QPointF(x, y)))
    with qtbot.waitSignal(view.frame_selected) as told:
        qtbot.mouseClick(view.plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place.x(), place.y()))
    assert told.args == [17]
    assert view._selected.getData()[0] == pytest.approx([x])


def test_drift_is_drawn_enlarged_and_without_the_common_shift(qtbot: QtBot) -> None:
    case, view = Case(), ScanView()
    shown(qtbot, view)
    view.show_dataset(case.dataset, case.preview)
    assert view.enlarge.isHidden()
    moved = case.positions + np.array([3e-9, -2e-9])
    moved[0] += (35e-9, 0)
    drawn(qtbot, view, replace(case.snapshot, positions_m=moved))
    assert not view.enlarge.isHidden()
    x, y = view._drift.getData()
    assert y[1] - y[0] == pytest.approx(34)
    assert x[1] - x[0] == pytest.approx(0, abs=1e-6)
    figures = view.findChild(QLabel, "drift_figures")
    assert figures is not None
    assert "moved" in figures.text()
    assert not figures.isHidden()
    view.enlarge.setCurrentIndex(view.enlarge.findData(10))
    view.enlarge.activated.emit(0)
    x, y = view._drift.getData()
    assert y[1] - y[0] == pytest.approx(340)


def test_what_was_found_of_the_other_unknowns_is_told(qtbot: QtBot) -> None:
    case, view = Case(), ScanView()
    shown(qtbot, view)
    view.show_dataset(case.dataset.with_geometry(distance_m=2.0), case.preview)
    found = {"distance_m": 1.98, "distance_change": -0.01, "gain_spread": 0.021, "background": 0.5}
    drawn(qtbot, view, replace(case.snapshot, positions_m=case.positions, unknowns=found))
    figures = view.findChild(QLabel, "drift_figures")
    assert figures is not None
    said = "distance 1.98 m (-1 %)  ·  brightness ±2.1 %  ·  background 0.5 counts"
    assert figures.text() == said
    kept = {"distance_m": np.array(1.98), "gain": np.array([0.979, 1.021]), "background": np.full(SHAPE, 0.5)}
    view.show_result(replace(case.result, scan=Scan(case.positions), unknowns=kept))
    assert figures.text() == said
    assert not figures.isHidden()
    view.show_result(case.result)
    assert figures.text().startswith("moved")


@pytest.mark.parametrize("by", range(4))
def test_positions_are_coloured_by_what_is_chosen(qtbot: QtBot, by: int) -> None:
    case, view = Case(), ScanView()
    shown(qtbot, view)
    view.show_dataset(case.dataset, case.preview)
    view.colour_by.setCurrentIndex(by)
    view.colour_by.activated.emit(by)
    values = (case.preview.total_counts, *case.preview.centre_of_mass.T, np.arange(35.0))[by]
    np.testing.assert_array_equal(view._values(), values)


def test_positions_are_coloured_by_their_drift(qtbot: QtBot) -> None:
    case, view = Case(), ScanView()
    shown(qtbot, view)
    view.show_dataset(case.dataset, case.preview)
    view.colour_by.setCurrentText("drift")
    view.colour_by.activated.emit(5)
    assert view._readout.text() == "known after a run"
    moved = case.positions + np.array([3e-9, -2e-9])
    moved[4] += (35e-9, 0)
    drawn(qtbot, view, replace(case.snapshot, positions_m=moved))
    lengths = np.full(35, 1e-9)
    lengths[4] = 34e-9
    np.testing.assert_allclose(view._values(), lengths, rtol=1e-6)
    assert view._readout.text().startswith("1 to ")
    assert view._readout.text().endswith(" nm")


def test_positions_are_coloured_by_how_badly_their_frames_fit(qtbot: QtBot) -> None:
    case, view = Case(), ScanView()
    shown(qtbot, view)
    view.show_dataset(case.dataset, case.preview)
    view.colour_by.setCurrentText("R-factor")
    view.colour_by.activated.emit(4)
    np.testing.assert_array_equal(view._values(), np.arange(35.0))
    assert view._readout.text() == "known after a run"
    residual = np.random.default_rng(2).uniform(0.1, 0.3, 35).astype(np.float32)
    view.show_result(replace(case.result, frame_r_factor=residual))
    np.testing.assert_array_equal(view._values(), residual)
    assert view._readout.text().startswith("0.1")
    assert len({brush.color().rgb() for brush in view._spots.data["brush"]}) > 10


def test_the_probe_circle_has_the_size_of_the_probe() -> None:
    y, x = np.mgrid[:90, :120]
    disc = ((y - 40) ** 2 + (x - 70) ** 2 < 20**2).astype(np.complex64)
    assert probe_radius(disc[None], (1e-9, 2e-9)) == (pytest.approx(20e-9, rel=0.02), pytest.approx(40e-9, rel=0.02))


def test_modes_are_labelled_with_their_share_of_the_power(qtbot: QtBot) -> None:
    case, view = Case(modes=3), ProbeView()
    shown(qtbot, view)
    view.show_dataset(case.dataset, case.preview)
    wave = waves(np.random.default_rng(1), *SHAPE)
    drawn(qtbot, view, replace(case.snapshot, probe=np.stack([3 * wave, 2 * wave, wave])))
    assert [label.toPlainText() for label in view._labels] == ["1: 64.3 %", "2: 28.6 %", "3: 7.14 %"]
    pixel_y, pixel_x = (p / view._unit.unit_si for p in PIXEL_M)
    told = view._describe(2 * pixel_y, 3 * pixel_x)
    assert told.startswith("mode 1   y 8  x 15 nm")
    assert f"{abs(3 * wave[17, 25]):.4g}" in told
    assert view._describe(-1e9, 0) == ""
    drawn(qtbot, view, replace(case.snapshot, probe=wave[None]))
    assert len(view._labels) == 1


def test_the_curves_of_several_runs_are_told_apart(qtbot: QtBot) -> None:
    case, view = Case(), LossView()
    shown(qtbot, view)
    view.show_dataset(case.dataset, case.preview)
    view.show_runs("Run 3", {"Run 1": np.array([0.5, 0.3, 0.2], np.float32), "Run 2": np.array([np.nan], np.float32)})
    assert [label.text for _, label in view.plot.legend.items] == ["Run 1", "Run 2", "Run 3"]
    drawn(qtbot, view, replace(case.snapshot, loss=np.array([0.7, 0.1], np.float32)))
    x, y = view._curve.getOriginalDataset()
    np.testing.assert_allclose((x, y), ([1, 2], [0.7, 0.1]))
    view._logarithmic.click()
    assert not view.plot.getPlotItem().getAxis("left").logMode
    view.clear()
    assert not view.plot.legend.items


@pytest.mark.parametrize(
    ("low", "high"), [(0.0699, 0.0705), (0.028, 0.08), (0.1, 1.0), (1e-5, 3.0), (2e-3, 2.1e-3), (2e-3, 2.0001e-3)]
)
def test_ticks_of_a_logarithmic_axis_are_enough_and_apart(low: float, high: float) -> None:
    bottom, top = math.log10(low), math.log10(high)
    ticks = log_ticks(bottom, top, 0.15 * (top - bottom))
    assert 2 <= len(ticks) <= 7
    assert np.diff(ticks).min() >= 0.15 * (top - bottom)
    assert all(bottom <= tick <= top for tick in ticks)


@pytest.mark.parametrize("size", [(700, 300), (260, 640)])
def test_the_picture_fills_its_box_and_its_axes_end_with_it(qtbot: QtBot, size: tuple[int, int]) -> None:
    case, view = Case(), ObjectView("amplitude")
    view.resize(*size)
    shown(qtbot, view)
    view.show_dataset(case.dataset, case.preview)
    drawn(qtbot, view, case.snapshot)
    picture = view.panel.picture
    assert picture is not None
    qtbot.waitUntil(lambda: abs(view.panel.box.viewRect().width() / picture.rect.width() - 1) < 0.02)
    assert view.panel.box.viewRect().height() == pytest.approx(picture.rect.height(), rel=0.02)
    assert view.panel.box.viewRect().center().x() == pytest.approx(picture.rect.center().x(), rel=0.05)
    view.resize(size[1], size[0])
    plot = view.panel.plot
    qtbot.waitUntil(lambda: plot.height() < size[0] and plot.getPlotItem().size().height() == plot.height())
    qtbot.waitUntil(lambda: abs(view.panel.box.viewRect().height() / picture.rect.height() - 1) < 0.02)


def test_patterns_stand_as_the_dock_does(qtbot: QtBot) -> None:
    view = DiffractionView()
    for size, below in (((600, 300), False), ((240, 620), True)):
        view.resize(*size)
        shown(qtbot, view)
        qtbot.waitUntil(lambda below=below: (view.model.y() > view.measured.y()) == below)


def test_the_preview_maps_show_counts_where_they_belong() -> None:
    case = Case()
    where = scan_map(case.dataset.scan)
    assert where is not None
    counts = where.of(np.arange(35.0))
    for index in (0, 8, 34):
        cell = np.rint((case.positions[index] - where.origin_m) / where.pixel_m).astype(int)
        assert counts[cell[0], cell[1]] == index
    assert scan_map(Scan(np.zeros((9, 2)))) is None
    assert scan_map(Scan(np.array([[0.0, 0.0]]))) is None


@pytest.mark.parametrize("name", NAMES)
def test_views_follow_the_palette(qtbot: QtBot, name: str) -> None:
    case, view = Case(), make(name)
    shown(qtbot, view)
    view.show_dataset(case.dataset, case.preview)
    drawn(qtbot, view, case.snapshot)
    plots = view.findChildren(pg.PlotWidget)
    for name_, colours in (("dark", theme.DARK), ("light", theme.LIGHT)):
        theme.choose(name_)  # type: ignore[arg-type]
        for plot in plots:
            assert plot.backgroundBrush().color() == QColor(colours.base)


def test_real_colours_run_over_the_range() -> None:
    values = np.array([[-1.0, 0.0, 0.5], [1.0, 9.0, np.nan]])
    grey = mapped(values, 0, 1, "grey") & 0xFF
    np.testing.assert_array_equal(grey, [[0, 0, 127], [255, 255, 0]])
    assert len(set(table("viridis").tolist())) > 200


def test_hue_is_phase_and_brightness_amplitude() -> None:
    waves_ = np.array([[1, 1j, -1, -1j, 0, 0.5, np.nan]], np.complex64)
    rgb = hue_and_brightness(waves_, 1.0)[0]
    red, green, blue = (rgb >> 16) & 255, (rgb >> 8) & 255, rgb & 255
    assert red[0] > 250 > green[0]
    assert red[2] < 30 < green[2]
    assert green[1] > blue[1]
    assert blue[3] > green[3]
    assert rgb[4] == rgb[6] == 0xFF000000
    assert red[5] == pytest.approx(red[0] / 2, abs=3)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_snapshot_costs_the_window_little(qtbot: QtBot, name: str) -> None:
    case, view = Case(modes=3), make(name)
    shown(qtbot, view)
    view.show_dataset(case.dataset, case.preview)
    image = 1 + waves(np.random.default_rng(5), 512, 512)
    view.snapshot = replace(case.snapshot, preview=image, preview_pixel_m=PIXEL_M)
    seconds = []
    for _ in range(7):
        begun = time.perf_counter()
        view.draw()
        seconds.append(time.perf_counter() - begun)
    assert min(seconds) < 0.025


def test_buttons_fit_and_show_the_histogram(qtbot: QtBot) -> None:
    case, view = Case(), ObjectView("phase")
    shown(qtbot, view)
    drawn(qtbot, view, case.snapshot)
    for name in ("histogram", "fit"):
        button = view.findChild(QToolButton, name)
        assert button is not None
        button.click()
    assert view.panel._histogram is not None
    assert view.panel._histogram.isVisible()
