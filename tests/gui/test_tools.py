"""The dialogs of the menu Tools, on real widgets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from PyQt6.QtWidgets import QFrame, QLabel, QPushButton, QWidget

from ptychogui.gui.check_dialog import CheckDialog
from ptychogui.gui.design_dialog import DesignDialog
from ptychogui.gui.preflight import Preflight
from ptychogui.gui.session import Session
from ptychogui.gui.steps_dialog import StepsDialog
from ptychogui.gui.stream_dialog import StreamDialog
from ptychogui.job import Job
from ptychogui.steps import StepSearch

Until = Callable[[Callable[[], object]], None]


def press(dialog: StreamDialog, name: str) -> None:
    button = dialog.findChild(QPushButton, name)
    assert button is not None
    assert button.isEnabled(), name
    button.click()


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """Not square, not symmetric."""
    y, x = np.mgrid[:40, :56]
    grey = 255 * np.exp(-(((y - 12) / 9) ** 2) - ((x - 34) / 14) ** 2)
    Image.fromarray(grey.astype(np.uint8)).save(tmp_path / "wanted.png")
    return tmp_path / "wanted.png"


@pytest.fixture
def design(over: QWidget, session: Session) -> DesignDialog:
    dialog = DesignDialog(session, over)
    dialog.open()
    return dialog


def test_a_design_forms_and_is_saved(
    design: DesignDialog, session: Session, photograph: Path, until: Until, tmp_path: Path
) -> None:
    assert not design.start_button.isEnabled()
    assert not design.save_button.isEnabled()
    design.choose(str(photograph))
    until(design.start_button.isEnabled)
    press(design, "start")
    until(lambda: not design.stream.running)
    assert design.stream.item.number == 30
    assert {name for name, panel in design.panels.items() if panel.picture is not None} == {
        "target",
        "picture",
        "field",
    }
    assert design.figure.text().endswith("after 30 iterations")
    assert len(design.curve._lines) == 1
    design.save(str(tmp_path / "field.h5"))
    until(lambda: session.tasks.waiting == 0)
    with h5py.File(tmp_path / "field.h5") as file:
        shapes = {item.shape for item in file.values() if isinstance(item, h5py.Dataset)}
    assert (40, 56) in shapes


def test_a_design_can_be_stopped_and_goes_with_its_dialog(design: DesignDialog, photograph: Path, until: Until) -> None:
    design.choose(str(photograph))
    until(design.start_button.isEnabled)
    design.form.set_params(design.form.params.with_value("iterations", 1_000_000))
    press(design, "start")
    until(lambda: design.stream.item)
    press(design, "stop_stream")
    until(lambda: not design.stream.running)
    assert design.save_button.isEnabled()
    press(design, "start")
    stream = design.stream
    press(design, "close")
    until(lambda: not stream.running)


def test_a_file_that_is_no_picture_is_refused_in_one_sentence(
    design: DesignDialog, until: Until, tmp_path: Path
) -> None:
    (tmp_path / "no.png").write_text("no picture")
    design.choose(str(tmp_path / "no.png"))
    problem = design.findChild(QLabel, "problem")
    assert problem is not None
    until(problem.text)
    assert "no picture that can be read" in problem.text()
    assert not design.start_button.isEnabled()


@pytest.fixture
def opened(session: Session, scan: Path, until: Until) -> Session:
    session.open(str(scan))
    until(lambda: session.current is not None and session.current.preview is not None)
    assert session.current is not None
    session.edit(session.current.job.model_copy(update={"solver": TWO.solver}))
    return session


TWO = Job().with_value("solver", [{"kind": "rpie", "epochs": 2}, {"kind": "epie", "epochs": 2, "object_step": 0.01}])
QUICK = StepSearch(frames=12, epochs=1, batches=False)


def test_steps_are_found_for_a_stage_and_used(opened: Session, over: QWidget, until: Until) -> None:
    dialog = StepsDialog(opened, over)
    dialog.open()
    dialog.form.set_params(QUICK)
    assert not dialog.apply_button.isEnabled()
    dialog.stage.setCurrentIndex(1)
    press(dialog, "start")
    until(lambda: not dialog.stream.running)
    assert dialog.problem.text() == ""
    found = dialog.stream.item
    assert found.ended
    assert dialog.map.panel.picture is not None
    assert dialog.map.panel.picture.values.shape == found.losses.shape
    assert dialog.map._describe(0.0, 0.0).startswith("object step")
    assert "short runs" in dialog.found.text()
    assert opened.current is not None
    before = opened.current.job
    press(dialog, "apply_steps")
    after = opened.current.job
    assert after.stages[0] == before.stages[0]
    assert {name: getattr(after.stages[1], name) for name in found.settings} == found.settings
    assert opened.undo.undoText() == "found step sizes"
    opened.undo.undo()
    assert opened.current.job == before


def test_a_search_for_steps_can_be_stopped(opened: Session, over: QWidget, until: Until) -> None:
    dialog = StepsDialog(opened, over)
    dialog.open()
    dialog.form.set_params(QUICK)
    press(dialog, "start")
    until(lambda: dialog.stream.item)
    press(dialog, "stop_stream")
    until(lambda: not dialog.stream.running)
    assert len(dialog.stream.item.trials) < 40
    assert not dialog.stream.item.ended


def test_a_check_finds_what_is_wrong_and_mends_it(opened: Session, over: QWidget, until: Until) -> None:
    current = opened.current
    assert current is not None
    opened.edit_data(current.job.data.model_copy(update={"scan_flip": "x"}))
    until(lambda: not current.reading)
    dialog = CheckDialog(opened, Preflight(opened), over)
    dialog.open()
    dialog.start()
    assert not dialog.all_button.isEnabled()
    until(lambda: not dialog.stream.running)
    assert dialog.problem.text() == ""
    assert dialog.summary.text().startswith("Checked: 1 wrong")
    first = dialog.findChildren(QFrame, "doubt.orientation")[0]
    light = first.findChild(QLabel, "light")
    assert light is not None
    assert light.accessibleName() == "Wrong"
    assert dialog.all_button.isEnabled()
    press(dialog, "mend.orientation")
    assert current.job.data.scan_flip == "none"
    assert opened.undo.undoText() == "fix of the check"
    assert not dialog.all_button.isEnabled()
    until(lambda: not current.reading)
    opened.undo.undo()
    assert current.job.data.scan_flip == "x"
    until(lambda: not current.reading)


def test_a_check_can_be_stopped_and_begun_again(opened: Session, over: QWidget, until: Until) -> None:
    dialog = CheckDialog(opened, Preflight(opened), over)
    dialog.open()
    dialog.start()
    until(lambda: dialog.stream.item)
    press(dialog, "stop_stream")
    until(lambda: not dialog.stream.running)
    assert dialog.summary.text().startswith("Stopped:")
    press(dialog, "start")
    assert dialog.stream.running
    dialog.reject()
