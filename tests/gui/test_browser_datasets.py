"""Looking into files, and telling what is what in one whose layout is not known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QDialog, QPushButton
from pytestqt.qtbot import QtBot

from ptychogui.gui.contents_view import ContentsDialog
from ptychogui.gui.mapping_dialog import MappingDialog
from ptychogui.gui.window import Window

Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def unknown(scan: Path) -> Path:
    """The scan in a beamline's own layout, its axes in another order."""
    path = scan.with_name("unknown_001.h5")
    with h5py.File(scan) as known, h5py.File(path, "w") as file:
        detector = known["entry_1/instrument_1/detector_1"]
        file["run/camera/stack"] = np.moveaxis(detector["data"][()], 0, 2)
        file["run/camera/distance_mm"] = detector["distance"][()] * 1e3
        file["run/camera/pixel_um"] = detector["x_pixel_size"][()] * 1e6
        file["run/stage/positions"] = -known["entry_1/sample_1/geometry_1/translation"][()][:, 1::-1] * 1e6
        file["run/stage/positions"].attrs["units"] = "um"
        file["run/energy"] = 8.8
        file["run/name"] = "a scan"
        file["run/elsewhere"] = h5py.ExternalLink("other.h5", "/data")
        file["run/waves"] = np.exp(1j * np.arange(20 * 30).reshape(20, 30))
    return path


def dialog_of(window: Window, kind: type[Any]) -> Any:
    return next(dialog for dialog in window.findChildren(QDialog) if isinstance(dialog, kind) and dialog.isVisible())


def ask(window: Window, path: Path, until: Until) -> MappingDialog:
    window.open_path(str(path))
    until(lambda: [dialog for dialog in window.findChildren(MappingDialog) if dialog.isVisible()])
    dialog: MappingDialog = dialog_of(window, MappingDialog)
    until(lambda: window.session.tasks.waiting == 0)
    return dialog


def test_an_unknown_file_is_two_actions_away_and_the_next_one_opens_by_itself(
    window: Window, unknown: Path, until: Until, qtbot: QtBot
) -> None:
    dialog = ask(window, unknown, until)
    assert dialog.mapping.axes == "yxn"
    assert dialog.result_line.text().startswith("30 frames of 40 × 48, positions in µm, 8.8 keV")
    assert "30 positions" in dialog._why["axes"].text()
    asked = dialog.mapping
    qtbot.mouseClick(dialog.open_button, Qt.MouseButton.LeftButton)
    until(lambda: window.session.current is not None and window.session.tasks.waiting == 0)
    current = window.session.current
    assert current is not None
    assert current.dataset is not None
    assert current.dataset.frames.shape == (30, 40, 48)
    assert current.job.data.mapping == asked
    twin = unknown.with_name("unknown_002.h5")
    twin.write_bytes(unknown.read_bytes())
    window.open_path(str(twin))
    until(lambda: len(window.session.opened) == 2 and window.session.tasks.waiting == 0)


def test_of_several_files_of_one_layout_only_one_asks(window: Window, unknown: Path, until: Until) -> None:
    twins = [unknown.with_name(f"unknown_{number}.h5") for number in (2, 3)]
    for twin in twins:
        twin.write_bytes(unknown.read_bytes())
    for path in (unknown, *twins):
        window.open_path(str(path))
    until(lambda: window.session.tasks.waiting == 0 and not window.session.opening)
    (dialog,) = (dialog for dialog in window.findChildren(MappingDialog) if dialog.isVisible())
    dialog.accept()
    until(lambda: len(window.session.opened) == 3 and window.session.tasks.waiting == 0)
    assert not [dialog for dialog in window.findChildren(MappingDialog) if dialog.isVisible()]


def test_a_mapping_may_be_kept_beside_the_file_alone(window: Window, unknown: Path, until: Until) -> None:
    dialog = ask(window, unknown, until)
    dialog.keep.setChecked(False)
    dialog.accept()
    until(lambda: window.session.current is not None and window.session.tasks.waiting == 0)
    assert window.workspace is not None
    assert window.workspace.card.findChild(QPushButton, "datasets") is not None
    assert not [row for row in window.workspace.form.rows() if "mapping" in row.choice.path]
    window.workspace.card.keep_button.click()
    until(lambda: unknown.with_suffix(".toml").exists() and window.session.tasks.waiting == 0)
    window.close_file()
    window.open_path(str(unknown))
    until(lambda: window.session.current is not None and window.session.tasks.waiting == 0)


