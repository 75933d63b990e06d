"""Projects: a session that was saved is opened as it was, and what a crash would have lost is offered again."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtWidgets import QMessageBox

from ptychogui import io
from ptychogui.gui import settings
from ptychogui.gui.autosave import autosaves
from ptychogui.gui.opened import Opened, Run
from ptychogui.gui.project import state_of
from ptychogui.gui.project_file import kept_run, with_files
from ptychogui.gui.window import Window
from ptychogui.io.data import Data
from ptychogui.job import Job, snapshots
from ptychogui.types import Notes, Result

Until = Callable[[Callable[[], object]], None]


@pytest.fixture(scope="module")
def results(scan_file: Path) -> tuple[Result, Result]:
    """Two results of the scan, the second of which goes on from the first."""
    job = Job(data=Data(path=str(scan_file))).with_value("solver.epochs", 1)
    dataset = io.read(job.data)
    *_, first = snapshots(job, dataset)
    assert isinstance(first, Result)
    *_, second = snapshots(job, dataset, initial=first)
    assert isinstance(second, Result)
    return first, second


@pytest.fixture
def window(new_window: Callable[[], Window], scan: Path, results: tuple[Result, Result], until: Until) -> Window:
    """Two scans are open; of the second there are two runs, the second of which goes on from the first."""
    window = new_window()
    second = scan.with_name("second.cxi")
    second.write_bytes(scan.read_bytes())
    for path in (second, scan):
        window.open_path(str(path))
        until(lambda: window.session.tasks.waiting == 0)
    until(lambda: window.workspace is not None and window.workspace.arranged)
    session = window.session
    assert session.current is not None
    session.edit(session.current.job.with_value("solver.epochs", 3))
    for result in results:
        run = session.current.next_run(initial=results[0] if result is results[1] else None)
        run.result, run.state = result, "finished"
    last_run(window).iterates = [results[0]]
    session.select(session.current, last_run(window))
    session.annotate(last_run(window), Notes(4, "sharp spokes"))
    session.edit(session.current.job.with_value("solver.epochs", 7))
    session.watch(5)
    return window


def last_run(window: Window) -> Run:
    assert window.session.current is not None
    return window.session.current.runs[-1]


def scans(window: Window) -> list[Opened]:
    return window.session.opened


def save(window: Window, path: Path, until: Until) -> None:
    window.projects.write(path)
    until(lambda: window.session.tasks.waiting == 0)
    assert path.exists()


def question(window: Window) -> QMessageBox:
    return next(box for box in window.findChildren(QMessageBox) if box.isVisible())


def answer(window: Window, text: str) -> None:
    next(button for button in question(window).buttons() if button.text() == text).click()


def test_a_session_is_opened_as_it_was_saved(
    window: Window, new_window: Callable[[], Window], tmp_path: Path, until: Until
) -> None:
    assert window.workspace is not None
    window.workspace.docks["scan"].hide()
    before = state_of(window.session)
    save(window, tmp_path / "day" / "one.ptychoproj", until)
    assert state_of(window.session) == before
    assert not window.session.unsaved()
    assert settings.recent()[0].line == "Project of 2 scans and 2 runs"

    other = new_window()
    other.open_path(str(tmp_path / "day" / "one.ptychoproj"))
    until(lambda: other.session.current is not None and other.session.tasks.waiting == 0)
    assert state_of(other.session) == before
    assert last_run(other).notes == Notes(4, "sharp spokes")
    assert last_run(other).initial is not None
    assert not other.session.unsaved()
    assert other.workspace is not None
    assert not other.workspace.docks["scan"].isVisible()
    np.testing.assert_array_equal(last_run(other).result.obj.slices, last_run(window).result.obj.slices)
    assert scans(other)[1].dataset is not None


def test_a_project_and_its_data_may_move_together(
    window: Window, new_window: Callable[[], Window], tmp_path: Path, until: Until
) -> None:
    save(window, tmp_path / "one.ptychoproj", until)
    written = tomllib.loads((tmp_path / "one.ptychoproj").read_text(encoding="utf-8"))
    assert written["scans"][1]["path"] == "scan.cxi"
    moved = tmp_path.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))
    try:
        other = new_window()
        other.open_path(str(moved / "one.ptychoproj"))
        until(lambda: other.session.current is not None and other.session.tasks.waiting == 0)
        assert all(scan.dataset is not None for scan in scans(other))
        assert Path(scans(other)[1].path).parent == moved
        assert last_run(other).result is not None
    finally:
        shutil.rmtree(tmp_path)
        moved.rename(tmp_path)


def test_what_is_missing_is_told_and_the_rest_is_opened(
    window: Window, new_window: Callable[[], Window], tmp_path: Path, until: Until
) -> None:
    save(window, tmp_path / "one.ptychoproj", until)
    gone = last_run(window).saved
    assert gone is not None
    gone.unlink()
    (tmp_path / "second.cxi").unlink()
    other = new_window()
    other.open_path(str(tmp_path / "one.ptychoproj"))
    until(lambda: other.session.current is not None and other.session.tasks.waiting == 0)
    told = " ".join(other.notices.texts())
    assert gone.name in told
    assert "second.cxi does not exist" in told
    assert [run.result is not None for run in scans(other)[1].runs] == [True, False]


def test_a_saved_project_is_saved_again_without_asking(window: Window, tmp_path: Path, until: Until) -> None:
    path = tmp_path / "one.ptychoproj"
    save(window, path, until)
    results = {each: each.stat().st_mtime_ns for each in (tmp_path / "one_runs").iterdir()}
    assert window.session.current is not None
    window.session.edit(window.session.current.job.with_value("seed", 11))
    window.actions_by_id["save_project"].trigger()
    until(lambda: window.session.tasks.waiting == 0)
    assert tomllib.loads(path.read_text(encoding="utf-8"))["scans"][1]["job"]["seed"] == 11
    assert {each: each.stat().st_mtime_ns for each in (tmp_path / "one_runs").iterdir()} == results


def test_no_file_of_a_removed_run_stays_behind(window: Window, tmp_path: Path, until: Until) -> None:
    path, session, folder = tmp_path / "one.ptychoproj", window.session, tmp_path / "one_runs"
    save(window, path, until)
    whole, run = sorted(folder.iterdir()), last_run(window)
    place = run.saved
    assert place in whole
    session.select(session.current, run)
    window.actions_by_id["remove_run"].trigger()
    assert "Its file is deleted when the project is saved" in window.notices.texts()[-1]
    assert sorted(folder.iterdir()) == whole  # the project on disk still names it
    save(window, path, until)
    assert sorted(folder.iterdir()) == [each for each in whole if each != place]
    assert "1 file was deleted from its folder" in " ".join(window.notices.texts())
    session.undo.undo()
    assert last_run(window) is run
    assert run.unsaved
    save(window, path, until)
    assert sorted(folder.iterdir()) == whole
    assert not run.unsaved
    for _ in scans(window)[1].runs[:]:
        session.remove(scans(window)[1], last_run(window))
    save(window, path, until)
    assert not folder.exists()


def test_an_opened_project_is_saved_again_into_the_same_files(
    window: Window, new_window: Callable[[], Window], tmp_path: Path, until: Until
) -> None:
    first, second = tmp_path / "one.ptychoproj", tmp_path / "two.ptychoproj"
    save(window, first, until)
    files = {each: each.stat().st_mtime_ns for each in (tmp_path / "one_runs").iterdir()}
    other = new_window()
    other.open_path(str(first))
    until(lambda: other.session.current is not None and other.session.tasks.waiting == 0)
    save(other, first, until)
    assert {each: each.stat().st_mtime_ns for each in (tmp_path / "one_runs").iterdir()} == files
    save(other, second, until)  # a project keeps what another one may delete
    assert len(list((tmp_path / "two_runs").iterdir())) == len(files)
    assert {each: each.stat().st_mtime_ns for each in (tmp_path / "one_runs").iterdir()} == files
    kept = tmp_path / "by_hand.h5"
    other.session.save(last_run(other), kept)
    until(lambda: last_run(other).saved == kept)
    other.session.remove(scans(other)[1], last_run(other))
    save(other, second, until)
    assert kept.exists()


def test_a_project_is_not_opened_over_results_without_asking(window: Window, tmp_path: Path, until: Until) -> None:
    save(window, tmp_path / "one.ptychoproj", until)
    last_run(window).saved = None
    window.open_path(str(tmp_path / "one.ptychoproj"))
    assert "not saved" in question(window).informativeText()
    answer(window, "Cancel")
    assert last_run(window).unsaved
    window.open_path(str(tmp_path / "one.ptychoproj"))
    answer(window, "Open without saving")
    until(lambda: window.session.tasks.waiting == 0 and not last_run(window).unsaved)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("scans = 3", "scans is 3"), ("[[scans]", "is no project"), ("version = 2", "version")],
)
def test_what_is_no_project_is_refused(
    text: str, sentence: str, new_window: Callable[[], Window], tmp_path: Path, until: Until
) -> None:
    window = new_window()
    (tmp_path / "bad.ptychoproj").write_text(text, encoding="utf-8")
    window.open_path(str(tmp_path / "bad.ptychoproj"))
    until(lambda: window.notices.texts())
    assert sentence in window.notices.texts()[0]
    assert "bad.ptychoproj" in window.notices.texts()[0]


CRASH = """
import os, sys
from pathlib import Path
from PyQt6.QtCore import QTimer
from ptychogui import io
from ptychogui.gui.app import application
from ptychogui.gui.window import Window
from ptychogui.gui.opened import Run
app = application()
window = Window()
window.show()
def opened():
    session = window.session
    run = session.current.next_run()
    run.result, run.state = io.read_result(sys.argv[2]), "finished"
    session.edit(session.current.job.with_value("seed", 77))
    window.projects.autosave.write(then=lambda: os._exit(9))
