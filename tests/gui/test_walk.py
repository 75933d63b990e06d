"""Walks over the window: every action in every state of the session, and random ways that end in a project."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from PyQt6.QtCore import QCoreApplication, QEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QDialog, QMenu, QMessageBox

from ptychogui.gui.actions import ACTIONS
from ptychogui.gui.app import application
from ptychogui.gui.edit_job import EditJob
from ptychogui.gui.export_dialog import ExportDialog
from ptychogui.gui.live_settings import Listening
from ptychogui.gui.project import state_of
from ptychogui.gui.window import Window
from ptychogui.live.replay import Replay

pytestmark = pytest.mark.usefixtures("qtbot")
WAIT_S = 120.0
LEAVES = ("quit", "close_file")
"""Left to the end of a walk, as they take away what it walks over."""
ENDS = ("stop",)
WAYS = (
    *("pause", "pause", "stop", "queue", "branch", "rerun", "show_history", "tear_off", "save_project"),
    *("queue", "queue_earlier", "queue_later", "remove_run"),
)


def until(done: Callable[[], object]) -> None:
    """Wait, with the loop of Qt going round."""
    begun = time.monotonic()
    while not done():
        assert time.monotonic() - begun < WAIT_S, "nothing came of it"
        QTest.qWait(10)


def made() -> Window:
    application()
    window = Window()
    window.show()
    until(lambda: window.workspace is not None)
    return window


def opened(window: Window, path: Path) -> None:
    count = len(window.session.opened)
    window.open_path(str(path))
    until(lambda: len(window.session.opened) > count)
    until(lambda: rested(window) and window.workspace is not None and window.workspace.arranged)


def rested(window: Window) -> bool:
    session = window.session
    return session.tasks.waiting == 0 and not session.opening and not any(one.reading for one in session.opened)


def ended(window: Window) -> None:
    session = window.session
    while session.queue.waiting:
        session.remove(*session.queue.waiting[0])
    if session.running is not None:
        session.stop()
        until(lambda: session.running is None)
    until(lambda: rested(window) or session.tasks.closing)


def left(window: Window) -> None:
    ended(window)
    window.leave()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def put_away() -> None:
    """Close every dialog, menu and window beside the main one, as Escape does."""
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, QMessageBox):
            widget.reject()
        elif widget.isVisible() and isinstance(widget, QDialog | QMenu):
            widget.close()


def listened(window: Window, scan: Path) -> None:
    """A scan of a source is coming, and is being reconstructed."""
    view = window.workspace.views["live"]
    view.form.set_params(Listening(source=Replay(path=str(scan), rate=12, times=100), folder=str(scan.parent / "live")))
    view.take(view.listening)
    window.actions_by_id["live_connect"].trigger()
    until(lambda: window.session.running is not None and window.session.running.snapshot is not None)


def in_state(window: Window, state: str, scan: Path) -> None:
    session = window.session
    if state == "empty":
        return
    if state == "live":
        listened(window, scan)
        return
    opened(window, scan)
    assert session.current is not None
    if state == "loaded":
        return
    epochs = 2 if state == "finished" else 100_000
    session.edit(session.current.job.with_value("solver.epochs", epochs))
    window.actions_by_id["run"].trigger()
    until(
        lambda: session.running is None if state == "finished" else session.current_run and session.current_run.snapshot
    )
    if state == "paused":
        window.actions_by_id["pause"].trigger()
        until(lambda: session.paused)


@pytest.mark.parametrize("state", ["empty", "loaded", "running", "paused", "finished", "live"])
def test_every_action_works_or_says_why_not(state: str, scan: Path) -> None:
    window = made()
    errors: list[str] = []
    window.session.message.connect(lambda level, text, _: errors.append(text) if level == "error" else None)
    in_state(window, state, scan)
    names = [action.id for action in ACTIONS if action.id not in (*LEAVES, *ENDS)]
    for name in (*names, *ENDS, *LEAVES):
        entry = window.actions_by_id[name]
        if not entry.isEnabled():
            assert entry.toolTip(), name
            why = next(action.why for action in ACTIONS if action.id == name)(window.session)
            assert why, f"{name} is grey without a reason"
            assert entry.toolTip() == why
            continue
        entry.trigger()
        QTest.qWait(10)
        put_away()
        if name == "pause" and window.session.paused and state == "running":
            entry.trigger()
        until(lambda: window.session.tasks.waiting == 0 or window.session.tasks.closing)
        assert not errors, name
    put_away()
    left(window)


class Walk(RuleBasedStateMachine):
    """A user who does anything in any order; at the end the session is what its project holds."""

    scan: Path
    ended: int
    """The walks that came to their end."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.window = made()
        self.errors: list[str] = []
        self.window.session.message.connect(self._told)
        self.jobs: dict[tuple[EditJob, ...], dict[str, Any]] = {}
        self.files = 0

    def _told(self, level: str, text: str, _: str) -> None:
        if level == "error":
            self.errors.append(text)

    def settled(self) -> None:
        """Wait for threads; remember what the jobs are after these edits."""
        until(lambda: rested(self.window))
        QTest.qWait(5)
        put_away()
        assert not self.errors
        if self.window.session.undo.count() == 0:
            self.jobs = {}
        self.jobs[self.edits()] = {one.path: one.job.plain() for one in self.window.session.opened}

    def edits(self) -> tuple[EditJob, ...]:
        """The edits of jobs that are in force; what was done with runs leaves the undo stack when they begin."""
        stack = self.window.session.undo
        done = [stack.command(place) for place in range(stack.index())]
        return tuple(edit for edit in done if isinstance(edit, EditJob))

    def trigger(self, name: str) -> None:
        entry = self.window.actions_by_id[name]
        if entry.isEnabled():
            entry.trigger()
        self.settled()

    @precondition(lambda self: self.files < 3)
    @rule()
    def open(self) -> None:
        self.files += 1
        path = self.folder / f"scan{self.files}.cxi"
        shutil.copy(self.scan, path)
        opened(self.window, path)
        self.settled()

    @rule(
        path_value=st.sampled_from(
            [
                ("solver.epochs", 1),
                ("solver.epochs", 3),
                ("solver.object_step", 0.02),
                ("refine.positions.enabled", False),
                ("penalties.smoothness.enabled", True),
                ("seed", 5),
            ]
        )
    )
    def edit(self, path_value: tuple[str, Any]) -> None:
        session = self.window.session
        if session.current is None:
            return
        session.edit(session.current.job.with_value(*path_value))
        self.settled()

    @rule(flip=st.sampled_from(["none", "x"]))
    def prepare(self, flip: str) -> None:
        session = self.window.session
        if session.current is None or session.running is not None:
            return
        session.edit_data(session.current.job.data.model_copy(update={"scan_flip": flip}))
        self.settled()

    @rule(forward=st.booleans())
    def undo(self, forward: bool) -> None:
        stack = self.window.session.undo
        if forward:
            stack.redo()
        else:
            stack.undo()
        until(lambda: rested(self.window))
        known = self.jobs.get(self.edits(), {})
        now = {one.path: one.job.plain() for one in self.window.session.opened}
        assert all(now[path] == job for path, job in known.items() if path in now)
        self.settled()

    @rule()
    def run(self) -> None:
        self.trigger("run")

    @rule(name=st.sampled_from(WAYS))
    def act(self, name: str) -> None:
        if name == "pause" and self.window.session.running is not None:
            self.window.actions_by_id["pause"].trigger()
        self.trigger(name)

    @rule(seconds=st.sampled_from([0.02, 0.3]))
    def wait(self, seconds: float) -> None:
        QTest.qWait(int(1000 * seconds))
        self.settled()

    @rule()
    def export(self) -> None:
        entry = self.window.actions_by_id["export"]
        if entry.isEnabled():
            entry.trigger()
            dialog = self.window.findChildren(ExportDialog)[-1]
            dialog.folder.setText(str(self.folder / "pictures"))
            dialog.accept()
        self.settled()

    @rule()
    def close(self) -> None:
        session = self.window.session
        if session.current is not None:
            session.close(session.current)
        self.settled()

    def teardown(self) -> None:
        try:
            ended(self.window)
            put_away()
            project = self.folder / "kept.ptychoproj"
            self.window.projects.write(project)
            until(lambda: rested(self.window))
            before = state_of(self.window.session)
            left(self.window)
            self.window = made()
            self.window.projects.open(project)
            until(lambda: len(self.window.session.opened) == len(before["scans"]) and rested(self.window))
            assert state_of(self.window.session) == before
            type(self).ended += 1
        finally:
            left(self.window)
            shutil.rmtree(self.folder, ignore_errors=True)


