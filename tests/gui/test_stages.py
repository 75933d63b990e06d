"""The list of stages: pure changes, and the widgets in which they are made."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QLineEdit, QToolButton
from pytestqt.qtbot import QtBot

from ptychogui.gui.forms import JobForm
from ptychogui.gui.opened import Opened
from ptychogui.gui.run_bar import stage_text
from ptychogui.gui.session import Session
from ptychogui.gui.stages import Change, StageList, changed, possible, solvers, with_stages
from ptychogui.gui.timeline import GAP_PX, Progress, Timeline, line, progress_of
from ptychogui.job import Job

Until = Callable[[Callable[[], object]], None]
THREE = Job().with_value(
    "solver", [{"kind": "epie", "epochs": 3}, {"kind": "rpie", "epochs": 5}, {"kind": "adam", "epochs": 7}]
)


def kinds(job: Job) -> list[str]:
    return [stage.kind for stage in job.stages]


def button(form: JobForm, name: str) -> QToolButton:
    found = form.findChild(QToolButton, f"stage_{name}")
    assert found is not None
    return found


def timeline(form: JobForm) -> Timeline:
    found = form.findChild(Timeline, "timeline")
    assert found is not None
    return found


def add(form: JobForm, kind: str) -> None:
    menu = button(form, "add").menu()
    assert menu is not None
    next(action for action in menu.actions() if action.text() == kind).trigger()


@pytest.fixture
def form(qtbot: QtBot) -> JobForm:
    form = JobForm(Job())
    qtbot.addWidget(form)
    form.show()
    return form


@pytest.mark.parametrize(
    ("change", "at", "after", "then"),
    [
        ("double", 1, ["epie", "rpie", "rpie", "adam"], 2),
        ("remove", 0, ["rpie", "adam"], 0),
        ("remove", 2, ["epie", "rpie"], 1),
        ("up", 2, ["epie", "adam", "rpie"], 1),
        ("down", 0, ["rpie", "epie", "adam"], 1),
    ],
)
def test_a_change_does_what_it_says(change: Change, at: int, after: list[str], then: int) -> None:
    stages, place = changed(THREE.stages, at, change)
    assert kinds(with_stages(THREE, stages)) == after
    assert place == then


def test_what_is_impossible_is_known() -> None:
    assert not possible(THREE.stages, 0, "up")
    assert not possible(THREE.stages, 2, "down")
    assert not possible(Job().stages, 0, "remove")


def test_a_single_stage_is_no_list() -> None:
    assert with_stages(THREE, THREE.stages[2:]).solver == THREE.stages[2]


def test_stages_are_added_and_taken_away_by_buttons(form: JobForm, qtbot: QtBot) -> None:
    told: list[Job] = []
    form.job_changed.connect(lambda job, _: told.append(job))
    shown = timeline(form)
    assert len(shown.blocks()) == 1
    for kind in solvers(Job()):
        add(form, kind)
    assert kinds(form.job) == [Job().stages[0].kind, *solvers(Job())]
    assert told[-1] == form.job
    assert len(shown.blocks()) == len(form.job.stages)
    while len(form.job.stages) > 1:
        button(form, "remove").click()
    assert form.job == Job()
    assert len(shown.blocks()) == 1


def test_essentials_are_those_of_the_selected_stage(form: JobForm) -> None:
    form.set_job(THREE)
    shown = timeline(form)
    for at in range(3):
        shown.select(at)
        section = next(s for s in form._sections.values() if s.objectName() == "section.essentials")
        names = {row.choice.name for row in section.rows.values() if row.choice.path[0] == "solver"}
        assert f"solver.{at}.epochs" in names
        assert all(name.startswith(f"solver.{at}.") for name in names)
    shown.select(1)
    button(form, "up").click()
    assert kinds(form.job) == ["rpie", "epie", "adam"]
    assert shown.at == 0
    assert not button(form, "up").isEnabled()


def test_what_is_being_typed_counts_before_a_stage_is_doubled(form: JobForm, qtbot: QtBot) -> None:
    form.activateWindow()
    edit = next(e for e in form.findChildren(QLineEdit) if e.objectName() == "solver.epochs")
    edit.setFocus()
    qtbot.waitUntil(edit.hasFocus, timeout=60_000)
    edit.selectAll()
    qtbot.keyClicks(edit, "77")
    button(form, "add").setFocus()
    add(form, "epie")
    assert [stage.epochs for stage in form.job.stages] == [77, 50]
    qtbot.mouseClick(button(form, "double"), Qt.MouseButton.LeftButton)
    assert kinds(form.job) == [Job().stages[0].kind, "epie", "epie"]


def test_a_running_job_keeps_its_stages(form: JobForm) -> None:
    form.set_job(THREE)
    form.set_running(True)
    assert not any(b.isEnabled() for b in form.findChild(StageList, "stages").findChildren(QToolButton))  # type: ignore[union-attr]
    form.set_running(False)
    assert button(form, "double").isEnabled()


def test_a_change_of_stages_can_be_undone(session: Session, form: JobForm, scan: object, until: Until) -> None:
    session.open(str(scan))
    until(lambda: session.current is not None)
    assert session.current is not None
    before = session.current.job
    form.set_job(before)
    form.job_changed.connect(session.edit)
    add(form, "rpie")
    assert kinds(session.current.job) == [Job().stages[0].kind, "rpie"]
    session.undo.undo()
    assert session.current.job == before


def test_a_stage_says_its_solver_epochs_and_pixels(form: JobForm) -> None:
    form.set_job(Job().with_value("solver", [{"kind": "adam", "epochs": 9, "reduction": 4}, {"kind": "rpie"}]))
    shown = timeline(form)
    assert [line(i, stage) for i, stage in enumerate(shown.stages)] == [
        "1. adam, 9 epochs, pixels ×4",
        "2. rpie, 50 epochs",
    ]
    assert "2. rpie, 50 epochs" in shown.accessibleName()


def test_blocks_are_as_long_as_their_epochs_and_fill_the_line(form: JobForm) -> None:
    form.set_job(THREE)
    widths = [box.width() for box in timeline(form).blocks()]
    assert widths == sorted(widths)
    assert sum(widths) + 2 * GAP_PX == timeline(form).width()
    form.set_job(Job().with_value("solver", [{"kind": "rpie"}] * 40))
    assert timeline(form).blocks()[-1].right() == timeline(form).width() - 1


def test_a_block_is_dragged_to_another_place(form: JobForm, qtbot: QtBot) -> None:
    form.set_job(THREE)
    shown = timeline(form)
    first, last = shown.blocks()[0].center(), shown.blocks()[2].center()
    qtbot.mousePress(shown, Qt.MouseButton.LeftButton, pos=first)
    qtbot.mouseMove(shown, last + QPoint(8, 0))
    qtbot.mouseRelease(shown, Qt.MouseButton.LeftButton, pos=last + QPoint(8, 0))
    assert kinds(form.job) == ["rpie", "adam", "epie"]
    assert shown.at == 2
    qtbot.keyClick(shown, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    assert kinds(form.job) == ["rpie", "epie", "adam"]
    qtbot.keyClick(shown, Qt.Key.Key_Left)
    assert shown.at == 0
    qtbot.keyClick(shown, Qt.Key.Key_Delete)
    assert kinds(form.job) == ["epie", "adam"]
    form.set_running(True)
    qtbot.keyClick(shown, Qt.Key.Key_Delete)
    assert kinds(form.job) == ["epie", "adam"]


@pytest.mark.parametrize(
    ("stage", "epoch", "is_at"), [(0, 1, (0, 1 / 3)), (1, 3, (1, 0)), (2, 15, (2, 1)), (5, 99, (2, 1))]
)
def test_the_stage_at_work_is_marked(stage: int, epoch: int, is_at: tuple[int, float]) -> None:
    assert progress_of(THREE.stages, stage, epoch) == Progress(is_at[0], pytest.approx(is_at[1]))


def test_stages_of_one_kind_share_a_word_in_the_name_of_a_run() -> None:
    job = Job().with_value("solver", [{"kind": "rpie"}, {"kind": "adam"}, {"kind": "adam"}])
    assert Opened("scan.cxi", job).next_run().name == "Run 1 · rpie → adam ×2"


def test_the_bar_says_which_stage_runs(session: Session, scan: object, until: Until, qtbot: QtBot) -> None:
    session.open(str(scan))
    until(lambda: session.current is not None)
    assert session.current is not None
    session.edit(with_stages(session.current.job, THREE.stages[:2]))
    session.start()
    until(lambda: session.running is None)
    run = session.current_run
    assert run is not None
    assert run.snapshot is not None
    assert stage_text(run.job, run.snapshot).endswith("stage 2 of 2, rpie")
    assert stage_text(Job(), run.snapshot) == ""
