"""The preflight that runs by itself: lights at the run bar, reasons and fixes behind them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from ptychogui import io
from ptychogui.check import NEEDS_RUNS, quick, quick_look
from ptychogui.check.look import Look
from ptychogui.gui.check_dialog import CheckDialog
from ptychogui.gui.preflight import Preflight
from ptychogui.gui.preflight_strip import PreflightStrip, counted
from ptychogui.gui.session import Session
from ptychogui.io.data import Data
from ptychogui.job import Job

Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def over(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()
    return widget


@pytest.fixture
def strip(session: Session, over: QWidget) -> PreflightStrip:
    return PreflightStrip(Preflight(session), session, over)


def complete(strip: PreflightStrip) -> bool:
    known = strip._preflight.known
    return known is not None and known.complete and not strip._preflight.looking


def open_scan(session: Session, path: Path, until: Until) -> None:
    session.open(str(path))
    until(lambda: session.current is not None and session.current.dataset is not None)


def test_the_quick_part_needs_no_runs_and_covers_what_can_be_known(scan: Path) -> None:
    data = Data(path=str(scan))
    dataset = io.read(data, need_scan=False)
    look = [part for part in quick_look(dataset) if part is not None][-1]
    assert isinstance(look, Look)
    found = {doubt.name: doubt for doubt in quick(Job(data=data), dataset, look)}
    assert {"positions", "saturation", "photons", "centre", "overlap", "sampling", "cost"} <= set(found)
    assert "orientation" not in found
    assert "epochs take about" in found["cost"].sentence
    assert set(NEEDS_RUNS) - set(found) == {"orientation", "scale"}


def test_the_lights_come_by_themselves_and_follow_the_job(
    strip: PreflightStrip, session: Session, scan: Path, until: Until
) -> None:
    assert strip.isHidden()
    open_scan(session, scan, until)
    until(lambda: complete(strip))
    assert not strip.isHidden()
    first = strip._preflight.known
    assert first is not None
    assert strip.accessibleName().endswith(f"{counted(first.doubts)['ok']} good")
    assert not strip.icon().isNull()
    assert session.current is not None
    session.edit(session.current.job.with_value("solver.epochs", 7))
    assert strip._preflight.known is None
    until(lambda: complete(strip))
    second = strip._preflight.known
    assert second is not None
    assert second.look is first.look
    assert "7 epochs" in next(doubt.sentence for doubt in second.doubts if doubt.name == "cost")


def test_a_doubt_is_told_with_its_reason_and_mended_by_a_click(
    strip: PreflightStrip, session: Session, tmp_path: Path, over: QWidget, until: Until
) -> None:
    frames = np.random.default_rng(2).poisson(40, (20, 26, 22))
    frames[4] = 0
    path = tmp_path / "scan.npz"
    np.savez(path, data=frames, scan=2.5 * np.stack(np.divmod(np.arange(20), 5), 1))
    open_scan(session, path, until)
    until(lambda: complete(strip))
    assert "doubtful" in strip.accessibleName()
    assert "far fewer or far more counts" in strip.toolTip()
    dialog = CheckDialog(session, strip._preflight, over)
    dialog.open()
    assert dialog.summary.text().startswith("At first sight:")
    assert any("Not known before short runs" in label.text() for label in dialog.findChildren(QLabel))
    button = dialog.findChild(QPushButton, "mend.frames")
    assert button is not None
    button.click()
    assert session.current is not None
    assert session.current.job.data.exclude == (4,)
    until(lambda: complete(strip))
    assert dialog.findChild(QPushButton, "mend.frames") is None
    session.undo.undo()
    assert session.current.job.data.exclude == ()
    until(lambda: complete(strip))
    assert dialog.findChild(QPushButton, "mend.frames") is not None
    dialog.reject()


def test_what_is_stale_is_dropped_and_a_run_comes_first(
    strip: PreflightStrip, session: Session, scan: Path, until: Until
) -> None:
    open_scan(session, scan, until)
    assert session.current is not None
    session.edit(session.current.job.with_value("solver.epochs", 100_000))
    session.start()
    assert strip.isHidden()
    until(lambda: session.current_run is not None and session.current_run.snapshot is not None)
    until(lambda: not strip._preflight.looking)
    session.stop()
    until(lambda: session.running is None)
    until(lambda: complete(strip))
    assert not strip.isHidden()