def test_what_does_not_fit_is_said_at_once(window: Window, unknown: Path, until: Until) -> None:
    dialog = ask(window, unknown, until)
    axes = dialog.fields["axes"]
    axes.setCurrentIndex(axes.findData("nyx"))
    until(lambda: window.session.tasks.waiting == 0)
    assert "40 frames but 30 positions" in dialog.result_line.text()
    assert not dialog.open_button.isEnabled()
    dialog.likely_button.click()
    until(lambda: dialog.open_button.isEnabled())
    dialog.reject()
    assert window.session.opened == []


def test_the_choice_can_be_changed_later_and_taken_back(window: Window, unknown: Path, until: Until) -> None:
    ask(window, unknown, until).accept()
    until(lambda: window.session.current is not None and window.session.tasks.waiting == 0)
    window.actions_by_id["choose_datasets"].trigger()
    until(lambda: window.session.tasks.waiting == 0)
    dialog = dialog_of(window, MappingDialog)
    dialog.fields["energy"].setCurrentIndex(0)
    until(lambda: dialog.open_button.isEnabled() and window.session.tasks.waiting == 0)
    dialog.accept()
    until(lambda: window.session.tasks.waiting == 0)
    current = window.session.current
    assert current is not None
    assert current.dataset is not None
    assert current.dataset.geometry.wavelength_m is None
    window.session.undo.undo()
    until(lambda: window.session.tasks.waiting == 0)
    assert current.dataset.geometry.wavelength_m is not None


def test_every_kind_of_array_can_be_looked_at(window: Window, scan: Path, unknown: Path, until: Until) -> None:
    window.open_path(str(scan))
    until(lambda: window.session.current is not None and window.session.tasks.waiting == 0)
    window.actions_by_id["contents"].trigger()
    dialog = dialog_of(window, ContentsDialog)
    until(lambda: dialog.view.contents is not None)
    dialog.reject()
    window.datasets.contents_of(str(unknown))
    dialog = dialog_of(window, ContentsDialog)
    view = dialog.view.view
    until(lambda: dialog.view.contents is not None)

    def look(path: str) -> None:
        dialog.view.choose(path)
        until(lambda: window.session.tasks.waiting == 0)

    look("/run/camera/stack")
    assert view.stack.currentWidget() is view.panel
    assert view.panel.picture.values.shape == (48, 30)
    view.axes.setCurrentIndex(next(i for i in range(view.axes.count()) if view.axes.itemData(i) == (0, 1)))
    view.slider.setValue(7)
    until(lambda: window.session.tasks.waiting == 0)
    with h5py.File(unknown) as file:
        np.testing.assert_array_equal(view.panel.picture.values, file["run/camera/stack"][:, :, 7])
    look("/run/waves")
    assert np.iscomplexobj(view.panel.picture.values)
    look("/run/stage/positions")
    assert view.stack.currentWidget() is view.curves
    look("/run/name")
    assert view.text.toPlainText() == "a scan"
    look("/run/elsewhere")
    assert "is not followed" in view.note.text()
    dialog.view.search.setText("stage pos")
    shown = [item.text(0) for item in dialog.view._by_path.values() if not item.isHidden()]
    assert shown == ["run", "stage", "positions"]


def test_a_dialog_may_close_while_it_reads(window: Window, unknown: Path, until: Until) -> None:
    for _ in range(3):
        window.datasets.contents_of(str(unknown))
        dialog_of(window, ContentsDialog).reject()  # before the tree is there
        window.datasets.contents_of(str(unknown))
        dialog = dialog_of(window, ContentsDialog)
        until(lambda view=dialog.view: view.contents is not None)
        dialog.view.choose("/run/camera/stack")
        dialog.reject()  # before the picture is there
        window.datasets.ask(str(unknown))
        dialog_of(window, MappingDialog).reject()
    until(lambda: window.session.tasks.waiting == 0 and not window.findChildren(ContentsDialog))
    assert window.notices.texts() == []


def test_a_damaged_file_says_so_in_the_dialog(window: Window, unknown: Path, until: Until) -> None:
    unknown.write_bytes(unknown.read_bytes()[:5000])
    window.datasets.contents_of(str(unknown))
    until(lambda: window.session.tasks.waiting == 0)
    assert "damaged HDF5" in dialog_of(window, ContentsDialog).view.view.title.text()