def walked(scan: Path, walks: int, steps: int) -> int:
    """How many walks ended with the session as its project holds it."""
    machine = type("WalkOf", (Walk,), {"scan": scan, "ended": 0})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=walks,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
    return machine.ended


def test_a_random_walk_ends_with_the_session_as_its_project_holds_it(scan: Path) -> None:
    assert walked(scan, 2, 25) == 2


@pytest.mark.slow
def test_fifty_random_walks(scan: Path) -> None:
    assert walked(scan, 50, 100) == 50


def test_undo_gives_back_the_job_and_the_picture_bit_for_bit(scan: Path) -> None:
    window = made()
    opened(window, scan)
    session = window.session
    assert session.current is not None
    session.edit(session.current.job.with_value("solver.epochs", 2))
    until(lambda: session.current.preview and session.current.preview.complete)

    def solved() -> bytes:
        window.actions_by_id["run"].trigger()
        until(lambda: session.running is None and session.current_run is not None and session.current_run.result)
        return session.current_run.result.obj.slices.tobytes()

    job, preview, before = session.current.job, session.current.preview, solved()
    for path, value in (("bin", 2), ("scan_flip", "x"), ("mask_above", 1000.0)):
        session.edit_data(session.current.job.with_value(f"data.{path}", value).data)
        until(lambda: rested(window))
    session.edit(session.current.job.with_value("solver.object_step", 0.01))
    assert solved() != before
    for _ in range(4):
        session.undo.undo()
        until(lambda: rested(window))
    until(lambda: session.current.preview and session.current.preview.complete)
    assert session.current.job == job
    assert preview is not None
    assert np.array_equal(session.current.preview.mean_pattern, preview.mean_pattern, equal_nan=True)
    assert solved() == before
    left(window)