window.session.file_opened.connect(lambda: QTimer.singleShot(0, opened))
window.ready.connect(lambda: window.open_path(sys.argv[1]))
app.exec()
"""


def test_after_a_crash_the_session_is_offered_again(
    scan: Path, results: tuple[Result, Result], new_window: Callable[[], Window], tmp_path: Path, until: Until
) -> None:
    written, result = results[1], tmp_path / "result.h5"
    io.write_result(written, result)
    ended = subprocess.run([sys.executable, "-c", CRASH, str(scan), str(result)], timeout=100, check=False)
    assert ended.returncode == 9
    other = new_window()
    assert "1 scan and 1 run" in question(other).informativeText()
    answer(other, "Recover")
    until(lambda: other.session.current is not None and other.session.tasks.waiting == 0)
    assert scans(other)[0].job.seed == 77
    assert last_run(other).unsaved
    np.testing.assert_array_equal(last_run(other).result.obj.slices, written.obj.slices)
    assert len(list(autosaves().iterdir())) == 1  # the new window's own; what was recovered is in it


def test_of_a_run_that_goes_on_the_last_kept_state_is_its_result(results: tuple[Result, Result]) -> None:
    run = Run("Run 1", Job(), "running", iterates=list(results))
    kept = kept_run(run)
    assert kept.result is results[1]
    assert kept.entry.state == "interrupted"
    assert kept_run(Run("Run 2", Job(), "queued, next")).entry.state == "not begun"


def test_what_is_closed_properly_leaves_nothing_behind(
    window: Window, new_window: Callable[[], Window], until: Until
) -> None:
    window.projects.autosave.write()
    until(lambda: window.session.tasks.waiting == 0)
    assert len(list(autosaves().iterdir())) == 1
    beside = new_window()  # a second window leaves the first one's alone
    assert not [box for box in beside.findChildren(QMessageBox) if box.isVisible()]
    window.leave()
    assert not list(autosaves().iterdir())


def test_a_result_that_a_run_starts_from_moves_with_its_project() -> None:
    job = Job.read({"start": {"kind": "file", "path": "results/first.h5"}, "data": {"path": "scan.cxi"}})
    moved = with_files(job, lambda name: f"/elsewhere/{name}")
    assert moved.start.path == "/elsewhere/results/first.h5"
    assert moved.data.path == "/elsewhere/scan.cxi"
