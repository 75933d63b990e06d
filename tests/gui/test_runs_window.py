"""Runs through the window: the question before a queue, looking back, exporting, comparing, leaving."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from PyQt6.QtWidgets import QDialog, QMessageBox
from pytestqt.qtbot import QtBot

from ptychogui import io
from ptychogui.gui.compare import CompareDialog
from ptychogui.gui.export_dialog import ExportDialog
from ptychogui.gui.history_view import HistoryView
from ptychogui.gui.notes_dialog import NotesDialog
from ptychogui.gui.views.objects import ObjectView
from ptychogui.gui.window import Window
from ptychogui.types import Notes

Until = Callable[[Callable[[], object]], None]
ENDLESS = {"kind": "rpie", "epochs": 100_000}


def solve(window: Window, solver: dict[str, object]) -> None:
    assert window.session.current is not None
    window.session.edit(window.session.current.job.with_value("solver", solver).with_value("stop.held_out", 0.0))


def shown(window: Window, kind: type[QDialog]) -> QDialog:
    return next(dialog for dialog in window.findChildren(kind) if dialog.isVisible())


def answer(window: Window, text: str) -> None:
    box = shown(window, QMessageBox)
    next(button for button in box.buttons() if button.text() == text).click()


def test_run_during_a_run_asks_and_history_shows_the_past(opened: Window, until: Until, qtbot: QtBot) -> None:
    session = opened.session
    solve(opened, ENDLESS)
    opened.actions_by_id["run"].trigger()
    until(lambda: session.current_run is not None and len(session.current_run.iterates) > 2)
    going = session.current_run
    assert going is not None
    opened.actions_by_id["run"].trigger()
    answer(opened, "Add to the queue")
    assert session.queue.waiting[0][1].state == "queued, next"
    assert session.current_run is going
    workspace = opened.workspace
    assert workspace is not None
    history, phase = workspace.views["history"], workspace.views["object_phase"]
    assert isinstance(history, HistoryView)
    assert isinstance(phase, ObjectView)
    opened.actions_by_id["show_history"].trigger()
    until(lambda: history.slider.maximum() > 2)
    history.slider.setValue(1)
    assert phase.result is going.iterates[1]
    before = going.snapshot
    until(lambda: going.snapshot is not before)
    assert phase.result is going.iterates[1]  # what comes in does not push the past aside
    history.slider.setValue(history.slider.maximum())
    until(lambda: phase.result is None and phase.snapshot is not None)
    session.queue.clear()
    opened.actions_by_id["stop"].trigger()
    until(lambda: session.running is None)
    solve(opened, {"kind": "rpie", "epochs": 1})
    history.slider.setValue(2)
    history.branch.click()
    until(lambda: session.running is None)
    assert session.current_run is not None
    assert session.current_run.parent.startswith(f"{going.name}, epoch ")


def test_export_writes_what_is_ticked_as_it_is_seen(opened: Window, until: Until, tmp_path: Path) -> None:
    session = opened.session
    solve(opened, {"kind": "rpie", "epochs": 2})
    opened.actions_by_id["run"].trigger()
    until(lambda: session.running is None)
    assert opened.workspace is not None
    panel = opened.workspace.views["object_phase"].panel
    panel.choose_map("viridis")
    panel._take_range(-0.5, 0.25)
    session.annotate(session.current_run, Notes(3, "by hand"))
    opened.actions_by_id["export"].trigger()
    dialog = shown(opened, ExportDialog)
    assert isinstance(dialog, ExportDialog)
    for name, tick in dialog.formats.items():
        tick.setChecked(name in ("png", "report", "hdf5"))
    for name, tick in dialog.pictures.items():
        tick.setChecked(name == "object_phase")
    dialog.folder.setText(str(tmp_path / "out"))
    names = [dialog.names.item(i).text() for i in range(dialog.names.count())]
    assert names == ["object_phase.png", "result.h5", "report.html"]
    dialog.accept()
    until(lambda: session.tasks.waiting == 0)
    assert sorted(names) == sorted(path.name for path in (tmp_path / "out").iterdir())
    assert io.read_result(tmp_path / "out" / "result.h5").notes == Notes(3, "by hand")
    colours = np.asarray(Image.open(tmp_path / "out" / "object_phase.png").convert("RGB"), int).reshape(-1, 3)
    assert (np.ptp(colours, axis=1) > 100).sum() > 1000  # viridis is no grey
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "★★★☆☆" in report
    assert "ptychogui run" in report


def test_rating_comparing_and_running_again(opened: Window, until: Until, qtbot: QtBot) -> None:
    session = opened.session
    for number in (2, 3):
        solve(opened, {"kind": "rpie", "epochs": number})
        opened.actions_by_id["run"].trigger()
        until(lambda: session.running is None)
    assert session.current is not None
    first, second = session.current.runs
    opened.actions_by_id["annotate"].trigger()
    notes = shown(opened, NotesDialog)
    assert isinstance(notes, NotesDialog)
    notes.stars[3].click()
    notes.text.setPlainText("better")
    notes.accept()
    assert second.notes == Notes(4, "better")
    opened.actions_by_id["compare_jobs"].trigger()
    compared = shown(opened, CompareDialog)
    assert isinstance(compared, CompareDialog)
    assert compared.table.item(0, 0).text() == "solver.epochs"
    until(lambda: "NRMSE" in compared.said.text())
    compared.reject()
    session.select(session.current, first)
    opened.actions_by_id["rerun"].trigger()
    until(lambda: session.running is None)
    again = session.current_run
    assert again is not None
    assert again.result is not None
    assert first.result is not None
    np.testing.assert_array_equal(again.result.loss, first.result.loss)
    assert session.current.job.stages[0].epochs == 2
    opened.actions_by_id["remove_run"].trigger()
    assert session.current.runs == [first, second]
    assert "undo brings it back" in opened.notices.texts()[-1]
    session.undo.undo()
    assert session.current.runs == [first, second, again]
    assert session.current_run is again
    assert not [text for text in opened.notices.texts() if "undo brings it back" in text]


def test_closing_tells_of_the_queue_and_can_stop_it(opened: Window, until: Until) -> None:
    session = opened.session
    solve(opened, ENDLESS)
    opened.actions_by_id["run"].trigger()
    opened.actions_by_id["queue"].trigger()
    until(lambda: session.current_run is not None and session.current_run.snapshot is not None)
    opened.close()
    box = shown(opened, QMessageBox)
    assert "In the queue waits 1 run" in box.informativeText()
    answer(opened, "Save and stop")
    until(lambda: session.tasks.closing)
    assert session.current is not None
    assert [run.saved is not None for run in session.current.runs] == [True]
